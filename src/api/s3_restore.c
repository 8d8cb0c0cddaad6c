/* api/s3_restore.c - RestoreObject. */
#include "s3/restore.h"

#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "api/s3_upload.h"

#define GLACIER_JOB(F, T)                                                                          \
    F(T, STR, tier, "Tier", BODY, .flags = REQUIRED, .values = "Standard|Bulk|Expedited")
SHAPE(glacier_job, "GlacierJobParameters", GLACIER_JOB)
#define RESTORE(F, T)                                                                              \
    F(T, INT, days, "Days", BODY, INT_32)                                                          \
    F(T, STRUCT, job, "GlacierJobParameters", BODY, .of = &glacier_job_shape)                      \
    F(T, STR, type, "Type", BODY, .flags = UNIMPLEMENTED)                                          \
    F(T, STR, tier, "Tier", BODY, .values = "Standard|Bulk|Expedited")                             \
    F(T, STR, description, "Description", BODY)                                                    \
    F(T, STRUCT, select, "SelectParameters", BODY, .flags = UNIMPLEMENTED, .of = &empty_shape)     \
    F(T, STRUCT, output, "OutputLocation", BODY, .flags = UNIMPLEMENTED, .of = &empty_shape)
SHAPE(restore, "RestoreRequest", RESTORE)
#define RESTORE_IN(F, T)                                                                           \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, version, "versionId", QUERY)                                                         \
    F(T, STRUCT, body, "RestoreRequest", PAYLOAD, .flags = REQUIRED, .of = &restore_shape)
SHAPE(restore_in, "RestoreObjectRequest", RESTORE_IN)

static err restore_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct restore_in *in = input;
    const struct restore *body = in->body;
    const struct glacier_job *job = body->job;
    struct s3_restore restore = {.days = body->days, .tier = job ? job->tier : body->tier};
    struct s3_bucket *bucket;
    struct s3_object object;
    bool again = false;
    TRY(s3_body_check(call, false));
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_find_for(call, bucket, in->key, in->version, &object));
    TRY(s3_restore_begin(call->api->s3, &call->ctx, bucket, &object, &restore, &again));
    call->reply->status = again ? 200 : 202;
    return OK;
}

const struct op s3_restore_ops[] = {
    {.name = "RestoreObject",
     .in = &restore_in_shape,
     .out = &empty_shape,
     .run = restore_run,
     .rest = {"POST", REST_OBJECT, "restore"}},
    {0},
};
