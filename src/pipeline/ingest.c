/* pipeline/ingest.c - the lab's IngestLambda: each record of an event is checked against the rules,
 * looked at (HeadObject) and sent to the jobs queue. One failing call fails the whole message, as a
 * throwing handler would: it returns later, and the records before the failing one are sent again.
 */
#include "pipeline/record.h"
#include "pipeline/task_asks.h"

struct ingest {
    struct task task; /* first: a task is cast back */
    struct record *records;
    size_t n, at;
    struct job job;
};

static struct ask next_record(struct task *task, struct ctx *ctx, const struct answer *answer);

static struct ask over(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)task, (void)ctx;
    return (struct ask){.kind = ASK_END, .failed = !answer->ok};
}

static struct ask over_failed(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)task, (void)ctx, (void)answer;
    return (struct ask){.kind = ASK_END, .failed = true};
}

static struct ask deleted(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    if (answer->ok)
        return over(task, ctx, answer);
    str line = message_log(ctx->arena, S("FAILED"), task->message.id, answer->error);
    return ask_log(task, line, over_failed);
}

static struct ask delete_message(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)ctx, (void)answer;
    return ask_delete(task, deleted);
}

static struct ask fail(struct ingest *ingest, struct ctx *ctx, str error)
{
    struct record *record = &ingest->records[ingest->at];
    struct job job = {.bucket = record->bucket, .key = record->key};
    return ask_log(&ingest->task, job_log_failed(ctx->arena, &job, error), over_failed);
}

static struct ask enqueued(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct ingest *ingest = (struct ingest *)task;
    if (!answer->ok)
        return fail(ingest, ctx, answer->error);
    ingest->at++;
    str line = job_log_enqueued(ctx->arena, &ingest->job, answer->message_id);
    return ask_log(task, line, next_record);
}

static struct ask looked_at(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct ingest *ingest = (struct ingest *)task;
    if (!answer->ok)
        return fail(ingest, ctx, answer->error);
    const struct record *record = &ingest->records[ingest->at];
    ingest->job = record_job(ctx, task->options, record, answer->etag);
    str message = job_message(ctx->arena, &ingest->job, ctx->now);
    return ask_send(task, ASK_JOBS, message, ingest->job.trace_id, enqueued);
}

static struct ask next_record(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct ingest *ingest = (struct ingest *)task;
    for (; ingest->at < ingest->n; ingest->at++) {
        const struct record *record = &ingest->records[ingest->at];
        str fault = record_fault(task->options, ctx->arena, record);
        if (fault.p)
            return fail(ingest, ctx, fault);
        if (!record->bucket.n || !record->key.n)
            continue;
        str reason = record_skip(task->options, record);
        if (!reason.p)
            return ask_object(task, ASK_STAT, record->bucket, record->key, looked_at);
        ingest->at++;
        return ask_log(task, record_log_skipped(ctx->arena, record, reason), next_record);
    }
    return delete_message(task, ctx, answer);
}

static struct ask start(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct ingest *ingest = (struct ingest *)task;
    if (records_read(ctx->arena, task->message.body, &ingest->records, &ingest->n))
        return next_record(task, ctx, answer);
    str line = message_log(ctx->arena, S("POISON_MESSAGE"), task->message.id,
                           S("the message is no S3 event"));
    return ask_log(task, line, delete_message);
}

struct task *ingest_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now)
{
    struct ingest *ingest = ARENA_NEW(arena, struct ingest);
    ingest->task =
        (struct task){.then = start, .options = options, .message = message, .started = now};
    return &ingest->task;
}
