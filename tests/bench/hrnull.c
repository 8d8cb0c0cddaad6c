/* hrnull.c - a server that does nothing but answer: the ceiling of the benchmark. Whatever another
 * server does for a request comes on top of what this one does, so none is quicker on the same
 * machine under the same load generator, but by chance.
 *
 *     hrnull PORT UPSTREAM
 *
 * It learns its answers from the server on the port UPSTREAM: a request whose head it has not seen
 * is passed on, and the answer kept; every later request with the same head gets that answer, byte
 * for byte. Bodies are counted, not looked at: heads of frames.py differ where the answers do,
 * since their signatures cover what was asked. So SendMessage, PutObject and GetObject are answered
 * rightly without end; ReceiveMessage always brings the same message, and its deletion succeeds.
 * One thread, one epoll, two system calls a request, no parsing beyond the end of the head. */
#include "learn/learn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

struct connection {
    int fd;
    size_t n;
    char in[LEARN_ROOM + 1];
};

struct null {
    int epoll, listener;
    struct lessons *lessons;
};

static void watch(const struct null *null, int fd, void *who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    if (epoll_ctl(null->epoll, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

/* A known head says how long its request is. */
static void serve(struct null *null, struct connection *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
    if (!end)
        return;
    size_t head_n = (size_t)(end + 4 - c->in);
    struct answer *slot = lessons_find(null->lessons, XXH3_64bits(c->in, head_n));
    if (c->n < (slot->p ? slot->request_n : message_size(c->in, c->n, &head_n)))
        return;
    if (!slot->p)
        lessons_learn(null->lessons, slot, c->in, c->n);
    c->n = 0;
    put_all(c->fd, slot->p, slot->n);
}

static void readable(struct null *null, struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, LEARN_ROOM - c->n, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close(c->fd);
        free(c);
        return;
    }
    c->n += (size_t)n;
    c->in[c->n] = 0;
    serve(null, c);
}

static void welcome(struct null *null)
{
    struct connection *c = malloc(sizeof *c);
    c->fd = accept(null->listener, NULL, NULL);
    c->n = 0;
    if (c->fd < 0)
        die("accept");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    watch(null, c->fd, c);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: hrnull PORT UPSTREAM\n");
        return 2;
    }
    struct null *null = calloc(1, sizeof *null);
    struct sockaddr_in here = loopback(argv[1]);
    null->lessons = lessons_from(argv[2]);
    null->epoll = epoll_create1(EPOLL_CLOEXEC);
    null->listener = tcp_socket();
    setsockopt(null->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(null->listener, (struct sockaddr *)&here, sizeof here) || listen(null->listener, 1024))
        die("listen");
    watch(null, null->listener, null);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(null->epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == null)
                welcome(null);
            else
                readable(null, events[i].data.ptr);
        }
    }
}
