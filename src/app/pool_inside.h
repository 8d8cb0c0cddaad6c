/* app/pool_inside.h - private to app/pool*.c: the pool, and the slots in which its tasks run. */
#ifndef HEADRACE_APP_POOL_INSIDE_H
#define HEADRACE_APP_POOL_INSIDE_H

#include "app/pool.h"
#include "base/buf.h"
#include "pipeline/task.h"
#include "store/blob.h"

enum pool_role { POOL_INGEST, POOL_WORK, POOL_ROLES };

/* One message on its way through a stage. */
struct slot {
    struct pool *pool;
    enum pool_role role;
    char name[24];       /* "ingest", "worker-1": who acts, for the trace */
    struct arena *arena; /* lives from the receive to the end of the task */
    struct task *task;   /* NULL: the slot is free */
    int64_t queue;       /* that the message came from */
    struct answer answer;

    /* ASK_COUNT: the body's slices, counted one after the other. */
    struct blob_slice *slices;
    size_t nslices, at;
    str bucket, key, etag;
    struct count count;
    uv_work_t work;
    int fd, read_errno;
};

struct pool {
    struct pool_world world;
    struct pipeline_options options;
    uv_idle_t idle;
    int64_t queues[POOL_ROLES]; /* numbers; 0: not known */
    bool pending[POOL_ROLES];   /* may have something to receive */
    struct slot *slots;         /* [0] ingest's, then the workers' */
    size_t nslots, counting;
    struct pool_facts facts[POOL_ROLES]; /* the counts; the rest is looked up */
    struct arena *log_arena;             /* lines of the open turn */
    struct buf log,
        results; /* results last: a worker says PROCESSED after it has sent the result */
    void (*line)(void *user, str line); /* NULL: lines go to stdout */
    void *line_user;
    bool quiet;
};

/* Does what the task asks for. True: slot->answer is there; false: slot_resume will be called. */
bool slot_perform(struct slot *slot, struct ctx *ctx, const struct ask *ask);
/* The answer has come: goes on with the task. */
void slot_resume(struct slot *slot);
/* A ctx of this moment, for the pipeline's account and region. */
struct ctx pool_ctx(struct pool *pool, struct arena *arena);
void pool_log(struct pool *pool, str line);
/* Counts the body at slot->bucket, key. As slot_perform. */
bool slot_count(struct slot *slot, struct ctx *ctx);
/* "Code: message" of a failure. */
void slot_fail(struct slot *slot, struct ctx *ctx, err e);

#endif
