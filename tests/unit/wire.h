/* wire.h - requests as values for tests of routing, codecs and signatures: built from one text, as
 * they stand on the wire.
 *
 *     struct http_request *r = wire_request(arena, "GET /b/k?acl HTTP/1.1\nHost:
 * localhost:4566\n"); */
#ifndef HEADRACE_TESTS_WIRE_H
#define HEADRACE_TESTS_WIRE_H

#include "http/message.h"

#include <string.h>

static inline struct http_request *wire_request(struct arena *arena, const char *text)
{
    struct http_request *r = ARENA_NEW(arena, struct http_request);
    str rest = arena_copy(arena, str_of(text));
    str line = str_cut(&rest, '\n');
    r->arena = arena;
    r->content_length = -1;
    r->headers = arena_array(arena, 64, sizeof *r->headers);
    r->method = str_cut(&line, ' ');
    r->target = str_cut(&line, ' ');
    r->query = r->target;
    r->path = str_cut(&r->query, '?');
    while (rest.p) {
        str value = str_cut(&rest, '\n');
        str name = str_cut(&value, ':');
        if (name.n)
            r->headers[r->nheaders++] =
                (struct http_header){name, value.p ? str_trim(value) : S("")};
    }
    return r;
}

static inline str wire_reply_header(const struct http_reply *reply, str name)
{
    for (size_t i = 0; i < reply->nheaders; i++)
        if (str_eq_nocase(reply->headers[i].name, name))
            return reply->headers[i].value;
    return STR_NONE;
}

#endif
