/* app/lint.c - see lint.h. Whatever changes a table tells `touch` first: what a request or a turn
 * made is taken back when they are rolled back. */
#include "app/lint_inside.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

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
    free(lint->undo);
    memset(lint, 0, sizeof *lint);
    lint->end = &lint->found;
}

void lint_free(struct lint *lint)
{
    if (!lint)
        return;
    lint_clear(lint);
    free(lint);
}

/* ---- taking back ---- */

struct changed {
    void *at;
    size_t n;
};

/* These bytes are about to change. */
static void touch(struct lint *lint, void *at, size_t n)
{
    struct changed changed = {at, n};
    size_t wanted = lint->nundo + n + sizeof changed;
    if (wanted > lint->undo_cap) {
        lint->undo_cap = wanted * 2;
        lint->undo = xrealloc(lint->undo, lint->undo_cap);
    }
    memcpy(lint->undo + lint->nundo, at, n);
    memcpy(lint->undo + lint->nundo + n, &changed, sizeof changed);
    lint->nundo = wanted;
}

struct lint_mark lint_mark(const struct lint *lint)
{
    return lint ? (struct lint_mark){lint->nundo, lint->nfound} : (struct lint_mark){0};
}

static void drop_found(struct lint *lint, size_t keep)
{
    struct found **at = &lint->found;
    size_t i = 0;
    for (; i < keep && *at; i++)
        at = &(*at)->next;
    struct found *found = *at;
    *at = NULL;
    lint->end = at;
    lint->nfound = i;
    while (found) {
        struct found *next = found->next;
        free(found->subject);
        free(found->seen);
        free(found);
        found = next;
    }
}

void lint_rewind(struct lint *lint, struct lint_mark mark)
{
    if (!lint)
        return;
    while (lint->nundo > mark.undo) {
        struct changed changed;
        lint->nundo -= sizeof changed;
        memcpy(&changed, lint->undo + lint->nundo, sizeof changed);
        lint->nundo -= changed.n;
        memcpy(changed.at, lint->undo + lint->nundo, changed.n);
    }
    drop_found(lint, mark.found);
}

void lint_settle(struct lint *lint, bool committed)
{
    if (!lint)
        return;
    if (!committed)
        lint_rewind(lint, (struct lint_mark){0, lint->settled});
    lint->nundo = 0;
    lint->settled = lint->nfound;
}

void lint_found(struct lint *lint, enum lint_code code, str subject, str seen)
{
    for (struct found *found = lint->found; found; found = found->next)
        if (found->code == code && str_eq(str_of(found->subject), subject)) {
            touch(lint, &found->count, sizeof found->count);
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

uint64_t lint_hash_name(const struct lint_name *name)
{
    return both(both(str_hash(name->account), str_hash(name->region)), str_hash(name->queue));
}

const struct queue_seen *lint_queue_find(const struct lint *lint, uint64_t hash)
{
    size_t at = hash % QUEUES;
    while (lint->queues[at].hash && lint->queues[at].hash != hash)
        at = (at + 1) % QUEUES;
    return &lint->queues[at];
}

/* NULL when the table is full. */
static struct queue_seen *queue_of(struct lint *lint, const struct lint_name *name)
{
    uint64_t hash = lint_hash_name(name);
    struct queue_seen *queue = &lint->queues[lint_queue_find(lint, hash) - lint->queues];
    touch(lint, queue, sizeof *queue);
    if (queue->hash)
        return queue;
    if (lint->nqueues >= QUEUES / 4 * 3)
        return NULL;
    touch(lint, &lint->nqueues, sizeof lint->nqueues);
    lint->nqueues++;
    queue->hash = hash;
    return queue;
}

static struct message_seen *message_of(struct lint *lint, str id, uint64_t *hash)
{
    *hash = both(str_hash(id), 0);
    struct message_seen *message = &lint->messages[*hash % MESSAGES];
    touch(lint, message, sizeof *message);
    return message;
}

str lint_queue_arn(struct arena *arena, const struct lint_name *name)
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
    lint_found(lint, code, lint_queue_arn(arena, name), seen);
    arena_free(arena);
}

/* ---- clients ---- */

static struct client_seen *client_of(struct lint *lint, str client, uint64_t *hash)
{
    *hash = both(str_hash(client), 1);
    struct client_seen *at = &lint->clients[*hash % CLIENTS];
    touch(lint, at, sizeof *at);
    return at;
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

/* A client deletes what it holds alone, and wrote nothing since it received it. */
static void note_early(struct lint *lint, const struct lint_message *seen, uint64_t message)
{
    uint64_t hash;
    struct client_seen *client = client_of(lint, seen->client, &hash);
    const struct event_seen *event = &lint->events[message % EVENTS];
    if (client->hash != hash || client->message != message || client->several ||
        client->until <= seen->at || client->wrote || event->hash != message)
        return;
    struct arena *arena = arena_new();
    str queue = lint_queue_arn(arena, &seen->name);
    if (queue.n < sizeof client->early.queue) {
        client->early.at = seen->at;
        client->early.bucket = event->bucket;
        memcpy(client->early.base, event->base, sizeof event->base);
        memcpy(client->early.queue, queue.p, queue.n + 1);
    }
    arena_free(arena);
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
    if (seen->client.n) {
        note_early(lint, seen, hash);
        client_left(lint, seen, hash);
    }
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
    struct event_seen *slot = &lint->events[event.hash % EVENTS];
    touch(lint, slot, sizeof *slot);
    *slot = event;
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
    touch(lint, write, sizeof *write);
    *write = (struct write_seen){hash, fingerprint, delivery};
}

#define EARLY ((msec)43200000) /* nobody works longer on one message: the longest timeout */

void lint_saw_put(struct lint *lint, str client, str bucket, str key, msec now)
{
    uint64_t hash;
    struct client_seen *at = client_of(lint, client, &hash);
    if (!client.n || at->hash != hash)
        return;
    if (at->until > now) {
        at->wrote = true;
        return;
    }
    /* Another bucket: what lies beside the event's object may be its uploader's. */
    if (at->early.base[0] && now - at->early.at <= EARLY &&
        at->early.bucket != both(str_hash(bucket), 0) && made_from(key, str_of(at->early.base)))
        lint_found(lint, LINT_DELETED_EARLY, str_of(at->early.queue),
                   S("what was made from an event's object was written after its message had been "
                     "deleted"));
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
    if (of_region != lint->last_region)
        touch(lint, &lint->last_region, sizeof lint->last_region);
    if (of_key != lint->last_key)
        touch(lint, &lint->last_key, sizeof lint->last_key);
    lint->last_region = of_region;
    lint->last_key = of_key;
}
