/* A request of any form is routed and decoded by the real tables, or refused; what JSON gave can be
 * written, read again, and is then written the same. */
#include "api/ops.h"
#include "aws/codec.h"
#include "aws/codec_json.h"
#include "aws/codec_query.h"

#include "request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static str json_of(struct arena *arena, const struct shape *shape, const void *data)
{
    struct buf b = buf_in(arena);
    json_encode(&b, shape, data);
    return buf_str(&b);
}

static void there_and_back(struct arena *arena, const struct shape *shape, const void *in)
{
    void *again = arena_alloc(arena, shape->size);
    str first = json_of(arena, shape, in);
    if (json_decode(arena, shape, first, again).wrong ||
        !str_eq(first, json_of(arena, shape, again)))
        abort();
}

static void answer(struct arena *arena, const struct route *route)
{
    struct http_reply *reply = http_reply_new(arena);
    codec_encode(arena, route, S("id"), arena_alloc(arena, route->op->out->size), reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    struct http_request request;
    struct route route;
    str body = fuzz_request(arena, (str){(const char *)data, n}, &request);
    err e = route_begin(arena, api_services, &request, &route);
    if (!failed(e) && route.needs_form)
        e = route_form(arena, api_services, &request, body, &route);
    if (!failed(e)) {
        const struct shape *shape = route.op->in;
        void *in = arena_alloc(arena, shape->size);
        struct shape_issue issue = codec_decode(arena, &route, &request, body, in);
        if (!issue.wrong && route.protocol == PROTOCOL_JSON)
            there_and_back(arena, shape, in);
        answer(arena, &route);
    }
    arena_free(arena);
    return 0;
}
