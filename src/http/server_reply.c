/* http/server_reply.c - http_reply -> MHD's response. Known here: a buffer goes out in one write
 * with its header; a file by sendfile; a true Content-Length without a body (HEAD, 304) needs a
 * reader that is never called; and a cut connection needs a reader that fails on purpose. Bytes
 * stay in the request's arena until the request is gone, so nothing is copied. */
#include "http/server_exchange.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PULL_BLOCK = 128 * 1024, STACK_HEADER = 1024 };

static ssize_t read_never(void *user, uint64_t position, char *out, size_t n)
{
    (void)user, (void)position, (void)out, (void)n;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Bytes of any kind of body at `position`; 0: nothing yet. */
static ssize_t read_body(struct http_reply *reply, uint64_t position, char *out, size_t n)
{
    switch (reply->kind) {
    case HTTP_BODY_PULL:
        return reply->pull(reply->pull_state, (int64_t)position, out, n);
    case HTTP_BODY_FILE:
        return pread(reply->fd, out, n, reply->offset + (int64_t)position);
    default:
        memcpy(out, reply->bytes.p + position, n);
        return (ssize_t)n;
    }
}

static ssize_t read_or_wait(void *user, uint64_t position, char *out, size_t n)
{
    struct exchange *exchange = user;
    struct http_reply *reply = exchange->reply;
    if (exchange->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (reply->cut_after >= 0) {
        if ((int64_t)position >= reply->cut_after)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if ((int64_t)(position + n) > reply->cut_after)
            n = (size_t)(reply->cut_after - (int64_t)position);
    }
    ssize_t got = read_body(reply, position, out, n);
    if (got > 0)
        return got;
    if (got < 0 || reply->kind != HTTP_BODY_PULL)
        return reply->length < 0 ? MHD_CONTENT_READER_END_OF_STREAM
                                 : MHD_CONTENT_READER_END_WITH_ERROR;
    if (exchange->watch && exchange->watch->left)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    exchange_suspend(exchange);
    return 0;
}

static int64_t body_length(const struct http_reply *reply)
{
    return reply->kind == HTTP_BODY_BYTES ? (int64_t)reply->bytes.n : reply->length;
}

static struct MHD_Response *reader_response(struct exchange *exchange)
{
    int64_t length = body_length(exchange->reply);
    uint64_t total = length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)length;
    size_t block = length >= 0 && length < PULL_BLOCK ? (size_t)length + 1 : PULL_BLOCK;
    return MHD_create_response_from_callback(total, block, read_or_wait, exchange, NULL);
}

static struct MHD_Response *bytes_response(const struct http_reply *reply)
{
#if MHD_VERSION >= 0x01000000
    return MHD_create_response_from_buffer_static(reply->bytes.n, reply->bytes.p);
#else
    return MHD_create_response_from_buffer(reply->bytes.n, (void *)(uintptr_t)reply->bytes.p,
                                           MHD_RESPMEM_PERSISTENT);
#endif
}

static struct MHD_Response *file_response(struct exchange *exchange)
{
    struct http_reply *reply = exchange->reply;
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(
        (uint64_t)reply->length, reply->fd, (uint64_t)reply->offset);
    if (!response)
        return NULL;
    exchange->file = reply->fd;
    exchange->server->files++;
    reply->fd = -1; /* MHD closes it */
    return response;
}

/* Where no length is known MHD 0.9.75 would send the last chunk even so, to be taken for the next
 * answer. */
static struct MHD_Response *bodiless_response(const struct http_reply *reply)
{
    uint64_t total = reply->length < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)reply->length;
    struct MHD_Response *response =
        MHD_create_response_from_callback(total, 1, read_never, NULL, NULL);
    if (response && reply->length < 0)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

static struct MHD_Response *response_of(struct exchange *exchange)
{
    struct http_reply *reply = exchange->reply;
    bool head = str_eq(exchange->request.method, S("HEAD"));
    if (reply->kind == HTTP_BODY_HEAD || (head && reply->kind != HTTP_BODY_BYTES))
        return bodiless_response(reply);
    if (reply->cut_after >= 0 || reply->kind == HTTP_BODY_PULL)
        return reader_response(exchange);
    return reply->kind == HTTP_BODY_FILE ? file_response(exchange) : bytes_response(reply);
}

/* NUL-terminated; controls are blanks (RFC 9110 5.5), so that no value ends its line. */
static const char *terminated(struct arena *arena, char *stack, size_t size, str s)
{
    char *out = s.n >= size ? arena_alloc(arena, s.n + 1) : stack;
    memcpy(out, s.p, s.n);
    for (size_t i = text_controls_at(s); i < s.n; i++)
        out[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
    out[s.n] = 0;
    return out;
}

bool reply_send(struct exchange *exchange, str text)
{
    int fd = watch_socket(exchange->connection);
    return send(fd, text.p, text.n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.n;
}

static size_t head_bytes(const struct http_reply *reply)
{
    size_t n = 0;
    for (size_t i = 0; i < reply->nheaders; i++)
        n += reply->headers[i].name.n + reply->headers[i].value.n + strlen(": \r\n");
    return n;
}

static void add_header(struct exchange *exchange, struct MHD_Response *response,
                       const struct http_header *header)
{
    char name[128], value[STACK_HEADER];
    if (!header->value.p)
        return;
    const char *n = terminated(exchange->request.arena, name, sizeof name, header->name);
    const char *v = terminated(exchange->request.arena, value, sizeof value, header->value);
    /* MHD takes no empty value; a blank is trimmed by every client. */
    if (MHD_add_response_header(response, n, *v ? v : " ") != MHD_YES)
        log_warn("reply header %s cannot be sent", n);
}

enum MHD_Result reply_queue(struct exchange *exchange)
{
    struct http_reply *reply = exchange->reply;
    if (!head_leaves_room(exchange, head_bytes(reply)))
        return MHD_NO;
    struct MHD_Response *response = response_of(exchange);
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < reply->nheaders; i++)
        add_header(exchange, response, &reply->headers[i]);
    if (reply->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    exchange->queued = true;
    exchange->server->kick |= exchange->called_again;
    return result;
}

void reply_release(struct exchange *exchange)
{
    struct http_reply *reply = exchange->reply;
    if (!reply)
        return;
    if (reply->kind == HTTP_BODY_FILE && reply->fd >= 0)
        close(reply->fd);
    if (reply->kind == HTTP_BODY_PULL && reply->pull_free)
        reply->pull_free(reply->pull_state);
    if (exchange->file >= 0)
        exchange->server->files--;
    exchange->file = -1;
    exchange->reply = NULL;
}
