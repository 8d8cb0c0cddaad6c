/* app/app.h - one emulator: everything hangs here, several may live in a process. The files of app/
 * share this struct; nobody else sees it. All of it belongs to the loop thread.
 *
 * The way of a request: dispatch (route, identity, body) -> run (operation in a savepoint) -> turn
 * (commit, then the answers). Whatever callback of the loop writes to the database is committed by
 * the turn that ends this round of the loop. */
#ifndef HEADRACE_APP_APP_H
#define HEADRACE_APP_APP_H

#include "api/call.h"
#include "app/budget.h"
#include "app/clock.h"
#include "app/options.h"
#include "app/park.h"
#include "app/safety.h"
#include "aws/keys.h"
#include "base/rng.h"
#include "s3/s3.h"
#include "sqs/sqs.h"
#include "store/blob.h"

#include <uv.h>

struct advance;
struct http_server;
struct pool;
struct request;
struct trace;
struct metrics;
struct lint;
struct fault_rules;
struct follower;

/* How answers leave: the server's functions, or a fuzzer's. Meaning as in http/server.h. */
struct outlet {
    void (*respond)(struct http_request *request, struct http_reply *reply);
    void (*cut)(struct http_request *request);
    void (*pause)(struct http_request *request);
    void (*resume)(struct http_request *request);
    bool (*alive)(struct http_request *request);
    str (*trailer)(const struct http_request *request, str name);
    void (*wake)(struct http_request *request);
};

struct queue_set { /* queues that became ready in this turn */
    int64_t *at;
    size_t n, cap;
};

struct app {
    uv_loop_t *loop;
    const struct options *options;
    const struct outlet *outlet;
    struct http_server *server;
    struct db *db;
    struct blobs *blobs;
    struct sqs *sqs;
    struct s3 *s3;
    struct keys *keys;
    struct pool *pool; /* NULL: --no-pipeline */
    struct api api;
    struct rng rng;
    struct clock clock;
    struct safety safety;
    struct budget bodies; /* memory that request bodies hold */

    struct trace *trace;
    struct follower *followers; /* streams of events */
    int64_t told;               /* newest event that they were woken for */
    int64_t trace_mark;         /* newest event when this turn began */
    struct metrics *metrics;
    struct lint *lint;
    struct s3_observation event; /* the one that is being delivered */
    size_t *lint_found; /* told at the end how many findings there were; NULL: nobody asks */
    struct fault_rules *faults;

    struct parks *parks;
    struct queue_set ready;
    struct request *waiting, **waiting_end; /* answers that wait for the turn's commit */
    int64_t nwaiting;

    uv_timer_t timer; /* the one timer: what is due next in virtual time */
    msec armed;       /* instant it is set for; 0: none */
    bool impeded;     /* the last commit failed */
    uv_timer_t last;  /* never started: the handle whose end is the end of all */
    uv_work_t checkpoint;
    bool checkpointing;
    int offloaded; /* pieces of work on pool threads */
    int saving;    /* snapshots that are being saved */

    struct advance *advance; /* moves of the clock under way */
    uv_idle_t advancing;

    int64_t started; /* clock_micros at start */
    uint64_t requests;
    int port;
    bool serving;   /* everything configured exists */
    bool stopping;  /* no new work: parked requests were answered, the rest is being finished */
    bool impatient; /* clients that are still there are not waited for */
};

#endif
