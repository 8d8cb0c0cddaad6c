/* sqs/garbage.c - rows of purged messages, cleared away a few at a time. They are dead already
 * (engine.h: floor, or their queue is gone), so nothing depends on when that happens. */
#include "sqs/engine.h"

#define CLEARED_AT_ONCE 1000
#define PAUSE ((msec)5) /* between two steps: others want the disk too */

void garbage_load(struct sqs *sqs)
{
    struct stmt *row = db_sql(sqs->db, "SELECT 1 FROM sqs_garbage LIMIT 1");
    sqs->garbage = stmt_row(row) ? 0 : NEVER;
    stmt_done(row);
}

err garbage_add(struct sqs *sqs, const struct queue *queue)
{
    struct stmt *add =
        db_sql(sqs->db, "INSERT OR REPLACE INTO sqs_garbage(first, last) VALUES(?, ?)");
    bind_int(add, 1, row_id(queue, 0));
    bind_int(add, 2, row_id(queue, queue->next_seq) - 1);
    TRY(stmt_run(add));
    sqs->garbage = 0;
    return OK;
}

static err clear_some(struct sqs *sqs, const char *sql, int64_t first, int64_t last,
                      int64_t *cleared)
{
    struct stmt *gone = db_sql(sqs->db, sql);
    bind_int(gone, 1, first);
    bind_int(gone, 2, last);
    bind_int(gone, 3, CLEARED_AT_ONCE);
    TRY(stmt_run(gone));
    *cleared += db_changes(sqs->db);
    return OK;
}

err garbage_clear(struct sqs *sqs, msec now)
{
    struct stmt *range = db_sql(sqs->db, "SELECT first, last FROM sqs_garbage LIMIT 1");
    bool any = stmt_row(range);
    int64_t first = any ? col_int(range, 0) : 0, last = any ? col_int(range, 1) : 0, cleared = 0;
    stmt_done(range);
    sqs->garbage = any ? now + PAUSE : NEVER;
    if (!any)
        return OK;
    TRY(clear_some(sqs,
                   "DELETE FROM sqs_message WHERE id IN (SELECT id FROM sqs_message WHERE id "
                   "BETWEEN ? AND ? LIMIT ?)",
                   first, last, &cleared));
    TRY(clear_some(sqs,
                   "DELETE FROM sqs_body WHERE id IN (SELECT id FROM sqs_body WHERE id BETWEEN ? "
                   "AND ? LIMIT ?)",
                   first, last, &cleared));
    if (cleared)
        return OK;
    struct stmt *done = db_sql(sqs->db, "DELETE FROM sqs_garbage WHERE first = ?");
    bind_int(done, 1, first);
    return stmt_run(done);
}
