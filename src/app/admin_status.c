/* app/admin_status.c - what there is right now, at a glance: buckets, queues,
 * workers, requests. */
#include "app/admin.h"
#include "app/metrics.h"
#include "app/pool.h"
#include "base/text.h"
#include "s3/reset.h"
#include "sqs/queue.h"

#include <stdlib.h>

struct queue_row {
    int64_t id;
    struct sqs_queue_facts facts;
};

static int by_account_and_name(const void *a, const void *b)
{
    const struct sqs_queue_facts *left = &((const struct queue_row *)a)->facts;
    const struct sqs_queue_facts *right = &((const struct queue_row *)b)->facts;
    int order = str_cmp(left->account, right->account);
    order = order ? order : str_cmp(left->name, right->name);
    return order ? order : str_cmp(left->region, right->region);
}

/* All queues by account, name and region; how many. */
static size_t queues(struct app *app, struct arena *arena, struct queue_row **out)
{
    size_t n = 0, room = 0;
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));)
        room++;
    *out = arena_array(arena, room, sizeof **out);
    for (int64_t id = 0; n < room && (id = sqs_queue_next(app->sqs, id));) {
        (*out)[n].id = id;
        n += sqs_queue_facts(app->sqs, id, &(*out)[n].facts);
    }
    if (n)
        qsort(*out, n, sizeof **out, by_account_and_name);
    return n;
}

/* ---- for people ---- */

static void text_buckets(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(app->s3, b->arena, STR_NONE, &buckets);
    buf_printf(b, "%-14s %-25s %9s\n", "BUCKETS", "name", "versions");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "  %-12.*s %-25.*s %9lld\n", STR_ARG(buckets[i]->account),
                   STR_ARG(buckets[i]->name), (long long)s3_bucket_objects(app->s3, buckets[i]));
}

/* "45 s", "12 min", "13 h", "4 d". */
static str age_text(struct arena *arena, const struct sqs_queue_facts *facts, msec now)
{
    static const struct {
        msec from, unit;
        const char *name;
    } rows[] = {{172800000, 86400000, "d"}, {7200000, 3600000, "h"}, {120000, 60000, "min"}};
    if (!facts->oldest)
        return S("-");
    msec age = facts->oldest < now ? now - facts->oldest : 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (age >= rows[i].from)
            return arena_printf(arena, "%lld %s", (long long)(age / rows[i].unit), rows[i].name);
    return arena_printf(arena, "%lld s", (long long)(age / 1000));
}

static void text_queues(struct request *request, struct buf *b)
{
    msec now = clock_now(&request->app->clock);
    struct queue_row *rows;
    size_t n = queues(request->app, b->arena, &rows);
    buf_printf(b, "%-14s %-25s %9s %9s %9s %9s\n", "QUEUES", "name", "visible", "in flight",
               "delayed", "oldest");
    for (size_t i = 0; i < n; i++) {
        const struct sqs_queue_facts *q = &rows[i].facts;
        buf_printf(b, "  %-12.*s %-25.*s %9lld %9lld %9lld %9.*s\n", STR_ARG(q->account),
                   STR_ARG(q->name), (long long)q->visible, (long long)q->hidden,
                   (long long)q->delayed, STR_ARG(age_text(b->arena, q, now)));
    }
}

static void text_workers(struct request *request, struct buf *b)
{
    struct pool_facts facts[POOL_STAGES];
    if (!request->app->pool)
        return;
    pool_facts(request->app->pool, facts);
    buf_printf(b, "%-14s %-25s %9s %9s %9s %9s\n", "WORKERS", "stage", "slots", "busy", "done",
               "failed");
    for (size_t i = 0; i < POOL_STAGES; i++)
        buf_printf(b, "  %-12s %-25s %9lld %9lld %9lld %9lld\n", "", facts[i].stage,
                   (long long)facts[i].slots, (long long)facts[i].busy, (long long)facts[i].done,
                   (long long)(facts[i].failed + facts[i].killed));
}

static void text_requests(struct request *request, struct buf *b)
{
    struct metrics_operation *operations;
    int64_t now = clock_micros();
    size_t n = metrics_operations(request->app->metrics, b->arena, &operations);
    buf_printf(b, "%-14s %-25s %9s %9s %9s %9s\n", "REQUESTS", "operation", "count", "errors",
               "mean us", "a second");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "  %-12.*s %-25.*s %9lld %9lld %9lld %9.1f\n", STR_ARG(operations[i].service),
                   STR_ARG(operations[i].operation), (long long)operations[i].requests,
                   (long long)operations[i].errors,
                   (long long)(operations[i].us_sum / operations[i].requests),
                   metrics_per_second(&operations[i].rate, now));
}

static void put_text(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    text_buckets(request, b);
    text_queues(request, b);
    text_workers(request, b);
    text_requests(request, b);
    buf_printf(b, "long polls waiting: %zu\n", parks_count(app->parks));
    buf_printf(b, "clock: %.*s (%.*s)\n", STR_ARG(date_iso_ms(b->arena, clock_now(&app->clock))),
               STR_ARG(clock_mode_name(&app->clock)));
}

/* ---- for programs ---- */

static void json_buckets(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(app->s3, b->arena, STR_NONE, &buckets);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"account\":\"%.*s\",\"name\":", i ? "," : "",
                   STR_ARG(buckets[i]->account));
        buf_json(b, buckets[i]->name);
        buf_printf(b, ",\"versions\":%lld}", (long long)s3_bucket_objects(app->s3, buckets[i]));
    }
}

static void json_queues(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    msec now = clock_now(&app->clock);
    struct queue_row *rows;
    size_t n = queues(app, b->arena, &rows);
    for (size_t i = 0; i < n; i++) {
        const struct sqs_queue_facts *q = &rows[i].facts;
        buf_printf(b, "%s{\"account\":\"%.*s\",\"region\":", i ? "," : "", STR_ARG(q->account));
        buf_json(b, q->region);
        buf_printf(b,
                   ",\"name\":\"%.*s\",\"url\":\"%.*s\",\"visible\":%lld,\"inFlight\":%lld,"
                   "\"delayed\":%lld,"
                   "\"oldestAgeMs\":%lld}",
                   STR_ARG(q->name),
                   STR_ARG(sqs_queue_url(app->sqs, &request->call.ctx, rows[i].id)),
                   (long long)q->visible, (long long)q->hidden, (long long)q->delayed,
                   (long long)(q->oldest && q->oldest < now ? now - q->oldest : 0));
    }
}

static void json_workers(struct request *request, struct buf *b)
{
    struct pool_facts facts[POOL_STAGES];
    if (!request->app->pool)
        return;
    pool_facts(request->app->pool, facts);
    for (size_t i = 0; i < POOL_STAGES; i++)
        buf_printf(b,
                   "%s{\"stage\":\"%s\",\"slots\":%lld,\"busy\":%lld,\"done\":%lld,"
                   "\"failed\":%lld,\"killed\":%lld}",
                   i ? "," : "", facts[i].stage, (long long)facts[i].slots,
                   (long long)facts[i].busy, (long long)facts[i].done, (long long)facts[i].failed,
                   (long long)facts[i].killed);
}

static void json_operations(struct request *request, struct buf *b)
{
    struct metrics_operation *operations;
    int64_t now = clock_micros();
    size_t n = metrics_operations(request->app->metrics, b->arena, &operations);
    for (size_t i = 0; i < n; i++)
        buf_printf(b,
                   "%s{\"service\":\"%.*s\",\"operation\":\"%.*s\",\"requests\":%lld,"
                   "\"errors\":%lld,\"perSecond\":%.1f}",
                   i ? "," : "", STR_ARG(operations[i].service), STR_ARG(operations[i].operation),
                   (long long)operations[i].requests, (long long)operations[i].errors,
                   metrics_per_second(&operations[i].rate, now));
}

static void put_rest(struct app *app, struct buf *b)
{
    buf_printf(
        b, "],\"parked\":%zu,\"lastEvent\":%lld,\"clock\":{\"mode\":\"%.*s\",\"now\":\"%.*s\"}}",
        parks_count(app->parks), (long long)app->told, STR_ARG(clock_mode_name(&app->clock)),
        STR_ARG(date_iso_ms(b->arena, clock_now(&app->clock))));
}

static void put_json(struct request *request, struct buf *b)
{
    BUF_LIT(b, "{\"buckets\":[");
    json_buckets(request, b);
    BUF_LIT(b, "],\"queues\":[");
    json_queues(request, b);
    BUF_LIT(b, "],\"workers\":[");
    json_workers(request, b);
    BUF_LIT(b, "],\"operations\":[");
    json_operations(request, b);
    put_rest(request->app, b);
}

static void answer_status(struct request *request)
{
    struct buf b = buf_in(request->http->arena);
    bool text = str_eq(http_query(request->http, S("format")), S("text"));
    if (text) {
        put_text(request, &b);
        admin_answer_text(request, 200, buf_str(&b));
        return;
    }
    put_json(request, &b);
    admin_answer_json(request, 200, buf_str(&b));
}

const struct admin_row admin_status_rows[] = {
    {"GET", "/_headrace/status", answer_status,
     "buckets, queues, workers and requests right now; ?format=text for people"},
    {NULL, NULL, NULL, NULL},
};
