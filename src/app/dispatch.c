/* app/dispatch.c - see dispatch.h. What can be refused by the headers is refused before the body,
 * so that a client with `Expect: 100-continue` never sends it. Small bodies are collected under a
 * cap; uploads stream into call.upload, through the aws-chunked decoder where they are framed so.
 */
#include "app/dispatch.h"

#include "api/ops.h"
#include "app/admin.h"
#include "app/request.h"
#include "app/turn.h"
#include "api/s3_cors.h"
#include "api/s3_website.h"
#include "aws/codec.h"
#include "aws/fault.h"
#include "base/text.h"

#define XML_BODY_MAX ((size_t)2 * 1024 * 1024)
#define UPLOAD_BUFFERS (INT64_C(704) * 1024) /* of one upload: api/s3_upload.c and store/blob.c */
#define ADMIN_BODY_MAX ((size_t)64 * 1024 * 1024)

static struct request *request_of(struct http_request *http)
{
    return http->user;
}

static str host_id(struct request *request)
{
    uint8_t bytes[57];
    rng_bytes(&request->app->rng, bytes, sizeof bytes);
    return base64_encode(request->http->arena, (str){(const char *)bytes, sizeof bytes});
}

static void name_request(struct request *request)
{
    struct ctx *ctx = &request->call.ctx;
    bool s3 = request->route.protocol == PROTOCOL_REST_XML;
    ctx->request_id = s3 ? rng_text(ctx->rng, ctx->arena, S("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 16)
                         : rng_uuid(ctx->rng, ctx->arena);
    ctx->host_id = s3 ? host_id(request) : STR_NONE;
}

static struct request *request_new(struct app *app, struct http_request *http)
{
    struct request *request = ARENA_NEW(http->arena, struct request);
    *request = (struct request){
        .app = app, .http = http, .body = buf_in(http->arena), .began = clock_micros()};
    request->call = (struct call){
        .api = &app->api,
        .request = http,
        .body_length = http->content_length,
        .ctx =
            {
                .now = clock_now(&app->clock),
                .arena = http->arena,
                .rng = &app->rng,
                .account = app->options->account,
                .region = app->options->region,
                .source_ip = http->peer,
                .host = http_header(http, S("Host")),
                .trace_header = http_header(http, S("X-Amzn-Trace-Id")),
            },
    };
    http->user = request;
    return request;
}

/* ---- refusals of safety ---- */

static void forbid(struct request *request, str text)
{
    struct http_reply *reply = http_reply_new(request->http->arena);
    http_reply_bytes(request->http->arena, reply, 403, S("text/plain; charset=utf-8"), text);
    request->stage = STAGE_ANSWERED;
    request->app->outlet->respond(request->http, reply);
}

/* Reading an object shows nothing to a foreign page that CORS does not let it see, and changes
 * nothing. */
static bool harmless(const struct request *request)
{
    const struct http_request *http = request->http;
    bool reads = str_eq(http->method, S("GET")) || str_eq(http->method, S("HEAD")) ||
                 str_eq(http->method, S("OPTIONS"));
    return reads && !request->admin && request->route.protocol == PROTOCOL_REST_XML;
}

static bool cors_allows(struct request *request, str bucket)
{
    return s3_cors_allows(request->app->s3, &request->call.ctx, request->http, bucket);
}

/* Who may write one bucket must not read all others by copying them there: where nobody is asked
 * for a signature, the source's rules have to allow the page as well. */
static bool source_allowed(struct request *request)
{
    struct http_request *http = request->http;
    str source = percent_decode(http->arena, http_header(http, S("x-amz-copy-source")), false);
    if (!source.p || request->app->options->auth != AUTH_OFF)
        return true;
    if (str_starts(source, S("/")))
        source = str_slice(source, 1, source.n);
    str bucket = str_cut(&source, '/');
    return str_eq(bucket, request->route.bucket) || cors_allows(request, bucket);
}

static bool refused_origin(struct request *request)
{
    const struct route *route = &request->route;
    if (harmless(request) || !safety_foreign(&request->app->safety, request->http))
        return false;
    if (!request->admin && route->bucket.p && cors_allows(request, route->bucket) &&
        source_allowed(request))
        return false;
    str origin = http_header(request->http, S("Origin"));
    str host = safety_host(origin.p ? origin : S("its host"));
    forbid(request,
           arena_printf(
               request->http->arena,
               "A web page of another origin (%.*s) may not call this server; S3 requests may "
               "where the bucket's CORS "
               "rules say so. Start headrace with --allow-host and the page's host to trust it.\n",
               STR_ARG(origin.p ? origin : host)));
    return true;
}

static bool refused_host(struct request *request)
{
    str why = safety_check_host(&request->app->safety, request->http);
    if (why.p)
        forbid(request, why);
    return why.p != NULL;
}

/* ---- headers ---- */

static err refuse_by_name(const struct request *request)
{
    const struct route *route = &request->route;
    struct arena *arena = request->http->arena;
    if (!(route->op->flags & OP_UNIMPLEMENTED))
        return OK;
    return err_text(arena, &AWS_NOT_IMPLEMENTED, "%s is not implemented.", route->op->name);
}

static err open_upload(struct request *request, struct auth_chunk_key *key);

/* The operation is known. */
static err begin_operation(struct request *request, const struct form *form)
{
    struct call *call = &request->call;
    struct arena *arena = request->http->arena;
    struct auth_chunk_key *key = ARENA_NEW(arena, struct auth_chunk_key);
    call->service = request->route.service;
    call->op = request->route.op;
    call->bucket = request->route.bucket;
    call->key = request->route.key;
    TRY(request_identify(request, form, key));
    TRY(refuse_by_name(request));
    return call->op->flags & OP_UPLOAD ? open_upload(request, key) : OK;
}

static err begin_aws(struct request *request)
{
    request->body_max =
        request->route.protocol == PROTOCOL_REST_XML ? XML_BODY_MAX : ROUTE_FORM_MAX;
    if (!request->route.needs_form)
        TRY(begin_operation(request, NULL));
    bool upload = request->stage == STAGE_UPLOAD;
    if (!upload && request->http->content_length > (int64_t)request->body_max)
        return FAIL(AWS_ENTITY_TOO_LARGE);
    return OK;
}

/* Website endpoints have hosts of their own and one operation. */
static bool website(struct request *request)
{
    struct http_request *http = request->http;
    struct route *route = &request->route;
    if (!s3_website_host(http_header(http, S("Host")), &route->bucket))
        return false;
    route->protocol = PROTOCOL_REST_XML;
    route->service = &s3_service;
    route->op = &s3_website_op;
    route->level = REST_OBJECT;
    route->virtual_host = true;
    route->action = S("WebsiteObject");
    route->key = percent_decode(http->arena, str_slice(http->path, 1, http->path.n), false);
    return true;
}

void dispatch_begin(struct app *app, struct http_request *http)
{
    struct request *request = request_new(app, http);
    app->requests++;
    if (refused_host(request))
        return;
    request->admin = admin_find(http);
    err e = OK;
    if (!request->admin && !website(request))
        e = route_begin(http->arena, api_services, http, &request->route);
    if (refused_origin(request))
        return;
    if (request->admin) {
        request->body_max = ADMIN_BODY_MAX;
        return;
    }
    name_request(request);
    if (!failed(e))
        e = begin_aws(request);
    if (failed(e))
        request_refuse(request, e);
}

/* ---- bodies ---- */

static void run_when_settled(struct request *request)
{
    struct upload *upload = request->call.upload;
    if (!upload || !upload->busy)
        request_run(request);
}

static void on_drained(void *user)
{
    struct request *request = user;
    if (request->ended)
        request_run(request);
    else
        request->app->outlet->resume(request->http);
}

static int64_t decoded_length(const struct http_request *http)
{
    int64_t length;
    return str_to_int(http_header(http, S("x-amz-decoded-content-length")), &length) && length >= 0
               ? length
               : -1;
}

static void open_chunked(struct request *request, const struct auth_chunk_key *key)
{
    const struct auth *auth = &request->auth;
    bool checked = request->app->options->auth != AUTH_OFF && auth->scheme != AUTH_NONE;
    bool with_trailer = auth->payload == PAYLOAD_CHUNKED_UNSIGNED_TRAILER ||
                        auth->payload == PAYLOAD_CHUNKED_SIGNED_TRAILER;
    bool with_signature =
        auth->payload == PAYLOAD_CHUNKED_SIGNED || auth->payload == PAYLOAD_CHUNKED_SIGNED_TRAILER;
    struct chunked_options options = {
        .decoded_length = decoded_length(request->http),
        .trailer = with_trailer,
        .key = checked && with_signature ? key : NULL,
    };
    request->call.body_length = options.decoded_length;
    request->chunked = chunked_new(request->http->arena, &options);
}

/* A body that streams holds buffers of fixed size, a small one at most itself. */
static bool take_buffers(struct request *request)
{
    int64_t length = request->http->content_length;
    return budget_take(&request->app->bodies,
                       length >= 0 && length < UPLOAD_BUFFERS ? length : UPLOAD_BUFFERS,
                       &request->held);
}

static err open_upload(struct request *request, struct auth_chunk_key *key)
{
    struct call *call = &request->call;
    struct arena *arena = request->http->arena;
    if (!take_buffers(request))
        return FAIL(FAULT_UNAVAILABLE);
    if (auth_body_chunked(request->http, &request->auth))
        open_chunked(request, key);
    request->stage = STAGE_UPLOAD;
    request->in = arena_alloc(arena, call->op->in->size);
    struct shape_issue issue =
        codec_decode(arena, &request->route, request->http, STR_NONE, request->in);
    call->reply = request_reply(request);
    /* Who may not do it is not told what is wrong with it. */
    if (call->service->authorize)
        TRY(call->service->authorize(call, request->in));
    if (issue.wrong != WRONG_NOTHING)
        return call->service->refuse(call, call->op, &issue);
    err e = call->op->begin ? call->op->begin(call, request->in) : OK;
    if (call->upload) {
        call->upload->drained = on_drained;
        call->upload->user = request;
    }
    return e;
}

static err to_upload(void *user, str data)
{
    struct request *request = user;
    struct upload *upload = request->call.upload;
    return upload ? upload->ops->write(upload, data) : OK;
}

/* Room for a body of known length is made once; otherwise it doubles, and what it leaves behind in
 * the arena stays counted. */
static err make_room(struct request *request, size_t more)
{
    struct buf *body = &request->body;
    int64_t length = request->http->content_length;
    if (body->cap - body->n >= more)
        return OK;
    if (!body->n && length > (int64_t)more && length <= (int64_t)request->body_max)
        more = (size_t)length;
    if (!budget_take(&request->app->bodies, (int64_t)(2 * (body->n + more)), &request->held))
        return FAIL(FAULT_UNAVAILABLE);
    buf_room(body, more);
    return OK;
}

static err collect(void *user, str data)
{
    struct request *request = user;
    if (request->body.n + data.n > request->body_max)
        return FAIL(AWS_ENTITY_TOO_LARGE);
    TRY(make_room(request, data.n));
    buf_put(&request->body, data);
    return OK;
}

static void refuse_admin(struct request *request, err e)
{
    struct http_reply *reply = http_reply_new(request->http->arena);
    bool busy = e.fault == &FAULT_UNAVAILABLE;
    http_reply_bytes(request->http->arena, reply, busy ? 503 : 413, S("text/plain"),
                     busy ? S("ServiceUnavailable: too much is being sent at once.\n")
                          : S("The body is too large.\n"));
    request->stage = STAGE_ANSWERED;
    request->app->outlet->respond(request->http, reply);
}

static err take_chunk(struct request *request, str chunk)
{
    chunked_sink *sink = request->stage == STAGE_UPLOAD ? to_upload : collect;
    return request->chunked ? chunked_feed(request->chunked, chunk, sink, request)
                            : sink(request, chunk);
}

void dispatch_body(struct app *app, struct http_request *http, str chunk)
{
    struct request *request = request_of(http);
    if (request->stage == STAGE_ANSWERED)
        return;
    request->received += (int64_t)chunk.n;
    err e = take_chunk(request, chunk);
    if (failed(e) && request->admin)
        refuse_admin(request, e);
    else if (failed(e))
        request_refuse(request, e);
    else if (request->call.upload && request->call.upload->busy)
        app->outlet->pause(http);
}

/* Trailers of HTTP's own chunked encoding, by the names that x-amz-trailer announces. */
static void http_trailers(struct request *request)
{
    struct call *call = &request->call;
    struct arena *arena = request->http->arena;
    str rest = http_header(request->http, S("x-amz-trailer"));
    size_t max = 1;
    if (!request->http->chunked)
        return;
    for (size_t i = 0; i < rest.n; i++)
        max += rest.p[i] == ',';
    call->trailers = arena_array(arena, max, sizeof *call->trailers);
    while (rest.p) {
        str name = str_trim(str_cut(&rest, ','));
        str value = request->app->outlet->trailer(request->http, name);
        if (value.p)
            call->trailers[call->ntrailers++] = (struct http_header){name, value};
    }
}

static err end_upload(struct request *request)
{
    struct call *call = &request->call;
    if (request->chunked) {
        TRY(chunked_end(request->chunked));
        chunked_trailers(request->chunked, &call->trailers, &call->ntrailers);
    } else {
        http_trailers(request);
    }
    if (call->upload && call->upload->ops->settle)
        call->upload->ops->settle(call->upload);
    return OK;
}

static err end_body(struct request *request)
{
    struct call *call = &request->call;
    call->body = buf_str(&request->body);
    if (request->admin)
        return OK;
    http_trailers(request);
    if (request->route.needs_form) {
        TRY(route_form(request->http->arena, api_services, request->http, call->body,
                       &request->route));
        TRY(begin_operation(request, &request->route.form));
    }
    return request_check_body(request);
}

void dispatch_end(struct app *app, struct http_request *http)
{
    (void)app;
    struct request *request = request_of(http);
    if (request->stage == STAGE_ANSWERED)
        return;
    request->ended = true;
    err e = request->stage == STAGE_UPLOAD ? end_upload(request) : end_body(request);
    if (failed(e))
        request_refuse(request, e);
    else
        run_when_settled(request);
}

/* A complete upload waits for its own digests only, and then is stored. */
bool dispatch_hangup(struct app *app, struct http_request *http)
{
    (void)app;
    struct request *request = request_of(http);
    if (request->ended && request->call.op && (request->call.op->flags & OP_UPLOAD))
        return false;
    request_drop(request);
    return true;
}

void dispatch_gone(struct app *app, struct http_request *http, bool completed)
{
    struct request *request = request_of(http);
    if (request->admin)
        admin_gone(request);
    request_drop(request);
    /* A request refused before its body has a decoder that nobody fed. */
    if (request->chunked)
        chunked_drop(request->chunked);
    if (!completed && request->call.undelivered)
        request_undo(app, request);
    budget_give(&app->bodies, &request->held);
}
