/* api/sqs_peek.h - the messages of a queue in the clothes of ReceiveMessage, without receiving
 * them: what LocalStack's users know as /_aws/sqs/messages. It is not an operation of AWS, so it is
 * in no table. */
#ifndef HEADRACE_API_SQS_PEEK_H
#define HEADRACE_API_SQS_PEEK_H

#include "api/sqs_receive.h"

#define SQS_PEEK_INPUT(F, T)                                                                       \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, BOOL, invisible, "ShowInvisible", BODY)                                                   \
    F(T, BOOL, delayed, "ShowDelayed", BODY)
SHAPE_DECLARE(sqs_peek_input, SQS_PEEK_INPUT)

/* Named ReceiveMessage, for its answers are called so. At most SQS_PEEK_MAX messages. */
#define SQS_PEEK_MAX 10000
extern const struct op sqs_peek_op;

#endif
