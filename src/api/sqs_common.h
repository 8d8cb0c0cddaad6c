/* api/sqs_common.h - what the tables of SQS operations share. Field rows name AWS's member and,
 * where the Query protocol flattens it, the name there. Ranges are not in the rows: the engine
 * checks them, for all its callers and per entry of a batch. */
#ifndef HEADRACE_API_SQS_COMMON_H
#define HEADRACE_API_SQS_COMMON_H

#include "api/call.h"
#include "sqs/queue.h"

/* Map entries: of attributes and of tags. */
struct sqs_attribute_entry {
    str name, value;
};
struct sqs_tag_entry {
    str key, value;
};
extern const struct shape sqs_attribute_entry_shape, sqs_tag_entry_shape;

#define SQS_QUEUE_URL(F, T) F(T, STR, queue_url, "QueueUrl", BODY, .flags = REQUIRED)
SHAPE_DECLARE(sqs_queue_input, SQS_QUEUE_URL)
#define SQS_QUEUE_URL_OUT(F, T) F(T, STR, queue_url, "QueueUrl", BODY)
SHAPE_DECLARE(sqs_queue_output, SQS_QUEUE_URL_OUT)

/* One entry of a batch that failed. */
#define SQS_BATCH_ERROR(F, T)                                                                      \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, BOOL, sender_fault, "SenderFault", BODY, .flags = REQUIRED)                               \
    F(T, STR, code, "Code", BODY, .flags = REQUIRED)                                               \
    F(T, STR, message, "Message", BODY)
SHAPE_DECLARE(sqs_batch_error, SQS_BATCH_ERROR)

extern const struct op sqs_queue_ops[], sqs_message_ops[], sqs_batch_ops[], sqs_move_ops[];

/* The queue that the input names. */
err sqs_call_queue(struct call *call, str url, int64_t *queue);
const struct sqs_pair *sqs_pairs(const list *entries);
/* Items of a list of bare strings. */
const str *sqs_texts(const list *items);
/* Appends what went wrong with one entry; a fault of ours (5xx) is passed up, for it fails the
 * call. */
err sqs_batch_failed(struct call *call, list *failures, str id, err e);

#endif
