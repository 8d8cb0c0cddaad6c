/* app/call_http.c - see call_http.h. HTTP/1.0, so that the answer ends with the connection and is
 * never chunked. */
#include "app/call_http.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MS 60000 /* without a byte */

static bool split_endpoint(struct arena *arena, str endpoint, str *authority, const char **host,
                           const char **port)
{
    if (!str_starts(endpoint, S("http://")))
        return false;
    str rest = str_slice(endpoint, 7, endpoint.n);
    *authority = str_cut(&rest, '/');
    str name = *authority, number = STR_NONE;
    if (str_starts(name, S("["))) {
        ptrdiff_t end = str_find(name, S("]"), 0);
        if (end < 0)
            return false;
        number = str_slice(name, (size_t)end + 1, name.n);
        number = number.n ? str_slice(number, 1, number.n) : STR_NONE;
        name = str_slice(name, 1, (size_t)end);
    } else {
        number = name;
        name = str_cut(&number, ':');
    }
    int64_t value = 80;
    *host = arena_cstr(arena, name);
    *port = number.n ? arena_cstr(arena, number) : "80";
    return name.n && (!number.n || (str_to_int(number, &value) && value > 0 && value < 65536));
}

/* Linux bounds connect by the time for sending. */
static int socket_with(int family, int64_t patience)
{
    struct timeval each = {.tv_sec = patience / 1000, .tv_usec = patience % 1000 * 1000};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &each, sizeof each);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &each, sizeof each);
    }
    return fd;
}

static int connect_to(const char *host, const char *port, int64_t patience, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found), fd = -1;
    *why = error ? gai_strerror(error) : "";
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket_with(at->ai_family, patience);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) {
            *why = strerror(errno == EINPROGRESS ? ETIMEDOUT : errno);
            close(fd);
            fd = -1;
        }
    }
    if (found)
        freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, str bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)n, bytes.n);
    }
    return true;
}

/* A connected socket with the request sent, or -1. */
static int ask(struct arena *arena, str endpoint, const char *method, str target, str body,
               int64_t patience, str *why)
{
    str authority;
    const char *host, *port, *error;
    if (!split_endpoint(arena, endpoint, &authority, &host, &port)) {
        *why = arena_printf(arena, "%.*s is not an http:// URL of a server", STR_ARG(endpoint));
        return -1;
    }
    int fd = connect_to(host, port, patience, &error);
    struct buf b = buf_in(arena);
    buf_printf(&b, "%s %.*s HTTP/1.0\r\nHost: %.*s\r\n", method, STR_ARG(target),
               STR_ARG(authority));
    if (body.p)
        buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.n);
    BUF_LIT(&b, "\r\n");
    buf_put(&b, body);
    if (fd >= 0 && send_all(fd, buf_str(&b)))
        return fd;
    if (fd >= 0)
        close(fd);
    *why = arena_printf(arena, "no answer from %.*s: %s", STR_ARG(endpoint), error);
    return -1;
}

/* What an answer says before its body. */
struct head {
    size_t n; /* bytes; 0: it is not complete yet */
    int status;
    bool ours;
    int64_t length; /* of the body; -1: up to the connection's end */
};

static struct head read_head(str bytes)
{
    struct head head = {.length = -1};
    int64_t code;
    ptrdiff_t end = str_find(bytes, S("\r\n\r\n"), 0);
    if (end < 0 || !str_starts(bytes, S("HTTP/1.")) || end < 12)
        return head;
    head.n = (size_t)end + 4;
    head.status = str_to_int(str_slice(bytes, 9, 12), &code) ? (int)code : 0;
    str rest = str_slice(bytes, 0, (size_t)end);
    while (rest.p) {
        str value = str_trim(str_cut(&rest, '\n')), name = str_cut(&value, ':');
        if (str_eq_nocase(name, S("Server")))
            head.ours = str_eq(str_trim(value), S("Headrace"));
        if (str_eq_nocase(name, S("Content-Length")) && !str_to_int(str_trim(value), &head.length))
            head.length = -1;
    }
    return head;
}

static bool complete(const struct head *head, size_t n)
{
    return head->n && head->length >= 0 && n - head->n >= (size_t)head->length;
}

static str ending(struct arena *arena, str endpoint, ssize_t n, size_t got, const struct head *head)
{
    const char *what = n < 0 && errno == EAGAIN ? "does not answer in time"
                       : head->n                ? "broke off in the middle of its answer"
                       : got                    ? "answers, but not in HTTP"
                                                : "closed the connection without an answer";
    return arena_printf(arena, "%.*s %s", STR_ARG(endpoint), what);
}

bool call_http_within(struct arena *arena, str endpoint, const char *method, str target, str body,
                      int64_t patience, struct http_answer *answer, str *why)
{
    int fd = ask(arena, endpoint, method, target, body, patience, why);
    if (fd < 0)
        return false;
    struct buf b = buf_in(arena);
    struct head head = {0};
    ssize_t n = 0;
    while (!complete(&head, b.n) && (n = recv(fd, buf_room(&b, 16384), 16384, 0)) > 0) {
        b.n += (size_t)n;
        if (!head.n)
            head = read_head(buf_str(&b));
    }
    bool whole = head.status && (head.length < 0 ? n == 0 : complete(&head, b.n));
    *answer = (struct http_answer){head.status, head.ours, str_slice(buf_str(&b), head.n, b.n)};
    if (!whole)
        *why = ending(arena, endpoint, n, b.n, &head);
    close(fd);
    return whole;
}

bool call_http(struct arena *arena, str endpoint, const char *method, str target, str body,
               struct http_answer *answer, str *why)
{
    return call_http_within(arena, endpoint, method, target, body, ANSWER_MS, answer, why);
}

bool call_http_stream(struct arena *arena, str endpoint, str target,
                      bool (*sink)(void *user, str bytes), void *user, str *why)
{
    int fd = ask(arena, endpoint, "GET", target, STR_NONE, 0, why);
    if (fd < 0)
        return false;
    struct buf b = buf_in(arena);
    struct head head = {0};
    ssize_t n = 0;
    bool more = true;
    while (more && (n = recv(fd, buf_room(&b, 16384), 16384, 0)) > 0) {
        b.n += (size_t)n;
        if (!head.n && !(head = read_head(buf_str(&b))).n)
            continue;
        if (head.status != 200 || !head.ours)
            break;
        more = sink(user, str_slice(buf_str(&b), head.n, b.n));
        b.n = head.n;
    }
    bool good = head.status == 200 && head.ours;
    if (!good && head.n)
        *why = arena_printf(arena, "%.*s answers %d, not as a Headrace does", STR_ARG(endpoint),
                            head.status);
    else if (!good)
        *why = ending(arena, endpoint, n, b.n, &head);
    close(fd);
    return good;
}
