/* sqs/observe.c - telling the trace what happens to messages. Ids are read from rows only when
 * somebody listens. */
#include "sqs/engine.h"

static void tell(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue,
                 struct sqs_observation *seen, const uint8_t *id, const uint8_t *before)
{
    struct arena *arena = ctx ? ctx->arena : arena_new();
    seen->account = queue->account;
    seen->region = queue->region;
    seen->queue = queue->name;
    seen->id = id_text(arena, id);
    if (before)
        seen->before = id_text(arena, before);
    sqs->hooks.observe(sqs->hooks.user, ctx, seen);
    if (!ctx)
        arena_free(arena);
}

void observe(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue,
             const struct message *message, enum sqs_event event, const uint8_t *id, msec at)
{
    uint8_t read[16];
    if (!observed(sqs))
        return;
    if (!id && !row_message_id(sqs, queue, message->seq, read))
        return;
    struct sqs_observation seen = {.event = event,
                                   .at = at,
                                   .attempt = message->receives,
                                   .place = row_id(queue, message->seq)};
    bool flies =
        (event == SQS_RECEIVED || event == SQS_HIDDEN) && message->state == MESSAGE_IN_FLIGHT;
    bool delayed = event == SQS_SENT && message->state == MESSAGE_DELAYED;
    if ((flies || delayed) && message->place.key > at)
        seen.until = message->place.key;
    tell(sqs, ctx, queue, &seen, id ? id : read, NULL);
}

void observe_duplicate(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue,
                       const uint8_t *id)
{
    struct sqs_observation seen = {.event = SQS_DUPLICATE, .at = ctx->now};
    if (observed(sqs))
        tell(sqs, ctx, queue, &seen, id, NULL);
}

void observe_moved(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue, uint64_t seq,
                   const uint8_t *before, const uint8_t *id)
{
    struct sqs_observation seen = {.event = SQS_MOVED, .at = ctx->now, .place = row_id(queue, seq)};
    if (observed(sqs))
        tell(sqs, ctx, queue, &seen, id, before);
}
