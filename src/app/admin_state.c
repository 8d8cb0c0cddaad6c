/* app/admin_state.c - what tests do to the state: empty it, look for what they left behind; and the
 * addresses by which users of moto and LocalStack know these things.
 *
 *   POST /_headrace/reset {"account":"111122223333","service":"s3|sqs","provision":false}
 *                                       all members optional
 *   GET  /_headrace/leaks?account=111122223333
 *
 * A reset is one transaction, complete before it answers. The pipeline's own resources are made
 * anew unless told otherwise. */
#include "app/admin.h"
#include "app/fault_rules.h"
#include "app/lint.h"
#include "app/metrics.h"
#include "app/pool.h"
#include "app/trace.h"
#include "app/turn.h"
#include "base/text.h"
#include "s3/reset.h"
#include "sqs/queue.h"

#include <jansson.h>

struct reset {
    const char *account, *service;
    int provision; /* default yes */
};

static err empty(struct request *request, const struct reset *reset)
{
    struct app *app = request->app;
    str service = str_of(reset->service), account = str_of(reset->account);
    if (!service.p || str_eq(service, S("s3")))
        TRY(s3_reset(app->s3, &request->call.ctx, account));
    if (!service.p || str_eq(service, S("sqs")))
        TRY(sqs_reset(app->sqs, account));
    return OK;
}

static err empty_and_provision(struct request *request, const struct reset *reset)
{
    struct app *app = request->app;
    str what = STR_NONE, account = str_of(reset->account);
    bool touches = !account.p || str_eq(account, app->options->account);
    TRY(empty(request, reset));
    if (!app->pool || !touches)
        return OK;
    if (reset->provision)
        return pool_provision(app->pool, request->http->arena, &what);
    pool_reload(app->pool);
    return OK;
}

/* What was counted and remembered goes with the state, when all of it goes. */
static void forget(struct app *app)
{
    trace_clear(app->trace);
    metrics_clear(app->metrics);
    lint_clear(app->lint);
    fault_rules_remove(app->faults, STR_NONE);
}

static bool run_reset(struct request *request, const struct reset *reset)
{
    struct app *app = request->app;
    db_savepoint(app->db);
    err e = empty_and_provision(request, reset);
    if (failed(e)) {
        db_rollback(app->db);
        sqs_reload(app->sqs);
        s3_reload(app->s3);
        admin_answer_error(request, 500, err_message(e));
        return false;
    }
    db_release(app->db);
    if (!reset->account && !reset->service)
        forget(app);
    return true;
}

static bool read_reset(struct request *request, struct reset *reset)
{
    json_error_t why;
    str body = str_trim(request->call.body);
    *reset = (struct reset){.provision = 1};
    if (!body.n)
        return true;
    json_t *root = json_loadb(body.p, body.n, 0, &why);
    const char *wrong = NULL;
    if (!root ||
        json_unpack_ex(root, &why, JSON_STRICT, "{s?s s?s s?b}", "account", &reset->account,
                       "service", &reset->service, "provision", &reset->provision))
        wrong = "the body is a JSON object with account, service and provision, all optional";
    if (!wrong && reset->service && !str_eq(str_of(reset->service), S("s3")) &&
        !str_eq(str_of(reset->service), S("sqs")))
        wrong = "service is s3 or sqs";
    if (!wrong && reset->account && !str_is_account(str_of(reset->account)))
        wrong = "account is 12 digits";
    if (reset->account)
        reset->account = arena_cstr(request->http->arena, str_of(reset->account));
    if (reset->service)
        reset->service = arena_cstr(request->http->arena, str_of(reset->service));
    json_decref(root);
    if (wrong)
        admin_answer_error(request, 400, str_of(wrong));
    return !wrong;
}

static void answer_reset(struct request *request)
{
    struct reset reset;
    if (read_reset(request, &reset) && run_reset(request, &reset))
        admin_answer_json(request, 200, S("{\"reset\":true}"));
}

static void answer_moto_reset(struct request *request)
{
    struct reset all = {.provision = 1};
    if (run_reset(request, &all))
        admin_answer_json(request, 200, S("{\"status\":\"ok\"}"));
}

/* ---- leaks ---- */

static size_t put_buckets(struct request *request, struct buf *b, str account)
{
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(request->app->s3, request->http->arena, account, &buckets);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s{\"bucket\":", i ? "," : "");
        buf_json(b, buckets[i]->name);
        buf_printf(b, ",\"versions\":%lld}",
                   (long long)s3_bucket_objects(request->app->s3, buckets[i]));
    }
    return n;
}

static size_t put_queues(struct request *request, struct buf *b, str account)
{
    size_t n = 0;
    for (int64_t id = 0; (id = sqs_queue_next(request->app->sqs, id));) {
        struct sqs_queue_facts facts;
        if (!sqs_queue_facts(request->app->sqs, id, &facts) || !str_eq(facts.account, account))
            continue;
        buf_printf(b, "%s{\"queue\":", n++ ? "," : "");
        buf_json(b, facts.name);
        buf_printf(b, ",\"region\":\"%.*s\",\"messages\":%lld}", STR_ARG(facts.region),
                   (long long)(facts.visible + facts.hidden + facts.delayed));
    }
    return n;
}

static void answer_leaks(struct request *request)
{
    str account = http_query(request->http, S("account"));
    struct buf b = buf_in(request->http->arena);
    if (!str_is_account(account)) {
        admin_answer_error(request, 400, S("account is 12 digits"));
        return;
    }
    BUF_LIT(&b, "{\"account\":");
    buf_json(&b, account);
    BUF_LIT(&b, ",\"buckets\":[");
    size_t n = put_buckets(request, &b, account);
    BUF_LIT(&b, "],\"queues\":[");
    n += put_queues(request, &b, account);
    buf_printf(&b, "],\"leaks\":%zu}", n);
    admin_answer_json(request, 200, buf_str(&b));
}

/* ---- what waiting scripts of LocalStack users ask ---- */

static void answer_localstack_health(struct request *request)
{
    admin_answer_json(
        request, 200,
        S("{\"services\":{\"s3\":\"running\",\"sqs\":\"running\",\"sts\":\"running\"},"
          "\"edition\":\"headrace\",\"version\":\"" HEADRACE_VERSION "\"}"));
}

static void answer_localstack_init(struct request *request)
{
    bool ready = request->app->serving;
    admin_answer_json(
        request, 200,
        ready
            ? S("{\"completed\":{\"BOOT\":true,\"START\":true,\"READY\":true,\"SHUTDOWN\":false},"
                "\"scripts\":[]}")
            : S("{\"completed\":{\"BOOT\":true,\"START\":true,\"READY\":false,\"SHUTDOWN\":false},"
                "\"scripts\":[]}"));
}

const struct admin_row admin_state_rows[] = {
    {"POST", "/_headrace/reset", answer_reset, "empty everything, one account or one service"},
    {"GET", "/_headrace/leaks", answer_leaks, "what ?account= left behind"},
    {"POST", "/moto-api/reset", answer_moto_reset, "empty everything"},
    {"GET", "/_localstack/health", answer_localstack_health, "which services run"},
    {"GET", "/_localstack/init", answer_localstack_init, "whether the start is complete"},
    {NULL, NULL, NULL, NULL},
};
