/* When a turn ends: many requests share the end of one, a lone one after lone ones has its own. */
#include "loopback.h"

#include "base/arena.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 4, LONE_BEFORE = 4 };

struct world {
    uv_loop_t loop;
    uv_prepare_t before_polling; /* started after the server's, so it is called before it */
    struct http_server *server;
    struct http_request *waiting[AT_ONCE]; /* answered by the next turn */
    int nwaiting;
    int polls, ended_at; /* how often the loop came to polling; when the last request ended */
    int answered;
    int polls_waited; /* of the last that was answered */
};

static struct world w;

static void on_begin(void *user, struct http_request *request)
{
    (void)user, (void)request;
}

static void on_body(void *user, struct http_request *request, str chunk)
{
    (void)user, (void)request, (void)chunk;
}

static void on_end(void *user, struct http_request *request)
{
    (void)user;
    w.waiting[w.nwaiting++] = request;
    w.ended_at = w.polls;
}

static bool on_hangup(void *user, struct http_request *request)
{
    (void)user, (void)request;
    return true;
}

static void on_gone(void *user, struct http_request *request, bool completed)
{
    (void)user, (void)request;
    CHECK(completed);
}

static void on_turn(void *user)
{
    (void)user;
    if (w.nwaiting)
        w.polls_waited = w.polls - w.ended_at;
    while (w.nwaiting) {
        struct http_request *request = w.waiting[--w.nwaiting];
        struct http_reply *reply = http_reply_new(request->arena);
        http_reply_bytes(request->arena, reply, 200, S("text/plain"), S("hello"));
        http_respond(request, reply);
        w.answered++;
    }
}

static void on_before_polling(uv_prepare_t *prepare)
{
    (void)prepare;
    w.polls++;
}

static void start(void)
{
    struct http_app app = {.begin = on_begin,
                           .body = on_body,
                           .end = on_end,
                           .hangup = on_hangup,
                           .gone = on_gone,
                           .turn = on_turn};
    w = (struct world){0};
    w.server = loopback_start(&w.loop, &app);
    uv_prepare_init(&w.loop, &w.before_polling);
    uv_prepare_start(&w.before_polling, on_before_polling);
}

static void stop(void)
{
    uv_close((uv_handle_t *)&w.before_polling, NULL);
    loopback_stop(&w.loop, w.server);
}

static void say(int fd)
{
    static const char request[] = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    CHECK_INT(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
}

static void hear(int fd)
{
    char heard[4096] = {0};
    size_t n = 0;
    while (!strstr(heard, "hello")) {
        uv_run(&w.loop, UV_RUN_NOWAIT);
        ssize_t got = recv(fd, heard + n, sizeof heard - n - 1, 0);
        CHECK(got > 0 || (got < 0 && errno == EAGAIN));
        n += got > 0 ? (size_t)got : 0;
    }
}

/* How often the loop came to polling before the one request's turn ended. */
static int polls_of_one(int fd)
{
    say(fd);
    hear(fd);
    return w.polls_waited;
}

TEST(after_lone_requests_the_next_ends_its_turn)
{
    start();
    int fd = loopback_connect(w.server);
    for (int i = 0; i < LONE_BEFORE; i++)
        CHECK(polls_of_one(fd) > 0);
    CHECK_INT(polls_of_one(fd), 0);
    CHECK_INT(polls_of_one(fd), 0);
    CHECK_INT(w.answered, LONE_BEFORE + 2);
    close(fd);
    stop();
}

TEST(requests_that_come_together_share_a_turn_and_so_does_what_follows)
{
    int fds[AT_ONCE];
    start();
    for (int i = 0; i < AT_ONCE; i++) {
        fds[i] = loopback_connect(w.server);
        CHECK(polls_of_one(fds[i]) > 0);
    }
    CHECK_INT(polls_of_one(fds[0]), 0);
    for (int i = 0; i < AT_ONCE; i++)
        say(fds[i]);
    for (int i = 0; i < AT_ONCE; i++)
        hear(fds[i]);
    CHECK(w.polls_waited > 0); /* the last of them, with all but the first */
    CHECK_INT(w.answered, AT_ONCE + 1 + AT_ONCE);
    CHECK(polls_of_one(fds[0]) > 0);
    for (int i = 0; i < AT_ONCE; i++)
        close(fds[i]);
    stop();
}

UNIT_MAIN
