/* app/embed.c - the embedding API (include/headrace.h): an instance on a thread of its own.
 * Everything but starting and stopping goes through the instance's own HTTP endpoints, so that
 * there is one implementation and no state is shared between threads. */
#include "headrace.h"

#include "app/call_http.h"
#include "app/serve.h"
#include "base/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 64

struct headrace {
    uv_thread_t thread;
    uv_sem_t started;
    uv_async_t stop;
    struct options options;
    struct app *app; /* of the thread; NULL when it could not start */
    char *failure;   /* why not; malloc'ed */
    int port;
    char endpoint[64];
    char error[512];
};

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static bool read_options(struct headrace *headrace, const char *const *options, str *message)
{
    char *argv[OPTIONS_MAX] = {"--ephemeral", "--port=0", "--quiet"};
    int argc = 3;
    for (; options && *options && argc < OPTIONS_MAX; options++)
        argv[argc++] = (char *)(uintptr_t)*options;
    return options_read(&headrace->options, argc, argv, no_environment, message);
}

static void on_stop(uv_async_t *stop)
{
    struct headrace *headrace = stop->data;
    uv_close((uv_handle_t *)stop, NULL);
    if (headrace->app)
        app_stop(headrace->app);
}

/* A client that goes away must not end the host process: this thread takes no SIGPIPE. */
static void block_sigpipe(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void run(void *arg)
{
    struct headrace *headrace = arg;
    uv_loop_t loop;
    block_sigpipe();
    int error = uv_loop_init(&loop);
    if (error) {
        headrace->failure = xstrdup(str_of(uv_strerror(error)));
        uv_sem_post(&headrace->started);
        return;
    }
    uv_async_init(&loop, &headrace->stop, on_stop);
    headrace->stop.data = headrace;
    headrace->app = app_start(&loop, &headrace->options, &headrace->failure);
    if (headrace->app)
        headrace->port = headrace->app->port;
    else
        uv_close((uv_handle_t *)&headrace->stop, NULL);
    uv_sem_post(&headrace->started);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static void release(struct headrace *headrace)
{
    options_free(&headrace->options);
    free(headrace->failure);
    free(headrace);
}

static struct headrace *fail(struct headrace *headrace, str why, char **error)
{
    if (error)
        *error = xstrdup(why);
    release(headrace);
    return NULL;
}

struct headrace *headrace_start(const char *const *options, char **error)
{
    struct headrace *headrace = xalloc(sizeof *headrace);
    str message = STR_NONE;
    if (error)
        *error = NULL;
    if (!read_options(headrace, options, &message))
        return fail(headrace, message, error);
    uv_sem_init(&headrace->started, 0);
    if (uv_thread_create(&headrace->thread, run, headrace) != 0) {
        uv_sem_destroy(&headrace->started);
        return fail(headrace, S("no thread can be started"), error);
    }
    uv_sem_wait(&headrace->started);
    uv_sem_destroy(&headrace->started);
    if (!headrace->port) {
        uv_thread_join(&headrace->thread);
        return fail(headrace, headrace->failure ? str_of(headrace->failure) : S("it did not start"),
                    error);
    }
    snprintf(headrace->endpoint, sizeof headrace->endpoint, "http://127.0.0.1:%d", headrace->port);
    return headrace;
}

void headrace_stop(struct headrace *headrace)
{
    if (!headrace)
        return;
    uv_async_send(&headrace->stop);
    uv_thread_join(&headrace->thread);
    release(headrace);
}

const char *headrace_endpoint(const struct headrace *headrace)
{
    return headrace->endpoint;
}

int headrace_port(const struct headrace *headrace)
{
    return headrace->port;
}

const char *headrace_error(const struct headrace *headrace)
{
    return headrace->error;
}

static int complain(struct headrace *headrace, str why)
{
    snprintf(headrace->error, sizeof headrace->error, "%.*s", STR_ARG(str_trim(why)));
    return -1;
}

static int call(struct headrace *headrace, struct arena *arena, const char *method, str path,
                str body, str *answer)
{
    struct http_answer got;
    str why;
    if (!call_http(arena, str_of(headrace->endpoint), method, path, body, &got, &why))
        return complain(headrace, why);
    if (got.status >= 300)
        return complain(headrace, got.body);
    *answer = got.body;
    return 0;
}

int headrace_call(struct headrace *headrace, const char *method, const char *path, const char *body,
                  char **answer)
{
    struct arena *arena = arena_new();
    str got = STR_NONE;
    int code = call(headrace, arena, method, str_of(path), str_of(body), &got);
    if (answer)
        *answer = code == 0 ? xstrdup(got) : NULL;
    arena_free(arena);
    return code;
}

/* POSTs {"name":"text"}, or {"name":true} when text is NULL. */
static int move_clock(struct headrace *headrace, const char *name, const char *text)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    str ignored;
    buf_printf(&b, "{\"%s\":", name);
    if (text)
        buf_json(&b, str_of(text));
    else
        BUF_LIT(&b, "true");
    buf_char(&b, '}');
    int code = call(headrace, arena, "POST", S("/_headrace/clock"), buf_str(&b), &ignored);
    arena_free(arena);
    return code;
}

int headrace_advance(struct headrace *headrace, const char *length)
{
    return move_clock(headrace, "advance", length);
}

int headrace_set_time(struct headrace *headrace, const char *instant)
{
    return move_clock(headrace, "set", instant);
}

int headrace_freeze(struct headrace *headrace, const char *instant)
{
    return move_clock(headrace, "freeze", instant);
}

int headrace_real_time(struct headrace *headrace)
{
    return move_clock(headrace, "real", NULL);
}

int headrace_reset(struct headrace *headrace)
{
    return headrace_call(headrace, "POST", "/_headrace/reset", "{}", NULL);
}

int headrace_add_fault(struct headrace *headrace, const char *rule)
{
    return headrace_call(headrace, "POST", "/_headrace/faults", rule, NULL);
}

int headrace_clear_faults(struct headrace *headrace)
{
    return headrace_call(headrace, "DELETE", "/_headrace/faults", NULL, NULL);
}

static int snapshot(struct headrace *headrace, const char *name, const char *tail)
{
    struct arena *arena = arena_new();
    str path = arena_printf(arena, "/_headrace/snapshots/%s%s", name, tail), ignored;
    int code = call(headrace, arena, "POST", path, S("{}"), &ignored);
    arena_free(arena);
    return code;
}

int headrace_save(struct headrace *headrace, const char *name)
{
    return snapshot(headrace, name, "");
}

int headrace_load(struct headrace *headrace, const char *name)
{
    return snapshot(headrace, name, "/load");
}
