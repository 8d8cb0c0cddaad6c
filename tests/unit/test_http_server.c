/* The HTTP server as a client on the other end of a socket sees it. Server and client share one
 * thread: the client writes, and the loop is run, never waiting, until the answer is there or the
 * connection is closed. */
#include "loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct world {
    uv_loop_t loop;
    struct http_server *server;
    struct http_request *waiting; /* answered by nobody until a test does */
    int begun, bodies, ended, hangups, gone, turns;
    size_t body_bytes;
    char trailer[64], target[128];
};

static struct world w;

static struct http_reply *text_reply(struct http_request *request, int status, const char *text)
{
    struct http_reply *reply = http_reply_new(request->arena);
    http_reply_bytes(request->arena, reply, status, S("text/plain"), str_of(text));
    return reply;
}

static void on_begin(void *user, struct http_request *request)
{
    (void)user;
    w.begun++;
    snprintf(w.target, sizeof w.target, "%.*s", STR_ARG(request->target));
    if (str_eq(request->path, S("/refuse")))
        http_respond(request, text_reply(request, 403, "no"));
}

static void on_body(void *user, struct http_request *request, str chunk)
{
    (void)user;
    w.bodies++;
    w.body_bytes += chunk.n;
    if (str_eq(request->path, S("/pause"))) {
        w.waiting = request;
        http_pause(request);
    }
}

static long count_up(void *state, int64_t position, char *out, size_t n)
{
    (void)state;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + (position + (int64_t)i) % 26);
    return (long)n;
}

static long nothing_yet(void *state, int64_t position, char *out, size_t n)
{
    int *left = state;
    (void)position, (void)n;
    if (*left < 0)
        return -1;
    if (*left == 0)
        return 0;
    --*left;
    out[0] = 'x';
    return 1;
}

static int stream_left;

static void on_end(void *user, struct http_request *request)
{
    (void)user;
    w.ended++;
    struct http_reply *reply = text_reply(request, 200, "hello");
    str trailer = http_trailer(request, S("x-sum"));
    snprintf(w.trailer, sizeof w.trailer, "%.*s", STR_ARG(trailer));
    if (str_eq(request->path, S("/wait")) || str_eq(request->path, S("/settle"))) {
        w.waiting = request;
        return;
    }
    if (str_eq(request->path, S("/head"))) {
        reply->kind = HTTP_BODY_HEAD;
        reply->length = 123456789;
    }
    if (str_eq(request->path, S("/cut")))
        reply->cut_after = 2;
    if (str_eq(request->path, S("/file"))) {
        reply->kind = HTTP_BODY_FILE;
        reply->fd = open("/proc/self/exe", O_RDONLY);
        reply->offset = 1;
        reply->length = 3;
    }
    if (str_eq(request->path, S("/pull"))) {
        reply->kind = HTTP_BODY_PULL;
        reply->pull = count_up;
        reply->length = 30;
    }
    if (str_eq(request->path, S("/stream"))) {
        w.waiting = request;
        reply->kind = HTTP_BODY_PULL;
        reply->pull = nothing_yet;
        reply->pull_state = &stream_left;
        reply->length = -1;
    }
    if (str_eq(request->path, S("/empty-header")))
        http_reply_header(request->arena, reply, S("x-amz-meta-empty"), S(""));
    http_respond(request, reply);
}

static bool on_hangup(void *user, struct http_request *request)
{
    (void)user;
    w.hangups++;
    return !str_eq(request->path, S("/settle"));
}

static void on_gone(void *user, struct http_request *request, bool completed)
{
    (void)user, (void)completed;
    w.gone++;
    if (w.waiting == request)
        w.waiting = NULL;
}

static void on_turn(void *user)
{
    (void)user;
    w.turns++;
}

static void start_limited(int connections)
{
    struct http_app app = {.begin = on_begin,
                           .body = on_body,
                           .end = on_end,
                           .hangup = on_hangup,
                           .gone = on_gone,
                           .turn = on_turn};
    w = (struct world){0};
    w.server = loopback_start_limited(&w.loop, &app, connections);
}

static void start(void)
{
    start_limited(0);
}

static void stop(void)
{
    loopback_stop(&w.loop, w.server);
}

static void turns(int n)
{
    for (int i = 0; i < n; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
}

static void say(int fd, const char *text)
{
    CHECK_INT(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `end` was seen or the connection is closed (then "<closed>" is appended). */
static const char *hear(int fd, const char *end)
{
    static char heard[65536];
    size_t n = 0;
    heard[0] = 0;
    for (int i = 0; i < 100000 && !(end && strstr(heard, end)); i++) {
        turns(1);
        ssize_t got = recv(fd, heard + n, sizeof heard - n - 16, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            strcpy(heard + n, "<closed>");
            break;
        }
        if (got > 0)
            n += (size_t)got;
        heard[n] = 0;
    }
    return heard;
}

static const char *ask(const char *request, const char *end)
{
    int fd = loopback_connect(w.server);
    turns(5); /* accepted before it asks */
    say(fd, request);
    const char *heard = hear(fd, end);
    close(fd);
    turns(3);
    return heard;
}

static void check_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        print_error("%s\n  does not hold %s\n", text, part);
    CHECK(strstr(text, part) != NULL);
}

TEST(an_answer_keeps_the_connection_and_the_raw_target)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "GET /a%20b+c?x=%2F&y HTTP/1.1\r\nHost: x\r\n\r\n");
    check_holds(hear(fd, "hello"), "HTTP/1.1 200 OK");
    CHECK_STR(str_of(w.target), S("/a%20b+c?x=%2F&y"));
    say(fd, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    check_holds(hear(fd, "hello"), "HTTP/1.1 200 OK");
    close(fd);
    stop();
    CHECK_INT(w.gone, 2);
}

TEST(pipelined_requests_are_answered_in_order)
{
    start();
    const char *heard = ask("GET /wait-not HTTP/1.1\r\nHost: x\r\n\r\nGET /head HTTP/1.1\r\nHost: "
                            "x\r\nConnection: close\r\n\r\n",
                            NULL);
    check_holds(heard, "hello");
    check_holds(heard, "<closed>");
    stop();
    CHECK_INT(w.ended, 2);
}

TEST(two_content_lengths_are_refused_and_the_connection_is_closed)
{
    start();
    const char *heard = ask(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc", NULL);
    check_holds(heard, "HTTP/1.1 400 Bad Request");
    check_holds(heard, "<closed>");
    CHECK_INT(w.begun, 0);
    stop();
}

TEST(a_length_beside_chunked_is_refused)
{
    start();
    const char *heard = ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n0\r\n\r\n",
                            NULL);
    check_holds(heard, "HTTP/1.1 400 Bad Request");
    check_holds(heard, "<closed>");
    stop();
}

TEST(an_unknown_transfer_encoding_is_refused)
{
    start();
    check_holds(
        ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            NULL),
        "HTTP/1.1 400");
    check_holds(ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", NULL),
                "HTTP/1.1 400");
    stop();
}

TEST(a_blank_in_a_header_name_is_refused)
{
    start();
    check_holds(ask("GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", NULL),
                "HTTP/1.1 400");
    CHECK_INT(w.begun, 0);
    stop();
}

TEST(a_refusal_before_the_body_keeps_the_client_from_sending_it)
{
    start();
    const char *heard =
        ask("PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            NULL);
    check_holds(heard, "HTTP/1.1 403");
    CHECK(!strstr(heard, "100 Continue"));
    stop();
}

TEST(a_refusal_of_a_body_that_comes_anyway_keeps_the_connection)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde");
    check_holds(hear(fd, "\r\n\r\nno"), "HTTP/1.1 403");
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    check_holds(hear(fd, "hello"), "HTTP/1.1 200");
    CHECK_INT(w.bodies, 0);
    close(fd);
    stop();
}

TEST(a_body_comes_after_100_continue)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    check_holds(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue");
    say(fd, "abcde");
    check_holds(hear(fd, "hello"), "HTTP/1.1 200");
    CHECK_INT(w.body_bytes, 5);
    close(fd);
    stop();
}

/* botocore reads the answer after the next on such a connection wrongly where no 100 came. */
TEST(an_empty_body_is_continued_to_as_well)
{
    start();
    int fd = loopback_connect(w.server);
    for (int i = 0; i < 2; i++) {
        say(fd, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
        check_holds(hear(fd, "hello"), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200");
    }
    close(fd);
    stop();
}

TEST(trailers_of_a_chunked_body_are_there_at_its_end)
{
    start();
    ask("PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 42\r\n\r\n",
        "hello");
    CHECK_INT(w.body_bytes, 5);
    CHECK_STR(str_of(w.trailer), S("42"));
    stop();
}

TEST(a_head_answer_says_the_length_of_the_body_it_does_not_have)
{
    start();
    check_holds(ask("HEAD /head HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n"),
                "Content-Length: 123456789\r\n");
    stop();
}

TEST(an_empty_header_value_can_be_answered)
{
    start();
    check_holds(ask("GET /empty-header HTTP/1.1\r\nHost: x\r\n\r\n", "hello"), "x-amz-meta-empty:");
    stop();
}

TEST(a_slice_of_a_file_is_a_body)
{
    start();
    check_holds(ask("GET /file HTTP/1.1\r\nHost: x\r\n\r\n", "ELF"), "Content-Length: 3\r\n");
    stop();
}

TEST(a_pulled_body_has_its_length)
{
    start();
    check_holds(ask("GET /pull HTTP/1.1\r\nHost: x\r\n\r\n", "wxyzabcd"), "Content-Length: 30\r\n");
    stop();
}

TEST(a_stream_sends_when_it_is_woken_and_ends)
{
    start();
    stream_left = 0;
    int fd = loopback_connect(w.server);
    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    check_holds(hear(fd, "\r\n\r\n"), "Transfer-Encoding: chunked");
    turns(5);
    stream_left = 1;
    http_wake(w.waiting);
    check_holds(hear(fd, "x\r\n"), "1\r\nx\r\n");
    stream_left = -1;
    http_wake(w.waiting);
    check_holds(hear(fd, "0\r\n\r\n"), "0\r\n\r\n");
    close(fd);
    stop();
}

TEST(a_stream_whose_client_left_is_gone)
{
    start();
    stream_left = 0;
    int fd = loopback_connect(w.server);
    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, "\r\n\r\n");
    turns(5);
    close(fd);
    turns(10);
    CHECK_INT(w.gone, 1);
    stop();
}

TEST(a_cut_answer_ends_within_its_body)
{
    start();
    const char *heard = ask("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    check_holds(heard, "Content-Length: 5\r\n");
    check_holds(heard, "\r\n\r\nhe<closed>");
    stop();
}

TEST(an_answer_may_come_in_a_later_turn)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(20);
    CHECK(w.waiting != NULL);
    CHECK(http_alive(w.waiting));
    http_respond(w.waiting, text_reply(w.waiting, 200, "later"));
    check_holds(hear(fd, "later"), "HTTP/1.1 200");
    close(fd);
    stop();
}

TEST(a_client_that_gives_up_waiting_is_noticed)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(20);
    close(fd);
    turns(20);
    CHECK_INT(w.hangups, 1);
    CHECK_INT(w.gone, 1);
    CHECK_INT(http_server_active(w.server), 0);
    stop();
}

TEST(a_body_that_ends_with_its_connection_is_noticed)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    close(fd);
    turns(20);
    CHECK_INT(w.bodies, 1);
    CHECK_INT(w.gone, 1);
    CHECK_INT(w.ended, 0);
    stop();
}

TEST(a_paused_body_whose_client_left_ends_when_it_is_resumed)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /pause HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    turns(5);
    close(fd);
    turns(5);
    CHECK_INT(w.gone, 0);
    http_resume(w.waiting);
    turns(20);
    CHECK_INT(w.gone, 1);
    stop();
}

TEST(a_client_that_only_stops_sending_gets_its_answer)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    shutdown(fd, SHUT_WR);
    check_holds(hear(fd, NULL), "hello");
    close(fd);
    stop();
}

TEST(a_client_that_stops_sending_while_its_answer_is_made_gets_it)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /settle HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
    shutdown(fd, SHUT_WR);
    turns(20);
    CHECK_INT(w.hangups, 1);
    CHECK_INT(w.gone, 0);
    http_respond(w.waiting, text_reply(w.waiting, 200, "made"));
    check_holds(hear(fd, NULL), "made<closed>");
    close(fd);
    stop();
}

TEST(a_paused_body_whose_client_stops_sending_is_read_to_its_end)
{
    static const char *const framings[] = {
        "Content-Length: 5\r\n\r\nabcde",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
        start();
        int fd = loopback_connect(w.server);
        say(fd, "PUT /pause HTTP/1.1\r\nHost: x\r\n");
        say(fd, framings[i]);
        shutdown(fd, SHUT_WR);
        turns(5);
        if (w.ended == 0)
            http_resume(w.waiting);
        check_holds(hear(fd, NULL), "hello");
        CHECK_INT(w.body_bytes, 5);
        close(fd);
        stop();
    }
}

TEST(a_paused_body_stops_until_it_is_resumed)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "PUT /pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    turns(20);
    CHECK_INT(w.bodies, 1);
    say(fd, "2\r\nde\r\n");
    turns(20);
    CHECK_INT(w.bodies, 1);
    http_resume(w.waiting);
    turns(20);
    CHECK_INT(w.bodies, 2);
    say(fd, "0\r\n\r\n");
    turns(20);
    CHECK_INT(w.ended, 0);
    http_resume(w.waiting);
    check_holds(hear(fd, "hello"), "HTTP/1.1 200");
    CHECK_INT(w.body_bytes, 5);
    close(fd);
    stop();
}

TEST(a_head_of_an_endless_answer_has_no_body)
{
    start();
    const char *heard = ask("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n", NULL);
    check_holds(heard, "HTTP/1.1 200");
    CHECK(!strstr(heard, "chunked"));
    check_holds(heard, "\r\n\r\n<closed>");
    stop();
}

TEST(an_http_1_0_client_gets_its_answer_and_the_end)
{
    start();
    check_holds(ask("GET / HTTP/1.0\r\n\r\n", NULL), "hello<closed>");
    stop();
}

TEST(stopping_with_a_request_that_waits_ends_it)
{
    start();
    int fd = loopback_connect(w.server);
    say(fd, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(20);
    stop();
    CHECK_INT(w.gone, 1);
    close(fd);
}

/* The other one waits for its answer, so the newest connection is the only idle one. */
TEST(a_connection_that_reaches_the_limit_is_kept_while_nobody_else_waits)
{
    start_limited(2);
    int waiting = loopback_connect(w.server);
    say(waiting, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(5);
    check_holds(ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "hello"), "200 OK");
    close(waiting);
    turns(5);
    stop();
}

TEST(an_idle_connection_at_the_limit_makes_room_for_one_that_waits)
{
    start_limited(1);
    int idle = loopback_connect(w.server);
    turns(5);
    check_holds(ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "hello"), "200 OK");
    check_holds(hear(idle, NULL), "<closed>");
    close(idle);
    turns(5);
    stop();
}

TEST(a_taken_port_is_refused_with_its_number)
{
    start();
    struct http_server_options options = {.address = "127.0.0.1",
                                          .port = http_server_port(w.server)};
    struct http_app app = {.turn = on_turn};
    char *message = NULL, expected[32];
    CHECK(http_server_start(&w.loop, &options, &app, &message) == NULL);
    snprintf(expected, sizeof expected, "port %d", options.port);
    check_holds(message, expected);
    free(message);
    stop();
}

UNIT_MAIN
