/* app/exposition.h - the Prometheus text format: heads, samples with their labels, histograms.
 * https://prometheus.io/docs/instrumenting/exposition_formats/. Every metric's name begins with
 * "headrace_", which callers leave out. */
#ifndef HEADRACE_APP_EXPOSITION_H
#define HEADRACE_APP_EXPOSITION_H

#include "base/buf.h"

struct label {
    const char *name;
    str value; /* any bytes */
};

/* HELP and TYPE; `type` is "counter", "gauge" or "histogram". */
void expose_head(struct buf *b, const char *metric, const char *type, const char *help);
/* One sample that is a whole number. */
void expose_int(struct buf *b, const char *metric, const struct label *labels, size_t n,
                int64_t value);
/* One that is not: `value` thousandths or millionths, as `unit` (1000, 1000000) says. */
void expose_fraction(struct buf *b, const char *metric, const struct label *labels, size_t n,
                     int64_t value, int64_t unit);

struct histogram {
    const int64_t *bounds; /* upper bounds, in units of 1/unit */
    const int64_t *counts; /* nbounds + 1 of them, each of its own bucket alone */
    size_t nbounds;
    int64_t unit;
    int64_t sum;
};
void expose_histogram(struct buf *b, const char *metric, const struct label *labels, size_t n,
                      const struct histogram *histogram);

#endif
