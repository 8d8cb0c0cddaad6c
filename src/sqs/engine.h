/* sqs/engine.h - the inside of the engine: its working set. Only files of this directory include
 * it.
 *
 * Every message of a queue is in `seqs` (by number) and in `age` (by the time its retention began).
 * Beyond that:
 *  - on a standard queue a ready one is in `ready`, by send sequence: what timed out comes back
 * ahead of what was sent later (#40);
 *  - a hidden one (delayed, or in flight) is in `hidden`, by the instant it becomes visible;
 *  - on a FIFO queue each is in its group's list, in send order. A group is in the ring while its
 *    first message is ready: that alone is the group lock (#43), for what is in flight or delayed
 *    holds back all behind it (#44).
 *
 * Each function of working.c changes all of this for one message; its caller writes the row in the
 * same breath. */
#ifndef HEADRACE_SQS_ENGINE_H
#define HEADRACE_SQS_ENGINE_H

#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "sqs/attributes.h"
#include "sqs/order.h"
#include "sqs/queue.h"
#include "sqs/seqs.h"
#include "sqs/strmap.h"

/* A message's row id is queue << SEQ_BITS | sequence: rows of a queue lie together, in send order.
 */
#define SEQ_BITS 38
#define SEQ_BLOCK 4096 /* sequences reserved at a time, so that a send writes no counter */
#define QUEUE_MAX ((int64_t)1 << (62 - SEQ_BITS))
#define IN_FLIGHT_MAX 120000
#define RECEIPT_KEY 192
#define WINDOW ((msec)300000) /* of deduplication and of receive attempts */
#define NEVER INT64_MAX

enum message_state { MESSAGE_NEW, MESSAGE_READY, MESSAGE_DELAYED, MESSAGE_IN_FLIGHT };

struct message {
    struct node place; /* in ready (key: sequence) or hidden (key: instant) */
    struct node age;   /* key: when retention began */
    uint64_t seq;
    uint32_t receives;
    uint8_t state;
    bool big; /* its body has a row of its own */
};

struct fifo_message {
    struct message message;
    struct fifo_message *prev, *next;
    struct group *group;
};

struct group {
    struct strmap_entry entry;
    struct fifo_message *first, *last;
    struct group *prev, *next; /* ring of ready groups */
    bool ready;
    char id[];
};

/* Messages of one size, freed as a whole when the last one goes. */
struct slabs {
    size_t size, live;
    void *free, *chunks;
};

struct move_task {
    int64_t id;   /* row */
    int64_t rate; /* a second; 0: not given */
    int64_t moved;
    uint64_t limit; /* messages from this sequence on came later and stay */
    msec started;
    char task[37];
    char *destination; /* ARN; NULL: back to each message's own source */
};

struct throttle {
    msec second;
    int64_t calls[3]; /* send, receive, delete */
};
enum throttled { THROTTLE_SEND, THROTTLE_RECEIVE, THROTTLE_DELETE };

struct queue {
    struct strmap_entry entry; /* key: "REGION:ACCOUNT:NAME", the end of arn */
    struct node due;
    int64_t id;
    str account, region, name, arn; /* all lie in text */
    bool fifo, group_scope;         /* scope of deduplication as it was at creation (#47) */
    msec created, modified, purged;
    const struct attributes *attributes; /* attribute_presets until one was ever given */
    uint64_t next_seq, seq_limit;
    uint64_t floor; /* rows below are dead */
    struct order ready, hidden, age;
    struct seqs seqs;
    int64_t visible, delayed, in_flight;
    struct strmap groups;
    struct group *ring_first, *ring_last;
    struct move_task *task; /* the running one */
    struct throttle throttle;
    char text[];
};

struct sqs {
    struct db *db;
    struct sqs_options options;
    struct sqs_hooks hooks;
    struct seqs queues;  /* by number */
    struct strmap names; /* by "REGION:ACCOUNT:NAME" */
    struct order due;    /* queues by next due */
    msec sweep;          /* when the windows are swept next; NEVER: both are empty */
    msec garbage; /* when rows of purged messages are cleared away next; NEVER: there are none */
    struct slabs standard, fifo;
    uint64_t changes;
    bool loading; /* no hooks */
    uint8_t receipt_key[RECEIPT_KEY];
};

static inline struct message *message_of_place(struct node *node)
{
    return (struct message *)(void *)((char *)node - offsetof(struct message, place));
}
static inline struct message *message_of_age(struct node *node)
{
    return (struct message *)(void *)((char *)node - offsetof(struct message, age));
}
static inline struct fifo_message *fifo_of(struct message *message)
{
    return (struct fifo_message *)(void *)message;
}
static inline struct queue *queue_of_entry(struct strmap_entry *entry)
{
    return (struct queue *)(void *)((char *)entry - offsetof(struct queue, entry));
}
static inline int64_t row_id(const struct queue *queue, uint64_t seq)
{
    return queue->id << SEQ_BITS | (int64_t)seq;
}
static inline bool message_expired(const struct queue *queue, const struct message *message,
                                   msec now)
{
    return message->age.key + queue->attributes->number[SQS_RETENTION] * 1000 <= now;
}

/* schema.c: tables and the receipt key. load.c: tables -> working set. */
void sqs_schema_make(struct db *db); /* the tables alone */
bool sqs_schema_current(struct db *db);
void sqs_schema(struct sqs *sqs);
void sqs_load(struct sqs *sqs);
void sqs_unload(struct sqs *sqs);
void task_load(struct sqs *sqs);
/* All messages of the queue out of the working set. */
void queue_forget_messages(struct sqs *sqs, struct queue *queue);

/* garbage.c: rows of messages that a purge has left. */
void garbage_load(struct sqs *sqs);
err garbage_add(struct sqs *sqs, const struct queue *queue);
err garbage_clear(struct sqs *sqs, msec now);

/* working.c. `group` is for FIFO queues. A new message is MESSAGE_NEW until shown or hidden. */
struct message *message_enter(struct sqs *sqs, struct queue *queue, uint64_t seq, msec born,
                              str group);
void message_show(struct sqs *sqs, struct queue *queue, struct message *message);
void message_hide_until(struct sqs *sqs, struct queue *queue, struct message *message,
                        enum message_state state, msec until);
void message_leave(struct sqs *sqs, struct queue *queue, struct message *message);
/* Shows everything whose time has come. */
void queue_wake(struct sqs *sqs, struct queue *queue, msec now);
/* Keeps the queue's place among the due ones; last thing of every change. */
void queue_schedule(struct sqs *sqs, struct queue *queue);
/* First message that may be received, or NULL. */
struct message *queue_front(struct queue *queue);

/* queue.c */
struct queue *queue_enter(struct sqs *sqs, int64_t id, str account, str region, str name,
                          bool fifo);
void queue_leave(struct sqs *sqs, struct queue *queue);
void queue_free(struct queue *queue);
/* The queue's attributes to be written, made its own. */
struct attributes *queue_own(struct queue *queue);
/* Rows and working set of the queue and all that is in it. */
err queue_remove(struct sqs *sqs, struct queue *queue);
struct queue *queue_by_id(struct sqs *sqs, int64_t id); /* NULL when there is none */
struct queue *queue_by_name(struct sqs *sqs, str account, str region, str name);
struct queue *queue_by_arn(struct sqs *sqs, str arn);
/* The six parts of arn:PARTITION:SERVICE:REGION:ACCOUNT:NAME; false when it is not one. */
bool arn_split(str arn, str *part);
err queue_get(struct sqs *sqs, int64_t id, struct queue **queue);
bool queue_name_valid(str name);
/* Letters, digits, '-' and '_': what names, labels and ids of entries are made of. */
bool queue_name_char(char c);
/* Rows and working set of all messages, and what is remembered for deduplication. */
err queue_empty(struct sqs *sqs, struct queue *queue);
/* Some queue names this one as its dead letter queue. */
bool queue_is_dead_letter(struct sqs *sqs, const struct queue *queue);
/* Writes the changed attributes, in rows and memory; `next` must be valid. */
err queue_apply(struct sqs *sqs, struct ctx *ctx, struct queue *queue,
                const struct attribute_change *change);
/* The RedrivePolicy of the change: its target exists, is of the same kind and takes messages of
 * `source_arn`. */
err queue_check_redrive(struct sqs *sqs, struct ctx *ctx, const struct attribute_change *change,
                        str source_arn, bool fifo);
/* `queue` is the queue's name. */
err tags_check(struct ctx *ctx, str queue, const struct sqs_pair *tags, size_t n);
/* RequestThrottled where the queue had its 300 calls of this kind this second; strict only. */
err queue_throttle(struct sqs *sqs, struct ctx *ctx, struct queue *queue, enum throttled what);
/* All that a message is refused for, before anything changes. */
err send_check(struct sqs *sqs, struct ctx *ctx, struct queue *queue, const struct sqs_send *send);
/* KmsNotFound where messages are encrypted with a key that nobody made; strict only. */
err queue_check_key(struct sqs *sqs, struct queue *queue);

/* rows.c */
struct row {
    struct sqs_message message; /* without receipt */
    uint8_t message_id[16], md5[16];
    msec received_at; /* 0: never */
    bool big;         /* body in a table of its own */
};
struct new_row {
    uint64_t seq;
    const struct sqs_send *send;
    msec sent_at, visible_at;
    uint8_t message_id[16], md5[16];
    str sender, trace, dedup;
};
err row_insert(struct sqs *sqs, struct ctx *ctx, const struct queue *queue,
               const struct new_row *row);
bool row_read(struct sqs *sqs, struct arena *arena, const struct queue *queue, uint64_t seq,
              struct row *row);
err row_received(struct sqs *sqs, const struct queue *queue, const struct message *message,
                 msec visible_at, msec first, msec now);
err row_visible_at(struct sqs *sqs, const struct queue *queue, uint64_t seq, msec visible_at);
err row_delete(struct sqs *sqs, const struct queue *queue, const struct message *message);
/* The column of an id or an MD5, filled up with zeros: a snapshot that someone made may hold less.
 */
void bytes_16(str from, uint8_t to[16]);
/* Whether a body gets a row of its own. */
bool body_big(str body);
/* Takes a sequence for a new message. */
err seq_take(struct sqs *sqs, struct queue *queue, uint64_t *seq);
str seq_text(struct arena *arena, const struct queue *queue, uint64_t seq);
str id_text(struct arena *arena, const uint8_t id[16]);
void id_new(struct rng *rng, uint8_t id[16]);

/* observe.c: tells hooks.observe, where there is one. `id` is the MessageId's 16 bytes; NULL: read
 * from the row, which must still be there. */
static inline bool observed(const struct sqs *sqs)
{
    return sqs->hooks.observe && !sqs->loading;
}
void observe(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue,
             const struct message *message, enum sqs_event event, const uint8_t *id, msec at);
void observe_moved(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue, uint64_t seq,
                   const uint8_t *before, const uint8_t *id);
void observe_duplicate(struct sqs *sqs, const struct ctx *ctx, const struct queue *queue,
                       const uint8_t *id);
/* The MessageId's bytes of a row; false when there is no such row. */
/* Receives of a message before it came to this queue, from which it has not been redriven. */
int64_t row_receives_before(struct sqs *sqs, const struct queue *queue, uint64_t seq);
bool row_message_id(struct sqs *sqs, const struct queue *queue, uint64_t seq, uint8_t id[16]);

/* dead.c: moving between queues. */
/* Where messages of `queue` die; NULL when it has no policy or the target does not take them. */
struct queue *queue_dead_letter(struct sqs *sqs, struct queue *queue);
err message_bury(struct sqs *sqs, struct ctx *ctx, struct queue *from, struct message *message,
                 struct queue *to);
err message_redrive(struct sqs *sqs, struct ctx *ctx, struct queue *from, struct message *message,
                    struct queue *to);
/* `dlq` lets `source` use it, by its RedriveAllowPolicy. */
bool redrive_allowed(const struct queue *dlq, str source_arn);

/* receipt.c */
struct receipt {
    int64_t queue;
    uint64_t seq;
    uint32_t receives;
    uint32_t none; /* 0: attempts keep it as it lies, and what fills up a struct is no value */
};
str receipt_make(const struct sqs *sqs, struct arena *arena, const struct receipt *receipt);
bool receipt_read(const struct sqs *sqs, str text, struct receipt *receipt);

/* memory.c: what a FIFO queue remembers for five minutes. */
struct remembered {
    uint8_t message_id[16];
    uint64_t seq;
};
bool dedupe_find(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str key,
                 struct remembered *out);
err dedupe_keep(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str key,
                const struct remembered *what);
/* What an attempt received, and until when it hid that. */
struct attempt {
    struct receipt *receipts;
    size_t n;
    msec until;
};
bool attempt_find(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str name,
                  struct attempt *attempt);
err attempt_keep(struct sqs *sqs, struct ctx *ctx, const struct queue *queue, str name,
                 const struct attempt *attempt);
/* The attempt was made again. */
err attempt_extend(struct sqs *sqs, const struct queue *queue, str name, msec until);
/* The attempt's receive was taken back: whoever makes it again makes a new one. */
err attempt_forget(struct sqs *sqs, const struct queue *queue, const struct receipt *receipt);
err memory_forget(struct sqs *sqs, const struct queue *queue);
/* When the oldest of what is remembered can be forgotten; NEVER: there is nothing. */
msec memory_due(struct sqs *sqs);
err memory_sweep(struct sqs *sqs, msec now);

/* move.c */
msec task_due(const struct move_task *task);
/* Moves at most `budget` messages of those that are due; *moved: how many. */
err task_run(struct sqs *sqs, struct ctx *ctx, struct queue *source, int budget, int *moved);
void task_free(struct move_task *task);
/* The queue goes, and its tasks with it. */
err task_forget(struct sqs *sqs, struct queue *source);

void *slabs_take(struct slabs *pool);
void slabs_give(struct slabs *pool, void *item);
void slabs_free(struct slabs *pool);

#endif
