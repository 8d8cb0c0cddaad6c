/* s3/port.c - the plain calls of s3/s3.h: what the pipeline does with objects, without HTTP and its
 * headers. */
#include "base/digest.h"
#include "s3/engine.h"
#include "s3/object.h"

err s3_bucket_make(struct s3 *s3, struct ctx *ctx, str bucket)
{
    struct s3_bucket *there = s3_bucket_get(s3, bucket);
    if (there && str_eq(there->account, ctx->account))
        return OK;
    bool made;
    bool global = str_eq(ctx->region, S("us-east-1"));
    struct s3_bucket_create create = {.name = bucket, .location = global ? STR_NONE : ctx->region};
    return s3_bucket_create(s3, ctx, &create, &there, &made);
}

static err find(struct s3 *s3, struct ctx *ctx, str bucket, str key, struct s3_object *out)
{
    struct s3_bucket *at;
    TRY(s3_bucket_find(s3, ctx, bucket, &at));
    return s3_object_find(s3, ctx, at, key, STR_NONE, out);
}

err s3_stat(struct s3 *s3, struct ctx *ctx, str bucket, str key, struct s3_stat *out)
{
    struct s3_object object;
    TRY(find(s3, ctx, bucket, key, &object));
    *out = (struct s3_stat){.size = object.size,
                            .etag = object.etag,
                            .content_type = object.content_type.p ? object.content_type
                                                                  : S("binary/octet-stream")};
    return OK;
}

err s3_open_body(struct s3 *s3, struct ctx *ctx, str bucket, str key, struct blob_slice **slices,
                 size_t *n, int64_t *size)
{
    struct s3_object object;
    TRY(find(s3, ctx, bucket, key, &object));
    s3_body_slices(s3, ctx, &object, slices, n);
    *size = object.size;
    return OK;
}

err s3_put_bytes(struct s3 *s3, struct ctx *ctx, str bucket, str key, str content_type, str bytes)
{
    struct s3_bucket *at;
    TRY(s3_bucket_find(s3, ctx, bucket, &at));
    TRY(s3_key_check(ctx, key));
    struct s3_object object = {.key = key,
                               .size = (int64_t)bytes.n,
                               .content_type = content_type,
                               .etag = digest_hex(ctx->arena, digest_of(DIGEST_MD5, bytes)),
                               .checksum_kind = DIGEST_CRC64NVME + 1,
                               .checksum =
                                   digest_base64(ctx->arena, digest_of(DIGEST_CRC64NVME, bytes))};
    TRY(blob_put(s3->blobs, bytes, &object.blob));
    return s3_object_put(s3, ctx, at, NULL, &object, S3_CREATED_PUT);
}
