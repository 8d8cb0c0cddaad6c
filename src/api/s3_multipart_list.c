/* api/s3_multipart_list.c - ListParts and ListMultipartUploads. */
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "base/text.h"
#include "s3/multipart.h"

#define PAGE_MAX 1000

static str storage_class(const struct s3_multipart *upload)
{
    return upload->object.storage_class.p ? upload->object.storage_class : S("STANDARD");
}

/* AWS tells nobody's name any more since November 2025, but those of initiators. */
static struct s3_owner *initiator(struct call *call, str account)
{
    struct s3_owner *who = ARENA_NEW(call->ctx.arena, struct s3_owner);
    *who = s3_owner_of(call, account);
    if (!who->display_name.n)
        who->display_name = account;
    return who;
}

static struct s3_owner *owner(struct call *call, str account)
{
    struct s3_owner *who = ARENA_NEW(call->ctx.arena, struct s3_owner);
    *who = s3_owner_of(call, account);
    return who;
}

/* ---- ListParts ---- */

#define PARTS_IN(F, T)                                                                             \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_SSEC_IN(F, T)                                                                               \
    F(T, STR, upload, "uploadId", QUERY, .flags = REQUIRED)                                        \
    F(T, INT, max, "max-parts", QUERY, .max = INT32_MAX)                                           \
    F(T, INT, marker, "part-number-marker", QUERY, .max = INT32_MAX)
SHAPE(parts_in, "ListPartsRequest", PARTS_IN)

#define PART(F, T)                                                                                 \
    F(T, INT, number, "PartNumber", BODY)                                                          \
    F(T, TIME, modified, "LastModified", BODY)                                                     \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    F(T, INT, size, "Size", BODY)                                                                  \
    S3_CHECKSUM_ELEMENTS(F, T)
SHAPE(part, "Part", PART)

#define PARTS_OUT(F, T)                                                                            \
    F(T, TIME, abort_date, "x-amz-abort-date", HEADER)                                             \
    F(T, STR, abort_rule, "x-amz-abort-rule-id", HEADER)                                           \
    F(T, STR, bucket, "Bucket", BODY)                                                              \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, upload, "UploadId", BODY)                                                            \
    F(T, STRUCT, initiator, "Initiator", BODY, .of = &s3_owner_shape)                              \
    F(T, STRUCT, owner, "Owner", BODY, .of = &s3_owner_shape)                                      \
    F(T, STR, storage_class, "StorageClass", BODY)                                                 \
    F(T, INT, marker, "PartNumberMarker", BODY)                                                    \
    F(T, INT, next, "NextPartNumberMarker", BODY)                                                  \
    F(T, INT, max, "MaxParts", BODY)                                                               \
    F(T, BOOL, truncated, "IsTruncated", BODY)                                                     \
    F(T, STR, algorithm, "ChecksumAlgorithm", BODY)                                                \
    F(T, STR, type, "ChecksumType", BODY)                                                          \
    F(T, LIST, parts, "Part", BODY, .flags = FLAT, .of = &part_shape)
SHAPE(parts_out, "ListPartsOutput", PARTS_OUT)

static int64_t page_size(opt_int asked)
{
    return asked.set && asked.v < PAGE_MAX ? asked.v : PAGE_MAX;
}

static void fill_part(struct call *call, const struct s3_multipart *upload,
                      const struct s3_part *from, struct part *to)
{
    to->number = INT_OF(from->number);
    to->modified = INT_OF(from->mtime / 1000 * 1000);
    to->etag = s3_quoted(call, from->etag);
    to->size = INT_OF(from->size);
    if (upload->algorithm)
        (&to->checksum_md5)[upload->algorithm - 1] = from->checksum;
}

static void fill_parts(struct call *call, const struct s3_multipart *upload, int64_t marker,
                       int64_t max, struct parts_out *out)
{
    struct s3_part *parts;
    size_t n;
    s3_parts_read(call->api->s3, &call->ctx, 0, upload->id, &parts, &n);
    struct part *items = arena_array(call->ctx.arena, n, sizeof *items);
    out->parts = (list){.at = items, .set = true};
    out->next = INT_OF(0);
    out->truncated = BOOL_OF(false);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].number <= marker)
            continue;
        if ((int64_t)out->parts.n == max) {
            out->truncated.v = max > 0;
            break;
        }
        fill_part(call, upload, &parts[i], &items[out->parts.n++]);
        out->next.v = parts[i].number;
    }
}

static err parts_run(struct call *call, const void *input, void *output)
{
    const struct parts_in *in = input;
    struct parts_out *out = output;
    struct s3_bucket *bucket;
    struct s3_multipart upload;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_multipart_find(call->api->s3, &call->ctx, bucket, in->key, in->upload, &upload));
    out->bucket = in->bucket;
    out->key = in->key;
    out->upload = in->upload;
    out->initiator = initiator(call, upload.initiator);
    out->owner = owner(call, upload.object.owner);
    out->storage_class = storage_class(&upload);
    out->marker = INT_OF(in->marker.v);
    out->max = INT_OF(page_size(in->max));
    out->algorithm = s3_multipart_algorithm(&upload);
    out->type = s3_multipart_type(&upload);
    s3_abort_fill(call, bucket, &upload.object, &out->abort_date, &out->abort_rule);
    fill_parts(call, &upload, in->marker.v, out->max.v, out);
    return OK;
}

/* ---- ListMultipartUploads ---- */

#define UPLOADS_IN(F, T)                                                                           \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, delimiter, "delimiter", QUERY)                                                       \
    F(T, STR, encoding, "encoding-type", QUERY, .values = "url")                                   \
    F(T, STR, key_marker, "key-marker", QUERY)                                                     \
    F(T, INT, max, "max-uploads", QUERY, .max = INT32_MAX)                                         \
    F(T, STR, prefix, "prefix", QUERY)                                                             \
    F(T, STR, upload_marker, "upload-id-marker", QUERY)
SHAPE(uploads_in, "ListMultipartUploadsRequest", UPLOADS_IN)

#define UPLOAD(F, T)                                                                               \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, upload, "UploadId", BODY)                                                            \
    F(T, STRUCT, initiator, "Initiator", BODY, .of = &s3_owner_shape)                              \
    F(T, STRUCT, owner, "Owner", BODY, .of = &s3_owner_shape)                                      \
    F(T, STR, storage_class, "StorageClass", BODY)                                                 \
    F(T, TIME, initiated, "Initiated", BODY)                                                       \
    F(T, STR, algorithm, "ChecksumAlgorithm", BODY)                                                \
    F(T, STR, type, "ChecksumType", BODY)
SHAPE(open_upload, "MultipartUpload", UPLOAD)

#define COMMON_PREFIX(F, T) F(T, STR, prefix, "Prefix", BODY)
SHAPE(common_prefix, "CommonPrefix", COMMON_PREFIX)

#define UPLOADS_OUT(F, T)                                                                          \
    F(T, STR, bucket, "Bucket", BODY)                                                              \
    F(T, STR, key_marker, "KeyMarker", BODY)                                                       \
    F(T, STR, upload_marker, "UploadIdMarker", BODY)                                               \
    F(T, STR, next_key, "NextKeyMarker", BODY)                                                     \
    F(T, STR, next_upload, "NextUploadIdMarker", BODY)                                             \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STR, delimiter, "Delimiter", BODY)                                                        \
    F(T, STR, encoding, "EncodingType", BODY)                                                      \
    F(T, INT, max, "MaxUploads", BODY)                                                             \
    F(T, BOOL, truncated, "IsTruncated", BODY)                                                     \
    F(T, LIST, uploads, "Upload", BODY, .flags = FLAT, .of = &open_upload_shape)                   \
    F(T, LIST, prefixes, "CommonPrefixes", BODY, .flags = FLAT, .of = &common_prefix_shape)
SHAPE(uploads_out, "ListMultipartUploadsOutput", UPLOADS_OUT)

/* Keys travel encoded when the client asks for it. */
static str encoded(struct call *call, const struct uploads_in *in, str text)
{
    return in->encoding.p && text.p ? percent_encode(call->ctx.arena, text, PERCENT_FORM) : text;
}

static void fill_upload(struct call *call, const struct uploads_in *in,
                        const struct s3_multipart *from, struct open_upload *to)
{
    to->key = encoded(call, in, from->object.key);
    to->upload = from->name;
    to->initiator = initiator(call, from->initiator);
    to->owner = owner(call, from->object.owner);
    to->storage_class = storage_class(from);
    to->initiated = INT_OF(from->object.mtime / 1000 * 1000);
    to->algorithm = s3_multipart_algorithm(from);
    to->type = s3_multipart_type(from);
}

static void fill_uploads(struct call *call, const struct uploads_in *in,
                         const struct s3_multipart_page *page, struct uploads_out *out)
{
    struct open_upload *uploads = arena_array(call->ctx.arena, page->nuploads, sizeof *uploads);
    struct common_prefix *prefixes =
        arena_array(call->ctx.arena, page->nprefixes, sizeof *prefixes);
    for (size_t i = 0; i < page->nuploads; i++)
        fill_upload(call, in, &page->uploads[i], &uploads[i]);
    for (size_t i = 0; i < page->nprefixes; i++)
        prefixes[i].prefix = encoded(call, in, page->prefixes[i]);
    out->uploads = (list){.at = uploads, .n = page->nuploads, .set = true};
    out->prefixes = (list){.at = prefixes, .n = page->nprefixes, .set = true};
    out->truncated = BOOL_OF(page->truncated);
    out->next_key = page->next_key.p ? encoded(call, in, page->next_key) : S("");
    out->next_upload = page->next_upload.p ? page->next_upload : S("");
}

static err uploads_run(struct call *call, const void *input, void *output)
{
    const struct uploads_in *in = input;
    struct uploads_out *out = output;
    struct s3_bucket *bucket;
    struct s3_multipart_page page;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    struct s3_multipart_list ask = {.prefix = in->prefix,
                                    .delimiter = in->delimiter,
                                    .key_marker = in->key_marker,
                                    .upload_marker = in->upload_marker,
                                    .max = page_size(in->max)};
    TRY(s3_multipart_list(call->api->s3, &call->ctx, bucket, &ask, &page));
    out->bucket = in->bucket;
    out->key_marker = in->key_marker.p ? encoded(call, in, in->key_marker) : S("");
    /* Without a key an upload's marker is ignored. */
    out->upload_marker = in->key_marker.n && in->upload_marker.p ? in->upload_marker : S("");
    out->prefix = in->prefix.n ? encoded(call, in, in->prefix) : STR_NONE;
    out->delimiter = in->delimiter.n ? encoded(call, in, in->delimiter) : STR_NONE;
    out->encoding = in->encoding;
    out->max = INT_OF(ask.max);
    fill_uploads(call, in, &page, out);
    return OK;
}

const struct op s3_multipart_list_ops[] = {
    {.name = "ListParts",
     .in = &parts_in_shape,
     .out = &parts_out_shape,
     .run = parts_run,
     .flags = OP_READ,
     .rest = {"GET", REST_OBJECT, "uploadId"},
     .action = "s3:ListMultipartUploadParts",
     .out_root = "ListPartsResult"},
    {.name = "ListMultipartUploads",
     .in = &uploads_in_shape,
     .out = &uploads_out_shape,
     .run = uploads_run,
     .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "uploads"},
     .action = "s3:ListBucketMultipartUploads",
     .out_root = "ListMultipartUploadsResult"},
    {0},
};
