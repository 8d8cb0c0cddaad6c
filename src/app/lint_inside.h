/* app/lint_inside.h - private to app/lint.c and lint_report.c: the tables. Messages live in tables
 * where a new one takes the place of an old one with the same slot: what is forgotten can hide a
 * finding, never make one, for every slot carries the whole hash of its message. */
#ifndef HEADRACE_APP_LINT_INSIDE_H
#define HEADRACE_APP_LINT_INSIDE_H

#include "app/lint.h"

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
    bool wrote;   /* while it held the message */
    struct { /* an event's message that it deleted without having written anything; base "": none */
        msec at;
        uint64_t bucket;
        char base[64], queue[160];
    } early;
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
    size_t nqueues, nfound, settled; /* settled: findings when this turn began */
    struct found *found, **end;
    uint64_t last_region, last_key;
    char *undo; /* what this turn changed, as it was: bytes, then a struct of where and how many */
    size_t nundo, undo_cap;
};

uint64_t lint_hash_name(const struct lint_name *name);
/* The queue's slot, or the free one that it would take. */
const struct queue_seen *lint_queue_find(const struct lint *lint, uint64_t hash);
str lint_queue_arn(struct arena *arena, const struct lint_name *name);

#endif
