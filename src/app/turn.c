/* app/turn.c - see turn.h. A woken receive runs before the commit of the turn that made its queue
 * ready, so a send and the receive it wakes share one commit; should that fail, both get an error
 * and nothing has happened. */
#include "app/turn.h"

#include "app/admin.h"
#include "app/advance.h"
#include "app/checkpoint.h"
#include "app/lint.h"
#include "app/metrics.h"
#include "app/pool.h"
#include "app/request.h"
#include "app/trace.h"
#include "app/trace_feed.h"
#include "aws/fault.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

/* What is due and cannot be written stays due: as often as this it is tried. */
#define IMPEDED_MS 1000

struct ctx app_ctx(struct app *app, struct arena *arena, msec now)
{
    return (struct ctx){
        .now = now,
        .arena = arena,
        .rng = &app->rng,
        .account = app->options->account,
        .region = app->options->region,
        .principal = arena_printf(arena, "arn:aws:iam::%.*s:root", STR_ARG(app->options->account)),
        .request_id = rng_text(&app->rng, arena, S("0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 16),
        .source_ip = S("127.0.0.1"),
    };
}

/* ---- answers that wait ---- */

void turn_add(struct app *app, struct request *request, struct http_reply *reply)
{
    request->reply = reply;
    request->next = NULL;
    request->link = app->waiting_end;
    app->nwaiting++;
    *app->waiting_end = request;
    app->waiting_end = &request->next;
}

void turn_remove(struct request *request)
{
    if (!request->link)
        return;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    else
        request->app->waiting_end = request->link;
    request->link = NULL;
    request->app->nwaiting--;
}

static void reply_free(struct http_reply *reply)
{
    if (reply->kind == HTTP_BODY_FILE && reply->fd >= 0)
        close(reply->fd);
    if (reply->kind == HTTP_BODY_PULL && reply->pull_free)
        reply->pull_free(reply->pull_state);
}

static void answer_all(struct app *app, err outcome)
{
    while (app->waiting) {
        struct request *request = app->waiting;
        turn_remove(request);
        if (!failed(outcome)) {
            request_send(request, request->reply);
            continue;
        }
        reply_free(request->reply);
        if (request->admin)
            admin_answer_error(request, 500, S("the state cannot be written; the log says why"));
        else
            request_refuse(request, outcome);
    }
}

/* ---- parked requests ---- */

void turn_queue_ready(struct app *app, int64_t queue)
{
    struct queue_set *ready = &app->ready;
    if (!park_first(app->parks, queue) || (ready->n && ready->at[ready->n - 1] == queue))
        return;
    if (ready->n == ready->cap) {
        ready->cap = ready->cap ? ready->cap * 2 : 64;
        ready->at = xrealloc(ready->at, ready->cap * sizeof *ready->at);
    }
    ready->at[ready->n++] = queue;
}

/* False when it found nothing and waits again. */
static bool run_parked(struct app *app, struct request *request)
{
    park_remove(app->parks, &request->parked);
    if (!app->outlet->alive(request->http)) {
        app->outlet->cut(request->http);
        return true;
    }
    request->keeps_place = true;
    request_run(request);
    return request->parked.queue == 0;
}

static void wake_queue(struct app *app, int64_t queue)
{
    struct parked *parked;
    while ((parked = park_first(app->parks, queue)))
        if (!run_parked(app, request_of_parked(parked)))
            return;
}

static void wake_ready(struct app *app)
{
    /* A receive may move messages to another queue and make that one ready: the list can grow under
     * us. */
    for (size_t i = 0; i < app->ready.n; i++)
        wake_queue(app, app->ready.at[i]);
    app->ready.n = 0;
}

static void run_overdue(struct app *app, msec now)
{
    struct parked *parked;
    while ((parked = park_earliest(app->parks)) && parked->until <= now) {
        struct request *request = request_of_parked(parked);
        request->call.retry_final = true;
        run_parked(app, request);
    }
}

void turn_release_parked(struct app *app)
{
    run_overdue(app, INT64_MAX);
}

/* ---- time ---- */

msec turn_next_due(struct app *app)
{
    msec due = park_next_due(app->parks), next = sqs_next_due(app->sqs);
    if (next < due)
        due = next;
    next = s3_next_due(app->s3);
    return next < due ? next : due;
}

void turn_tick(struct app *app, msec now)
{
    struct arena *arena = arena_new();
    struct ctx ctx = app_ctx(app, arena, now);
    s3_tick(app->s3, &ctx);
    sqs_tick(app->sqs, &ctx);
    arena_free(arena);
    run_overdue(app, now);
}

static void on_timer(uv_timer_t *timer)
{
    struct app *app = timer->data;
    msec now = clock_now(&app->clock);
    app->armed = 0;
    if (turn_next_due(app) <= now)
        turn_tick(app, now);
}

static void arm_timer(struct app *app)
{
    msec due = turn_next_due(app);
    if (due == app->armed || (due == INT64_MAX && !app->armed))
        return;
    msec wait = clock_wait(&app->clock, due, clock_look(&app->clock));
    if (app->impeded && wait >= 0 && wait < IMPEDED_MS)
        wait = IMPEDED_MS;
    app->armed = wait < 0 ? 0 : due;
    if (wait < 0)
        uv_timer_stop(&app->timer);
    else
        uv_timer_start(&app->timer, on_timer, (uint64_t)wait, 0);
}

void turn_clock_moved(struct app *app)
{
    app->armed = 0;
    uv_timer_stop(&app->timer);
    arm_timer(app);
}

/* ---- the turn ---- */

static void after_commit(struct app *app, err outcome)
{
    bool committed = !failed(outcome);
    if (committed && app->impeded)
        app->armed = 0;
    app->impeded = !committed;
    if (!committed)
        trace_rewind(app->trace, app->trace_mark);
    app->trace_mark = trace_last(app->trace);
    lint_settle(app->lint, committed);
    blobs_turn_ended(app->blobs);
    if (!committed) {
        log_error("commit failed: everything of this turn was refused and rolled back");
        sqs_reload(app->sqs);
        s3_reload(app->s3);
        if (app->pool)
            pool_reload(app->pool);
    }
    if (app->pool)
        pool_turn_ended(app->pool, committed);
}

static err commit(struct app *app)
{
    if (!db_dirty(app->db))
        return db_turn_commit(app->db);
    int64_t began = clock_micros();
    err outcome = db_turn_commit(app->db);
    metrics_commit(app->metrics, clock_micros() - began, app->nwaiting, !failed(outcome));
    return outcome;
}

/* A failure that comes of reading all anew after a failure has nobody to tell: it is left to the
 * next turn, whose requests fail by it. To go on here would be to go in circles until the disk can
 * be read again. */
void turn_end(struct app *app)
{
    bool reread = false;
    while (app->ready.n || app->waiting || (db_dirty(app->db) && !(reread && db_failed(app->db)))) {
        wake_ready(app);
        err outcome = commit(app);
        reread = failed(outcome);
        after_commit(app, outcome);
        answer_all(app, outcome);
        checkpoint_maybe(app);
    }
    db_share_end(app->db);
    lint_settle(app->lint, true);
    trace_wake_followers(app);
    if (app->stopping)
        return;
    arm_timer(app);
    advance_continue(app);
}
