/* api/sqs_receive.h - a message as it comes out: of ReceiveMessage, and of the developer endpoint
 * that looks without receiving. */
#ifndef HEADRACE_API_SQS_RECEIVE_H
#define HEADRACE_API_SQS_RECEIVE_H

#include "api/sqs_send.h"

#define SQS_MESSAGE_OUTPUT(F, T)                                                                   \
    F(T, STR, id, "MessageId", BODY)                                                               \
    F(T, STR, receipt, "ReceiptHandle", BODY)                                                      \
    F(T, STR, md5_body, "MD5OfBody", BODY)                                                         \
    F(T, STR, body, "Body", BODY)                                                                  \
    F(T, MAP, system, "Attributes", BODY, .query = "Attribute", .of = &sqs_attribute_entry_shape)  \
    F(T, STR, md5_attributes, "MD5OfMessageAttributes", BODY)                                      \
    F(T, MAP, attributes, "MessageAttributes", BODY, .query = "MessageAttribute",                  \
      .of = &sqs_value_entry_shape)
SHAPE_DECLARE(sqs_message_output, SQS_MESSAGE_OUTPUT)
#define SQS_RECEIVE_OUTPUT(F, T)                                                                   \
    F(T, LIST, messages, "Messages", BODY, .query = "Message", .of = &sqs_message_output_shape)    \
    F(T, INT, queue, "queue", NONE)
SHAPE_DECLARE(sqs_receive_output, SQS_RECEIVE_OUTPUT)

/* Names asked for, lists of bare strings: of system attributes and of message attributes. */
struct sqs_wanted {
    const list *system, *attributes;
};

/* Room for this many system attributes is made; there are nine. */
#define SQS_SYSTEM_MAX 12

void sqs_message_put(struct arena *arena, const struct sqs_wanted *wanted,
                     const struct sqs_message *message, struct sqs_message_output *to);

#endif
