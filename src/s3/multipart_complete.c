/* s3/multipart_complete.c - CompleteMultipartUpload: the checks in AWS's order, ETag and checksum
 * out of those of the parts, and the change of hands. Not one byte of a body is read here.
 *
 * ETag: MD5 of the parts' raw MD5s, "-" and their count. A COMPOSITE checksum likewise with its own
 * algorithm; a FULL_OBJECT one is combined from the parts' CRCs. Source:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html. */
#include "base/text.h"
#include "s3/engine.h"
#include "s3/multipart_row.h"

#define REMEMBERED INT64_C(86400000) /* msec that a completed upload can be completed again */

/* One completion under way. */
struct work {
    struct s3 *s3;
    struct ctx *ctx;
    struct s3_bucket *bucket;
    const struct s3_complete *complete;
    struct s3_multipart upload;
    struct s3_part *stored; /* all parts of the upload, by number */
    size_t nstored;
    const struct s3_part **chosen; /* those of the request, in order */
};

static str number(struct ctx *ctx, int64_t value)
{
    return arena_printf(ctx->arena, "%lld", (long long)value);
}

static str unquoted(str etag)
{
    if (etag.n >= 2 && etag.p[0] == '"' && etag.p[etag.n - 1] == '"')
        return str_slice(etag, 1, etag.n - 1);
    return etag;
}

/* ---- checks ---- */

static err check_numbers(const struct work *w)
{
    for (size_t i = 0; i < w->complete->n; i++) {
        int64_t n = w->complete->parts[i].number;
        if (n < 1)
            return s3_argument(w->ctx->arena, "PartNumber", number(w->ctx, n),
                               "PartNumber must be >= 1");
    }
    return OK;
}

static err check_order(const struct work *w)
{
    for (size_t i = 1; i < w->complete->n; i++)
        if (w->complete->parts[i].number < w->complete->parts[i - 1].number)
            return err_with(w->ctx->arena, FAIL(S3_INVALID_PART_ORDER), "UploadId",
                            w->complete->upload);
    return OK;
}

static err check_mode(const struct work *w)
{
    str given = w->complete->type;
    const char *mode = !w->upload.algorithm         ? "null"
                       : w->upload.object.composite ? "COMPOSITE"
                                                    : "FULL_OBJECT";
    if (!given.p || str_eq(given, str_of(mode)))
        return OK;
    return err_text(w->ctx->arena, &S3_INVALID_REQUEST,
                    "The upload was created using the %s checksum mode. The complete request must "
                    "use the same checksum mode.",
                    mode);
}

static err invalid_part(const struct work *w, const struct s3_complete_part *part)
{
    err e = err_with(w->ctx->arena, FAIL(S3_INVALID_PART), "UploadId", w->complete->upload);
    e = err_with(w->ctx->arena, e, "PartNumber", number(w->ctx, part->number));
    return err_with(w->ctx->arena, e, "ETag", unquoted(part->etag));
}

static const struct s3_part *stored_part(const struct work *w, int64_t at)
{
    size_t low = 0, high = w->nstored;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->stored[middle].number < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->nstored && w->stored[low].number == at ? &w->stored[low] : NULL;
}

/* With a composite checksum the request must repeat that of every part; where the upload asked for
 * none it must not name any. */
static err check_part_checksum(const struct work *w, const struct s3_complete_part *part,
                               const struct s3_part *stored)
{
    if (!w->upload.algorithm) {
        for (int kind = 0; kind < DIGEST_KINDS; kind++)
            if (part->checksum[kind].p)
                return invalid_part(w, part);
        return OK;
    }
    str claimed = part->checksum[w->upload.algorithm - 1];
    if (claimed.p)
        return str_eq(claimed, stored->checksum) ? OK : invalid_part(w, part);
    if (!w->upload.object.composite)
        return OK;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (part->checksum[kind].p)
            return err_text(w->ctx->arena, &S3_BAD_DIGEST,
                            "The %s you specified for part %lld did not match what we received.",
                            digest_lower_name((enum digest_kind)kind), (long long)part->number);
    return err_text(w->ctx->arena, &S3_INVALID_REQUEST,
                    "The upload was created using a %s checksum. The complete request must include "
                    "the checksum for each part. It "
                    "was missing for part %lld in the request.",
                    digest_lower_name((enum digest_kind)(w->upload.algorithm - 1)),
                    (long long)part->number);
}

static err check_part_size(const struct work *w, size_t i)
{
    const struct s3_part *part = w->chosen[i];
    if (i + 1 == w->complete->n || part->size >= S3_PART_MIN)
        return OK;
    err e = err_with(w->ctx->arena, FAIL(S3_ENTITY_TOO_SMALL), "ProposedSize",
                     number(w->ctx, part->size));
    e = err_with(w->ctx->arena, e, "MinSizeAllowed", number(w->ctx, S3_PART_MIN));
    e = err_with(w->ctx->arena, e, "PartNumber", number(w->ctx, part->number));
    return err_with(w->ctx->arena, e, "ETag", part->etag);
}

static err choose_parts(struct work *w)
{
    w->chosen = arena_array(w->ctx->arena, w->complete->n, sizeof *w->chosen);
    for (size_t i = 0; i < w->complete->n; i++) {
        const struct s3_complete_part *part = &w->complete->parts[i];
        const struct s3_part *stored = stored_part(w, part->number);
        if (!stored || (part->etag.p && !str_eq(unquoted(part->etag), stored->etag)))
            return invalid_part(w, part);
        w->chosen[i] = stored;
    }
    for (size_t i = 0; i < w->complete->n; i++)
        TRY(check_part_size(w, i));
    return OK;
}

static err check_part_checksums(const struct work *w)
{
    for (size_t i = 0; i < w->complete->n; i++)
        TRY(check_part_checksum(w, &w->complete->parts[i], w->chosen[i]));
    return OK;
}

/* A part that was sent again may be named again: its last mention counts. */
static struct s3_complete without_repeats(struct ctx *ctx, const struct s3_complete *complete)
{
    struct s3_complete out = *complete;
    struct s3_complete_part *parts = arena_array(ctx->arena, complete->n, sizeof *parts);
    out.n = 0;
    for (size_t i = 0; i < complete->n; i++) {
        if (i + 1 < complete->n && complete->parts[i + 1].number == complete->parts[i].number)
            continue;
        parts[out.n++] = complete->parts[i];
    }
    out.parts = parts;
    return out;
}

static err conflict(const struct work *w, const char *condition)
{
    err e = err_with(w->ctx->arena, FAIL(S3_CONDITIONAL_CONFLICT), "Condition", str_of(condition));
    return err_with(w->ctx->arena, e, "Key", w->complete->key);
}

/* A condition can hold now and yet be no answer to what happened since the upload began. */
static err check_conditions(const struct work *w)
{
    const struct s3_conditions *conditions = &w->complete->conditions;
    if (!conditions->if_match.p && !conditions->if_none_match.p)
        return OK;
    struct s3_object current;
    TRY(s3_conditions_form(w->ctx, conditions));
    s3_version_current(w->s3, w->ctx, w->bucket, w->complete->key, &current);
    TRY(s3_conditions_write(w->ctx, conditions, w->complete->key, &current));
    if (conditions->if_none_match.p && w->upload.disturbed)
        return conflict(w, "If-None-Match");
    if (conditions->if_match.p && current.mtime > w->upload.object.mtime)
        return conflict(w, "If-Match");
    return OK;
}

/* ---- the object ---- */

static digest raw_md5(str hex)
{
    digest d = {.n = 16};
    hex_decode(hex, d.bytes, d.n);
    return d;
}

static digest raw_base64(struct ctx *ctx, str text)
{
    str bytes = base64_decode(ctx->arena, text);
    digest d = {.n = bytes.n < DIGEST_MAX ? bytes.n : DIGEST_MAX};
    for (size_t i = 0; i < d.n; i++)
        d.bytes[i] = (uint8_t)bytes.p[i];
    return d;
}

static str digest_of_digests(struct ctx *ctx, enum digest_kind kind, const struct buf *raw,
                             size_t n, bool hex)
{
    digest d = digest_of(kind, buf_str(raw));
    str text = hex ? digest_hex(ctx->arena, d) : digest_base64(ctx->arena, d);
    return arena_printf(ctx->arena, "%.*s-%zu", STR_ARG(text), n);
}

static void put_digest(struct buf *b, digest d)
{
    buf_put(b, (str){(const char *)d.bytes, d.n});
}

static str etag_of(const struct work *w)
{
    struct buf raw = buf_in(w->ctx->arena);
    for (size_t i = 0; i < w->complete->n; i++)
        put_digest(&raw, raw_md5(w->chosen[i]->etag));
    return digest_of_digests(w->ctx, DIGEST_MD5, &raw, w->complete->n, true);
}

static str composite_of(const struct work *w, enum digest_kind kind)
{
    struct buf raw = buf_in(w->ctx->arena);
    for (size_t i = 0; i < w->complete->n; i++)
        put_digest(&raw, raw_base64(w->ctx, w->chosen[i]->checksum));
    return digest_of_digests(w->ctx, kind, &raw, w->complete->n, false);
}

static bool combinable(enum digest_kind kind)
{
    return kind == DIGEST_CRC32 || kind == DIGEST_CRC32C || kind == DIGEST_CRC64NVME;
}

static str combined_of(const struct work *w, enum digest_kind kind)
{
    digest all = raw_base64(w->ctx, w->chosen[0]->checksum);
    for (size_t i = 1; i < w->complete->n; i++)
        all = digest_combine(kind, all, raw_base64(w->ctx, w->chosen[i]->checksum),
                             w->chosen[i]->size);
    return digest_base64(w->ctx->arena, all);
}

/* Which algorithm the request claims a value of; -1: none. */
static int claimed_kind(const struct s3_complete *complete)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (complete->checksum[kind].p)
            return kind;
    return -1;
}

static err bad_digest(const struct work *w, enum digest_kind kind)
{
    return err_text(w->ctx->arena, &S3_BAD_DIGEST,
                    "The %s you specified did not match the calculated checksum.",
                    digest_lower_name(kind));
}

/* The checksum of the whole that the request claims. For AWS it doesn't match either when it is of
 * another algorithm than the upload's. */
static err check_claim(const struct work *w, enum digest_kind kind, str computed)
{
    int claimed = claimed_kind(w->complete);
    if (claimed < 0)
        return OK;
    if (claimed != (int)kind && !w->upload.algorithm)
        return err_text(
            w->ctx->arena, &S3_INVALID_REQUEST,
            "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum "
            "Type: %s",
            digest_lower_name((enum digest_kind)claimed));
    if (claimed != (int)kind || !str_eq(w->complete->checksum[claimed], computed))
        return bad_digest(w, kind);
    return OK;
}

static void set_digests(const struct work *w, struct s3_object *object)
{
    enum digest_kind kind = (enum digest_kind)(object->checksum_kind - 1);
    object->etag = etag_of(w);
    if (object->composite || combinable(kind))
        object->checksum = object->composite ? composite_of(w, kind) : combined_of(w, kind);
}

static err check_size(const struct work *w, int64_t size)
{
    opt_int claimed = w->complete->size;
    if (!claimed.set || claimed.v == size)
        return OK;
    return err_text(w->ctx->arena, &S3_INVALID_REQUEST,
                    "The provided 'x-amz-mp-object-size' header value %lld does not match what was "
                    "computed: %lld",
                    (long long)claimed.v, (long long)size);
}

static err hand_over(const struct work *w, const struct s3_object *object)
{
    for (size_t i = 0; i < w->complete->n; i++) {
        struct stmt *stmt =
            db_sql(w->s3->db, "UPDATE s3_part SET object = ?, upload = 0 WHERE id = ?");
        bind_int(stmt, 1, object->id);
        bind_int(stmt, 2, w->chosen[i]->id);
        TRY(stmt_run(stmt));
    }
    TRY(s3_multipart_drop_parts(w->s3, w->upload.id));
    struct stmt *stmt =
        db_sql(w->s3->db, "UPDATE s3_upload SET result = ?, ended = ? WHERE id = ?");
    bind_int(stmt, 1, object->id);
    bind_int(stmt, 2, w->ctx->now);
    bind_int(stmt, 3, w->upload.id);
    return stmt_run(stmt);
}

/* ---- a repeated request ---- */

static bool read_result(struct s3 *s3, struct ctx *ctx, int64_t id, struct s3_object *out)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT " S3_OBJECT_SELECT " FROM s3_object WHERE id = ?");
    bind_int(stmt, 1, id);
    *out = (struct s3_object){0};
    if (stmt_row(stmt))
        s3_object_read(stmt, ctx->arena, out);
    stmt_done(stmt);
    return out->id != 0;
}

/* The first answer again, as long as the object is there and made of these parts. */
static err repeat(struct work *w, struct s3_object *out)
{
    if (!read_result(w->s3, w->ctx, w->upload.result, out))
        return err_with(w->ctx->arena, FAIL(S3_NO_SUCH_UPLOAD), "UploadId", w->complete->upload);
    s3_parts_read(w->s3, w->ctx, out->id, 0, &w->stored, &w->nstored);
    TRY(choose_parts(w));
    return check_part_checksums(w);
}

err s3_multipart_complete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                          const struct s3_complete *complete, struct s3_object *out)
{
    struct work w = {.s3 = s3, .ctx = ctx, .bucket = bucket, .complete = complete};
    if (!s3_multipart_named(s3, ctx, bucket, complete->key, complete->upload, &w.upload))
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_UPLOAD), "UploadId", complete->upload);
    if (!complete->n)
        return err_text(ctx->arena, &S3_INVALID_REQUEST, "You must specify at least one part");
    TRY(check_numbers(&w));
    TRY(check_order(&w));
    struct s3_complete distinct = without_repeats(ctx, complete);
    w.complete = complete = &distinct;
    if (w.upload.result)
        return repeat(&w, out);
    TRY(check_conditions(&w));
    TRY(check_mode(&w));
    s3_parts_read(s3, ctx, 0, w.upload.id, &w.stored, &w.nstored);
    TRY(choose_parts(&w));
    struct s3_object object = w.upload.object;
    object.mtime = ctx->now;
    object.parts = (int64_t)complete->n;
    for (size_t i = 0; i < complete->n; i++)
        object.size += w.chosen[i]->size;
    set_digests(&w, &object);
    TRY(check_claim(&w, (enum digest_kind)(object.checksum_kind - 1), object.checksum));
    TRY(check_part_checksums(&w));
    TRY(check_size(&w, object.size));
    /* Under a customer's key there is no checksum by default. */
    if (object.ssec_md5.p && !w.upload.algorithm)
        object.checksum_kind = object.composite = 0, object.checksum = STR_NONE;
    TRY(s3_version_install(s3, ctx, bucket, &object));
    TRY(hand_over(&w, &object));
    TRY(s3_multipart_forget(s3, ctx->now - REMEMBERED));
    TRY(s3_changed(s3, ctx, bucket, S3_CREATED_MULTIPART, &object));
    *out = object;
    return OK;
}
