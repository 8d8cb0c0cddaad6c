/* api/s3_log.c - see s3_log.h. Fields and their order:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html. */
#include "api/s3_log.h"

#include "api/s3_common.h"
#include "base/text.h"
#include "s3/access_log.h"
#include "s3/config.h"

static void put(struct buf *b, str text)
{
    buf_put(b, text.n ? text : S("-"));
    buf_char(b, ' ');
}

static void put_quoted(struct buf *b, str text)
{
    if (!text.n) {
        BUF_LIT(b, "\"-\" ");
        return;
    }
    buf_char(b, '"');
    for (size_t i = 0; i < text.n; i++)
        buf_char(b, text.p[i] == '"' ? '\'' : text.p[i]);
    BUF_LIT(b, "\" ");
}

/* REST.PUT.OBJECT, REST.GET.UPLOADS: the method and the first sub-resource of the operation's
 * route. */
static void put_operation(struct buf *b, const struct call *call)
{
    str rest = str_of(call->op->rest.query);
    str resource = rest.p ? str_cut(&rest, '&') : call->key.n ? S("OBJECT") : S("BUCKET");
    bool copy = str_eq(str_of(call->op->name), S("CopyObject"));
    buf_printf(b, "REST.%s.", copy ? "COPY" : arena_cstr(b->arena, call->request->method));
    for (size_t i = 0; i < resource.n; i++)
        buf_char(b, resource.p[i] >= 'a' && resource.p[i] <= 'z' ? (char)(resource.p[i] - 32)
                                                                 : resource.p[i]);
    buf_char(b, ' ');
}

static int64_t sent(const struct http_reply *reply)
{
    return reply->kind == HTTP_BODY_BYTES  ? (int64_t)reply->bytes.n
           : reply->kind == HTTP_BODY_HEAD ? 0
                                           : reply->length;
}

static void put_number(struct buf *b, int64_t value)
{
    if (value > 0)
        buf_int(b, value);
    else
        buf_char(b, '-');
    buf_char(b, ' ');
}

static str line_of(struct call *call, const struct s3_bucket *bucket,
                   const struct http_reply *reply, err e, int64_t micros)
{
    const struct http_request *request = call->request;
    const struct ctx *ctx = &call->ctx;
    struct buf b = buf_in(ctx->arena);
    put(&b, s3_owner_of(call, bucket->account).id);
    put(&b, bucket->name);
    buf_printf(&b, "[%.*s] ", STR_ARG(date_log(ctx->arena, ctx->now)));
    put(&b, ctx->source_ip);
    put(&b, ctx->anonymous ? STR_NONE : ctx->principal);
    put(&b, ctx->request_id);
    put_operation(&b, call);
    put(&b, percent_encode(ctx->arena, call->key, PERCENT_PATH));
    put_quoted(&b, arena_printf(ctx->arena, "%.*s %.*s HTTP/1.1", STR_ARG(request->method),
                                STR_ARG(request->target)));
    put_number(&b, reply->status);
    put(&b, failed(e) ? str_of(e.fault->code) : STR_NONE);
    put_number(&b, sent(reply));
    put_number(&b, request->content_length > 0 ? request->content_length : sent(reply));
    put_number(&b, micros / 1000 + 1);
    put_number(&b, micros / 1000 + 1);
    put_quoted(&b, http_header(request, S("Referer")));
    put_quoted(&b, http_header(request, S("User-Agent")));
    put(&b, STR_NONE);
    put(&b, ctx->host_id);
    put(&b, ctx->anonymous ? STR_NONE : S("SigV4"));
    put(&b, STR_NONE);
    put(&b, ctx->anonymous                               ? STR_NONE
            : http_header(request, S("Authorization")).p ? S("AuthHeader")
                                                         : S("QueryString"));
    put(&b, ctx->host);
    BUF_LIT(&b, "- - -");
    return buf_str(&b);
}

void s3_log_request(struct call *call, const struct http_reply *reply, err e, int64_t micros)
{
    struct s3_bucket *bucket =
        call->op && call->bucket.p ? s3_bucket_get(call->api->s3, call->bucket) : NULL;
    if (bucket && s3_bucket_has(bucket, S3_CONFIG_LOGGING))
        /* A disk that fails is met by the turn's commit, which tells the client. */
        (void)s3_log_add(call->api->s3, &call->ctx, bucket,
                         line_of(call, bucket, reply, e, micros));
}
