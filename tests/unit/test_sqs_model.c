/* Random operations against a model of a queue that anybody can read: arrays, searched from end to
 * end. Standard queues must give exactly what the model gives, in its order; FIFO queues must give
 * a legal choice: whole runs of groups, as much as there is. Every so often the working set is
 * compared with the tables, and read anew from them. */
#include "sqs_world.h"

enum { MESSAGES = 4000, HANDLES = 4000, GROUPS = 8 };

struct model_message {
    int number;                  /* its body */
    int group;                   /* -1: none */
    int queue;                   /* 0: source, 1: dead letters */
    int64_t order;               /* of arrival in its queue */
    msec sent, born, visible_at; /* born: when retention began */
    int64_t receives;
    bool alive, in_flight;
};

struct handle {
    str text;
    int message;
    int queue;
    int64_t receives;
    int64_t order;
};

struct model {
    struct world *w;
    struct rng dice;
    bool fifo;
    int64_t queue[2];
    struct model_message messages[MESSAGES];
    int n;
    struct handle handles[HANDLES];
    int nhandles;
    int64_t arrivals;
    msec now;
    struct arena *kept; /* outlives the steps: handles */
};

enum { RETENTION = 600000, VISIBILITY = 30, MAX_RECEIVES = 4 };

static int64_t roll(struct model *m, uint64_t sides)
{
    return (int64_t)rng_below(&m->dice, sides);
}

static bool visible(const struct model *m, const struct model_message *message)
{
    return message->alive && message->visible_at <= m->now;
}

static void expire(struct model *m)
{
    for (int i = 0; i < m->n; i++)
        if (m->messages[i].born + RETENTION <= m->now)
            m->messages[i].alive = false;
}

/* The living message of the queue that arrived first after `after` (and, for groups, is of that
 * group). */
static struct model_message *next_message(struct model *m, int queue, int64_t after, int group)
{
    struct model_message *best = NULL;
    for (int i = 0; i < m->n; i++) {
        struct model_message *message = &m->messages[i];
        if (message->alive && message->queue == queue && message->order > after &&
            (group < 0 || message->group == group) && (!best || message->order < best->order))
            best = message;
    }
    return best;
}

static void advance(struct model *m, msec by)
{
    m->now += by;
    at(m->w, m->now - T0);
    expire(m);
}

/* --- operations --- */

static void do_send(struct model *m)
{
    if (m->n == MESSAGES)
        return;
    struct model_message *message = &m->messages[m->n];
    char body[16], dedup[16], group[8];
    int64_t delay = !m->fifo && roll(m, 5) == 0 ? roll(m, 60) : 0;
    *message = (struct model_message){.number = m->n,
                                      .group = m->fifo ? (int)roll(m, GROUPS) : -1,
                                      .order = ++m->arrivals,
                                      .sent = m->now,
                                      .born = m->now,
                                      .visible_at = m->now + delay * 1000,
                                      .alive = true};
    snprintf(body, sizeof body, "%d", m->n);
    snprintf(dedup, sizeof dedup, "d%d", m->n);
    snprintf(group, sizeof group, "g%d", message->group);
    struct sqs_send send = {.body = str_of(body), .delay = delay};
    if (m->fifo) {
        send.group = str_of(group);
        send.dedup = str_of(dedup);
    }
    CHECK_OK(try_send(m->w, m->queue[0], &send));
    m->n++;
}

static void lease(struct model *m, int queue, struct model_message *message,
                  const struct sqs_message *got, int64_t visibility)
{
    message->receives++;
    message->in_flight = visibility > 0;
    message->visible_at = visibility ? m->now + visibility * 1000 : 0;
    CHECK_INT(got->receive_count, message->receives);
    CHECK_INT(got->sent_at, message->sent);
    struct handle *handle =
        &m->handles[m->nhandles < HANDLES ? m->nhandles++ : (int)roll(m, HANDLES)];
    *handle = (struct handle){arena_copy(m->kept, got->receipt), message->number, queue,
                              message->receives, message->order};
}

/* Past its last receive: to the dead letter queue, where it arrives last. */
static bool dies(struct model *m, struct model_message *message)
{
    if (message->queue != 0 || message->receives < MAX_RECEIVES)
        return false;
    message->queue = 1;
    message->order = ++m->arrivals;
    message->visible_at = 0;
    message->in_flight = false;
    if (m->fifo)
        message->born = m->now;
    return true;
}

static void receive_standard(struct model *m, int queue, int64_t max, int64_t visibility)
{
    CHECK_OK(try_receive(m->w, m->queue[queue], max, visibility));
    size_t n = 0;
    int64_t after = 0;
    struct model_message *message;
    while ((int64_t)n < max && (message = next_message(m, queue, after, -1))) {
        after = message->order;
        if (!visible(m, message) || dies(m, message))
            continue;
        CHECK(n < m->w->n);
        CHECK_STR(m->w->got[n].body, arena_printf(m->w->ctx.arena, "%d", message->number));
        lease(m, queue, message, &m->w->got[n++], visibility == -1 ? VISIBILITY : visibility);
    }
    CHECK_INT(m->w->n, n);
}

/* How many messages of the group could be given now, and how many of them would die instead. */
static int64_t run_of(struct model *m, int queue, int group)
{
    int64_t n = 0, after = 0;
    struct model_message *message;
    while ((message = next_message(m, queue, after, group)) && visible(m, message)) {
        after = message->order;
        n += !(queue == 0 && message->receives >= MAX_RECEIVES);
    }
    return n;
}

static void receive_fifo(struct model *m, int queue, int64_t max, int64_t visibility)
{
    int64_t run[GROUPS], total = 0, after[GROUPS] = {0};
    bool done[GROUPS] = {false};
    for (int g = 0; g < GROUPS; g++)
        total += run[g] = run_of(m, queue, g);
    CHECK_OK(try_receive(m->w, m->queue[queue], max, visibility));
    CHECK_INT(m->w->n, total < max ? total : max);
    int last = -1;
    for (size_t i = 0; i < m->w->n; i++) {
        int64_t number = -1;
        CHECK(str_to_int(m->w->got[i].body, &number));
        struct model_message *got = &m->messages[number], *message;
        int group = got->group;
        if (group != last && last >= 0) {
            CHECK_INT(run[last], 0); /* a group is given whole before the next */
            done[last] = true;
        }
        CHECK(!done[group]);
        /* Those before it in the group died on the way, or it is the next one. */
        while ((message = next_message(m, queue, after[group], group)) != got) {
            CHECK(message != NULL);
            after[group] = message->order;
            CHECK(dies(m, message));
        }
        after[group] = got->order;
        run[group]--;
        lease(m, queue, got, &m->w->got[i], visibility == -1 ? VISIBILITY : visibility);
        last = group;
    }
    /* What may have died without a survivor behind it: the engine says. */
    for (int i = 0; i < m->n; i++) {
        struct model_message *message = &m->messages[i];
        if (message->alive && message->queue == queue && queue == 0 && visible(m, message) &&
            message->receives >= MAX_RECEIVES) {
            struct sqs_peek peek = {.limit = 1000, .invisible = true, .delayed = true};
            struct sqs_peeked *seen;
            size_t n;
            bool there = false;
            CHECK_OK(sqs_messages_peek(m->w->sqs, &m->w->ctx, m->queue[0], &peek, &seen, &n));
            for (size_t j = 0; j < n; j++)
                there = there || str_eq(seen[j].message.body,
                                        arena_printf(m->w->ctx.arena, "%d", message->number));
            if (!there)
                dies(m, message);
        }
    }
}

static void do_receive(struct model *m)
{
    int queue = roll(m, 4) == 0;
    int64_t max = 1 + roll(m, 10), visibility = roll(m, 3) ? -1 : roll(m, 2) ? 0 : roll(m, 90);
    if (m->fifo)
        receive_fifo(m, queue, max, visibility);
    else
        receive_standard(m, queue, max, visibility);
}

static const struct fault *delete_outcome(struct model *m, const struct handle *handle,
                                          struct model_message *message)
{
    if (!message->alive || message->queue != handle->queue || message->order != handle->order)
        return NULL;
    bool holds =
        message->in_flight && message->visible_at > m->now && message->receives == handle->receives;
    if (m->fifo && !holds)
        return &SQS_INVALID_PARAMETER;
    message->alive = false;
    return NULL;
}

static void do_delete(struct model *m)
{
    if (!m->nhandles)
        return;
    struct handle *handle = &m->handles[roll(m, (uint64_t)m->nhandles)];
    const struct fault *want = delete_outcome(m, handle, &m->messages[handle->message]);
    unit_check_err(delete (m->w, m->queue[handle->queue], handle->text), want, "delete", __FILE__,
                   __LINE__);
}

static const struct fault *hide_outcome(struct model *m, const struct handle *handle,
                                        struct model_message *message, int64_t seconds)
{
    if (!message->alive || message->queue != handle->queue || message->order != handle->order)
        return &SQS_INVALID_PARAMETER;
    if (!message->in_flight || message->visible_at <= m->now)
        return NULL;
    if (m->fifo && message->receives != handle->receives)
        return &SQS_INVALID_PARAMETER;
    message->visible_at = seconds ? m->now + seconds * 1000 : 0;
    message->in_flight = seconds > 0;
    return NULL;
}

static void do_hide(struct model *m)
{
    if (!m->nhandles)
        return;
    struct handle *handle = &m->handles[roll(m, (uint64_t)m->nhandles)];
    int64_t seconds = roll(m, 3) ? roll(m, 120) : 0;
    const struct fault *want = hide_outcome(m, handle, &m->messages[handle->message], seconds);
    unit_check_err(hide(m->w, m->queue[handle->queue], handle->text, seconds), want, "hide",
                   __FILE__, __LINE__);
}

static void do_purge(struct model *m)
{
    CHECK_OK(sqs_queue_purge(m->w->sqs, &m->w->ctx, m->queue[1]));
    for (int i = 0; i < m->n; i++)
        if (m->messages[i].queue == 1)
            m->messages[i].alive = false;
}

static void do_restart(struct model *m)
{
    at(m->w, m->now - T0);
    str before = sqs_dump(m->w->sqs, m->w->ctx.arena);
    sqs_reload(m->w->sqs);
    at(m->w, m->now - T0);
    CHECK_STR(sqs_dump(m->w->sqs, m->w->ctx.arena), before);
}

static void check_counts(struct model *m)
{
    for (int queue = 0; queue < 2; queue++) {
        int64_t visible_now = 0, flying = 0, delayed = 0;
        for (int i = 0; i < m->n; i++) {
            const struct model_message *message = &m->messages[i];
            if (!message->alive || message->queue != queue)
                continue;
            if (visible(m, message))
                visible_now++;
            else if (message->in_flight)
                flying++;
            else
                delayed++;
        }
        CHECK_STR(counts(m->w, m->queue[queue]),
                  arena_printf(m->w->ctx.arena, "%lld/%lld/%lld", (long long)visible_now,
                               (long long)flying, (long long)delayed));
    }
}

static void step(struct model *m)
{
    static void (*const operations[])(struct model *) = {
        do_send,    do_send,    do_send,   do_receive, do_receive,
        do_receive, do_receive, do_delete, do_delete,  do_hide};
    int64_t pick = roll(m, 1000);
    if (pick < 4)
        do_restart(m);
    else if (pick < 6)
        do_purge(m);
    else if (pick < 150)
        advance(m, roll(m, 10) ? roll(m, 20000) : roll(m, 200000));
    else
        operations[pick % 10](m);
    check_counts(m);
}

static void run(bool fifo, uint64_t seed, int steps)
{
    struct model *m = calloc(1, sizeof *m);
    m->w = world_open(false);
    m->fifo = fifo;
    m->now = T0;
    m->kept = arena_new();
    rng_seed(&m->dice, seed);
    m->queue[1] = make_queue(m->w, fifo ? "dead.fifo" : "dead",
                             fifo ? "FifoQueue=true;MessageRetentionPeriod=600"
                                  : "MessageRetentionPeriod=600");
    char attributes[300];
    snprintf(attributes, sizeof attributes,
             "%sMessageRetentionPeriod=600;RedrivePolicy={\"deadLetterTargetArn\":\"arn:aws:sqs:us-"
             "east-1:000000000000:%s\","
             "\"maxReceiveCount\":%d}",
             fifo ? "FifoQueue=true;" : "", fifo ? "dead.fifo" : "dead", MAX_RECEIVES);
    m->queue[0] = make_queue(m->w, fifo ? "source.fifo" : "source", attributes);
    for (int i = 0; i < steps; i++) {
        step(m);
        if (i % 50 == 0)
            CHECK_STR(sqs_check(m->w->sqs, m->w->ctx.arena), STR_NONE);
        arena_reset(m->w->ctx.arena);
    }
    world_close(m->w);
    arena_free(m->kept);
    free(m);
}

TEST(a_standard_queue_does_what_the_model_does)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(false, seed, 4000);
}

TEST(a_fifo_queue_does_what_the_model_allows)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(true, seed, 4000);
}

UNIT_MAIN
