/* app/worker_options.h - flags of `headrace worker` and `headrace ingest`. The lab's own variables
 * (JOBS_QUEUE_URL, OUTPUT_BUCKET, ...) work as they do for its Node code, so a task definition
 * needs only another image. */
#ifndef HEADRACE_APP_WORKER_OPTIONS_H
#define HEADRACE_APP_WORKER_OPTIONS_H

#include "remote/runner.h"

struct worker_options {
    str jobs_url, results_url, events_url, input;
    str output_bucket, prefix, suffix, output_prefix;
    str endpoint, s3_endpoint, sqs_endpoint, region, profile, ca_bundle, addressing;
    str metrics_host;
    int64_t max_bytes, concurrency, visibility, memory_mib, max_attempts, metrics_port;
    bool once, drain, release, help;
};

/* False: *message says in one line what is wrong. `ingest`: of that command. */
bool worker_options_read(struct worker_options *options, struct arena *arena, int argc, char **argv,
                         bool ingest, str *message);
void worker_options_help(struct buf *b, bool ingest);

#endif
