/* http/message.c - see message.h. Queries are searched in their raw form: a signature covers the
 * bytes as sent, and a '&' that was sent as %26 is no separator. */
#include "http/message.h"

#include "base/text.h"

#include <string.h>

static void set_host(struct http_request *request, str host)
{
    for (size_t i = 0; i < request->nheaders; i++)
        if (str_eq_nocase(request->headers[i].name, S("Host"))) {
            request->headers[i].value = host;
            return;
        }
    size_t n = request->nheaders++, row = sizeof *request->headers;
    request->headers = arena_grow(request->arena, request->headers, n * row, (n + 1) * row);
    request->headers[n] = (struct http_header){S("Host"), host};
}

/* Where the path begins in "scheme://authority/path", and 0 in any other target. */
static size_t authority_end(str target, str *authority)
{
    ptrdiff_t colon = str_starts(target, S("/")) ? -1 : str_find(target, S("://"), 0);
    if (colon != 4 && colon != 5)
        return 0;
    if (!str_eq_nocase(str_slice(target, 0, (size_t)colon), colon == 4 ? S("http") : S("https")))
        return 0;
    size_t from = (size_t)colon + 3, to = from;
    while (to < target.n && target.p[to] != '/' && target.p[to] != '?')
        to++;
    *authority = str_slice(target, from, to);
    return to;
}

void http_request_split(struct http_request *request)
{
    str authority, target = request->target;
    size_t end = authority_end(target, &authority);
    if (end) {
        set_host(request, authority);
        target = str_slice(target, end, target.n);
        if (!str_starts(target, S("/")))
            target = arena_printf(request->arena, "/%.*s", STR_ARG(target));
        request->target = target;
    }
    request->query = target;
    request->path = str_cut(&request->query, '?');
}

void http_request_mark(struct http_request *request)
{
    for (size_t i = 0; i < request->nheaders; i++)
        request->marks |= http_mark(request->headers[i].name);
}

str http_header_find(const struct http_request *request, str name)
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

str http_reply_value(const struct http_reply *reply, str name)
{
    for (size_t i = 0; i < reply->nheaders; i++)
        if (str_eq_nocase(reply->headers[i].name, name))
            return reply->headers[i].value;
    return STR_NONE;
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
