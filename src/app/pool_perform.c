/* app/pool_perform.c - what a task asks for, done by the engines of this process: each write in a
 * savepoint of its own, so that one failing takes nothing of the turn with it. */
#include "app/pool_inside.h"

#include "s3/s3.h"
#include "sqs/sqs.h"

#define DOCUMENT_MAX 1048576 /* of a fetched report */

void slot_fail(struct slot *slot, struct ctx *ctx, err e)
{
    struct buf text = buf_in(ctx->arena);
    buf_put(&text, str_of(e.fault->code));
    BUF_LIT(&text, ": ");
    buf_put(&text, err_message(e));
    slot->answer = (struct answer){.error = buf_str(&text)};
}

/* Ends the savepoint as `e` says. */
static void settle(struct slot *slot, struct ctx *ctx, err e)
{
    if (!failed(e)) {
        db_release(slot->pool->world.db);
        return;
    }
    db_rollback(slot->pool->world.db);
    slot_fail(slot, ctx, e);
}

static bool perform_stat(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    struct s3_stat stat;
    err e = s3_stat(slot->pool->world.s3, ctx, ask->bucket, ask->key, &stat);
    if (failed(e))
        slot_fail(slot, ctx, e);
    else
        slot->answer.etag = arena_printf(ctx->arena, "\"%.*s\"", STR_ARG(stat.etag));
    return true;
}

static bool perform_count(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    slot->bucket = ask->bucket, slot->key = ask->key;
    return slot_count(slot, ctx);
}

static err read_document(struct slot *slot, struct ctx *ctx, const struct ask *ask, str *out)
{
    struct pool_world *world = &slot->pool->world;
    struct blob_slice *slices;
    struct buf body = buf_in(ctx->arena);
    size_t n;
    int64_t size;
    TRY(s3_open_body(world->s3, ctx, ask->bucket, ask->key, &slices, &n, &size));
    for (size_t i = 0; i < n && body.n < DOCUMENT_MAX; i++) {
        str piece;
        size_t room = DOCUMENT_MAX - body.n;
        size_t want = slices[i].n < (int64_t)room ? (size_t)slices[i].n : room;
        TRY(blob_read(world->blobs, ctx->arena, slices[i].id, slices[i].at, want, &piece));
        buf_put(&body, piece);
    }
    *out = buf_str(&body);
    return OK;
}

static bool perform_fetch(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    err e = read_document(slot, ctx, ask, &slot->answer.body);
    if (failed(e))
        slot_fail(slot, ctx, e);
    return true;
}

static bool perform_put(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    struct pool_world *world = &slot->pool->world;
    struct s3_stat stat;
    if (!failed(s3_stat(world->s3, ctx, ask->bucket, ask->key, &stat))) {
        slot->answer = (struct answer){.taken = true};
        return true;
    }
    db_savepoint(world->db);
    settle(slot, ctx,
           s3_put_bytes(world->s3, ctx, ask->bucket, ask->key, S("application/json"), ask->body));
    if (slot->answer.ok && world->wrote)
        world->wrote(world->user, ctx, ask->bucket, ask->key);
    return true;
}

static err send_message(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    struct pool *pool = slot->pool;
    struct sqs *sqs = pool->world.sqs;
    str name = ask->queue == ASK_JOBS ? pool->options.jobs_queue : pool->options.results_queue;
    struct sqs_attribute trace = {S("traceId"), S("String"), ask->trace_id};
    struct sqs_send message = {
        .body = ask->body, .attributes = &trace, .nattributes = 1, .delay = -1};
    struct sqs_sent sent;
    int64_t queue;
    TRY(sqs_queue_find(sqs, ctx->account, ctx->region, name, &queue));
    TRY(sqs_message_send(sqs, ctx, queue, &message, &sent));
    slot->answer.message_id = sent.id;
    return OK;
}

static bool perform_send(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    db_savepoint(slot->pool->world.db);
    settle(slot, ctx, send_message(slot, ctx, ask));
    return true;
}

static bool perform_delete(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    struct pool_world *world = &slot->pool->world;
    (void)ask;
    db_savepoint(world->db);
    settle(slot, ctx,
           sqs_message_delete(world->sqs, ctx, slot->queue, slot->task->message.receipt));
    return true;
}

static bool perform_log(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    const struct pool_world *world = &slot->pool->world;
    if (world->step)
        world->step(world->user, slot->task->message.id, ctx->access_key, ask->body);
    pool_log(slot->pool, ask->body);
    return true;
}

typedef bool performer(struct slot *slot, struct ctx *ctx, const struct ask *ask);
static performer *const performers[] = {
    [ASK_STAT] = perform_stat, [ASK_COUNT] = perform_count, [ASK_FETCH] = perform_fetch,
    [ASK_PUT] = perform_put,   [ASK_SEND] = perform_send,   [ASK_DELETE] = perform_delete,
    [ASK_LOG] = perform_log,
};

bool slot_perform(struct slot *slot, struct ctx *ctx, const struct ask *ask)
{
    return performers[ask->kind](slot, ctx, ask);
}
