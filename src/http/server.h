/* http/server.h - HTTP/1.1 over libmicrohttpd, driven by a libuv loop; the only module that
 * includes microhttpd. All callbacks run on the loop thread. A request ends with exactly one
 * `gone`, whatever happened before. */
#ifndef HEADRACE_HTTP_SERVER_H
#define HEADRACE_HTTP_SERVER_H

#include "http/message.h"

#include <uv.h>

struct http_server;

struct http_app {
    void *user;
    /* Headers are in. http_respond may be called at once to refuse without reading the body (no
     * "100 Continue" is sent; the connection closes). Otherwise body and end follow. */
    void (*begin)(void *user, struct http_request *request);
    /* A piece of the body (transfer encoding removed). After http_pause what was read with it still
     * comes, tens of KiB at most and perhaps the end, and no more until http_resume. After
     * http_respond pieces are swallowed. */
    void (*body)(void *user, struct http_request *request, str chunk);
    /* The body is complete; http_trailer works now. Answer now or later with http_respond. */
    void (*end)(void *user, struct http_request *request);
    /* The client went away, or sends no more, while the request waited for its answer. True: give
     * it up, nobody knows when there will be one (long poll); false: one comes by itself. Called at
     * most once; `gone` still follows. */
    bool (*hangup)(void *user, struct http_request *request);
    /* The reply was sent, or the connection broke. Last call; the arena dies after it. */
    void (*gone)(void *user, struct http_request *request, bool completed);
    /* Called when everything that arrived in this loop turn has been handed over, before polling
     * again: commit and answer. */
    void (*turn)(void *user);
};

struct http_server_options {
    const char *address; /* "127.0.0.1"; "::1" is added when it is loopback and IPv6 exists */
    int port;            /* 0: any free one */
    int max_connections; /* 0: from RLIMIT_NOFILE */
};

/* NULL and *message (malloc'ed) on failure: address in use, not permitted, ... */
struct http_server *http_server_start(uv_loop_t *loop, const struct http_server_options *options,
                                      const struct http_app *app, char **message);
int http_server_port(const struct http_server *server);
/* Stops accepting; open requests go on. */
void http_server_quiesce(struct http_server *server);
/* Number of requests between begin and gone. */
int http_server_active(const struct http_server *server);
/* Closes all connections and frees the server. */
void http_server_stop(struct http_server *server);

/* Sends the reply (both live in the request's arena). From any callback or later on the loop
 * thread; once per request. */
void http_respond(struct http_request *request, struct http_reply *reply);
/* Cuts the connection without an answer. */
void http_cut(struct http_request *request);
/* Back-pressure while a body is arriving: see http_app.body. */
void http_pause(struct http_request *request);
void http_resume(struct http_request *request);
/* An endless PULL body has more to send. */
void http_wake(struct http_request *request);
/* Trailer of a chunked body, after `end` began; absent when none. */
str http_trailer(const struct http_request *request, str name);
/* False when the peer has closed its side: ask before leasing something to it. */
bool http_alive(struct http_request *request);

#endif
