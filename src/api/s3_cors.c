/* api/s3_cors.c - see s3_cors.h. Texts of refused preflights are AWS's, its spelling of "evalution"
 * included. */
#include "api/s3_cors.h"

#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "base/text.h"
#include "s3/cors.h"

static struct s3_cors_request request_of(const struct http_request *request)
{
    str method = http_header(request, S("Access-Control-Request-Method"));
    return (struct s3_cors_request){.origin = http_header(request, S("Origin")),
                                    .method = method.p ? method : request->method,
                                    .headers =
                                        http_header(request, S("Access-Control-Request-Headers"))};
}

static const struct s3_cors_rule *rule_for(struct s3 *s3, struct ctx *ctx,
                                           const struct http_request *request, str name)
{
    struct s3_cors_request ask = request_of(request);
    struct s3_bucket *bucket = ask.origin.p && name.p ? s3_bucket_get(s3, name) : NULL;
    struct s3_cors cors = {0};
    if (!bucket || !s3_document_load(s3, ctx, bucket, S3_CONFIG_CORS, S(""), &cors))
        return NULL;
    return s3_cors_rule_for(&cors, &ask);
}

bool s3_cors_allows(struct s3 *s3, struct ctx *ctx, const struct http_request *request, str bucket)
{
    return rule_for(s3, ctx, request, bucket) != NULL;
}

static str joined(struct arena *arena, list values)
{
    struct buf b = buf_in(arena);
    LIST_EACH (const struct scalar_str, item, values) {
        if (b.n)
            BUF_LIT(&b, ", ");
        buf_put(&b, item->value);
    }
    return buf_str(&b);
}

/* "X-A,x-b" -> "x-a, x-b" */
static str tidied(struct arena *arena, str headers)
{
    struct buf b = buf_in(arena);
    str rest = text_lower(arena, headers);
    while (rest.p) {
        str header = str_trim(str_cut(&rest, ','));
        if (b.n)
            BUF_LIT(&b, ", ");
        buf_put(&b, header);
    }
    return buf_str(&b);
}

static void put_headers(struct arena *arena, const struct s3_cors_rule *rule,
                        const struct s3_cors_request *ask, struct http_reply *reply)
{
    bool any = s3_cors_any_origin(rule);
    http_reply_set(arena, reply, S("Access-Control-Allow-Origin"), any ? S("*") : ask->origin);
    http_reply_set(arena, reply, S("Access-Control-Allow-Methods"), joined(arena, rule->methods));
    if (ask->headers.n)
        http_reply_set(arena, reply, S("Access-Control-Allow-Headers"),
                       tidied(arena, ask->headers));
    if (rule->expose.n)
        http_reply_set(arena, reply, S("Access-Control-Expose-Headers"),
                       joined(arena, rule->expose));
    if (rule->max_age.set)
        http_reply_set(arena, reply, S("Access-Control-Max-Age"),
                       arena_printf(arena, "%lld", (long long)rule->max_age.v));
    if (!any)
        http_reply_set(arena, reply, S("Access-Control-Allow-Credentials"), S("true"));
    http_reply_set(arena, reply, S("Vary"),
                   S("Origin, Access-Control-Request-Headers, Access-Control-Request-Method"));
}

void s3_cors_headers(struct s3 *s3, struct ctx *ctx, const struct http_request *request, str bucket,
                     struct http_reply *reply)
{
    const struct s3_cors_rule *rule = rule_for(s3, ctx, request, bucket);
    struct s3_cors_request ask = request_of(request);
    if (rule)
        put_headers(ctx->arena, rule, &ask, reply);
}

/* ---- preflights ---- */

#define PREFLIGHT_IN(F, T) F(T, STR, bucket, "Bucket", BUCKET, .flags = REQUIRED)
SHAPE(preflight_in, "PreflightRequest", PREFLIGHT_IN)

static err forbidden(struct call *call, const char *text, str method, const char *resource)
{
    err e = err_text(call->ctx.arena, &S3_ACCESS_FORBIDDEN, "%s", text);
    e = err_with(call->ctx.arena, e, "Method", method);
    return err_with(call->ctx.arena, e, "ResourceType", str_of(resource));
}

static bool method_known(str method)
{
    static const char *const known[] = {"GET", "PUT", "HEAD", "POST", "DELETE"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(method, str_of(known[i])))
            return true;
    return false;
}

static err invalid_method(struct call *call, str method)
{
    return err_text(call->ctx.arena, &S3_BAD_REQUEST, "Invalid Access-Control-Request-Method: %.*s",
                    STR_ARG(method));
}

static err check_asked_headers(struct call *call, str headers)
{
    str rest = headers;
    while (rest.p) {
        str name = str_trim(str_cut(&rest, ','));
        if (!s3_cors_header_name(name))
            return err_text(call->ctx.arena, &S3_BAD_REQUEST,
                            "Access-Control-Request-Headers \"%.*s\" contains invalid character.",
                            STR_ARG(name));
    }
    return OK;
}

static err preflight_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct preflight_in *in = input;
    struct s3_bucket *bucket;
    struct s3_cors cors = {0};
    struct s3_cors_request ask = request_of(call->request);
    str method = http_header(call->request, S("Access-Control-Request-Method"));
    if (!ask.origin.n)
        return err_text(call->ctx.arena, &S3_BAD_REQUEST,
                        "Insufficient information. Origin request header needed.");
    if (method.p && !method_known(method))
        return invalid_method(call, method);
    TRY(check_asked_headers(call, ask.headers));
    bucket = s3_bucket_get(call->api->s3, in->bucket);
    if (!bucket ||
        !s3_document_load(call->api->s3, &call->ctx, bucket, S3_CONFIG_CORS, S(""), &cors))
        return forbidden(call,
                         bucket ? "CORSResponse: CORS is not enabled for this bucket."
                                : "CORSResponse: Bucket not found",
                         method.p ? method : S("OPTIONS"), "BUCKET");
    if (!method.p)
        return invalid_method(call, S("null"));
    const struct s3_cors_rule *rule = s3_cors_rule_for(&cors, &ask);
    if (!rule)
        return forbidden(call,
                         "CORSResponse: This CORS request is not allowed. This is usually because "
                         "the evalution of Origin, request "
                         "method / Access-Control-Request-Method or Access-Control-Request-Headers "
                         "are not whitelisted by the "
                         "resource's CORS spec.",
                         method, "OBJECT");
    put_headers(call->ctx.arena, rule, &ask, call->reply);
    return OK;
}

const struct op s3_cors_ops[] = {
    {.name = "PreflightObject",
     .in = &preflight_in_shape,
     .out = &empty_shape,
     .run = preflight_run,
     .flags = OP_READ | OP_ANONYMOUS,
     .rest = {"OPTIONS", REST_OBJECT}},
    {.name = "PreflightBucket",
     .in = &preflight_in_shape,
     .out = &empty_shape,
     .run = preflight_run,
     .flags = OP_READ | OP_ANONYMOUS,
     .rest = {"OPTIONS", REST_BUCKET}},
    {0},
};
