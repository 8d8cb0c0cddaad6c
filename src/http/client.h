/* http/client.h - outgoing HTTP and HTTPS: libcurl's multi interface on a libuv loop. Connections
 * are kept and reused; nothing blocks; redirects are the caller's affair. All callbacks run on the
 * loop thread. */
#ifndef HEADRACE_HTTP_CLIENT_H
#define HEADRACE_HTTP_CLIENT_H

#include "http/message.h"

#include <uv.h>

struct http_client;
struct http_fetch;

/* What came back; strings live in the fetch's arena. */
struct http_fetched {
    int status; /* 0: no answer, or one that broke off: `error` says why */
    str error;
    struct http_header *headers;
    size_t nheaders;
    str body; /* collected; empty where `piece` took it */
};

struct http_fetch_options {
    struct arena *arena; /* must outlive the fetch */
    str method, url;     /* the path is sent as it stands */
    const struct http_header *headers;
    size_t nheaders;
    str body;                /* borrowed until done; absent: none */
    int64_t timeout;         /* milliseconds for the whole exchange; 0: none, only stalls end it */
    int64_t connect_timeout; /* milliseconds */
    size_t body_max;         /* a longer collected body is an error; 0: 1 MiB */
    /* Takes the body of a 2xx answer as it streams; NULL: it is collected. False ends the exchange
     * with an error. */
    bool (*piece)(void *user, str piece);
    /* Exactly once, never from within http_client_fetch; not after http_fetch_cancel. */
    void (*done)(void *user, const struct http_fetched *fetched);
    void *user;
};

/* `ca_bundle`: file of certificates, NULL: the system's. `max_connections` per host. */
struct http_client *http_client_new(uv_loop_t *loop, const char *ca_bundle, long max_connections);
/* Cancels what is under way and closes the handles; *closed is called from the loop when the last
 * is gone. */
void http_client_close(struct http_client *client, void (*closed)(void *user), void *user);
struct http_fetch *http_client_fetch(struct http_client *client,
                                     const struct http_fetch_options *options);
void http_fetch_cancel(struct http_fetch *fetch);

/* First header of that name (any case), or absent. */
str http_fetched_header(const struct http_fetched *fetched, str name);

#endif
