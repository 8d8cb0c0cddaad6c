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

/* An account, a user, role or session of one, or CloudFront's. Wildcards are for everyone only. AWS
 * looks whether there is such an account; s3-tests name tenants in its place. */
static bool good_account(str name)
{
    str rest = name;
    if (str_eq(name, S("*")) || str_is_account(name))
        return true;
    if (str_find(name, S("*"), 0) >= 0 || !str_eq(str_cut(&rest, ':'), S("arn")))
        return false;
    str_cut(&rest, ':');
    str service = str_cut(&rest, ':');
    if (str_cut(&rest, ':').n) /* no region */
        return false;
    if (!str_cut(&rest, ':').n)
        return false;
    return str_eq(service, S("iam")) ? rest.n > 0
           : str_eq(service, S("sts"))
               ? str_starts(rest, S("assumed-role/")) || str_starts(rest, S("federated-user/"))
               : false;
}

static bool good_service(str name)
{
    return str_find(name, S(".amazon"), 0) > 0 || str_ends(name, S(".aws.internal"));
}

/* 64 hexadecimal digits, or 96 of CloudFront's. */
static bool good_canonical(str name)
{
    if (name.n != 64 && name.n != 96)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= '0' && name.p[i] <= '9') ||
              ((name.p[i] | 0x20) >= 'a' && (name.p[i] | 0x20) <= 'f')))
            return false;
    return true;
}

static bool good_names(const struct strings *names, bool (*good)(str name))
{
    for (size_t i = 0; i < names->n; i++)
        if (!good(names->at[i]))
            return false;
    return true;
}

/* Every action must be one of S3's, and find a resource of its kind among the statement's. */
static err check_actions(struct arena *arena, const struct statement *s, bool of_bucket,
                         bool of_objects)
{
    bool fits = true;
    for (size_t i = 0; i < s->actions.n; i++) {
        bool bucket_kind = covers(s->actions.at[i], bucket_actions),
             object_kind = covers(s->actions.at[i], object_actions);
        if (!bucket_kind && !object_kind)
            return bad(arena, "Policy has invalid action");
        fits = fits && ((bucket_kind && of_bucket) || (object_kind && of_objects));
    }
    TRY(policy_check_conditions(arena, s));
    return fits || s->not_action
               ? OK
               : bad(arena, "Action does not apply to any resource(s) in statement");
}

static err check_statement(struct arena *arena, const struct statement *s, str bucket)
{
    bool of_bucket, of_objects;
    if (s->allow && s->principals.negated)
        return bad(arena, "Allow with NotPrincipal is not allowed.");
    if (!good_names(&s->principals.aws, good_account) ||
        !good_names(&s->principals.service, good_service) ||
        !good_names(&s->principals.canonical, good_canonical))
        return bad(arena, "Invalid principal in policy");
    if (!s->resources.n)
        return bad(arena, "Missing required field Resource");
    if (!names_resources(s, bucket, &of_bucket, &of_objects))
        return bad(arena, "Policy has invalid resource");
    return check_actions(arena, s, of_bucket, of_objects);
}

err policy_check_bucket(struct arena *arena, const struct policy *policy, str bucket)
{
    for (size_t i = 0; i < policy->n; i++)
        TRY(check_statement(arena, &policy->at[i], bucket));
    return OK;
}
