/* http/message.h - a request and a reply as values. No socket here: unit tests and fuzzers make
 * these by hand. */
#ifndef HEADRACE_HTTP_MESSAGE_H
#define HEADRACE_HTTP_MESSAGE_H

#include "base/buf.h"

struct http_header {
    str name, value;
};

struct http_request {
    struct arena *arena; /* dies after `gone` */
    str method;
    str target;                  /* raw, as sent: path and query before any decoding */
    str path, query;             /* raw halves of target; query absent when there is no '?' */
    struct http_header *headers; /* in order, duplicates kept */
    size_t nheaders;
    uint64_t marks;         /* http_request_mark's; 0: it was never called */
    str peer;               /* remote address as text, without port */
    int64_t content_length; /* -1 when unknown (chunked) */
    bool chunked;
    void *user; /* the application's own state of this request */
};

/* Splits `target` into path and query. The absolute form that clients send to a proxy
 * ("http://host/path") becomes path and Host header (RFC 9112, 3.2.2), so that a server that is
 * some client's proxy sees the request as its endpoint would. */
void http_request_split(struct http_request *request);
/* Notes the names of the headers that are there, so that http_header need not look for others: a
 * request is asked for many headers and has few. Call it when no header will be added any more. */
void http_request_mark(struct http_request *request);

/* One of 64 bits, the same for names that differ in case alone; of a literal it is a constant. */
static inline uint64_t http_mark(str name)
{
    if (!name.n)
        return 1;
    unsigned first = name.p[0] & 31, last = name.p[name.n - 1] & 31;
    return UINT64_C(1) << ((name.n * 11 + first * 5 + last) & 63);
}

/* Whether a header of that name may be there; false: it is not. */
static inline bool http_header_likely(const struct http_request *request, str name)
{
    return !request->marks || request->marks & http_mark(name);
}

/* For http_header alone. */
str http_header_find(const struct http_request *request, str name);

/* First header of that name (any case), or absent. */
static inline str http_header(const struct http_request *request, str name)
{
    return http_header_likely(request, name) ? http_header_find(request, name) : STR_NONE;
}

/* Raw value of query parameter `name` (undecoded); present-but-empty for `?uploads`; absent
 * otherwise. */
str http_query_raw(const struct http_request *request, str name);
/* The same, decoded; '+' is a blank, as S3 and the Query protocol have it. */
str http_query(const struct http_request *request, str name);

enum http_body_kind {
    HTTP_BODY_BYTES, /* `bytes`, in the request's arena */
    HTTP_BODY_HEAD,  /* none is sent, Content-Length says `length` (HEAD, and 304 with length 0) */
    HTTP_BODY_FILE,  /* `length` bytes of `fd` from `offset`; the server closes fd */
    HTTP_BODY_PULL,  /* `pull` is asked for bytes until `length` are sent (-1: until it returns -1,
                        chunked) */
};

struct http_reply {
    int status;
    struct http_header *headers; /* Content-Type and the like; Content-Length, Date and Connection
                                    are the server's */
    size_t nheaders, cap;
    enum http_body_kind kind;
    str bytes;
    int fd;
    int64_t offset, length;
    /* Fills up to n bytes at `position`; returns the count, 0 for "nothing yet" on endless streams
     * (see http_wake), -1 at the end or on failure (the connection is then cut). */
    long (*pull)(void *state, int64_t position, char *out, size_t n);
    void (*pull_free)(void *state);
    void *pull_state;
    bool close;        /* close the connection after this reply */
    int64_t cut_after; /* fault injection: cut the connection after so many body bytes; -1: never
                          (the default) */
};

/* An empty 200 in the request's arena. */
struct http_reply *http_reply_new(struct arena *arena);
void http_reply_header(struct arena *arena, struct http_reply *reply, str name, str value);
/* The first header of that name, or absent. */
str http_reply_value(const struct http_reply *reply, str name);
/* Replaces the first header of that name or adds it. */
void http_reply_set(struct arena *arena, struct http_reply *reply, str name, str value);
/* Adds the header unless one of that name is there. */
void http_reply_default(struct arena *arena, struct http_reply *reply, str name, str value);
/* Sets status, Content-Type and a body of bytes. */
void http_reply_bytes(struct arena *arena, struct http_reply *reply, int status, str content_type,
                      str bytes);

#endif
