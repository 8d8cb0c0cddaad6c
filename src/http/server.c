/* http/server.c - see server.h. libmicrohttpd in external-epoll mode inside a libuv loop:
 *
 *  - uv_poll on MHD's epoll descriptor calls MHD_run;
 *  - uv_prepare calls app.turn (commit, answer), then MHD_run while someone was resumed or
 * answered, and arms a uv_timer by MHD_get_timeout;
 *
 * so that after everything that arrived was handed over the app commits once, all answers go out,
 * and only then the loop polls again. No timer runs but while a file is being sent
 * (server_watch.c): an idle server never wakes. Where turn after turn brought one request, the next
 * is not kept waiting for others: its turn ends with it.
 * server_exchange.h lists what must not break. */
#include "http/server_exchange.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ALONE = 4,  /* turns of one request in a row, after which none is waited for */
    ROUNDS = 8, /* of commit and run before other handles of the loop get their turn */
    /* Body bytes of a refused request that we read so that its client sees the answer. */
    SWALLOW_MAX = 64 << 20,
    RESERVED_FILES = 64,
    CONNECTIONS_MOST = 65536,
    ANSWER_BYTES = 2048, /* the head of an answer that a request may expect */
};

/* ---- exchanges ---- */

static struct exchange *exchange_of(const struct http_request *request)
{
    return (struct exchange *)(uintptr_t)request;
}

static struct arena *arena_take(struct http_server *server)
{
    return server->nspare ? server->spare[--server->nspare] : arena_new();
}

static void arena_give(struct http_server *server, struct arena *arena)
{
    if (server->nspare == sizeof server->spare / sizeof *server->spare) {
        arena_free(arena);
        return;
    }
    arena_reset(arena);
    server->spare[server->nspare++] = arena;
}

static void all_insert(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->next = server->all;
    exchange->link = &server->all;
    if (server->all)
        server->all->link = &exchange->next;
    server->all = exchange;
}

static void all_remove(struct exchange *exchange)
{
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
}

/* `line`: server->fresh or server->pausing. */
static void line_insert(struct exchange **line, struct exchange *exchange)
{
    exchange->line_next = *line;
    exchange->line_link = line;
    if (*line)
        (*line)->line_link = &exchange->line_next;
    *line = exchange;
}

static void line_remove(struct exchange *exchange)
{
    if (!exchange->line_link)
        return;
    *exchange->line_link = exchange->line_next;
    if (exchange->line_next)
        exchange->line_next->line_link = exchange->line_link;
    exchange->line_link = NULL;
}

void exchange_suspend(struct exchange *exchange)
{
    if (exchange->suspended)
        return;
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
}

void exchange_resume(struct exchange *exchange)
{
    if (!exchange->suspended)
        return;
    line_remove(exchange);
    exchange->suspended = false;
    MHD_resume_connection(exchange->connection);
    exchange->server->kick = true;
}

/* ---- MHD's callbacks ---- */

/* The query is ours to read (head_read). MHD would note each argument in the connection's pool, and
 * a pool that runs out there leaves the request without any answer: end its text where it begins.
 * The text is the connection's own buffer, which MHD itself splits right after this call. */
static void hide_query(const char *target)
{
    char *query = strchr((char *)(uintptr_t)target, '?');
    if (query && query[1])
        query[1] = 0;
}

static void *on_target(void *user, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = user;
    struct arena *arena = arena_take(server);
    struct exchange *exchange = ARENA_NEW(arena, struct exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->file = -1;
    exchange->watch = watch_of(connection);
    if (exchange->watch)
        exchange->watch->exchange = exchange;
    exchange->request = (struct http_request){.arena = arena, .content_length = -1};
    exchange->request.target = arena_copy(arena, str_of(target));
    exchange->target_length = exchange->request.target.n;
    hide_query(target);
    all_insert(exchange);
    return exchange;
}

static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user, (void)connection;
    return strlen(text);
}

static void on_log(void *user, const char *format, va_list args)
{
    (void)user;
    char line[512];
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = 0;
    log_debug("http: %s", line);
}

static void refuse(struct exchange *exchange, const char *why)
{
    struct arena *arena = exchange->request.arena;
    exchange->reply = http_reply_new(arena);
    str text = arena_printf(arena, "Bad Request: %s\n", why);
    http_reply_bytes(arena, exchange->reply, 400, S("text/plain"), text);
    exchange->reply->close = true;
}

static bool has_body(const struct http_request *request)
{
    return request->chunked || request->content_length > 0;
}

static bool expects_continue(const struct http_request *request)
{
    return str_eq_nocase(http_header(request, S("Expect")), S("100-continue"));
}

/* Before an empty body, too, AWS sends "100 Continue", and botocore misreads the connection's next
 * answer if none came. libmicrohttpd leaves it out there since 1.0. */
static void continue_to_nothing(struct exchange *exchange, const char *version)
{
    bool left_out = MHD_get_version()[0] != '0' && strcmp(version, "HTTP/1.1") == 0;
    if (!left_out || has_body(&exchange->request) || !expects_continue(&exchange->request))
        return;
    exchange->cut = !reply_send(exchange, S("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* An answer to the first call closes the connection, so it is given only where the body must not or
 * should not come. */
static bool must_answer_now(const struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    if (!exchange->reply || !has_body(request))
        return false;
    return exchange->reply->close || request->content_length > SWALLOW_MAX ||
           expects_continue(request);
}

static enum MHD_Result first_call(struct exchange *exchange, const char *method,
                                  const char *version)
{
    struct http_server *server = exchange->server;
    exchange->begun = true;
    watch_busy(exchange->watch);
    head_read(exchange, method);
    if (!head_leaves_room(exchange, ANSWER_BYTES))
        return MHD_NO;
    const char *why = head_fault(exchange, method, version);
    if (why) {
        refuse(exchange, why);
        return reply_queue(exchange);
    }
    exchange->known = true;
    server->active++;
    server->app.begin(server->app.user, &exchange->request);
    continue_to_nothing(exchange, version);
    if (exchange->cut)
        return MHD_NO;
    return must_answer_now(exchange) ? reply_queue(exchange) : MHD_YES;
}

static enum MHD_Result body_call(struct exchange *exchange, const char *bytes, size_t *n)
{
    struct http_app *app = &exchange->server->app;
    if (exchange->reply)
        exchange->swallowed += (int64_t)*n;
    else
        app->body(app->user, &exchange->request, (str){bytes, *n});
    *n = 0;
    if (exchange->cut || exchange->swallowed > SWALLOW_MAX)
        return MHD_NO;
    if (exchange->paused && !exchange->line_link)
        line_insert(&exchange->server->pausing, exchange);
    return MHD_YES;
}

/* A resumed connection is read before what MHD has of it already is looked at, and an end that is
 * read then ends the request. So a paused body stops only where MHD's buffer is empty. */
static void suspend_paused(struct http_server *server)
{
    while (server->pausing) {
        struct exchange *exchange = server->pausing;
        line_remove(exchange);
        if (exchange->paused && !exchange->ended && !exchange->reply && !exchange->cut)
            exchange_suspend(exchange);
    }
}

static void run(struct http_server *server)
{
    MHD_run(server->daemon);
    suspend_paused(server);
}

/* Most answers come at the end of this turn. Until then the connection stays in MHD's list of those
 * to be called again; taking it out costs three system calls, so that is for who waits longer. */
static void wait_for_answer(struct exchange *exchange)
{
    if (!exchange->called_again) {
        exchange->called_again = true;
        exchange->server->kick = true;
        return;
    }
    line_remove(exchange);
    exchange_suspend(exchange);
    line_insert(&exchange->server->fresh, exchange);
}

/* The body is complete. An answer that is given at once costs no further run of MHD. */
static void end_body(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->ended = true;
    if (exchange->reply)
        return;
    head_trailers(exchange);
    exchange->cut = !head_leaves_room(exchange, ANSWER_BYTES);
    if (exchange->cut)
        return;
    server->app.end(server->app.user, &exchange->request);
    if (exchange->reply || exchange->cut)
        return;
    if (server->turn_requests++ == 0 && server->alone >= ALONE)
        server->app.turn(server->app.user);
}

static enum MHD_Result last_call(struct exchange *exchange)
{
    if (!exchange->ended)
        end_body(exchange);
    if (exchange->cut)
        return MHD_NO;
    if (exchange->reply)
        return reply_queue(exchange);
    wait_for_answer(exchange);
    return MHD_YES;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *target,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **state)
{
    (void)user, (void)connection, (void)target;
    struct exchange *exchange = *state;
    exchange->left_unread = false;
    if (exchange->cut)
        return MHD_NO;
    if (!exchange->begun)
        return first_call(exchange, method, version);
    return *n ? body_call(exchange, bytes, n) : last_call(exchange);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    struct http_server *server = user;
    struct exchange *exchange = *state;
    if (!exchange)
        return;
    *state = NULL;
    line_remove(exchange);
    if (exchange->watch)
        exchange->watch->exchange = NULL;
    watch_idle(exchange->watch);
    all_remove(exchange);
    if (exchange->known) {
        server->active--;
        server->app.gone(server->app.user, &exchange->request,
                         exchange->queued && code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    reply_release(exchange);
    arena_give(server, exchange->request.arena);
}

static bool on_accepted(void *user, int fd, const struct sockaddr *peer, socklen_t length)
{
    struct http_server *server = user;
    return MHD_add_connection(server->daemon, fd, peer, length) == MHD_YES;
}

/* ---- the loop ---- */

static void on_epoll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct http_server *server = poll->data;
    run(server);
}

static void on_timer(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    run(server);
}

/* Requests that this turn left unanswered wait for something else: from now on their peer's leaving
 * ends them. */
static void end_turn_of_waiting(struct http_server *server)
{
    while (server->fresh) {
        struct exchange *exchange = server->fresh;
        line_remove(exchange);
        watch_waiting(exchange);
    }
}

static void arm_timer(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    if (server->kick || MHD_get_timeout(server->daemon, &wait) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, wait, 0);
    else
        uv_timer_stop(&server->timer);
}

static void count_requests(struct http_server *server)
{
    if (server->turn_requests == 1 && server->alone < ALONE)
        server->alone++;
    else if (server->turn_requests > 1)
        server->alone = 0;
    server->turn_requests = 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct http_server *server = prepare->data;
    for (int round = 0;; round++) {
        server->app.turn(server->app.user);
        if (!server->kick || round == ROUNDS)
            break;
        server->kick = false;
        run(server);
    }
    count_requests(server);
    end_turn_of_waiting(server);
    watch_turn(server);
    arm_timer(server);
}

/* ---- life ---- */

static unsigned connection_limit(const struct http_server_options *options)
{
    struct rlimit files;
    if (options->max_connections > 0)
        return (unsigned)options->max_connections;
    if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == RLIM_INFINITY)
        return CONNECTIONS_MOST;
    /* A connection may need a second descriptor, for the body that it reads or writes: half of them
     * do at most. */
    rlim_t usable =
        files.rlim_cur > 2 * RESERVED_FILES ? files.rlim_cur - RESERVED_FILES : RESERVED_FILES;
    return usable / 3 * 2 > CONNECTIONS_MOST ? CONNECTIONS_MOST : (unsigned)(usable * 2 / 3);
}

static struct MHD_Daemon *daemon_start(struct http_server *server)
{
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
#if MHD_VERSION >= 0x01000000
    flags |= MHD_USE_NO_THREAD_SAFETY | MHD_USE_PEDANTIC_CHECKS; /* no folded lines */
#endif
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        server->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, watch_connection, server, MHD_OPTION_END);
}

static void handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    if (--server->open_handles)
        return;
    while (server->nspare)
        arena_free(server->spare[--server->nspare]);
    free(server);
}

static bool add_handles(struct http_server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || uv_poll_init(server->loop, &server->poll, info->epoll_fd))
        return false;
    uv_prepare_init(server->loop, &server->prepare);
    uv_timer_init(server->loop, &server->timer);
    uv_timer_init(server->loop, &server->files_timer);
    server->poll.data = server->prepare.data = server->timer.data = server;
    server->files_timer.data = server;
    server->open_handles = 4;
    uv_poll_start(&server->poll, UV_READABLE, on_epoll);
    uv_prepare_start(&server->prepare, on_prepare);
    return true;
}

struct http_server *http_server_start(uv_loop_t *loop, const struct http_server_options *options,
                                      const struct http_app *app, char **message)
{
    struct http_server *server = xalloc(sizeof *server);
    *server = (struct http_server){.loop = loop, .app = *app};
    struct listen_app accept = {.user = server, .room = watch_room, .accepted = on_accepted};
    server->connections_max = connection_limit(options);
    server->listener = listen_start(loop, options->address, options->port, &accept, message);
    if (!server->listener)
        goto fail;
    server->daemon = daemon_start(server);
    if (!server->daemon || !add_handles(server)) {
        *message = xstrdup(S("cannot start the HTTP server (out of memory or descriptors)"));
        goto fail_listener;
    }
    return server;
fail_listener:
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    listen_free(server->listener);
fail:
    free(server);
    return NULL;
}

int http_server_port(const struct http_server *server)
{
    return listen_port(server->listener);
}

void http_server_quiesce(struct http_server *server)
{
    listen_close(server->listener);
}

int http_server_active(const struct http_server *server)
{
    return server->active;
}

void http_server_stop(struct http_server *server)
{
    listen_close(server->listener);
    for (struct exchange *exchange = server->all; exchange; exchange = exchange->next)
        http_cut(&exchange->request);
    MHD_run(server->daemon);
    MHD_stop_daemon(server->daemon); /* ends every exchange that is left */
    listen_free(server->listener);
    uv_close((uv_handle_t *)&server->poll, handle_closed);
    uv_close((uv_handle_t *)&server->prepare, handle_closed);
    uv_close((uv_handle_t *)&server->timer, handle_closed);
    uv_close((uv_handle_t *)&server->files_timer, handle_closed);
}

/* ---- what the app says ---- */

void http_respond(struct http_request *request, struct http_reply *reply)
{
    struct exchange *exchange = exchange_of(request);
    exchange->reply = reply;
    exchange_resume(exchange);
}

void http_cut(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    exchange->cut = true;
    exchange_resume(exchange);
}

void http_pause(struct http_request *request)
{
    exchange_of(request)->paused = true;
}

void http_resume(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    exchange->paused = false;
    if (!exchange->ended)
        exchange_resume(exchange);
}

void http_wake(struct http_request *request)
{
    struct exchange *exchange = exchange_of(request);
    if (exchange->queued)
        exchange_resume(exchange);
}

str http_trailer(const struct http_request *request, str name)
{
    struct exchange *exchange = exchange_of(request);
    const char *value = MHD_lookup_connection_value(exchange->connection, MHD_FOOTER_KIND,
                                                    arena_cstr(request->arena, name));
    return str_of(value);
}

bool http_alive(struct http_request *request)
{
    char byte;
    ssize_t n =
        recv(watch_socket(exchange_of(request)->connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}
