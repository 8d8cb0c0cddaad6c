/* remote/retry.c - the numbers are those of the AWS SDKs' "standard" mode: 500 tokens, 5 for a
 * retry, 10 after no answer at all. */
#include "remote/retry.h"

#include "base/rng.h"

#define TOKENS 500
#define COST_RETRY 5
#define COST_NO_ANSWER 10
#define DELAY_MAX 20000
#define DELAY_BASE 1000

struct code_kind {
    const char *code;
    enum retry_kind kind;
};

static const struct code_kind codes[] = {
    {"Throttling", RETRY_THROTTLED},
    {"ThrottlingException", RETRY_THROTTLED},
    {"ThrottledException", RETRY_THROTTLED},
    {"RequestThrottledException", RETRY_THROTTLED},
    {"RequestThrottled", RETRY_THROTTLED},
    {"TooManyRequestsException", RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", RETRY_THROTTLED},
    {"TransactionInProgressException", RETRY_THROTTLED},
    {"RequestLimitExceeded", RETRY_THROTTLED},
    {"BandwidthLimitExceeded", RETRY_THROTTLED},
    {"LimitExceededException", RETRY_THROTTLED},
    {"SlowDown", RETRY_THROTTLED},
    {"PriorRequestNotComplete", RETRY_THROTTLED},
    {"EC2ThrottledException", RETRY_THROTTLED},
    {"RequestTimeout", RETRY_TRANSIENT},
    {"RequestTimeoutException", RETRY_TRANSIENT},
    {"InternalError", RETRY_TRANSIENT},
    {"ConditionalRequestConflict", RETRY_TRANSIENT},
    {"RequestTimeTooSkewed", RETRY_SKEWED},
    {"RequestExpired", RETRY_SKEWED},
    {"RequestInTheFuture", RETRY_SKEWED},
    {"InvalidSignatureException", RETRY_SKEWED},
    {"SignatureDoesNotMatch", RETRY_SKEWED},
    {"AuthFailure", RETRY_SKEWED},
    {"ExpiredToken", RETRY_EXPIRED},
    {"ExpiredTokenException", RETRY_EXPIRED},
};

enum retry_kind retry_kind_of(int status, str code)
{
    for (size_t i = 0; code.n && i < sizeof codes / sizeof *codes; i++)
        if (str_eq(code, str_of(codes[i].code)))
            return codes[i].kind;
    if (status == 429)
        return RETRY_THROTTLED;
    bool transient = status == 0 || status == 500 || (status >= 502 && status <= 504);
    return transient ? RETRY_TRANSIENT : RETRY_NO;
}

bool retry_spend(struct retry_budget *budget, enum retry_kind kind, int64_t *cost)
{
    *cost = kind == RETRY_TRANSIENT ? COST_NO_ANSWER : COST_RETRY;
    if (budget->spent + *cost > TOKENS)
        return false;
    budget->spent += *cost;
    return true;
}

void retry_refund(struct retry_budget *budget, int64_t cost)
{
    budget->spent -= cost ? cost : 1;
    if (budget->spent < 0)
        budget->spent = 0;
}

msec retry_delay(struct rng *rng, int64_t attempt)
{
    msec ceiling = attempt > 5 ? DELAY_MAX : (msec)DELAY_BASE << (attempt - 1);
    if (ceiling > DELAY_MAX)
        ceiling = DELAY_MAX;
    return (msec)rng_below(rng, (uint64_t)ceiling + 1);
}
