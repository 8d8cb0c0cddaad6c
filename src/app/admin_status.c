/* app/admin_status.c - what there is right now, at a glance: buckets, queues, requests. */
#include "app/admin.h"
#include "app/metrics.h"
#include "base/text.h"
#include "s3/reset.h"
#include "sqs/queue.h"

static void put_text(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    struct metrics_operation *operations;
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(app->s3, request->http->arena, STR_NONE, &buckets);
    buf_printf(b, "%-14s %-32s %10s\n", "BUCKETS", "name", "versions");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "  %-12.*s %-32.*s %10lld\n", STR_ARG(buckets[i]->account),
                   STR_ARG(buckets[i]->name), (long long)s3_bucket_objects(app->s3, buckets[i]));
    buf_printf(b, "%-14s %-32s %10s %10s %10s\n", "QUEUES", "name", "visible", "in flight",
               "delayed");
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));) {
        struct sqs_queue_facts q;
        if (sqs_queue_facts(app->sqs, id, &q))
            buf_printf(b, "  %-12.*s %-32.*s %10lld %10lld %10lld\n", STR_ARG(q.account),
                       STR_ARG(q.name), (long long)q.visible, (long long)q.hidden,
                       (long long)q.delayed);
    }
    n = metrics_operations(app->metrics, request->http->arena, &operations);
    buf_printf(b, "%-14s %-32s %10s %10s %10s\n", "REQUESTS", "operation", "count", "errors",
               "mean us");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "  %-12.*s %-32.*s %10lld %10lld %10lld\n", STR_ARG(operations[i].service),
                   STR_ARG(operations[i].operation), (long long)operations[i].requests,
                   (long long)operations[i].errors,
                   (long long)(operations[i].us_sum / operations[i].requests));
    buf_printf(b, "long polls waiting: %zu\n", parks_count(app->parks));
}

static void put_json(struct request *request, struct buf *b)
{
    struct app *app = request->app;
    struct metrics_operation *operations;
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(app->s3, request->http->arena, STR_NONE, &buckets), rows = 0;
    BUF_LIT(b, "{\"buckets\":[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"account\":\"%.*s\",\"name\":", i ? "," : "",
                   STR_ARG(buckets[i]->account));
        buf_json(b, buckets[i]->name);
        buf_printf(b, ",\"versions\":%lld}", (long long)s3_bucket_objects(app->s3, buckets[i]));
    }
    BUF_LIT(b, "],\"queues\":[");
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));) {
        struct sqs_queue_facts q;
        if (!sqs_queue_facts(app->sqs, id, &q))
            continue;
        buf_printf(b,
                   "%s{\"account\":\"%.*s\",\"region\":\"%.*s\",\"name\":\"%.*s\",\"visible\":%lld,"
                   "\"inFlight\":%lld,\"delayed\":%lld}",
                   rows++ ? "," : "", STR_ARG(q.account), STR_ARG(q.region), STR_ARG(q.name),
                   (long long)q.visible, (long long)q.hidden, (long long)q.delayed);
    }
    BUF_LIT(b, "],\"operations\":[");
    n = metrics_operations(app->metrics, request->http->arena, &operations);
    for (size_t i = 0; i < n; i++)
        buf_printf(
            b, "%s{\"service\":\"%.*s\",\"operation\":\"%.*s\",\"requests\":%lld,\"errors\":%lld}",
            i ? "," : "", STR_ARG(operations[i].service), STR_ARG(operations[i].operation),
            (long long)operations[i].requests, (long long)operations[i].errors);
    buf_printf(b, "],\"parked\":%zu}", parks_count(app->parks));
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
     "buckets, queues and requests right now; ?format=text for people"},
    {NULL, NULL, NULL, NULL},
};
