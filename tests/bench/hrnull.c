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
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

enum { ROOM = 1 << 18, SLOTS = 1 << 17 };

/* What is known of a head. */
struct answer {
    uint64_t hash;
    size_t request_n; /* of head and body */
    char *p;          /* NULL: a free slot */
    size_t n;
};

struct connection {
    int fd;
    size_t n;
    char in[ROOM + 1];
};

struct null {
    int epoll, listener, upstream;
    struct sockaddr_in at;
    size_t known;
    struct answer answers[SLOTS];
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static void watch(const struct null *null, int fd, void *who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    if (epoll_ctl(null->epoll, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

/* The size of a whole message that begins with `p`: 0 while its head is not complete. */
static size_t message_size(const char *p, size_t n, size_t *head_n)
{
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *head_n = (size_t)(end + 4 - p);
    const char *length = strcasestr(p, "\r\ncontent-length:");
    return *head_n + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

/* The slot of a head, or the free one where it belongs. */
static struct answer *slot_of(struct null *null, const char *p, size_t head_n)
{
    uint64_t hash = XXH3_64bits(p, head_n);
    struct answer *slot = &null->answers[hash % SLOTS];
    while (slot->p && slot->hash != hash)
        slot = slot + 1 == null->answers + SLOTS ? null->answers : slot + 1;
    slot->hash = hash;
    return slot;
}

static void put(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* who closed is seen when it is read */
        p += sent;
        n -= (size_t)sent;
    }
}

static size_t ask(struct null *null, const char *request, size_t n, char *answer)
{
    size_t got = 0, want = 0, head_n;
    put(null->upstream, request, n);
    while (!want || got < want) {
        ssize_t more = recv(null->upstream, answer + got, ROOM - got, 0);
        if (more <= 0)
            return 0;
        got += (size_t)more;
        answer[got] = 0;
        want = message_size(answer, got, &head_n);
    }
    return got;
}

/* Passes the request on and keeps the answer; the server may have closed an idle connection. */
static void learn(struct null *null, struct answer *slot, const char *request, size_t n)
{
    static char answer[ROOM + 1];
    size_t got = ask(null, request, n, answer);
    if (!got) {
        close(null->upstream);
        null->upstream = tcp();
        if (connect(null->upstream, (struct sockaddr *)&null->at, sizeof null->at))
            die("connect");
        got = ask(null, request, n, answer);
    }
    if (!got || ++null->known > SLOTS / 2)
        die("learn");
    slot->request_n = n;
    slot->n = got;
    slot->p = memcpy(malloc(got), answer, got);
}

/* A known head says how long its request is. */
static void serve(struct null *null, struct connection *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
    if (!end)
        return;
    size_t head_n = (size_t)(end + 4 - c->in);
    struct answer *slot = slot_of(null, c->in, head_n);
    if (c->n < (slot->p ? slot->request_n : message_size(c->in, c->n, &head_n)))
        return;
    if (!slot->p)
        learn(null, slot, c->in, c->n);
    c->n = 0;
    put(c->fd, slot->p, slot->n);
}

static void readable(struct null *null, struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, ROOM - c->n, MSG_DONTWAIT);
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
    null->at = loopback(argv[2]);
    null->epoll = epoll_create1(EPOLL_CLOEXEC);
    null->listener = tcp();
    null->upstream = tcp();
    setsockopt(null->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(null->listener, (struct sockaddr *)&here, sizeof here) || listen(null->listener, 1024))
        die("listen");
    if (connect(null->upstream, (struct sockaddr *)&null->at, sizeof null->at))
        die("connect");
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
