/* app/lint_feed.c - see lint_feed.h. Most requests end here after a few comparisons. */
#include "app/lint_feed.h"

#include "api/sqs_common.h"
#include "app/lint.h"
#include "app/request.h"
#include "s3/config.h"

#include <string.h>

/* Clients come with a Host header, stages of the built-in pipeline without. */
static str client_of(const struct ctx *ctx)
{
    if (!ctx->host.p)
        return STR_NONE;
    return ctx->access_key.n ? ctx->access_key : ctx->account;
}

static void received(struct app *app, const struct sqs_observation *seen,
                     const struct lint_message *message)
{
    if (seen->event == SQS_RECEIVED)
        lint_saw_received(app->lint, message);
    else if (seen->event == SQS_HIDDEN)
        lint_saw_hidden(app->lint, message);
    else if (seen->event == SQS_RETURNED)
        lint_saw_returned(app->lint, message);
    else
        lint_saw_deleted(app->lint, message);
}

void lint_feed_sqs(struct app *app, const struct ctx *ctx, const struct sqs_observation *seen)
{
    bool ours = seen->event == SQS_RECEIVED || seen->event == SQS_HIDDEN ||
                seen->event == SQS_DELETED || seen->event == SQS_RETURNED;
    if (!app->lint || !ours || !ctx) /* what time alone did is in the instants */
        return;
    struct lint_message message = {
        .name = {seen->account, seen->region, seen->queue},
        .id = seen->id,
        .at = seen->at,
        .attempt = seen->attempt,
        .until = seen->until,
        .client = client_of(ctx),
    };
    received(app, seen, &message);
}

void lint_feed_event(struct app *app, const struct ctx *ctx, str id)
{
    bool guessed = !ctx->cause.p;
    if (!app->lint || !app->event.key.p) /* s3:TestEvent: no rule was asked */
        return;
    str cause = guessed ? lint_working_on(app->lint, client_of(ctx), ctx->now) : ctx->cause;
    lint_saw_event(app->lint, app->event.bucket, app->event.key, id, cause, guessed);
    app->event = (struct s3_observation){0}; /* its strings end with the request */
}

/* ---- requests ---- */

/* A text of the decoded input by its name on the wire; absent when there is none. */
static str input(const struct request *request, const char *name)
{
    const struct shape *shape = request->call.op->in;
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].kind == SHAPE_STR && !strcmp(shape->fields[i].wire, name))
            return *(const str *)(const void *)((const char *)request->in +
                                                shape->fields[i].offset);
    return STR_NONE;
}

/* The queue need not be there any more: its name is the last part of its URL. */
static struct lint_name queue_of(const struct request *request, str url)
{
    const struct ctx *ctx = &request->call.ctx;
    str rest = url, name = url;
    while (rest.p)
        name = str_cut(&rest, '/');
    return (struct lint_name){ctx->account, ctx->region, name};
}

static void done_receive(struct request *request)
{
    struct lint_name name = queue_of(request, input(request, "QueueUrl"));
    lint_saw_receive(request->app->lint, &name, !request->keeps_place, request->empty);
}

static void done_delete_queue(struct request *request)
{
    struct lint_name name = queue_of(request, input(request, "QueueUrl"));
    lint_saw_queue_deleted(request->app->lint, &name, request->call.ctx.now);
}

static void done_create_queue(struct request *request)
{
    struct lint_name name = queue_of(request, input(request, "QueueName"));
    lint_saw_queue_created(request->app->lint, &name, request->call.ctx.now);
}

static void done_purge(struct request *request)
{
    struct lint_name name = queue_of(request, input(request, "QueueUrl"));
    lint_saw_purge(request->app->lint, &name, request->call.ctx.now);
}

static str subject(const struct call *call)
{
    return arena_printf(call->ctx.arena, "s3://%.*s/%.*s", STR_ARG(call->bucket),
                        STR_ARG(call->key));
}

/* An ACL on an object of a bucket whose ownership was never set: AWS takes only these two, which
 * change nothing. */
static void check_acl(struct request *request)
{
    struct call *call = &request->call;
    str acl = http_header(request->http, S("x-amz-acl"));
    struct s3_bucket *bucket = acl.n ? s3_bucket_get(request->app->s3, call->bucket) : NULL;
    if (!bucket || s3_bucket_has(bucket, S3_CONFIG_OWNERSHIP) || str_eq(acl, S("private")) ||
        str_eq(acl, S("bucket-owner-full-control")))
        return;
    lint_found(
        request->app->lint, LINT_ACL_DISABLED,
        arena_join(call->ctx.arena, S("s3://"), call->bucket),
        arena_printf(call->ctx.arena, "%s asked for the ACL %.*s", call->op->name, STR_ARG(acl)));
}

static void done_write(struct request *request)
{
    const struct call *call = &request->call;
    check_acl(request);
    lint_saw_put(request->app->lint, client_of(&call->ctx), call->bucket, call->key, call->ctx.now);
}

/* Signed for another region than that of the bucket. */
static void check_region(struct request *request)
{
    const struct call *call = &request->call;
    const char *op = call->op->name;
    struct s3_bucket *bucket = s3_bucket_get(request->app->s3, call->bucket);
    if (!call->ctx.access_key.n || !bucket || str_eq(bucket->region, call->ctx.region) ||
        !strcmp(op, "GetBucketLocation") || !strcmp(op, "HeadBucket") ||
        !strcmp(op, "CreateBucket"))
        return;
    lint_found(request->app->lint, LINT_OTHER_REGION,
               arena_join(call->ctx.arena, S("s3://"), call->bucket),
               arena_printf(call->ctx.arena, "it is in %.*s, and %s was signed for %.*s",
                            STR_ARG(bucket->region), op, STR_ARG(call->ctx.region)));
}

static void done_put(struct request *request)
{
    struct call *call = &request->call;
    str cause = lint_working_on(request->app->lint, client_of(&call->ctx), call->ctx.now);
    done_write(request);
    str etag = STR_NONE;
    for (size_t i = 0; cause.p && i < call->reply->nheaders; i++)
        if (str_eq_nocase(call->reply->headers[i].name, S("ETag")))
            etag = call->reply->headers[i].value;
    if (etag.p)
        lint_saw_write(request->app->lint, cause, subject(call), str_hash(etag));
}

static const struct {
    const char *op;
    void (*run)(struct request *request);
} rows[] = {
    {"ReceiveMessage", done_receive},
    {"PutObject", done_put},
    {"PutObjectAcl", check_acl},
    {"CopyObject", done_write},
    {"CreateMultipartUpload", check_acl},
    {"CreateQueue", done_create_queue},
    {"DeleteQueue", done_delete_queue},
    {"PurgeQueue", done_purge},
    {"CompleteMultipartUpload", done_write},
};

void lint_feed_done(struct request *request)
{
    const struct ctx *ctx = &request->call.ctx;
    if (!request->app->lint)
        return;
    lint_saw_caller(request->app->lint, ctx->anonymous ? STR_NONE : ctx->access_key, ctx->region,
                    s3_region_known);
    if (request->call.bucket.p)
        check_region(request);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(request->call.op->name, rows[i].op)) {
            rows[i].run(request);
            return;
        }
}
