/* However an aws-chunked body is cut, what comes out, and whether it fails, is the same. */
#include "aws/chunked.h"

#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static err collect(void *user, str data)
{
    buf_put(user, data);
    return OK;
}

static bool decode(struct arena *arena, str body, size_t step, const struct auth_chunk_key *key,
                   struct buf *out, size_t *trailers)
{
    struct chunked_options options = {.decoded_length = -1, .trailer = true, .key = key};
    struct chunked *c = chunked_new(arena, &options);
    struct http_header *headers;
    err e = OK;
    *out = buf_in(arena);
    for (size_t at = 0; at < body.n && !failed(e); at += step)
        e = chunked_feed(c, str_slice(body, at, at + step), collect, out);
    e = failed(e) ? e : chunked_end(c);
    chunked_drop(c);
    chunked_trailers(c, &headers, trailers);
    return !failed(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str body = {(const char *)data, n};
    struct buf slow, fast;
    size_t a, b, steps[] = {2, 3, n ? n : 1, n ? 1 + data[0] : 1};
    struct auth_chunk_key key = {.date = S("20260101T000000Z"),
                                 .scope = S("20260101/us-east-1/s3/aws4_request"),
                                 .seed = S("00")};
    key.key.n = 32;
    bool good = decode(arena, body, 1, NULL, &slow, &a);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (decode(arena, body, steps[i], NULL, &fast, &b) != good)
            abort();
        if (good && (a != b || !str_eq(buf_str(&slow), buf_str(&fast))))
            abort();
    }
    decode(arena, body, 7, &key, &fast, &b);
    arena_free(arena);
    return 0;
}
