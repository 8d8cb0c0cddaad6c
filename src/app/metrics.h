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
    int64_t at;                  /* clock_micros of the reply */
    int64_t bytes_in, bytes_out; /* bodies */
    bool empty_receive;          /* ReceiveMessage that returned nothing */
    bool fifo;                   /* of a FIFO queue, which costs more */
};

/* How many fell into each of the last seconds. */
#define METRICS_RATE_SECONDS 5
struct metrics_rate {
    struct {
        int64_t second, n;
    } slots[METRICS_RATE_SECONDS + 1]; /* and the one that has not ended yet */
};

/* Totals of one operation. */
struct metrics_operation {
    str service, operation;
    int64_t requests, errors, empty_receives;
    int64_t bytes_in, bytes_out;
    int64_t chunks; /* started 64 KiB units of payload, at least one a request: how SQS bills */
    int64_t fifo_chunks, fifo_empty_receives; /* of these, FIFO queues' */
    int64_t us_sum, buckets[METRICS_NBOUNDS + 1];
    struct metrics_rate rate;
};

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
void metrics_clear(struct metrics *metrics);
void metrics_count(struct metrics *metrics, const struct metrics_request *request);
/* A turn's transaction ended after `us` microseconds of committing; `answers` requests waited for
 * it. */
void metrics_commit(struct metrics *metrics, int64_t us, int64_t answers, bool committed);
/* Requests a second, over the last whole seconds before `now` (clock_micros). */
double metrics_per_second(const struct metrics_rate *rate, int64_t now);
/* All operations seen, ordered by service and name; an array in the arena. */
size_t metrics_operations(const struct metrics *metrics, struct arena *arena,
                          struct metrics_operation **out);
/* Requests, latencies, bytes and commits in the Prometheus text format. Gauges of queues and
 * workers are the caller's. */
void metrics_prometheus(const struct metrics *metrics, struct buf *b);

#endif
