/* app/metrics.c - a short list of operations, each with a short list of codes: a run asks for a few
 * dozen operations at most, and the one asked last is found first. Names come from clients only
 * where they name a known operation, so the lists stay short. */
#include "app/metrics.h"

#include <stdlib.h>
#include <string.h>

struct code {
    struct code *next;
    char *name; /* "" for success */
    int64_t n;
};

struct operation {
    struct operation *next;
    struct metrics_operation total;
    char *service, *name; /* what total's strings point to */
    struct code *codes;
};

struct metrics {
    struct operation *first; /* most recently used first */
};

static const int64_t bounds[METRICS_NBOUNDS] = METRICS_BOUNDS;

struct metrics *metrics_new(void)
{
    return xalloc(sizeof(struct metrics));
}

void metrics_clear(struct metrics *metrics)
{
    while (metrics->first) {
        struct operation *operation = metrics->first;
        metrics->first = operation->next;
        while (operation->codes) {
            struct code *code = operation->codes;
            operation->codes = code->next;
            free(code->name);
            free(code);
        }
        free(operation->service);
        free(operation->name);
        free(operation);
    }
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return;
    metrics_clear(metrics);
    free(metrics);
}

static struct operation *operation_new(str service, str name)
{
    struct operation *operation = xalloc(sizeof *operation);
    operation->service = xstrdup(service);
    operation->name = xstrdup(name);
    operation->total.service = str_of(operation->service);
    operation->total.operation = str_of(operation->name);
    return operation;
}

static struct operation *operation_find(struct metrics *metrics, str service, str name)
{
    struct operation **at = &metrics->first, *operation;
    while (*at && !(str_eq((*at)->total.operation, name) && str_eq((*at)->total.service, service)))
        at = &(*at)->next;
    operation = *at;
    if (operation)
        *at = operation->next;
    else
        operation = operation_new(service, name);
    operation->next = metrics->first;
    return metrics->first = operation;
}

static void code_count(struct operation *operation, str name)
{
    struct code *code = operation->codes;
    while (code && !str_eq(str_of(code->name), name))
        code = code->next;
    if (!code) {
        code = xalloc(sizeof *code);
        code->name = xstrdup(name);
        code->next = operation->codes;
        operation->codes = code;
    }
    code->n++;
}

static int64_t chunks_of(int64_t bytes)
{
    return bytes <= 65536 ? 1 : (bytes + 65535) / 65536;
}

void metrics_count(struct metrics *metrics, const struct metrics_request *request)
{
    str service = request->service.p ? request->service : S("none");
    str name = request->operation.p ? request->operation : S("unknown");
    struct operation *operation = operation_find(metrics, service, name);
    struct metrics_operation *total = &operation->total;
    size_t slot = 0;
    while (slot < METRICS_NBOUNDS && request->us > bounds[slot])
        slot++;
    total->buckets[slot]++;
    total->requests++;
    total->errors += request->code.p != NULL;
    total->empty_receives += request->empty_receive;
    total->bytes_in += request->bytes_in;
    total->bytes_out += request->bytes_out;
    total->chunks +=
        chunks_of(request->bytes_in > request->bytes_out ? request->bytes_in : request->bytes_out);
    total->us_sum += request->us;
    code_count(operation, request->code.p ? request->code : S(""));
}

static int by_name(const void *a, const void *b)
{
    const struct metrics_operation *x = a, *y = b;
    int order = str_cmp(x->service, y->service);
    return order ? order : str_cmp(x->operation, y->operation);
}

size_t metrics_operations(const struct metrics *metrics, struct arena *arena,
                          struct metrics_operation **out)
{
    size_t n = 0, i = 0;
    for (struct operation *operation = metrics->first; operation; operation = operation->next)
        n++;
    *out = arena_array(arena, n, sizeof **out);
    for (struct operation *operation = metrics->first; operation; operation = operation->next)
        (*out)[i++] = operation->total;
    if (n)
        qsort(*out, n, sizeof **out, by_name);
    return n;
}

static void put_labels(struct buf *b, const char *metric, const struct metrics_operation *total)
{
    buf_printf(b, "headrace_%s{service=\"%.*s\",operation=\"%.*s\"", metric,
               STR_ARG(total->service), STR_ARG(total->operation));
}

static void put_histogram(struct buf *b, const struct metrics_operation *total)
{
    int64_t below = 0;
    for (size_t i = 0; i < METRICS_NBOUNDS; i++) {
        below += total->buckets[i];
        put_labels(b, "request_seconds_bucket", total);
        buf_printf(b, ",le=\"%g\"} %lld\n", (double)bounds[i] / 1e6, (long long)below);
    }
    put_labels(b, "request_seconds_bucket", total);
    buf_printf(b, ",le=\"+Inf\"} %lld\n", (long long)total->requests);
    put_labels(b, "request_seconds_sum", total);
    buf_printf(b, "} %.6f\n", (double)total->us_sum / 1e6);
    put_labels(b, "request_seconds_count", total);
    buf_printf(b, "} %lld\n", (long long)total->requests);
}

static void put_head(struct buf *b, const char *metric, const char *type, const char *help)
{
    buf_printf(b, "# HELP headrace_%s %s\n# TYPE headrace_%s %s\n", metric, help, metric, type);
}

static void put_bytes(const struct metrics *metrics, struct buf *b, const char *metric,
                      const char *help, size_t offset)
{
    put_head(b, metric, "counter", help);
    for (struct operation *operation = metrics->first; operation; operation = operation->next) {
        int64_t value;
        memcpy(&value, (const char *)&operation->total + offset, sizeof value);
        put_labels(b, metric, &operation->total);
        buf_printf(b, "} %lld\n", (long long)value);
    }
}

void metrics_prometheus(const struct metrics *metrics, struct buf *b)
{
    put_head(b, "requests_total", "counter",
             "Requests by operation and error code (empty: success).");
    for (struct operation *operation = metrics->first; operation; operation = operation->next)
        for (struct code *code = operation->codes; code; code = code->next) {
            put_labels(b, "requests_total", &operation->total);
            buf_printf(b, ",code=\"%s\"} %lld\n", code->name, (long long)code->n);
        }
    put_head(b, "request_seconds", "histogram",
             "Time from headers to reply, without time parked in a long poll.");
    for (struct operation *operation = metrics->first; operation; operation = operation->next)
        put_histogram(b, &operation->total);
    put_bytes(metrics, b, "request_bytes_total", "Bytes of request bodies.",
              offsetof(struct metrics_operation, bytes_in));
    put_bytes(metrics, b, "response_bytes_total", "Bytes of response bodies.",
              offsetof(struct metrics_operation, bytes_out));
    put_bytes(metrics, b, "empty_receives_total", "ReceiveMessage calls that returned no message.",
              offsetof(struct metrics_operation, empty_receives));
}
