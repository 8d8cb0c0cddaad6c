/* api/s3_notify.c - PutBucketNotificationConfiguration and its read. */
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "s3/notify.h"

#define PUT_IN(F, T)                                                                               \
    S3_BUCKET_IN(F, T)                                                                             \
    F(T, BOOL, skip, "x-amz-skip-destination-validation", HEADER)                                  \
    F(T, STRUCT, config, "NotificationConfiguration", PAYLOAD, .flags = REQUIRED,                  \
      .of = &s3_notification_shape)
SHAPE(put_in, "PutBucketNotificationConfigurationRequest", PUT_IN)

#define GET_IN(F, T) S3_BUCKET_IN(F, T)
SHAPE(get_in, "GetBucketNotificationConfigurationRequest", GET_IN)

static err put_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct put_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    return s3_notification_put(call->api->s3, &call->ctx, in->bucket, in->config, in->skip.v);
}

static err get_run(struct call *call, const void *input, void *output)
{
    const struct get_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    return s3_notification_get(call->api->s3, &call->ctx, in->bucket, output);
}

const struct op s3_notify_ops[] = {
    {.name = "PutBucketNotificationConfiguration",
     .in = &put_in_shape,
     .out = &empty_shape,
     .run = put_run,
     .rest = {"PUT", REST_BUCKET, "notification"},
     .action = "s3:PutBucketNotification"},
    {.name = "GetBucketNotificationConfiguration",
     .in = &get_in_shape,
     .out = &s3_notification_shape,
     .run = get_run,
     .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "notification"},
     .action = "s3:GetBucketNotification"},
    {0},
};
