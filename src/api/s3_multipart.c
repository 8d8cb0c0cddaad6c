/* api/s3_multipart.c - the operations of uploads in parts. */
#include "api/s3_common.h"
#include "api/s3_hash.h"
#include "api/s3_upload.h"
#include "api/s3_access.h"
#include "base/text.h"
#include "s3/multipart.h"
#include "api/s3_tables.h"

/* ---- CreateMultipartUpload ---- */

#define CREATE_IN(F, T)                                                                            \
    S3_WRITE_IN(F, T)                                                                              \
    F(T, STR, algorithm, "x-amz-checksum-algorithm", HEADER)                                       \
    F(T, STR, type, "x-amz-checksum-type", HEADER)
SHAPE(create_in, "CreateMultipartUploadRequest", CREATE_IN)

#define CREATE_OUT(F, T)                                                                           \
    S3_STORED_OUT(F, T)                                                                            \
    F(T, STR, algorithm, "x-amz-checksum-algorithm", HEADER)                                       \
    F(T, STR, type, "x-amz-checksum-type", HEADER)                                                 \
    F(T, TIME, abort_date, "x-amz-abort-date", HEADER)                                             \
    F(T, STR, abort_rule, "x-amz-abort-rule-id", HEADER)                                           \
    F(T, STR, bucket, "Bucket", BODY)                                                              \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, upload, "UploadId", BODY)
SHAPE(create_out, "CreateMultipartUploadOutput", CREATE_OUT)

static void fill_encryption(struct call *call, struct s3_bucket *bucket,
                            const struct s3_object *object, struct s3_stored_out *out)
{
    s3_written_fill(call, bucket, object, out);
    out->version_id = STR_NONE; /* an upload is no version yet */
}

static err create_run(struct call *call, const void *input, void *output)
{
    const struct create_in *in = input;
    struct create_out *out = output;
    struct s3_bucket *bucket;
    struct s3_multipart with = {0}, upload;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_multipart_checksum(&call->ctx, in->algorithm, in->type, &with));
    TRY(s3_write_take(call, (const struct s3_write_in *)in, bucket, &with.object));
    TRY(s3_multipart_create(call->api->s3, &call->ctx, bucket, &with, &upload));
    fill_encryption(call, bucket, &upload.object, (struct s3_stored_out *)out);
    out->algorithm = s3_multipart_algorithm(&upload);
    out->type = s3_multipart_type(&upload);
    out->bucket = in->bucket;
    out->key = in->key;
    out->upload = upload.name;
    s3_abort_fill(call, bucket, &upload.object, &out->abort_date, &out->abort_rule);
    return OK;
}

/* ---- UploadPart ---- */

#define PART_IN(F, T)                                                                              \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_SSEC_IN(F, T)                                                                               \
    F(T, INT, number, "partNumber", QUERY, .flags = REQUIRED, .min = 1, .max = S3_PARTS_MAX)       \
    F(T, STR, upload, "uploadId", QUERY, .flags = REQUIRED)
SHAPE(part_in, "UploadPartRequest", PART_IN)

#define PART_OUT(F, T)                                                                             \
    S3_STORED_OUT(F, T)                                                                            \
    S3_CHECKSUM_HEADERS(F, T)                                                                      \
    F(T, STR, etag, "ETag", HEADER)
SHAPE(part_out, "UploadPartOutput", PART_OUT)

/* Every part needs the key that the upload was created with. */
static err check_key(struct call *call, str algorithm, str key, str md5,
                     const struct s3_multipart *upload)
{
    str given;
    TRY(s3_ssec_take(call, algorithm, key, md5, &given));
    if (str_eq(given, upload->object.ssec_md5))
        return OK;
    if (!upload->object.ssec_md5.p || !given.p)
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "The multipart upload initiate requested encryption. Subsequent part "
                        "requests must include the appropriate "
                        "encryption parameters.");
    return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                    "The provided encryption parameters did not match the ones used originally.");
}

/* A part may be digested with its upload's algorithm only; one of its own is fine where the upload
 * asked for none. */
static err check_algorithm(struct call *call, const struct s3_multipart *upload)
{
    struct s3_upload_claims claims;
    bool named;
    enum digest_kind kind = DIGEST_CRC64NVME;
    TRY(s3_upload_claims(call, &claims, &named, &kind));
    if (!upload->algorithm || (named && (int64_t)kind + 1 == upload->algorithm) ||
        (!named && !upload->object.composite))
        return OK;
    return err_text(
        call->ctx.arena, &S3_INVALID_REQUEST,
        "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
        digest_lower_name((enum digest_kind)(upload->algorithm - 1)),
        named ? digest_lower_name(kind) : "null");
}

static err find_upload(struct call *call, const struct part_in *in, struct s3_bucket **bucket,
                       struct s3_multipart *upload)
{
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, bucket));
    return s3_multipart_find(call->api->s3, &call->ctx, *bucket, in->key, in->upload, upload);
}

/* What describes the object was said when the upload was made. */
static err check_no_metadata(struct call *call)
{
    for (size_t i = 0; i < call->request->nheaders; i++) {
        const struct http_header *h = &call->request->headers[i];
        if (str_starts_nocase(h->name, S("x-amz-meta-"))) {
            err e = err_text(call->ctx.arena, &S3_INVALID_ARGUMENT,
                             "Metadata cannot be specified in this context.");
            e = err_with(call->ctx.arena, e, "ArgumentName", text_lower(call->ctx.arena, h->name));
            return err_with(call->ctx.arena, e, "ArgumentValue", h->value);
        }
    }
    return OK;
}

static err part_begin(struct call *call, const void *input)
{
    const struct part_in *in = input;
    struct s3_bucket *bucket;
    struct s3_multipart upload;
    TRY(check_no_metadata(call));
    TRY(find_upload(call, in, &bucket, &upload));
    TRY(check_key(call, in->ssec_algorithm, in->ssec_key, in->ssec_md5, &upload));
    TRY(check_algorithm(call, &upload));
    enum digest_kind kind = (enum digest_kind)(upload.object.checksum_kind - 1);
    TRY(s3_upload_begin(call, kind));
    s3_upload_also(call, kind);
    return OK;
}

static err part_run(struct call *call, const void *input, void *output)
{
    const struct part_in *in = input;
    struct part_out *out = output;
    struct s3_bucket *bucket;
    struct s3_multipart upload;
    struct s3_uploaded body;
    TRY(find_upload(call, in, &bucket, &upload));
    TRY(s3_upload_finish(call, &body));
    struct s3_part part = {.number = in->number.v,
                           .size = body.size,
                           .etag = body.etag,
                           .checksum_kind = upload.object.checksum_kind,
                           .checksum = body.also};
    struct blob_slice slice = {0, 0, body.size};
    TRY(blob_sink_keep(body.body, &slice.id));
    TRY(s3_multipart_put_part(call->api->s3, &call->ctx, &upload, &part, &slice, 1, true));
    fill_encryption(call, bucket, &upload.object, (struct s3_stored_out *)out);
    if (upload.algorithm || body.claimed)
        (&out->checksum_md5)[body.algorithm] = body.checksum;
    out->etag = s3_quoted(call, body.etag);
    return OK;
}

/* ---- UploadPartCopy ---- */

#define SOURCE_SSEC "x-amz-copy-source-server-side-encryption-customer-"
#define COPY_IN(F, T)                                                                              \
    PART_IN(F, T)                                                                                  \
    F(T, STR, source, "x-amz-copy-source", HEADER, .flags = REQUIRED)                              \
    F(T, STR, range, "x-amz-copy-source-range", HEADER)                                            \
    F(T, STR, if_match, "x-amz-copy-source-if-match", HEADER)                                      \
    F(T, STR, if_none_match, "x-amz-copy-source-if-none-match", HEADER)                            \
    F(T, TIME, if_modified_since, "x-amz-copy-source-if-modified-since", HEADER)                   \
    F(T, TIME, if_unmodified_since, "x-amz-copy-source-if-unmodified-since", HEADER)               \
    F(T, STR, source_ssec_algorithm, SOURCE_SSEC "algorithm", HEADER)                              \
    F(T, STR, source_ssec_key, SOURCE_SSEC "key", HEADER)                                          \
    F(T, STR, source_ssec_md5, SOURCE_SSEC "key-MD5", HEADER)                                      \
    F(T, STR, source_owner, "x-amz-source-expected-bucket-owner", HEADER)
SHAPE(copy_in, "UploadPartCopyRequest", COPY_IN)

#define COPY_RESULT(F, T)                                                                          \
    F(T, TIME, modified, "LastModified", BODY)                                                     \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    S3_CHECKSUM_ELEMENTS(F, T)
#define COPY_OUT(F, T)                                                                             \
    S3_STORED_OUT(F, T)                                                                            \
    F(T, STR, source_version, "x-amz-copy-source-version-id", HEADER)                              \
    COPY_RESULT(F, T)
SHAPE(copy_out, "CopyPartResult", COPY_OUT)

/* All that is checked before the part is made. */
static err take_copy(struct call *call, const struct copy_in *in, struct s3_bucket **bucket,
                     struct s3_multipart *upload, struct s3_part_copy *copy)
{
    struct s3_bucket *source_bucket;
    struct s3_object source;
    *copy = (struct s3_part_copy){.range = in->range,
                                  .conditions = {in->if_match, in->if_none_match,
                                                 in->if_modified_since, in->if_unmodified_since}};
    TRY(find_upload(call, (const struct part_in *)in, bucket, upload));
    TRY(check_key(call, in->ssec_algorithm, in->ssec_key, in->ssec_md5, upload));
    TRY(s3_source_parse(&call->ctx, in->source, &copy->source));
    TRY(s3_bucket_of(call, copy->source.bucket, in->source_owner, &source_bucket));
    TRY(s3_may(call, "s3:GetObject", copy->source.bucket, copy->source.key, copy->source.version));
    TRY(s3_source_find(call->api->s3, &call->ctx, &copy->source, &copy->conditions, &source_bucket,
                       &source));
    return s3_ssec_check(call, in->source_ssec_algorithm, in->source_ssec_key, in->source_ssec_md5,
                         &source);
}

/* A large stretch is digested before the part is made. */
static err copy_begin(struct call *call, const void *input)
{
    struct s3_bucket *bucket;
    struct s3_multipart upload;
    struct s3_part_copy copy;
    struct s3_reading reading;
    TRY(check_no_metadata(call));
    TRY(take_copy(call, input, &bucket, &upload, &copy));
    TRY(s3_multipart_copy_plan(call->api->s3, &call->ctx, &upload, &copy, &reading));
    s3_hash_begin(call, &reading);
    return OK;
}

static err copy_run(struct call *call, const void *input, void *output)
{
    const struct copy_in *in = input;
    struct copy_out *out = output;
    struct s3_bucket *bucket, *source_bucket;
    struct s3_multipart upload;
    struct s3_object source = {0};
    struct s3_part part = {.number = in->number.v};
    struct s3_part_copy copy;
    struct s3_read_digests known;
    s3_hash_finish(call, &known);
    TRY(take_copy(call, in, &bucket, &upload, &copy));
    copy.known = known;
    TRY(s3_multipart_copy_part(call->api->s3, &call->ctx, &upload, &copy, &source, &source_bucket,
                               &part));
    fill_encryption(call, bucket, &upload.object, (struct s3_stored_out *)out);
    out->source_version = s3_object_version(source_bucket, &source);
    if (upload.algorithm)
        (&out->checksum_md5)[upload.algorithm - 1] = part.checksum;
    out->etag = s3_quoted(call, part.etag);
    out->modified = INT_OF(part.mtime / 1000 * 1000);
    return OK;
}

/* ---- CompleteMultipartUpload ---- */

#define COMPLETED_PART(F, T)                                                                       \
    S3_CHECKSUM_ELEMENTS(F, T)                                                                     \
    F(T, STR, etag, "ETag", BODY, .flags = REQUIRED)                                               \
    F(T, INT, number, "PartNumber", BODY, .flags = REQUIRED)
SHAPE(completed_part, "CompletedPart", COMPLETED_PART)

#define COMPLETED_UPLOAD(F, T)                                                                     \
    F(T, LIST, parts, "Part", BODY, .flags = FLAT, .of = &completed_part_shape)
SHAPE(completed_upload, "CompleteMultipartUpload", COMPLETED_UPLOAD)

#define COMPLETE_IN(F, T)                                                                          \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_SSEC_IN(F, T)                                                                               \
    S3_CHECKSUM_HEADERS(F, T)                                                                      \
    F(T, STR, upload, "uploadId", QUERY, .flags = REQUIRED)                                        \
    F(T, STR, type, "x-amz-checksum-type", HEADER)                                                 \
    F(T, INT, size, "x-amz-mp-object-size", HEADER, .min = 0, .max = INT64_MAX)                    \
    F(T, STR, if_match, "If-Match", HEADER)                                                        \
    F(T, STR, if_none_match, "If-None-Match", HEADER)                                              \
    F(T, STRUCT, body, "CompleteMultipartUpload", PAYLOAD, .of = &completed_upload_shape)
SHAPE(complete_in, "CompleteMultipartUploadRequest", COMPLETE_IN)

#define COMPLETE_OUT(F, T)                                                                         \
    S3_STORED_OUT(F, T)                                                                            \
    F(T, STR, expiration, "x-amz-expiration", HEADER)                                              \
    F(T, STR, location, "Location", BODY)                                                          \
    F(T, STR, bucket, "Bucket", BODY)                                                              \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    S3_CHECKSUM_ELEMENTS(F, T)                                                                     \
    F(T, STR, type, "ChecksumType", BODY)
SHAPE(complete_out, "CompleteMultipartUploadOutput", COMPLETE_OUT)

static void take_checksums(const str *from, str to[DIGEST_KINDS])
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        to[kind] = from[kind];
}

static struct s3_complete_part *take_parts(struct call *call, list parts)
{
    struct s3_complete_part *out = arena_array(call->ctx.arena, parts.n, sizeof *out);
    size_t n = 0;
    LIST_EACH (const struct completed_part, part, parts) {
        out[n].number = part->number.v;
        out[n].etag = part->etag;
        take_checksums(&part->checksum_md5, out[n++].checksum);
    }
    return out;
}

/* The end of the upload needs the customer's key, too. */
static err check_complete_key(struct call *call, const struct complete_in *in,
                              struct s3_bucket *bucket)
{
    struct s3_multipart upload;
    err e = s3_multipart_find(call->api->s3, &call->ctx, bucket, in->key, in->upload, &upload);
    if (failed(e) || !upload.object.ssec_md5.p)
        return OK;
    return check_key(call, in->ssec_algorithm, in->ssec_key, in->ssec_md5, &upload);
}

static err complete_run(struct call *call, const void *input, void *output)
{
    const struct complete_in *in = input;
    struct complete_out *out = output;
    const struct completed_upload *body = in->body;
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    if (!body)
        return FAIL(S3_MALFORMED_XML);
    struct s3_complete complete = {
        .key = in->key,
        .upload = in->upload,
        .parts = take_parts(call, body->parts),
        .n = body->parts.n,
        .type = in->type,
        .size = in->size,
        .conditions = {.if_match = in->if_match, .if_none_match = in->if_none_match}};
    take_checksums(&in->checksum_md5, complete.checksum);
    TRY(check_complete_key(call, in, bucket));
    TRY(s3_multipart_complete(call->api->s3, &call->ctx, bucket, &complete, &object));
    s3_written_fill(call, bucket, &object, (struct s3_stored_out *)out);
    if (!object.sse_key.p) /* AWS keeps it to itself under KMS, until it is read */
        s3_checksum_fill(&object, &out->checksum_md5, &out->type);
    out->location = arena_printf(call->ctx.arena, "http://%.*s/%.*s/%.*s", STR_ARG(call->ctx.host),
                                 STR_ARG(in->bucket),
                                 STR_ARG(percent_encode(call->ctx.arena, in->key, PERCENT_ALL)));
    out->bucket = in->bucket;
    out->key = in->key;
    out->etag = s3_quoted(call, object.etag);
    return OK;
}

/* ---- AbortMultipartUpload ---- */

#define ABORT_IN(F, T)                                                                             \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, upload, "uploadId", QUERY, .flags = REQUIRED)                                        \
    F(T, STR, if_initiated, "x-amz-if-match-initiated-time", HEADER, .flags = UNIMPLEMENTED)
SHAPE(abort_in, "AbortMultipartUploadRequest", ABORT_IN)

static err abort_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct abort_in *in = input;
    struct s3_bucket *bucket;
    struct s3_multipart upload;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_multipart_find(call->api->s3, &call->ctx, bucket, in->key, in->upload, &upload));
    return s3_multipart_abort(call->api->s3, &upload);
}

const struct op s3_multipart_ops[] = {
    {.name = "CreateMultipartUpload",
     .in = &create_in_shape,
     .out = &create_out_shape,
     .run = create_run,
     .rest = {"POST", REST_OBJECT, "uploads"},
     .action = "s3:PutObject",
     .out_root = "InitiateMultipartUploadResult"},
    {.name = "UploadPart",
     .in = &part_in_shape,
     .out = &part_out_shape,
     .run = part_run,
     .begin = part_begin,
     .flags = OP_UPLOAD,
     .rest = {"PUT", REST_OBJECT, "partNumber&uploadId"},
     .action = "s3:PutObject"},
    {.name = "UploadPartCopy",
     .in = &copy_in_shape,
     .out = &copy_out_shape,
     .run = copy_run,
     .begin = copy_begin,
     .flags = OP_UPLOAD,
     .rest = {"PUT", REST_OBJECT, "partNumber&uploadId", "x-amz-copy-source"},
     .action = "s3:PutObject",
     .out_root = "CopyPartResult"},
    {.name = "CompleteMultipartUpload",
     .in = &complete_in_shape,
     .out = &complete_out_shape,
     .run = complete_run,
     .rest = {"POST", REST_OBJECT, "uploadId"},
     .action = "s3:PutObject",
     .out_root = "CompleteMultipartUploadResult"},
    {.name = "AbortMultipartUpload",
     .in = &abort_in_shape,
     .out = &empty_shape,
     .run = abort_run,
     .rest = {"DELETE", REST_OBJECT, "uploadId", .status = 204}},
    {0},
};
