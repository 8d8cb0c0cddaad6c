/* sqs/peek.h - looking at the messages of a queue without receiving them: no count, no handle, no
 * lock. */
#ifndef HEADRACE_SQS_PEEK_H
#define HEADRACE_SQS_PEEK_H

#include "sqs/sqs.h"

struct sqs_peek {
    bool invisible; /* show messages in flight too */
    bool delayed;   /* show delayed messages too */
    int64_t limit;  /* of one page */
    int64_t after;  /* 0 at the start; then what the last page gave */
};

enum sqs_state { SQS_VISIBLE, SQS_DELAYED, SQS_IN_FLIGHT };

struct sqs_peeked {
    struct sqs_message message; /* without receipt */
    enum sqs_state state;
    msec visible_at;  /* when a hidden one becomes visible; 0 for visible ones */
    int64_t position; /* send order within the queue */
};

/* In send order. peek->after becomes the place to go on, -1 after the last page.
 * SQS_QUEUE_DOES_NOT_EXIST. */
err sqs_messages_peek(struct sqs *sqs, struct ctx *ctx, int64_t queue, struct sqs_peek *peek,
                      struct sqs_peeked **messages, size_t *n);

/* Where one message is, by the row that an observation named. */
struct sqs_located {
    int64_t queue;
    enum sqs_state state;
    msec until;    /* not visible until then; 0: visible */
    bool blocked;  /* visible, and behind an earlier message of its group that is not */
    bool received; /* at least once */
};
enum sqs_whereabouts { SQS_LOCATED, SQS_GONE, SQS_QUEUE_GONE };
enum sqs_whereabouts sqs_message_locate(struct sqs *sqs, int64_t place, msec now,
                                        struct sqs_located *out);

#endif
