/* api/s3_common.c - see s3_common.h. */
#include "api/s3_common.h"

#include "api/s3_upload.h"
#include "aws/keys.h"
#include "base/digest.h"
#include "base/text.h"
#include "s3/document.h"
#include "s3/lifecycle.h"
#include "s3/tags.h"

SHAPE_DEFINE(s3_owner, "Owner", S3_OWNER)

err s3_argument_invalid(struct call *call, const char *text, const char *name, str value)
{
    return s3_argument(call->ctx.arena, name, value, text);
}

/* Where the requester pays, other accounts must say that they know. */
static err requester_pays(struct call *call, struct s3_bucket *bucket)
{
    struct s3_request_payment config = {0};
    if (str_eq(bucket->account, call->ctx.account) && !call->ctx.anonymous)
        return OK;
    if (!s3_document_load(call->api->s3, &call->ctx, bucket, S3_CONFIG_REQUEST_PAYMENT, S(""),
                          &config) ||
        !str_eq(config.payer, S("Requester")))
        return OK;
    if (call->ctx.anonymous ||
        !str_eq(http_header(call->request, S("x-amz-request-payer")), S("requester")))
        return FAIL(S3_ACCESS_DENIED);
    http_reply_set(call->ctx.arena, call->reply, S("x-amz-request-charged"), S("requester"));
    return OK;
}

err s3_bucket_of(struct call *call, str bucket, str expected_owner, struct s3_bucket **out)
{
    if (expected_owner.p && call->ctx.anonymous && !str_is_account(expected_owner))
        return FAIL(S3_ACCESS_DENIED); /* nobody is told what is wrong */
    if (expected_owner.p && !str_is_account(expected_owner))
        return err_text(
            call->ctx.arena, &S3_INVALID_BUCKET_OWNER,
            "The value of the expected bucket owner parameter must be an AWS Account ID... [%.*s]",
            STR_ARG(expected_owner));
    TRY(s3_bucket_find(call->api->s3, &call->ctx, bucket, out));
    if (expected_owner.p && !str_eq((*out)->account, expected_owner))
        return FAIL(S3_ACCESS_DENIED);
    return requester_pays(call, *out);
}

struct s3_owner s3_owner_of(struct call *call, str account)
{
    struct identity who;
    if (!call->api->keys)
        return (struct s3_owner){.id = keys_canonical_id(call->ctx.arena, account)};
    keys_of_account(call->api->keys, call->ctx.arena, account, &who);
    return (struct s3_owner){.id = who.canonical_id, .display_name = who.display_name};
}

str s3_quoted(struct call *call, str etag)
{
    char *text = arena_alloc(call->ctx.arena, etag.n + 3);
    text[0] = text[etag.n + 1] = '"';
    if (etag.n)
        memcpy(text + 1, etag.p, etag.n);
    return (str){text, etag.n + 2};
}

/* AWS writes the id as it is, blanks too; nothing is known of what a header cannot carry. */
static str header_form(struct arena *arena, str id)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (c >= ' ' && c < 0x7f && c != '"')
            buf_char(&b, (char)c);
        else
            buf_printf(&b, "%%%02X", c);
    }
    return buf_str(&b);
}

/* x-amz-expiration: when lifecycle will take the version, and by which rule. */
static void put_expiration(struct call *call, const struct s3_bucket *bucket,
                           const struct s3_object *object)
{
    msec when;
    str rule;
    if (!object->id || !s3_bucket_has(bucket, S3_CONFIG_LIFECYCLE) ||
        !s3_lifecycle_expiry(call->api->s3, &call->ctx, s3_bucket_get(call->api->s3, bucket->name),
                             object, &when, &rule))
        return;
    struct arena *arena = call->ctx.arena;
    str text = arena_printf(arena, "expiry-date=\"%.*s\", rule-id=\"%.*s\"",
                            STR_ARG(date_http(arena, when)), STR_ARG(header_form(arena, rule)));
    http_reply_set(arena, call->reply, S("x-amz-expiration"), text);
}

void s3_abort_fill(struct call *call, struct s3_bucket *bucket, const struct s3_object *upload,
                   opt_int *date, str *rule)
{
    msec when;
    if (s3_lifecycle_abort(call->api->s3, &call->ctx, bucket, upload, &when, rule))
        *date = INT_OF(when);
}

void s3_stored_fill(struct call *call, const struct s3_bucket *bucket,
                    const struct s3_object *object, bool expiration, struct s3_stored_out *out)
{
    if (expiration)
        put_expiration(call, bucket, object);
    out->version_id = s3_object_version(bucket, object);
    if (object->ssec_md5.p) {
        out->ssec_algorithm = S("AES256");
        out->ssec_md5 = object->ssec_md5;
        return;
    }
    out->sse = object->sse.p ? object->sse : S("AES256");
    out->sse_key = object->sse_key;
    if (object->sse_bucket_key)
        out->sse_bucket_key = BOOL_OF(true);
}

void s3_written_fill(struct call *call, const struct s3_bucket *bucket,
                     const struct s3_object *object, struct s3_stored_out *out)
{
    s3_stored_fill(call, bucket, object, true, out);
    out->version_id = object->version;
}

void s3_checksum_fill(const struct s3_object *object, str *checksum_md5, str *type)
{
    if (!object->checksum_kind || !object->checksum.p)
        return;
    checksum_md5[object->checksum_kind - 1] = object->checksum;
    if (type)
        *type = object->composite ? S("COMPOSITE") : S("FULL_OBJECT");
}

err s3_marker_refused(struct call *call, const struct s3_object *marker)
{
    struct arena *arena = call->ctx.arena;
    http_reply_header(arena, call->reply, S("Allow"), S("DELETE"));
    http_reply_header(arena, call->reply, S("Last-Modified"), date_http(arena, marker->mtime));
    err e = err_with(arena, FAIL(S3_METHOD_NOT_ALLOWED), "Method", call->request->method);
    return err_with(arena, e, "ResourceType", S("DeleteMarker"));
}

err s3_find_for(struct call *call, struct s3_bucket *bucket, str key, str version,
                struct s3_object *out)
{
    struct arena *arena = call->ctx.arena;
    *out = (struct s3_object){0};
    err e = s3_object_find(call->api->s3, &call->ctx, bucket, key, version, out);
    if (!failed(e) || !out->marker)
        return e;
    /* To change a key behind a marker is refused as if the marker had been named. */
    if (str_eq(call->request->method, S("PUT")) || str_eq(call->request->method, S("DELETE")))
        e = FAIL(S3_METHOD_NOT_ALLOWED);
    http_reply_header(arena, call->reply, S("x-amz-delete-marker"), S("true"));
    http_reply_header(arena, call->reply, S("x-amz-version-id"), s3_object_version(bucket, out));
    return e.fault == &S3_METHOD_NOT_ALLOWED ? s3_marker_refused(call, out) : e;
}
