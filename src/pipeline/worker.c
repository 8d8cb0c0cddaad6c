/* pipeline/worker.c - the lab's worker: skip what has its report, else count the object, write the
 * report, send the result, log, and only then delete the message. Poison and malformed messages are
 * deleted; whatever else fails leaves the message to its visibility timeout and, in the end, to the
 * dead letter queue.
 *
 * Beyond the lab, for it cannot happen with the lab's single worker: a worker killed between report
 * and result leaves a message that the lab's code would drop as a duplicate, and the result would
 * be lost. So a message that was received before, and whose report is this job's own, has its
 * result sent (again) before it goes: at least once, as all else here.
 *
 * Fed with S3 events (direct_new) the same steps run for each record that the ingest rules let
 * through. */
#include "pipeline/record.h"
#include "pipeline/task_asks.h"

struct worker {
    struct task task; /* first: a task is cast back */
    bool direct;
    struct record *records; /* direct only */
    size_t n, at;
    struct job job;
    msec duration;
};

static struct ask next_record(struct task *task, struct ctx *ctx, const struct answer *answer);

static struct ask over(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)task, (void)ctx, (void)answer;
    return (struct ask){.kind = ASK_END};
}

static struct ask over_failed(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)task, (void)ctx, (void)answer;
    return (struct ask){.kind = ASK_END, .failed = true};
}

static struct ask fail(struct task *task, struct ctx *ctx, str error)
{
    const struct worker *worker = (struct worker *)task;
    return ask_log(task, job_log_failed(ctx->arena, &worker->job, error), over_failed);
}

static struct ask deleted(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    return answer->ok ? over(task, ctx, answer) : fail(task, ctx, answer->error);
}

static struct ask delete_message(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    (void)ctx, (void)answer;
    return ask_delete(task, deleted);
}

/* One job is done; a message of S3 events may hold more. */
static struct ask job_done(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    worker->at++;
    if (worker->direct)
        return next_record(task, ctx, answer);
    return delete_message(task, ctx, answer);
}

static struct ask result_sent(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    str line = job_log_processed(ctx->arena, &worker->job, worker->duration);
    return ask_log(task, line, job_done);
}

static struct ask send_result(struct task *task, struct ctx *ctx, task_state *then)
{
    struct worker *worker = (struct worker *)task;
    worker->duration = ctx->now - task->started;
    str body = job_result(ctx->arena, &worker->job, worker->duration);
    return ask_send(task, ASK_RESULTS, body, worker->job.trace_id, then);
}

static struct ask result_resent(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    return job_done(task, ctx, answer);
}

static struct ask report_fetched(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    const struct worker *worker = (struct worker *)task;
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    if (job_owns_report(ctx->arena, &worker->job, answer->body))
        return send_result(task, ctx, result_resent);
    return job_done(task, ctx, answer);
}

static struct ask duplicate_logged(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    const struct job *job = &((struct worker *)task)->job;
    /* Without a trace id the lab's result is refused by SQS ("" is no attribute value), now as
     * before. */
    if (task->message.receive_count <= 1 || !job->trace_id.n)
        return job_done(task, ctx, answer);
    return ask_object(task, ASK_FETCH, job->output_bucket, job->output_key, report_fetched);
}

static struct ask skip_duplicate(struct task *task, struct ctx *ctx)
{
    const struct worker *worker = (struct worker *)task;
    return ask_log(task, job_log_duplicate(ctx->arena, &worker->job), duplicate_logged);
}

static struct ask report_written(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    if (answer->taken)
        return skip_duplicate(task, ctx);
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    return send_result(task, ctx, result_sent);
}

static struct ask counted(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    const struct job *job = &((struct worker *)task)->job;
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    struct ask put = ask_object(task, ASK_PUT, job->output_bucket, job->output_key, report_written);
    put.body = job_report(ctx->arena, job, answer->report, ctx->now);
    return put;
}

static struct ask output_looked_at(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    const struct job *job = &((struct worker *)task)->job;
    if (answer->ok)
        return skip_duplicate(task, ctx);
    /* The lab's exists() takes any error for "no". */
    return ask_object(task, ASK_COUNT, job->bucket, job->key, counted);
}

static struct ask begin_job(struct task *task)
{
    const struct job *job = &((struct worker *)task)->job;
    return ask_object(task, ASK_STAT, job->output_bucket, job->output_key, output_looked_at);
}

static struct ask refuse(struct task *task, struct ctx *ctx, str action, str error)
{
    return ask_log(task, message_log(ctx->arena, action, task->message.id, error), delete_message);
}

static struct ask start(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    str missing;
    (void)answer;
    switch (job_read(ctx->arena, task->message.body, &worker->job, &missing)) {
    case JOB_GOOD:
        return begin_job(task);
    case JOB_POISON:
        return refuse(task, ctx, S("POISON_MESSAGE"), S("the message is no JSON"));
    case JOB_INVALID:
        return refuse(task, ctx, S("INVALID_JOB"),
                      arena_join(ctx->arena, S("missing required fields: "), missing));
    case JOB_UNUSABLE:
        break;
    }
    return fail(task, ctx, S("TypeError: a member of the job is no string"));
}

static struct ask source_looked_at(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    const struct record *record = &worker->records[worker->at];
    if (!answer->ok)
        return fail(task, ctx, answer->error);
    worker->job = record_job(ctx, task->options, record, answer->etag);
    return begin_job(task);
}

static struct ask next_record(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    for (; worker->at < worker->n; worker->at++) {
        const struct record *record = &worker->records[worker->at];
        worker->job = (struct job){.bucket = record->bucket, .key = record->key};
        str fault = record_fault(task->options, ctx->arena, record);
        if (fault.p)
            return fail(task, ctx, fault);
        if (!record->bucket.n || !record->key.n)
            continue;
        str reason = record_skip(task->options, record);
        if (!reason.p)
            return ask_object(task, ASK_STAT, record->bucket, record->key, source_looked_at);
        worker->at++;
        return ask_log(task, record_log_skipped(ctx->arena, record, reason), next_record);
    }
    return delete_message(task, ctx, answer);
}

static struct ask start_direct(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    struct worker *worker = (struct worker *)task;
    if (records_read(ctx->arena, task->message.body, &worker->records, &worker->n))
        return next_record(task, ctx, answer);
    return refuse(task, ctx, S("POISON_MESSAGE"), S("the message is no S3 event"));
}

static struct task *new_task(struct arena *arena, const struct pipeline_options *options,
                             struct pipeline_message message, msec now, bool direct)
{
    struct worker *worker = ARENA_NEW(arena, struct worker);
    worker->direct = direct;
    worker->task = (struct task){
        .then = direct ? start_direct : start,
        .options = options,
        .message = message,
        .started = now,
    };
    return &worker->task;
}

struct task *worker_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now)
{
    return new_task(arena, options, message, now, false);
}

struct task *direct_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now)
{
    return new_task(arena, options, message, now, true);
}
