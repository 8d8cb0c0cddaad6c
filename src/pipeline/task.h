/* pipeline/task.h - how a stage of the pipeline is written down: a task asks for one thing at a
 * time and is told the answer.
 *
 * A task knows no socket and no engine. Who runs it - the engines of this process, HTTP to any S3
 * and SQS, or a test with a list of answers - performs each ask in its own way, at once or later,
 * and calls task_next with what came. So the lab's code exists once. ctx is that of the moment
 * (now, rng), but its arena is always the task's own, which lives until ASK_END. */
#ifndef HEADRACE_PIPELINE_TASK_H
#define HEADRACE_PIPELINE_TASK_H

#include "base/ctx.h"
#include "pipeline/count.h"
#include "pipeline/options.h"

enum ask_kind {
    ASK_STAT,  /* HeadObject bucket, key -> ok, etag (with its quotes) */
    ASK_COUNT, /* GetObject bucket, key, counted while it streams -> ok, report */
    ASK_FETCH, /* GetObject of a small document -> ok, body */
    ASK_PUT,  /* PutObject body as application/json unless the key exists -> ok; taken: it exists */
    ASK_SEND, /* SendMessage body to `queue` with the String attribute traceId -> ok, message_id */
    ASK_DELETE, /* DeleteMessage of the task's own message -> ok */
    ASK_LOG,    /* one line of JSON -> ok */
    ASK_END, /* the task is over; `failed`: its message stays and returns by its visibility timeout
              */
};

enum ask_queue { ASK_JOBS, ASK_RESULTS };

struct ask {
    enum ask_kind kind;
    enum ask_queue queue;
    str bucket, key, body, trace_id;
    bool failed;
};

struct answer {
    bool ok, taken;
    str error; /* "NoSuchKey: The specified key does not exist."; when not ok */
    str etag, message_id, body;
    struct count_report report;
};

/* What a queue handed over. Borrowed for the life of the task. */
struct pipeline_message {
    str id, receipt, body;
    int64_t receive_count;
};

struct task;
typedef struct ask task_state(struct task *task, struct ctx *ctx, const struct answer *answer);

struct task {
    task_state *then; /* takes the next answer */
    const struct pipeline_options *options;
    struct pipeline_message message;
    msec started;
};

/* The first ask (answer NULL) or the one after `answer`. */
static inline struct ask task_next(struct task *task, struct ctx *ctx, const struct answer *answer)
{
    return task->then(task, ctx, answer);
}

/* An S3 event message becomes jobs in the jobs queue: the lab's IngestLambda. */
struct task *ingest_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now);
/* A job becomes a report and a result message: the lab's worker. */
struct task *worker_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now);
/* The same worker fed with S3 event messages themselves: the ingest rules, then the work, no queue
 * between. */
struct task *direct_new(struct arena *arena, const struct pipeline_options *options,
                        struct pipeline_message message, msec now);

#endif
