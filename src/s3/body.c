/* s3/body.c - bodies made of parts. A part is slices of blobs: one of its own when it was uploaded,
 * any number of someone else's when it was copied. Each slice row holds one reference to its blob.
 */
#include "s3/engine.h"

#include "base/digest.h"

static void read_slices(struct stmt *stmt, struct arena *arena, struct blob_slice **out, size_t *n)
{
    size_t count = 0, cap = 16;
    struct blob_slice *slices = arena_array(arena, cap, sizeof *slices);
    while (stmt_row(stmt)) {
        if (count == cap) {
            slices = arena_grow(arena, slices, cap * sizeof *slices, 2 * cap * sizeof *slices);
            cap *= 2;
        }
        slices[count++] = (struct blob_slice){col_int(stmt, 0), col_int(stmt, 1), col_int(stmt, 2)};
    }
    *out = slices;
    *n = count;
}

void s3_body_slices(struct s3 *s3, struct ctx *ctx, const struct s3_object *object,
                    struct blob_slice **out, size_t *n)
{
    if (!object->parts) {
        *out = ARENA_NEW(ctx->arena, struct blob_slice);
        **out = (struct blob_slice){object->blob, 0, object->size};
        *n = object->blob != 0;
        return;
    }
    struct stmt *stmt =
        db_sql(s3->db, "SELECT s.blob, s.at, s.n FROM s3_part p JOIN s3_slice s ON s.part = p.id"
                       " WHERE p.object = ? AND p.object > 0 ORDER BY p.number, s.ordinal");
    bind_int(stmt, 1, object->id);
    read_slices(stmt, ctx->arena, out, n);
}

void s3_part_slices(struct s3 *s3, struct ctx *ctx, int64_t part, struct blob_slice **out,
                    size_t *n)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT blob, at, n FROM s3_slice WHERE part = ? ORDER BY ordinal");
    bind_int(stmt, 1, part);
    read_slices(stmt, ctx->arena, out, n);
}

size_t s3_slices_cut(struct arena *arena, const struct blob_slice *slices, size_t n, int64_t at,
                     int64_t length, struct blob_slice **out)
{
    struct blob_slice *cut = arena_array(arena, n + 1, sizeof *cut);
    size_t count = 0;
    for (size_t i = 0; i < n && length > 0; i++) {
        if (at >= slices[i].n) {
            at -= slices[i].n;
            continue;
        }
        int64_t take = slices[i].n - at < length ? slices[i].n - at : length;
        cut[count++] = (struct blob_slice){slices[i].id, slices[i].at + at, take};
        length -= take;
        at = 0;
    }
    *out = cut;
    return count;
}

static err insert_slice(struct s3 *s3, int64_t part, size_t ordinal, const struct blob_slice *slice)
{
    struct stmt *stmt =
        db_sql(s3->db, "INSERT INTO s3_slice(part, ordinal, blob, at, n) VALUES(?, ?, ?, ?, ?)");
    bind_int(stmt, 1, part);
    bind_int(stmt, 2, (int64_t)ordinal);
    bind_int(stmt, 3, slice->id);
    bind_int(stmt, 4, slice->at);
    bind_int(stmt, 5, slice->n);
    return stmt_run(stmt);
}

err s3_part_insert(struct s3 *s3, struct s3_part *part, const struct blob_slice *slices, size_t n,
                   bool owned)
{
    struct stmt *stmt = db_sql(
        s3->db,
        "INSERT INTO s3_part(object, upload, number, size, mtime, etag, checksum_kind, checksum)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    bind_int(stmt, 1, part->object);
    bind_int(stmt, 2, part->upload);
    bind_int(stmt, 3, part->number);
    bind_int(stmt, 4, part->size);
    bind_int(stmt, 5, part->mtime);
    bind_str(stmt, 6, part->etag);
    bind_int(stmt, 7, part->checksum_kind);
    bind_str(stmt, 8, part->checksum);
    TRY(stmt_run(stmt));
    part->id = db_last_id(s3->db);
    for (size_t i = 0; i < n; i++) {
        TRY(insert_slice(s3, part->id, i, &slices[i]));
        if (!owned)
            blob_ref(s3->blobs, slices[i].id);
    }
    return OK;
}

static void read_part(struct stmt *stmt, struct arena *arena, struct s3_part *out)
{
    *out = (struct s3_part){.id = col_int(stmt, 0),
                            .object = col_int(stmt, 1),
                            .upload = col_int(stmt, 2),
                            .number = col_int(stmt, 3),
                            .size = col_int(stmt, 4),
                            .mtime = col_int(stmt, 5),
                            .etag = col_copy(stmt, 6, arena),
                            .checksum_kind = col_index(stmt, 7, DIGEST_KINDS + 1),
                            .checksum = col_copy(stmt, 8, arena)};
}

#define PART_SELECT                                                                                \
    "SELECT id, object, upload, number, size, mtime, etag, checksum_kind, checksum FROM s3_part"

void s3_parts_read(struct s3 *s3, struct ctx *ctx, int64_t object, int64_t upload,
                   struct s3_part **out, size_t *n)
{
    struct stmt *stmt =
        object ? db_sql(s3->db, PART_SELECT " WHERE object = ? AND object > 0 ORDER BY number")
               : db_sql(s3->db, PART_SELECT " WHERE upload = ? AND upload > 0 ORDER BY number");
    bind_int(stmt, 1, object ? object : upload);
    size_t count = 0, cap = 16;
    struct s3_part *parts = arena_array(ctx->arena, cap, sizeof *parts);
    while (stmt_row(stmt)) {
        if (count == cap) {
            parts = arena_grow(ctx->arena, parts, cap * sizeof *parts, 2 * cap * sizeof *parts);
            cap *= 2;
        }
        read_part(stmt, ctx->arena, &parts[count++]);
    }
    *out = parts;
    *n = count;
}

err s3_part_drop(struct s3 *s3, int64_t part)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT blob FROM s3_slice WHERE part = ?");
    bind_int(stmt, 1, part);
    while (stmt_row(stmt))
        blob_unref(s3->blobs, col_int(stmt, 0));
    stmt = db_sql(s3->db, "DELETE FROM s3_slice WHERE part = ?");
    bind_int(stmt, 1, part);
    TRY(stmt_run(stmt));
    stmt = db_sql(s3->db, "DELETE FROM s3_part WHERE id = ?");
    bind_int(stmt, 1, part);
    return stmt_run(stmt);
}

err s3_parts_drop(struct s3 *s3, int64_t object)
{
    /* One at a time: the walk over the parts must not be open while they are deleted. */
    for (;;) {
        struct stmt *stmt =
            db_sql(s3->db, "SELECT id FROM s3_part WHERE object = ? AND object > 0 LIMIT 1");
        bind_int(stmt, 1, object);
        int64_t part = stmt_row(stmt) ? col_int(stmt, 0) : 0;
        stmt_done(stmt);
        if (!part)
            return OK;
        TRY(s3_part_drop(s3, part));
    }
}
