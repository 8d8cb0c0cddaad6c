/* s3/hidden.c - see hidden.h. A run is bounded by keys, not by rows: a key that goes for good
 * leaves it true, one that shows an object again splits it. */
#include "s3/hidden.h"

#include "base/text.h"
#include "s3/engine.h"

struct run {
    str first, beyond; /* absent: no run */
};

static struct run run_at(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    struct run run = {0};
    struct stmt *stmt =
        db_sql(s3->db, "SELECT first, beyond FROM s3_hidden WHERE bucket = ? AND first <= ?"
                       " ORDER BY first DESC LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    if (stmt_row(stmt) && str_cmp(key, col_str(stmt, 1)) < 0)
        run = (struct run){col_copy(stmt, 0, ctx->arena), col_copy(stmt, 1, ctx->arena)};
    stmt_done(stmt);
    return run;
}

static err add(struct s3 *s3, const struct s3_bucket *bucket, struct run run)
{
    struct stmt *stmt =
        db_sql(s3->db, "INSERT INTO s3_hidden(bucket, first, beyond) VALUES(?, ?, ?)");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, run.first);
    bind_str(stmt, 3, run.beyond);
    return stmt_run(stmt);
}

static err drop(struct s3 *s3, const struct s3_bucket *bucket, struct run run)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_hidden WHERE bucket = ? AND first = ?");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, run.first);
    return stmt_run(stmt);
}

static bool has_keys(struct s3 *s3, const struct s3_bucket *bucket, struct run run)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT 1 FROM s3_object WHERE bucket = ? AND key >= ? AND key < ? LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, run.first);
    bind_str(stmt, 3, run.beyond);
    bool found = stmt_row(stmt);
    stmt_done(stmt);
    return found;
}

static err add_unless_empty(struct s3 *s3, const struct s3_bucket *bucket, struct run run)
{
    return has_keys(s3, bucket, run) ? add(s3, bucket, run) : OK;
}

/* The key of the one row that `stmt` finds for (bucket, key). */
static str neighbour(struct stmt *stmt, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    str found = stmt_row(stmt) ? col_copy(stmt, 0, ctx->arena) : STR_NONE;
    stmt_done(stmt);
    return found;
}

static str key_before(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    return neighbour(db_sql(s3->db, "SELECT key FROM s3_object WHERE bucket = ? AND key < ?"
                                    " ORDER BY key DESC LIMIT 1"),
                     ctx, bucket, key);
}

static str key_behind(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    return neighbour(db_sql(s3->db, "SELECT key FROM s3_object WHERE bucket = ? AND key > ?"
                                    " ORDER BY key LIMIT 1"),
                     ctx, bucket, key);
}

/* The runs of the keys before and behind, of a key that is in none itself. */
static void runs_around(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key,
                        struct run *left, struct run *right)
{
    str before = key_before(s3, ctx, bucket, key), behind = key_behind(s3, ctx, bucket, key);
    *left = before.p ? run_at(s3, ctx, bucket, before) : (struct run){0};
    *right = behind.p ? run_at(s3, ctx, bucket, behind) : (struct run){0};
}

err s3_hidden_hide(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key)
{
    if (run_at(s3, ctx, bucket, key).first.p)
        return OK;
    struct run run = {key, text_next(ctx->arena, key)}, left, right;
    runs_around(s3, ctx, bucket, key, &left, &right);
    if (left.first.p) {
        TRY(drop(s3, bucket, left));
        run.first = left.first;
    }
    if (right.first.p) {
        TRY(drop(s3, bucket, right));
        run.beyond = right.beyond;
    }
    bucket->hides = true;
    return add(s3, bucket, run);
}

err s3_hidden_show(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    struct run run = {0};
    if (bucket->hides)
        run = run_at(s3, ctx, bucket, key);
    if (!run.first.p)
        return OK;
    TRY(drop(s3, bucket, run));
    TRY(add_unless_empty(s3, bucket, (struct run){run.first, key}));
    return add_unless_empty(s3, bucket, (struct run){text_next(ctx->arena, key), run.beyond});
}

/* The key is gone: a run without keys goes too, and two runs that it kept apart are one now. */
static err close_up(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    if (!bucket->hides)
        return OK;
    struct run run = run_at(s3, ctx, bucket, key), left, right;
    if (run.first.p)
        return has_keys(s3, bucket, run) ? OK : drop(s3, bucket, run);
    runs_around(s3, ctx, bucket, key, &left, &right);
    if (!left.first.p || !right.first.p)
        return OK;
    TRY(drop(s3, bucket, left));
    TRY(drop(s3, bucket, right));
    return add(s3, bucket, (struct run){left.first, right.beyond});
}

err s3_hidden_settle(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key)
{
    if (bucket->versioning == S3_UNVERSIONED)
        return OK;
    struct stmt *stmt = db_sql(s3->db, "SELECT marker FROM s3_object WHERE bucket = ? AND key = ?"
                                       " ORDER BY id DESC LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    bool there = stmt_row(stmt), marker = there && col_int(stmt, 0) != 0;
    stmt_done(stmt);
    if (marker)
        return s3_hidden_hide(s3, ctx, bucket, key);
    return there ? s3_hidden_show(s3, ctx, bucket, key) : close_up(s3, ctx, bucket, key);
}

str s3_hidden_end(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key)
{
    return run_at(s3, ctx, bucket, key).beyond;
}

err s3_hidden_forget(struct s3 *s3, const struct s3_bucket *bucket)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_hidden WHERE bucket = ?");
    bind_int(stmt, 1, bucket->id);
    return stmt_run(stmt);
}

void s3_hidden_load(struct s3 *s3)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT b.name FROM s3_bucket b WHERE EXISTS"
                                       " (SELECT 1 FROM s3_hidden h WHERE h.bucket = b.id)");
    while (stmt_row(stmt))
        s3_bucket_get(s3, col_str(stmt, 0))->hides = true;
}
