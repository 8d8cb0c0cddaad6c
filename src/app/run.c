/* app/run.c - an operation in its savepoint (request.h). A fault rolls the savepoint back; an
 * engine whose working set had already followed is told to read its tables anew. A handler that
 * found nothing to receive asks to be parked and is simply run again. */
#include "app/admin.h"
#include "app/chaos.h"
#include "app/lint.h"
#include "app/lint_feed.h"
#include "app/metrics.h"
#include "app/request.h"
#include "app/trace_feed.h"
#include "app/turn.h"
#include "api/ops.h"
#include "api/s3_cors.h"
#include "api/s3_log.h"
#include "aws/codec.h"
#include "aws/fault.h"
#include "s3/bucket.h"

#include <stddef.h>
#include <string.h>

struct request *request_of_parked(struct parked *parked)
{
    return (struct request *)((char *)parked - offsetof(struct request, parked));
}

struct http_reply *request_reply(struct request *request)
{
    struct arena *arena = request->http->arena;
    struct http_reply *reply = http_reply_new(arena);
    const struct ctx *ctx = &request->call.ctx;
    if (request->admin)
        http_reply_set(arena, reply, S("Server"), S("Headrace"));
    else
        codec_reply_ids(arena, &request->route, ctx->request_id, ctx->host_id, reply);
    if (request->route.bucket.p)
        s3_cors_headers(request->app->s3, &request->call.ctx, request->http, request->route.bucket,
                        reply);
    reply->close = request->app->stopping;
    return reply;
}

static void drop_upload(struct request *request)
{
    struct upload *upload = request->call.upload;
    request->call.upload = NULL;
    if (upload)
        upload->ops->drop(upload);
}

void request_drop(struct request *request)
{
    drop_upload(request);
    chaos_gone(request);
    park_remove(request->app->parks, &request->parked);
    turn_remove(request);
}

str request_queue(const struct request *request)
{
    const struct shape *shape = request->call.op->in;
    for (size_t i = 0; request->in && i < shape->n; i++) {
        const struct field *field = &shape->fields[i];
        if (field->kind != SHAPE_STR || !field->wire || !str_eq(str_of(field->wire), S("QueueUrl")))
            continue;
        str url = *(const str *)((const char *)request->in + field->offset), last = url;
        while (url.p)
            last = str_cut(&url, '/');
        return last;
    }
    return STR_NONE;
}

static void count(struct request *request, const struct http_reply *reply)
{
    const struct call *call = &request->call;
    int64_t now = clock_micros();
    struct metrics_request counted = {
        .service = request->route.service ? str_of(request->route.service->name) : STR_NONE,
        .operation = call->op ? str_of(call->op->name) : STR_NONE,
        .code = failed(request->outcome) ? str_of(request->outcome.fault->code) : STR_NONE,
        .us = now - request->began - request->waited,
        .at = now,
        .bytes_in = request->received,
        .bytes_out = reply->kind == HTTP_BODY_BYTES                       ? (int64_t)reply->bytes.n
                     : reply->kind == HTTP_BODY_HEAD || reply->length < 0 ? 0
                                                                          : reply->length,
        .empty_receive = request->empty,
    };
    if (call->op && str_eq(counted.service, S("sqs")))
        counted.fifo = str_ends(request_queue(request), S(".fifo"));
    metrics_count(request->app->metrics, &counted);
}

/* An object that a browser opens as a page has no part in our origin, where the console and the
 * control interface are. A bucket that is addressed by its own host name has an origin of its own.
 */
static void sandbox(struct request *request, struct http_reply *reply)
{
    if (request->route.virtual_host ||
        !safety_active_page(request->http, http_reply_value(reply, S("Content-Type"))))
        return;
    http_reply_set(
        request->http->arena, reply, S("Content-Security-Policy"),
        S("sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads"));
}

void request_send(struct request *request, struct http_reply *reply)
{
    if (!request->admin) {
        count(request, reply);
        sandbox(request, reply);
    }
    if (chaos_reply(request, reply))
        request->app->outlet->respond(request->http, reply);
}

static void log_access(struct request *request, const struct http_reply *reply)
{
    if (request->route.service == &s3_service)
        s3_log_request(&request->call, reply, request->outcome, clock_micros() - request->began);
}

void request_answer(struct request *request, struct http_reply *reply)
{
    struct app *app = request->app;
    request->stage = STAGE_ANSWERED;
    log_access(request, reply);
    if (db_dirty(app->db) || db_failed(app->db))
        turn_add(app, request, reply);
    else
        request_send(request, reply);
}

/* Who signed for a wrong region is told the right one, also where no body can. */
static void name_region(struct request *request, err e, struct http_reply *reply)
{
    if (e.fault != &AWS_AUTH_HEADER_MALFORMED || !request->route.bucket.p)
        return;
    struct s3_bucket *bucket = s3_bucket_get(request->app->s3, request->route.bucket);
    if (bucket)
        http_reply_set(request->http->arena, reply, S("x-amz-bucket-region"), bucket->region);
}

static struct http_reply *fault_answer(struct request *request, err e)
{
    /* Headers that the handler set for its fault (ETag of a 304, x-amz-delete-marker) stay. */
    struct http_reply *reply = request->call.reply ? request->call.reply : request_reply(request);
    const struct ctx *ctx = &request->call.ctx;
    reply->kind = HTTP_BODY_BYTES;
    trace_feed_refused(request, e);
    name_region(request, e, reply);
    fault_reply(request->http->arena, &request->route, request->http, ctx->request_id, ctx->host_id,
                e, reply);
    return reply;
}

void request_refuse(struct request *request, err e)
{
    request->stage = STAGE_ANSWERED;
    drop_upload(request);
    request->call.reply = NULL;
    request->outcome = e;
    struct http_reply *reply = fault_answer(request, e);
    log_access(request, reply);
    request_send(request, reply);
}

void request_undo(struct app *app, struct request *request)
{
    struct call *call = &request->call;
    call->ctx.now = clock_now(&app->clock);
    db_savepoint(app->db);
    call->undelivered(call, call->undelivered_out);
    db_release(app->db);
    call->undelivered = NULL;
}

/* ---- running ---- */

static err refusal(struct request *request, const struct shape_issue *issue)
{
    struct call *call = &request->call;
    return call->service->refuse(call, call->op, issue);
}

static err decode(struct request *request)
{
    struct arena *arena = request->http->arena;
    struct call *call = &request->call;
    const struct op *op = call->op;
    if (request->in)
        return OK;
    void *in = arena_alloc(arena, op->in->size);
    struct shape_issue issue =
        codec_decode(arena, &request->route, request->http, request->call.body, in);
    /* S3 tells what is wrong only to who may ask: its answer needs the head alone. */
    bool first = issue.wrong != WRONG_NOTHING && request->route.protocol == PROTOCOL_REST_XML;
    if (first && call->service->authorize)
        TRY(call->service->authorize(call, in));
    if (issue.wrong != WRONG_NOTHING)
        return refusal(request, &issue);
    request->in = in;
    return call->service->authorize ? call->service->authorize(call, in) : OK;
}

static err run_in_savepoint(struct request *request, void *out)
{
    struct app *app = request->app;
    struct call *call = &request->call;
    if (call->op->flags & OP_READ) {
        db_share_reads(app->db);
        return call->op->run(call, request->in, out);
    }
    uint64_t before = sqs_changes(app->sqs), s3_before = s3_changes(app->s3);
    db_savepoint(app->db);
    if (call->op->flags & OP_SURE)
        db_sure(app->db);
    err e = call->op->run(call, request->in, out);
    if (!failed(e)) {
        db_release(app->db);
        return e;
    }
    db_rollback(app->db);
    if (e.fault == &FAULT_INTERNAL || sqs_changes(app->sqs) != before)
        sqs_reload(app->sqs);
    if (e.fault == &FAULT_INTERNAL || s3_changes(app->s3) != s3_before)
        s3_reload(app->s3);
    return e;
}

static bool parked(struct request *request)
{
    struct call *call = &request->call;
    struct app *app = request->app;
    if (!call->park_queue || app->stopping)
        return false;
    msec until = call->park_until;
    request->parked_at = clock_micros();
    if (request->keeps_place)
        park_add_first(app->parks, &request->parked, call->park_queue, until);
    else
        park_add(app->parks, &request->parked, call->park_queue, until);
    return true;
}

static void unpark(struct request *request)
{
    if (request->parked_at)
        request->waited += clock_micros() - request->parked_at;
    request->parked_at = 0;
}

static bool is_empty_receive(const struct call *call, const void *out)
{
    const struct field *first = call->op->out->fields;
    return !strcmp(call->op->name, "ReceiveMessage") && first && first->kind == SHAPE_LIST &&
           !((const list *)(const void *)((const char *)out + first->offset))->n;
}

/* What it needs is not there yet, and is being seen to on pool threads. */
static bool runs_again(const struct request *request)
{
    const struct upload *upload = request->call.upload;
    return upload && upload->busy;
}

static err run(struct request *request, void **out)
{
    struct call *call = &request->call;
    *out = arena_alloc(request->http->arena, call->op->out->size);
    call->park_queue = 0; /* park_until stays: a receive that is woken for nothing waits no longer
                             than it said at first */
    call->reply = request_reply(request);
    int64_t mark = trace_feed_begin(request);
    struct lint_mark seen = lint_mark(request->app->lint);
    err e = run_in_savepoint(request, *out);
    bool again = !failed(e) && runs_again(request);
    if (!again)
        trace_feed_end(request, mark, e, *out);
    if (failed(e) || again)
        lint_rewind(request->app->lint, seen);
    if (failed(e))
        drop_upload(request);
    return e;
}

static void on_rested(void *user)
{
    request_run(user);
}

void request_run(struct request *request)
{
    struct call *call = &request->call;
    void *out = NULL;
    if (request->admin) {
        admin_run(request);
        return;
    }
    call->ctx.now = clock_now(&request->app->clock);
    call->retry_final = call->retry_final || request->app->stopping;
    unpark(request);
    err e = decode(request);
    if (!failed(e) && !chaos_before(request))
        return;
    e = failed(e) ? e : run(request, &out);
    if (!failed(e) && runs_again(request)) {
        call->upload->drained = on_rested;
        call->upload->user = request;
        return;
    }
    if (!failed(e) && parked(request))
        return;
    request->outcome = e;
    if (failed(e)) {
        request_answer(request, fault_answer(request, e));
        return;
    }
    request->empty = is_empty_receive(call, out);
    if (!(call->op->flags & OP_RAW_OUTPUT))
        codec_encode(request->http->arena, &request->route, call->ctx.request_id, out, call->reply);
    lint_feed_done(request);
    request_answer(request, call->reply);
}
