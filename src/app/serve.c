/* app/serve.c - see serve.h. Engines meet here and only here: S3's events end in SQS, SQS's
 * readiness wakes long polls and the pipeline. Going down is the reverse of going up, and starts
 * only when nothing is in flight. */
#include "app/serve.h"

#include "api/sqs_access.h"
#include "app/advance.h"
#include "app/chaos.h"
#include "app/dispatch.h"
#include "app/lint.h"
#include "app/lint_feed.h"
#include "app/lint_state.h"
#include "app/metrics.h"
#include "app/pool.h"
#include "app/trace.h"
#include "app/trace_feed.h"
#include "app/turn.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_PATIENCE_MS 10000

/* ---- the server's callbacks ---- */

static void on_begin(void *user, struct http_request *http)
{
    dispatch_begin(user, http);
}

static void on_body(void *user, struct http_request *http, str chunk)
{
    dispatch_body(user, http, chunk);
}

static void on_end(void *user, struct http_request *http)
{
    dispatch_end(user, http);
}

static bool on_hangup(void *user, struct http_request *http)
{
    return dispatch_hangup(user, http);
}

static void on_gone(void *user, struct http_request *http, bool completed)
{
    dispatch_gone(user, http, completed);
}

static void finish_stop(struct app *app);

static void on_turn(void *user)
{
    struct app *app = user;
    turn_end(app);
    if (app->stopping)
        finish_stop(app);
}

static const struct outlet server_outlet = {
    .respond = http_respond,
    .cut = http_cut,
    .pause = http_pause,
    .resume = http_resume,
    .alive = http_alive,
    .trailer = http_trailer,
    .wake = http_wake,
};

/* ---- engines meet ---- */

static void on_queue_ready(void *user, int64_t queue)
{
    struct app *app = user;
    turn_queue_ready(app, queue);
    if (app->pool)
        pool_ready(app->pool, queue);
}

static void on_sent(void *user, struct ctx *ctx, int64_t queue, str body)
{
    struct app *app = user;
    if (app->pool)
        pool_sent(app->pool, ctx, queue, body);
}

/* arn:aws:sqs:REGION:ACCOUNT:NAME */
static bool read_queue_arn(str arn, str parts[6])
{
    for (int i = 0; i < 6; i++)
        parts[i] = arn.p ? str_cut(&arn, ':') : STR_NONE;
    return parts[5].p && !arn.p && str_eq(parts[0], S("arn")) && str_eq(parts[2], S("sqs"));
}

static err find_destination(struct app *app, str arn, int64_t *queue)
{
    str parts[6];
    if (!read_queue_arn(arn, parts))
        return FAIL(SQS_QUEUE_DOES_NOT_EXIST);
    return sqs_queue_find(app->sqs, parts[4], parts[3], parts[5], queue);
}

/* AWS wants the queue's policy to let S3 in. So do we where policies decide; elsewhere its lack is
 * worth a line in the log. */
static enum s3_destination check_destination(void *user, struct ctx *ctx, str queue_arn, str bucket)
{
    struct app *app = user;
    int64_t queue;
    if (failed(find_destination(app, queue_arn, &queue)))
        return S3_DESTINATION_MISSING;
    str bucket_arn = arena_printf(ctx->arena, "arn:aws:s3:::%.*s", STR_ARG(bucket));
    if (sqs_service_may_send(app->sqs, ctx, queue, S("s3.amazonaws.com"), bucket_arn, ctx->account))
        return S3_DESTINATION_OK;
    if (app->api.enforce)
        return S3_DESTINATION_FORBIDDEN;
    log_info("lint: the policy of queue %.*s does not let s3.amazonaws.com send events of bucket "
             "%.*s; AWS would refuse this "
             "notification",
             STR_ARG(queue_arn), STR_ARG(bucket));
    return S3_DESTINATION_OK;
}

/* The policy may have changed since the notification was set: on AWS events are then lost in
 * silence. */
static bool may_deliver(struct app *app, struct ctx *ctx, int64_t queue, str bucket)
{
    str bucket_arn = arena_printf(ctx->arena, "arn:aws:s3:::%.*s", STR_ARG(bucket));
    return !app->api.enforce || sqs_service_may_send(app->sqs, ctx, queue, S("s3.amazonaws.com"),
                                                     bucket_arn, ctx->account);
}

static str queue_name(str arn)
{
    str name = arn;
    while (arn.p)
        name = str_cut(&arn, ':');
    return name;
}

static err deliver_event(void *user, struct ctx *ctx, str queue_arn, str bucket, str body)
{
    struct app *app = user;
    struct sqs_sent sent;
    int64_t queue;
    struct sqs_send send = {.body = body, .delay = -1};
    msec late;
    if (failed(find_destination(app, queue_arn, &queue))) {
        /* On AWS too the write succeeds and the event is lost. */
        trace_feed_nothing(app, ctx, S("queue_missing"), queue_arn);
        return OK;
    }
    if (!may_deliver(app, ctx, queue, bucket)) {
        trace_feed_nothing(app, ctx, S("policy"), queue_arn);
        return OK;
    }
    int times = chaos_event(app, ctx, queue_name(queue_arn), &late);
    if (late)
        send.delay = late < 900000 ? (late + 999) / 1000 : 900;
    while (times-- > 0) {
        err e = sqs_message_send(app->sqs, ctx, queue, &send, &sent);
        if (failed(e) && e.fault != &FAULT_INTERNAL) {
            /* So it is when the queue takes no message so long, or its key is not there. */
            trace_feed_nothing(app, ctx, S("queue_refused"), err_message(e));
            return OK;
        }
        TRY(e);
        lint_feed_event(app, ctx, sent.id);
    }
    return OK;
}

/* ---- work on pool threads ---- */

struct offloaded {
    uv_work_t work;
    struct app *app;
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void offloaded_run(uv_work_t *work)
{
    struct offloaded *offloaded = work->data;
    offloaded->run(offloaded->arg);
}

static void offloaded_done(uv_work_t *work, int status)
{
    (void)status;
    struct offloaded *offloaded = work->data;
    offloaded->app->offloaded--;
    offloaded->done(offloaded->arg);
    free(offloaded);
}

static void offload(void *user, void (*run)(void *arg), void (*done)(void *arg), void *arg)
{
    struct app *app = user;
    struct offloaded *offloaded = xalloc(sizeof *offloaded);
    *offloaded = (struct offloaded){.app = app, .run = run, .done = done, .arg = arg};
    offloaded->work.data = offloaded;
    app->offloaded++;
    uv_queue_work(app->loop, &offloaded->work, offloaded_run, offloaded_done);
}

static void close_file(void *arg)
{
    close((int)(intptr_t)arg);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* Going down, nobody waits for a turn any more. */
static void release_file(void *user, int fd)
{
    struct app *app = user;
    if (app->serving && !app->stopping)
        offload(app, close_file, nothing, (void *)(intptr_t)fd);
    else
        close(fd);
}

/* ---- going up ---- */

static msec virtual_now(void *user)
{
    struct app *app = user;
    return clock_now(&app->clock);
}

static void set_clock(struct app *app)
{
    str at = app->options->clock, mode = str_cut(&at, '=');
    msec instant = clock_wall();
    if (!str_eq(mode, S("frozen")))
        return;
    if (at.p)
        date_parse(at, &instant);
    clock_freeze(&app->clock, instant);
}

static bool open_store(struct app *app, char **message)
{
    const struct options *options = app->options;
    const char *dir = options->ephemeral ? NULL : arena_cstr(options->arena, options->data_dir);
    app->db = db_open(dir, (enum durability)options->durability, message);
    if (!app->db)
        return false;
    app->blobs = blobs_open(app->db, dir, (enum durability)options->durability, message);
    if (app->blobs)
        blobs_release_by(app->blobs, release_file, app);
    return app->blobs != NULL;
}

static bool open_keys(struct app *app, char **message)
{
    const struct options *options = app->options;
    str why = STR_NONE;
    app->keys = keys_new(options->account);
    if (!options->keys_file.p ||
        keys_load(app->keys, options->arena, arena_cstr(options->arena, options->keys_file), &why))
        return true;
    *message = xstrdup(why);
    return false;
}

static void open_engines(struct app *app)
{
    const struct options *options = app->options;
    struct sqs_options sqs_options = {.strict = options->strict};
    bool observes = app->trace || app->lint;
    struct sqs_hooks sqs_hooks = {.user = app,
                                  .ready = on_queue_ready,
                                  .sent = on_sent,
                                  .observe = observes ? trace_feed_sqs : NULL};
    struct s3_hooks s3_hooks = {.user = app,
                                .check = check_destination,
                                .deliver = deliver_event,
                                .observe = observes ? trace_feed_s3 : NULL};
    app->sqs = sqs_open(app->db, &sqs_options, &sqs_hooks);
    app->s3 = s3_open(app->db, app->blobs, &s3_hooks);
    app->api = (struct api){
        .s3 = app->s3,
        .sqs = app->sqs,
        .blobs = app->blobs,
        .keys = app->keys,
        .default_account = options->account,
        .default_region = options->region,
        .strict = options->strict,
        .enforce = options->auth == AUTH_ENFORCE,
        .verify = options->auth != AUTH_OFF,
        .offload = offload,
        .offload_user = app,
    };
}

static bool open_pipeline(struct app *app, char **message)
{
    const struct options *options = app->options;
    struct pool_world world = {
        .loop = app->loop,
        .db = app->db,
        .blobs = app->blobs,
        .s3 = app->s3,
        .sqs = app->sqs,
        .rng = &app->rng,
        .now = virtual_now,
        .user = app,
        .faults = app->faults,
        .killed = trace_feed_killed,
        .step = trace_feed_step,
        .wrote = trace_feed_wrote,
        .account = options->account,
        .region = options->region,
    };
    str what = STR_NONE;
    if (!options->pipeline.enabled)
        return true;
    app->pool = pool_new(&world, &options->pipeline);
    struct arena *arena = arena_new();
    err e = pool_provision(app->pool, arena, &what);
    turn_end(app);
    if (failed(e)) {
        str why = err_message(e);
        *message = xstrdup(arena_printf(arena, "cannot set up the pipeline: %.*s: %.*s",
                                        STR_ARG(what), STR_ARG(why)));
    }
    arena_free(arena);
    return !failed(e);
}

static bool open_server(struct app *app, char **message)
{
    const struct options *options = app->options;
    struct http_server_options where = {
        .address = arena_cstr(options->arena, options->host),
        .port = (int)options->port,
    };
    struct http_app callbacks = {
        .user = app,
        .begin = on_begin,
        .body = on_body,
        .end = on_end,
        .hangup = on_hangup,
        .gone = on_gone,
        .turn = on_turn,
    };
    app->server = http_server_start(app->loop, &where, &callbacks, message);
    if (app->server)
        app->port = http_server_port(app->server);
    return app->server != NULL;
}

struct app *app_open(uv_loop_t *loop, const struct options *options, const struct outlet *outlet,
                     char **message)
{
    struct app *app = xalloc(sizeof *app);
    *app = (struct app){.loop = loop,
                        .options = options,
                        .outlet = outlet,
                        .started = clock_micros(),
                        .parks = parks_new()};
    app->waiting_end = &app->waiting;
    app->safety = (struct safety){options->host, options->allow_hosts.at, options->allow_hosts.n};
    app->bodies = budget_of_process();
    if (options->trace == TRACE_ON)
        app->trace = trace_new((size_t)options->trace_mib << 20);
    app->metrics = metrics_new();
    if (options->lint != LINT_OFF)
        app->lint = lint_new();
    app->faults = fault_rules_new();
    rng_seed_system(&app->rng);
    set_clock(app);
    uv_timer_init(loop, &app->timer);
    uv_timer_init(loop, &app->last);
    uv_idle_init(loop, &app->advancing);
    app->timer.data = app->last.data = app->advancing.data = app;
    *message = NULL;
    if (!open_store(app, message) || !open_keys(app, message))
        goto fail;
    open_engines(app);
    if (!open_pipeline(app, message))
        goto fail;
    app->serving = true;
    return app;
fail:
    app_close(app);
    return NULL;
}

struct app *app_start(uv_loop_t *loop, const struct options *options, char **message)
{
    struct app *app = app_open(loop, options, &server_outlet, message);
    if (app && open_server(app, message))
        return app;
    if (app)
        app_close(app);
    return NULL;
}

/* ---- going down ---- */

static void free_all(uv_handle_t *handle)
{
    struct app *app = handle->data;
    if (app->pool)
        pool_end(app->pool);
    if (app->s3)
        s3_close(app->s3);
    if (app->sqs)
        sqs_close(app->sqs);
    if (app->blobs)
        blobs_close(app->blobs);
    if (app->db)
        db_close(app->db);
    keys_free(app->keys);
    trace_free(app->trace);
    metrics_free(app->metrics);
    lint_free(app->lint);
    fault_rules_free(app->faults);
    parks_free(app->parks);
    free(app->ready.at);
    free(app);
}

/* What is closed inside a close callback is called back a loop turn later: after everybody else's
 * handles are gone. */
static void close_last(uv_handle_t *handle)
{
    struct app *app = handle->data;
    uv_close((uv_handle_t *)&app->last, free_all);
}

void app_close(struct app *app)
{
    if (uv_is_closing((uv_handle_t *)&app->timer))
        return;
    if (app->server)
        http_server_stop(app->server);
    app->server = NULL;
    if (app->pool)
        pool_close(app->pool);
    uv_close((uv_handle_t *)&app->advancing, NULL);
    uv_close((uv_handle_t *)&app->timer, close_last);
}

static void stop_now(uv_timer_t *timer)
{
    lint_at_exit(timer->data);
    app_close(timer->data);
}

/* Work on pool threads touches the state, so it is always waited for; clients only for so long. */
static void finish_stop(struct app *app)
{
    bool open = http_server_active(app->server) > 0 && !app->impatient;
    bool working = app->checkpointing || app->offloaded || (app->pool && pool_busy(app->pool));
    if (!open && !working && !uv_is_closing((uv_handle_t *)&app->timer))
        uv_timer_start(&app->timer, stop_now, 0, 0); /* not from inside the server's own callback */
}

static void out_of_patience(uv_timer_t *timer)
{
    struct app *app = timer->data;
    log_warn("stopping although %d requests are open", http_server_active(app->server));
    app->impatient = true;
}

void app_stop(struct app *app)
{
    if (app->stopping) {
        app->impatient = true;
        return;
    }
    http_server_quiesce(app->server);
    if (app->pool)
        pool_quiesce(app->pool);
    app->stopping = true;
    turn_release_parked(app);
    advance_abandon(app);
    trace_end_followers(app);
    uv_timer_start(&app->timer, out_of_patience, STOP_PATIENCE_MS, 0);
}

str app_endpoint(const struct app *app, struct arena *arena)
{
    return options_endpoint(app->options, arena, app->port);
}
