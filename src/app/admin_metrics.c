/* app/admin_metrics.c - /metrics in the Prometheus text format, and what the run would have cost.
 */
#include "app/admin.h"
#include "app/cost.h"
#include "app/exposition.h"
#include "app/pool.h"
#include "sqs/peek.h"
#include "sqs/queue.h"

/* account, region, queue, and room for one more. */
#define QUEUE_LABELS(facts)                                                                        \
    {                                                                                              \
        {"account", (facts).account}, {"region", (facts).region}, {"queue", (facts).name},         \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static void put_depths(struct app *app, struct buf *b)
{
    expose_head(b, "queue_messages", "gauge", "Messages of a queue by state.");
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));) {
        struct sqs_queue_facts facts;
        if (!sqs_queue_facts(app->sqs, id, &facts))
            continue;
        const struct {
            const char *state;
            int64_t n;
        } rows[] = {
            {"visible", facts.visible}, {"in_flight", facts.hidden}, {"delayed", facts.delayed}};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct label labels[] = QUEUE_LABELS(facts);
            labels[3] = (struct label){"state", str_of(rows[i].state)};
            expose_int(b, "queue_messages", labels, 4, rows[i].n);
        }
    }
}

static void put_ages(struct app *app, struct buf *b)
{
    msec now = clock_now(&app->clock);
    expose_head(b, "queue_oldest_message_age_seconds", "gauge",
                "Age of the oldest message of a queue in virtual time, as its retention counts it "
                "(0: empty).");
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));) {
        struct sqs_queue_facts facts;
        if (!sqs_queue_facts(app->sqs, id, &facts))
            continue;
        struct label labels[] = QUEUE_LABELS(facts);
        msec age = facts.oldest && facts.oldest < now ? now - facts.oldest : 0;
        expose_fraction(b, "queue_oldest_message_age_seconds", labels, 3, age, 1000);
    }
}

static void put_counted(struct buf *b, const char *metric, const char *label, const char *value,
                        const struct pool_facts *facts, int64_t n)
{
    struct label labels[] = {{"stage", str_of(facts->stage)}, {label, str_of(value)}};
    expose_int(b, metric, labels, 2, n);
}

static void put_workers(struct app *app, struct buf *b)
{
    struct pool_facts facts[POOL_STAGES];
    if (!app->pool)
        return;
    pool_facts(app->pool, facts);
    expose_head(b, "workers", "gauge", "Slots of the built-in pipeline's stages by state.");
    for (size_t i = 0; i < POOL_STAGES; i++) {
        put_counted(b, "workers", "state", "busy", &facts[i], facts[i].busy);
        put_counted(b, "workers", "state", "idle", &facts[i], facts[i].slots - facts[i].busy);
    }
    expose_head(b, "jobs_total", "counter",
                "Messages that the pipeline's stages dealt with (done), gave back (failed), or "
                "were killed over by a fault rule (killed).");
    for (size_t i = 0; i < POOL_STAGES; i++) {
        put_counted(b, "jobs_total", "result", "done", &facts[i], facts[i].done);
        put_counted(b, "jobs_total", "result", "failed", &facts[i], facts[i].failed);
        put_counted(b, "jobs_total", "result", "killed", &facts[i], facts[i].killed);
    }
}

static void answer_metrics(struct request *request)
{
    struct app *app = request->app;
    struct arena *arena = request->http->arena;
    struct buf b = buf_in(arena);
    struct label version = {"version", S(HEADRACE_VERSION)};
    metrics_prometheus(app->metrics, &b);
    put_depths(app, &b);
    put_ages(app, &b);
    put_workers(app, &b);
    expose_head(&b, "parked_receives", "gauge", "Long polls that wait for a message.");
    expose_int(&b, "parked_receives", NULL, 0, (int64_t)parks_count(app->parks));
    expose_head(&b, "wal_bytes", "gauge", "Size of the write-ahead log.");
    expose_int(&b, "wal_bytes", NULL, 0, db_wal_size(app->db));
    expose_head(&b, "build_info", "gauge", "Which Headrace this is.");
    expose_int(&b, "build_info", &version, 1, 1);
    struct http_reply *reply = request_reply(request);
    http_reply_bytes(arena, reply, 200, S("text/plain; version=0.0.4; charset=utf-8"), buf_str(&b));
    http_reply_set(arena, reply, S("Cache-Control"), S("no-store"));
    request_answer(request, reply);
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
    {"GET", "/metrics", answer_metrics,
     "requests, latencies, queues, workers and commits for Prometheus"},
    {"GET", "/_headrace/metrics", answer_metrics, "the same"},
    {"GET", "/_headrace/cost", answer_cost,
     "what the requests so far would have cost on AWS; ?format=text for people"},
    {NULL, NULL, NULL, NULL},
};
