/* http/listen.c - see listen.h. SO_REUSEADDR lets a restart bind at once; SO_REUSEPORT would let
 * two instances share a port silently, so it is never set. When descriptors run out the sockets
 * leave the loop (a level-triggered poll would spin) and come back when a connection ends, or after
 * a tenth of a second. */
#include "http/listen.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SOCKETS = 2, BACKLOG = 1024, ACCEPTS_PER_EVENT = 64, PORT_TRIES = 16, RETRY_MS = 100 };

struct socket_handle {
    uv_poll_t poll;
    int fd;
};

struct listener {
    struct listen_app app;
    struct socket_handle sockets[MAX_SOCKETS];
    int n, port;
    uv_timer_t retry;
    int open_handles;
    bool stopped, closed, freeing;
};

static char *message_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *message_of(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return xstrdup(str_of(line));
}

static int set_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on);
}

static int port_of(int fd)
{
    struct sockaddr_storage at;
    socklen_t length = sizeof at;
    if (getsockname(fd, (struct sockaddr *)&at, &length))
        return 0;
    if (at.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&at)->sin6_port);
    return ntohs(((struct sockaddr_in *)&at)->sin_port);
}

/* A listening socket, or -errno. */
static int open_socket(const struct sockaddr *at, socklen_t length, bool v6_only)
{
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    set_on(fd, SOL_SOCKET, SO_REUSEADDR);
    if (at->sa_family == AF_INET6 && v6_only)
        set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (bind(fd, at, length) || listen(fd, BACKLOG)) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int open_v6_loopback(int port)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6,
                              .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                              .sin6_port = htons((uint16_t)port)};
    return open_socket((struct sockaddr *)&at, sizeof at, true);
}

static int open_v4_loopback(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return open_socket((struct sockaddr *)&at, sizeof at, true);
}

/* 127.0.0.1 and, where IPv6 exists, ::1 on the same port. 0 or -errno. */
static int open_loopback(struct listener *listener, int port)
{
    for (int tries = 0; tries < PORT_TRIES; tries++) {
        int v4 = open_v4_loopback(port);
        if (v4 < 0)
            return v4;
        int v6 = open_v6_loopback(port_of(v4));
        if (v6 == -EADDRINUSE && port == 0) {
            close(v4);
            continue;
        }
        if (v6 == -EADDRINUSE || v6 == -EACCES) {
            close(v4);
            return v6;
        }
        listener->sockets[listener->n++].fd = v4;
        if (v6 >= 0)
            listener->sockets[listener->n++].fd = v6;
        return 0;
    }
    return -EADDRINUSE;
}

static int open_address(struct listener *listener, const char *address, int port, char **message)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    int error = getaddrinfo(address, service, &hints, &found);
    if (error) {
        *message = message_of("cannot resolve address %s: %s", address, gai_strerror(error));
        return -EINVAL;
    }
    int fd = open_socket(found->ai_addr, found->ai_addrlen, false);
    freeaddrinfo(found);
    if (fd < 0)
        return fd;
    listener->sockets[listener->n++].fd = fd;
    return 0;
}

static bool is_loopback_name(const char *address)
{
    return !strcmp(address, "127.0.0.1") || !strcmp(address, "localhost");
}

static char *failure_of(const char *address, int port, int error)
{
    if (error == EADDRINUSE)
        return message_of(
            "port %d on %s is in use (choose another with --port, or 0 for any free one)", port,
            address);
    return message_of("cannot listen on %s port %d: %s", address, port, strerror(error));
}

static void closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0 && listener->freeing)
        free(listener);
}

static void start_polling(struct listener *listener);

static void on_retry(uv_timer_t *timer)
{
    listen_resume(timer->data);
}

static void stop_polling(struct listener *listener, bool retry)
{
    listener->stopped = true;
    for (int i = 0; i < listener->n; i++)
        uv_poll_stop(&listener->sockets[i].poll);
    if (retry)
        uv_timer_start(&listener->retry, on_retry, RETRY_MS, 0);
}

/* False when the loop should stop accepting from this socket for now. */
static bool accept_one(struct listener *listener, int socket_fd)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (!listener->app.room(listener->app.user)) {
        stop_polling(listener, false);
        return false;
    }
    int fd = accept4(socket_fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            stop_polling(listener, true);
        return errno == EINTR || errno == ECONNABORTED;
    }
    set_on(fd, IPPROTO_TCP, TCP_NODELAY);
    set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
    if (!listener->app.accepted(listener->app.user, fd, (struct sockaddr *)&peer, length)) {
        stop_polling(listener, false);
        return false;
    }
    return true;
}

/* Room is made at the cost of another connection: nobody asks for it unless somebody waits. */
static bool somebody_waits(int socket_fd)
{
    struct pollfd waiting = {.fd = socket_fd, .events = POLLIN};
    return poll(&waiting, 1, 0) > 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct socket_handle *handle = (struct socket_handle *)poll;
    for (int i = 0; status == 0 && i < ACCEPTS_PER_EVENT; i++)
        if ((i && !somebody_waits(handle->fd)) || !accept_one(poll->data, handle->fd))
            return;
}

static void start_polling(struct listener *listener)
{
    listener->stopped = false;
    for (int i = 0; i < listener->n; i++)
        uv_poll_start(&listener->sockets[i].poll, UV_READABLE, on_readable);
}

static void add_handles(struct listener *listener, uv_loop_t *loop)
{
    for (int i = 0; i < listener->n; i++) {
        uv_poll_init(loop, &listener->sockets[i].poll, listener->sockets[i].fd);
        listener->sockets[i].poll.data = listener;
    }
    uv_timer_init(loop, &listener->retry);
    listener->retry.data = listener;
    listener->open_handles = listener->n + 1;
    start_polling(listener);
}

struct listener *listen_start(uv_loop_t *loop, const char *address, int port,
                              const struct listen_app *app, char **message)
{
    struct listener *listener = xalloc(sizeof *listener);
    listener->app = *app;
    *message = NULL;
    int error = is_loopback_name(address) ? open_loopback(listener, port)
                                          : open_address(listener, address, port, message);
    if (error) {
        if (!*message)
            *message = failure_of(address, port, -error);
        free(listener);
        return NULL;
    }
    listener->port = port_of(listener->sockets[0].fd);
    add_handles(listener, loop);
    return listener;
}

int listen_port(const struct listener *listener)
{
    return listener->port;
}

void listen_resume(struct listener *listener)
{
    if (!listener->stopped || listener->closed)
        return;
    uv_timer_stop(&listener->retry);
    start_polling(listener);
}

void listen_close(struct listener *listener)
{
    if (listener->closed)
        return;
    listener->closed = true;
    for (int i = 0; i < listener->n; i++) {
        uv_close((uv_handle_t *)&listener->sockets[i].poll, closed);
        close(listener->sockets[i].fd);
    }
    uv_close((uv_handle_t *)&listener->retry, closed);
}

void listen_free(struct listener *listener)
{
    listen_close(listener);
    listener->freeing = true;
    if (listener->open_handles == 0)
        free(listener);
}
