/* sqs/sqs.c - the engine as a whole: opened, reloaded, reset, and its timer. Every queue with
 * something due is in sqs->due, by the instant; the timer is the least of them. */
#include <stdlib.h>

#include "sqs/engine.h"

enum { TICK_BUDGET = 5000 }; /* row deletions or moves of one tick: a few milliseconds */
#define RETRY ((msec)1000)

struct sqs *sqs_open(struct db *db, const struct sqs_options *options,
                     const struct sqs_hooks *hooks)
{
    struct sqs *sqs = xalloc(sizeof *sqs);
    *sqs = (struct sqs){.db = db,
                        .sweep = NEVER,
                        .garbage = NEVER,
                        .standard.size = sizeof(struct message),
                        .fifo.size = sizeof(struct fifo_message)};
    if (options)
        sqs->options = *options;
    if (hooks)
        sqs->hooks = *hooks;
    sqs_schema(sqs);
    sqs_load(sqs);
    return sqs;
}

void sqs_close(struct sqs *sqs)
{
    if (!sqs)
        return;
    sqs_unload(sqs);
    free(sqs);
}

void sqs_reload(struct sqs *sqs)
{
    sqs_unload(sqs);
    sqs_load(sqs);
}

uint64_t sqs_changes(const struct sqs *sqs)
{
    return sqs->changes;
}

/* Queue by queue, so that the rows of a million messages are left to the ticks as a purge leaves
 * them. */
err sqs_reset(struct sqs *sqs, str account)
{
    struct queue *queue = seqs_next(&sqs->queues, 0);
    while (queue) {
        uint64_t next = (uint64_t)queue->id + 1;
        if (!account.p || str_eq(queue->account, account))
            TRY(queue_remove(sqs, queue));
        queue = seqs_next(&sqs->queues, next);
    }
    struct stmt *deleted =
        db_sql(sqs->db, "DELETE FROM sqs_deleted WHERE ?1 IS NULL OR account = ?1");
    bind_str(deleted, 1, account);
    return stmt_run(deleted);
}

msec sqs_next_due(struct sqs *sqs)
{
    struct node *first = order_first(&sqs->due);
    msec due = first ? first->key : NEVER;
    if (sqs->sweep < due)
        due = sqs->sweep;
    return sqs->garbage < due ? sqs->garbage : due;
}

static err expire(struct sqs *sqs, struct queue *queue, msec now, int *budget)
{
    struct node *oldest;
    while (*budget > 0 && (oldest = order_first(&queue->age)) &&
           message_expired(queue, message_of_age(oldest), now)) {
        struct message *message = message_of_age(oldest);
        observe(sqs, NULL, queue, message, SQS_EXPIRED, NULL, now);
        TRY(row_delete(sqs, queue, message));
        message_leave(sqs, queue, message);
        --*budget;
    }
    return OK;
}

static err queue_tick(struct sqs *sqs, struct ctx *ctx, struct queue *queue, int *budget)
{
    TRY(expire(sqs, queue, ctx->now, budget));
    queue_wake(sqs, queue, ctx->now);
    if (queue->task && *budget > 0) {
        int moved;
        TRY(task_run(sqs, ctx, queue, *budget, &moved));
        *budget -= moved;
    }
    queue_schedule(sqs, queue);
    return OK;
}

static err tick(struct sqs *sqs, struct ctx *ctx)
{
    int budget = TICK_BUDGET;
    struct node *first;
    while (budget-- > 0 && (first = order_first(&sqs->due)) && first->key <= ctx->now) {
        struct queue *queue = (struct queue *)(void *)((char *)first - offsetof(struct queue, due));
        TRY(queue_tick(sqs, ctx, queue, &budget));
    }
    if (sqs->sweep <= ctx->now)
        TRY(memory_sweep(sqs, ctx->now));
    if (sqs->garbage <= ctx->now)
        TRY(garbage_clear(sqs, ctx->now));
    return OK;
}

msec sqs_tick(struct sqs *sqs, struct ctx *ctx)
{
    if (sqs_next_due(sqs) > ctx->now)
        return sqs_next_due(sqs);
    db_savepoint(sqs->db);
    if (!failed(tick(sqs, ctx))) {
        db_release(sqs->db);
        return sqs_next_due(sqs);
    }
    log_error("sqs: the disk refuses what is due; trying again");
    db_rollback(sqs->db);
    sqs_reload(sqs);
    msec due = sqs_next_due(sqs);
    return due > ctx->now + RETRY ? due : ctx->now + RETRY;
}
