/* pipeline/job.c - see job.h. */
#include "pipeline/job.h"

#include "base/text.h"
#include "pipeline/json.h"

/* `!value` in JavaScript. */
static bool falsy(const struct value *value)
{
    if (!value || value->kind == JSONIN_NULL || value->kind == JSONIN_FALSE)
        return true;
    if (value->kind == JSONIN_STRING)
        return value->text.n == 0;
    return value->kind == JSONIN_NUMBER && value->number == 0;
}

static const char *const REQUIRED_MEMBERS[] = {"jobId", "bucket", "key", "outputBucket",
                                               "outputKey"};
#define N_REQUIRED (sizeof REQUIRED_MEMBERS / sizeof *REQUIRED_MEMBERS)

static str missing_members(struct arena *arena, const struct value *root)
{
    struct buf names = buf_in(arena);
    for (size_t i = 0; i < N_REQUIRED; i++) {
        if (!falsy(value_member(root, REQUIRED_MEMBERS[i])))
            continue;
        if (names.n)
            BUF_LIT(&names, ", ");
        buf_put(&names, str_of(REQUIRED_MEMBERS[i]));
    }
    return buf_str(&names);
}

static enum job_verdict read_object(struct arena *arena, const struct value *root, struct job *out,
                                    str *missing)
{
    *missing = missing_members(arena, root);
    if (missing->n)
        return JOB_INVALID;
    const struct value *trace = value_member(root, "traceId");
    out->id_json = value_json(arena, value_member(root, "jobId"));
    out->trace_json = value_json(arena, trace);
    out->trace_id = value_str(arena, trace);
    if (!out->trace_id.p)
        out->trace_id = !trace || trace->kind == JSONIN_NULL ? S("") : out->trace_json;
    out->bucket = value_str(arena, value_member(root, "bucket"));
    out->key = value_str(arena, value_member(root, "key"));
    out->output_bucket = value_str(arena, value_member(root, "outputBucket"));
    out->output_key = value_str(arena, value_member(root, "outputKey"));
    bool strings = out->bucket.p && out->key.p && out->output_bucket.p && out->output_key.p;
    return strings ? JOB_GOOD : JOB_UNUSABLE;
}

enum job_verdict job_read(struct arena *arena, str body, struct job *out, str *missing)
{
    *out = (struct job){0};
    const struct value *root = value_read(arena, body);
    if (!root)
        return JOB_POISON;
    /* Destructuring null throws in the lab's code; any other value merely lacks the members. */
    enum job_verdict verdict =
        root->kind == JSONIN_NULL ? JOB_UNUSABLE : read_object(arena, root, out, missing);
    return verdict;
}

static str quoted(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    buf_json(&b, text);
    return buf_str(&b);
}

void job_name(struct arena *arena, struct job *job, str id, str trace_id)
{
    job->id_json = quoted(arena, id);
    job->trace_json = quoted(arena, trace_id);
    job->trace_id = trace_id;
}

static struct buf opened(struct arena *arena)
{
    struct buf b = buf_in(arena);
    buf_char(&b, '{');
    return b;
}

static str closed(struct buf *b)
{
    buf_char(b, '}');
    return buf_str(b);
}

static void put_places(struct buf *b, const struct job *job)
{
    member_raw(b, "jobId", job->id_json);
    member_str(b, "bucket", job->bucket);
    member_str(b, "key", job->key);
    member_str(b, "outputBucket", job->output_bucket);
    member_str(b, "outputKey", job->output_key);
}

str job_message(struct arena *arena, const struct job *job, msec submitted_at)
{
    struct buf b = opened(arena);
    put_places(&b, job);
    member_str(&b, "submittedAt", date_iso_ms(arena, submitted_at));
    member_raw(&b, "traceId", job->trace_json);
    return closed(&b);
}

str job_report(struct arena *arena, const struct job *job, struct count_report report, msec now)
{
    struct buf counts = opened(arena);
    member_int(&counts, "bytes", report.bytes);
    member_int(&counts, "lines", report.lines);
    member_int(&counts, "words", report.words);
    str counts_json = closed(&counts);
    struct buf b = opened(arena);
    put_places(&b, job);
    member_raw(&b, "traceId", job->trace_json);
    member_str(&b, "status", S("PROCESSED"));
    member_str(&b, "processedAt", date_iso_ms(arena, now));
    member_raw(&b, "report", counts_json);
    return closed(&b);
}

str job_result(struct arena *arena, const struct job *job, msec duration)
{
    struct buf b = opened(arena);
    put_places(&b, job);
    member_raw(&b, "traceId", job->trace_json);
    member_str(&b, "status", S("PROCESSED"));
    member_int(&b, "durationMs", duration);
    return closed(&b);
}

bool job_owns_report(struct arena *arena, const struct job *job, str body)
{
    const struct value *root = value_read(arena, body);
    str id = value_json(arena, value_member(root, "jobId"));
    return id.p && str_eq(id, job->id_json);
}

str job_log_enqueued(struct arena *arena, const struct job *job, str message_id)
{
    struct buf b = opened(arena);
    member_str(&b, "action", S("ENQUEUED"));
    member_raw(&b, "jobId", job->id_json);
    member_str(&b, "messageId", message_id);
    member_str(&b, "bucket", job->bucket);
    member_str(&b, "key", job->key);
    return closed(&b);
}

str job_log_duplicate(struct arena *arena, const struct job *job)
{
    struct buf b = opened(arena);
    member_str(&b, "action", S("SKIP_DUPLICATE"));
    member_raw(&b, "jobId", job->id_json);
    member_str(&b, "outputBucket", job->output_bucket);
    member_str(&b, "outputKey", job->output_key);
    member_raw(&b, "traceId", job->trace_json);
    return closed(&b);
}

str job_log_processed(struct arena *arena, const struct job *job, msec duration)
{
    struct buf b = opened(arena);
    member_str(&b, "action", S("PROCESSED"));
    member_raw(&b, "jobId", job->id_json);
    member_int(&b, "durationMs", duration);
    member_raw(&b, "traceId", job->trace_json);
    return closed(&b);
}

str job_log_failed(struct arena *arena, const struct job *job, str error)
{
    struct buf b = opened(arena);
    member_str(&b, "action", S("FAILED"));
    member_str(&b, "level", S("error"));
    member_raw(&b, "jobId", job->id_json);
    if (job->bucket.p)
        member_str(&b, "bucket", job->bucket);
    if (job->key.p)
        member_str(&b, "key", job->key);
    member_str(&b, "error", error);
    return closed(&b);
}

str message_log(struct arena *arena, str action, str message_id, str error)
{
    struct buf b = opened(arena);
    member_str(&b, "action", action);
    member_str(&b, "level", S("error"));
    member_str(&b, "messageId", message_id);
    member_str(&b, "error", error);
    return closed(&b);
}
