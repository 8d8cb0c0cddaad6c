/* aws/policy.h - IAM policy documents: resource policies of buckets and queues. Parsed once into an
 * arena, evaluated over values. */
#ifndef HEADRACE_AWS_POLICY_H
#define HEADRACE_AWS_POLICY_H

#include "base/ctx.h"

struct policy;

/* What the statements' conditions ask for: one entry a value, keys compared without case
 * ("aws:SourceIp", "s3:prefix"). */
struct policy_value {
    str key, value;
};

struct policy_request {
    str principal;    /* ARN of the caller; absent when anonymous */
    str account;      /* its 12 digits; absent when anonymous or a service */
    str canonical_id; /* S3; absent otherwise */
    str service;      /* "s3.amazonaws.com" when a service calls; absent otherwise */
    str action;       /* "s3:GetObject", "sqs:SendMessage" */
    str resource;     /* ARN */
    const struct policy_value *context;
    size_t ncontext;
};

enum policy_decision { POLICY_IMPLICIT, POLICY_ALLOW, POLICY_DENY };

/* AWS_MALFORMED_POLICY with AWS's text when it is not an acceptable resource policy. */
err policy_parse(struct arena *arena, str json, struct policy **out);
/* For PutBucketPolicy: every Action must start with "s3:" (or be "*"), every Resource must lie in
 * the bucket. */
err policy_check_bucket(struct arena *arena, const struct policy *policy, str bucket);
enum policy_decision policy_decide(const struct policy *policy,
                                   const struct policy_request *request);
/* As GetBucketPolicyStatus and BlockPublicPolicy see it: some statement allows everyone without a
 * condition that fixes who. */
bool policy_is_public(const struct policy *policy);

#endif
