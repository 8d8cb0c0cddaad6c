/* s3/lost.c - see lost.h. A body is read by versions (their own, or one of their parts) and by
 * parts of uploads; each goes by the engine's own functions, so that other bodies lose their
 * references.
 */
#include "s3/lost.h"

#include "s3/engine.h"
#include "s3/examine.h"

struct lost {
    struct s3_object object;  /* what s3_version_remove needs */
    struct s3_bucket *bucket; /* NULL: it has gone */
    str what;
};

#define VERSION_SELECT                                                                             \
    "SELECT o.id, o.blob, o.parts, o.key, b.name, o.version FROM s3_object o LEFT JOIN s3_bucket " \
    "b ON b.id = o.bucket WHERE "

static bool read_version(struct s3 *s3, struct ctx *ctx, struct stmt *find, int64_t which,
                         struct lost *out)
{
    bind_int(find, 1, which);
    bool there = stmt_row(find);
    if (there) {
        str key = col_copy(find, 3, ctx->arena), bucket = col_str(find, 4);
        out->object = (struct s3_object){.id = col_int(find, 0),
                                         .blob = col_int(find, 1),
                                         .parts = col_int(find, 2),
                                         .key = key};
        out->bucket = bucket.p ? s3_bucket_get(s3, bucket) : NULL;
        out->what = s3_version_text(ctx->arena, bucket, key, col_str(find, 5));
    }
    stmt_done(find);
    return there;
}

static bool next_version(struct s3 *s3, struct ctx *ctx, int64_t blob, struct lost *out)
{
    struct stmt *find =
        db_sql(s3->db, VERSION_SELECT "o.blob = ?1 OR o.id IN (SELECT p.object FROM s3_slice s "
                                      "JOIN s3_part p ON p.id = s.part WHERE s.blob = ?1 AND "
                                      "p.object > 0) LIMIT 1");
    return read_version(s3, ctx, find, blob, out);
}

static bool this_version(struct s3 *s3, struct ctx *ctx, int64_t id, struct lost *out)
{
    return read_version(s3, ctx, db_sql(s3->db, VERSION_SELECT "o.id = ?"), id, out);
}

#define PART_SELECT                                                                                \
    "SELECT p.id, p.number, u.name, b.name, u.key FROM s3_part p LEFT JOIN s3_upload u ON u.id = " \
    "p.upload LEFT JOIN s3_bucket b ON b.id = u.bucket WHERE "

static int64_t read_part(struct ctx *ctx, struct stmt *find, int64_t which, str *what)
{
    bind_int(find, 1, which);
    int64_t part = stmt_row(find) ? col_int(find, 0) : 0;
    if (part)
        *what = s3_part_text(ctx->arena, col_int(find, 1), col_str(find, 2), col_str(find, 3),
                             col_str(find, 4));
    stmt_done(find);
    return part;
}

static int64_t next_part(struct s3 *s3, struct ctx *ctx, int64_t blob, str *what)
{
    struct stmt *find =
        db_sql(s3->db, PART_SELECT "p.id IN (SELECT part FROM s3_slice WHERE blob = ?) LIMIT 1");
    return read_part(ctx, find, blob, what);
}

static err drop_version(struct s3 *s3, struct ctx *ctx, const struct lost *lost)
{
    return lost->bucket ? s3_version_remove(s3, ctx, lost->bucket, &lost->object)
                        : s3_version_drop(s3, &lost->object);
}

err s3_lost_drop(struct s3 *s3, struct ctx *ctx, int64_t blob, void (*tell)(void *user, str what),
                 void *user, size_t *n)
{
    struct lost lost;
    int64_t part;
    str what;
    for (*n = 0; next_version(s3, ctx, blob, &lost); ++*n) {
        TRY(drop_version(s3, ctx, &lost));
        tell(user, lost.what);
    }
    for (; (part = next_part(s3, ctx, blob, &what)); ++*n) {
        TRY(s3_part_drop(s3, part));
        tell(user, what);
    }
    return OK;
}

err s3_lost_drop_row(struct s3 *s3, struct ctx *ctx, int64_t row,
                     void (*tell)(void *user, str what), void *user)
{
    struct lost lost;
    if (row > 0 && this_version(s3, ctx, row, &lost)) {
        TRY(drop_version(s3, ctx, &lost));
        tell(user, lost.what);
    } else if (row < 0 &&
               read_part(ctx, db_sql(s3->db, PART_SELECT "p.id = ?"), -row, &lost.what)) {
        TRY(s3_part_drop(s3, -row));
        tell(user, lost.what);
    }
    return OK;
}
