/* pipeline/record.h - S3 event messages as the lab's ingest reads them, and its rules on what
 * becomes a job. */
#ifndef HEADRACE_PIPELINE_RECORD_H
#define HEADRACE_PIPELINE_RECORD_H

#include "base/ctx.h"
#include "pipeline/job.h"
#include "pipeline/options.h"

struct record {
    str bucket, key; /* key decoded; either may be empty */
    str etag;        /* without quotes; empty when the event has none */
    double size;
    str broken; /* why the lab's code would throw on this record; absent: it would not */
};

/* The records of an event message, copied into the arena; none for a test event. False when the
 * body is no JSON object. */
bool records_read(struct arena *arena, str body, struct record **out, size_t *n);
/* The lab's word for why this record is no job ("unsupported_type"), or absent when it is one. */
str record_skip(const struct pipeline_options *options, const struct record *record);
/* Whether the report of a job may be a job itself, and so on without end, where both have one
 * bucket. */
bool record_endless(const struct pipeline_options *options, struct arena *arena);
/* Why this record cannot be worked on: the lab's code would throw, or its report would be a job
 * again; absent when it can. */
str record_fault(const struct pipeline_options *options, struct arena *arena,
                 const struct record *record);
/* The job of a record whose object exists; `etag` as HeadObject answered it. */
struct job record_job(struct ctx *ctx, const struct pipeline_options *options,
                      const struct record *record, str etag);
str record_log_skipped(struct arena *arena, const struct record *record, str reason);

#endif
