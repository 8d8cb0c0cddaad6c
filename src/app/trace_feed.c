/* app/trace_feed.c - see trace_feed.h. The id of an S3 write is its request id, that of a message
 * its MessageId; ctx->cause is the id of the message that a pipeline stage is working on. */
#include "app/trace_feed.h"

#include "app/lint_feed.h"
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
        "PutObject",     "CopyObject",   "CompleteMultipartUpload", "DeleteObject",
        "DeleteObjects", "PostObject",   "PutObjectTagging",        "DeleteObjectTagging",
        "PutObjectAcl",  "RestoreObject"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(call->op->name, names[i]) == 0)
            return true;
    return false;
}

static str subject_of(const struct call *call)
{
    if (!call->bucket.p)
        return STR_NONE;
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

int64_t trace_feed_begin(struct app *app, const struct call *call)
{
    int64_t mark = trace_last(app->trace);
    app->event = (struct s3_observation){0}; /* of an earlier request */
    if (!app->trace || !writes_object(call))
        return mark;
    struct trace_event event = event_of(&call->ctx, TRACE_OBJECT);
    event.subject = subject_of(call);
    event.note = str_of(call->op->name);
    trace_add(app->trace, &event);
    return mark;
}

/* What came of a write, looking at its events since the mark. */
static void conclude(struct app *app, const struct call *call, int64_t mark)
{
    struct trace_event seen;
    str why = S("no_rule");
    for (int64_t seq = mark; trace_next(app->trace, seq, &seen); seq = seen.seq) {
        if (seen.kind == TRACE_MATCHED)
            return;
        if (seen.kind == TRACE_PASSED)
            why = arena_copy(call->ctx.arena, seen.reason);
    }
    bool none = str_eq(why, S("no_rule"));
    trace_feed_nothing(app, &call->ctx, why,
                       none ? S("the bucket has no notification rule")
                            : S("no notification rule took the event"));
}

void trace_feed_end(struct app *app, const struct call *call, int64_t mark, err outcome)
{
    if (!app->trace)
        return;
    if (failed(outcome)) {
        trace_rewind(app->trace, mark);
        struct trace_event event = event_of(&call->ctx, TRACE_REFUSED);
        event.subject = subject_of(call);
        event.reason = str_of(outcome.fault->code);
        event.note = arena_printf(call->ctx.arena, "%s: %.*s", call->op->name,
                                  STR_ARG(err_message(outcome)));
        trace_add(app->trace, &event);
    } else if (writes_object(call)) {
        conclude(app, call, mark);
    }
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

void trace_feed_fault(struct app *app, const struct ctx *ctx, str effect, str rule, str subject)
{
    if (!app->trace)
        return;
    struct trace_event event = event_of(ctx, TRACE_FAULT);
    event.reason = effect;
    event.subject = subject;
    event.note = rule;
    trace_add(app->trace, &event);
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
    trace_add(app->trace, &event);
}

void trace_feed_sqs(void *user, const struct ctx *ctx, const struct sqs_observation *seen)
{
    static const enum trace_kind kinds[] = {
        [SQS_SENT] = TRACE_SENT,       [SQS_RECEIVED] = TRACE_RECEIVED,
        [SQS_HIDDEN] = TRACE_HIDDEN,   [SQS_RETURNED] = TRACE_RETURNED,
        [SQS_DELETED] = TRACE_DELETED, [SQS_EXPIRED] = TRACE_EXPIRED,
        [SQS_DEAD] = TRACE_DEAD,       [SQS_MOVED] = TRACE_SENT,
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
    };
    if (ctx && seen->event == SQS_SENT) {
        event.because = ctx->cause.p ? ctx->cause : ctx->request_id;
        event.root = root_of(ctx->trace_header);
    }
    if (ctx)
        event.actor = caller_of(ctx);
    if (seen->event == SQS_MOVED)
        event.note = S("by a message move task");
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
