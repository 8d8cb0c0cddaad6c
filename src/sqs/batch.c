/* sqs/batch.c - see batch.h. */
#include "sqs/batch.h"

#include "sqs/engine.h"

static bool id_valid(str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return id.n >= 1 && id.n <= 80;
}

static bool repeated(const str *ids, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (str_eq(ids[i], ids[at]))
            return true;
    return false;
}

err sqs_batch_check(struct ctx *ctx, const char *entry, const str *ids, size_t n)
{
    if (!n)
        return err_text(ctx->arena, &SQS_EMPTY_BATCH,
                        "There should be at least one %s in the request.", entry);
    if (n > SQS_BATCH_MAX)
        return err_text(ctx->arena, &SQS_TOO_MANY_ENTRIES,
                        "Maximum number of entries per request are %d. You have sent %zu.",
                        SQS_BATCH_MAX, n);
    for (size_t i = 0; i < n; i++)
        if (!id_valid(ids[i]))
            return FAIL(SQS_INVALID_BATCH_ID);
    for (size_t i = 0; i < n; i++)
        if (repeated(ids, i))
            return err_text(ctx->arena, &SQS_IDS_NOT_DISTINCT, "Id %.*s repeated.",
                            STR_ARG(ids[i]));
    return OK;
}

/* The sum counts against the limit of a batch, whatever the queue allows a single message (#25). */
static err check_sum(struct ctx *ctx, const struct sqs_send *sends, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += sqs_send_size(&sends[i]);
    if (sum <= SQS_MESSAGE_MAX)
        return OK;
    return err_text(ctx->arena, &SQS_BATCH_TOO_LONG,
                    "Batch requests cannot be longer than %d bytes. You have sent %lld bytes.",
                    SQS_MESSAGE_MAX, (long long)sum);
}

err sqs_batch_check_sends(struct sqs *sqs, struct ctx *ctx, int64_t id,
                          const struct sqs_send *sends, size_t n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(check_sum(ctx, sends, n));
    for (size_t i = 0; queue->fifo && i < n; i++) {
        if (!sends[i].group.p)
            return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                            "The request must contain the parameter MessageGroupId.");
        if (!sends[i].dedup.p && !queue->attributes.number[SQS_CONTENT_DEDUP])
            return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                            "The queue should either have ContentBasedDeduplication enabled or "
                            "MessageDeduplicationId provided "
                            "explicitly");
    }
    return OK;
}
