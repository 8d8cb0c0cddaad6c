/* app/cost.h - what the run would have cost on AWS: list prices times what was counted. Prices are
 * facts with a date, in one table (cost.c); free tiers, discounts and data transfer between regions
 * are left out, and the report says so. */
#ifndef HEADRACE_APP_COST_H
#define HEADRACE_APP_COST_H

#include "app/metrics.h"

struct cost_usage {
    const struct metrics_operation *operations;
    size_t n;
    int64_t stored_bytes; /* in S3 now */
};

/* {"currency":"USD","region":"us-east-1","pricesOf":"2025-...","operations":[...],"storagePerMonth":...,"total":...}
 */
void cost_json(struct buf *b, const struct cost_usage *usage);
/* The same as a table for people. */
void cost_text(struct buf *b, const struct cost_usage *usage);

#endif
