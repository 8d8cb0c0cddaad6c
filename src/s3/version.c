/* s3/version.c - how the versions of a key follow one another. The current one is the row with the
 * greatest id; whoever writes inserts a row and, where the bucket keeps no versions, removes the
 * null version it replaces. Nothing is ever updated to become old. Where there never were versions
 * the replaced row is the only one: the new one is written over it. Source:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html. */
#include "base/rng.h"
#include "s3/engine.h"
#include "s3/hidden.h"

#include <string.h>

#define VERSION_ID_LENGTH 32
#define ORDER_DIGITS 10

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

static void read_one(struct stmt *stmt, struct arena *arena, struct s3_object *out)
{
    *out = (struct s3_object){0};
    if (stmt_row(stmt))
        s3_object_read(stmt, arena, out);
    stmt_done(stmt);
}

void s3_version_current(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                        struct s3_object *out)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT " S3_OBJECT_SELECT " FROM s3_object WHERE bucket = ? AND key = ?"
                       " ORDER BY id DESC LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    read_one(stmt, ctx->arena, out);
}

static void null_version(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                         struct s3_object *out)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT " S3_OBJECT_SELECT " FROM s3_object WHERE bucket = ? AND key = ?"
                       " AND version IS NULL LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    read_one(stmt, ctx->arena, out);
}

void s3_version_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                      str version, struct s3_object *out)
{
    if (str_eq(version, S("null"))) {
        null_version(s3, ctx, bucket, key, out);
        return;
    }
    /* The plus signs keep SQLite from walking all versions of the key instead of asking for the
     * one. */
    struct stmt *stmt = db_sql(s3->db, "SELECT " S3_OBJECT_SELECT
                                       " FROM s3_object WHERE version = ? AND +bucket = ?"
                                       " AND +key = ? LIMIT 1");
    bind_str(stmt, 1, version);
    bind_int(stmt, 2, bucket->id);
    bind_str(stmt, 3, key);
    read_one(stmt, ctx->arena, out);
}

bool s3_version_id_ok(str version)
{
    if (str_eq(version, S("null")))
        return true;
    for (size_t i = 0; i < version.n; i++) {
        char c = version.p[i];
        bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    c == '.' || c == '_' || c == '-';
        if (!fine)
            return false;
    }
    return version.n == VERSION_ID_LENGTH;
}

/* The last characters of a version id are its number, so that a listing can go on after a version
 * that has gone in the meantime; the others are random, as clients expect all to be. */
static str new_version_id(struct s3 *s3, struct ctx *ctx)
{
    str id = rng_text(ctx->rng, ctx->arena, str_of(alphabet), VERSION_ID_LENGTH);
    char *text = arena_cstr(ctx->arena, id);
    uint64_t order = (uint64_t)s3_sequence_next(s3, ctx);
    for (size_t i = 0; i < ORDER_DIGITS; i++, order /= 64)
        text[VERSION_ID_LENGTH - 1 - i] = alphabet[order % 64];
    return (str){text, id.n};
}

int64_t s3_version_order(str version)
{
    uint64_t order = 0;
    if (version.n != VERSION_ID_LENGTH)
        return 0;
    for (size_t i = version.n - ORDER_DIGITS; i < version.n; i++) {
        const char *digit = strchr(alphabet, version.p[i]);
        order = order * 64 + (digit ? (uint64_t)(digit - alphabet) : 0);
    }
    return (int64_t)order;
}

static err drop_body(struct s3 *s3, const struct s3_object *object)
{
    if (object->blob)
        blob_unref(s3->blobs, object->blob);
    return object->parts ? s3_parts_drop(s3, object->id) : OK;
}

err s3_version_drop(struct s3 *s3, const struct s3_object *object)
{
    TRY(drop_body(s3, object));
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_object WHERE id = ?");
    bind_int(stmt, 1, object->id);
    return stmt_run(stmt);
}

/* What a write needs to know of the null version it replaces. */
static struct s3_object replaced(struct s3 *s3, struct s3_bucket *bucket, str key)
{
    struct s3_object old = {0};
    if (bucket->versioning == S3_VERSIONED)
        return old;
    struct stmt *stmt = db_sql(
        s3->db,
        "SELECT id, blob, parts FROM s3_object WHERE bucket = ? AND key = ? AND version IS NULL");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    if (stmt_row(stmt))
        old = (struct s3_object){
            .id = col_int(stmt, 0), .blob = col_int(stmt, 1), .parts = col_int(stmt, 2)};
    stmt_done(stmt);
    return old;
}

static err keep_body(struct s3_object *object, struct s3_object *old)
{
    struct blob_sink *body = object->body;
    if (!body)
        return OK;
    object->body = NULL;
    TRY(blob_sink_replace(body, old->blob, &object->blob));
    old->blob = 0;
    return OK;
}

static err write_row(struct s3 *s3, const struct s3_bucket *bucket, struct s3_object *object,
                     const struct s3_object *old)
{
    if (!old->id)
        return s3_object_insert(s3->db, object);
    if (bucket->versioning != S3_UNVERSIONED) {
        TRY(s3_version_drop(s3, old));
        return s3_object_insert(s3->db, object);
    }
    TRY(drop_body(s3, old));
    object->id = old->id;
    return s3_object_update(s3->db, object);
}

err s3_version_install(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                       struct s3_object *object)
{
    db_writing(s3->db);
    struct s3_object old = replaced(s3, bucket, object->key);
    TRY(keep_body(object, &old));
    object->bucket = bucket->id;
    object->version = STR_NONE;
    if (!object->owner.p)
        object->owner = bucket->account;
    if (!object->mtime)
        object->mtime = ctx->now;
    if (bucket->versioning == S3_VERSIONED) {
        TRY(s3_sequence_reserve(s3, ctx));
        object->version = new_version_id(s3, ctx);
    }
    TRY(write_row(s3, bucket, object, &old));
    return object->marker ? s3_hidden_hide(s3, ctx, bucket, object->key)
                          : s3_hidden_show(s3, ctx, bucket, object->key);
}

err s3_version_remove(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_object *object)
{
    TRY(s3_version_drop(s3, object));
    return s3_hidden_settle(s3, ctx, bucket, object->key);
}
