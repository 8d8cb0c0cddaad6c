/* sqs/sqs.h - the queue engine as others see it: what app, pipeline ports and the api tables call. No HTTP, no JSON; time comes
 * in with ctx. Tables are the truth; the working set (ready, in flight, timers) is rebuilt from them by sqs_open and sqs_reload.
 * Behaviour numbers (#34 ...) in this directory are those of docs/sqs-behaviour.md. */
#ifndef HEADRACE_SQS_SQS_H
#define HEADRACE_SQS_SQS_H

#include "store/db.h"

struct sqs;

struct sqs_hooks {
    void *user;
    /* A message of `queue` may have become receivable. Called inside the turn; app wakes parked receives after its commit. */
    void (*ready)(void *user, int64_t queue);
    /* A message was accepted by `queue` (sent, not redriven). Called inside the turn, so it may yet be rolled back; `body` is
     * borrowed for the call. NULL: nobody wants to know. */
    void (*sent)(void *user, struct ctx *ctx, int64_t queue, str body);
};

struct sqs_options {
    bool strict; /* --strict: the 60-second rules, KMS checks, FIFO throttling */
};

struct sqs *sqs_open(struct db *db, const struct sqs_options *options, const struct sqs_hooks *hooks);
void sqs_close(struct sqs *sqs);
/* Throws the working set away and reads it anew: after a turn whose commit failed, and after a reset or snapshot load. */
void sqs_reload(struct sqs *sqs);
/* Does what is due at ctx->now (visibility, delays, retention, dedupe windows, move tasks), in a savepoint of its own; returns
 * the next instant at which something is due, INT64_MAX when nothing is. */
msec sqs_tick(struct sqs *sqs, struct ctx *ctx);
/* The same instant without doing anything: after operations that may have brought it forward. */
msec sqs_next_due(struct sqs *sqs);

/* Queue number by owner and name; SQS_QUEUE_DOES_NOT_EXIST. */
err sqs_queue_find(struct sqs *sqs, str account, str region, str name, int64_t *queue);
/* Region in which `account` has a queue of that name, other than `region`; absent when none: for the log's hint. */
str sqs_queue_elsewhere(struct sqs *sqs, str account, str region, str name);

struct sqs_attribute { /* message attribute */
    str name, type;    /* "String", "Number.int", "Binary" */
    str value;         /* decoded bytes for Binary */
};

struct sqs_send {
    str body;
    const struct sqs_attribute *attributes;
    size_t nattributes;
    str trace_header; /* AWSTraceHeader; absent when none */
    int64_t delay;    /* seconds; -1: the queue's */
    str group, dedup; /* absent when not given */
    str sender;       /* SenderId; absent: from ctx */
};
struct sqs_sent {
    str id, md5_body, md5_attributes, md5_system, sequence; /* absent where AWS gives none */
};
err sqs_message_send(struct sqs *sqs, struct ctx *ctx, int64_t queue, const struct sqs_send *send, struct sqs_sent *sent);

struct sqs_receive {
    int64_t max;        /* 1..10 */
    int64_t visibility; /* seconds; -1: the queue's */
    str attempt;        /* ReceiveRequestAttemptId; absent when none */
};
struct sqs_message {
    str id, receipt, body, md5_body;
    const struct sqs_attribute *attributes; /* all of them */
    size_t nattributes;
    str sender, trace_header, group, dedup, sequence, dead_letter_source;
    msec sent_at, first_received_at;
    int64_t receive_count;
};
/* What can be received now; *n may be 0. Messages past maxReceiveCount move to the DLQ instead. */
err sqs_message_receive(struct sqs *sqs, struct ctx *ctx, int64_t queue, const struct sqs_receive *receive,
                        struct sqs_message **messages, size_t *n);
err sqs_message_delete(struct sqs *sqs, struct ctx *ctx, int64_t queue, str receipt);
/* ChangeMessageVisibility; seconds 0..43200. */
err sqs_message_hide(struct sqs *sqs, struct ctx *ctx, int64_t queue, str receipt, int64_t seconds);

#endif
