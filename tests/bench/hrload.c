/* hrload.c - a load generator for HTTP servers that speak keep-alive: N connections in one epoll
 * loop, each sending its next request when the last is answered (a closed loop). It knows nothing
 * of AWS: requests, and what their answers must hold, are bytes that frames.py prepared.
 *
 *     hrload PORT REQUESTS CONNECTIONS SECONDS [LIMIT [FOLLOW]]
 *
 * REQUESTS is a file of frames, each three numbers of four bytes, little-endian (the request's
 * length, what is expected, the needle's length), a whole HTTP request, and the needle. Expected is
 * how many times the answer must hold the needle, or EXPECT_BODY: the body must be it, or
 * EXPECT_LENGTH: the body must be so long (in decimal). An answer that is not so counts as wrong.
 * Connections take the frames in turn. LIMIT ends the run after so many requests (0: none). FOLLOW
 * is one frame with the text %HANDLE% in it: after each answer that holds "ReceiptHandle":"..." it
 * is sent with that handle in place, and the pair counts as one. The handle's length is written
 * into the four digits after "Content-Length: " (frames.py leaves room). Prints one line of JSON;
 * any status but 2xx is an error. Latency is of one answer, or of the pair. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An answer up to ROOM bytes is kept whole, so that it can be looked through; of a longer one only
 * the count matters, and it overwrites itself. */
enum { READ_SIZE = 1 << 17, ROOM = 1 << 21, FOLLOW_SIZE = 8192, BUCKETS = 4096, FOLLOW_SLACK = 4 };
static const uint32_t EXPECT_BODY = 0xffffffff, EXPECT_LENGTH = 0xfffffffe;

struct frame {
    const char *p;
    size_t n;
    uint32_t expect;
    const char *needle;
    size_t needle_n;
};

struct connection {
    int fd;
    struct frame out; /* what is being sent */
    size_t sent;
    bool following; /* the second half of a pair */
    double began;
    char *in; /* of the answer: its head and what came with it */
    size_t n;
    int64_t body_left; /* -1: the head is not complete; -2: chunked */
    int64_t body_n;    /* of an answer with a length */
    size_t head_n;
    size_t chunk_at, chunk_to; /* chunked: the next chunk's line, and the decoded body's end */
    int status;
    bool closing; /* the server said Connection: close */
    char *follow;
};

struct run {
    struct frame *frames, follow;
    size_t nframes, next;
    double end;
    uint64_t limit, started, done, errors, wrong, empty, bytes;
    uint64_t buckets[BUCKETS];
    double longest;
    int port, epoll, first_bad; /* the status of the first answer that was no success */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static const char *map(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st))
        die(path);
    *n = (size_t)st.st_size;
    char *p = mmap(NULL, *n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (p == MAP_FAILED)
        die(path);
    close(fd);
    return p;
}

static struct frame *frames_of(const char *path, size_t *count)
{
    size_t n, cap = 64;
    const char *p = map(path, &n);
    struct frame *frames = malloc(cap * sizeof *frames);
    *count = 0;
    for (size_t at = 0; at + 12 <= n;) {
        uint32_t part[3];
        memcpy(part, p + at, 12);
        if (*count == cap)
            frames = realloc(frames, (cap *= 2) * sizeof *frames);
        const char *request = p + at + 12;
        frames[(*count)++] = (struct frame){request, part[0], part[1], request + part[0], part[2]};
        at += 12 + (size_t)part[0] + part[2];
    }
    return frames;
}

/* Buckets of 1 us below 1 ms, then ever wider: 128 to an octave. */
static size_t bucket_of(double seconds)
{
    double us = seconds * 1e6;
    if (us < 1000)
        return (size_t)us;
    size_t octave = 0;
    while (us >= 2000) {
        us /= 2;
        octave++;
    }
    size_t bucket = 1000 + octave * 128 + (size_t)((us - 1000) * 128 / 1000);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double bucket_us(size_t bucket)
{
    if (bucket < 1000)
        return (double)bucket;
    size_t octave = (bucket - 1000) / 128, rest = (bucket - 1000) % 128;
    return (1000 + (double)rest * 1000 / 128) * (double)(1ull << octave);
}

static double percentile(const struct run *run, double share)
{
    uint64_t want = (uint64_t)((double)run->done * share), seen = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        if ((seen += run->buckets[i]) > want)
            return bucket_us(i);
    return 0;
}

static void dial(struct run *run, struct connection *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)run->port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&at, sizeof at))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void watch(struct run *run, struct connection *c, bool writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0u), .data.ptr = c};
    epoll_ctl(run->epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static void push(struct run *run, struct connection *c)
{
    while (c->sent < c->out.n) {
        ssize_t n =
            send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            watch(run, c, true);
            return;
        }
        if (n < 0)
            return; /* the read side will see it */
        c->sent += (size_t)n;
    }
    if (c->out.n > 1 << 18)
        watch(run, c, false);
}

static void begin(struct run *run, struct connection *c, struct frame frame, bool following)
{
    c->out = frame;
    c->sent = c->n = 0;
    c->body_left = -1;
    c->following = following;
    if (!following) {
        c->began = now();
        run->started++;
    }
    push(run, c);
}

static bool next_request(struct run *run, struct connection *c)
{
    if (now() >= run->end || (run->limit && run->started >= run->limit)) {
        close(c->fd);
        c->fd = -1;
        return false;
    }
    begin(run, c, run->frames[run->next++ % run->nframes], false);
    return true;
}

static void finish(struct run *run, struct connection *c)
{
    double took = now() - c->began;
    run->done++;
    run->buckets[bucket_of(took)]++;
    if (took > run->longest)
        run->longest = took;
}

/* The follow-up with the handle of this answer; false when it has none (an empty receive). */
static bool follow(struct run *run, struct connection *c)
{
    static const char key[] = "\"ReceiptHandle\":";
    char *at = memmem(c->in, c->n, key, sizeof key - 1);
    if (!at)
        return false;
    char *handle = strchr(at + sizeof key - 1, '"') + 1;
    char *end = strchr(handle, '"');
    const char *hole = memmem(run->follow.p, run->follow.n, "%HANDLE%", 8);
    size_t n = (size_t)(end - handle), before = (size_t)(hole - run->follow.p);
    if (run->follow.n + n > FOLLOW_SIZE)
        die("handle too long");
    memcpy(c->follow, run->follow.p, before);
    memcpy(c->follow + before, handle, n);
    memcpy(c->follow + before + n, hole + 8, run->follow.n - before - 8);
    size_t total = run->follow.n - 8 + n;
    char *body = memmem(c->follow, total, "\r\n\r\n", 4), digits[8];
    char *length = memmem(c->follow, total, "Content-Length: ", 16);
    snprintf(digits, sizeof digits, "%04zu", total - (size_t)(body + 4 - c->follow));
    memcpy(length + 16, digits, FOLLOW_SLACK);
    begin(run, c, (struct frame){.p = c->follow, .n = total}, true);
    return true;
}

static bool as_expected(const struct connection *c)
{
    const struct frame *sent = &c->out;
    if (sent->expect == EXPECT_LENGTH)
        return c->body_n == strtoll(sent->needle, NULL, 10);
    if (sent->expect == EXPECT_BODY)
        return c->n == c->head_n + sent->needle_n &&
               !memcmp(c->in + c->head_n, sent->needle, sent->needle_n);
    uint32_t found = 0;
    const char *at = c->in, *end = c->in + c->n;
    while (found < sent->expect &&
           (at = memmem(at, (size_t)(end - at), sent->needle, sent->needle_n))) {
        found++;
        at += sent->needle_n;
    }
    return found == sent->expect;
}

/* An empty receive is neither right nor wrong. */
static void judge(struct run *run, const struct connection *c)
{
    if (c->status < 200 || c->status > 299) {
        run->errors++;
        run->first_bad = run->first_bad ? run->first_bad : c->status;
    } else if (c->out.expect && !as_expected(c)) {
        run->wrong++;
    }
}

static void answered(struct run *run, struct connection *c)
{
    bool asked = run->follow.n && !c->following;
    c->in[c->n] = 0;
    if (c->closing) {
        close(c->fd);
        dial(run, c);
    }
    if (asked && !strstr(c->in, "\"ReceiptHandle\":") && c->status == 200) {
        run->empty++;
    } else {
        judge(run, c);
        if (asked && follow(run, c))
            return;
        finish(run, c);
    }
    next_request(run, c);
}

/* Looks for the end of the head; sets status and what is left of the body. */
static void head(struct connection *c)
{
    c->in[c->n] = 0;
    char *end = memmem(c->in, c->n, "\r\n\r\n", 4);
    if (!end)
        return;
    c->status = atoi(c->in + 9);
    if (c->status == 100) {
        size_t skip = (size_t)(end + 4 - c->in);
        memmove(c->in, end + 4, c->n - skip);
        c->n -= skip;
        head(c);
        return;
    }
    *end = 0;
    char *length = strcasestr(c->in, "\r\ncontent-length:");
    bool chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked");
    c->closing = strcasestr(c->in, "\r\nconnection: close");
    *end = '\r';
    c->head_n = (size_t)(end + 4 - c->in);
    c->chunk_at = c->chunk_to = c->head_n;
    c->body_n = chunked ? -2 : (length ? strtoll(length + 17, NULL, 10) : 0);
    c->body_left = chunked ? -2 : c->body_n - (int64_t)(c->n - c->head_n);
}

/* Moves complete chunks together, so that the body is as if it had come in one piece. True at the
 * last one. */
static bool unchunk(struct connection *c)
{
    while (c->chunk_at < c->n) {
        char *line = c->in + c->chunk_at;
        char *end = memmem(line, c->n - c->chunk_at, "\r\n", 2);
        size_t size = end ? strtoull(line, NULL, 16) : 0;
        size_t whole = end ? (size_t)(end + 2 - line) + size + 2 : 0;
        if (!end || c->chunk_at + whole > c->n)
            return false;
        if (!size) {
            c->n = c->chunk_to;
            return true;
        }
        memmove(c->in + c->chunk_to, end + 2, size);
        c->chunk_to += size;
        c->chunk_at += whole;
    }
    return false;
}

static void pull(struct run *run, struct connection *c)
{
    bool large = c->body_left >= 0 && c->body_n > ROOM - READ_SIZE;
    size_t at = large && c->n > READ_SIZE ? READ_SIZE : c->n;
    size_t room = ROOM - at < READ_SIZE ? ROOM - at : READ_SIZE;
    ssize_t n = room ? recv(c->fd, c->in + at, room, MSG_DONTWAIT) : 0;
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) { /* closed: an error unless the last answer was complete */
        run->errors++;
        close(c->fd);
        dial(run, c);
        next_request(run, c);
        return;
    }
    run->bytes += (uint64_t)n;
    c->n = at + (size_t)n;
    if (c->body_left >= 0)
        c->body_left -= n;
    else if (c->body_left == -1)
        head(c);
    if (c->body_left == 0 || (c->body_left == -2 && unchunk(c)))
        answered(run, c);
}

/* The share of a core that this process took itself: near 1, the load generator is the limit. */
static double busy(double took)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double us = (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    return ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + us / 1e6) / took;
}

static void report(const struct run *run, double took)
{
    printf("{\"done\":%llu,\"errors\":%llu,\"wrong\":%llu,\"empty\":%llu,\"seconds\":%.4f,\"per_"
           "second\":%.1f,"
           "\"p50_us\":%.0f,\"p99_us\":%.0f,"
           "\"max_us\":%.0f,\"bytes\":%llu,\"first_bad\":%d,\"busy\":%.3f}\n",
           (unsigned long long)run->done, (unsigned long long)run->errors,
           (unsigned long long)run->wrong, (unsigned long long)run->empty, took,
           (double)run->done / took, percentile(run, 0.5), percentile(run, 0.99),
           run->longest * 1e6, (unsigned long long)run->bytes, run->first_bad, busy(took));
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: hrload PORT REQUESTS CONNECTIONS SECONDS [LIMIT [FOLLOW]]\n");
        return 2;
    }
    struct run run = {.port = atoi(argv[1]), .epoll = epoll_create1(0)};
    run.frames = frames_of(argv[2], &run.nframes);
    int connections = atoi(argv[3]), open = connections;
    run.limit = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    if (argc > 6) {
        size_t one;
        struct frame *follow = frames_of(argv[6], &one);
        run.follow = follow[0];
        free(follow);
    }
    struct connection *all = calloc((size_t)connections, sizeof *all);
    double start = now();
    run.end = start + atof(argv[4]);
    for (int i = 0; i < connections; i++) {
        all[i].in = malloc(ROOM + 1);
        all[i].follow = malloc(FOLLOW_SIZE);
        dial(&run, &all[i]);
        if (!next_request(&run, &all[i]))
            open--;
    }
    while (open > 0) {
        struct epoll_event events[256];
        int n = epoll_wait(run.epoll, events, 256, 30000);
        if (n <= 0)
            die("no answer for 30 s");
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;
            if (c->fd >= 0 && events[i].events & EPOLLOUT)
                push(&run, c);
            if (c->fd >= 0 && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                pull(&run, c);
            open -= c->fd < 0;
        }
    }
    report(&run, now() - start);
    for (int i = 0; i < connections; i++) {
        free(all[i].in);
        free(all[i].follow);
    }
    free(all);
    free(run.frames);
    return run.errors + run.wrong > 0;
}
