/* api/sqs_send.h - the members of a message as they travel: shared by single calls and batches, in
 * and out. */
#ifndef HEADRACE_API_SQS_SEND_H
#define HEADRACE_API_SQS_SEND_H

#include "api/sqs_common.h"

/* MessageAttributeValue. The two lists are in AWS's model and refused by AWS. */
#define SQS_VALUE(F, T)                                                                            \
    F(T, STR, string, "StringValue", BODY)                                                         \
    F(T, BLOB, binary, "BinaryValue", BODY)                                                        \
    F(T, LIST, strings, "StringListValues", BODY, .query = "StringListValue",                      \
      .of = &scalar_str_shape)                                                                     \
    F(T, LIST, binaries, "BinaryListValues", BODY, .query = "BinaryListValue",                     \
      .of = &scalar_str_shape)                                                                     \
    F(T, STR, type, "DataType", BODY)
SHAPE_DECLARE(sqs_value, SQS_VALUE)

/* An entry of a map of them. */
struct sqs_value_entry {
    str name;
    struct sqs_value *value;
};
extern const struct shape sqs_value_entry_shape;

/* What SendMessage and an entry of SendMessageBatch have in common. */
#define SQS_SEND_MEMBERS(F, T, need)                                                               \
    F(T, STR, body, "MessageBody", BODY, .flags = need)                                            \
    F(T, INT, delay, "DelaySeconds", BODY)                                                         \
    F(T, MAP, attributes, "MessageAttributes", BODY, .query = "MessageAttribute",                  \
      .of = &sqs_value_entry_shape)                                                                \
    F(T, MAP, system, "MessageSystemAttributes", BODY, .query = "MessageSystemAttribute",          \
      .of = &sqs_value_entry_shape)                                                                \
    F(T, STR, dedup, "MessageDeduplicationId", BODY)                                               \
    F(T, STR, group, "MessageGroupId", BODY)
#define SQS_SENT_MEMBERS(F, T, need)                                                               \
    F(T, STR, md5_body, "MD5OfMessageBody", BODY, .flags = need)                                   \
    F(T, STR, md5_attributes, "MD5OfMessageAttributes", BODY)                                      \
    F(T, STR, md5_system, "MD5OfMessageSystemAttributes", BODY)                                    \
    F(T, STR, id, "MessageId", BODY, .flags = need)                                                \
    F(T, STR, sequence, "SequenceNumber", BODY)

/* The parts of either that say what to send, as the engine takes them. */
struct sqs_sendable {
    str body, dedup, group;
    opt_int delay;
    const list *attributes, *system;
};
err sqs_send_of(struct call *call, const struct sqs_sendable *from, struct sqs_send *send);

#endif
