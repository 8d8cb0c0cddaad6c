/* app/pool.h - the built-in pipeline on the engines of this process: ingest and N workers as tasks
 * (pipeline/task.h), woken by the queues' own `ready`, never by a timer. All on the loop thread;
 * only counting a large body goes to a pool thread.
 *
 * Work is done from a uv_idle callback, so in the turn that the next `turn` of the server commits:
 * an upload, its event, its job, report and result are one commit when they are small. Log lines
 * wait for that commit. */
#ifndef HEADRACE_APP_POOL_H
#define HEADRACE_APP_POOL_H

#include "base/ctx.h"
#include "pipeline/options.h"

#include <uv.h>

struct pool;
struct db;
struct blobs;
struct s3;
struct sqs;
struct fault_rules;
struct fault_hit;

/* Where the pipeline lives; all must outlive the pool. */
struct pool_world {
    uv_loop_t *loop;
    struct db *db;
    struct blobs *blobs;
    struct s3 *s3;
    struct sqs *sqs;
    struct rng *rng;
    msec (*now)(void *user); /* the virtual clock */
    void *user;
    /* A stage wrote an object; may be NULL. */
    void (*wrote)(void *user, const struct ctx *ctx, str bucket, str key);
    /* A stage wrote this log line about the message it works on; may be NULL. */
    void (*step)(void *user, str message_id, str actor, str line);
    struct fault_rules *faults; /* kill-worker rules; NULL: none */
    /* One of them fired; ctx->cause is the message, `queue` where it came from; may be NULL. */
    void (*killed)(void *user, const struct ctx *ctx, const struct fault_hit *hit, str queue);
    str account, region;
};

struct pool *pool_new(const struct pool_world *world, const struct pipeline_options *options);
/* Makes the buckets, queues and the notification that are missing, inside the caller's turn, and
 * looks for work left over from before. Fails with the engine's fault, *what names the resource. */
err pool_provision(struct pool *pool, struct arena *arena, str *what);

/* For sqs_hooks.ready and .sent. */
void pool_ready(struct pool *pool, int64_t queue);
void pool_sent(struct pool *pool, struct ctx *ctx, int64_t queue, str body);
/* Call after each turn's commit: on success the log lines go out, else they are forgotten (what
 * they tell of did not happen). */
void pool_turn_ended(struct pool *pool, bool committed);
/* From now on committed log lines go to `line` instead of stdout. */
void pool_on_line(struct pool *pool, void (*line)(void *user, str line), void *user);
/* Queues may have come and gone, messages too: after a reset, a snapshot load, or a failed commit.
 */
void pool_reload(struct pool *pool);

/* True when no message waits for a free slot and none is being worked on: what the pipeline can do
 * by itself is done. */
bool pool_settled(const struct pool *pool);

/* What a stage does and has done. */
struct pool_facts {
    const char *stage; /* "ingest", "worker" */
    int64_t slots, busy;
    int64_t done, failed; /* messages: dealt with; failed, so that they come back */
    int64_t killed;       /* left in the middle, by a kill-worker rule */
};
#define POOL_STAGES 2
void pool_facts(const struct pool *pool, struct pool_facts facts[POOL_STAGES]);

/* Takes no new message from now on. */
void pool_quiesce(struct pool *pool);
/* True while a body is being counted. */
bool pool_busy(const struct pool *pool);
/* After the loop has ended its work: frees all. The idle handle must have been closed by pool_close
 * and the loop run once. */
void pool_close(struct pool *pool);
void pool_end(struct pool *pool);

#endif
