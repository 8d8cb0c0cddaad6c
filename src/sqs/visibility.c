/* sqs/visibility.c - who may still delete or hide a message it received.
 * Standard queues are lenient: any handle of a living message deletes it, and changes its timeout
 * while it is in flight (#32). FIFO queues know one holder: the handle of the last receive, until
 * its time is up (#33). A handle whose message is gone deletes once more (#34) but hides nothing
 * (#35). */
#include "sqs/engine.h"
#include "sqs/rules.h"

#define VISIBILITY_MAX ((msec)43200000)

static err refuse(struct ctx *ctx, str receipt, const char *reason)
{
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter ReceiptHandle is invalid. Reason: %s",
                    STR_ARG(receipt), reason);
}

/* *message is NULL when the handle is good but the message gone. */
static err resolve(struct sqs *sqs, struct ctx *ctx, struct queue *queue, str text,
                   struct receipt *receipt, struct message **message)
{
    if (!text.n)
        return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter ReceiptHandle.");
    if (!receipt_read(sqs, text, receipt))
        return err_text(ctx->arena, &SQS_RECEIPT_INVALID,
                        "The input receipt handle \"%.*s\" is not a valid receipt handle.",
                        STR_ARG(text));
    if (receipt->queue != queue->id)
        return err_text(ctx->arena, &SQS_RECEIPT_INVALID,
                        "The receipt handle \"%.*s\" is not valid for this queue.", STR_ARG(text));
    *message = seqs_get(&queue->seqs, receipt->seq);
    if (*message && message_expired(queue, *message, ctx->now))
        *message = NULL; /* the next tick clears it away */
    return OK;
}

static bool holds(const struct message *message, const struct receipt *receipt)
{
    return message->state == MESSAGE_IN_FLIGHT && message->receives == receipt->receives;
}

err sqs_message_delete(struct sqs *sqs, struct ctx *ctx, int64_t id, str text)
{
    struct queue *queue;
    struct receipt receipt;
    struct message *message;
    TRY(queue_get(sqs, id, &queue));
    TRY(resolve(sqs, ctx, queue, text, &receipt, &message));
    TRY(queue_throttle(sqs, ctx, queue, THROTTLE_DELETE));
    if (!message || ctx->chaos & CHAOS_LOSE_DELETE)
        return OK;
    queue_wake(sqs, queue, ctx->now);
    if (queue->fifo && !holds(message, &receipt)) {
        queue_schedule(sqs, queue);
        return refuse(ctx, text, "The receipt handle has expired.");
    }
    observe(sqs, ctx, queue, message, SQS_DELETED, NULL, ctx->now);
    TRY(row_delete(sqs, queue, message));
    message_leave(sqs, queue, message);
    queue_schedule(sqs, queue);
    return OK;
}

static err check_total(struct sqs *sqs, struct ctx *ctx, const struct queue *queue,
                       const struct message *message, int64_t seconds)
{
    struct row row;
    if (!row_read(sqs, ctx->arena, queue, message->seq, &row))
        return FAIL(FAULT_INTERNAL);
    if (ctx->now - row.received_at + seconds * 1000 <= VISIBILITY_MAX)
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %lld for parameter VisibilityTimeout is invalid. Reason: Total "
                    "VisibilityTimeout for the message is "
                    "beyond the limit [43200 seconds]",
                    (long long)seconds);
}

static err hide(struct sqs *sqs, struct ctx *ctx, struct queue *queue, struct message *message,
                int64_t seconds)
{
    msec until = seconds ? ctx->now + seconds * 1000 : 0;
    TRY(check_total(sqs, ctx, queue, message, seconds));
    TRY(row_visible_at(sqs, queue, message->seq, until));
    if (seconds)
        message_hide_until(sqs, queue, message, MESSAGE_IN_FLIGHT, until);
    else
        message_show(sqs, queue, message);
    observe(sqs, ctx, queue, message, SQS_HIDDEN, NULL, ctx->now);
    queue_schedule(sqs, queue);
    return OK;
}

static err row_returned(struct sqs *sqs, const struct queue *queue, const struct message *message)
{
    struct stmt *row =
        db_sql(sqs->db, "UPDATE sqs_message SET visible_at = 0, receives = ?1,"
                        " first_at = CASE ?1 WHEN 0 THEN NULL ELSE first_at END WHERE id = ?2");
    bind_int(row, 1, (int64_t)message->receives - 1);
    bind_int(row, 2, row_id(queue, message->seq));
    return stmt_run(row);
}

err sqs_message_return(struct sqs *sqs, struct ctx *ctx, int64_t id, str text)
{
    struct queue *queue;
    struct receipt receipt;
    struct message *message;
    TRY(queue_get(sqs, id, &queue));
    TRY(resolve(sqs, ctx, queue, text, &receipt, &message));
    if (!message || !holds(message, &receipt))
        return OK;
    TRY(row_returned(sqs, queue, message));
    if (queue->fifo)
        TRY(attempt_forget(sqs, queue, &receipt));
    message->receives--;
    observe(sqs, ctx, queue, message, SQS_RETURNED, NULL, ctx->now);
    message_show(sqs, queue, message);
    queue_schedule(sqs, queue);
    return OK;
}

static const char not_available[] =
    "Message does not exist or is not available for visibility timeout change.";

err sqs_message_hide(struct sqs *sqs, struct ctx *ctx, int64_t id, str text, int64_t seconds)
{
    struct queue *queue;
    struct receipt receipt;
    struct message *message;
    TRY(queue_get(sqs, id, &queue));
    TRY(sqs_check_visibility(ctx, SQS_OF_CHANGE, seconds));
    TRY(resolve(sqs, ctx, queue, text, &receipt, &message));
    if (!message)
        return refuse(ctx, text, not_available);
    queue_wake(sqs, queue, ctx->now);
    queue_schedule(sqs, queue);
    if (message->state != MESSAGE_IN_FLIGHT)
        return OK;
    if (queue->fifo && !holds(message, &receipt))
        return refuse(ctx, text, not_available);
    return hide(sqs, ctx, queue, message, seconds);
}
