/* emulator.h - the whole emulator without a socket, for fuzz drivers: requests go in as text
 * (request.h), answers come out in memory. It lives as long as the process; `fuzz_empty` takes
 * away what an input left, so that inputs do not depend on each other. Aborts when a request is
 * answered twice, with an impossible status, with a body of another length than it says, or when
 * something is left after its client went. */
#ifndef HEADRACE_FUZZ_EMULATOR_H
#define HEADRACE_FUZZ_EMULATOR_H

#include "app/dispatch.h"
#include "app/request.h"
#include "app/serve.h"
#include "app/turn.h"
#include "base/log.h"
#include "s3/reset.h"

#include "request.h"

#include <stdlib.h>
#include <unistd.h>

enum { PULL_MAX = 1 << 20 };

struct fate {
    struct http_request http; /* first: requests are found by its address */
    int answers, cuts;
    bool paused;
    int status; /* 0: none yet */
    struct http_reply *reply;
    str body; /* of the answer, its first PULL_MAX bytes */
};

static struct fate *fate_of(struct http_request *http)
{
    return (struct fate *)http;
}

/* A body that ends early would be cut by the server: nothing but a broken state may do that. */
static str read_body(struct arena *arena, struct http_reply *reply)
{
    struct buf b = buf_in(arena);
    char block[4096];
    long got = 1;
    while (reply->kind == HTTP_BODY_PULL && b.n < PULL_MAX && got > 0) {
        got = reply->pull(reply->pull_state, (int64_t)b.n, block, sizeof block);
        buf_put(&b, (str){block, got > 0 ? (size_t)got : 0});
    }
    while (reply->kind == HTTP_BODY_FILE && b.n < PULL_MAX && (int64_t)b.n < reply->length &&
           got > 0) {
        got = pread(reply->fd, block, sizeof block, reply->offset + (int64_t)b.n);
        buf_put(&b, (str){block, got > 0 ? (size_t)got : 0});
    }
    if (reply->kind == HTTP_BODY_PULL && reply->pull_free)
        reply->pull_free(reply->pull_state);
    if (reply->kind == HTTP_BODY_FILE && reply->fd >= 0)
        close(reply->fd);
    return reply->kind == HTTP_BODY_BYTES ? reply->bytes : buf_str(&b);
}

static void on_respond(struct http_request *http, struct http_reply *reply)
{
    struct fate *fate = fate_of(http);
    if (reply->status < 200 || reply->status > 599)
        abort();
    fate->answers++;
    fate->status = reply->status;
    fate->reply = reply;
    fate->body = read_body(http->arena, reply);
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

static inline struct app *fuzz_emulator(void)
{
    static struct app *app;
    static struct options options;
    char *message = NULL;
    str why;
    char *words[] = {(char[]){"--ephemeral"}, (char[]){"--no-pipeline"}};
    if (app)
        return app;
    log_set_level(LOG_ERROR);
    /* Where nothing waits for a disk. */
    if (!access("/dev/shm", W_OK))
        setenv("TMPDIR", "/dev/shm", 0);
    if (uv_loop_init(&loop) || !options_read(&options, 2, words, no_environment, &why))
        abort();
    app = app_open(&loop, &options, &outlet, &message);
    if (!app)
        abort();
    return app;
}

static inline void fuzz_settle(struct app *app)
{
    turn_end(app);
    while (app->saving)
        uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
    turn_end(app);
}

static inline void fuzz_send(struct app *app, struct fate *fate, str text)
{
    struct arena *arena = arena_new();
    str body = fuzz_request(arena, text, &fate->http);
    fate->http.peer = S("127.0.0.1");
    fate->http.content_length = (int64_t)body.n;
    /* Every request with a body has it, however it was sent; few inputs would. */
    if (!http_header(&fate->http, S("Content-Length")).p)
        fate->http.headers[fate->http.nheaders++] = (struct http_header){
            S("Content-Length"), arena_printf(arena, "%lld", (long long)body.n)};
    dispatch_begin(app, &fate->http);
    if (!fate->answers && !fate->cuts && body.n)
        dispatch_body(app, &fate->http, body);
    while (fate->paused)
        uv_run(&loop, UV_RUN_ONCE);
    if (!fate->answers && !fate->cuts)
        dispatch_end(app, &fate->http);
    fuzz_settle(app);
    if (fate->answers > 1)
        abort();
}

static inline void fuzz_end(struct app *app, struct fate *fate)
{
    dispatch_gone(app, &fate->http, fate->answers > 0);
    arena_free(fate->http.arena);
}

static inline void fuzz_empty(struct app *app)
{
    struct arena *arena = arena_new();
    struct ctx ctx = app_ctx(app, arena, clock_now(&app->clock));
    db_savepoint(app->db);
    if (failed(sqs_reset(app->sqs, STR_NONE)) || failed(s3_reset(app->s3, &ctx, STR_NONE)))
        abort();
    db_release(app->db);
    fuzz_settle(app);
    arena_free(arena);
    if (parks_count(app->parks) || app->waiting)
        abort();
}

/* One whole exchange; `fate` is good until fuzz_end. */
static inline void fuzz_ask(struct fate *fate, str text)
{
    *fate = (struct fate){0};
    fuzz_send(fuzz_emulator(), fate, text);
}

/* The same when only the status matters: 0 when it was cut or waits. */
static inline int fuzz_status(str text)
{
    struct fate fate;
    fuzz_ask(&fate, text);
    fuzz_end(fuzz_emulator(), &fate);
    return fate.status;
}

#endif
