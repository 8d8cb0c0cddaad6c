/* loopback.h - the HTTP server on a loop of the test's, and the other end of its sockets. Both
 * share the test's thread: what the client waits for comes by running the loop. */
#ifndef HEADRACE_TESTS_LOOPBACK_H
#define HEADRACE_TESTS_LOOPBACK_H

#include "unit.h"

#include "http/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

/* `connections`: at most so many; 0: as many as the server takes by itself. */
static inline struct http_server *
loopback_start_limited(uv_loop_t *loop, const struct http_app *app, int connections)
{
    struct http_server_options options = {.address = "127.0.0.1", .max_connections = connections};
    char *message = NULL;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(loop);
    struct http_server *server = http_server_start(loop, &options, app, &message);
    CHECK(server != NULL);
    return server;
}

static inline struct http_server *loopback_start(uv_loop_t *loop, const struct http_app *app)
{
    return loopback_start_limited(loop, app, 0);
}

/* Other handles of the loop are closing already. */
static inline void loopback_stop(uv_loop_t *loop, struct http_server *server)
{
    http_server_stop(server);
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(loop), 0);
}

/* A socket that never waits; close() it. */
static inline int loopback_connect(const struct http_server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(server))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

#endif
