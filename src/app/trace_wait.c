/* app/trace_wait.c - see trace_wait.h. Events tell where a message went last; the queue engine is
 * asked for it there, so that a purge or a deleted queue, which tell of no single message, are seen
 * too. */
#include "app/trace_wait.h"

#include "app/turn.h"
#include "s3/config.h"
#include "s3/reset.h"
#include "sqs/peek.h"
#include "sqs/queue.h"

#include <string.h>

#define WAITS_MAX 100 /* a question about very much is answered without the rest */

struct life {
    struct app *app;
    struct arena *arena;
    struct trace_event *events;
    size_t n;
    struct trace_event waits[WAITS_MAX];
    size_t nwaits;
    msec now;
};

static void add(struct life *life, const struct trace_event *of, const char *reason,
                const char *note, msec until)
{
    if (life->nwaits == WAITS_MAX)
        return;
    life->waits[life->nwaits++] = (struct trace_event){
        .at = life->now,
        .kind = TRACE_WAITING,
        .id = of->id,
        .subject = of->subject,
        .reason = str_of(reason),
        .note = str_of(note),
        .until = until,
    };
}

/* ---- messages ---- */

/* Something in the trace ended it, or moved it on, after event i. */
static bool came_to_an_end(const struct life *life, size_t i)
{
    const struct trace_event *of = &life->events[i];
    for (size_t j = i + 1; j < life->n; j++) {
        const struct trace_event *event = &life->events[j];
        bool same = str_eq(event->id, of->id);
        if (same && (event->kind == TRACE_DELETED || event->kind == TRACE_EXPIRED ||
                     event->kind == TRACE_DEAD))
            return true;
        if (event->kind == TRACE_SENT && str_eq(event->because, of->id) &&
            str_find(event->note, S("move task"), 0) >= 0)
            return true;
    }
    return false;
}

static bool is_pipeline_queue(const struct life *life, const struct sqs_queue_facts *facts,
                              str name)
{
    const struct options *options = life->app->options;
    return str_eq(facts->name, name) && str_eq(facts->account, options->account) &&
           str_eq(facts->region, options->region);
}

/* Why the built-in pipeline does not take it; NULL: it would, or the queue is not its. */
static const char *switched_off(const struct life *life, const struct sqs_queue_facts *facts)
{
    const struct pipeline_options *pipeline = &life->app->options->pipeline;
    bool jobs = is_pipeline_queue(life, facts, pipeline->jobs_queue);
    if (!jobs && !is_pipeline_queue(life, facts, pipeline->ingest_queue))
        return NULL;
    if (!life->app->pool)
        return "the built-in pipeline is switched off (--no-pipeline), and nobody else received it";
    return jobs && pipeline->workers == 0
               ? "there are no workers (--workers 0), and nobody else received it"
               : NULL;
}

static void wait_visible(struct life *life, const struct trace_event *of,
                         const struct sqs_located *at)
{
    struct sqs_queue_facts facts;
    if (!sqs_queue_facts(life->app->sqs, at->queue, &facts))
        return;
    const char *off = switched_off(life, &facts);
    if (at->blocked)
        add(life, of, "group_blocked",
            "an earlier message of its group is in flight or delayed, and a FIFO queue keeps order",
            0);
    else if (sqs_queue_is_dead_letter(life->app->sqs, at->queue))
        add(life, of, "dead_letter",
            "it stays in this dead-letter queue until it is received there, redriven, or too old",
            0);
    else if (off)
        add(life, of, "no_worker", off, 0);
    else
        add(life, of, "not_received",
            at->received ? "visible again, and nobody received it since"
                         : "visible, and nobody received it yet",
            0);
}

static void wait_hidden(struct life *life, const struct trace_event *of,
                        const struct sqs_located *at)
{
    bool frozen = life->app->clock.mode == CLOCK_FROZEN;
    bool delayed = at->state == SQS_DELAYED;
    const char *note = delayed ? "delayed: nobody can receive it before"
                               : "received and not deleted: nobody else can receive it before";
    if (frozen)
        note = arena_printf(life->arena,
                            "%s; the clock is frozen, so that comes only when it is "
                            "moved (headrace clock advance)",
                            note)
                   .p;
    add(life, of, delayed ? "delayed" : "in_flight", note, at->until);
}

static void look_at_message(struct life *life, size_t i)
{
    const struct trace_event *of = &life->events[i];
    struct sqs_located at;
    enum sqs_whereabouts where = sqs_message_locate(life->app->sqs, of->place, life->now, &at);
    if (where == SQS_LOCATED && at.state == SQS_VISIBLE)
        wait_visible(life, of, &at);
    else if (where == SQS_LOCATED)
        wait_hidden(life, of, &at);
    else if (came_to_an_end(life, i))
        return;
    else if (where == SQS_QUEUE_GONE)
        add(life, of, "queue_deleted", "its queue was deleted, and all messages with it", 0);
    else
        add(life, of, "purged", "its queue was purged", 0);
}

/* ---- uploads ---- */

static void look_at_upload(struct life *life, size_t i)
{
    const struct trace_event *of = &life->events[i];
    int parts = 0;
    for (size_t j = i + 1; j < life->n; j++) {
        const struct trace_event *event = &life->events[j];
        bool completed = event->kind == TRACE_OBJECT && str_eq(event->because, of->id);
        if (completed || (event->kind == TRACE_NOTHING && str_eq(event->id, of->id)))
            return;
        parts += event->kind == TRACE_STEP && str_eq(event->id, of->id);
    }
    str note = arena_printf(life->arena,
                            "the multipart upload was neither completed nor aborted (%d uploads of "
                            "parts): there is no object, and no event, before "
                            "CompleteMultipartUpload",
                            parts);
    add(life, of, "upload_incomplete", note.p, 0);
}

/* ---- buckets without rules ---- */

static str bucket_of(str subject)
{
    str rest = str_slice(subject, 5, subject.n);
    return str_starts(subject, S("s3://")) ? str_cut(&rest, '/') : STR_NONE;
}

static const struct trace_event *birth_of(const struct life *life, str id)
{
    for (size_t i = 0; i < life->n; i++)
        if (trace_is_birth(life->events[i].kind) && str_eq(life->events[i].id, id))
            return &life->events[i];
    return NULL;
}

/* A rule is often on another bucket than was meant. */
static void tell_other_rules(struct life *life, struct trace_event *event)
{
    const struct trace_event *birth = birth_of(life, event->id);
    str own = birth ? bucket_of(birth->subject) : STR_NONE;
    struct s3_bucket **buckets;
    struct buf b = buf_in(life->arena);
    size_t n = s3_buckets_all(life->app->s3, life->arena, STR_NONE, &buckets), told = 0;
    for (size_t i = 0; i < n && told < 3; i++)
        if (s3_bucket_has(buckets[i], S3_CONFIG_NOTIFICATION) && !str_eq(buckets[i]->name, own))
            buf_printf(&b, "%s%.*s", told++ ? ", " : "", STR_ARG(buckets[i]->name));
    if (told)
        event->note = arena_printf(life->arena, "%.*s; other buckets have: %.*s",
                                   STR_ARG(event->note), STR_ARG(buf_str(&b)));
}

void trace_wait(struct app *app, struct arena *arena, struct trace_event **events, size_t *n)
{
    struct life *life = ARENA_NEW(arena, struct life);
    *life = (struct life){app, arena, *events, *n, .now = clock_now(&app->clock)};
    for (size_t i = 0; i < life->n && life->nwaits < WAITS_MAX; i++) {
        struct trace_event *event = &life->events[i];
        bool entered = event->kind == TRACE_SENT || event->kind == TRACE_DEAD;
        if (entered && event->place)
            look_at_message(life, i);
        else if (event->kind == TRACE_UPLOAD)
            look_at_upload(life, i);
        else if (event->kind == TRACE_NOTHING && str_eq(event->reason, S("no_rule")))
            tell_other_rules(life, event);
    }
    struct trace_event *all = arena_array(arena, life->n + life->nwaits, sizeof *all);
    if (life->n)
        memcpy(all, life->events, life->n * sizeof *all);
    memcpy(all + life->n, life->waits, life->nwaits * sizeof *all);
    *events = all;
    *n = life->n + life->nwaits;
}
