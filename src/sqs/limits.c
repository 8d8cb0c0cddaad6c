/* sqs/limits.c - what only --strict enforces on messages: AWS's quota of FIFO calls, and keys that
 * nobody made. Both are counted and checked before anything changes. */
#include "sqs/engine.h"

#define FIFO_CALLS 300 /* a second, of each kind, on a queue without high throughput */

err queue_throttle(struct sqs *sqs, struct ctx *ctx, struct queue *queue, enum throttled what)
{
    struct throttle *throttle = &queue->throttle;
    if (!sqs->options.strict || !queue->fifo || queue->attributes->number[SQS_THROUGHPUT])
        return OK;
    if (throttle->second != ctx->now / 1000)
        *throttle = (struct throttle){.second = ctx->now / 1000};
    if (throttle->calls[what] >= FIFO_CALLS)
        return FAIL(SQS_THROTTLED);
    throttle->calls[what]++;
    return OK;
}

/* There is no KMS here: only the key that AWS itself keeps for SQS can exist. */
err queue_check_key(struct sqs *sqs, struct queue *queue)
{
    str key = queue->attributes->text[SQS_KMS_KEY];
    if (!sqs->options.strict || !key.n || str_ends(key, S("alias/aws/sqs")))
        return OK;
    return FAIL(SQS_KMS_NOT_FOUND);
}
