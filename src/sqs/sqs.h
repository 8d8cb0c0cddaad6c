/* sqs/sqs.h - the queue engine as others see it: what app, pipeline ports and the api tables call.
 * No HTTP; time comes in with ctx. Tables are the truth; the working set (ready, in flight, timers)
 * is rebuilt from them by sqs_open and sqs_reload. Behaviour numbers (#34 ...) in this directory
 * are those of docs/sqs-behaviour.md. Queues have their own headers: queue.h (life and attributes),
 * permission.h, move.h, peek.h; batch.h has the rules of the batch calls.
 *
 * A call validates everything before it changes anything, so a fault leaves rows and working set as
 * they were - but for FAULT_INTERNAL, after which sqs_reload must follow the rollback. So it must
 * when a savepoint is rolled back for somebody else's fault: compare sqs_changes before and after.
 *
 * Memory: a waiting message costs 88 bytes (80 and its place in the index; 112 on FIFO queues, plus
 * its group), whatever its size; bodies stay in the tables. */
#ifndef HEADRACE_SQS_SQS_H
#define HEADRACE_SQS_SQS_H

#include "sqs/faults.h"
#include "store/db.h"

struct sqs;

/* What happened to one message: for the trace. */
enum sqs_event {
    SQS_SENT,
    SQS_RECEIVED,
    SQS_HIDDEN,
    SQS_RETURNED,
    SQS_DELETED,
    SQS_EXPIRED,
    SQS_DEAD,
    SQS_MOVED,
    SQS_DUPLICATE /* a FIFO queue took it for one that it had: nothing was sent; id is the first */
};
struct sqs_observation {
    enum sqs_event event;
    msec at; /* when it happened: a return that is noticed late happened when the timeout ended */
    str account, region, queue; /* where the message is now: DEAD and MOVED name the destination */
    str id;                     /* MessageId */
    str before;                 /* MOVED: the id it had; absent otherwise */
    int64_t attempt;            /* receives so far */
    msec until;    /* RECEIVED, HIDDEN: hidden until; SENT: delayed until; 0: neither */
    int64_t place; /* the row, for sqs_message_locate; 0: none */
};

struct sqs_hooks {
    void *user;
    /* A message of `queue` may have become receivable. Called inside the turn; app wakes parked
     * receives after its commit. */
    void (*ready)(void *user, int64_t queue);
    /* A message was accepted by `queue` (sent, not redriven). Called inside the turn, so it may yet
     * be rolled back; `body` is borrowed for the call. NULL: nobody wants to know. */
    void (*sent)(void *user, struct ctx *ctx, int64_t queue, str body);
    /* Every change of a message's state, inside the turn. `ctx` is NULL for what time alone did.
     * Strings are borrowed for the call. NULL: nobody wants to know, and it costs nothing. */
    void (*observe)(void *user, const struct ctx *ctx, const struct sqs_observation *seen);
};

struct sqs_options {
    bool strict; /* --strict: the 60-second rules, KMS checks, FIFO throttling */
};

struct sqs *sqs_open(struct db *db, const struct sqs_options *options,
                     const struct sqs_hooks *hooks);
void sqs_close(struct sqs *sqs);
/* Throws the working set away and reads it anew: after a turn whose commit failed, and after a
 * snapshot load. */
void sqs_reload(struct sqs *sqs);
/* Deletes everything of `account`, or everything when it is absent, and forgets the 60-second
 * rules. */
err sqs_reset(struct sqs *sqs, str account);
/* Counts the changes to the working set since sqs_open. */
uint64_t sqs_changes(const struct sqs *sqs);
/* Does what is due at ctx->now (visibility, delays, retention, dedupe windows, move tasks), in a
 * savepoint of its own; returns the next instant at which something is due, INT64_MAX when nothing
 * is. It does a bounded amount of work: when much is due at once the instant it returns is not
 * after ctx->now, and it wants to be called again. */
msec sqs_tick(struct sqs *sqs, struct ctx *ctx);
/* The same instant without doing anything: after operations that may have brought it forward. */
msec sqs_next_due(struct sqs *sqs);

/* Queue number by owner and name; SQS_QUEUE_DOES_NOT_EXIST. */
err sqs_queue_find(struct sqs *sqs, str account, str region, str name, int64_t *queue);
/* Region in which `account` has a queue of that name, other than `region`; absent when none: for
 * the log's hint. */
str sqs_queue_elsewhere(struct sqs *sqs, str account, str region, str name);

struct sqs_attribute { /* message attribute */
    str name, type;    /* "String", "Number.int", "Binary" */
    str value;         /* decoded bytes for Binary */
};

struct sqs_send {
    str body;
    const struct sqs_attribute *attributes;
    size_t nattributes;
    str trace_header; /* AWSTraceHeader; absent: the ctx's, which has no MD5 in the answer */
    int64_t delay;    /* seconds; -1: the queue's */
    str group, dedup; /* absent when not given */
    str sender;       /* SenderId; absent: the ctx's account */
    int entry;        /* of a batch, from 1, which words some refusals otherwise (#26); 0: alone */
};
struct sqs_sent {
    str id, md5_body, md5_attributes, md5_system, sequence; /* absent where AWS gives none */
};
/* The refusals of a single send: SQS_MISSING_PARAMETER, SQS_INVALID_PARAMETER,
 * SQS_INVALID_CONTENTS, SQS_THROTTLED (strict), SQS_KMS_NOT_FOUND (strict). A FIFO duplicate
 * answers with the first one's id and changes nothing. */
err sqs_message_send(struct sqs *sqs, struct ctx *ctx, int64_t queue, const struct sqs_send *send,
                     struct sqs_sent *sent);

struct sqs_receive {
    int64_t max;        /* 1..10 */
    int64_t visibility; /* seconds; -1: the queue's */
    str attempt;        /* ReceiveRequestAttemptId; absent when none */
};
struct sqs_message {
    str id, receipt, body, md5_body;
    const struct sqs_attribute *attributes; /* all of them */
    size_t nattributes;
    str sender, trace_header, group, dedup, sequence,
        dead_letter_source; /* absent where it has none */
    msec sent_at, first_received_at;
    int64_t receive_count;
};
/* What can be received now; *n may be 0. Messages past maxReceiveCount move to the DLQ instead.
 * SQS_OVER_LIMIT on a standard queue with 120,000 in flight, SQS_INVALID_PARAMETER. */
err sqs_message_receive(struct sqs *sqs, struct ctx *ctx, int64_t queue,
                        const struct sqs_receive *receive, struct sqs_message **messages,
                        size_t *n);
/* Takes a receive back whose answer never reached anybody: the message is visible at once and the
 * receive not counted. Does nothing when the message is gone, shown, or was received again. */
err sqs_message_return(struct sqs *sqs, struct ctx *ctx, int64_t queue, str receipt);
/* Idempotent. SQS_RECEIPT_INVALID; on FIFO queues SQS_INVALID_PARAMETER for an expired handle. */
err sqs_message_delete(struct sqs *sqs, struct ctx *ctx, int64_t queue, str receipt);
/* ChangeMessageVisibility; seconds 0..43200. A message that is visible again stays so.
 * SQS_RECEIPT_INVALID; SQS_INVALID_PARAMETER when it is gone, or for more than 12 hours from the
 * receive. */
err sqs_message_hide(struct sqs *sqs, struct ctx *ctx, int64_t queue, str receipt, int64_t seconds);

/* MD5OfMessageAttributes of these attributes, in hex; absent when there are none. */
str sqs_attributes_md5(struct arena *arena, const struct sqs_attribute *attributes, size_t n);

#endif
