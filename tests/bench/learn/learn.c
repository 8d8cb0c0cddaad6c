/* learn.c - see learn.h. */
#include "learn.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void die(const char *what)
{
    perror(what);
    exit(1);
}

int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

void put_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

size_t message_size(const char *p, size_t n, size_t *head_n)
{
    const char *end = memmem(p, n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *head_n = (size_t)(end + 4 - p);
    const char *length = strcasestr(p, "\r\ncontent-length:");
    return *head_n + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void dial(struct lessons *lessons)
{
    lessons->upstream = tcp_socket();
    if (connect(lessons->upstream, (struct sockaddr *)&lessons->at, sizeof lessons->at))
        die("connect");
}

struct lessons *lessons_from(const char *port)
{
    struct lessons *lessons = calloc(1, sizeof *lessons);
    lessons->at = loopback(port);
    dial(lessons);
    return lessons;
}

struct answer *lessons_find(struct lessons *lessons, uint64_t hash)
{
    struct answer *slot = &lessons->answers[hash % LEARN_SLOTS];
    while (slot->p && slot->hash != hash)
        slot = slot + 1 == lessons->answers + LEARN_SLOTS ? lessons->answers : slot + 1;
    slot->hash = hash;
    return slot;
}

static size_t ask(struct lessons *lessons, const char *request, size_t n, char *answer,
                  size_t *head_n)
{
    size_t got = 0, want = 0;
    put_all(lessons->upstream, request, n);
    while (!want || got < want) {
        ssize_t more = recv(lessons->upstream, answer + got, LEARN_ROOM - got, 0);
        if (more <= 0)
            return 0;
        got += (size_t)more;
        answer[got] = 0;
        want = message_size(answer, got, head_n);
    }
    return got;
}

/* The server may have closed an idle connection. */
void lessons_learn(struct lessons *lessons, struct answer *answer, const char *request, size_t n)
{
    static char text[LEARN_ROOM + 1];
    size_t got = ask(lessons, request, n, text, &answer->head_n);
    if (!got) {
        close(lessons->upstream);
        dial(lessons);
        got = ask(lessons, request, n, text, &answer->head_n);
    }
    if (!got || ++lessons->known > LEARN_SLOTS / 2)
        die("learn");
    answer->request_n = n;
    answer->n = got;
    answer->p = memcpy(malloc(got), text, got);
}
