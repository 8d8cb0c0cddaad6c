/* sqs/peek.c - see peek.h. */
#include "sqs/peek.h"

#include "sqs/engine.h"

/* State as of now, without waking anything: what is due counts as visible. */
static enum sqs_state state_of(const struct message *message, msec now)
{
    if (message->state == MESSAGE_READY || message->place.key <= now)
        return SQS_VISIBLE;
    return message->state == MESSAGE_DELAYED ? SQS_DELAYED : SQS_IN_FLIGHT;
}

static bool shown(const struct sqs_peek *peek, enum sqs_state state)
{
    return state == SQS_VISIBLE || (state == SQS_DELAYED ? peek->delayed : peek->invisible);
}

static bool look(struct sqs *sqs, struct ctx *ctx, const struct queue *queue,
                 const struct message *message, struct sqs_peeked *out)
{
    struct row row;
    if (!row_read(sqs, ctx->arena, queue, message->seq, &row))
        return false;
    out->message = row.message;
    out->state = state_of(message, ctx->now);
    out->visible_at = out->state == SQS_VISIBLE ? 0 : message->place.key;
    out->position = (int64_t)message->seq;
    return true;
}

err sqs_messages_peek(struct sqs *sqs, struct ctx *ctx, int64_t id, struct sqs_peek *peek,
                      struct sqs_peeked **messages, size_t *n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    size_t limit = peek->limit > 0 && peek->limit < 1000 ? (size_t)peek->limit : 1000;
    struct sqs_peeked *found = arena_array(ctx->arena, limit, sizeof *found);
    *n = 0;
    struct message *message = seqs_next(&queue->seqs, (uint64_t)peek->after + 1);
    for (; message && *n < limit; message = seqs_next(&queue->seqs, (uint64_t)peek->after + 1)) {
        peek->after = (int64_t)message->seq;
        if (!message_expired(queue, message, ctx->now) && shown(peek, state_of(message, ctx->now)))
            *n += look(sqs, ctx, queue, message, &found[*n]);
    }
    if (!message)
        peek->after = -1;
    *messages = found;
    return OK;
}

static bool blocked(const struct queue *queue, struct message *message, msec now)
{
    if (!queue->fifo)
        return false;
    const struct fifo_message *first = fifo_of(message)->group->first;
    return &first->message != message && state_of(&first->message, now) != SQS_VISIBLE;
}

enum sqs_whereabouts sqs_message_locate(struct sqs *sqs, int64_t place, msec now,
                                        struct sqs_located *out)
{
    struct queue *queue = queue_by_id(sqs, place >> SEQ_BITS);
    if (!queue)
        return SQS_QUEUE_GONE;
    struct message *message =
        seqs_get(&queue->seqs, (uint64_t)place & (((uint64_t)1 << SEQ_BITS) - 1));
    if (!message || message_expired(queue, message, now))
        return SQS_GONE;
    *out = (struct sqs_located){
        .queue = queue->id, .state = state_of(message, now), .received = message->receives > 0};
    if (out->state != SQS_VISIBLE)
        out->until = message->place.key;
    out->blocked = out->state == SQS_VISIBLE && blocked(queue, message, now);
    return SQS_LOCATED;
}
