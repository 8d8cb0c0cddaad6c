/* remote/runner.h - a stage of the pipeline as a process of its own: long polls, N tasks in flight
 * on one loop, heartbeats that keep their messages hidden, and an orderly end. The stages are
 * pipeline/task.h's; this performs their asks over HTTP. */
#ifndef HEADRACE_REMOTE_RUNNER_H
#define HEADRACE_REMOTE_RUNNER_H

#include "base/buf.h"
#include "pipeline/task.h"
#include "remote/remote.h"

enum runner_stage {
    RUN_WORKER, /* jobs in, reports and results out */
    RUN_DIRECT, /* S3 events in, reports and results out */
    RUN_INGEST, /* S3 events in, jobs out */
    RUN_STAGES
};

struct runner_options {
    enum runner_stage stage;
    str input_url;                    /* queue to poll */
    str output_url;                   /* results queue; of ingest: jobs queue */
    struct pipeline_options pipeline; /* rules, and the bucket for reports */
    int64_t concurrency;
    int64_t visibility; /* seconds; 0: the queue's own */
    int64_t memory;     /* bytes that tasks in flight may hold before no more are taken */
    bool once;          /* one message, then the end */
    bool drain;         /* the end when the queue is empty */
    bool release;       /* a failed message becomes visible at once */
};

struct runner;

/* `ended` is called once, from the loop, when all is done; `code` is for exit(). */
struct runner *runner_start(struct remote *remote, const struct runner_options *options,
                            void (*ended)(void *user, int code), void *user);
/* Takes nothing more; `ended` follows when what is in flight is done. */
void runner_stop(struct runner *runner);
void runner_free(struct runner *runner);
/* Counters in the Prometheus text format. */
void runner_metrics(const struct runner *runner, struct buf *b);

/* Exit codes. */
enum { RUNNER_DONE = 0, RUNNER_BROKEN = 1, RUNNER_FAILURES = 3 };

#endif
