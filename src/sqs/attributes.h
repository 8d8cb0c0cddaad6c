/* sqs/attributes.h - queue attributes: every fact about one is a row. Values are checked and
 * normalised here; queue.c stores them. RedrivePolicy, RedriveAllowPolicy and Policy are JSON
 * documents by AWS's decree, the only JSON that the engine reads. */
#ifndef HEADRACE_SQS_ATTRIBUTES_H
#define HEADRACE_SQS_ATTRIBUTES_H

#include "sqs/queue.h"

enum attribute_kind {
    ATTRIBUTE_INT,    /* decimal, low..high */
    ATTRIBUTE_BOOL,   /* true, false in any case */
    ATTRIBUTE_CHOICE, /* one of two words; the number tells which */
    ATTRIBUTE_TEXT,   /* absent when empty */
    ATTRIBUTE_READ,   /* read-only, computed */
};

/* (row, name, kind, low, high, default, words, FIFO queues only), in the order in which AWS lists
 * them. */
#define SQS_ATTRIBUTES(X)                                                                          \
    X(SQS_ARN, "QueueArn", READ, 0, 0, 0, NULL, false)                                             \
    X(SQS_COUNT, "ApproximateNumberOfMessages", READ, 0, 0, 0, NULL, false)                        \
    X(SQS_COUNT_HIDDEN, "ApproximateNumberOfMessagesNotVisible", READ, 0, 0, 0, NULL, false)       \
    X(SQS_COUNT_DELAYED, "ApproximateNumberOfMessagesDelayed", READ, 0, 0, 0, NULL, false)         \
    X(SQS_CREATED, "CreatedTimestamp", READ, 0, 0, 0, NULL, false)                                 \
    X(SQS_MODIFIED, "LastModifiedTimestamp", READ, 0, 0, 0, NULL, false)                           \
    X(SQS_VISIBILITY, "VisibilityTimeout", INT, 0, 43200, 30, NULL, false)                         \
    X(SQS_MAX_SIZE, "MaximumMessageSize", INT, 1024, 1048576, 1048576, NULL, false)                \
    X(SQS_RETENTION, "MessageRetentionPeriod", INT, 60, 1209600, 345600, NULL, false)              \
    X(SQS_DELAY, "DelaySeconds", INT, 0, 900, 0, NULL, false)                                      \
    X(SQS_POLICY, "Policy", TEXT, 0, 0, 0, NULL, false)                                            \
    X(SQS_WAIT, "ReceiveMessageWaitTimeSeconds", INT, 0, 20, 0, NULL, false)                       \
    X(SQS_REDRIVE, "RedrivePolicy", TEXT, 0, 0, 0, NULL, false)                                    \
    X(SQS_REDRIVE_ALLOW, "RedriveAllowPolicy", TEXT, 0, 0, 0, NULL, false)                         \
    X(SQS_FIFO, "FifoQueue", BOOL, 0, 1, 1, NULL, true)                                            \
    X(SQS_CONTENT_DEDUP, "ContentBasedDeduplication", BOOL, 0, 1, 0, NULL, true)                   \
    X(SQS_SCOPE, "DeduplicationScope", CHOICE, 0, 1, 0, "queue|messageGroup", true)                \
    X(SQS_THROUGHPUT, "FifoThroughputLimit", CHOICE, 0, 1, 0, "perQueue|perMessageGroupId", true)  \
    X(SQS_KMS_KEY, "KmsMasterKeyId", TEXT, 0, 0, 0, NULL, false)                                   \
    X(SQS_KMS_REUSE, "KmsDataKeyReusePeriodSeconds", INT, 60, 86400, 300, NULL, false)             \
    X(SQS_SSE, "SqsManagedSseEnabled", BOOL, 0, 1, 1, NULL, false)

#define SQS_ATTRIBUTE_ENUM(row, ...) row,
enum sqs_attribute_id { SQS_ATTRIBUTES(SQS_ATTRIBUTE_ENUM) SQS_ATTRIBUTE_COUNT };

struct attribute_info {
    const char *name;
    enum attribute_kind kind;
    int64_t low, high, preset;
    const char *words;
    bool fifo;
};
extern const struct attribute_info attribute_infos[SQS_ATTRIBUTE_COUNT];
/* SQS_ATTRIBUTE_COUNT when there is none of that name. */
enum sqs_attribute_id attribute_by_name(str name);

struct attributes {
    int64_t number[SQS_ATTRIBUTE_COUNT]; /* of INT, BOOL, CHOICE */
    str text[SQS_ATTRIBUTE_COUNT];       /* of TEXT; malloc'ed in a queue */
    str dead_letter;                     /* of RedrivePolicy; malloc'ed in a queue */
    int64_t max_receives;
};

/* Attributes as they would be: borrowed texts, which of them the caller named, and which are given
 * with those that follow from them. */
struct attribute_change {
    struct attributes next;
    bool named[SQS_ATTRIBUTE_COUNT];
    bool given[SQS_ATTRIBUTE_COUNT];
    str redrive; /* RedrivePolicy as it came: what refusals show */
};

/* What nobody asked to be different: shared by all queues without attributes of their own. */
extern const struct attributes attribute_presets;
/* The wire form of a set value. */
str attribute_text(struct arena *arena, const struct attributes *attributes,
                   enum sqs_attribute_id id);
/* Takes one stored value (valid once) into a queue's attributes. */
void attribute_load(struct attributes *attributes, enum sqs_attribute_id id, str text);
/* Replaces a text by a copy of its own (absent and empty: none); parses what depends on it. */
void attribute_own(struct attributes *attributes, enum sqs_attribute_id id, str text);
void attributes_free(struct attributes *attributes);

/* Checks the pairs against each other and `base`, the attributes of a queue of that kind.
 * `lenient`: only to compare, so that read-only names are passed over and what a scope and a
 * throughput limit would be together does not matter. Does not look at other queues. */
err attributes_change(struct ctx *ctx, const struct attributes *base, bool fifo, bool lenient,
                      const struct sqs_pair *pairs, size_t n, struct attribute_change *change);
/* redrive.c: the two documents. */
err redrive_parse(struct arena *arena, str text, str *target, int64_t *max_receives);
err redrive_allow_check(struct arena *arena, str text);
bool redrive_allow_permits(str text, str source_arn);

#endif
