/* pipeline/options.h - what a user may set about the built-in pipeline. The defaults are the first
 * lab's names and rules. Strings are borrowed for the life of the process. */
#ifndef HEADRACE_PIPELINE_OPTIONS_H
#define HEADRACE_PIPELINE_OPTIONS_H

#include "base/arena.h"

struct pipeline_options {
    bool enabled;
    int64_t workers; /* jobs in flight in this process; 0: none, ingest only; -1: one a core */
    str dropzone, processed; /* buckets: uploads come to the first, reports go to the second */
    str ingest_queue;        /* where the dropzone's events go */
    str jobs_queue, results_queue, dead_letter_queue;
    str prefix;           /* keys that are jobs ("incoming/") */
    str suffix;           /* of the lower-cased key (".txt") */
    str output_prefix;    /* "processed/": replaces `prefix` in the report's key */
    int64_t max_bytes;    /* larger uploads are skipped */
    int64_t visibility;   /* seconds; of the jobs, results and ingest queues */
    int64_t max_receives; /* of a job before it goes to the dead letter queue */
};

struct pipeline_options pipeline_options_default(void);
/* Why these settings would feed the pipeline with what it made itself, round and round, in the
 * words of `headrace serve`; absent when they do not. */
str pipeline_options_fault(const struct pipeline_options *options, struct arena *arena);

#endif
