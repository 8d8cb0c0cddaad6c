/* app/doctor_mend.h - what `headrace doctor` collects and, with --repair, takes away: bodies that
 * are lost, by their number, and what engines found damaged, by its row. */
#ifndef HEADRACE_APP_DOCTOR_MEND_H
#define HEADRACE_APP_DOCTOR_MEND_H

#include "base/str.h"

struct doctor_numbers {
    int64_t *at;
    size_t n;
};
struct doctor_damage {
    struct doctor_numbers bodies;  /* that the store cannot read */
    struct doctor_numbers s3, sqs; /* rows of s3/examine.h and sqs/examine.h */
};

void doctor_numbers_add(struct doctor_numbers *numbers, int64_t number);
void doctor_damage_free(struct doctor_damage *damage);
/* Takes all of it away in one transaction, and prints a line for each. Opens `dir` for itself.
 * False after telling why it did not work. */
bool doctor_mend(const char *dir, const struct doctor_damage *damage);
/* "WHAT: TEXT" on stdout; keys may hold what a terminal takes for orders, which becomes "?". */
void doctor_print(str what, const char *text);

#endif
