/* app/pool.c - who runs when. A queue that becomes ready marks its role as pending and starts the
 * idle handle; each idle call takes a bounded number of messages, so that requests are served in
 * between, and stops when nothing is pending. */
#include "app/pool_inside.h"

#include "app/fault_rules.h"
#include "base/log.h"
#include "base/rng.h"
#include "pipeline/job.h"
#include "sqs/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MESSAGES_A_TURN 64

typedef struct task *task_maker(struct arena *arena, const struct pipeline_options *options,
                                struct pipeline_message message, msec now);
static task_maker *const makers[POOL_ROLES] = {
    [POOL_INGEST] = ingest_new,
    [POOL_WORK] = worker_new,
};

struct ctx pool_ctx(struct pool *pool, struct arena *arena)
{
    struct pool_world *world = &pool->world;
    return (struct ctx){
        .now = world->now(world->user),
        .arena = arena,
        .rng = world->rng,
        .account = world->account,
        .region = world->region,
        .principal = arena_printf(arena, "arn:aws:iam::%.*s:root", STR_ARG(world->account)),
        .request_id = rng_text(world->rng, arena, S("0123456789ABCDEF"), 16),
        .host_id = rng_text(world->rng, arena, S("abcdefghijklmnopqrstuvwxyz012345"), 76),
        .source_ip = S("127.0.0.1"),
    };
}

void pool_log(struct pool *pool, str line)
{
    buf_put(&pool->log, line);
    buf_char(&pool->log, '\n');
}

/* A kill-worker rule strikes where it hurts most: the body is counted, the report not yet written.
 */
static bool killed(struct slot *slot, const struct ctx *ctx, const struct ask *ask)
{
    struct pool *pool = slot->pool;
    if (slot->role != POOL_WORK || ask->kind != ASK_PUT || !pool->world.faults ||
        fault_rules_empty(pool->world.faults))
        return false;
    struct fault_probe probe = {
        .service = S("worker"),
        .operation = S("ProcessJob"),
        .region = pool->world.region,
        .account = pool->world.account,
        .bucket = ask->bucket,
        .key = ask->key,
        .queue = pool->options.jobs_queue,
    };
    struct fault_hit hits[EFFECTS];
    unsigned effect = EFFECT_BIT(EFFECT_KILL_WORKER);
    if (!fault_rules_fire(pool->world.faults, effect, &probe, hits))
        return false;
    if (pool->world.killed)
        pool->world.killed(pool->world.user, ctx, hits, probe.queue);
    return true;
}

/* The message is dealt with, or not: counted. */
static bool ends(struct slot *slot, const struct ctx *ctx, const struct ask *ask)
{
    struct pool_facts *facts = &slot->pool->facts[slot->role];
    if (ask->kind == ASK_END) {
        facts->done += !ask->failed;
        facts->failed += ask->failed;
        return true;
    }
    bool dies = killed(slot, ctx, ask);
    facts->killed += dies;
    return dies;
}

static void go(struct slot *slot, const struct answer *answer)
{
    struct ctx ctx = pool_ctx(slot->pool, slot->arena);
    ctx.cause = slot->task->message.id;
    ctx.access_key = str_of(slot->name);
    for (;;) {
        struct ask ask = task_next(slot->task, &ctx, answer);
        if (ends(slot, &ctx, &ask)) {
            slot->task = NULL;
            return;
        }
        slot->answer = (struct answer){.ok = true};
        if (!slot_perform(slot, &ctx, &ask))
            return;
        answer = &slot->answer;
    }
}

static void wake(struct pool *pool);

void slot_resume(struct slot *slot)
{
    go(slot, &slot->answer);
    wake(slot->pool);
}

/* Receives one message into the slot; false when there was none. */
static bool receive(struct slot *slot)
{
    struct pool *pool = slot->pool;
    arena_reset(slot->arena);
    struct ctx ctx = pool_ctx(pool, slot->arena);
    ctx.access_key = str_of(slot->name);
    struct sqs_receive one = {.max = 1, .visibility = -1};
    struct sqs_message *messages;
    size_t n = 0;
    db_savepoint(pool->world.db);
    err e =
        sqs_message_receive(pool->world.sqs, &ctx, pool->queues[slot->role], &one, &messages, &n);
    if (failed(e)) {
        db_rollback(pool->world.db);
        pool->queues[slot->role] = 0;
        return false;
    }
    db_release(pool->world.db);
    if (!n)
        return false;
    struct pipeline_message message = {messages->id, messages->receipt, messages->body,
                                       messages->receive_count};
    slot->queue = pool->queues[slot->role];
    slot->task = makers[slot->role](slot->arena, &pool->options, message, ctx.now);
    return true;
}

static struct slot *free_slot(const struct pool *pool, enum pool_role role)
{
    for (size_t i = 0; i < pool->nslots; i++)
        if (pool->slots[i].role == role && !pool->slots[i].task)
            return &pool->slots[i];
    return NULL;
}

/* Takes and runs messages of a role while there are some, and a slot: so many, that others have
 * their turn. */
static void serve(struct pool *pool, enum pool_role role)
{
    struct slot *slot;
    for (int i = 0; i < MESSAGES_A_TURN && pool->pending[role]; i++) {
        slot = free_slot(pool, role);
        if (!slot)
            return;
        if (!pool->queues[role] || !receive(slot)) {
            pool->pending[role] = false;
            return;
        }
        go(slot, NULL);
    }
}

static bool work_left(const struct pool *pool)
{
    for (int role = 0; role < POOL_ROLES && !pool->quiet; role++)
        if (pool->pending[role] && free_slot(pool, (enum pool_role)role))
            return true;
    return false;
}

static void slice(uv_idle_t *idle)
{
    struct pool *pool = idle->data;
    for (int role = 0; role < POOL_ROLES && !pool->quiet; role++)
        serve(pool, (enum pool_role)role);
    if (!work_left(pool))
        uv_idle_stop(idle);
}

static void wake(struct pool *pool)
{
    if (work_left(pool))
        uv_idle_start(&pool->idle, slice);
}

static bool is_ours(struct pool *pool, const struct sqs_queue_facts *facts, str name)
{
    return str_eq(facts->name, name) && str_eq(facts->account, pool->world.account) &&
           str_eq(facts->region, pool->world.region);
}

void pool_ready(struct pool *pool, int64_t queue)
{
    struct sqs_queue_facts facts;
    str names[POOL_ROLES] = {pool->options.ingest_queue, pool->options.jobs_queue};
    bool known = queue == pool->queues[POOL_INGEST] || queue == pool->queues[POOL_WORK];
    if (!known && !sqs_queue_facts(pool->world.sqs, queue, &facts))
        return;
    for (int role = 0; role < POOL_ROLES; role++) {
        if (!known && is_ours(pool, &facts, names[role]))
            pool->queues[role] = queue;
        if (pool->queues[role] == queue)
            pool->pending[role] = true;
    }
    wake(pool);
}

void pool_sent(struct pool *pool, struct ctx *ctx, int64_t queue, str body)
{
    struct sqs_queue_facts facts;
    if (sqs_queue_facts(pool->world.sqs, queue, &facts) &&
        is_ours(pool, &facts, pool->options.results_queue)) {
        buf_put(&pool->results, result_log(ctx->arena, body));
        buf_char(&pool->results, '\n');
    }
}

static void log_fresh(struct pool *pool)
{
    arena_reset(pool->log_arena);
    pool->log = buf_in(pool->log_arena);
    pool->results = buf_in(pool->log_arena);
}

void pool_turn_ended(struct pool *pool, bool committed)
{
    buf_put(&pool->log, buf_str(&pool->results));
    if (!pool->log.n)
        return;
    str lines = str_slice(buf_str(&pool->log), 0, pool->log.n - 1);
    if (committed && !pool->line) {
        log_json(lines);
    } else if (committed) {
        while (lines.p)
            pool->line(pool->line_user, str_cut(&lines, '\n'));
    }
    log_fresh(pool);
}

void pool_on_line(struct pool *pool, void (*line)(void *user, str line), void *user)
{
    pool->line = line;
    pool->line_user = user;
}

void pool_reload(struct pool *pool)
{
    str names[POOL_ROLES] = {pool->options.ingest_queue, pool->options.jobs_queue};
    for (int role = 0; role < POOL_ROLES; role++) {
        pool->queues[role] = 0;
        err e = sqs_queue_find(pool->world.sqs, pool->world.account, pool->world.region,
                               names[role], &pool->queues[role]);
        pool->pending[role] = !failed(e);
    }
    wake(pool);
}

void pool_quiesce(struct pool *pool)
{
    pool->quiet = true;
    uv_idle_stop(&pool->idle);
}

bool pool_busy(const struct pool *pool)
{
    return pool->counting > 0;
}

bool pool_settled(const struct pool *pool)
{
    return !pool->counting && !work_left(pool);
}

void pool_facts(const struct pool *pool, struct pool_facts facts[POOL_STAGES])
{
    static const char *const names[POOL_ROLES] = {"ingest", "worker"};
    for (size_t i = 0; i < POOL_ROLES; i++) {
        facts[i] = pool->facts[i];
        facts[i].stage = names[i];
    }
    for (size_t i = 0; i < pool->nslots; i++) {
        facts[pool->slots[i].role].slots++;
        facts[pool->slots[i].role].busy += pool->slots[i].task != NULL;
    }
}

static size_t workers_wanted(const struct pipeline_options *options)
{
    if (options->workers >= 0)
        return (size_t)options->workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}

struct pool *pool_new(const struct pool_world *world, const struct pipeline_options *options)
{
    struct pool *pool = xalloc(sizeof *pool);
    pool->world = *world;
    pool->options = *options;
    pool->nslots = 1 + workers_wanted(options);
    pool->slots = xalloc(pool->nslots * sizeof *pool->slots);
    for (size_t i = 0; i < pool->nslots; i++)
        pool->slots[i] = (struct slot){
            .pool = pool, .role = i ? POOL_WORK : POOL_INGEST, .arena = arena_new(), .fd = -1};
    for (size_t i = 0; i < pool->nslots; i++)
        snprintf(pool->slots[i].name, sizeof pool->slots[i].name, i ? "worker-%zu" : "ingest", i);
    pool->log_arena = arena_new();
    log_fresh(pool);
    uv_idle_init(world->loop, &pool->idle);
    pool->idle.data = pool;
    return pool;
}

void pool_close(struct pool *pool)
{
    uv_close((uv_handle_t *)&pool->idle, NULL);
}

void pool_end(struct pool *pool)
{
    for (size_t i = 0; i < pool->nslots; i++)
        arena_free(pool->slots[i].arena);
    arena_free(pool->log_arena);
    free(pool->slots);
    free(pool);
}
