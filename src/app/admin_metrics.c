/* app/admin_metrics.c - /metrics in the Prometheus text format, and what the run would have cost.
 */
#include "app/admin.h"
#include "app/cost.h"
#include "sqs/peek.h"
#include "sqs/queue.h"

static void gauge_head(struct buf *b, const char *name, const char *help)
{
    buf_printf(b, "# HELP headrace_%s %s\n# TYPE headrace_%s gauge\n", name, help, name);
}

static void put_queues(struct app *app, struct buf *b)
{
    gauge_head(b, "queue_messages", "Messages of a queue by state.");
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));) {
        struct sqs_queue_facts facts;
        if (!sqs_queue_facts(app->sqs, id, &facts))
            continue;
        const struct {
            const char *state;
            int64_t n;
        } rows[] = {
            {"visible", facts.visible}, {"in_flight", facts.hidden}, {"delayed", facts.delayed}};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            buf_printf(b,
                       "headrace_queue_messages{account=\"%.*s\",region=\"%.*s\",queue=\"%.*s\","
                       "state=\"%s\"} %lld\n",
                       STR_ARG(facts.account), STR_ARG(facts.region), STR_ARG(facts.name),
                       rows[i].state, (long long)rows[i].n);
    }
}

static void answer_metrics(struct request *request)
{
    struct app *app = request->app;
    struct buf b = buf_in(request->http->arena);
    metrics_prometheus(app->metrics, &b);
    put_queues(app, &b);
    gauge_head(&b, "parked_receives", "Long polls that wait for a message.");
    buf_printf(&b, "headrace_parked_receives %zu\n", parks_count(app->parks));
    gauge_head(&b, "wal_bytes", "Size of the write-ahead log.");
    buf_printf(&b, "headrace_wal_bytes %lld\n", (long long)db_wal_size(app->db));
    admin_answer_text(request, 200, buf_str(&b));
}

static void answer_cost(struct request *request)
{
    struct app *app = request->app;
    struct buf b = buf_in(request->http->arena);
    struct metrics_operation *operations;
    struct cost_usage usage = {
        .n = metrics_operations(app->metrics, request->http->arena, &operations)};
    usage.operations = operations;
    usage.stored_bytes = s3_stored_bytes(app->s3);
    bool text = str_eq(http_query(request->http, S("format")), S("text"));
    if (text)
        cost_text(&b, &usage);
    else
        cost_json(&b, &usage);
    if (text)
        admin_answer_text(request, 200, buf_str(&b));
    else
        admin_answer_json(request, 200, buf_str(&b));
}

const struct admin_row admin_metrics_rows[] = {
    {"GET", "/metrics", answer_metrics, "counters, latencies and queue depths for Prometheus"},
    {"GET", "/_headrace/metrics", answer_metrics, "the same"},
    {"GET", "/_headrace/cost", answer_cost,
     "what the requests so far would have cost on AWS; ?format=text for people"},
    {NULL, NULL, NULL, NULL},
};
