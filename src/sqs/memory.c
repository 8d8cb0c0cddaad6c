/* sqs/memory.c - what a FIFO queue remembers for five minutes: deduplication ids, and what a
 * receive attempt was given. Both live in tables only; old rows are not found, and swept when the
 * oldest is due. */
#include <stddef.h>
#include <string.h>

#include "sqs/engine.h"

#define SWEEP_EVERY ((msec)10000)

static void sweep_later(struct sqs *sqs, msec now)
{
    if (sqs->sweep == NEVER)
        sqs->sweep = now + WINDOW;
}

bool dedupe_find(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str key,
                 struct remembered *out)
{
    struct stmt *row =
        db_sql(sqs->db, "SELECT at, message_id, seq FROM sqs_dedupe WHERE queue = ? AND key = ?");
    bind_int(row, 1, queue->id);
    bind_str(row, 2, key);
    bool found = stmt_row(row) && col_int(row, 0) + WINDOW > ctx->now;
    if (found) {
        bytes_16(col_str(row, 1), out->message_id);
        out->seq = (uint64_t)col_int(row, 2);
    }
    stmt_done(row);
    return found;
}

err dedupe_keep(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str key,
                const struct remembered *what)
{
    struct stmt *put = db_sql(
        sqs->db,
        "INSERT OR REPLACE INTO sqs_dedupe(queue, key, at, message_id, seq) VALUES(?, ?, ?, ?, ?)");
    bind_int(put, 1, queue->id);
    bind_str(put, 2, key);
    bind_int(put, 3, ctx->now);
    bind_blob(put, 4, (str){(const char *)what->message_id, 16});
    bind_int(put, 5, (int64_t)what->seq);
    TRY(stmt_run(put));
    sweep_later(sqs, ctx->now);
    return OK;
}

bool attempt_find(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str name,
                  struct attempt *attempt)
{
    struct stmt *row = db_sql(
        sqs->db, "SELECT at, receipts, until FROM sqs_attempt WHERE queue = ? AND attempt = ?");
    bind_int(row, 1, queue->id);
    bind_str(row, 2, name);
    bool found = stmt_row(row) && col_int(row, 0) + WINDOW > ctx->now;
    if (found) {
        str packed = col_str(row, 1);
        attempt->n = packed.n / sizeof *attempt->receipts;
        attempt->receipts = arena_array(ctx->arena, attempt->n + 1, sizeof *attempt->receipts);
        memcpy(attempt->receipts, packed.p, attempt->n * sizeof *attempt->receipts);
        attempt->until = col_int(row, 2);
    }
    stmt_done(row);
    return found;
}

err attempt_keep(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str name,
                 const struct attempt *attempt)
{
    struct stmt *put =
        db_sql(sqs->db, "INSERT OR REPLACE INTO sqs_attempt(queue, attempt, at, receipts, until)"
                        " VALUES(?, ?, ?, ?, ?)");
    bind_int(put, 1, queue->id);
    bind_str(put, 2, name);
    bind_int(put, 3, ctx->now);
    bind_blob(put, 4,
              (str){(const char *)attempt->receipts, attempt->n * sizeof *attempt->receipts});
    bind_int(put, 5, attempt->until);
    TRY(stmt_run(put));
    sweep_later(sqs, ctx->now);
    return OK;
}

err attempt_extend(struct sqs *sqs, const struct queue *queue, str name, msec until)
{
    struct stmt *set =
        db_sql(sqs->db, "UPDATE sqs_attempt SET until = ? WHERE queue = ? AND attempt = ?");
    bind_int(set, 1, until);
    bind_int(set, 2, queue->id);
    bind_str(set, 3, name);
    return stmt_run(set);
}

err attempt_forget(struct sqs *sqs, const struct queue *queue, const struct receipt *receipt)
{
    struct stmt *gone =
        db_sql(sqs->db, "DELETE FROM sqs_attempt WHERE queue = ? AND instr(receipts, ?)");
    bind_int(gone, 1, queue->id);
    bind_blob(gone, 2,
              (str){(const char *)receipt, offsetof(struct receipt, receives) + sizeof(uint32_t)});
    return stmt_run(gone);
}

err memory_forget(struct sqs *sqs, const struct queue *queue)
{
    struct stmt *dedupe = db_sql(sqs->db, "DELETE FROM sqs_dedupe WHERE queue = ?");
    bind_int(dedupe, 1, queue->id);
    TRY(stmt_run(dedupe));
    struct stmt *attempts = db_sql(sqs->db, "DELETE FROM sqs_attempt WHERE queue = ?");
    bind_int(attempts, 1, queue->id);
    return stmt_run(attempts);
}

msec memory_due(struct sqs *sqs)
{
    struct stmt *row = db_sql(sqs->db, "SELECT min(at) FROM (SELECT min(at) AS at FROM sqs_dedupe"
                                       " UNION ALL SELECT min(at) FROM sqs_attempt)");
    msec due = stmt_row(row) && !col_null(row, 0) ? col_int(row, 0) + WINDOW : NEVER;
    stmt_done(row);
    return due;
}

err memory_sweep(struct sqs *sqs, msec now)
{
    static const char *const sweeps[] = {"DELETE FROM sqs_dedupe WHERE at <= ?",
                                         "DELETE FROM sqs_attempt WHERE at <= ?"};
    for (int i = 0; i < 2; i++) {
        struct stmt *old = db_sql(sqs->db, sweeps[i]);
        bind_int(old, 1, now - WINDOW);
        TRY(stmt_run(old));
    }
    msec due = memory_due(sqs);
    sqs->sweep = due > now + SWEEP_EVERY ? due : now + SWEEP_EVERY;
    return OK;
}
