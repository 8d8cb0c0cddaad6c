/* app/metrics.h - what was asked and what became of it, counted: for /metrics (Prometheus text),
 * `headrace status` and `headrace cost`. One row for each pair of operation and code, a histogram
 * for each operation. Durations come in as arguments. */
#ifndef HEADRACE_APP_METRICS_H
#define HEADRACE_APP_METRICS_H

#include "base/buf.h"
#include "base/ctx.h"

/* Upper bounds of the latency histogram in microseconds; a last, unbounded one follows. */
#define METRICS_BOUNDS                                                                             \
    {                                                                                              \
        100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 10000000    \
    }
#define METRICS_NBOUNDS 13

/* One finished request. */
struct metrics_request {
    str service;                 /* "sqs"; absent: not an AWS request */
    str operation;               /* "SendMessage"; absent when routing failed */
    str code;                    /* error code; absent on success */
    int64_t us;                  /* from headers to reply, parked time excluded */
    int64_t bytes_in, bytes_out; /* bodies */
    bool empty_receive;          /* ReceiveMessage that returned nothing */
};

/* Totals of one operation. */
struct metrics_operation {
    str service, operation;
    int64_t requests, errors, empty_receives;
    int64_t bytes_in, bytes_out;
    int64_t chunks; /* started 64 KiB units of payload, at least one a request: how SQS bills */
    int64_t us_sum, buckets[METRICS_NBOUNDS + 1];
};

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
void metrics_clear(struct metrics *metrics);
void metrics_count(struct metrics *metrics, const struct metrics_request *request);
/* All operations seen, ordered by service and name; an array in the arena. */
size_t metrics_operations(const struct metrics *metrics, struct arena *arena,
                          struct metrics_operation **out);
/* headrace_requests_total, headrace_request_seconds, bytes; in the Prometheus text format. Gauges
 * of queues are the caller's. */
void metrics_prometheus(const struct metrics *metrics, struct buf *b);

#endif
