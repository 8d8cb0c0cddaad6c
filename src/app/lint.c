/* app/lint.c - see lint.h. Messages live in a table where a new one takes the place of an old one
 * with the same slot: what is forgotten can hide a finding, never make one, for every slot carries
 * the whole hash of its message. */
#include "app/lint.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define QUEUES 1024   /* slots; three quarters are used */
#define MESSAGES 4096 /* slots of each table by message */
#define EVENTS 1024
#define CLIENTS 256
#define FOUND_MAX 500
#define QUIET ((msec)60000)
#define POLLS_MIN 20

struct queue_seen {
    uint64_t hash; /* 0: free */
    int64_t most_receives, deletes, hides;
    int64_t client_receives; /* most receives of one message by clients */
    int64_t often;           /* messages that clients received three times */
    int64_t polls, polls_short;
    msec deleted, purged; /* 0: never */
};

struct message_seen {
    uint64_t hash;
    msec received, until; /* until 0: the consumer gave it back */
    int64_t deliveries;
};

struct event_seen { /* by the event's message */
    uint64_t hash, bucket, key;
    char base[64]; /* the key's last part; "" when longer */
};

struct client_seen { /* by access key */
    uint64_t hash, message;
    char id[40];
    msec until;   /* instant at which it lets go */
    bool several; /* of more than one message */
};

struct write_seen { /* by cause and subject */
    uint64_t hash, fingerprint;
    int64_t delivery;
};

struct found {
    struct found *next;
    enum lint_code code;
    char *subject, *seen;
    int64_t count;
};

struct lint {
    struct queue_seen queues[QUEUES];
    struct message_seen messages[MESSAGES];
    struct event_seen events[EVENTS];
    struct client_seen clients[CLIENTS];
    struct write_seen writes[MESSAGES];
    size_t nqueues, nfound;
    struct found *found, **end;
    uint64_t last_region, last_key;
};

struct lint *lint_new(void)
{
    struct lint *lint = xalloc(sizeof *lint);
    lint->end = &lint->found;
    return lint;
}

static void found_free(struct lint *lint)
{
    while (lint->found) {
        struct found *found = lint->found;
        lint->found = found->next;
        free(found->subject);
        free(found->seen);
        free(found);
    }
}

void lint_clear(struct lint *lint)
{
    if (!lint)
        return;
    found_free(lint);
    memset(lint, 0, sizeof *lint);
    lint->end = &lint->found;
}

void lint_free(struct lint *lint)
{
    if (!lint)
        return;
    found_free(lint);
    free(lint);
}

void lint_found(struct lint *lint, enum lint_code code, str subject, str seen)
{
    for (struct found *found = lint->found; found; found = found->next)
        if (found->code == code && str_eq(str_of(found->subject), subject)) {
            found->count++;
            return;
        }
    if (lint->nfound == FOUND_MAX)
        return;
    struct found *found = xalloc(sizeof *found);
    *found = (struct found){
        .code = code, .subject = xstrdup(subject), .seen = xstrdup(seen), .count = 1};
    lint->nfound++;
    *lint->end = found;
    lint->end = &found->next;
}

/* ---- the tables ---- */

static uint64_t both(uint64_t a, uint64_t b)
{
    uint64_t mixed = (a ^ (b << 31 | b >> 33)) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed ? mixed : 1;
}

static uint64_t hash_name(const struct lint_name *name)
{
    return both(both(str_hash(name->account), str_hash(name->region)), str_hash(name->queue));
}

static const struct queue_seen *queue_find(const struct lint *lint, uint64_t hash)
{
    size_t at = hash % QUEUES;
    while (lint->queues[at].hash && lint->queues[at].hash != hash)
        at = (at + 1) % QUEUES;
    return &lint->queues[at];
}

/* NULL when the table is full. */
static struct queue_seen *queue_of(struct lint *lint, const struct lint_name *name)
{
    uint64_t hash = hash_name(name);
    struct queue_seen *queue = &lint->queues[queue_find(lint, hash) - lint->queues];
    if (queue->hash)
        return queue;
    if (lint->nqueues >= QUEUES / 4 * 3)
        return NULL;
    lint->nqueues++;
    queue->hash = hash;
    return queue;
}

static struct message_seen *message_of(struct lint *lint, str id, uint64_t *hash)
{
    *hash = both(str_hash(id), 0);
    return &lint->messages[*hash % MESSAGES];
}

static str queue_arn(struct arena *arena, const struct lint_name *name)
{
    return arena_printf(arena, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(name->region),
                        STR_ARG(name->account), STR_ARG(name->queue));
}

static void found_queue(struct lint *lint, enum lint_code code, const struct lint_name *name,
                        const char *what, msec length)
{
    struct arena *arena = arena_new();
    str seen = arena_printf(arena, "%s after %lld.%03lld s", what, (long long)(length / 1000),
                            (long long)(length % 1000));
    lint_found(lint, code, queue_arn(arena, name), seen);
    arena_free(arena);
}

/* ---- clients ---- */

static struct client_seen *client_of(struct lint *lint, str client, uint64_t *hash)
{
    *hash = both(str_hash(client), 1);
    return &lint->clients[*hash % CLIENTS];
}

static void client_took(struct lint *lint, const struct lint_message *seen, uint64_t message)
{
    uint64_t hash;
    struct client_seen *client = client_of(lint, seen->client, &hash);
    bool busy = client->hash == hash && client->until > seen->at && client->message != message;
    if (!busy)
        *client = (struct client_seen){.hash = hash, .message = message};
    client->several = busy;
    if (seen->until > client->until)
        client->until = seen->until;
    if (seen->id.n < sizeof client->id)
        memcpy(client->id, seen->id.p, seen->id.n);
}

static void client_left(struct lint *lint, const struct lint_message *seen, uint64_t message)
{
    uint64_t hash;
    struct client_seen *client = client_of(lint, seen->client, &hash);
    if (client->hash == hash && client->message == message && !client->several)
        client->until = seen->until;
}

str lint_working_on(const struct lint *lint, str client, msec now)
{
    uint64_t hash = both(str_hash(client), 1);
    const struct client_seen *at = &lint->clients[hash % CLIENTS];
    bool one = client.n && at->hash == hash && !at->several && at->until > now;
    return one ? str_of(at->id) : STR_NONE;
}

/* ---- messages ---- */

void lint_saw_received(struct lint *lint, const struct lint_message *seen)
{
    uint64_t hash;
    struct message_seen *message = message_of(lint, seen->id, &hash);
    struct queue_seen *queue = queue_of(lint, &seen->name);
    if (message->hash != hash)
        *message = (struct message_seen){.hash = hash};
    message->received = seen->at;
    message->until = seen->until;
    message->deliveries++;
    if (!queue)
        return;
    if (seen->attempt > queue->most_receives)
        queue->most_receives = seen->attempt;
    if (!seen->client.n)
        return;
    client_took(lint, seen, hash);
    if (seen->attempt > queue->client_receives)
        queue->client_receives = seen->attempt;
    queue->often += seen->attempt == 3;
}

void lint_saw_hidden(struct lint *lint, const struct lint_message *seen)
{
    uint64_t hash;
    struct message_seen *message = message_of(lint, seen->id, &hash);
    struct queue_seen *queue = queue_of(lint, &seen->name);
    if (message->hash == hash)
        message->until = seen->until;
    if (seen->client.n)
        client_left(lint, seen, hash);
    if (queue)
        queue->hides++;
}

void lint_saw_returned(struct lint *lint, const struct lint_message *seen)
{
    uint64_t hash;
    struct message_seen *message = message_of(lint, seen->id, &hash);
    if (message->hash != hash || seen->at >= message->until)
        return; /* the timeout ended */
    message->until = 0;
    message->deliveries--;
}

void lint_saw_deleted(struct lint *lint, const struct lint_message *seen)
{
    uint64_t hash;
    struct message_seen *message = message_of(lint, seen->id, &hash);
    struct queue_seen *queue = queue_of(lint, &seen->name);
    if (seen->client.n)
        client_left(lint, seen, hash);
    if (queue)
        queue->deletes++;
    if (message->hash == hash && message->until && message->until > message->received &&
        seen->at > message->until)
        found_queue(lint, LINT_VISIBILITY_TOO_SHORT, &seen->name,
                    "a message was deleted when it was visible again,",
                    seen->at - message->received);
}

/* ---- queues ---- */

void lint_saw_receive(struct lint *lint, const struct lint_name *name, bool polled_short,
                      bool empty)
{
    struct queue_seen *queue = queue_of(lint, name);
    if (!queue)
        return;
    queue->polls++;
    queue->polls_short += polled_short && empty;
}

void lint_saw_queue_deleted(struct lint *lint, const struct lint_name *name, msec now)
{
    struct queue_seen *queue = queue_of(lint, name);
    if (queue)
        *queue = (struct queue_seen){.hash = queue->hash, .deleted = now};
}

void lint_saw_queue_created(struct lint *lint, const struct lint_name *name, msec now)
{
    struct queue_seen *queue = queue_of(lint, name);
    if (!queue || !queue->deleted)
        return;
    if (now >= queue->deleted && now - queue->deleted < QUIET)
        found_queue(lint, LINT_QUEUE_RECREATED, name, "created again", now - queue->deleted);
    queue->deleted = 0;
}

void lint_saw_purge(struct lint *lint, const struct lint_name *name, msec now)
{
    struct queue_seen *queue = queue_of(lint, name);
    if (!queue)
        return;
    if (queue->purged && now >= queue->purged && now - queue->purged < QUIET)
        found_queue(lint, LINT_PURGE_TOO_SOON, name, "purged again", now - queue->purged);
    queue->purged = now;
}

/* ---- what processing writes ---- */

static str last_part(str key)
{
    size_t at = key.n;
    while (at && key.p[at - 1] != '/')
        at--;
    return str_slice(key, at, key.n);
}

static bool part_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "thumb-a.jpg" and "a.jpg.out" are made from "a.jpg"; "aa.jpg" isn't. */
static bool made_from(str key, str base)
{
    for (ptrdiff_t at = 0; base.n && (at = str_find(key, base, (size_t)at)) >= 0; at++) {
        size_t end = (size_t)at + base.n;
        bool begins = at == 0 || !part_of_word(key.p[at - 1]);
        if (begins && (end == key.n || !part_of_word(key.p[end])))
            return true;
    }
    return false;
}

static bool is_loop(const struct lint *lint, uint64_t bucket, str key, str cause, bool guessed)
{
    uint64_t hash = both(str_hash(cause), 0);
    const struct event_seen *before = &lint->events[hash % EVENTS];
    if (before->hash != hash || before->bucket != bucket)
        return false;
    return !guessed || (before->key != str_hash(key) && made_from(key, str_of(before->base)));
}

void lint_saw_event(struct lint *lint, str bucket, str key, str id, str cause, bool guessed)
{
    uint64_t of_bucket = both(str_hash(bucket), 0);
    if (cause.p && is_loop(lint, of_bucket, key, cause, guessed)) {
        struct arena *arena = arena_new();
        str seen = arena_printf(
            arena, "processing an event of this bucket wrote %.*s, which made an event again",
            STR_ARG(key));
        lint_found(lint, LINT_TRIGGER_LOOP, arena_join(arena, S("s3://"), bucket), seen);
        arena_free(arena);
    }
    struct event_seen event = {
        .hash = both(str_hash(id), 0), .bucket = of_bucket, .key = str_hash(key)};
    str base = last_part(key);
    if (base.n && base.n < sizeof event.base)
        memcpy(event.base, base.p, base.n);
    lint->events[event.hash % EVENTS] = event;
}

void lint_saw_write(struct lint *lint, str cause, str subject, uint64_t fingerprint)
{
    uint64_t hash;
    const struct message_seen *message = message_of(lint, cause, &hash);
    int64_t delivery = message->hash == hash ? message->deliveries : 0;
    hash = both(hash, str_hash(subject));
    struct write_seen *write = &lint->writes[hash % MESSAGES];
    bool again = delivery && write->hash == hash && write->delivery && write->delivery != delivery;
    if (again && write->fingerprint != fingerprint)
        lint_found(lint, LINT_NOT_IDEMPOTENT, subject,
                   S("two deliveries of one message wrote different bytes"));
    *write = (struct write_seen){hash, fingerprint, delivery};
}

/* ---- callers ---- */

static bool aws_key(str key)
{
    return key.n >= 16 && (str_starts(key, S("AKIA")) || str_starts(key, S("ASIA")));
}

void lint_saw_caller(struct lint *lint, str access_key, str region, bool (*known)(str region))
{
    uint64_t of_region = str_hash(region), of_key = str_hash(access_key);
    if (of_region != lint->last_region && !known(region))
        lint_found(lint, LINT_UNKNOWN_REGION, region, S("requests were signed for this region"));
    if (access_key.n && of_key != lint->last_key && !aws_key(access_key))
        lint_found(lint, LINT_TEST_CREDENTIALS, S("access keys"),
                   S("access key ids that AWS never gave out"));
    lint->last_region = of_region;
    lint->last_key = of_key;
}

/* ---- the report ---- */

static const struct code_row {
    const char *code;
    enum lint_severity severity;
    const char *why, *fix;
} codes[LINT_NCODES] = {
#define LINT_ROW(row, code, severity, why, fix) [LINT_##row] = {code, LINT_##severity, why, fix},
    LINT_CODES(LINT_ROW)
#undef LINT_ROW
};

void lint_report_add(struct lint_report *report, enum lint_code code, str subject, str seen,
                     int64_t count)
{
    if (report->n == report->cap) {
        struct lint_finding *more = arena_array(report->arena, report->cap * 2 + 16, sizeof *more);
        if (report->n)
            memcpy(more, report->at, report->n * sizeof *more);
        report->at = more;
        report->cap = report->cap * 2 + 16;
    }
    report->at[report->n++] = (struct lint_finding){code, arena_copy(report->arena, subject),
                                                    arena_copy(report->arena, seen), count};
}

void lint_report_observed(struct lint_report *report, const struct lint *lint)
{
    for (const struct found *found = lint->found; found; found = found->next)
        lint_report_add(report, found->code, str_of(found->subject), str_of(found->seen),
                        found->count);
}

/* A consumer that fails on every message is no consumer that forgets to delete: with a redrive
 * policy it takes more of a pattern, and one that gives messages back with ChangeMessageVisibility
 * knows what it does. */
static bool never_deletes(const struct queue_seen *seen, bool redrive)
{
    return seen->client_receives >= 3 && !seen->deletes && !seen->hides &&
           (!redrive || seen->often >= 3);
}

static void judge_receives(struct lint_report *report, const struct queue_seen *seen,
                           const struct lint_queue_state *queue, str arn)
{
    struct arena *arena = report->arena;
    if (!queue->redrive && !queue->dead_letter && seen->most_receives > 2)
        lint_report_add(
            report, LINT_NO_DEAD_LETTER_QUEUE, arn,
            arena_printf(arena,
                         "a message was received %lld times, and the queue has no RedrivePolicy",
                         (long long)seen->most_receives),
            1);
    if (!queue->dead_letter && never_deletes(seen, queue->redrive))
        lint_report_add(
            report, LINT_NEVER_DELETED, arn,
            arena_printf(arena, "a message was received %lld times, and nothing was ever deleted",
                         (long long)seen->client_receives),
            seen->often ? seen->often : 1);
    if (seen->polls >= POLLS_MIN && seen->polls_short * 2 >= seen->polls)
        lint_report_add(
            report, LINT_SHORT_POLLING, arn,
            arena_printf(arena, "%lld of %lld receives did not wait and returned nothing (%lld%%)",
                         (long long)seen->polls_short, (long long)seen->polls,
                         (long long)(seen->polls_short * 100 / seen->polls)),
            seen->polls_short);
}

void lint_report_queue(struct lint_report *report, const struct lint *lint,
                       const struct lint_queue_state *queue)
{
    str arn = queue_arn(report->arena, &queue->name);
    const struct queue_seen *seen = queue_find(lint, hash_name(&queue->name));
    if (seen->hash)
        judge_receives(report, seen, queue, arn);
    /* In a FIFO dead-letter queue a message's age starts anew. */
    if (queue->target.p && !queue->fifo && queue->target_retention <= queue->retention)
        lint_report_add(report, LINT_DEAD_LETTER_RETENTION, queue->target,
                        arena_printf(report->arena,
                                     "it keeps messages %lld s, its source %.*s keeps them %lld s",
                                     (long long)queue->target_retention, STR_ARG(queue->name.queue),
                                     (long long)queue->retention),
                        1);
}

size_t lint_report_count(const struct lint_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n; i++)
        n += codes[report->at[i].code].severity != LINT_INFO;
    return n;
}

static const char *const severities[] = {
    [LINT_INFO] = "info", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};

static void put_finding(struct buf *b, const struct lint_finding *finding)
{
    const struct code_row *row = &codes[finding->code];
    buf_printf(b, "{\"code\":\"%s\",\"severity\":\"%s\",\"subject\":", row->code,
               severities[row->severity]);
    buf_json(b, finding->subject);
    BUF_LIT(b, ",\"seen\":");
    buf_json(b, finding->seen);
    BUF_LIT(b, ",\"why\":");
    buf_json(b, str_of(row->why));
    BUF_LIT(b, ",\"fix\":");
    buf_json(b, str_of(row->fix));
    buf_printf(b, ",\"count\":%lld}", (long long)finding->count);
}

static void put_list(const struct lint_report *report, struct buf *b, bool notes)
{
    bool first = true;
    for (size_t i = 0; i < report->n; i++) {
        if ((codes[report->at[i].code].severity == LINT_INFO) != notes)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        put_finding(b, &report->at[i]);
    }
}

void lint_report_json(const struct lint_report *report, struct buf *b)
{
    BUF_LIT(b, "{\"findings\":[");
    put_list(report, b, false);
    BUF_LIT(b, "],\"notes\":[");
    put_list(report, b, true);
    BUF_LIT(b, "]}");
}

void lint_report_text(const struct lint_report *report, struct buf *b)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct lint_finding *finding = &report->at[i];
        const struct code_row *row = &codes[finding->code];
        buf_printf(b, "%s %s: %.*s: %.*s", severities[row->severity], row->code,
                   STR_ARG(finding->subject), STR_ARG(finding->seen));
        if (finding->count > 1)
            buf_printf(b, " (%lld times)", (long long)finding->count);
        buf_printf(b, "\n  why: %s\n  fix: %s\n", row->why, row->fix);
    }
    size_t n = lint_report_count(report);
    buf_printf(b, n == 1 ? "%zu finding\n" : "%zu findings\n", n);
}
