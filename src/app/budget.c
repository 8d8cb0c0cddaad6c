/* app/budget.c - see budget.h. */
#include "app/budget.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define SHARE 4
#define FLOOD (INT64_C(64) << 20) /* bytes worth the milliseconds of a trim */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (int64_t)pages * bytes : INT64_MAX;
}

static int64_t address_space(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur >= (rlim_t)INT64_MAX)
        return INT64_MAX;
    return (int64_t)limit.rlim_cur;
}

/* Its own root is all that a process in a container sees. "max" is no number: no limit. */
static int64_t control_group(void)
{
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    long long bytes;
    if (!file)
        return INT64_MAX;
    int n = fscanf(file, "%lld", &bytes);
    fclose(file);
    return n == 1 && bytes > 0 ? (int64_t)bytes : INT64_MAX;
}

struct budget budget_of_process(void)
{
    int64_t all = least(machine(), least(address_space(), control_group()));
    return (struct budget){.max = all / SHARE};
}

bool budget_take(struct budget *budget, int64_t n, int64_t *taken)
{
    if (n > budget->max - budget->held)
        return false;
    budget->held += n;
    budget->most = budget->held > budget->most ? budget->held : budget->most;
    *taken += n;
    return true;
}

void budget_give(struct budget *budget, int64_t *taken)
{
    budget->held -= *taken;
    *taken = 0;
    if (budget->held || budget->most < FLOOD)
        return;
    budget->most = 0;
    malloc_trim(0);
}
