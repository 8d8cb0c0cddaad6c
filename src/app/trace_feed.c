/* app/trace_feed.c - see trace_feed.h. The id of an S3 write is its request id, that of a message
 * its MessageId; ctx->cause is the id of the message that a pipeline stage is working on. */
#include "app/trace_feed.h"

#include "app/fault_rules.h"
#include "app/lint_feed.h"
#include "app/request.h"
#include "app/trace.h"
#include "aws/op.h"

#include <string.h>

/* "Root=1-5759e988-bd86;Parent=...;Sampled=1" -> what follows Root=. */
static str root_of(str header)
{
    while (header.p) {
        str part = str_trim(str_cut(&header, ';'));
        if (str_starts(part, S("Root=")))
            return str_slice(part, 5, part.n);
    }
    return STR_NONE;
}

/* The operations of S3 that make, change or remove objects. */
static bool writes_object(const struct call *call)
{
    static const char *const names[] = {
        "PutObject",     "CopyObject",    "CompleteMultipartUpload", "DeleteObject",
        "DeleteObjects", "PostObject",    "PutObjectTagging",        "DeleteObjectTagging",
        "PutObjectAcl",  "RestoreObject", "PutObjectRetention"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(call->op->name, names[i]) == 0)
            return true;
    return false;
}

/* The member of the decoded input by its name on the wire; absent when there is none. */
static str member(const struct shape *shape, const void *record, const char *name)
{
    for (size_t i = 0; record && i < shape->n; i++)
        if (shape->fields[i].kind == SHAPE_STR && !strcmp(shape->fields[i].wire, name))
            return *(const str *)(const void *)((const char *)record + shape->fields[i].offset);
    return STR_NONE;
}

static str queue_of(const struct request *request)
{
    str rest = member(request->call.op->in, request->in, "QueueUrl"), name = rest;
    while (rest.p)
        name = str_cut(&rest, '/');
    return name;
}

static str subject_of(const struct request *request)
{
    const struct call *call = &request->call;
    if (!call->bucket.p)
        return queue_of(request);
    return arena_printf(call->ctx.arena, "s3://%.*s%s%.*s", STR_ARG(call->bucket),
                        call->key.n ? "/" : "", STR_ARG(call->key));
}

static str caller_of(const struct ctx *ctx)
{
    if (ctx->anonymous)
        return S("anonymous");
    return ctx->access_key.n ? ctx->access_key : ctx->account;
}

static struct trace_event event_of(const struct ctx *ctx, enum trace_kind kind)
{
    return (struct trace_event){
        .at = ctx->now,
        .kind = kind,
        .id = ctx->request_id,
        .because = ctx->cause,
        .root = root_of(ctx->trace_header),
        .actor = caller_of(ctx),
    };
}

static bool is(const struct request *request, const char *name)
{
    return !strcmp(request->call.op->name, name);
}

int64_t trace_feed_begin(struct request *request)
{
    struct app *app = request->app;
    int64_t mark = trace_last(app->trace);
    app->event = (struct s3_observation){0}; /* of an earlier request */
    if (!app->trace || !writes_object(&request->call))
        return mark;
    struct trace_event event = event_of(&request->call.ctx, TRACE_OBJECT);
    event.subject = subject_of(request);
    event.note = str_of(request->call.op->name);
    if (is(request, "CompleteMultipartUpload"))
        event.because = http_query(request->http, S("uploadId"));
    trace_add(app->trace, &event);
    return mark;
}

/* What came of a write, looking at its events since the mark. */
static void conclude(struct request *request, int64_t mark)
{
    struct app *app = request->app;
    struct trace_event seen;
    str why = S("no_rule"), hint = S("the bucket has no notification rule");
    for (int64_t seq = mark; trace_next(app->trace, seq, &seen); seq = seen.seq) {
        if (seen.kind == TRACE_MATCHED)
            return;
        if (seen.kind != TRACE_PASSED)
            continue;
        why = arena_copy(request->http->arena, seen.reason);
        hint = S("no notification rule took the event");
    }
    trace_feed_nothing(app, &request->call.ctx, why, hint);
}

/* Multipart uploads have their own id: what is begun with it may come to nothing. */
static void feed_upload(struct request *request, const void *out)
{
    struct trace_event event = event_of(&request->call.ctx, TRACE_STEP);
    str id = http_query(request->http, S("uploadId"));
    event.note = str_of(request->call.op->name);
    if (is(request, "CreateMultipartUpload")) {
        id = member(request->call.op->out, out, "UploadId");
        event.kind = TRACE_UPLOAD;
        event.subject = subject_of(request);
    } else if (is(request, "AbortMultipartUpload")) {
        event.kind = TRACE_NOTHING;
        event.reason = S("upload_aborted");
    } else if (is(request, "UploadPart") || is(request, "UploadPartCopy")) {
        str part = http_query(request->http, S("partNumber"));
        event.note =
            arena_printf(request->http->arena, "%s %.*s", request->call.op->name, STR_ARG(part));
    } else {
        return;
    }
    event.id = id;
    if (event.kind != TRACE_UPLOAD)
        event.because = STR_NONE;
    trace_add(request->app->trace, &event);
}

void trace_feed_end(struct request *request, int64_t mark, err outcome, const void *out)
{
    if (!request->app->trace)
        return;
    if (failed(outcome))
        trace_rewind(request->app->trace, mark);
    else if (writes_object(&request->call))
        conclude(request, mark);
    else if (request->call.bucket.p)
        feed_upload(request, out);
}

void trace_feed_refused(struct request *request, err outcome)
{
    const struct call *call = &request->call;
    if (!request->app->trace || !call->op)
        return;
    struct trace_event event = event_of(&call->ctx, TRACE_REFUSED);
    event.subject = subject_of(request);
    event.reason = str_of(outcome.fault->code);
    event.note =
        arena_printf(call->ctx.arena, "%s: %.*s", call->op->name, STR_ARG(err_message(outcome)));
    trace_add(request->app->trace, &event);
}

void trace_feed_nothing(struct app *app, const struct ctx *ctx, str reason, str note)
{
    if (!app->trace)
        return;
    struct trace_event event = event_of(ctx, TRACE_NOTHING);
    event.because = STR_NONE;
    event.reason = reason;
    event.note = note;
    trace_add(app->trace, &event);
}

static void add_fault(struct app *app, struct trace_event event, const struct fault_hit *hit)
{
    event.reason = fault_effect_name(hit->effect);
    event.because = STR_NONE;
    if (app->trace)
        trace_add(app->trace, &event);
}

void trace_feed_fault(struct request *request, const struct fault_hit *hit)
{
    struct trace_event event = event_of(&request->call.ctx, TRACE_FAULT);
    event.subject = subject_of(request);
    event.note = arena_printf(request->http->arena, "%.*s on %s", STR_ARG(hit->rule),
                              request->call.op->name);
    add_fault(request->app, event, hit);
}

void trace_feed_event_fault(struct app *app, const struct ctx *ctx, const struct fault_hit *hit,
                            str queue)
{
    struct trace_event event = event_of(ctx, TRACE_FAULT);
    event.subject = queue;
    event.note = hit->rule;
    add_fault(app, event, hit);
}

void trace_feed_killed(void *user, const struct ctx *ctx, const struct fault_hit *hit, str queue)
{
    struct trace_event event = event_of(ctx, TRACE_FAULT);
    event.id = ctx->cause;
    event.subject = queue;
    event.note = hit->rule;
    add_fault(user, event, hit);
}

void trace_feed_s3(void *user, struct ctx *ctx, const struct s3_observation *seen)
{
    struct app *app = user;
    if (!seen->missed)
        app->event = *seen;
    if (!app->trace)
        return;
    struct trace_event event = event_of(ctx, seen->missed ? TRACE_PASSED : TRACE_MATCHED);
    event.because = STR_NONE;
    event.actor = STR_NONE;
    event.subject = seen->rule;
    event.reason = str_of(seen->missed);
    event.note = arena_printf(ctx->arena, "%s -> %.*s", seen->event, STR_ARG(seen->destination));
    if (seen->filter.p)
        event.note = arena_printf(ctx->arena, "%.*s wants \"%.*s\"%s%s", STR_ARG(event.note),
                                  STR_ARG(seen->filter), seen->hint ? "; " : "",
                                  seen->hint ? seen->hint : "");
    trace_add(app->trace, &event);
}

void trace_feed_sqs(void *user, const struct ctx *ctx, const struct sqs_observation *seen)
{
    static const enum trace_kind kinds[] = {
        [SQS_SENT] = TRACE_SENT,         [SQS_RECEIVED] = TRACE_RECEIVED,
        [SQS_HIDDEN] = TRACE_HIDDEN,     [SQS_RETURNED] = TRACE_RETURNED,
        [SQS_DELETED] = TRACE_DELETED,   [SQS_EXPIRED] = TRACE_EXPIRED,
        [SQS_DEAD] = TRACE_DEAD,         [SQS_MOVED] = TRACE_SENT,
        [SQS_DUPLICATE] = TRACE_NOTHING,
    };
    static const struct {
        const char *reason, *note;
    } words[] = {
        [SQS_EXPIRED] = {"retention", "it was older than MessageRetentionPeriod"},
        [SQS_DEAD] = {"max_receives", "received maxReceiveCount times and not deleted"},
        [SQS_MOVED] = {NULL, "by a message move task"},
        [SQS_DUPLICATE] = {"duplicate", "a FIFO queue takes one message of a deduplication id in "
                                        "5 minutes; this send was answered, and dropped"},
    };
    struct app *app = user;
    lint_feed_sqs(app, ctx, seen);
    if (!app->trace)
        return;
    struct trace_event event = {
        .at = seen->at,
        .kind = kinds[seen->event],
        .id = seen->id,
        .subject = seen->queue,
        .number = seen->attempt,
        .until = seen->until,
        .because = seen->before,
        .place = seen->place,
        .reason = str_of(words[seen->event].reason),
        .note = str_of(words[seen->event].note),
    };
    if (ctx && seen->event == SQS_SENT) {
        event.because = ctx->cause.p ? ctx->cause : ctx->request_id;
        event.root = root_of(ctx->trace_header);
    }
    if (ctx)
        event.actor = caller_of(ctx);
    trace_add(app->trace, &event);
}

void trace_feed_wrote(void *user, const struct ctx *ctx, str bucket, str key)
{
    struct app *app = user;
    if (!app->trace)
        return;
    struct trace_event event = event_of(ctx, TRACE_OBJECT);
    event.subject = arena_printf(ctx->arena, "s3://%.*s/%.*s", STR_ARG(bucket), STR_ARG(key));
    trace_add(app->trace, &event);
}

/* The text after "name": in a flat JSON line, without quotes; absent when it isn't there. */
static str member_of(str line, str name)
{
    ptrdiff_t at = str_find(line, name, 0);
    if (at < 0)
        return STR_NONE;
    str rest = str_slice(line, (size_t)at + name.n, line.n);
    return str_cut(&rest, '"');
}

void trace_feed_step(void *user, str message_id, str actor, str line)
{
    struct app *app = user;
    if (!app->trace)
        return;
    str skipped = member_of(line, S("\"reason\":\""));
    if (str_find(line, S("\"SKIP_DUPLICATE\""), 0) >= 0)
        skipped = S("duplicate");
    bool fails = member_of(line, S("\"error\":\"")).p != NULL;
    struct trace_event event = {
        .at = clock_now(&app->clock),
        .kind = fails       ? TRACE_FAILED
                : skipped.p ? TRACE_NOTHING
                            : TRACE_STEP,
        .id = message_id,
        .actor = actor,
        .reason = skipped.p ? skipped : STR_NONE,
        .note = line,
    };
    trace_add(app->trace, &event);
}
