/* s3/notify.h - event notifications: the configuration of a bucket and the events that follow from
 * it. An event is enqueued inside the savepoint of the change that causes it: either both are
 * committed or neither. Facts:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html, and
 * recordings. */
#ifndef HEADRACE_S3_NOTIFY_H
#define HEADRACE_S3_NOTIFY_H

#include "base/shape.h"
#include "s3/engine.h"

#define S3_FILTER_RULE(F, T)                                                                       \
    F(T, STR, name, "Name", BODY, .flags = REQUIRED)                                               \
    F(T, STR, value, "Value", BODY, .flags = REQUIRED, .max = 1024)
SHAPE_DECLARE(s3_filter_rule, S3_FILTER_RULE)

#define S3_KEY_FILTER(F, T)                                                                        \
    F(T, LIST, rules, "FilterRule", BODY, .flags = FLAT, .of = &s3_filter_rule_shape)
SHAPE_DECLARE(s3_key_filter, S3_KEY_FILTER)

#define S3_EVENT_FILTER(F, T) F(T, STRUCT, key, "S3Key", BODY, .of = &s3_key_filter_shape)
SHAPE_DECLARE(s3_event_filter, S3_EVENT_FILTER)

/* One shape a kind of destination: they differ in the name of the ARN's element alone. */
#define S3_NOTIFY_RULE(F, T, element)                                                              \
    F(T, STR, id, "Id", BODY)                                                                      \
    F(T, STR, arn, element, BODY, .flags = REQUIRED)                                               \
    F(T, LIST, events, "Event", BODY, .flags = FLAT | REQUIRED, .of = &scalar_str_shape)           \
    F(T, STRUCT, filter, "Filter", BODY, .of = &s3_event_filter_shape)
#define S3_NOTIFY_TOPIC(F, T) S3_NOTIFY_RULE(F, T, "Topic")
#define S3_NOTIFY_QUEUE(F, T) S3_NOTIFY_RULE(F, T, "Queue")
#define S3_NOTIFY_FUNCTION(F, T) S3_NOTIFY_RULE(F, T, "CloudFunction")
SHAPE_DECLARE(s3_notify_rule, S3_NOTIFY_QUEUE)
extern const struct shape s3_notify_topic_shape;    /* of struct s3_notify_rule as well */
extern const struct shape s3_notify_function_shape; /* likewise */
extern const struct shape s3_event_bridge_shape;

#define S3_NOTIFICATION(F, T)                                                                      \
    F(T, LIST, topics, "TopicConfiguration", BODY, .flags = FLAT, .of = &s3_notify_topic_shape)    \
    F(T, LIST, queues, "QueueConfiguration", BODY, .flags = FLAT, .of = &s3_notify_rule_shape)     \
    F(T, LIST, functions, "CloudFunctionConfiguration", BODY, .flags = FLAT,                       \
      .of = &s3_notify_function_shape)                                                             \
    F(T, STRUCT, event_bridge, "EventBridgeConfiguration", BODY, .of = &s3_event_bridge_shape)
SHAPE_DECLARE(s3_notification, S3_NOTIFICATION)

/* Replaces the configuration (an empty one deletes it), after checking syntax, filters, overlaps
 * and, unless `skip_check`, that every destination would take the events; then each queue gets
 * s3:TestEvent. Topics, functions and EventBridge are refused as long as nothing answers for them
 * here. Faults: NoSuchBucket, InvalidArgument, MalformedXML, NotImplemented. */
err s3_notification_put(struct s3 *s3, struct ctx *ctx, str bucket,
                        const struct s3_notification *config, bool skip_check);
err s3_notification_get(struct s3 *s3, struct ctx *ctx, str bucket, struct s3_notification *out);

/* Delivers `event` of `object` to every queue whose rule matches. What object must hold: see
 * s3_changed in engine.h. */
err s3_notify(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_event event,
              const struct s3_object *object);

/* The events that a configuration's text stands for, one bit each (wildcards many); 0: no such
 * event. */
uint32_t s3_event_mask(str name);

#endif
