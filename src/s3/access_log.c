/* s3/access_log.c - see access_log.h. Names of log objects:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-log-keyname-format. */
#include "s3/access_log.h"

#include "base/digest.h"
#include "base/rng.h"
#include "base/text.h"
#include "s3/document.h"
#include "s3/engine.h"
#include "s3/object.h"

#define DELAY INT64_C(300000)        /* msec from the first line to its delivery */
#define OBJECT_MAX ((size_t)4 << 20) /* bytes; more lines make more objects */

err s3_log_add(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str line)
{
    struct stmt *stmt = db_sql(s3->db, "INSERT INTO s3_log(bucket, at, line) VALUES(?, ?, ?)");
    bind_int(stmt, 1, bucket->id);
    bind_int(stmt, 2, ctx->now);
    bind_str(stmt, 3, line);
    TRY(stmt_run(stmt));
    if (s3->log_due == INT64_MAX)
        s3->log_due = ctx->now + DELAY;
    if (s3->log_due < s3->due)
        s3->due = s3->log_due;
    return OK;
}

msec s3_log_due(const struct s3 *s3)
{
    return s3->log_due;
}

void s3_log_load(struct s3 *s3)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT at FROM s3_log ORDER BY id LIMIT 1");
    s3->log_due = stmt_row(stmt) ? col_int(stmt, 0) + DELAY : INT64_MAX;
    stmt_done(stmt);
}

/* TargetPrefix[account/region/bucket/YYYY/MM/DD/]YYYY-MM-DD-HH-MM-SS-UNIQUE */
static str object_key(struct ctx *ctx, const struct s3_bucket *source,
                      const struct s3_log_target *target)
{
    const struct s3_log_format *format = target->format;
    str at = date_basic(ctx->arena, ctx->now); /* 20260101T000000Z */
    str unique = rng_text(ctx->rng, ctx->arena, S("0123456789ABCDEF"), 16);
    struct buf b = buf_in(ctx->arena);
    buf_put(&b, target->prefix);
    if (format && format->partitioned)
        buf_printf(&b, "%.*s/%.*s/%.*s/%.4s/%.2s/%.2s/", STR_ARG(source->account),
                   STR_ARG(source->region), STR_ARG(source->name), at.p, at.p + 4, at.p + 6);
    buf_printf(&b, "%.4s-%.2s-%.2s-%.2s-%.2s-%.2s-%.*s", at.p, at.p + 4, at.p + 6, at.p + 9,
               at.p + 11, at.p + 13, STR_ARG(unique));
    return buf_str(&b);
}

static err put_log(struct s3 *s3, struct ctx *ctx, struct s3_bucket *source,
                   const struct s3_log_target *target, str body)
{
    struct s3_bucket *to = s3_bucket_get(s3, target->bucket);
    if (!to)
        return OK;
    struct s3_object object = {.key = object_key(ctx, source, target),
                               .size = (int64_t)body.n,
                               .content_type = S("text/plain"),
                               .etag = digest_hex(ctx->arena, digest_of(DIGEST_MD5, body)),
                               .checksum_kind = DIGEST_CRC64NVME + 1,
                               .checksum =
                                   digest_base64(ctx->arena, digest_of(DIGEST_CRC64NVME, body)),
                               .acl = s3_config_get(s3, ctx, source, S3_CONFIG_LOGGING, S("acl"))};
    TRY(blob_put(s3->blobs, body, &object.blob));
    return s3_object_put(s3, ctx, to, NULL, &object, S3_CREATED_PUT);
}

/* The oldest lines of a bucket, as many as one object takes; `last` is the newest of them. */
static str take_lines(struct s3 *s3, struct ctx *ctx, int64_t bucket, int64_t *last)
{
    struct buf b = buf_in(ctx->arena);
    struct stmt *stmt = db_sql(s3->db, "SELECT id, line FROM s3_log WHERE bucket = ? ORDER BY id");
    bind_int(stmt, 1, bucket);
    while (b.n < OBJECT_MAX && stmt_row(stmt)) {
        *last = col_int(stmt, 0);
        buf_put(&b, col_str(stmt, 1));
        buf_char(&b, '\n');
    }
    stmt_done(stmt);
    return buf_str(&b);
}

static err drop_lines(struct s3 *s3, int64_t bucket, int64_t last)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_log WHERE bucket = ? AND id <= ?");
    bind_int(stmt, 1, bucket);
    bind_int(stmt, 2, last);
    return stmt_run(stmt);
}

/* The bucket of the oldest line; 0: there is none. */
static int64_t first_bucket(struct s3 *s3)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT bucket FROM s3_log ORDER BY id LIMIT 1");
    int64_t bucket = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return bucket;
}

static err deliver_some(struct s3 *s3, struct ctx *ctx, int64_t bucket)
{
    struct s3_logging config = {0};
    struct s3_bucket *source = s3_bucket_by_id(s3, bucket);
    int64_t last = 0;
    str lines = take_lines(s3, ctx, bucket, &last);
    if (source && s3_document_load(s3, ctx, source, S3_CONFIG_LOGGING, S(""), &config) &&
        config.target)
        TRY(put_log(s3, ctx, source, config.target, lines));
    return drop_lines(s3, bucket, last);
}

err s3_log_deliver(struct s3 *s3, struct ctx *ctx)
{
    /* Should it fail, the lines are still there: another try, later. */
    s3->log_due = ctx->now + DELAY;
    struct ctx one = *ctx;
    one.arena = arena_new();
    err e = OK;
    for (int64_t bucket; !failed(e) && (bucket = first_bucket(s3));) {
        e = deliver_some(s3, &one, bucket);
        arena_reset(one.arena);
    }
    arena_free(one.arena);
    if (!failed(e))
        s3->log_due = INT64_MAX;
    return failed(e) ? FAIL(FAULT_INTERNAL) : OK;
}
