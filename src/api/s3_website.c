/* api/s3_website.c - see s3_website.h. Facts:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html.
 *
 * The order is AWS's: redirect everything; a rule that looks at the key alone; the object, or the
 * index document of a "directory"; then rules that look at the error, the error document, and a
 * page of our own. */
#include "api/s3_website.h"

#include "api/s3_access.h"
#include "api/s3_common.h"
#include "api/s3_meta.h"
#include "api/s3_range.h"
#include "base/text.h"
#include "s3/condition.h"
#include "s3/document.h"

#define WEBSITE_IN(F, T)                                                                           \
    F(T, STR, bucket, "Bucket", BUCKET)                                                            \
    F(T, STR, key, "Key", KEY)
SHAPE(website_in, "WebsiteRequest", WEBSITE_IN)

bool s3_website_host(str host, str *bucket)
{
    static const char mark[] = ".s3-website";
    ptrdiff_t at = str_find(host, S(".s3-website"), 0);
    if (at <= 0)
        return false;
    size_t after = (size_t)at + sizeof mark - 1;
    if (after >= host.n || (host.p[after] != '.' && host.p[after] != '-'))
        return false;
    *bucket = str_slice(host, 0, (size_t)at);
    return true;
}

struct visit {
    struct call *call;
    struct s3_bucket *bucket;
    struct s3_website config;
    str key; /* without the leading slash, as asked for */
};

/* ---- answers ---- */

static void header(struct visit *v, const char *name, str value)
{
    if (value.p)
        http_reply_set(v->call->ctx.arena, v->call->reply, str_of(name), value);
}

static str protocol_or_http(str protocol)
{
    return protocol.p ? protocol : S("http");
}

static err move(struct visit *v, int status, str location)
{
    header(v, "Location", location);
    v->call->reply->status = status;
    v->call->reply->bytes = S("");
    return OK;
}

static const char *reason(int status)
{
    switch (status) {
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 412:
        return "Precondition Failed";
    case 416:
        return "Requested Range Not Satisfiable";
    default:
        return "Bad Request";
    }
}

static void item(struct buf *b, const char *name, str value)
{
    buf_printf(b, "<li>%s: ", name);
    buf_xml(b, value);
    BUF_LIT(b, "</li>\n");
}

static void list_error(struct visit *v, struct buf *b, err e)
{
    item(b, "Code", str_of(e.fault->code));
    item(b, "Message", err_message(e));
    for (struct fault_extra *extra = e.detail ? e.detail->extras : NULL; extra; extra = extra->next)
        item(b, arena_cstr(v->call->ctx.arena, extra->name), extra->value);
}

/* Keys and ranges are the visitor's: what no header can carry is encoded. */
static str sendable(struct arena *arena, str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] < ' ' || value.p[i] > '~')
            return percent_encode(arena, value, PERCENT_PATH);
    return value;
}

static void error_headers(struct visit *v, err e)
{
    struct arena *arena = v->call->ctx.arena;
    header(v, "x-amz-error-code", str_of(e.fault->code));
    header(v, "x-amz-error-message", err_message(e));
    for (struct fault_extra *extra = e.detail ? e.detail->extras : NULL; extra; extra = extra->next)
        header(v, arena_printf(arena, "x-amz-error-detail-%.*s", STR_ARG(extra->name)).p,
               sendable(arena, extra->value));
}

/* `document`: what went wrong with the error document, if anything did. */
static err page(struct visit *v, err e, err document)
{
    struct call *call = v->call;
    struct buf b = buf_in(call->ctx.arena);
    int status = e.fault->status;
    buf_printf(&b, "<html>\n<head><title>%d %s</title></head>\n<body>\n<h1>%d %s</h1>\n<ul>\n",
               status, reason(status), status, reason(status));
    list_error(v, &b, e);
    item(&b, "RequestId", call->ctx.request_id);
    item(&b, "HostId", call->ctx.host_id);
    BUF_LIT(&b, "</ul>\n");
    if (failed(document)) {
        BUF_LIT(&b, "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document"
                    "</h3>\n<ul>\n");
        list_error(v, &b, document);
        BUF_LIT(&b, "</ul>\n");
    }
    BUF_LIT(&b, "<hr/>\n</body>\n</html>\n");
    error_headers(v, e);
    http_reply_bytes(call->ctx.arena, call->reply, status, S("text/html; charset=utf-8"),
                     buf_str(&b));
    return OK;
}

static void metadata(struct visit *v, str packed)
{
    struct arena *arena = v->call->ctx.arena;
    str rest = packed;
    while (rest.n) {
        str value = str_cut(&rest, '\n'), key = str_cut(&value, ':');
        if (key.n && key.p[0] != S3_META_UNSENDABLE)
            header(v, arena_printf(arena, "x-amz-meta-%.*s", STR_ARG(key)).p,
                   s3_meta_encode(arena, value));
    }
}

static void describe(struct visit *v, const struct s3_object *object)
{
    header(v, "Content-Type",
           object->content_type.p ? object->content_type : S("binary/octet-stream"));
    header(v, "Cache-Control", object->cache_control);
    header(v, "Content-Disposition", object->content_disposition);
    header(v, "Content-Encoding", object->content_encoding);
    header(v, "Content-Language", object->content_language);
    header(v, "Expires", object->expires);
    header(v, "ETag", s3_quoted(v->call, object->etag));
    header(v, "Last-Modified", date_http(v->call->ctx.arena, object->mtime));
    metadata(v, object->meta);
}

static err send(struct visit *v, const struct s3_object *object, const struct s3_span *span,
                int status)
{
    struct call *call = v->call;
    describe(v, object);
    if (span->partial)
        header(v, "Content-Range",
               arena_printf(call->ctx.arena, "bytes %lld-%lld/%lld", (long long)span->at,
                            (long long)(span->at + span->length - 1), (long long)object->size));
    call->reply->status = span->partial ? 206 : status;
    if (str_eq(call->request->method, S("HEAD"))) {
        call->reply->kind = HTTP_BODY_HEAD;
        call->reply->length = span->length;
        return OK;
    }
    return s3_reply_body(call, object, span->at, span->length);
}

/* ---- rules ---- */

/* Text that goes into a header as it stands ("#!/" is meant to stay that), but for what would end
 * the header. */
static str as_it_stands(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] > ' ' && text.p[i] <= '~')
            buf_char(&b, text.p[i]);
        else
            buf_percent(&b, str_slice(text, i, i + 1), PERCENT_PATH);
    return buf_str(&b);
}

/* Somewhere on a host, with the visitor's query. */
static str elsewhere(struct visit *v, str protocol, str host, str path)
{
    struct arena *arena = v->call->ctx.arena;
    str query = v->call->request->query;
    return arena_printf(arena, "%.*s://%.*s/%.*s%s%.*s", STR_ARG(protocol_or_http(protocol)),
                        STR_ARG(host), STR_ARG(path), query.p ? "?" : "",
                        STR_ARG(as_it_stands(arena, query)));
}

static str redirect_target(struct visit *v, const struct s3_redirect *redirect, str prefix)
{
    struct arena *arena = v->call->ctx.arena;
    str put = redirect->replace_key.p ? redirect->replace_key : redirect->replace_prefix;
    str kept = redirect->replace_key.p      ? S("")
               : redirect->replace_prefix.p ? str_slice(v->key, prefix.n, v->key.n)
                                            : v->key;
    str path =
        arena_join(arena, as_it_stands(arena, put), percent_encode(arena, kept, PERCENT_PATH));
    return elsewhere(v, redirect->protocol, redirect->host.p ? redirect->host : v->call->ctx.host,
                     path);
}

/* The first rule for this key and error (absent: before anything went wrong). */
static const struct s3_routing_rule *rule_for(const struct visit *v, str error)
{
    LIST_EACH (const struct s3_routing_rule, rule, v->config.rules) {
        const struct s3_routing_condition *condition = rule->condition;
        str wanted = condition ? condition->error : STR_NONE,
            prefix = condition ? condition->prefix : STR_NONE;
        if (!wanted.p == !error.p && (!wanted.p || str_eq(wanted, error)) &&
            str_starts(v->key, prefix))
            return rule;
    }
    return NULL;
}

static err follow(struct visit *v, const struct s3_routing_rule *rule)
{
    const struct s3_routing_condition *condition = rule->condition;
    const struct s3_redirect *redirect = rule->redirect;
    int64_t status = 301;
    if (redirect->code.p)
        str_to_int(redirect->code, &status);
    return move(v, (int)status,
                redirect_target(v, redirect, condition ? condition->prefix : STR_NONE));
}

/* ---- the visit ---- */

static err find(struct visit *v, str key, struct s3_object *object)
{
    struct call *call = v->call;
    TRY(s3_may(call, "s3:GetObject", v->bucket->name, key, STR_NONE));
    return s3_object_find(call->api->s3, &call->ctx, v->bucket, key, STR_NONE, object);
}

static err fail(struct visit *v, err e)
{
    const struct s3_error_document *document = v->config.error;
    struct s3_object object;
    const struct s3_routing_rule *rule =
        rule_for(v, arena_printf(v->call->ctx.arena, "%d", e.fault->status));
    if (rule)
        return follow(v, rule);
    err missing = document ? find(v, document->key, &object) : OK;
    if (!document || failed(missing))
        return page(v, e, missing);
    error_headers(v, e);
    return send(v, &object, &(struct s3_span){.length = object.size}, e.fault->status);
}

static str index_key(struct visit *v, str folder)
{
    const struct s3_index_document *index = v->config.index;
    return arena_join(v->call->ctx.arena, folder, index->suffix);
}

static opt_int date_of(struct visit *v, const char *name)
{
    msec when;
    str text = http_header(v->call->request, str_of(name));
    return text.p && date_parse(text, &when) ? INT_OF(when) : (opt_int){0};
}

/* Conditions and ranges hold here as in the API. */
static err send_if(struct visit *v, const struct s3_object *object)
{
    const struct http_request *request = v->call->request;
    struct s3_conditions conditions = {
        http_header(request, S("If-Match")), http_header(request, S("If-None-Match")),
        date_of(v, "If-Modified-Since"), date_of(v, "If-Unmodified-Since")};
    err e = s3_conditions_read(&v->call->ctx, &conditions, object);
    struct s3_span span;
    if (!failed(e))
        e = s3_span_of(v->call, object, http_header(request, S("Range")), (opt_int){0}, &span);
    if (!failed(e)) {
        header(v, "Accept-Ranges", S("bytes"));
        return send(v, object, &span, 200);
    }
    if (e.fault != &S3_NOT_MODIFIED)
        return fail(v, e);
    header(v, "ETag", s3_quoted(v->call, object->etag));
    header(v, "Last-Modified", date_http(v->call->ctx.arena, object->mtime));
    header(v, "Cache-Control", object->cache_control);
    header(v, "Expires", object->expires);
    v->call->reply->status = 304;
    v->call->reply->bytes = S("");
    return OK;
}

static err show(struct visit *v)
{
    struct s3_object object;
    struct arena *arena = v->call->ctx.arena;
    bool folder = !v->key.n || str_ends(v->key, S("/"));
    err e = find(v, folder ? index_key(v, v->key) : v->key, &object);
    if (!failed(e) && object.website_redirect.p)
        return move(v, 301, object.website_redirect);
    if (!failed(e))
        return send_if(v, &object);
    if (!folder && !failed(find(v, index_key(v, arena_join(arena, v->key, S("/"))), &object)))
        return move(
            v, 302,
            arena_printf(arena, "/%.*s/", STR_ARG(percent_encode(arena, v->key, PERCENT_PATH))));
    return fail(v, e);
}

static err open_site(struct visit *v, str bucket)
{
    struct call *call = v->call;
    TRY(s3_bucket_find(call->api->s3, &call->ctx, bucket, &v->bucket));
    return s3_document_get(call->api->s3, &call->ctx, v->bucket, S3_CONFIG_WEBSITE, S(""),
                           &v->config);
}

static err refused_method(struct call *call)
{
    err e = err_with(call->ctx.arena, FAIL(S3_METHOD_NOT_ALLOWED), "Method", call->request->method);
    return err_with(call->ctx.arena, e, "ResourceType", S("OBJECT"));
}

static err website_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct website_in *in = input;
    struct visit v = {.call = call, .key = in->key.p ? in->key : S("")};
    /* Website endpoints know no signatures: every visitor is a stranger. */
    call->ctx.anonymous = true;
    call->ctx.access_key = call->ctx.principal = call->ctx.canonical_id = STR_NONE;
    err e = open_site(&v, in->bucket);
    if (failed(e))
        return page(&v, e, OK);
    if (!str_eq(call->request->method, S("GET")) && !str_eq(call->request->method, S("HEAD")))
        return page(&v, refused_method(call), OK);
    const struct s3_redirect_all *all = v.config.redirect_all;
    if (all)
        return move(&v, 301,
                    elsewhere(&v, all->protocol, all->host,
                              percent_encode(call->ctx.arena, v.key, PERCENT_PATH)));
    const struct s3_routing_rule *rule = rule_for(&v, STR_NONE);
    return rule ? follow(&v, rule) : show(&v);
}

const struct op s3_website_op = {.name = "WebsiteObject",
                                 .in = &website_in_shape,
                                 .out = &empty_shape,
                                 .run = website_run,
                                 .flags = OP_READ | OP_RAW_OUTPUT | OP_ANONYMOUS,
                                 .rest = {"GET", REST_OBJECT},
                                 .action = "s3:GetObject"};
