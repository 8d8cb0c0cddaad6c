/* api/s3_body.c - the body of an answer: bytes from the database when small, a file when it is one,
 * else a walk over the slices of a multipart object.
 *
 * An answer may take many loop turns, while which the object can be deleted. A pin keeps what its
 * slices lie in until the answer has gone; the files of the first are opened at once, so that a
 * body that cannot be read is an error and no broken answer. Slices in the database are read
 * beforehand up to SMALL_MAX bytes together. Should a later one fail all the same, the connection
 * is cut: the client sees a short body, never a wrong one. */
#include "api/s3_common.h"
#include "api/s3_proof.h"
#include "store/blob.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_AT_ONCE 32
#define SMALL_MAX ((int64_t)2 << 20)

struct reader {
    struct blobs *blobs;
    struct blob_pin *pin;
    struct arena *arena; /* for slices that live in the database */
    struct arena *small; /* those read beforehand */
    size_t n, at;        /* slices, and the one being read */
    int64_t before;      /* bytes of the body before it */
    struct {
        struct blob_slice slice;
        str bytes; /* read beforehand; absent: not */
        int fd;    /* -1: not opened, or in the database */
    } item[];
};

static err open_item(struct reader *reader, size_t i)
{
    if (reader->item[i].fd >= 0)
        return OK;
    TRY(blob_open(reader->blobs, reader->item[i].slice.id, &reader->item[i].fd));
    if (reader->item[i].fd < 0)
        reader->item[i].fd = blob_pin_fd(reader->pin, reader->item[i].slice.id);
    return OK;
}

static void close_item(struct reader *reader, size_t i)
{
    if (reader->item[i].fd >= 0)
        close(reader->item[i].fd);
    reader->item[i].fd = -1;
}

static long read_item(struct reader *reader, size_t i, int64_t at, char *out, size_t n)
{
    const struct blob_slice *slice = &reader->item[i].slice;
    if (reader->item[i].bytes.p) {
        memcpy(out, reader->item[i].bytes.p + at, n);
        return (long)n;
    }
    if (failed(open_item(reader, i)))
        return -1;
    if (reader->item[i].fd >= 0) {
        long got = pread(reader->item[i].fd, out, n, slice->at + at);
        return got > 0 ? got : -1;
    }
    str bytes;
    arena_reset(reader->arena);
    if (failed(blob_read(reader->blobs, reader->arena, slice->id, slice->at + at, n, &bytes)) ||
        !bytes.n)
        return -1;
    memcpy(out, bytes.p, bytes.n);
    return (long)bytes.n;
}

static long pull(void *state, int64_t position, char *out, size_t n)
{
    struct reader *reader = state;
    while (reader->at < reader->n &&
           position >= reader->before + reader->item[reader->at].slice.n) {
        reader->before += reader->item[reader->at].slice.n;
        close_item(reader, reader->at++);
    }
    if (reader->at == reader->n || position < reader->before)
        return -1;
    int64_t at = position - reader->before, left = reader->item[reader->at].slice.n - at;
    return read_item(reader, reader->at, at, out, (int64_t)n < left ? n : (size_t)left);
}

static void pull_free(void *state)
{
    struct reader *reader = state;
    for (size_t i = reader->at; i < reader->n; i++)
        close_item(reader, i);
    if (reader->pin)
        blob_pin_end(reader->pin);
    arena_free(reader->arena);
    arena_free(reader->small);
    free(reader);
}

/* Small slices, whole, as many as may be. */
static err read_small(struct reader *reader)
{
    int64_t small = 0;
    for (size_t i = 0; i < reader->n; i++) {
        const struct blob_slice *slice = &reader->item[i].slice;
        if (slice->n > BLOB_INLINE_MAX || small + slice->n > SMALL_MAX)
            continue;
        TRY(blob_read(reader->blobs, reader->small, slice->id, slice->at, (size_t)slice->n,
                      &reader->item[i].bytes));
        if ((int64_t)reader->item[i].bytes.n != slice->n)
            return FAIL(FAULT_INTERNAL); /* the row lies: someone made it */
        small += slice->n;
    }
    return OK;
}

/* What can be had now is had now; the rest is pinned. */
static err prepare(struct call *call, struct reader *reader)
{
    int64_t *ids = arena_array(call->ctx.arena, reader->n, sizeof *ids);
    size_t npinned = 0;
    TRY(read_small(reader));
    for (size_t i = 0; i < reader->n; i++)
        if (!reader->item[i].bytes.p)
            ids[npinned++] = reader->item[i].slice.id;
    reader->pin = blob_pin(reader->blobs, ids, npinned);
    for (size_t i = 0; i < reader->n && i < FILES_AT_ONCE; i++)
        if (!reader->item[i].bytes.p)
            TRY(open_item(reader, i));
    return OK;
}

static err reply_slices(struct call *call, const struct blob_slice *slices, size_t n,
                        int64_t length)
{
    struct reader *reader = xalloc(sizeof *reader + n * sizeof reader->item[0]);
    reader->blobs = call->api->blobs;
    reader->arena = arena_new();
    reader->small = arena_new();
    reader->n = n;
    for (size_t i = 0; i < n; i++) {
        reader->item[i].slice = slices[i];
        reader->item[i].fd = -1;
    }
    err e = prepare(call, reader);
    if (failed(e)) {
        pull_free(reader);
        return e;
    }
    struct http_reply *reply = call->reply;
    reply->kind = HTTP_BODY_PULL;
    reply->length = length;
    reply->pull = pull;
    reply->pull_free = pull_free;
    reply->pull_state = reader;
    return OK;
}

err s3_reply_body(struct call *call, const struct s3_object *object, int64_t at, int64_t length)
{
    struct http_reply *reply = call->reply;
    struct blob_slice *slices;
    size_t n;
    bool waits = false;
    s3_body_slices(call->api->s3, &call->ctx, object, &slices, &n);
    n = s3_slices_cut(call->ctx.arena, slices, n, at, length, &slices);
    reply->bytes = S("");
    /* A small object that came in one piece lies in no file. */
    if (object->size > BLOB_INLINE_MAX || s3_object_multipart(object))
        TRY(s3_proof(call, slices, n, &waits));
    if (waits)
        return OK;
    if (n > 1)
        return reply_slices(call, slices, n, length);
    if (!n)
        return OK;
    int fd = -1;
    if (slices->n > BLOB_INLINE_MAX)
        TRY(blob_open(call->api->blobs, slices->id, &fd));
    if (fd < 0 && slices->n <= BLOB_INLINE_MAX)
        return blob_read(call->api->blobs, call->ctx.arena, slices->id, slices->at,
                         (size_t)slices->n, &reply->bytes);
    if (fd < 0)
        return FAIL(FAULT_INTERNAL);
    reply->kind = HTTP_BODY_FILE;
    reply->fd = fd;
    reply->offset = slices->at;
    reply->length = slices->n;
    return OK;
}
