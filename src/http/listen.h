/* http/listen.h - listening sockets on a libuv loop; accepted sockets are handed over non-blocking
 * with TCP_NODELAY set. Loopback means both families: Node resolves localhost to ::1, Python tries
 * 127.0.0.1 last. */
#ifndef HEADRACE_HTTP_LISTEN_H
#define HEADRACE_HTTP_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

struct listener;

struct listen_app {
    void *user;
    /* Asked before each connection is accepted, and only while one waits. false: none for now, as
     * below. */
    bool (*room)(void *user);
    /* Owns `fd` from here on, whatever it returns. false: no more for now; listening stops until
     * listen_resume. */
    bool (*accepted)(void *user, int fd, const struct sockaddr *peer, socklen_t length);
};

/* `port` 0 picks a free one, the same in both families. NULL and *message (malloc'ed) on failure.
 */
struct listener *listen_start(uv_loop_t *loop, const char *address, int port,
                              const struct listen_app *app, char **message);
int listen_port(const struct listener *listener);
/* Accepts again after `accepted` said no or descriptors ran out. Cheap when nothing was stopped. */
void listen_resume(struct listener *listener);
/* Closes the sockets: new clients are refused by the kernel. */
void listen_close(struct listener *listener);
/* Closes if still open; frees when the loop has let go of the handles. */
void listen_free(struct listener *listener);

#endif
