/* s3/multipart_copy.c - UploadPartCopy: a part that refers to a range of another object's body.
 * Bytes are read only where their digests aren't known: a range, or a source that was itself
 * uploaded in parts. */
#include "base/text.h"
#include "s3/engine.h"
#include "s3/multipart.h"

#define COPY_STEP (256U << 10) /* bytes read at once */

struct range {
    int64_t at, n;
};

static err range_argument(struct ctx *ctx, str header, const char *text)
{
    return s3_argument(ctx->arena, "x-amz-copy-source-range", header, text);
}

static bool range_split(str header, int64_t *first, int64_t *last)
{
    if (!str_starts(header, S("bytes=")))
        return false;
    str end = str_slice(header, 6, header.n);
    str begin = str_cut(&end, '-');
    return end.p && str_to_int(begin, first) && str_to_int(end, last) && *first >= 0 &&
           *first <= *last;
}

static err range_parse(struct ctx *ctx, str header, int64_t size, struct range *out)
{
    int64_t first, last;
    *out = (struct range){0, size};
    if (!header.p)
        return OK;
    if (!range_split(header, &first, &last))
        return range_argument(ctx, header,
                              "The x-amz-copy-source-range value must be of the form "
                              "bytes=first-last where first and last are the "
                              "zero-based offsets of the first and last bytes to copy");
    if (first >= size)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "The specified copy range is invalid for the source object size");
    if (last >= size)
        return range_argument(
            ctx, header,
            arena_printf(ctx->arena, "Range specified is not valid for source object of size: %lld",
                         (long long)size)
                .p);
    *out = (struct range){first, last - first + 1};
    return OK;
}

static err feed_slice(struct s3 *s3, const struct blob_slice *slice, struct digest_state *a,
                      struct digest_state *b)
{
    struct arena *scratch = arena_new();
    err e = OK;
    for (int64_t at = 0; at < slice->n && !failed(e);) {
        int64_t left = slice->n - at;
        str piece = STR_NONE;
        arena_reset(scratch);
        e = blob_read(s3->blobs, scratch, slice->id, slice->at + at,
                      left < COPY_STEP ? (size_t)left : COPY_STEP, &piece);
        if (!failed(e) && !piece.n)
            e = FAIL(FAULT_INTERNAL);
        digest_update(a, piece.p, piece.n);
        digest_update(b, piece.p, piece.n);
        at += (int64_t)piece.n;
    }
    arena_free(scratch);
    return e;
}

static err digest_slices(struct s3 *s3, struct ctx *ctx, const struct blob_slice *slices, size_t n,
                         struct s3_part *part)
{
    struct digest_state *md5 = digest_begin(DIGEST_MD5);
    struct digest_state *sum = digest_begin((enum digest_kind)(part->checksum_kind - 1));
    err e = OK;
    for (size_t i = 0; i < n && !failed(e); i++)
        e = feed_slice(s3, &slices[i], md5, sum);
    part->etag = digest_hex(ctx->arena, digest_end(md5));
    part->checksum = digest_base64(ctx->arena, digest_end(sum));
    return e;
}

static bool digests_known(const struct s3_object *source, int64_t n, int64_t kind)
{
    return n == source->size && !source->parts && !s3_object_multipart(source) &&
           !source->composite && source->checksum_kind == kind;
}

/* What the part is made of, and whether it must be read: `n` 0 of the reading when not. */
static err plan(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                const struct s3_part_copy *copy, const struct s3_object *source,
                struct s3_part *part, struct s3_reading *out)
{
    struct range range;
    struct blob_slice *all;
    size_t nall;
    TRY(range_parse(ctx, copy->range, source->size, &range));
    if (range.n > S3_COPY_MAX)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "The specified copy source is larger than the maximum allowable size for a "
                        "copy source: %lld",
                        S3_COPY_MAX);
    part->size = range.n;
    part->checksum_kind = upload->object.checksum_kind;
    *out = (struct s3_reading){.kind = (enum digest_kind)(part->checksum_kind - 1)};
    s3_body_slices(s3, ctx, source, &all, &nall);
    out->nslices = s3_slices_cut(ctx->arena, all, nall, range.at, range.n, &out->slices);
    if (!digests_known(source, range.n, part->checksum_kind)) {
        out->n = range.n;
        return OK;
    }
    part->etag = source->etag;
    part->checksum = source->checksum;
    return OK;
}

err s3_multipart_copy_plan(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                           const struct s3_part_copy *copy, struct s3_reading *out)
{
    struct s3_bucket *source_bucket;
    struct s3_object source;
    struct s3_part part = {0};
    TRY(s3_source_find(s3, ctx, &copy->source, &copy->conditions, &source_bucket, &source));
    return plan(s3, ctx, upload, copy, &source, &part, out);
}

err s3_multipart_copy_part(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                           const struct s3_part_copy *copy, struct s3_object *source,
                           struct s3_bucket **source_bucket, struct s3_part *part)
{
    struct s3_reading reading;
    TRY(s3_source_find(s3, ctx, &copy->source, &copy->conditions, source_bucket, source));
    TRY(plan(s3, ctx, upload, copy, source, part, &reading));
    if (s3_read_already(&reading, &copy->known)) {
        part->etag = copy->known.etag;
        part->checksum = copy->known.checksum;
    } else if (!part->etag.p) {
        TRY(digest_slices(s3, ctx, reading.slices, reading.nslices, part));
    }
    return s3_multipart_put_part(s3, ctx, upload, part, reading.slices, reading.nslices, false);
}
