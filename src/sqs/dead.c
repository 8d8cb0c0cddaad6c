/* sqs/dead.c - messages on their way between queues: dying (too many receives) and being redriven
 * (move tasks). The row moves to a new id. What dies keeps its id, times and count (#51); what is
 * redriven is a new message with the old content. */
#include "sqs/engine.h"

bool redrive_allowed(const struct queue *dlq, str source_arn)
{
    return redrive_allow_permits(dlq->attributes->text[SQS_REDRIVE_ALLOW], source_arn);
}

struct queue *queue_dead_letter(struct sqs *sqs, struct queue *queue)
{
    struct queue *dead = queue_by_arn(sqs, queue->attributes->dead_letter);
    if (!dead || dead == queue || dead->fifo != queue->fifo || !redrive_allowed(dead, queue->arn))
        return NULL;
    return dead;
}

static err move_body(struct sqs *sqs, int64_t from, int64_t to)
{
    struct stmt *body = db_sql(sqs->db, "UPDATE sqs_body SET id = ? WHERE id = ?");
    bind_int(body, 1, to);
    bind_int(body, 2, from);
    return stmt_run(body);
}

/* The group's name outlives the message that brought it. */
static str group_copy(struct ctx *ctx, const struct queue *queue, struct message *message)
{
    return queue->fifo ? arena_copy(ctx->arena, fifo_of(message)->group->entry.key) : STR_NONE;
}

static void settle(struct sqs *sqs, struct queue *from, struct queue *to, struct message *message)
{
    message_show(sqs, to, message);
    queue_schedule(sqs, to);
    queue_schedule(sqs, from);
}

err message_bury(struct sqs *sqs, struct ctx *ctx, struct queue *from, struct message *message,
                 struct queue *to)
{
    uint64_t seq;
    str group = group_copy(ctx, from, message);
    TRY(seq_take(sqs, to, &seq));
    /* On FIFO queues retention starts anew; on standard queues it goes on from the send. */
    msec born = from->fifo ? ctx->now : message->age.key;
    struct stmt *row = db_sql(sqs->db, "UPDATE sqs_message SET id = ?, visible_at = 0, received_at "
                                       "= NULL, aged_from = ?, source = ?, before = ?"
                                       " WHERE id = ?");
    bind_int(row, 1, row_id(to, seq));
    bind_int(row, 2, born);
    bind_str(row, 3, from->arn);
    bind_int(row, 4, message->receives);
    bind_int(row, 5, row_id(from, message->seq));
    TRY(stmt_run(row));
    if (message->big)
        TRY(move_body(sqs, row_id(from, message->seq), row_id(to, seq)));
    uint32_t receives = message->receives;
    bool big = message->big;
    message_leave(sqs, from, message);
    message = message_enter(sqs, to, seq, born, group);
    message->receives = receives;
    message->big = big;
    observe(sqs, ctx, to, message, SQS_DEAD, NULL, ctx->now);
    settle(sqs, from, to, message);
    return OK;
}

err message_redrive(struct sqs *sqs, struct ctx *ctx, struct queue *from, struct message *message,
                    struct queue *to)
{
    uint64_t seq;
    uint8_t id[16], before[16];
    if (observed(sqs) && !row_message_id(sqs, from, message->seq, before))
        return FAIL(FAULT_INTERNAL);
    str group = group_copy(ctx, from, message);
    TRY(seq_take(sqs, to, &seq));
    id_new(ctx->rng, id);
    struct stmt *row = db_sql(
        sqs->db,
        "UPDATE sqs_message SET id = ?, message_id = ?, sent_at = ?, visible_at = 0, receives = 0,"
        " received_at = NULL, first_at = NULL, aged_from = NULL, source = NULL, before = NULL"
        " WHERE id = ?");
    bind_int(row, 1, row_id(to, seq));
    bind_blob(row, 2, (str){(char *)id, 16});
    bind_int(row, 3, ctx->now);
    bind_int(row, 4, row_id(from, message->seq));
    TRY(stmt_run(row));
    if (message->big)
        TRY(move_body(sqs, row_id(from, message->seq), row_id(to, seq)));
    observe_moved(sqs, ctx, to, seq, before, id);
    bool big = message->big;
    message_leave(sqs, from, message);
    message = message_enter(sqs, to, seq, ctx->now, group);
    message->big = big;
    settle(sqs, from, to, message);
    return OK;
}
