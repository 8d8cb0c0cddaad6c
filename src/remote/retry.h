/* remote/retry.h - AWS's "standard" retries: which answers are worth another attempt, how long to
 * wait, and a budget so that a service that is down is not buried under retries. Pure: no clock, no
 * socket. */
#ifndef HEADRACE_REMOTE_RETRY_H
#define HEADRACE_REMOTE_RETRY_H

#include "base/ctx.h"

enum retry_kind {
    RETRY_NO,        /* the answer stands */
    RETRY_TRANSIENT, /* broken off, timed out, 500, 502, 503, 504 */
    RETRY_THROTTLED, /* the service asks for patience */
    RETRY_SKEWED,    /* our clock differs from the service's */
    RETRY_EXPIRED,   /* the credentials have expired */
};

/* status 0: no answer came. `code`: AWS error code, absent when there was none. */
enum retry_kind retry_kind_of(int status, str code);

/* Shared by all calls of a process; start with the zero value. A retry costs tokens, a success
 * gives back what its last retry cost (or one); with none left, failures are final. */
struct retry_budget {
    int64_t spent;
};
bool retry_spend(struct retry_budget *budget, enum retry_kind kind, int64_t *cost);
void retry_refund(struct retry_budget *budget, int64_t cost);

/* Milliseconds before attempt `attempt` + 1 (attempts count from 1): random up to 2^(attempt-1)
 * seconds, 20 s at most. */
msec retry_delay(struct rng *rng, int64_t attempt);

#endif
