/* api/s3_policy.c - bucket policies: kept and returned to the byte, after aws/policy has found
 * nothing wrong with them. */
#include "api/s3_access.h"
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "api/s3_upload.h"
#include "aws/policy.h"
#include "s3/config.h"

/* In bytes: docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html */
#define POLICY_MAX 20480

#define PUT_IN(F, T)                                                                               \
    S3_BUCKET_IN(F, T)                                                                             \
    F(T, BOOL, confirm, "x-amz-confirm-remove-self-bucket-access", HEADER)                         \
    F(T, BLOB, policy, "Policy", PAYLOAD)
SHAPE(put_in, "PutBucketPolicyRequest", PUT_IN)
#define GET_IN(F, T) S3_BUCKET_IN(F, T)
SHAPE(get_in, "GetBucketPolicyRequest", GET_IN)
#define GET_OUT(F, T) F(T, BLOB, policy, "Policy", PAYLOAD)
SHAPE(get_out, "GetBucketPolicyOutput", GET_OUT)
#define STATUS_OUT(F, T) F(T, BOOL, is_public, "IsPublic", BODY)
SHAPE(status_out, "PolicyStatus", STATUS_OUT)

/* Bytes of a document without the blanks between its tokens, which do not count for AWS. */
static size_t size_of(str document)
{
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < document.n; i++) {
        char c = document.p[i];
        bool escape = quoted && c == '\\' && i + 1 < document.n;
        if (c == '"')
            quoted = !quoted;
        n += escape || quoted || (c != ' ' && c != '\t' && c != '\n' && c != '\r');
        if (escape) {
            i++;
            n++;
        }
    }
    return n;
}

static err put_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct put_in *in = input;
    struct s3_bucket *bucket;
    struct policy *policy;
    TRY(s3_body_check(call, false));
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    if (size_of(in->policy) > POLICY_MAX)
        return err_text(call->ctx.arena, &S3_MALFORMED_POLICY,
                        "Policy exceeds the maximum allowed document size.");
    TRY(policy_parse(call->ctx.arena, in->policy.p ? in->policy : S(""), &policy));
    TRY(policy_check_bucket(call->ctx.arena, policy, in->bucket));
    if (s3_public_block(call, bucket, S("BlockPublicPolicy")) && policy_is_public(policy))
        return FAIL(S3_ACCESS_DENIED);
    return s3_config_put(call->api->s3, bucket, S3_CONFIG_POLICY, S(""), in->policy);
}

static err find(struct call *call, const struct get_in *in, struct s3_bucket **bucket, str *policy)
{
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, bucket));
    *policy = s3_config_get(call->api->s3, &call->ctx, *bucket, S3_CONFIG_POLICY, S(""));
    return policy->p ? OK
                     : err_with(call->ctx.arena, FAIL(S3_NO_SUCH_BUCKET_POLICY), "BucketName",
                                in->bucket);
}

static err get_run(struct call *call, const void *input, void *output)
{
    struct get_out *out = output;
    struct s3_bucket *bucket;
    TRY(find(call, input, &bucket, &out->policy));
    http_reply_set(call->ctx.arena, call->reply, S("Content-Type"), S("application/json"));
    return OK;
}

static err status_run(struct call *call, const void *input, void *output)
{
    struct status_out *out = output;
    struct s3_bucket *bucket;
    struct policy *policy;
    str text;
    TRY(find(call, input, &bucket, &text));
    TRY(policy_parse(call->ctx.arena, text, &policy));
    out->is_public = BOOL_OF(policy_is_public(policy));
    return OK;
}

static err delete_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct get_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    return s3_config_delete(call->api->s3, bucket, S3_CONFIG_POLICY, S(""), NULL);
}

const struct op s3_policy_ops[] = {
    {.name = "PutBucketPolicy",
     .in = &put_in_shape,
     .out = &empty_shape,
     .run = put_run,
     .rest = {"PUT", REST_BUCKET, "policy", .status = 204}},
    {.name = "GetBucketPolicy",
     .in = &get_in_shape,
     .out = &get_out_shape,
     .run = get_run,
     .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "policy"}},
    {.name = "GetBucketPolicyStatus",
     .in = &get_in_shape,
     .out = &status_out_shape,
     .run = status_run,
     .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "policyStatus"}},
    {.name = "DeleteBucketPolicy",
     .in = &get_in_shape,
     .out = &empty_shape,
     .run = delete_run,
     .rest = {"DELETE", REST_BUCKET, "policy", .status = 204}},
    {0},
};
