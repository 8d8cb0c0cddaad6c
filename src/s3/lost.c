/* s3/lost.c - see lost.h. A body is read by versions (their own, or one of their parts) and by
 * parts of uploads; each goes by the engine's own functions, so that other bodies lose their
 * references.
 */
#include "s3/lost.h"

#include "s3/engine.h"

struct lost {
    struct s3_object object;  /* what s3_version_remove needs */
    struct s3_bucket *bucket; /* NULL: it has gone */
    str what;
};

static bool next_version(struct s3 *s3, struct ctx *ctx, int64_t blob, struct lost *out)
{
    struct stmt *find = db_sql(
        s3->db,
        "SELECT o.id, o.blob, o.parts, o.key, b.name, o.version FROM s3_object o LEFT JOIN "
        "s3_bucket b ON b.id = o.bucket WHERE o.blob = ?1 OR o.id IN (SELECT p.object FROM "
        "s3_slice s JOIN s3_part p ON p.id = s.part WHERE s.blob = ?1 AND p.object > 0) LIMIT 1");
    bind_int(find, 1, blob);
    bool there = stmt_row(find);
    if (there) {
        str key = col_copy(find, 3, ctx->arena), bucket = col_str(find, 4),
            version = col_str(find, 5);
        out->object = (struct s3_object){.id = col_int(find, 0),
                                         .blob = col_int(find, 1),
                                         .parts = col_int(find, 2),
                                         .key = key};
        out->bucket = bucket.p ? s3_bucket_get(s3, bucket) : NULL;
        out->what = arena_printf(ctx->arena, "s3://%.*s/%.*s%s%.*s", STR_ARG(bucket), STR_ARG(key),
                                 version.p ? ", version " : "", STR_ARG(version));
    }
    stmt_done(find);
    return there;
}

static int64_t next_part(struct s3 *s3, struct ctx *ctx, int64_t blob, str *what)
{
    struct stmt *find =
        db_sql(s3->db, "SELECT p.id, p.number, u.name FROM s3_slice s JOIN s3_part p ON p.id = "
                       "s.part LEFT JOIN s3_upload u ON u.id = p.upload WHERE s.blob = ? LIMIT 1");
    bind_int(find, 1, blob);
    int64_t part = stmt_row(find) ? col_int(find, 0) : 0;
    if (part)
        *what = arena_printf(ctx->arena, "part %lld of upload %.*s", (long long)col_int(find, 1),
                             STR_ARG(col_str(find, 2)));
    stmt_done(find);
    return part;
}

err s3_lost_drop(struct s3 *s3, struct ctx *ctx, int64_t blob, void (*tell)(void *user, str what),
                 void *user, size_t *n)
{
    struct lost lost;
    int64_t part;
    str what;
    for (*n = 0; next_version(s3, ctx, blob, &lost); ++*n) {
        TRY(lost.bucket ? s3_version_remove(s3, ctx, lost.bucket, &lost.object)
                        : s3_version_drop(s3, &lost.object));
        tell(user, lost.what);
    }
    for (; (part = next_part(s3, ctx, blob, &what)); ++*n) {
        TRY(s3_part_drop(s3, part));
        tell(user, what);
    }
    return OK;
}
