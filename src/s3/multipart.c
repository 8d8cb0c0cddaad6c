/* s3/multipart.c - the rows of uploads and how parts get in and out of them. */
#include "s3/multipart.h"

#include "base/digest.h"
#include "base/rng.h"
#include "s3/engine.h"
#include "s3/multipart_row.h"

#define UPLOAD_ID_LENGTH 128

/* ---- rows ---- */

#define COUNT_COLUMN(name) +1
enum { OBJECT_COLUMNS = 1 S3_OBJECT_COLUMNS(COUNT_COLUMN, COUNT_COLUMN) };

void s3_multipart_read(struct stmt *stmt, struct arena *arena, struct s3_multipart *out)
{
    int at = OBJECT_COLUMNS;
    s3_object_read(stmt, arena, &out->object);
    out->id = out->object.id;
    out->object.id = 0;
    out->name = col_copy(stmt, at++, arena);
    out->initiator = col_copy(stmt, at++, arena);
    out->algorithm = col_index(stmt, at++, DIGEST_KINDS + 1);
    out->disturbed = col_int(stmt, at++);
    out->result = col_int(stmt, at);
}

#define PLACEHOLDER(name) ", ?"
static err insert(struct s3 *s3, struct s3_multipart *upload)
{
    struct stmt *stmt = db_sql(s3->db, "INSERT INTO s3_upload(" S3_MULTIPART_SELECT
                                       ", ended) VALUES(NULL" S3_OBJECT_COLUMNS(
                                           PLACEHOLDER, PLACEHOLDER) ", ?, ?, ?, 0, 0, 0)");
    const struct s3_object *object = &upload->object;
    int at = 1;
#define BIND_INT(name) bind_int(stmt, at++, object->name);
#define BIND_STR(name) bind_str(stmt, at++, object->name);
    S3_OBJECT_COLUMNS(BIND_INT, BIND_STR)
    bind_str(stmt, at++, upload->name);
    bind_str(stmt, at++, upload->initiator);
    bind_int(stmt, at, upload->algorithm);
    TRY(stmt_run(stmt));
    upload->id = db_last_id(s3->db);
    return OK;
}

bool s3_multipart_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str name,
                        struct s3_multipart *out)
{
    *out = (struct s3_multipart){0};
    struct stmt *stmt =
        db_sql(s3->db, "SELECT " S3_MULTIPART_SELECT " FROM s3_upload WHERE name = ?");
    bind_str(stmt, 1, name);
    if (stmt_row(stmt))
        s3_multipart_read(stmt, ctx->arena, out);
    stmt_done(stmt);
    return out->id && out->object.bucket == bucket->id && str_eq(out->object.key, key);
}

err s3_multipart_find(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str name,
                      struct s3_multipart *out)
{
    if (s3_multipart_named(s3, ctx, bucket, key, name, out) && !out->result)
        return OK;
    return err_with(ctx->arena, FAIL(S3_NO_SUCH_UPLOAD), "UploadId", name);
}

str s3_multipart_algorithm(const struct s3_multipart *upload)
{
    return upload->algorithm ? str_of(digest_infos[upload->algorithm - 1].name) : STR_NONE;
}

str s3_multipart_type(const struct s3_multipart *upload)
{
    if (!upload->algorithm)
        return STR_NONE;
    return upload->object.composite ? S("COMPOSITE") : S("FULL_OBJECT");
}

/* ---- creation ---- */

static err unsupported_type(struct ctx *ctx, const char *type, enum digest_kind kind)
{
    return err_text(ctx->arena, &S3_INVALID_REQUEST,
                    "The %s checksum type cannot be used with the %s checksum algorithm.", type,
                    digest_lower_name(kind));
}

err s3_checksum_named(struct ctx *ctx, str name, enum digest_kind *out)
{
    if (digest_kind_of(name, out))
        return OK;
    return err_text(ctx->arena, &S3_INVALID_REQUEST,
                    "Checksum algorithm provided is unsupported. Please try again with any of the "
                    "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

err s3_multipart_checksum(struct ctx *ctx, str algorithm, str type, struct s3_multipart *out)
{
    enum digest_kind kind = DIGEST_CRC64NVME;
    if (!algorithm.p && type.p)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "The x-amz-checksum-type header can only be used with the "
                        "x-amz-checksum-algorithm header.");
    if (algorithm.p)
        TRY(s3_checksum_named(ctx, algorithm, &kind));
    const struct digest_info *info = &digest_infos[kind];
    bool composite = str_eq(type, S("COMPOSITE"));
    if (type.p && !composite && !str_eq(type, S("FULL_OBJECT")))
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "Value for x-amz-checksum-type header is invalid.");
    if (type.p && !(composite ? info->composite : info->full_object))
        return unsupported_type(ctx, composite ? "COMPOSITE" : "FULL_OBJECT", kind);
    out->algorithm = algorithm.p ? (int64_t)kind + 1 : 0;
    out->object.checksum_kind = (int64_t)kind + 1;
    out->object.composite = type.p ? composite : info->composite;
    return OK;
}

err s3_multipart_create(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                        const struct s3_multipart *with, struct s3_multipart *out)
{
    TRY(s3_key_check(ctx, with->object.key));
    struct s3_multipart upload = *with;
    upload.object.bucket = bucket->id;
    upload.object.mtime = ctx->now;
    if (!upload.object.owner.p)
        upload.object.owner = ctx->account;
    upload.initiator = ctx->account;
    upload.name = rng_text(ctx->rng, ctx->arena,
                           S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._"),
                           UPLOAD_ID_LENGTH);
    TRY(insert(s3, &upload));
    *out = upload;
    return OK;
}

/* ---- parts ---- */

err s3_multipart_put_part(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                          struct s3_part *part, const struct blob_slice *slices, size_t n,
                          bool owned)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT id FROM s3_part WHERE upload = ? AND upload > 0 AND number = ?");
    bind_int(stmt, 1, upload->id);
    bind_int(stmt, 2, part->number);
    int64_t old = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    if (old)
        TRY(s3_part_drop(s3, old));
    part->object = 0;
    part->upload = upload->id;
    part->mtime = ctx->now;
    return s3_part_insert(s3, part, slices, n, owned);
}

/* ---- the end of an upload ---- */

static int64_t any_part(struct s3 *s3, int64_t upload)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT id FROM s3_part WHERE upload = ? AND upload > 0 LIMIT 1");
    bind_int(stmt, 1, upload);
    int64_t part = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return part;
}

err s3_multipart_drop_parts(struct s3 *s3, int64_t upload)
{
    for (int64_t part = any_part(s3, upload); part; part = any_part(s3, upload))
        TRY(s3_part_drop(s3, part));
    return OK;
}

static err delete_row(struct s3 *s3, int64_t upload)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_upload WHERE id = ?");
    bind_int(stmt, 1, upload);
    return stmt_run(stmt);
}

err s3_multipart_abort(struct s3 *s3, const struct s3_multipart *upload)
{
    TRY(s3_multipart_drop_parts(s3, upload->id));
    return delete_row(s3, upload->id);
}

static int64_t any_upload(struct s3 *s3, const struct s3_bucket *bucket)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT id FROM s3_upload WHERE bucket = ? LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    int64_t upload = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return upload;
}

err s3_multipart_abort_all(struct s3 *s3, struct s3_bucket *bucket)
{
    for (int64_t upload = any_upload(s3, bucket); upload; upload = any_upload(s3, bucket)) {
        TRY(s3_multipart_drop_parts(s3, upload));
        TRY(delete_row(s3, upload));
    }
    return OK;
}

err s3_multipart_disturb(struct s3 *s3, const struct s3_bucket *bucket, str key)
{
    struct stmt *stmt =
        db_sql(s3->db, "UPDATE s3_upload SET disturbed = 1 WHERE bucket = ? AND key = ?");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, key);
    return stmt_run(stmt);
}

err s3_multipart_forget(struct s3 *s3, msec instant)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_upload WHERE ended > 0 AND ended < ?");
    bind_int(stmt, 1, instant);
    return stmt_run(stmt);
}
