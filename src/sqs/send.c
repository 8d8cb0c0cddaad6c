/* sqs/send.c - SendMessage: checked whole, then one row and one node. A FIFO duplicate is answered
 * from memory and changes nothing. */
#include "base/digest.h"
#include "sqs/batch.h"
#include "sqs/engine.h"
#include "sqs/rules.h"

#include <string.h>

int64_t sqs_send_size(const struct sqs_send *send)
{
    size_t size = send->body.n;
    for (size_t i = 0; i < send->nattributes; i++)
        size +=
            send->attributes[i].name.n + send->attributes[i].type.n + send->attributes[i].value.n;
    return (int64_t)size;
}

static err missing(struct ctx *ctx, str parameter)
{
    return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                    "The request must contain the parameter %.*s.", STR_ARG(parameter));
}

static err check_content(struct ctx *ctx, const struct queue *queue, const struct sqs_send *send)
{
    int64_t limit = queue->attributes->number[SQS_MAX_SIZE];
    if (!send->body.n)
        return missing(ctx,
                       send->entry
                           ? arena_printf(ctx->arena, "SendMessageBatchRequestEntry.%d.MessageBody",
                                          send->entry)
                           : S("MessageBody"));
    if (sqs_send_size(send) > limit)
        return err_text(
            ctx->arena, &SQS_INVALID_PARAMETER,
            "One or more parameters %s. Reason: Message must be shorter than %lld bytes.",
            send->entry ? "cannot be validated" : "are invalid", (long long)limit);
    if (!sqs_text_valid(send->body))
        return FAIL(SQS_INVALID_CONTENTS);
    return sqs_check_attributes(ctx, send->attributes, send->nattributes);
}

static err check_fifo(struct ctx *ctx, const struct queue *queue, const struct sqs_send *send)
{
    if (!send->group.p)
        return missing(ctx, S("MessageGroupId"));
    if (!send->dedup.p && !queue->attributes->number[SQS_CONTENT_DEDUP])
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The queue should either have ContentBasedDeduplication enabled or "
                        "MessageDeduplicationId provided "
                        "explicitly");
    if (send->delay > 0)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Value %lld for parameter DelaySeconds is invalid. Reason: The request "
                        "include parameter that is not "
                        "valid for this queue type.",
                        (long long)send->delay);
    return OK;
}

static err check_standard(struct ctx *ctx, const struct sqs_send *send)
{
    if (!send->dedup.p)
        return OK;
    if (send->entry) /* of an entry AWS does not say which parameter */
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The request include parameter that is not valid for this queue type");
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter MessageDeduplicationId is invalid. Reason: The "
                    "request include parameter that is not valid for this queue type.",
                    STR_ARG(send->dedup));
}

err send_check(struct sqs *sqs, struct ctx *ctx, struct queue *queue, const struct sqs_send *send)
{
    TRY(check_content(ctx, queue, send));
    if (send->delay != -1)
        TRY(sqs_check_delay(ctx, send->delay));
    if (send->group.p)
        TRY(sqs_check_token(ctx, "MessageGroupId", send->group));
    if (send->dedup.p)
        TRY(sqs_check_token(ctx, "MessageDeduplicationId", send->dedup));
    TRY(queue->fifo ? check_fifo(ctx, queue, send) : check_standard(ctx, send));
    return queue_check_key(sqs, queue);
}

/* Names sorted; each text as length (4 bytes, big end first) and bytes; between type and value 1
 * for text, 2 for binary. */
static void digest_text(struct buf *b, str s)
{
    char length[4] = {(char)(s.n >> 24), (char)(s.n >> 16), (char)(s.n >> 8), (char)s.n};
    buf_put(b, (str){length, 4});
    buf_put(b, s);
}

str sqs_attributes_md5(struct arena *arena, const struct sqs_attribute *attributes, size_t n)
{
    if (!n)
        return STR_NONE;
    const struct sqs_attribute **sorted = arena_array(arena, n, sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && str_cmp(sorted[at - 1]->name, attributes[i].name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &attributes[i];
    }
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < n; i++) {
        digest_text(&b, sorted[i]->name);
        digest_text(&b, sorted[i]->type);
        buf_char(&b, str_starts(sorted[i]->type, S("Binary")) ? 2 : 1);
        digest_text(&b, sorted[i]->value);
    }
    return digest_hex(arena, digest_of(DIGEST_MD5, buf_str(&b)));
}

static void answer(struct ctx *ctx, const struct sqs_send *send, const struct new_row *row,
                   struct sqs_sent *sent)
{
    sent->id = id_text(ctx->arena, row->message_id);
    sent->md5_body = hex_encode(ctx->arena, row->md5, 16);
    sent->md5_attributes = sqs_attributes_md5(ctx->arena, send->attributes, send->nattributes);
    if (send->trace_header.p) {
        struct sqs_attribute trace = {S("AWSTraceHeader"), S("String"), send->trace_header};
        sent->md5_system = sqs_attributes_md5(ctx->arena, &trace, 1);
    }
}

/* Ids are compared within the queue, or within the group where that was the scope at creation
 * (#47). */
static str dedupe_key(struct ctx *ctx, const struct queue *queue, const struct sqs_send *send,
                      str dedup)
{
    if (!queue->group_scope)
        return dedup;
    return arena_printf(ctx->arena, "%.*s %.*s", STR_ARG(send->group), STR_ARG(dedup));
}

static err insert(struct sqs *sqs, struct ctx *ctx, struct queue *queue, struct new_row *row)
{
    int64_t delay = row->send->delay == -1 || queue->fifo ? queue->attributes->number[SQS_DELAY]
                                                          : row->send->delay;
    row->sent_at = ctx->now;
    row->visible_at = delay ? ctx->now + delay * 1000 : 0;
    TRY(seq_take(sqs, queue, &row->seq));
    TRY(row_insert(sqs, ctx, queue, row));
    struct message *message = message_enter(sqs, queue, row->seq, ctx->now, row->send->group);
    message->big = body_big(row->send->body);
    if (delay)
        message_hide_until(sqs, queue, message, MESSAGE_DELAYED, row->visible_at);
    else
        message_show(sqs, queue, message);
    queue_schedule(sqs, queue);
    observe(sqs, ctx, queue, message, SQS_SENT, row->message_id, ctx->now);
    return OK;
}

static err send_fifo(struct sqs *sqs, struct ctx *ctx, struct queue *queue, struct new_row *row)
{
    struct remembered first;
    row->dedup = row->send->dedup.p
                     ? row->send->dedup
                     : digest_hex(ctx->arena, digest_of(DIGEST_SHA256, row->send->body));
    str key = dedupe_key(ctx, queue, row->send, row->dedup);
    db_writing(sqs->db);
    if (dedupe_find(sqs, ctx, queue, key, &first)) {
        memcpy(row->message_id, first.message_id, 16);
        row->seq = first.seq;
        observe_duplicate(sqs, ctx, queue, first.message_id);
        return OK;
    }
    TRY(insert(sqs, ctx, queue, row));
    first.seq = row->seq;
    memcpy(first.message_id, row->message_id, 16);
    TRY(dedupe_keep(sqs, ctx, queue, key, &first));
    if (sqs->hooks.sent)
        sqs->hooks.sent(sqs->hooks.user, ctx, queue->id, row->send->body);
    return OK;
}

err sqs_message_send(struct sqs *sqs, struct ctx *ctx, int64_t id, const struct sqs_send *send,
                     struct sqs_sent *sent)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(send_check(sqs, ctx, queue, send));
    TRY(queue_throttle(sqs, ctx, queue, THROTTLE_SEND));
    queue_wake(sqs, queue, ctx->now);
    digest md5 = digest_of(DIGEST_MD5, send->body);
    struct new_row row = {.send = send,
                          .sender = send->sender.p ? send->sender : ctx->account,
                          .trace = send->trace_header.p ? send->trace_header : ctx->trace_header};
    memcpy(row.md5, md5.bytes, 16);
    id_new(ctx->rng, row.message_id);
    TRY(queue->fifo ? send_fifo(sqs, ctx, queue, &row) : insert(sqs, ctx, queue, &row));
    if (ctx->chaos & CHAOS_DUPLICATE && !queue->fifo)
        TRY(insert(sqs, ctx, queue, &row));
    if (!queue->fifo && sqs->hooks.sent)
        sqs->hooks.sent(sqs->hooks.user, ctx, id, send->body);
    *sent = (struct sqs_sent){.sequence = seq_text(ctx->arena, queue, row.seq)};
    answer(ctx, send, &row, sent);
    return OK;
}
