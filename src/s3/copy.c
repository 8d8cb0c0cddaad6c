/* s3/copy.c - CopyObject. The copy refers to the same blobs; each reference is counted, so either
 * object may go first.
 *
 * A copy is never multipart: AWS gives it the MD5 of the whole body as ETag. That needs the bytes
 * of a multipart source once: s3_copy_plan says which, a pool thread reads them, and the copy takes
 * the digests. Should the source have changed meanwhile they are read here, or, above
 * COPY_HASH_MAX, where that would hold up the loop, the copy keeps its source's parts, ETag and
 * checksum. What is copied and what is not:
 * docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html. */
#include "s3/copy.h"

#include "base/text.h"
#include "s3/engine.h"

#include <string.h>

#define COPY_HASH_MAX (256LL << 20) /* bytes; about a third of a second of MD5 */
#define COPY_HASH_STEP (256U << 10)

static err invalid_source(struct ctx *ctx, const char *what)
{
    err e = err_text(ctx->arena, &S3_INVALID_ARGUMENT, "Invalid copy source %s", what);
    e = err_with(ctx->arena, e, "ArgumentName", S("x-amz-copy-source"));
    return err_with(ctx->arena, e, "ArgumentValue", S("x-amz-copy-source"));
}

err s3_source_parse(struct ctx *ctx, str header, struct s3_source *out)
{
    str path = header, version = STR_NONE;
    ptrdiff_t at = str_find(path, S("?versionId="), 0);
    if (at >= 0) {
        version = percent_decode(ctx->arena, str_slice(path, (size_t)at + 11, path.n), false);
        path = str_slice(path, 0, (size_t)at);
    }
    /* Some clients encode the slash that parts bucket and key, too. */
    path = percent_decode(ctx->arena, path, false);
    if (str_starts(path, S("/")))
        path = str_slice(path, 1, path.n);
    ptrdiff_t slash = str_find(path, S("/"), 0);
    str bucket = slash < 0 ? path : str_slice(path, 0, (size_t)slash);
    str key = slash < 0 ? STR_NONE : str_slice(path, (size_t)slash + 1, path.n);
    if (!bucket.n)
        return invalid_source(ctx, "bucket name");
    if (!key.n)
        return invalid_source(ctx, "object key");
    *out = (struct s3_source){bucket, key, version};
    return OK;
}

err s3_source_find(struct s3 *s3, struct ctx *ctx, const struct s3_source *source,
                   const struct s3_conditions *conditions, struct s3_bucket **bucket,
                   struct s3_object *out)
{
    TRY(s3_bucket_find(s3, ctx, source->bucket, bucket));
    err e = s3_object_find(s3, ctx, *bucket, source->key, source->version, out);
    if (e.fault == &S3_METHOD_NOT_ALLOWED)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "The source of a copy request may not specifically refer to a delete "
                        "marker by version id.");
    TRY(e);
    if (s3_object_archived(ctx, out))
        return err_with(ctx->arena,
                        err_text(ctx->arena, &S3_INVALID_OBJECT_STATE,
                                 "Operation is not valid for the source object's storage class"),
                        "StorageClass", out->storage_class);
    return s3_conditions_source(ctx, conditions, out);
}

static bool onto_itself(const struct s3_bucket *bucket, str key, const struct s3_copy *copy)
{
    return !copy->source.version.p && str_eq(copy->source.bucket, bucket->name) &&
           str_eq(copy->source.key, key);
}

/* The metadata that a copy takes from its source unless told to replace it. */
static void take_metadata(struct s3_object *object, const struct s3_object *source)
{
    object->content_type = source->content_type;
    object->cache_control = source->cache_control;
    object->content_disposition = source->content_disposition;
    object->content_encoding = source->content_encoding;
    object->content_language = source->content_language;
    object->expires = source->expires;
    object->meta = source->meta;
}

/* MD5 and, where `kind` is wanted, a checksum of the body in one reading. */
static err hash_body(struct s3 *s3, struct ctx *ctx, const struct blob_slice *slices, size_t n,
                     enum digest_kind kind, struct s3_object *object)
{
    struct digest_state *md5 = digest_begin(DIGEST_MD5), *sum = digest_begin(kind);
    struct arena *scratch = arena_new();
    err e = OK;
    for (size_t i = 0; i < n && !failed(e); i++) {
        for (int64_t at = 0; at < slices[i].n && !failed(e);) {
            int64_t left = slices[i].n - at;
            size_t step = left < COPY_HASH_STEP ? (size_t)left : COPY_HASH_STEP;
            str piece = STR_NONE;
            arena_reset(scratch);
            e = blob_read(s3->blobs, scratch, slices[i].id, slices[i].at + at, step, &piece);
            if (!failed(e) && piece.n == 0)
                e = FAIL(FAULT_INTERNAL);
            digest_update(md5, piece.p, piece.n);
            digest_update(sum, piece.p, piece.n);
            at += (int64_t)piece.n;
        }
    }
    arena_free(scratch);
    object->etag = digest_hex(ctx->arena, digest_end(md5));
    object->checksum = digest_base64(ctx->arena, digest_end(sum));
    object->checksum_kind = (int64_t)kind + 1;
    object->composite = 0;
    return e;
}

/* What must be read for the copy's ETag and checksum: nothing where its source's describe the whole
 * body. */
static void plan(struct s3 *s3, struct ctx *ctx, const struct s3_copy *copy,
                 const struct s3_object *source, struct s3_reading *out)
{
    *out = (struct s3_reading){.kind = DIGEST_CRC64NVME};
    bool same = source->checksum_kind && !source->composite &&
                (!copy->rehash || source->checksum_kind == (int64_t)copy->algorithm + 1);
    if (same && !s3_object_multipart(source))
        return;
    if (copy->rehash)
        out->kind = copy->algorithm;
    else if (source->checksum_kind)
        out->kind = (enum digest_kind)(source->checksum_kind - 1);
    out->n = source->size;
    s3_body_slices(s3, ctx, source, &out->slices, &out->nslices);
}

bool s3_read_already(const struct s3_reading *reading, const struct s3_read_digests *known)
{
    return known->nslices && known->nslices == reading->nslices && known->kind == reading->kind &&
           memcmp(known->slices, reading->slices, known->nslices * sizeof *known->slices) == 0;
}

static err set_digests(struct s3 *s3, struct ctx *ctx, const struct s3_copy *copy,
                       const struct s3_object *source, struct s3_object *object)
{
    struct s3_reading reading;
    plan(s3, ctx, copy, source, &reading);
    if (s3_read_already(&reading, &copy->known)) {
        object->etag = copy->known.etag;
        object->checksum = copy->known.checksum;
        object->checksum_kind = (int64_t)reading.kind + 1;
        object->composite = 0;
        return OK;
    }
    if (reading.slices && (source->size <= COPY_HASH_MAX || copy->rehash))
        return hash_body(s3, ctx, reading.slices, reading.nslices, reading.kind, object);
    object->etag = source->etag;
    object->checksum = source->checksum;
    object->checksum_kind = source->checksum_kind;
    object->composite = source->composite;
    return OK;
}

/* A part of the copy to be. */
struct piece {
    struct s3_part part;
    struct blob_slice *slices;
    size_t n;
};

/* The parts that the copy of a multipart body gets, each slice with a reference already taken: the
 * copy may replace its own source, which must not take the body along. `whole`: all in one part. */
static size_t gather(struct s3 *s3, struct ctx *ctx, const struct s3_object *source, bool whole,
                     struct piece **out)
{
    struct s3_part *parts;
    size_t n;
    s3_parts_read(s3, ctx, source->id, 0, &parts, &n);
    struct piece *pieces = arena_array(ctx->arena, n + 1, sizeof *pieces);
    for (size_t i = 0; i < n && !whole; i++) {
        pieces[i].part = parts[i];
        s3_part_slices(s3, ctx, parts[i].id, &pieces[i].slices, &pieces[i].n);
    }
    if (whole) {
        n = 1;
        pieces->part = (struct s3_part){.number = 1, .size = source->size, .mtime = ctx->now};
        s3_body_slices(s3, ctx, source, &pieces->slices, &pieces->n);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < pieces[i].n; k++)
            blob_ref(s3->blobs, pieces[i].slices[k].id);
    *out = pieces;
    return n;
}

static err attach(struct s3 *s3, const struct s3_object *object, struct piece *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct s3_part *part = &pieces[i].part;
        part->object = object->id;
        part->upload = 0;
        if (!part->etag.p)
            part->etag = object->etag;
        TRY(s3_part_insert(s3, part, pieces[i].slices, pieces[i].n, true));
    }
    return OK;
}

/* Where nothing else is asked for a copy is encrypted as the bucket says, which changes these. */
static bool encrypted_otherwise(const struct s3_bucket *bucket, const struct s3_object *source)
{
    return s3_bucket_has(bucket, S3_CONFIG_ENCRYPTION) || source->ssec_md5.p ||
           (source->sse.p && !str_eq(source->sse, S("AES256")));
}

static err check_self(struct ctx *ctx, struct s3_bucket *bucket, str key,
                      const struct s3_copy *copy, const struct s3_object *source)
{
    bool changes = copy->changes || copy->replace_metadata || source->restore_until > ctx->now ||
                   encrypted_otherwise(bucket, source);
    if (changes || !onto_itself(bucket, key, copy))
        return OK;
    return err_text(
        ctx->arena, &S3_INVALID_REQUEST,
        "This copy request is illegal because it is trying to copy an object to itself without "
        "changing the "
        "object's metadata, storage class, website redirect location or encryption attributes.");
}

static err check_size(struct ctx *ctx, const struct s3_object *source)
{
    return source->size <= S3_COPY_MAX
               ? OK
               : err_text(ctx->arena, &S3_INVALID_REQUEST,
                          "The specified copy source is larger than the maximum allowable size for "
                          "a copy source: %lld",
                          S3_COPY_MAX);
}

/* The row of the copy but for its body. */
static err describe(struct s3 *s3, struct ctx *ctx, const struct s3_copy *copy,
                    const struct s3_object *source, struct s3_object *object)
{
    object->size = source->size;
    if (!copy->replace_metadata)
        take_metadata(object, source);
    if (!copy->replace_tags)
        object->tags = source->tags;
    return set_digests(s3, ctx, copy, source, object);
}

err s3_copy_plan(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                 const struct s3_copy *copy, struct s3_reading *out)
{
    struct s3_object source;
    struct s3_bucket *source_bucket;
    TRY(s3_source_find(s3, ctx, &copy->source, &copy->source_conditions, &source_bucket, &source));
    TRY(check_size(ctx, &source));
    TRY(check_self(ctx, bucket, key, copy, &source));
    TRY(s3_object_may_put(s3, ctx, bucket, &copy->conditions, key));
    plan(s3, ctx, copy, &source, out);
    return OK;
}

err s3_object_copy(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                   const struct s3_copy *copy, struct s3_object *source,
                   struct s3_bucket **source_bucket, struct s3_object *out)
{
    TRY(s3_source_find(s3, ctx, &copy->source, &copy->source_conditions, source_bucket, source));
    TRY(check_size(ctx, source));
    TRY(check_self(ctx, bucket, key, copy, source));
    TRY(s3_object_may_put(s3, ctx, bucket, &copy->conditions, key));
    struct s3_object object = copy->with;
    object.key = key;
    TRY(describe(s3, ctx, copy, source, &object));
    struct piece *pieces = NULL;
    if (source->parts)
        object.parts =
            (int64_t)gather(s3, ctx, source, !str_eq(object.etag, source->etag), &pieces);
    object.blob = source->blob;
    if (object.blob)
        blob_ref(s3->blobs, object.blob);
    TRY(s3_version_install(s3, ctx, bucket, &object));
    TRY(attach(s3, &object, pieces, (size_t)object.parts));
    TRY(s3_changed(s3, ctx, bucket, S3_CREATED_COPY, &object));
    *out = object;
    return OK;
}
