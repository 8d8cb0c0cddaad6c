/* app/call_http.h - one plain HTTP request to a running instance, for the commands that ask one
 * (wait, clock, trace, ...). Blocking. */
#ifndef HEADRACE_APP_CALL_HTTP_H
#define HEADRACE_APP_CALL_HTTP_H

#include "base/buf.h"

struct http_answer {
    int status;
    bool ours; /* its Server header says that a Headrace speaks */
    str body;
};

/* `endpoint` like "http://127.0.0.1:4566", `target` like "/_headrace/ready". False and *why when no
 * whole answer came. `body` absent: none. */
bool call_http(struct arena *arena, str endpoint, const char *method, str target, str body,
               struct http_answer *answer, str *why);
/* No longer than `patience` milliseconds for the connection, and for each piece of the answer. */
bool call_http_within(struct arena *arena, str endpoint, const char *method, str target, str body,
                      int64_t patience, struct http_answer *answer, str *why);
/* The same, but the answer's body goes to `sink` as it arrives (streams), until the other side ends
 * or the sink returns false. */
bool call_http_stream(struct arena *arena, str endpoint, str target,
                      bool (*sink)(void *user, str bytes), void *user, str *why);

#endif
