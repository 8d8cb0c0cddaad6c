/* app/metrics.c - a short list of operations, each with a short list of codes: a run asks for a few
 * dozen operations at most, and the one asked last is found first. Names come from clients only
 * where they name a known operation, so the lists stay short. */
#include "app/metrics.h"

#include "app/exposition.h"

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

static const int64_t bounds[METRICS_NBOUNDS] = METRICS_BOUNDS;
static const int64_t batches[] = {0, 1, 2, 4, 8, 16, 32, 64, 128, 256};
#define NBATCHES (sizeof batches / sizeof *batches)

struct metrics {
    struct operation *first; /* most recently used first */
    int64_t commit_us[METRICS_NBOUNDS + 1], commit_us_sum;
    int64_t commit_answers[NBATCHES + 1], commit_answers_sum;
    int64_t commit_failures;
};

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
    *metrics = (struct metrics){0};
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

static size_t slot_of(const int64_t *upper, size_t n, int64_t value)
{
    size_t slot = 0;
    while (slot < n && value > upper[slot])
        slot++;
    return slot;
}

static void rate_count(struct metrics_rate *rate, int64_t at)
{
    int64_t second = at / 1000000;
    size_t slot = (size_t)second % (METRICS_RATE_SECONDS + 1);
    if (rate->slots[slot].second != second) {
        rate->slots[slot].second = second;
        rate->slots[slot].n = 0;
    }
    rate->slots[slot].n++;
}

double metrics_per_second(const struct metrics_rate *rate, int64_t now)
{
    int64_t second = now / 1000000, n = 0;
    for (size_t i = 0; i <= METRICS_RATE_SECONDS; i++)
        if (rate->slots[i].second < second &&
            rate->slots[i].second >= second - METRICS_RATE_SECONDS)
            n += rate->slots[i].n;
    return (double)n / METRICS_RATE_SECONDS;
}

void metrics_commit(struct metrics *metrics, int64_t us, int64_t answers, bool committed)
{
    metrics->commit_failures += !committed;
    metrics->commit_us[slot_of(bounds, METRICS_NBOUNDS, us)]++;
    metrics->commit_us_sum += us;
    metrics->commit_answers[slot_of(batches, NBATCHES, answers)]++;
    metrics->commit_answers_sum += answers;
}

void metrics_count(struct metrics *metrics, const struct metrics_request *request)
{
    str service = request->service.p ? request->service : S("none");
    str name = request->operation.p ? request->operation : S("unknown");
    struct operation *operation = operation_find(metrics, service, name);
    struct metrics_operation *total = &operation->total;
    total->buckets[slot_of(bounds, METRICS_NBOUNDS, request->us)]++;
    rate_count(&total->rate, request->at);
    total->requests++;
    total->errors += request->code.p != NULL;
    total->empty_receives += request->empty_receive;
    total->bytes_in += request->bytes_in;
    total->bytes_out += request->bytes_out;
    int64_t chunks =
        chunks_of(request->bytes_in > request->bytes_out ? request->bytes_in : request->bytes_out);
    total->chunks += chunks;
    total->fifo_chunks += request->fifo ? chunks : 0;
    total->fifo_empty_receives += request->fifo && request->empty_receive;
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

/* ---- Prometheus ---- */

/* service, operation, and room for one more. */
#define LABELS(total)                                                                              \
    {                                                                                              \
        {"service", (total)->service}, {"operation", (total)->operation},                          \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static void put_requests(const struct metrics *metrics, struct buf *b)
{
    expose_head(b, "requests_total", "counter",
                "Requests by operation and error code (empty: success).");
    for (struct operation *operation = metrics->first; operation; operation = operation->next)
        for (struct code *code = operation->codes; code; code = code->next) {
            struct label labels[] = LABELS(&operation->total);
            labels[2] = (struct label){"code", str_of(code->name)};
            expose_int(b, "requests_total", labels, 3, code->n);
        }
}

static void put_latencies(const struct metrics *metrics, struct buf *b)
{
    expose_head(b, "request_seconds", "histogram",
                "Time from headers to reply, without time parked in a long poll.");
    for (struct operation *operation = metrics->first; operation; operation = operation->next) {
        struct label labels[] = LABELS(&operation->total);
        struct histogram seconds = {bounds, operation->total.buckets, METRICS_NBOUNDS, 1000000,
                                    operation->total.us_sum};
        expose_histogram(b, "request_seconds", labels, 2, &seconds);
    }
}

static void put_sums(const struct metrics *metrics, struct buf *b, const char *metric,
                     const char *help, size_t offset)
{
    expose_head(b, metric, "counter", help);
    for (struct operation *operation = metrics->first; operation; operation = operation->next) {
        struct label labels[] = LABELS(&operation->total);
        int64_t value;
        memcpy(&value, (const char *)&operation->total + offset, sizeof value);
        expose_int(b, metric, labels, 2, value);
    }
}

static void put_commits(const struct metrics *metrics, struct buf *b)
{
    struct histogram seconds = {bounds, metrics->commit_us, METRICS_NBOUNDS, 1000000,
                                metrics->commit_us_sum};
    struct histogram answers = {batches, metrics->commit_answers, NBATCHES, 1,
                                metrics->commit_answers_sum};
    expose_head(b, "commit_seconds", "histogram", "Time a commit of the database took.");
    expose_histogram(b, "commit_seconds", NULL, 0, &seconds);
    expose_head(b, "commit_requests", "histogram",
                "Requests that shared a commit (0: the pipeline's or the clock's work).");
    expose_histogram(b, "commit_requests", NULL, 0, &answers);
    expose_head(b, "commit_failures_total", "counter",
                "Commits that failed: everything in them was refused and rolled back.");
    expose_int(b, "commit_failures_total", NULL, 0, metrics->commit_failures);
}

void metrics_prometheus(const struct metrics *metrics, struct buf *b)
{
    put_requests(metrics, b);
    put_latencies(metrics, b);
    put_sums(metrics, b, "request_bytes_total", "Bytes of request bodies.",
             offsetof(struct metrics_operation, bytes_in));
    put_sums(metrics, b, "response_bytes_total", "Bytes of response bodies.",
             offsetof(struct metrics_operation, bytes_out));
    put_sums(metrics, b, "empty_receives_total", "ReceiveMessage calls that returned no message.",
             offsetof(struct metrics_operation, empty_receives));
    put_commits(metrics, b);
}
