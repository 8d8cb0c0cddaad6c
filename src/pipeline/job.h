/* pipeline/job.h - a job as the lab's messages carry it, and every JSON document and log line that
 * is made of one. Members stand in the lab's order; the text is what JSON.stringify would give: no
 * blanks, undefined members left out. */
#ifndef HEADRACE_PIPELINE_JOB_H
#define HEADRACE_PIPELINE_JOB_H

#include "base/buf.h"
#include "base/ctx.h"
#include "pipeline/count.h"

struct job {
    str id_json, trace_json; /* as JSON text, for a job message may carry any value there; trace
                                absent when undefined */
    str trace_id;            /* String(traceId ?? "") */
    str bucket, key, output_bucket, output_key;
};

enum job_verdict {
    JOB_GOOD,
    JOB_POISON,   /* no JSON */
    JOB_INVALID,  /* a required member is missing or empty */
    JOB_UNUSABLE, /* JSON, but JavaScript would throw on it: null, or a name that is no string */
};

/* Reads a job message; copies into the arena. *missing names what JOB_INVALID lacks. */
enum job_verdict job_read(struct arena *arena, str body, struct job *out, str *missing);
/* Sets id and trace id from plain texts. */
void job_name(struct arena *arena, struct job *job, str id, str trace_id);

str job_message(struct arena *arena, const struct job *job, msec submitted_at);
str job_report(struct arena *arena, const struct job *job, struct count_report report, msec now);
str job_result(struct arena *arena, const struct job *job, msec duration);
/* True when the report document `body` was written for this very job. */
bool job_owns_report(struct arena *arena, const struct job *job, str body);

str job_log_enqueued(struct arena *arena, const struct job *job, str message_id);
str job_log_duplicate(struct arena *arena, const struct job *job);
str job_log_processed(struct arena *arena, const struct job *job, msec duration);
str job_log_failed(struct arena *arena, const struct job *job, str error);
/* {"action":ACTION,"level":"error","messageId":...,"error":...}: for messages that are no job. */
str message_log(struct arena *arena, str action, str message_id, str error);

/* The line that the lab's ResultLambda logs for a result message. */
str result_log(struct arena *arena, str body);

#endif
