/* sqs/queue_attributes.c - GetQueueAttributes and SetQueueAttributes: the rows of attributes.h
 * against a living queue. Only what differs from the preset has a row in sqs_attribute. */
#include "sqs/engine.h"

static str computed(struct arena *arena, const struct queue *queue, enum sqs_attribute_id id)
{
    int64_t number = id == SQS_COUNT           ? queue->visible
                     : id == SQS_COUNT_HIDDEN  ? queue->in_flight
                     : id == SQS_COUNT_DELAYED ? queue->delayed
                     : id == SQS_CREATED       ? queue->created / 1000
                                               : queue->modified / 1000;
    return id == SQS_ARN ? queue->arn : arena_printf(arena, "%lld", (long long)number);
}

/* Absent when the queue has no such attribute now. */
static str value_of(struct arena *arena, const struct queue *queue, enum sqs_attribute_id id)
{
    if (attribute_infos[id].fifo && !queue->fifo)
        return STR_NONE;
    if (id == SQS_KMS_REUSE && !queue->attributes->text[SQS_KMS_KEY].p &&
        queue->attributes->number[id] == attribute_infos[id].preset)
        return STR_NONE;
    if (attribute_infos[id].kind == ATTRIBUTE_READ)
        return computed(arena, queue, id);
    return attribute_text(arena, queue->attributes, id);
}

static err wanted(struct ctx *ctx, const str *names, size_t n, bool *want)
{
    for (size_t i = 0; i < n; i++) {
        enum sqs_attribute_id id = attribute_by_name(names[i]);
        bool all = str_eq(names[i], S("All"));
        if (id == SQS_ATTRIBUTE_COUNT && !all)
            return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_NAME, "Unknown Attribute %.*s.",
                            STR_ARG(names[i]));
        for (size_t j = 0; j < SQS_ATTRIBUTE_COUNT; j++)
            want[j] = want[j] || all || j == (size_t)id;
    }
    return OK;
}

err sqs_queue_get(struct sqs *sqs, struct ctx *ctx, int64_t id, const str *names, size_t n,
                  struct sqs_pair **out, size_t *nout)
{
    struct queue *queue;
    bool want[SQS_ATTRIBUTE_COUNT] = {false};
    TRY(queue_get(sqs, id, &queue));
    TRY(wanted(ctx, names, n, want));
    queue_wake(sqs, queue, ctx->now);
    struct sqs_pair *pairs = arena_array(ctx->arena, SQS_ATTRIBUTE_COUNT, sizeof *pairs);
    size_t filled = 0;
    for (enum sqs_attribute_id i = 0; i < SQS_ATTRIBUTE_COUNT; i++) {
        str value = want[i] ? value_of(ctx->arena, queue, i) : STR_NONE;
        if (value.p)
            pairs[filled++] =
                (struct sqs_pair){str_of(attribute_infos[i].name), arena_copy(ctx->arena, value)};
    }
    queue_schedule(sqs, queue);
    *out = pairs;
    *nout = filled;
    return OK;
}

/* Why a queue cannot be the dead letter queue of another; NULL: it can. */
static const char *redrive_reason(struct sqs *sqs, str target_arn, str source_arn, bool fifo)
{
    str target[6], source[6];
    if (!arn_split(target_arn, target) || !arn_split(source_arn, source))
        return "Dead-letter target ARN should be fully qualified ARN.";
    if (!str_eq(target[2], S("sqs")))
        return "Only SQS queues are valid resources for deadLetterTargetArn.";
    if (!str_eq(target[3], source[3]))
        return "Dead-letter target must be in same region as the source.";
    if (!str_eq(target[4], source[4]))
        return "Dead-letter target owner should be same as the source.";
    const struct queue *queue = queue_by_arn(sqs, target_arn);
    if (!queue)
        return "Dead letter target does not exist.";
    if (queue->fifo != fifo)
        return "Dead-letter queue must be same type of queue as the source.";
    if (!redrive_allowed(queue, source_arn))
        return "The dead-letter queue's RedriveAllowPolicy does not let this queue use it.";
    return NULL;
}

err queue_check_redrive(struct sqs *sqs, struct ctx *ctx, const struct attribute_change *change,
                        str source_arn, bool fifo)
{
    if (!change->given[SQS_REDRIVE] || !change->next.text[SQS_REDRIVE].p)
        return OK;
    const char *reason = redrive_reason(sqs, change->next.dead_letter, source_arn, fifo);
    if (!reason)
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter RedrivePolicy is invalid. Reason: %s",
                    STR_ARG(change->redrive), reason);
}

static err store(struct sqs *sqs, struct arena *arena, const struct queue *queue,
                 const struct attributes *next, enum sqs_attribute_id id)
{
    str value = attribute_text(arena, next, id);
    bool row = attribute_infos[id].kind == ATTRIBUTE_TEXT
                   ? value.p != NULL
                   : next->number[id] != attribute_infos[id].preset;
    struct stmt *stmt =
        row ? db_sql(sqs->db,
                     "INSERT OR REPLACE INTO sqs_attribute(queue, name, value) VALUES(?, ?, ?)")
            : db_sql(sqs->db, "DELETE FROM sqs_attribute WHERE queue = ? AND name = ?");
    bind_int(stmt, 1, queue->id);
    bind_str(stmt, 2, str_of(attribute_infos[id].name));
    if (row)
        bind_str(stmt, 3, value);
    return stmt_run(stmt);
}

/* On FIFO queues a new delay also holds for what was sent before, as long as nobody received it
 * (#39). */
static err delay_again(struct sqs *sqs, struct ctx *ctx, struct queue *queue)
{
    struct message *message = seqs_next(&queue->seqs, 0);
    for (; message; message = seqs_next(&queue->seqs, message->seq + 1)) {
        msec until = message->age.key + queue->attributes->number[SQS_DELAY] * 1000;
        bool hide = until > ctx->now;
        if (message->receives || (!hide && message->state == MESSAGE_READY))
            continue;
        TRY(row_visible_at(sqs, queue, message->seq, hide ? until : 0));
        if (hide)
            message_hide_until(sqs, queue, message, MESSAGE_DELAYED, until);
        else
            message_show(sqs, queue, message);
    }
    return OK;
}

static void take(struct attributes *own, const struct attributes *next, enum sqs_attribute_id id)
{
    own->number[id] = next->number[id];
    if (attribute_infos[id].kind == ATTRIBUTE_TEXT)
        attribute_own(own, id, next->text[id]);
}

err queue_apply(struct sqs *sqs, struct ctx *ctx, struct queue *queue,
                const struct attribute_change *change)
{
    bool delay = change->next.number[SQS_DELAY] != queue->attributes->number[SQS_DELAY];
    for (enum sqs_attribute_id i = 0; i < SQS_ATTRIBUTE_COUNT; i++)
        if (change->given[i])
            TRY(store(sqs, ctx->arena, queue, &change->next, i));
    struct stmt *mark = db_sql(sqs->db, "UPDATE sqs_queue SET modified = ? WHERE id = ?");
    bind_int(mark, 1, ctx->now);
    bind_int(mark, 2, queue->id);
    TRY(stmt_run(mark));
    for (enum sqs_attribute_id i = 0; i < SQS_ATTRIBUTE_COUNT; i++)
        if (change->given[i])
            take(queue_own(queue), &change->next, i);
    queue->modified = ctx->now;
    sqs->changes++;
    if (delay && queue->fifo)
        TRY(delay_again(sqs, ctx, queue));
    queue_schedule(sqs, queue);
    return OK;
}

err sqs_queue_set(struct sqs *sqs, struct ctx *ctx, int64_t id, const struct sqs_pair *attributes,
                  size_t n)
{
    struct queue *queue;
    struct attribute_change change;
    TRY(queue_get(sqs, id, &queue));
    TRY(attributes_change(ctx, queue->attributes, queue->fifo, false, attributes, n, &change));
    TRY(queue_check_redrive(sqs, ctx, &change, queue->arn, queue->fifo));
    return queue_apply(sqs, ctx, queue, &change);
}
