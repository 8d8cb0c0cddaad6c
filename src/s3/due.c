/* s3/due.c - dated work: restores of archived objects that complete, restored copies whose time is
 * over, lifecycle, delivery of access logs. The next instant is kept in memory, because it is asked
 * for in every loop turn; whoever writes a date calls s3_due_changed. */
#include "s3/access_log.h"
#include "s3/engine.h"
#include "s3/lifecycle.h"

#define DAY INT64_C(86400000)

/* Requests say no more than 32 bits of days; a snapshot that someone made may. */
msec s3_midnight_after(msec instant, int64_t days)
{
    int64_t most = days < INT32_MAX ? days : INT32_MAX;
    return (instant + most * DAY + DAY - 1) / DAY * DAY;
}

static msec earliest(struct stmt *stmt)
{
    msec due = stmt_row(stmt) && !col_null(stmt, 0) ? col_int(stmt, 0) : INT64_MAX;
    stmt_done(stmt);
    return due;
}

void s3_due_changed(struct s3 *s3)
{
    msec restore =
        earliest(db_sql(s3->db, "SELECT min(restore_due) FROM s3_object WHERE restore_due > 0"));
    msec expiry = earliest(
        db_sql(s3->db, "SELECT min(restore_until) FROM s3_object WHERE restore_until > 0"));
    s3->due = restore < expiry ? restore : expiry;
    if (s3_lifecycle_due(s3) < s3->due)
        s3->due = s3_lifecycle_due(s3);
    if (s3_log_due(s3) < s3->due)
        s3->due = s3_log_due(s3);
}

msec s3_next_due(struct s3 *s3)
{
    return s3->due;
}

static err tell(struct s3 *s3, struct ctx *ctx, enum s3_event event, const struct s3_object *object)
{
    struct s3_bucket *bucket = s3_bucket_by_id(s3, object->bucket);
    return bucket ? s3_changed(s3, ctx, bucket, event, object) : OK;
}

static bool take_one(struct stmt *stmt, struct ctx *ctx, struct s3_object *object)
{
    bind_int(stmt, 1, ctx->now);
    bool found = stmt_row(stmt);
    if (found)
        s3_object_read(stmt, ctx->arena, object);
    stmt_done(stmt);
    return found;
}

static err complete_restores(struct s3 *s3, struct ctx *ctx)
{
    struct s3_object object;
    while (take_one(db_sql(s3->db, "SELECT " S3_OBJECT_SELECT
                                   " FROM s3_object WHERE restore_due > 0 AND restore_due <= ?"
                                   " ORDER BY restore_due LIMIT 1"),
                    ctx, &object)) {
        struct stmt *stmt = db_sql(s3->db, "UPDATE s3_object SET restore_due = 0 WHERE id = ?");
        bind_int(stmt, 1, object.id);
        TRY(stmt_run(stmt));
        object.restore_due = 0;
        TRY(tell(s3, ctx, S3_RESTORE_COMPLETED, &object));
    }
    return OK;
}

static err end_restored(struct s3 *s3, struct ctx *ctx)
{
    struct s3_object object;
    while (take_one(db_sql(s3->db, "SELECT " S3_OBJECT_SELECT
                                   " FROM s3_object WHERE restore_until > 0 AND restore_until <= ?"
                                   " ORDER BY restore_until LIMIT 1"),
                    ctx, &object)) {
        struct stmt *stmt =
            db_sql(s3->db, "UPDATE s3_object SET restore_until = 0, restore_due = 0 WHERE id = ?");
        bind_int(stmt, 1, object.id);
        TRY(stmt_run(stmt));
        object.restore_until = object.restore_due = 0;
        TRY(tell(s3, ctx, S3_RESTORE_DELETE, &object));
    }
    return OK;
}

msec s3_tick(struct s3 *s3, struct ctx *ctx)
{
    if (s3->due > ctx->now)
        return s3->due;
    db_savepoint(s3->db);
    err e = complete_restores(s3, ctx);
    if (!failed(e))
        e = end_restored(s3, ctx);
    if (!failed(e) && s3_log_due(s3) <= ctx->now)
        e = s3_log_deliver(s3, ctx);
    if (!failed(e) && s3_lifecycle_due(s3) <= ctx->now)
        e = s3_lifecycle_run(s3, ctx);
    if (failed(e)) {
        db_rollback(s3->db);
        s3_sequence_load(s3);
        if (s3->log_due == INT64_MAX)
            s3_log_load(s3); /* lines that were delivered are there again */
    } else
        db_release(s3->db);
    s3_due_changed(s3);
    return s3->due;
}
