/* app/budget.h - how much memory bodies that are on their way may hold, all together. Many clients
 * that each send a little less than is allowed must not end the process: beyond the budget requests
 * are refused with 503, which SDKs try again. */
#ifndef HEADRACE_APP_BUDGET_H
#define HEADRACE_APP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
    int64_t max, held; /* bytes */
    int64_t most;      /* that were held since it was 0 */
};

/* A quarter of what this process may use: of the memory of the machine, of its control group, or of
 * its address space, whichever is least. */
struct budget budget_of_process(void);
/* True, and *taken grows by n, when there is room for n bytes more. */
bool budget_take(struct budget *budget, int64_t n, int64_t *taken);
/* Gives all of *taken back. After a flood the process gives its memory back, too. */
void budget_give(struct budget *budget, int64_t *taken);

#endif
