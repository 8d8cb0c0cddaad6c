/* aws/policy_s3.c - what S3 asks of a bucket policy beyond its form (policy_check_bucket in
 * policy.h): actions that exist, resources in the bucket, and an action that can be done to some
 * resource of its statement. The actions:
 * docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html. */
#include "aws/fault.h"
#include "aws/policy_internal.h"

#define ARN "arn:aws:s3:::"

static const char *const bucket_actions[] = {
    "CreateBucket",
    "DeleteBucket",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketWebsite",
    "GetAccelerateConfiguration",
    "GetAnalyticsConfiguration",
    "GetBucketAbac",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketMetadataTableConfiguration",
    "GetBucketNotification",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetIntelligentTieringConfiguration",
    "GetInventoryConfiguration",
    "GetLifecycleConfiguration",
    "GetMetricsConfiguration",
    "GetReplicationConfiguration",
    "ListBucket",
    "ListBucketMultipartUploads",
    "ListBucketVersions",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
    "PutAccelerateConfiguration",
    "PutAnalyticsConfiguration",
    "PutBucketAbac",
    "PutBucketAcl",
    "PutBucketCORS",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutEncryptionConfiguration",
    "PutIntelligentTieringConfiguration",
    "PutInventoryConfiguration",
    "PutLifecycleConfiguration",
    "PutMetricsConfiguration",
    "PutReplicationConfiguration",
    "CreateSession",
    "ListAllMyBuckets",
    NULL,
};
static const char *const object_actions[] = {
    "AbortMultipartUpload",
    "BypassGovernanceRetention",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjectVersion",
    "DeleteObjectVersionTagging",
    "GetObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectLegalHold",
    "GetObjectRetention",
    "GetObjectTagging",
    "GetObjectTorrent",
    "GetObjectVersion",
    "GetObjectVersionAcl",
    "GetObjectVersionAttributes",
    "GetObjectVersionForReplication",
    "GetObjectVersionTagging",
    "GetObjectVersionTorrent",
    "InitiateReplication",
    "ListMultipartUploadParts",
    "ObjectOwnerOverrideToBucketOwner",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutObjectVersionAcl",
    "PutObjectVersionTagging",
    "ReplicateDelete",
    "ReplicateObject",
    "ReplicateTags",
    "RestoreObject",
    "RenameObject",
    "UpdateObjectEncryption",
    NULL,
};

static bool covers(str pattern, const char *const *names)
{
    if (str_eq(pattern, S("*")))
        return true;
    if (!str_starts_nocase(pattern, S("s3:")))
        return false;
    str rest = str_slice(pattern, 3, pattern.n);
    for (; *names; names++)
        if (policy_match(rest, str_of(*names), true))
            return true;
    return false;
}

static err bad(struct arena *arena, const char *text)
{
    return err_text(arena, &AWS_MALFORMED_POLICY, "%s", text);
}

/* Which kinds of resources of this bucket the statement names. */
static bool names_resources(const struct statement *s, str bucket, bool *of_bucket,
                            bool *of_objects)
{
    *of_bucket = *of_objects = s->not_resource;
    for (size_t i = 0; i < s->resources.n; i++) {
        str resource = s->resources.at[i];
        if (!str_starts(resource, S(ARN)))
            return false;
        str key = str_slice(resource, sizeof ARN - 1, resource.n);
        str whole = key;
        if (!policy_match(str_cut(&key, '/'), bucket, false))
            return false;
        *of_bucket = *of_bucket || !key.p;
        *of_objects = *of_objects || key.p || str_ends(whole, S("*"));
    }
    return true;
}

static err check_statement(struct arena *arena, const struct statement *s, str bucket)
{
    bool of_bucket, of_objects, fits = s->not_action;
    if (s->allow && s->principals.negated)
        return bad(arena, "Allow with NotPrincipal is not allowed.");
    if (!s->resources.n)
        return bad(arena, "Missing required field Resource");
    if (!names_resources(s, bucket, &of_bucket, &of_objects))
        return bad(arena, "Policy has invalid resource");
    for (size_t i = 0; i < s->actions.n; i++) {
        bool bucket_kind = covers(s->actions.at[i], bucket_actions),
             object_kind = covers(s->actions.at[i], object_actions);
        if (!bucket_kind && !object_kind)
            return bad(arena, "Policy has invalid action");
        fits = fits || (bucket_kind && of_bucket) || (object_kind && of_objects);
    }
    return fits ? OK : bad(arena, "Action does not apply to any resource(s) in statement");
}

err policy_check_bucket(struct arena *arena, const struct policy *policy, str bucket)
{
    for (size_t i = 0; i < policy->n; i++) {
        if (policy->at[i].allow && policy->at[i].principals.negated)
            return bad(arena, "Allow with NotPrincipal is not allowed.");
        TRY(check_statement(arena, &policy->at[i], bucket));
    }
    return OK;
}
