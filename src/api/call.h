/* api/call.h - one request on its way through an operation: what app hands to the handlers of the
 * operation tables. */
#ifndef HEADRACE_API_CALL_H
#define HEADRACE_API_CALL_H

#include "aws/op.h"
#include "base/ctx.h"
#include "http/message.h"

struct s3;
struct sqs;
struct blobs;
struct keys;

/* The engines and settings that handlers use; one per process, owned by app. */
struct api {
    struct s3 *s3;
    struct sqs *sqs;
    struct blobs *blobs;
    const struct keys *keys; /* owners' canonical ids and names; NULL: derived from accounts */
    str default_account, default_region; /* of the process: where the pipeline lives */
    bool strict;                         /* --strict: AWS's waiting rules and throttles */
    bool enforce;                        /* --auth enforce: policies and ACLs decide */
    bool verify;                         /* --auth verify or enforce: signatures are checked */
    /* Runs `work` on a pool thread, then `done` on the loop, with `arg`; NULL: callers work inline
     * (unit tests). */
    void (*offload)(void *user, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    void *offload_user;
};

/* A streamed body: `begin` opens one, app feeds it (aws-chunked already decoded), `run` takes the
 * result. Implemented by api/s3_upload.c. */
struct upload;
struct upload_ops {
    err (*write)(struct upload *upload, str chunk);
    /* The body is complete. When `busy` is set afterwards, `run` waits for one call of `drained`.
     */
    void (*settle)(struct upload *upload);
    void (*drop)(struct upload *upload); /* on any failure before `run` took it */
};
struct upload {
    const struct upload_ops *ops;
    /* Digests or the file lag behind on pool threads: app pauses the body after a write that leaves
     * this set, until `drained` (app's, may be NULL) is called on the loop, which happens each time
     * it becomes false. */
    bool busy;
    void (*drained)(void *user);
    void *user;
};

struct call {
    struct ctx ctx;
    struct api *api;
    const struct service *service;
    const struct op *op;
    struct http_request *request;
    struct http_reply *reply; /* status and headers of success; handlers may add headers */
    str bucket, key;          /* S3 address, decoded; absent below their level */
    str body;                 /* small bodies, whole; for OP_UPLOAD absent */
    struct upload *upload;    /* OP_UPLOAD after begin; left busy by a run that must run again */
    int64_t body_length;      /* decoded length announced, -1 unknown */
    struct http_header *trailers; /* aws-chunked or HTTP trailers, lower-case names */
    size_t ntrailers;
    /* Set by a handler that found nothing to receive: run again when `park_queue` has something, or
     * at `park_until`. */
    int64_t park_queue; /* 0: not parked; cleared before each run */
    msec park_until;    /* set by the first run, kept over the next ones */
    bool retry_final;   /* this run is the last: deadline reached */
    /* Set by a handler whose effect must go when nobody got the answer: called once, in a savepoint
     * of its own. */
    void (*undelivered)(struct call *call, void *out);
    void *undelivered_out; /* `out` of the run that set it */
};

#endif
