/* remote/runner.c - when to take messages, how to keep them, when to stop. Nothing polls but SQS's
 * own long poll; one timer beats for all messages in flight, and only while there are some. */
#include "remote/runner_inside.h"

#include "base/log.h"
#include "base/rng.h"
#include "pipeline/job.h"

#include <stdlib.h>

#define WAIT_SECONDS 20
#define DRAIN_SECONDS 1
#define DRAIN_EMPTIES 2   /* empty answers in a row that mean an empty queue */
#define LANE_BYTES 524288 /* held by a task beside its arena: receive buffers of libcurl */
#define PAUSE_FIRST 1000  /* ms after a failed receive; doubles */
#define PAUSE_MAX 30000
#define LANES_PER_BATCH 16

typedef struct task *task_maker(struct arena *arena, const struct pipeline_options *options,
                                struct pipeline_message message, msec now);
static task_maker *const makers[RUN_STAGES] = {
    [RUN_WORKER] = worker_new,
    [RUN_DIRECT] = direct_new,
    [RUN_INGEST] = ingest_new,
};

static msec now_of(const struct runner *runner)
{
    return runner->remote->now(runner->remote->user);
}

static void poll(struct runner *runner);
static void beat(uv_timer_t *timer);

static void handle_closed(uv_handle_t *handle)
{
    struct runner *runner = handle->data;
    if (--runner->closing == 0)
        runner->ended(runner->user, runner->code);
}

static bool polling(const struct runner *runner)
{
    for (size_t i = 0; i < POLLERS; i++)
        if (runner->pollers[i].call)
            return true;
    return false;
}

static void end_if_done(struct runner *runner)
{
    if (!runner->stopping || runner->active || runner->over || polling(runner))
        return;
    runner->over = true;
    runner->closing = 2;
    uv_close((uv_handle_t *)&runner->heart, handle_closed);
    uv_close((uv_handle_t *)&runner->pause, handle_closed);
}

void runner_stop(struct runner *runner)
{
    runner->stopping = true;
    uv_timer_stop(&runner->pause);
    for (size_t i = 0; i < POLLERS; i++) {
        if (runner->pollers[i].call)
            remote_cancel(runner->pollers[i].call);
        runner->pollers[i].call = NULL;
    }
    end_if_done(runner);
}

static void lane_over(struct lane *lane, bool failed)
{
    struct runner *runner = lane->runner;
    if (failed && runner->options.release)
        queue_hide(runner->remote, runner->options.input_url, &lane->task->message.receipt, 1, 0);
    runner->finished += !failed;
    runner->failed += failed;
    if (failed && (runner->options.once || runner->options.drain))
        runner->code = RUNNER_FAILURES;
    lane->task = NULL;
    if (--runner->active == 0)
        uv_timer_stop(&runner->heart);
    if (runner->options.once)
        runner_stop(runner);
    else
        poll(runner);
    end_if_done(runner);
}

static void go(struct lane *lane, const struct answer *answer)
{
    struct ctx ctx = {
        .now = now_of(lane->runner),
        .arena = lane->arena,
        .rng = lane->runner->remote->rng,
    };
    static const struct answer logged = {.ok = true};
    struct ask ask = task_next(lane->task, &ctx, answer);
    /* In a loop, for a message may hold thousands of records of which each is only logged. */
    for (; ask.kind == ASK_LOG; ask = task_next(lane->task, &ctx, &logged))
        log_json(ask.body);
    lane->ask = ask;
    if (ask.kind == ASK_END)
        lane_over(lane, ask.failed);
    else
        lane_perform(lane, &lane->ask);
}

void lane_resume(struct lane *lane)
{
    struct answer answer = lane->answer;
    go(lane, &answer);
}

static struct lane *free_lane(struct runner *runner)
{
    for (size_t i = 0; i < runner->nlanes; i++)
        if (!runner->lanes[i].task)
            return &runner->lanes[i];
    return NULL;
}

static void take(struct runner *runner, const struct received *message)
{
    struct lane *lane = free_lane(runner);
    arena_reset(lane->arena);
    struct pipeline_message copy = {
        .id = arena_copy(lane->arena, message->id),
        .receipt = arena_copy(lane->arena, message->receipt),
        .body = arena_copy(lane->arena, message->body),
        .receive_count = message->receive_count,
    };
    lane->extended = now_of(runner);
    lane->task =
        makers[runner->options.stage](lane->arena, &runner->options.pipeline, copy, now_of(runner));
    runner->received++;
    if (runner->active++ == 0) {
        uint64_t period = (uint64_t)runner->visibility * 1000 / 6;
        uv_timer_start(&runner->heart, beat, period, period);
    }
    go(lane, NULL);
}

static void resume_polling(uv_timer_t *timer)
{
    poll(timer->data);
}

static bool hopeless(const struct remote_answer *answer)
{
    return str_eq(answer->code, S("NoCredentials"));
}

/* A receive failed: say so, and try again after a pause that grows; in a batch run there is nobody
 * to wait for. */
static void receive_failed(struct runner *runner, const struct remote_answer *answer)
{
    struct arena *arena = arena_new();
    log_json(message_log(arena, S("RECEIVE_FAILED"), runner->options.input_url,
                         error_text(arena, answer->code, answer->message)));
    arena_free(arena);
    if (runner->options.once || runner->options.drain || hopeless(answer)) {
        runner->code = RUNNER_BROKEN;
        runner_stop(runner);
        return;
    }
    msec wait = runner->pause_length / 2 +
                (msec)rng_below(runner->remote->rng, (uint64_t)runner->pause_length / 2 + 1);
    runner->pause_length =
        runner->pause_length * 2 < PAUSE_MAX ? runner->pause_length * 2 : PAUSE_MAX;
    uv_timer_start(&runner->pause, resume_polling, (uint64_t)wait, 0);
}

static void received(void *user, const struct remote_answer *answer,
                     const struct received *messages, size_t n)
{
    struct poller *poller = user;
    struct runner *runner = poller->runner;
    poller->call = NULL;
    if (!remote_ok(answer)) {
        receive_failed(runner, answer);
        return;
    }
    runner->pause_length = PAUSE_FIRST;
    runner->empties = n ? 0 : runner->empties + 1;
    /* The messages lie in the poller's arena: no new receive before the last is taken. */
    runner->taking = true;
    for (size_t i = 0; i < n; i++)
        take(runner, &messages[i]);
    runner->taking = false;
    if (runner->options.drain && runner->empties >= DRAIN_EMPTIES && !runner->active)
        runner_stop(runner);
    else
        poll(runner);
}

static bool memory_left(const struct runner *runner)
{
    int64_t held = 0;
    for (size_t i = 0; i < runner->nlanes; i++)
        if (runner->lanes[i].task)
            held += LANE_BYTES + (int64_t)arena_used(runner->lanes[i].arena);
    return !runner->options.memory || held < runner->options.memory;
}

/* Lanes that no open receive may fill. */
static size_t lanes_to_offer(const struct runner *runner)
{
    size_t open = 0;
    for (size_t i = 0; i < POLLERS; i++)
        open += runner->pollers[i].call ? BATCH_ENTRIES : 0;
    size_t taken = runner->active + open;
    return taken < runner->nlanes ? runner->nlanes - taken : 0;
}

static void open_receive(struct runner *runner, struct poller *poller, size_t max)
{
    arena_reset(poller->arena);
    poller->call = queue_receive(runner->remote, poller->arena, runner->options.input_url,
                                 (int64_t)max, runner->options.drain ? DRAIN_SECONDS : WAIT_SECONDS,
                                 runner->visibility, received, poller);
}

/* Opens receives: one while the queue gives nothing, more while it does and lanes are free. */
static void poll(struct runner *runner)
{
    msec calm = runner->remote->calm_until - now_of(runner);
    if (runner->stopping || runner->taking || uv_is_active((uv_handle_t *)&runner->pause))
        return;
    if (calm > 0 && runner->active) {
        uv_timer_start(&runner->pause, resume_polling, (uint64_t)calm, 0);
        return;
    }
    size_t wanted = runner->empties || runner->options.once ? 1 : POLLERS;
    for (size_t i = 0; i < wanted; i++) {
        size_t free = lanes_to_offer(runner);
        if (runner->pollers[i].call || !free || !memory_left(runner))
            continue;
        if (runner->options.once && (runner->active || runner->received))
            return;
        size_t max = free < BATCH_ENTRIES ? free : BATCH_ENTRIES;
        open_receive(runner, &runner->pollers[i], runner->options.once ? 1 : max);
    }
}

/* Keeps the messages in flight hidden: each is extended when half of its time has gone. */
static void beat(uv_timer_t *timer)
{
    struct runner *runner = timer->data;
    msec now = now_of(runner), half = runner->visibility * 500;
    str receipts[BATCH_ENTRIES];
    size_t n = 0;
    for (size_t i = 0; i < runner->nlanes; i++) {
        struct lane *lane = &runner->lanes[i];
        if (!lane->task || now - lane->extended < half)
            continue;
        lane->extended = now;
        runner->extensions++;
        receipts[n++] = lane->task->message.receipt;
        if (n == BATCH_ENTRIES) {
            queue_hide(runner->remote, runner->options.input_url, receipts, n, runner->visibility);
            n = 0;
        }
    }
    if (n)
        queue_hide(runner->remote, runner->options.input_url, receipts, n, runner->visibility);
}

static void visibility_known(void *user, int64_t seconds)
{
    struct runner *runner = user;
    runner->visibility = seconds > 0 ? seconds : runner->options.pipeline.visibility;
    if (runner->stopping)
        end_if_done(runner);
    else
        poll(runner);
}

struct runner *runner_start(struct remote *remote, const struct runner_options *options,
                            void (*ended)(void *user, int code), void *user)
{
    struct runner *runner = xalloc(sizeof *runner);
    *runner = (struct runner){
        .remote = remote,
        .options = *options,
        .nlanes = (size_t)options->concurrency,
        .pause_length = PAUSE_FIRST,
        .ended = ended,
        .user = user,
    };
    runner->lanes = xalloc(runner->nlanes * sizeof *runner->lanes);
    for (size_t i = 0; i < runner->nlanes; i++)
        runner->lanes[i] = (struct lane){.runner = runner, .arena = arena_new()};
    for (size_t i = 0; i < POLLERS; i++)
        runner->pollers[i] = (struct poller){.runner = runner, .arena = arena_new()};
    size_t lanes = 1 + runner->nlanes / LANES_PER_BATCH;
    runner->sends = batcher_new(remote, BATCH_SEND, options->output_url, lanes);
    runner->deletes = batcher_new(remote, BATCH_DELETE, options->input_url, lanes);
    uv_timer_init(remote->loop, &runner->heart);
    uv_timer_init(remote->loop, &runner->pause);
    runner->heart.data = runner->pause.data = runner;
    if (options->visibility)
        visibility_known(runner, options->visibility);
    else
        queue_visibility(remote, options->input_url, visibility_known, runner);
    return runner;
}

void runner_free(struct runner *runner)
{
    for (size_t i = 0; i < runner->nlanes; i++)
        arena_free(runner->lanes[i].arena);
    for (size_t i = 0; i < POLLERS; i++)
        arena_free(runner->pollers[i].arena);
    batcher_free(runner->sends);
    batcher_free(runner->deletes);
    free(runner->lanes);
    free(runner);
}

static void counter(struct buf *b, const char *name, const char *help, int64_t value)
{
    buf_printf(b, "# HELP headrace_worker_%s %s\n# TYPE headrace_worker_%s counter\n", name, help,
               name);
    buf_printf(b, "headrace_worker_%s %lld\n", name, (long long)value);
}

void runner_metrics(const struct runner *runner, struct buf *b)
{
    const struct remote *remote = runner->remote;
    counter(b, "messages_received_total", "Messages taken from the queue.", runner->received);
    counter(b, "messages_finished_total", "Messages done and deleted.", runner->finished);
    counter(b, "messages_failed_total", "Messages left to their visibility timeout.",
            runner->failed);
    counter(b, "counted_bytes_total", "Bytes of objects read.", runner->bytes);
    counter(b, "extensions_total", "Visibility timeouts extended.", runner->extensions);
    counter(b, "requests_total", "Requests to S3 and SQS, with retries.", remote->calls);
    counter(b, "retries_total", "Requests that were retries.", remote->retries);
    counter(b, "throttles_total", "Answers that asked to slow down.", remote->throttles);
    buf_printf(b,
               "# HELP headrace_worker_in_flight Messages in flight.\n"
               "# TYPE headrace_worker_in_flight gauge\nheadrace_worker_in_flight %zu\n",
               runner->active);
}
