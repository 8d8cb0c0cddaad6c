/* sqs_world.h - a queue engine in memory with a clock that is a number: what the tests of SQS
 * share. */
#ifndef HEADRACE_TESTS_SQS_WORLD_H
#define HEADRACE_TESTS_SQS_WORLD_H

#include "unit.h"

#include "base/buf.h"
#include "base/rng.h"
#include "base/text.h"
#include "sqs/batch.h"
#include "sqs/check.h"
#include "sqs/move.h"
#include "sqs/peek.h"
#include "sqs/permission.h"
#include "sqs/queue.h"
#include "sqs/rules.h"

#define T0 1700000000000 /* where the clock starts */

struct world {
    struct db *db;
    struct sqs *sqs;
    struct ctx ctx;
    struct rng rng;
    int woken; /* calls of the ready hook */
    int64_t woken_queue;
    struct sqs_message *got; /* of the last receive */
    size_t n;
    struct sqs_sent sent; /* by the last send */
};

static inline void world_ready(void *user, int64_t queue)
{
    struct world *w = user;
    w->woken++;
    w->woken_queue = queue;
}

static inline struct world *world_open(bool strict)
{
    struct world *w = calloc(1, sizeof *w);
    char *message = NULL;
    w->db = db_open(NULL, DURABLE_PROCESS, &message);
    struct sqs_options options = {.strict = strict};
    struct sqs_hooks hooks = {.user = w, .ready = world_ready};
    w->sqs = sqs_open(w->db, &options, &hooks);
    rng_seed(&w->rng, 7);
    w->ctx = (struct ctx){.now = T0,
                          .arena = arena_new(),
                          .rng = &w->rng,
                          .account = S("000000000000"),
                          .region = S("us-east-1"),
                          .host = S("localhost:4566")};
    return w;
}

static inline void world_close(struct world *w)
{
    str wrong = sqs_check(w->sqs, w->ctx.arena);
    CHECK_STR(wrong, STR_NONE);
    sqs_close(w->sqs);
    db_close(w->db);
    arena_free(w->ctx.arena);
    free(w);
}

/* Moves the clock and does what falls due on the way, each thing at its own instant. */
static inline void at(struct world *w, msec after_start)
{
    msec end = T0 + after_start, due;
    while ((due = sqs_next_due(w->sqs)) <= end) {
        if (due > w->ctx.now)
            w->ctx.now = due;
        sqs_tick(w->sqs, &w->ctx);
    }
    w->ctx.now = end;
}

/* Attributes as "Name=value;Name=value". */
static inline size_t pairs_of(struct world *w, const char *text, struct sqs_pair *pairs)
{
    size_t n = 0;
    for (str rest = str_of(text); rest.p && rest.n;) {
        str item = str_cut(&rest, ';');
        pairs[n].name = arena_copy(w->ctx.arena, str_cut(&item, '='));
        pairs[n++].value = arena_copy(w->ctx.arena, item);
    }
    return n;
}

static inline err try_queue(struct world *w, const char *name, const char *attributes,
                            int64_t *queue)
{
    struct sqs_pair pairs[16];
    size_t n = pairs_of(w, attributes, pairs);
    return sqs_queue_create(w->sqs, &w->ctx, str_of(name), pairs, n, NULL, 0, queue);
}

static inline int64_t make_queue(struct world *w, const char *name, const char *attributes)
{
    int64_t queue = 0;
    CHECK_OK(try_queue(w, name, attributes, &queue));
    return queue;
}

static inline err try_set(struct world *w, int64_t queue, const char *attributes)
{
    struct sqs_pair pairs[16];
    size_t n = pairs_of(w, attributes, pairs);
    return sqs_queue_set(w->sqs, &w->ctx, queue, pairs, n);
}

static inline str attribute(struct world *w, int64_t queue, const char *name)
{
    struct sqs_pair *pairs;
    size_t n;
    str names[] = {str_of(name)};
    CHECK_OK(sqs_queue_get(w->sqs, &w->ctx, queue, names, 1, &pairs, &n));
    return n ? pairs[0].value : STR_NONE;
}

static inline err try_send(struct world *w, int64_t queue, const struct sqs_send *send)
{
    return sqs_message_send(w->sqs, &w->ctx, queue, send, &w->sent);
}

static inline void send(struct world *w, int64_t queue, const char *body)
{
    struct sqs_send message = {.body = str_of(body), .delay = -1};
    CHECK_OK(try_send(w, queue, &message));
}

static inline void send_delayed(struct world *w, int64_t queue, const char *body, int64_t seconds)
{
    struct sqs_send message = {.body = str_of(body), .delay = seconds};
    CHECK_OK(try_send(w, queue, &message));
}

/* The body is the deduplication id too. */
static inline void send_group(struct world *w, int64_t queue, const char *group, const char *body)
{
    struct sqs_send message = {
        .body = str_of(body), .delay = -1, .group = str_of(group), .dedup = str_of(body)};
    CHECK_OK(try_send(w, queue, &message));
}

static inline err try_receive(struct world *w, int64_t queue, int64_t max, int64_t visibility)
{
    struct sqs_receive receive = {.max = max, .visibility = visibility};
    return sqs_message_receive(w->sqs, &w->ctx, queue, &receive, &w->got, &w->n);
}

static inline size_t receive(struct world *w, int64_t queue, int64_t max)
{
    CHECK_OK(try_receive(w, queue, max, -1));
    return w->n;
}

/* Bodies of a receive, joined by blanks. */
static inline str bodies(struct world *w, int64_t queue, int64_t max, int64_t visibility)
{
    struct buf b = buf_in(w->ctx.arena);
    CHECK_OK(try_receive(w, queue, max, visibility));
    for (size_t i = 0; i < w->n; i++) {
        if (i)
            buf_char(&b, ' ');
        buf_put(&b, w->got[i].body);
    }
    return buf_str(&b);
}

static inline err delete (struct world *w, int64_t queue, str receipt)
{
    return sqs_message_delete(w->sqs, &w->ctx, queue, receipt);
}

static inline err hide(struct world *w, int64_t queue, str receipt, int64_t seconds)
{
    return sqs_message_hide(w->sqs, &w->ctx, queue, receipt, seconds);
}

/* "visible/in flight/delayed". */
static inline str counts(struct world *w, int64_t queue)
{
    str a = attribute(w, queue, "ApproximateNumberOfMessages");
    str b = attribute(w, queue, "ApproximateNumberOfMessagesNotVisible");
    str c = attribute(w, queue, "ApproximateNumberOfMessagesDelayed");
    return arena_printf(w->ctx.arena, "%.*s/%.*s/%.*s", STR_ARG(a), STR_ARG(b), STR_ARG(c));
}

#define CHECK_SAYS(expression, row, text)                                                          \
    do {                                                                                           \
        err says_ = (expression);                                                                  \
        CHECK_FAULT(says_, row);                                                                   \
        CHECK_STR(err_message(says_), S(text));                                                    \
    } while (0)

#endif
