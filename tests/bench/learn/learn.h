/* learn.h - what the ceilings of the benchmark share (hrnull.c, hrstack.c): answers that were
 * learned from another server, each asked for once. Bytes in, bytes out: a request is told apart by
 * a hash of whatever its caller looks at. */
#ifndef HEADRACE_BENCH_LEARN_H
#define HEADRACE_BENCH_LEARN_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { LEARN_ROOM = 1 << 18, LEARN_SLOTS = 1 << 17 }; /* bytes of a message; requests */

/* What is known of a request. */
struct answer {
    uint64_t hash;
    size_t request_n; /* bytes of head and body */
    char *p;          /* the whole answer; NULL: not learned yet */
    size_t n;
    size_t head_n;
};

struct lessons {
    int upstream;
    struct sockaddr_in at;
    size_t known;
    struct answer answers[LEARN_SLOTS];
};

_Noreturn void die(const char *what);
int tcp_socket(void);
struct sockaddr_in loopback(const char *port);
/* Sends all of it, waiting where it must; who closed is seen when it is read. */
void put_all(int fd, const char *p, size_t n);
/* The size of a whole message that begins with `p`, a string: 0 while its head is not complete. */
size_t message_size(const char *p, size_t n, size_t *head_n);

/* Connects to the server on that port of this machine. */
struct lessons *lessons_from(const char *port);
/* The place of a request's answer, also while there is none. */
struct answer *lessons_find(struct lessons *lessons, uint64_t hash);
/* Passes the request on and keeps the answer. */
void lessons_learn(struct lessons *lessons, struct answer *answer, const char *request, size_t n);

#endif
