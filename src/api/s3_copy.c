/* api/s3_copy.c - CopyObject. */
#include "api/s3_access.h"
#include "api/s3_common.h"
#include "api/s3_hash.h"
#include "api/s3_tables.h"
#include "base/text.h"
#include "s3/multipart.h"
#include "s3/tags.h"

#define COPY_IN(F, T)                                                                              \
    S3_WRITE_IN(F, T)                                                                              \
    F(T, STR, source, "x-amz-copy-source", HEADER, .flags = REQUIRED)                              \
    F(T, STR, source_if_match, "x-amz-copy-source-if-match", HEADER)                               \
    F(T, STR, source_if_none_match, "x-amz-copy-source-if-none-match", HEADER)                     \
    F(T, TIME, source_if_modified, "x-amz-copy-source-if-modified-since", HEADER)                  \
    F(T, TIME, source_if_unmodified, "x-amz-copy-source-if-unmodified-since", HEADER)              \
    F(T, STR, source_ssec_algorithm,                                                               \
      "x-amz-copy-source-server-side-encryption-customer-algorithm", HEADER)                       \
    F(T, STR, source_ssec_key, "x-amz-copy-source-server-side-encryption-customer-key", HEADER)    \
    F(T, STR, source_ssec_md5, "x-amz-copy-source-server-side-encryption-customer-key-MD5",        \
      HEADER)                                                                                      \
    F(T, STR, source_owner, "x-amz-source-expected-bucket-owner", HEADER)                          \
    F(T, STR, if_match, "If-Match", HEADER)                                                        \
    F(T, STR, if_none_match, "If-None-Match", HEADER)                                              \
    F(T, STR, metadata_directive, "x-amz-metadata-directive", HEADER, .values = "COPY|REPLACE")    \
    F(T, STR, annotation_directive, "x-amz-object-annotation-directive", HEADER,                   \
      .flags = UNIMPLEMENTED)                                                                      \
    F(T, STR, tagging_directive, "x-amz-tagging-directive", HEADER, .values = "COPY|REPLACE")      \
    F(T, STR, checksum_algorithm, "x-amz-checksum-algorithm", HEADER)
SHAPE(copy_in, "CopyObjectRequest", COPY_IN)

#define COPY_RESULT(F, T)                                                                          \
    F(T, TIME, last_modified, "LastModified", BODY)                                                \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    F(T, STR, checksum_type, "ChecksumType", BODY)                                                 \
    S3_CHECKSUM_ELEMENTS(F, T)
SHAPE(copy_result, "CopyObjectResult", COPY_RESULT)

#define COPY_OUT(F, T)                                                                             \
    S3_STORED_OUT(F, T)                                                                            \
    F(T, STR, source_version, "x-amz-copy-source-version-id", HEADER)                              \
    F(T, STRUCT, result, "CopyObjectResult", PAYLOAD, .of = &copy_result_shape)
SHAPE(copy_out, "CopyObjectOutput", COPY_OUT)

static err take_algorithm(struct call *call, const struct copy_in *in, struct s3_copy *copy)
{
    if (!in->checksum_algorithm.p)
        return OK;
    copy->rehash = true;
    return s3_checksum_named(&call->ctx, in->checksum_algorithm, &copy->algorithm);
}

static err take(struct call *call, const struct copy_in *in, struct s3_bucket *bucket,
                struct s3_copy *copy)
{
    *copy = (struct s3_copy){
        .source_conditions = {in->source_if_match, in->source_if_none_match, in->source_if_modified,
                              in->source_if_unmodified},
        .conditions = {.if_match = in->if_match, .if_none_match = in->if_none_match},
        .replace_metadata = str_eq(in->metadata_directive, S("REPLACE")),
        .replace_tags = str_eq(in->tagging_directive, S("REPLACE")),
        .changes =
            in->storage_class.p || in->website_redirect.p || in->sse.p || in->ssec_algorithm.p,
    };
    TRY(s3_source_parse(&call->ctx, in->source, &copy->source));
    TRY(take_algorithm(call, in, copy));
    return s3_write_take(call, (const struct s3_write_in *)in, bucket, &copy->with);
}

/* The source's own checks: its owner as expected, its key as given, and the right to read it. */
static err check_source(struct call *call, const struct copy_in *in, const struct s3_source *source)
{
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(s3_bucket_of(call, source->bucket, in->source_owner, &bucket));
    TRY(s3_may(call, source->version.p ? "s3:GetObjectVersion" : "s3:GetObject", source->bucket,
               source->key, source->version));
    if (failed(s3_object_find(call->api->s3, &call->ctx, bucket, source->key, source->version,
                              &object)))
        return OK; /* the copy itself says what is wrong */
    return s3_ssec_check(call, in->source_ssec_algorithm, in->source_ssec_key, in->source_ssec_md5,
                         &object);
}

static void fill(struct call *call, const struct s3_bucket *bucket, const struct s3_object *object,
                 struct copy_out *out)
{
    struct copy_result *result = ARENA_NEW(call->ctx.arena, struct copy_result);
    result->last_modified = INT_OF(object->mtime / 1000 * 1000);
    result->etag = s3_quoted(call, object->etag);
    s3_checksum_fill(object, &result->checksum_md5, &result->checksum_type);
    s3_written_fill(call, bucket, object, (struct s3_stored_out *)out);
    out->result = result;
}

/* A large body is digested before the copy runs. */
static err copy_begin(struct call *call, const void *input)
{
    const struct copy_in *in = input;
    struct s3_bucket *bucket;
    struct s3_copy copy;
    struct s3_reading reading;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(take(call, in, bucket, &copy));
    TRY(check_source(call, in, &copy.source));
    TRY(s3_copy_plan(call->api->s3, &call->ctx, bucket, in->key, &copy, &reading));
    s3_hash_begin(call, &reading);
    return OK;
}

static err copy_object(struct call *call, const void *input, void *output)
{
    const struct copy_in *in = input;
    struct copy_out *out = output;
    struct s3_bucket *bucket, *source_bucket;
    struct s3_object source, object;
    struct s3_copy copy;
    struct s3_read_digests known;
    s3_hash_finish(call, &known);
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(take(call, in, bucket, &copy));
    copy.known = known;
    TRY(check_source(call, in, &copy.source));
    TRY(s3_object_copy(call->api->s3, &call->ctx, bucket, in->key, &copy, &source, &source_bucket,
                       &object));
    fill(call, bucket, &object, out);
    out->source_version = source.version;
    return OK;
}

const struct op s3_copy_ops[] = {
    {"CopyObject", &copy_in_shape, &copy_out_shape, copy_object, .begin = copy_begin,
     .flags = OP_UPLOAD, .rest = {"PUT", REST_OBJECT, NULL, "x-amz-copy-source"},
     .action = "s3:PutObject"},
    {0},
};
