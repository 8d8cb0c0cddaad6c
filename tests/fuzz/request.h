/* request.h - a request out of a fuzzer's bytes: "METHOD TARGET" in the first line, headers up to
 * an empty line, then the body. As lenient as can be, since nothing checks what a server would have
 * refused. */
#ifndef HEADRACE_FUZZ_REQUEST_H
#define HEADRACE_FUZZ_REQUEST_H

#include "http/message.h"

enum { FUZZ_HEADERS = 64 }; /* and room for one more */

static inline str fuzz_request(struct arena *arena, str text, struct http_request *r)
{
    str rest = text, line = str_cut(&rest, '\n');
    *r = (struct http_request){.arena = arena,
                               .content_length = -1,
                               .headers = arena_array(arena, FUZZ_HEADERS + 1, sizeof *r->headers)};
    r->method = str_cut(&line, ' ');
    r->target = line.p ? line : S("/");
    r->query = r->target;
    r->path = str_cut(&r->query, '?');
    while (rest.p && r->nheaders < FUZZ_HEADERS) {
        str value = str_cut(&rest, '\n');
        if (!value.n)
            break;
        str name = str_cut(&value, ':');
        r->headers[r->nheaders++] = (struct http_header){name, value.p ? str_trim(value) : S("")};
    }
    return rest.p ? rest : S("");
}

#endif
