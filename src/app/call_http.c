/* app/call_http.c - see call_http.h. HTTP/1.0, so that the answer ends with the connection and is
 * never chunked. */
#include "app/call_http.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_SECONDS 60

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
    *host = arena_cstr(arena, name);
    *port = number.p ? arena_cstr(arena, number) : "80";
    return name.n > 0;
}

static int connect_to(const char *host, const char *port, const char **why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int error = getaddrinfo(host, port, &hints, &found), fd = -1;
    *why = error ? gai_strerror(error) : "";
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) {
            *why = strerror(errno);
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
               str *why)
{
    str authority;
    const char *host, *port, *error;
    if (!split_endpoint(arena, endpoint, &authority, &host, &port)) {
        *why = arena_printf(arena, "%.*s is not an http:// URL", STR_ARG(endpoint));
        return -1;
    }
    int fd = connect_to(host, port, &error);
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

/* Status and the place where the body begins; 0 while the head is not complete. */
static size_t read_head(str bytes, int *status)
{
    int64_t code;
    ptrdiff_t end = str_find(bytes, S("\r\n\r\n"), 0);
    if (end < 0 || bytes.n < 12)
        return 0;
    *status = str_to_int(str_slice(bytes, 9, 12), &code) ? (int)code : 0;
    return (size_t)end + 4;
}

bool call_http(struct arena *arena, str endpoint, const char *method, str target, str body,
               struct http_answer *answer, str *why)
{
    int fd = ask(arena, endpoint, method, target, body, why);
    if (fd < 0)
        return false;
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct buf b = buf_in(arena);
    ssize_t n;
    while ((n = recv(fd, buf_room(&b, 16384), 16384, 0)) > 0)
        b.n += (size_t)n;
    close(fd);
    size_t head = read_head(buf_str(&b), &answer->status);
    answer->body = str_slice(buf_str(&b), head, b.n);
    if (!head || !answer->status)
        *why =
            arena_printf(arena, "%.*s closed the connection without an answer", STR_ARG(endpoint));
    return head && answer->status;
}

bool call_http_stream(struct arena *arena, str endpoint, str target,
                      bool (*sink)(void *user, str bytes), void *user, str *why)
{
    int fd = ask(arena, endpoint, "GET", target, STR_NONE, why), status = 0;
    if (fd < 0)
        return false;
    struct buf b = buf_in(arena);
    size_t head = 0;
    ssize_t n;
    bool more = true;
    while (more && (n = recv(fd, buf_room(&b, 16384), 16384, 0)) > 0) {
        b.n += (size_t)n;
        if (!head && !(head = read_head(buf_str(&b), &status)))
            continue;
        more = sink(user, str_slice(buf_str(&b), head, b.n));
        b.n = head;
    }
    close(fd);
    if (status != 200)
        *why = arena_printf(arena, "%.*s answered %d", STR_ARG(endpoint), status);
    return status == 200;
}
