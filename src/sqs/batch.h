/* sqs/batch.h - what a batch call is refused for as a whole, before any entry is tried (#21-25). */
#ifndef HEADRACE_SQS_BATCH_H
#define HEADRACE_SQS_BATCH_H

#include "sqs/sqs.h"

#define SQS_BATCH_MAX 10
#define SQS_MESSAGE_MAX 1048576 /* bytes: of a message and of all messages of a batch together */

/* `entry` is AWS's name of an entry ("SendMessageBatchRequestEntry"). SQS_EMPTY_BATCH,
 * SQS_TOO_MANY_ENTRIES, SQS_INVALID_BATCH_ID, SQS_IDS_NOT_DISTINCT. */
err sqs_batch_check(struct ctx *ctx, const char *entry, const str *ids, size_t n);
/* The rules that one send breaks for all: the sum of sizes (SQS_BATCH_TOO_LONG), and on FIFO queues
 * everything that it could be refused for alone: order allows no gaps. */
err sqs_batch_check_sends(struct sqs *sqs, struct ctx *ctx, int64_t queue,
                          const struct sqs_send *sends, size_t n);
/* Bytes that count: body, and name, type and value of each attribute. */
int64_t sqs_send_size(const struct sqs_send *send);

#endif
