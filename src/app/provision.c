/* app/provision.c - the pipeline's resources, made where they are missing. What exists is left as
 * its owner set it, so that a restart changes nothing. */
#include "app/pool_inside.h"

#include "s3/s3.h"
#include "sqs/queue.h"

#define NOTIFICATION_ID "headrace-ingest"
#define INGEST_ATTEMPTS 3 /* as AWS runs an asynchronous Lambda: once, and two retries */

static str arn_of(struct ctx *ctx, str queue)
{
    return arena_printf(ctx->arena, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(ctx->region),
                        STR_ARG(ctx->account), STR_ARG(queue));
}

static str number(struct ctx *ctx, int64_t value)
{
    return arena_printf(ctx->arena, "%lld", (long long)value);
}

static str redrive(struct ctx *ctx, str queue, int64_t receives)
{
    return arena_printf(ctx->arena,
                        "{\"deadLetterTargetArn\":\"%.*s\",\"maxReceiveCount\":\"%lld\"}",
                        STR_ARG(arn_of(ctx, queue)), (long long)receives);
}

/* The bucket's events may come in, as AWS would want it said. */
static str ingest_policy(struct ctx *ctx, const struct pipeline_options *options)
{
    return arena_printf(ctx->arena,
                        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"" NOTIFICATION_ID
                        "\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},"
                        "\"Action\":\"sqs:SendMessage\",\"Resource\":\"%.*s\",\"Condition\":"
                        "{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:::%.*s\"}}}]}",
                        STR_ARG(arn_of(ctx, options->ingest_queue)), STR_ARG(options->dropzone));
}

static err make_queue(struct pool *pool, struct ctx *ctx, str name,
                      const struct sqs_pair *attributes, size_t n)
{
    struct sqs *sqs = pool->world.sqs;
    int64_t queue;
    if (!failed(sqs_queue_find(sqs, ctx->account, ctx->region, name, &queue)))
        return OK;
    return sqs_queue_create(sqs, ctx, name, attributes, n, NULL, 0, &queue);
}

static err make_queues(struct pool *pool, struct ctx *ctx, str *what)
{
    const struct pipeline_options *options = &pool->options;
    struct sqs_pair settings[] = {
        {S("ReceiveMessageWaitTimeSeconds"), S("20")},
        {S("VisibilityTimeout"), number(ctx, options->visibility)},
        {S("RedrivePolicy"), STR_NONE},
        {S("Policy"), ingest_policy(ctx, options)},
    };
    /* Longer than the sources', whose messages keep their age when they move here. */
    struct sqs_pair longest = {S("MessageRetentionPeriod"), S("1209600")};
    *what = options->dead_letter_queue;
    TRY(make_queue(pool, ctx, *what, &longest, 1));
    *what = options->jobs_queue;
    settings[2].value = redrive(ctx, options->dead_letter_queue, options->max_receives);
    TRY(make_queue(pool, ctx, *what, settings, 3));
    *what = options->ingest_queue;
    settings[2].value = redrive(ctx, options->dead_letter_queue, INGEST_ATTEMPTS);
    TRY(make_queue(pool, ctx, *what, settings, 4));
    *what = options->results_queue;
    return make_queue(pool, ctx, *what, settings, 2);
}

static err make_buckets(struct pool *pool, struct ctx *ctx, str *what)
{
    const struct pipeline_options *options = &pool->options;
    struct s3 *s3 = pool->world.s3;
    *what = options->processed;
    TRY(s3_bucket_make(s3, ctx, options->processed));
    *what = options->dropzone;
    TRY(s3_bucket_make(s3, ctx, options->dropzone));
    return s3_notify_queue(s3, ctx, options->dropzone, S(NOTIFICATION_ID),
                           arn_of(ctx, options->ingest_queue), S("s3:ObjectCreated:*"),
                           options->prefix, STR_NONE);
}

err pool_provision(struct pool *pool, struct arena *arena, str *what)
{
    struct ctx ctx = pool_ctx(pool, arena);
    db_savepoint(pool->world.db);
    err e = make_queues(pool, &ctx, what);
    if (!failed(e))
        e = make_buckets(pool, &ctx, what);
    if (failed(e)) {
        db_rollback(pool->world.db);
        return e;
    }
    db_release(pool->world.db);
    pool_reload(pool);
    return OK;
}
