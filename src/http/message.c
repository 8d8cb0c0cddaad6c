/* http/message.c - see message.h. Queries are searched in their raw form: a signature covers the
 * bytes as sent, and a '&' that was sent as %26 is no separator. */
#include "http/message.h"

#include "base/text.h"

#include <string.h>

str http_header(const struct http_request *request, str name)
{
    for (size_t i = 0; i < request->nheaders; i++)
        if (str_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return STR_NONE;
}

str http_query_raw(const struct http_request *request, str name)
{
    str rest = request->query;
    while (rest.p) {
        str value = str_cut(&rest, '&');
        str key = str_cut(&value, '=');
        if (str_find(key, S("%"), 0) >= 0)
            key = percent_decode(request->arena, key, false);
        if (str_eq(key, name))
            return value.p ? value : (str){"", 0};
    }
    return STR_NONE;
}

str http_query(const struct http_request *request, str name)
{
    return percent_decode(request->arena, http_query_raw(request, name), true);
}

struct http_reply *http_reply_new(struct arena *arena)
{
    struct http_reply *reply = ARENA_NEW(arena, struct http_reply);
    reply->status = 200;
    reply->bytes = S("");
    reply->fd = -1;
    reply->cut_after = -1;
    return reply;
}

void http_reply_header(struct arena *arena, struct http_reply *reply, str name, str value)
{
    if (reply->nheaders == reply->cap) {
        size_t cap = reply->cap ? reply->cap * 2 : 16, row = sizeof *reply->headers;
        reply->headers = arena_grow(arena, reply->headers, reply->cap * row, cap * row);
        reply->cap = cap;
    }
    reply->headers[reply->nheaders++] = (struct http_header){name, value};
}

void http_reply_set(struct arena *arena, struct http_reply *reply, str name, str value)
{
    for (size_t i = 0; i < reply->nheaders; i++)
        if (str_eq_nocase(reply->headers[i].name, name)) {
            reply->headers[i].value = value;
            return;
        }
    http_reply_header(arena, reply, name, value);
}

void http_reply_default(struct arena *arena, struct http_reply *reply, str name, str value)
{
    for (size_t i = 0; i < reply->nheaders; i++)
        if (str_eq_nocase(reply->headers[i].name, name))
            return;
    http_reply_header(arena, reply, name, value);
}

void http_reply_bytes(struct arena *arena, struct http_reply *reply, int status, str content_type,
                      str bytes)
{
    reply->status = status;
    reply->kind = HTTP_BODY_BYTES;
    reply->bytes = bytes;
    http_reply_set(arena, reply, S("Content-Type"), content_type);
}
