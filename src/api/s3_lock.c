/* api/s3_lock.c - retention and legal hold of versions. */
#include "s3/lock.h"

#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "api/s3_upload.h"
#include "s3/document.h"

#define GET_IN(F, T)                                                                               \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, version, "versionId", QUERY)
SHAPE(get_in, "GetObjectRetentionRequest", GET_IN)

#define RETENTION(F, T)                                                                            \
    F(T, STR, mode, "Mode", BODY, .values = "GOVERNANCE|COMPLIANCE")                               \
    F(T, TIME, until, "RetainUntilDate", BODY)                                                     \
    F(T, STR, event_hold, "EventHold", BODY, .flags = UNIMPLEMENTED)                               \
    F(T, STRUCT, event_duration, "EventHoldDuration", BODY, .of = &s3_event_hold_shape,            \
      .flags = UNIMPLEMENTED)
SHAPE(retention, "Retention", RETENTION)
#define RETENTION_IN(F, T)                                                                         \
    GET_IN(F, T)                                                                                   \
    F(T, BOOL, bypass, "x-amz-bypass-governance-retention", HEADER)                                \
    F(T, STRUCT, body, "Retention", PAYLOAD, .flags = REQUIRED, .of = &retention_shape)
SHAPE(retention_in, "PutObjectRetentionRequest", RETENTION_IN)

#define HOLD(F, T) F(T, STR, status, "Status", BODY, .values = "ON|OFF")
SHAPE(hold, "LegalHold", HOLD)
#define HOLD_IN(F, T)                                                                              \
    GET_IN(F, T)                                                                                   \
    F(T, STRUCT, body, "LegalHold", PAYLOAD, .flags = REQUIRED, .of = &hold_shape)
SHAPE(hold_in, "PutObjectLegalHoldRequest", HOLD_IN)

static err find_in(struct call *call, const struct get_in *in, struct s3_bucket **bucket,
                   struct s3_object *object)
{
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, bucket));
    TRY(s3_lock_required(&call->ctx, *bucket));
    return s3_find_for(call, *bucket, in->key, in->version, object);
}

static err find(struct call *call, const struct get_in *in, struct s3_object *object)
{
    struct s3_bucket *bucket;
    return find_in(call, in, &bucket, object);
}

static err put_retention(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct retention_in *in = input;
    const struct retention *body = in->body;
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(s3_body_check(call, false));
    TRY(find_in(call, (const struct get_in *)in, &bucket, &object));
    if (!body->mode.p != !body->until.set)
        return FAIL(S3_MALFORMED_XML);
    return s3_lock_retain(call->api->s3, &call->ctx, bucket, &object, body->mode, body->until.v,
                          in->bypass.v);
}

static err get_retention(struct call *call, const void *input, void *output)
{
    struct retention *out = output;
    struct s3_object object;
    TRY(find(call, input, &object));
    if (!object.lock_mode.p)
        return FAIL(S3_NO_SUCH_OBJECT_LOCK);
    out->mode = object.lock_mode;
    out->until = INT_OF(object.lock_until);
    return OK;
}

static err put_hold(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct hold_in *in = input;
    const struct hold *body = in->body;
    struct s3_object object;
    TRY(s3_body_check(call, false));
    TRY(find(call, (const struct get_in *)in, &object));
    if (!body->status.p)
        return FAIL(S3_MALFORMED_XML);
    return s3_lock_hold(call->api->s3, &object, str_eq(body->status, S("ON")));
}

static err get_hold(struct call *call, const void *input, void *output)
{
    struct hold *out = output;
    struct s3_object object;
    TRY(find(call, input, &object));
    if (!object.legal_hold_set)
        return FAIL(S3_NO_SUCH_OBJECT_LOCK);
    out->status = object.legal_hold ? S("ON") : S("OFF");
    return OK;
}

const struct op s3_lock_ops[] = {
    {.name = "PutObjectRetention",
     .in = &retention_in_shape,
     .out = &empty_shape,
     .run = put_retention,
     .rest = {"PUT", REST_OBJECT, "retention"}},
    {.name = "GetObjectRetention",
     .in = &get_in_shape,
     .out = &retention_shape,
     .run = get_retention,
     .flags = OP_READ,
     .rest = {"GET", REST_OBJECT, "retention"}},
    {.name = "PutObjectLegalHold",
     .in = &hold_in_shape,
     .out = &empty_shape,
     .run = put_hold,
     .rest = {"PUT", REST_OBJECT, "legal-hold"}},
    {.name = "GetObjectLegalHold",
     .in = &get_in_shape,
     .out = &hold_shape,
     .run = get_hold,
     .flags = OP_READ,
     .rest = {"GET", REST_OBJECT, "legal-hold"}},
    {0},
};
