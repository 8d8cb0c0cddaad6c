/* sqs/batch.c - see batch.h. */
#include "sqs/batch.h"

#include "sqs/engine.h"

static bool id_valid(str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!queue_name_char(id.p[i]))
            return false;
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
        if (!ids[i].p)
            return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                            "The request must contain the parameter %s.%zu.Id.", entry, i + 1);
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

/* What one entry is refused for; what it lacks is called invalid here (#17). */
static err check_one(struct sqs *sqs, struct ctx *ctx, struct queue *queue,
                     const struct sqs_send *send, size_t i)
{
    struct sqs_send alone = *send;
    alone.entry = send->body.n ? 0 : (int)i + 1;
    err e = send_check(sqs, ctx, queue, &alone);
    if (!failed(e) || e.fault != &SQS_MISSING_PARAMETER)
        return e;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER, "%.*s", STR_ARG(err_message(e)));
}

err sqs_batch_check_sends(struct sqs *sqs, struct ctx *ctx, int64_t id,
                          const struct sqs_send *sends, size_t n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(check_sum(ctx, sends, n));
    for (size_t i = 0; queue->fifo && i < n; i++)
        TRY(check_one(sqs, ctx, queue, &sends[i], i));
    return OK;
}
