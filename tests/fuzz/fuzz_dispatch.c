/* The whole emulator without a socket: every request, whatever it is, gets one answer, waits, or is
 * cut - and nothing is left when its client goes. Several requests are one input, "----" lines
 * apart, so that one can build on another. State is emptied after each. */
#include "app/dispatch.h"
#include "app/request.h"
#include "app/serve.h"
#include "app/turn.h"
#include "base/log.h"
#include "s3/reset.h"

#include "request.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_REQUESTS = 16, PULL_MAX = 1 << 20 };

struct fate {
    struct http_request http;
    int answers, cuts;
    bool paused;
};

static struct fate *fate_of(struct http_request *http)
{
    return (struct fate *)http;
}

static void read_body(struct http_reply *reply)
{
    char block[4096];
    long got = 1;
    for (int64_t at = 0; reply->kind == HTTP_BODY_PULL && at < PULL_MAX && got > 0; at += got)
        got = reply->pull(reply->pull_state, at, block, sizeof block);
    if (reply->kind == HTTP_BODY_PULL && reply->pull_free)
        reply->pull_free(reply->pull_state);
    if (reply->kind == HTTP_BODY_FILE && reply->fd >= 0)
        close(reply->fd);
}

static void on_respond(struct http_request *http, struct http_reply *reply)
{
    if (reply->status < 200 || reply->status > 599)
        abort();
    fate_of(http)->answers++;
    read_body(reply);
}

static void on_cut(struct http_request *http)
{
    fate_of(http)->cuts++;
}

static void on_pause(struct http_request *http)
{
    fate_of(http)->paused = true;
}

static void on_resume(struct http_request *http)
{
    fate_of(http)->paused = false;
}

static bool on_alive(struct http_request *http)
{
    (void)http;
    return true;
}

static str on_trailer(const struct http_request *http, str name)
{
    return http_header(http, name);
}

static void on_wake(struct http_request *http)
{
    (void)http;
}

static const struct outlet outlet = {on_respond, on_cut,     on_pause, on_resume,
                                     on_alive,   on_trailer, on_wake};

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static uv_loop_t loop;

static struct app *emulator(void)
{
    static struct app *app;
    static struct options options;
    char *message = NULL;
    str why;
    char *words[] = {(char[]){"--ephemeral"}, (char[]){"--no-pipeline"}};
    if (app)
        return app;
    log_set_level(LOG_ERROR);
    if (uv_loop_init(&loop) || !options_read(&options, 2, words, no_environment, &why))
        abort();
    app = app_open(&loop, &options, &outlet, &message);
    if (!app)
        abort();
    return app;
}

static void settle(struct app *app)
{
    turn_end(app);
    uv_run(&loop, UV_RUN_NOWAIT);
    turn_end(app);
}

static void send_one(struct app *app, struct fate *fate, str text)
{
    struct arena *arena = arena_new();
    str body = fuzz_request(arena, text, &fate->http);
    fate->http.peer = S("127.0.0.1");
    fate->http.content_length = (int64_t)body.n;
    dispatch_begin(app, &fate->http);
    if (!fate->answers && !fate->cuts && body.n)
        dispatch_body(app, &fate->http, body);
    while (fate->paused)
        uv_run(&loop, UV_RUN_ONCE);
    if (!fate->answers && !fate->cuts)
        dispatch_end(app, &fate->http);
    settle(app);
    if (fate->answers > 1)
        abort();
}

static void end(struct app *app, struct fate *fate)
{
    dispatch_gone(app, &fate->http, fate->answers > 0);
    arena_free(fate->http.arena);
}

static void empty(struct app *app)
{
    struct arena *arena = arena_new();
    struct ctx ctx = app_ctx(app, arena, clock_now(&app->clock));
    db_savepoint(app->db);
    if (failed(sqs_reset(app->sqs, STR_NONE)) || failed(s3_reset(app->s3, &ctx, STR_NONE)))
        abort();
    db_release(app->db);
    settle(app);
    arena_free(arena);
    if (parks_count(app->parks) || app->waiting)
        abort();
}

static str next_request(str *rest)
{
    ptrdiff_t at = str_find(*rest, S("\n----\n"), 0);
    str one = at < 0 ? *rest : str_slice(*rest, 0, (size_t)at);
    *rest = at < 0 ? STR_NONE : str_slice(*rest, (size_t)at + 6, rest->n);
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct app *app = emulator();
    struct fate fates[MAX_REQUESTS] = {0};
    str rest = {(const char *)data, n};
    size_t sent = 0;
    while (rest.p && sent < MAX_REQUESTS)
        send_one(app, &fates[sent++], next_request(&rest));
    for (size_t i = 0; i < sent; i++)
        end(app, &fates[i]);
    clock_real(&app->clock);
    empty(app);
    return 0;
}
