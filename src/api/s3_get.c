/* api/s3_get.c - GetObject and HeadObject: one operation that sends a body or doesn't. */
#include "api/s3_common.h"
#include "api/s3_meta.h"
#include "api/s3_tables.h"
#include "api/s3_range.h"
#include "base/text.h"
#include "s3/tags.h"

#define GET_IN(F, T)                                                                               \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_SSEC_IN(F, T)                                                                               \
    F(T, STR, version_id, "versionId", QUERY)                                                      \
    F(T, INT, part_number, "partNumber", QUERY, .min = 1, .max = 10000)                            \
    F(T, STR, range, "Range", HEADER)                                                              \
    F(T, STR, if_match, "If-Match", HEADER)                                                        \
    F(T, STR, if_none_match, "If-None-Match", HEADER)                                              \
    F(T, TIME, if_modified_since, "If-Modified-Since", HEADER)                                     \
    F(T, TIME, if_unmodified_since, "If-Unmodified-Since", HEADER)                                 \
    F(T, STR, checksum_mode, "x-amz-checksum-mode", HEADER)                                        \
    F(T, STR, cache_control, "response-cache-control", QUERY)                                      \
    F(T, STR, content_disposition, "response-content-disposition", QUERY)                          \
    F(T, STR, content_encoding, "response-content-encoding", QUERY)                                \
    F(T, STR, content_language, "response-content-language", QUERY)                                \
    F(T, STR, content_type, "response-content-type", QUERY)                                        \
    F(T, STR, expires, "response-expires", QUERY)
SHAPE(get_in, "GetObjectRequest", GET_IN)

#define READ_OUT(F, T)                                                                             \
    S3_STORED_OUT(F, T)                                                                            \
    S3_CHECKSUM_HEADERS(F, T)                                                                      \
    F(T, STR, checksum_type, "x-amz-checksum-type", HEADER)                                        \
    F(T, INT, status, "", STATUS)                                                                  \
    F(T, STR, accept_ranges, "Accept-Ranges", HEADER)                                              \
    F(T, STR, etag, "ETag", HEADER)                                                                \
    F(T, TIME, last_modified, "Last-Modified", HEADER)                                             \
    F(T, STR, content_range, "Content-Range", HEADER)                                              \
    F(T, STR, content_type, "Content-Type", HEADER)                                                \
    F(T, STR, cache_control, "Cache-Control", HEADER)                                              \
    F(T, STR, content_disposition, "Content-Disposition", HEADER)                                  \
    F(T, STR, content_encoding, "Content-Encoding", HEADER)                                        \
    F(T, STR, content_language, "Content-Language", HEADER)                                        \
    F(T, STR, expires, "Expires", HEADER)                                                          \
    F(T, MAP, metadata, "x-amz-meta-", META, .of = &str_pair_shape)                                \
    F(T, INT, missing_meta, "x-amz-missing-meta", HEADER)                                          \
    F(T, STR, storage_class, "x-amz-storage-class", HEADER)                                        \
    F(T, STR, website_redirect, "x-amz-website-redirect-location", HEADER)                         \
    F(T, STR, restore, "x-amz-restore", HEADER)                                                    \
    F(T, INT, parts_count, "x-amz-mp-parts-count", HEADER)                                         \
    F(T, INT, tag_count, "x-amz-tagging-count", HEADER)                                            \
    F(T, STR, lock_mode, "x-amz-object-lock-mode", HEADER)                                         \
    F(T, TIME, lock_until, "x-amz-object-lock-retain-until-date", HEADER)                          \
    F(T, STR, lock_hold, "x-amz-object-lock-legal-hold", HEADER)
#define GET_OUT(F, T)                                                                              \
    READ_OUT(F, T)                                                                                 \
    F(T, BLOB, body, "Body", PAYLOAD)
#define HEAD_OUT(F, T)                                                                             \
    READ_OUT(F, T)                                                                                 \
    F(T, INT, content_length, "Content-Length", NONE)
SHAPE(read_out, "GetObjectOutput", GET_OUT)
SHAPE(head_out, "HeadObjectOutput", HEAD_OUT)

/* Entries that no header can carry are only counted, as S3 does. */
static void fill_metadata(struct arena *arena, str packed, struct read_out *out)
{
    size_t n = str_count(packed, '\n'), missing = 0;
    list items = {.at = arena_array(arena, n, sizeof(struct str_pair)), .set = packed.n > 0};
    str rest = packed;
    while (items.n + missing < n) {
        str value = str_cut(&rest, '\n');
        str key = str_cut(&value, ':');
        if (key.n && key.p[0] == S3_META_UNSENDABLE)
            missing++;
        else
            *LIST_AT(items, struct str_pair, items.n++) =
                (struct str_pair){key, s3_meta_encode(arena, value)};
    }
    out->metadata = items;
    if (missing)
        out->missing_meta = INT_OF((int64_t)missing);
}

/* AWS sends an overriding header as ISO 8859-1, which check_characters has made sure of. Bytes that
 * are no UTF-8 stay as they are. */
static str latin(struct arena *arena, str text)
{
    char *to = arena_array(arena, text.n, 1);
    size_t n = 0;
    for (size_t at = 0, from = 0; at < text.n; from = at) {
        int32_t c = utf8_next(text, &at);
        to[n++] = c < 0 ? text.p[from] : (char)c;
    }
    return (str){to, n};
}

static str either(struct call *call, str override, str kept)
{
    return override.p ? latin(call->ctx.arena, override) : kept;
}

static void fill_content(struct call *call, const struct get_in *in, const struct s3_object *object,
                         struct read_out *out)
{
    str kept = object->content_type.p ? object->content_type : S("binary/octet-stream");
    out->content_type = either(call, in->content_type, kept);
    out->cache_control = either(call, in->cache_control, object->cache_control);
    out->content_disposition = either(call, in->content_disposition, object->content_disposition);
    out->content_encoding = either(call, in->content_encoding, object->content_encoding);
    out->content_language = either(call, in->content_language, object->content_language);
    out->expires = either(call, in->expires, object->expires);
    fill_metadata(call->ctx.arena, object->meta, out);
}

static str restore_of(struct call *call, const struct s3_object *object)
{
    if (object->restore_due)
        return S("ongoing-request=\"true\"");
    if (object->restore_until <= call->ctx.now)
        return STR_NONE;
    return arena_printf(call->ctx.arena, "ongoing-request=\"false\", expiry-date=\"%.*s\"",
                        STR_ARG(date_http(call->ctx.arena, object->restore_until)));
}

static void fill_state(struct call *call, const struct s3_object *object, struct read_out *out)
{
    out->accept_ranges = S("bytes");
    out->etag = s3_quoted(call, object->etag);
    out->last_modified = INT_OF(object->mtime);
    out->storage_class = object->storage_class;
    out->website_redirect = object->website_redirect;
    out->restore = restore_of(call, object);
    if (object->tags.n)
        out->tag_count = INT_OF((int64_t)str_count(object->tags, '&') + 1);
    out->lock_mode = object->lock_mode;
    if (object->lock_mode.p)
        out->lock_until = INT_OF(object->lock_until);
    if (object->legal_hold_set)
        out->lock_hold = object->legal_hold ? S("ON") : S("OFF");
}

/* A 304 names what the client has; its Content-Length is that of the body it stands for. */
static void not_modified(struct call *call, const struct s3_bucket *bucket,
                         const struct s3_object *object)
{
    struct arena *arena = call->ctx.arena;
    call->reply->length = object->size;
    http_reply_header(arena, call->reply, S("ETag"), s3_quoted(call, object->etag));
    http_reply_header(arena, call->reply, S("Last-Modified"), date_http(arena, object->mtime));
    str version = s3_object_version(bucket, object);
    if (version.p)
        http_reply_header(arena, call->reply, S("x-amz-version-id"), version);
    if (object->cache_control.p)
        http_reply_header(arena, call->reply, S("Cache-Control"), object->cache_control);
    if (object->expires.p)
        http_reply_header(arena, call->reply, S("Expires"), object->expires);
}

static err check_conditions(struct call *call, const struct get_in *in,
                            const struct s3_bucket *bucket, const struct s3_object *object)
{
    struct s3_conditions conditions = {in->if_match, in->if_none_match, in->if_modified_since,
                                       in->if_unmodified_since};
    err e = s3_conditions_read(&call->ctx, &conditions, object);
    if (e.fault == &S3_NOT_MODIFIED)
        not_modified(call, bucket, object);
    return e;
}

/* The headers that the request overrides must fit into ISO 8859-1. */
static err check_characters(struct call *call, const struct get_in *in)
{
    const struct {
        const char *name;
        str value;
    } overrides[] = {{"response-cache-control", in->cache_control},
                     {"response-content-disposition", in->content_disposition},
                     {"response-content-encoding", in->content_encoding},
                     {"response-content-language", in->content_language},
                     {"response-content-type", in->content_type},
                     {"response-expires", in->expires}};
    for (size_t i = 0; i < sizeof overrides / sizeof overrides[0]; i++)
        for (size_t at = 0; at < overrides[i].value.n;)
            if (utf8_next(overrides[i].value, &at) > 0xFF)
                return s3_argument_invalid(call,
                                           "Header value cannot be represented using ISO-8859-1.",
                                           overrides[i].name, overrides[i].value);
    return OK;
}

static err check_overrides(struct call *call, const struct get_in *in)
{
    bool any = in->cache_control.p || in->content_disposition.p || in->content_encoding.p ||
               in->content_language.p || in->content_type.p || in->expires.p;
    if (!any || !call->ctx.anonymous)
        return any ? check_characters(call, in) : OK;
    return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                    "Request specific response headers cannot be used for anonymous GET requests.");
}

/* Checksums are those of the whole body, or of the part asked for where the object's is made of
 * its parts': of one part of several under a full-object checksum AWS tells none. */
static void fill_checksum(const struct get_in *in, const struct s3_object *object,
                          const struct s3_span *span, struct read_out *out)
{
    if (!str_eq_nocase(in->checksum_mode, S("ENABLED")))
        return;
    if (span->whole) {
        s3_checksum_fill(object, &out->checksum_md5, &out->checksum_type);
    } else if (object->composite && span->part_checksum.p) {
        struct s3_object part = {.checksum_kind = span->part_checksum_kind,
                                 .checksum = span->part_checksum,
                                 .composite = true};
        s3_checksum_fill(&part, &out->checksum_md5, &out->checksum_type);
    }
}

static void fill_span(struct call *call, const struct s3_object *object, const struct s3_span *span,
                      struct read_out *out)
{
    if (span->parts_count)
        out->parts_count = INT_OF(span->parts_count);
    if (!span->partial)
        return;
    out->status = INT_OF(206);
    if (object->size)
        out->content_range =
            arena_printf(call->ctx.arena, "bytes %lld-%lld/%lld", (long long)span->at,
                         (long long)(span->at + span->length - 1), (long long)object->size);
}

/* Only a customer's key is the reader's business. */
static err check_encryption(struct call *call)
{
    str sse = http_header(call->request, S("x-amz-server-side-encryption"));
    if (!sse.p)
        return OK;
    return s3_argument_invalid(
        call, "x-amz-server-side-encryption header is not supported for this operation.",
        "x-amz-server-side-encryption", sse);
}

/* Everything but the body. */
static err read_object(struct call *call, const struct get_in *in, struct s3_object *object,
                       struct s3_span *span, struct read_out *out)
{
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(check_overrides(call, in));
    TRY(check_encryption(call));
    TRY(s3_find_for(call, bucket, in->key, in->version_id, object));
    TRY(s3_ssec_check(call, in->ssec_algorithm, in->ssec_key, in->ssec_md5, object));
    TRY(check_conditions(call, in, bucket, object));
    TRY(s3_span_of(call, object, in->range, in->part_number, span));
    bool by_key = !in->version_id.p; /* x-amz-expiration is told of keys alone */
    s3_stored_fill(call, bucket, object, by_key, (struct s3_stored_out *)out);
    fill_content(call, in, object, out);
    fill_state(call, object, out);
    fill_checksum(in, object, span, out);
    fill_span(call, object, span, out);
    return OK;
}

static err get(struct call *call, const void *input, void *output)
{
    struct s3_object object;
    struct s3_span span;
    TRY(read_object(call, input, &object, &span, output));
    if (s3_object_archived(&call->ctx, &object))
        return err_with(call->ctx.arena, FAIL(S3_INVALID_OBJECT_STATE), "StorageClass",
                        object.storage_class);
    return s3_reply_body(call, &object, span.at, span.length);
}

static err head(struct call *call, const void *input, void *output)
{
    struct s3_object object;
    struct s3_span span;
    TRY(read_object(call, input, &object, &span, (struct read_out *)output));
    call->reply->kind = HTTP_BODY_HEAD;
    call->reply->length = span.length;
    return OK;
}

const struct op s3_get_ops[] = {
    {"GetObject", &get_in_shape, &read_out_shape, get, .flags = OP_READ,
     .rest = {"GET", REST_OBJECT}},
    {"HeadObject", &get_in_shape, &head_out_shape, head, .flags = OP_READ,
     .rest = {"HEAD", REST_OBJECT}, .action = "s3:GetObject"},
    {0},
};
