/* http/server_exchange.h - private to http/server*.c: one request between its first line and its
 * end, and the server that holds it.
 *
 * What must not break:
 *  - an answer is queued only from the first or the last call of MHD's handler (it refuses any
 * other moment);
 *  - a suspended connection is invisible to MHD's epoll, and MHD 0.9.75's edge-triggered reading
 * misses an end that arrived together with data: so every connection has a watch of ours for its
 * peer's leaving (server_watch.c);
 *  - MHD_resume_connection is noticed only by the next MHD_run: every resume sets `kick`. So does
 * an answer that is queued by a second last call: MHD sends it in the run after;
 *  - a request whose body is not complete is suspended only between two runs of MHD;
 *  - the watch leaves the loop before MHD may close the descriptor. */
#ifndef HEADRACE_HTTP_SERVER_EXCHANGE_H
#define HEADRACE_HTTP_SERVER_EXCHANGE_H

#include "http/listen.h"
#include "http/server.h"

#include <microhttpd.h>

#if MHD_VERSION < 0x00097100
#error "libmicrohttpd 0.9.71 or newer is needed"
#endif

struct exchange;

enum {
    PEER_MAX = 64, /* bytes of an address as text */
    /* Of a connection, for the heads of a request and of its answer. MHD clears it after every
     * request, so small is fast: that of 64 busy connections should not push the rest out of a
     * core's cache. */
    POOL_BYTES = 20 * 1024,
};

/* One connection: lives until its uv handle is closed, a loop turn longer than MHD's. */
struct watch {
    uv_poll_t poll; /* first: the handle is cast back */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct exchange *exchange;   /* the request that it carries now, or NULL */
    bool left;                   /* the peer sends no more */
    char peer[PEER_MAX];         /* its address */
    struct watch *older, *newer; /* among the idle, by when they became so */
    bool idle;                   /* no request has begun */
};

struct exchange {
    struct http_request request; /* first: http_request * is cast to exchange * */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct exchange *next, **link;           /* all exchanges of the server */
    struct exchange *line_next, **line_link; /* in one of the server's lines; NULL: in none */
    struct watch *watch;
    struct http_reply *reply;
    int file;             /* MHD sends the answer from it; -1: no file */
    size_t target_length; /* as it was sent */
    size_t room;          /* of the connection's pool that the request's head has left */
    int64_t swallowed;    /* body bytes thrown away after the answer was known */
    bool begun;           /* the handler's first call is done */
    bool known;           /* the app has seen it: `gone` is owed */
    bool ended;           /* the body is complete */
    bool left_unread;     /* at the last look for stuck uploads there were bytes to read */
    bool called_again;    /* or will be, before the loop polls: it had no answer at its end */
    bool suspended, paused, cut, queued, hung_up;
};

struct http_server {
    uv_loop_t *loop;
    struct http_app app;
    struct MHD_Daemon *daemon;
    struct listener *listener;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t timer;
    struct watch *oldest, *newest; /* idle connections */
    unsigned connections, connections_max;
    unsigned connections_most; /* since memory was last given back */
    uv_timer_t files_timer;    /* looks at the files of answers; runs while there are any */
    unsigned files;            /* answers that MHD sends from files */
    int open_handles;
    unsigned turns;           /* of the loop, so far */
    bool kick;                /* MHD_run is owed */
    int turn_requests, alone; /* that wait for this turn's end; turns so far that had just one */
    struct exchange *all;
    struct exchange *fresh;   /* waiting since this turn, not yet watched */
    struct exchange *pausing; /* paused since MHD last ran, not yet suspended */
    int active;
    struct arena *spare[64]; /* arenas of finished requests, for the next ones */
    size_t nspare;
};

/* Queues exchange->reply on its connection (http/server_reply.c). MHD_NO: close the connection. */
enum MHD_Result reply_queue(struct exchange *exchange);
/* Sends this much itself, past MHD, where nothing else is on its way. */
bool reply_send(struct exchange *exchange, str text);
/* Frees what a reply owns; call once, when it was sent or never will be. */
void reply_release(struct exchange *exchange);
/* Takes the connection out of MHD's hands until exchange_resume. */
void exchange_suspend(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);

/* server_head.c: fills exchange->request from what MHD has of its head. */
void head_read(struct exchange *exchange, const char *method);
/* Why the framing of this request cannot be trusted, or NULL. `version` is the request line's. */
const char *head_fault(const struct exchange *exchange, const char *method, const char *version);

/* False where the answer's head might not fit into the room that the request's has left: MHD would
 * close the connection without a word. The connection got a short answer then, and must be closed.
 */
bool head_leaves_room(struct exchange *exchange, size_t answer);
/* The trailers take their part of the room. */
void head_trailers(struct exchange *exchange);

/* server_watch.c: for MHD_OPTION_NOTIFY_CONNECTION; `user` is the server. */
void watch_connection(void *user, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode code);
struct watch *watch_of(struct MHD_Connection *connection);
int watch_socket(struct MHD_Connection *connection); /* -1: none */
/* The address of a connection's peer as text; an IPv4 address that came over IPv6 as itself. */
void watch_peer(struct MHD_Connection *connection, char out[PEER_MAX]);
/* The head of a request is complete, and its end: between them the connection is not idle. */
void watch_busy(struct watch *watch);
void watch_idle(struct watch *watch);
/* For the listener: true while one more connection may be accepted. At the limit the connection
 * that has been idle longest is closed, and makes room a little later. */
bool watch_room(void *user);
/* Once a turn of the loop: closes uploads and answers that MHD cannot go on with. */
void watch_turn(struct http_server *server);
/* A request waits longer than its turn: if the peer has left meanwhile it is told now. */
void watch_waiting(struct exchange *exchange);

#endif
