/* api/s3_object.c - PutObject, DeleteObject, DeleteObjects. */
#include "api/s3_common.h"
#include "api/s3_tables.h"

#include "api/s3_access.h"
#include "api/s3_upload.h"
#include "base/text.h"

/* --- PutObject --- */
#define PUT_IN(F, T)                                                                               \
    S3_WRITE_IN(F, T)                                                                              \
    S3_DOCUMENT_IN(F, T)                                                                           \
    S3_CHECKSUM_HEADERS(F, T)                                                                      \
    F(T, STR, if_match, "If-Match", HEADER)                                                        \
    F(T, STR, if_none_match, "If-None-Match", HEADER)                                              \
    F(T, INT, write_offset, "x-amz-write-offset-bytes", HEADER, .flags = UNIMPLEMENTED)            \
    F(T, INT, content_length, "Content-Length", HEADER)                                            \
    F(T, BLOB, body, "Body", PAYLOAD)
SHAPE(put_in, "PutObjectRequest", PUT_IN)

#define PUT_OUT(F, T)                                                                              \
    S3_STORED_OUT(F, T)                                                                            \
    S3_CHECKSUM_HEADERS(F, T)                                                                      \
    F(T, STR, checksum_type, "x-amz-checksum-type", HEADER)                                        \
    F(T, STR, etag, "ETag", HEADER)
SHAPE(put_out, "PutObjectOutput", PUT_OUT)

static struct s3_conditions put_conditions(const struct put_in *in)
{
    return (struct s3_conditions){.if_match = in->if_match, .if_none_match = in->if_none_match};
}

/* Everything that can be refused before the body is sent. */
static err put_begin(struct call *call, const void *input)
{
    const struct put_in *in = input;
    struct s3_conditions conditions = put_conditions(in);
    struct s3_bucket *bucket;
    struct s3_object object = {0};
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_write_take(call, (const struct s3_write_in *)in, bucket, &object));
    TRY(s3_object_may_put(call->api->s3, &call->ctx, bucket, &conditions, in->key));
    return s3_upload_begin(call, DIGEST_CRC64NVME);
}

static err put(struct call *call, const void *input, void *output)
{
    const struct put_in *in = input;
    struct put_out *out = output;
    struct s3_conditions conditions = put_conditions(in);
    struct s3_bucket *bucket;
    struct s3_object object = {0};
    struct s3_uploaded body;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_write_take(call, (const struct s3_write_in *)in, bucket, &object));
    s3_object_put_sure(call->api->s3, bucket, &conditions);
    TRY(s3_upload_finish(call, &body));
    object.body = body.body;
    object.size = body.size;
    object.etag = body.etag;
    object.checksum = body.checksum;
    object.checksum_kind = (int64_t)body.algorithm + 1;
    TRY(s3_object_put(call->api->s3, &call->ctx, bucket, &conditions, &object, S3_CREATED_PUT));
    s3_written_fill(call, bucket, &object, (struct s3_stored_out *)out);
    s3_checksum_fill(&object, &out->checksum_md5, &out->checksum_type);
    out->etag = s3_quoted(call, object.etag);
    return OK;
}

/* --- DeleteObject --- */
#define DELETE_IN(F, T)                                                                            \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, version_id, "versionId", QUERY)                                                      \
    F(T, STR, mfa, "x-amz-mfa", HEADER, .flags = UNIMPLEMENTED)                                    \
    F(T, BOOL, bypass, "x-amz-bypass-governance-retention", HEADER)                                \
    F(T, STR, if_match, "If-Match", HEADER)                                                        \
    F(T, TIME, if_match_time, "x-amz-if-match-last-modified-time", HEADER, .flags = UNIMPLEMENTED) \
    F(T, INT, if_match_size, "x-amz-if-match-size", HEADER, .flags = UNIMPLEMENTED)
SHAPE(delete_in, "DeleteObjectRequest", DELETE_IN)

#define DELETE_OUT(F, T)                                                                           \
    F(T, BOOL, marker, "x-amz-delete-marker", HEADER)                                              \
    F(T, STR, version_id, "x-amz-version-id", HEADER)
SHAPE(delete_out, "DeleteObjectOutput", DELETE_OUT)

static err delete (struct call *call, const void *input, void *output)
{
    const struct delete_in *in = input;
    struct delete_out *out = output;
    struct s3_bucket *bucket;
    struct s3_deleted gone;
    struct s3_delete request = {.key = in->key,
                                .version = in->version_id,
                                .if_match = in->if_match,
                                .bypass = in->bypass.v};
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    if (in->bypass.set && !bucket->object_lock)
        return s3_argument_invalid(call,
                                   "x-amz-bypass-governance-retention is only applicable to Object "
                                   "Lock enabled buckets.",
                                   "x-amz-bypass-governance-retention", STR_NONE);
    TRY(s3_object_delete(call->api->s3, &call->ctx, bucket, &request, &gone));
    if (gone.marker)
        out->marker = BOOL_OF(true);
    out->version_id = gone.version;
    return OK;
}

/* --- DeleteObjects --- */
#define IDENTIFIER(F, T)                                                                           \
    F(T, STR, key, "Key", BODY, .flags = REQUIRED, .min = 1, .max = 1024)                          \
    F(T, STR, version_id, "VersionId", BODY)                                                       \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    F(T, TIME, if_match_time, "LastModifiedTime", BODY)                                            \
    F(T, INT, if_match_size, "Size", BODY)
SHAPE(identifier, "ObjectIdentifier", IDENTIFIER)

#define DELETE_LIST(F, T)                                                                          \
    F(T, LIST, objects, "Object", BODY, .of = &identifier_shape, .flags = FLAT | REQUIRED,         \
      .min = 1, .max = 1000)                                                                       \
    F(T, BOOL, quiet, "Quiet", BODY)
SHAPE(delete_list, "Delete", DELETE_LIST)

#define DELETE_MANY_IN(F, T)                                                                       \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_DOCUMENT_IN(F, T)                                                                           \
    F(T, STR, mfa, "x-amz-mfa", HEADER, .flags = UNIMPLEMENTED)                                    \
    F(T, BOOL, bypass, "x-amz-bypass-governance-retention", HEADER)                                \
    F(T, STRUCT, list, "Delete", PAYLOAD, .of = &delete_list_shape, .flags = REQUIRED)
SHAPE(delete_many_in, "DeleteObjectsRequest", DELETE_MANY_IN)

#define DELETED(F, T)                                                                              \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, version_id, "VersionId", BODY)                                                       \
    F(T, BOOL, marker, "DeleteMarker", BODY)                                                       \
    F(T, STR, marker_version, "DeleteMarkerVersionId", BODY)
SHAPE(deleted, "DeletedObject", DELETED)

#define NOT_DELETED(F, T)                                                                          \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, version_id, "VersionId", BODY)                                                       \
    F(T, STR, code, "Code", BODY)                                                                  \
    F(T, STR, message, "Message", BODY)
SHAPE(not_deleted, "Error", NOT_DELETED)

#define DELETE_MANY_OUT(F, T)                                                                      \
    F(T, LIST, deleted, "Deleted", BODY, .of = &deleted_shape, .flags = FLAT)                      \
    F(T, LIST, errors, "Error", BODY, .of = &not_deleted_shape, .flags = FLAT)
SHAPE(delete_many_out, "DeleteObjectsOutput", DELETE_MANY_OUT)

static err check_claim(struct call *call)
{
    if (http_header(call->request, S("content-md5")).p)
        return OK;
    for (size_t i = 0; i < call->request->nheaders; i++)
        if (str_starts_nocase(call->request->headers[i].name, S("x-amz-checksum-")))
            return OK;
    if (call->ntrailers)
        return OK;
    return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                    "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}

/* Conditions on time and size are those of directory buckets; see DeleteObject. */
static err check_identifier(struct call *call, const struct identifier *item)
{
    if (!item->if_match_time.set && !item->if_match_size.set)
        return OK;
    return err_with(call->ctx.arena, FAIL(S3_NOT_IMPLEMENTED), "Header",
                    item->if_match_size.set ? S("x-amz-if-match-size")
                                            : S("x-amz-if-match-last-modified-time"));
}

static err delete_one(struct call *call, struct s3_bucket *bucket, const struct delete_many_in *in,
                      const struct identifier *item, struct s3_deleted *out)
{
    struct s3_delete request = {.key = item->key,
                                .version = item->version_id,
                                .if_match = item->etag,
                                .bypass = in->bypass.v,
                                .tell_always = true};
    if (request.version.p && !request.version.n)
        request.version = STR_NONE;
    TRY(check_identifier(call, item));
    TRY(s3_may(call, request.version.p ? "s3:DeleteObjectVersion" : "s3:DeleteObject", in->bucket,
               item->key, request.version));
    err e = s3_object_delete(call->api->s3, &call->ctx, bucket, &request, out);
    /* What DeleteObject calls an invalid id is no such version here. */
    return request.version.p && e.fault == &S3_INVALID_ARGUMENT ? FAIL(S3_NO_SUCH_VERSION) : e;
}

static void report(const struct identifier *item, const struct s3_deleted *gone,
                   struct deleted *entry)
{
    *entry = (struct deleted){.key = item->key,
                              .version_id = item->version_id.n ? item->version_id : STR_NONE};
    if (!gone->marker)
        return;
    entry->marker = BOOL_OF(true);
    entry->marker_version = gone->version;
}

static err delete_many(struct call *call, const void *input, void *output)
{
    const struct delete_many_in *in = input;
    struct delete_many_out *out = output;
    const struct delete_list *wanted = in->list;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(check_claim(call));
    TRY(s3_body_check(call, true));
    out->deleted = (list){
        .at = arena_array(call->ctx.arena, wanted->objects.n, sizeof(struct deleted)), .set = true};
    out->errors =
        (list){.at = arena_array(call->ctx.arena, wanted->objects.n, sizeof(struct not_deleted)),
               .set = true};
    LIST_EACH (struct identifier, item, wanted->objects) {
        struct s3_deleted gone;
        err e = delete_one(call, bucket, in, item, &gone);
        if (e.fault == &FAULT_INTERNAL)
            return e;
        if (failed(e))
            *LIST_AT(out->errors, struct not_deleted, out->errors.n++) = (struct not_deleted){
                item->key, item->version_id, str_of(e.fault->code), err_message(e)};
        else if (!wanted->quiet.v)
            report(item, &gone, LIST_AT(out->deleted, struct deleted, out->deleted.n++));
    }
    return OK;
}

const struct op s3_object_ops[] = {
    {"PutObject", &put_in_shape, &put_out_shape, put, put_begin, .flags = OP_UPLOAD,
     .rest = {"PUT", REST_OBJECT}},
    {"DeleteObject", &delete_in_shape, &delete_out_shape, delete,
     .rest = {"DELETE", REST_OBJECT, .status = 204}},
    {"DeleteObjects", &delete_many_in_shape, &delete_many_out_shape, delete_many,
     .rest = {"POST", REST_BUCKET, "delete"}, .action = "s3:DeleteObject",
     .out_root = "DeleteResult"},
    {0},
};
