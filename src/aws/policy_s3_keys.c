/* aws/policy_s3_keys.c - the condition keys of S3 and the actions each of them goes with
 * (policy_check_conditions in policy_internal.h). A key beside an action that never carries it is
 * refused when the policy is put, so that nobody waits for a condition that can never hold. The
 * table: docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html. That every
 * action written out must carry the key, while a pattern of actions need not, and that aws:SourceIp
 * is read whatever its operator: versity/versitygw, which compared with AWS. */
#include "aws/fault.h"
#include "aws/policy_internal.h"

static const char *const listing[] = {"ListBucket", "ListBucketVersions", NULL};
static const char *const granting[] = {"CreateBucket",
                                       "PutBucketAcl",
                                       "PutObject",
                                       "PutObjectAcl",
                                       "PutObjectVersionAcl",
                                       "BypassGovernanceRetention",
                                       NULL};
static const char *const classing[] = {"PutObject", "PutObjectAcl", "PutObjectVersionAcl",
                                       "BypassGovernanceRetention", NULL};
static const char *const writing[] = {"PutObject", "BypassGovernanceRetention", NULL};
static const char *const encrypting[] = {"PutObject", "ReplicateObject", "UpdateObjectEncryption",
                                         "BypassGovernanceRetention", NULL};
static const char *const retaining[] = {"PutObject", "PutObjectRetention", NULL};
static const char *const holding[] = {"PutObject", "PutObjectLegalHold", NULL};
static const char *const tagging[] = {"PutObject", "PutObjectTagging", "PutObjectVersionTagging",
                                      "BypassGovernanceRetention", NULL};
static const char *const tagged[] = {"DeleteObjectTagging",
                                     "DeleteObjectVersionTagging",
                                     "GetObject",
                                     "GetObjectAcl",
                                     "GetObjectAttributes",
                                     "GetObjectTagging",
                                     "GetObjectVersion",
                                     "GetObjectVersionAcl",
                                     "GetObjectVersionAttributes",
                                     "GetObjectVersionTagging",
                                     "PutObjectAcl",
                                     "PutObjectTagging",
                                     "PutObjectVersionAcl",
                                     "PutObjectVersionTagging",
                                     NULL};
static const char *const versions[] = {"DeleteObjectVersion",        "DeleteObjectVersionTagging",
                                       "GetObjectVersion",           "GetObjectVersionAcl",
                                       "GetObjectVersionAttributes", "GetObjectVersionTagging",
                                       "GetObjectVersionTorrent",    "PutObjectVersionAcl",
                                       "PutObjectVersionTagging",    NULL};
static const char *const creating[] = {"CreateBucket", NULL};
static const char *const put_only[] = {"PutObject", NULL};
static const char *const matching[] = {"PutObject", "DeleteObject", NULL};

/* A name that ends in '/' stands for all that begin with it. */
static const struct key {
    const char *name;
    const char *const *actions; /* NULL: any */
} keys[] = {
    {"s3:prefix", listing},
    {"s3:delimiter", listing},
    {"s3:max-keys", listing},
    {"s3:VersionId", versions},
    {"s3:x-amz-acl", granting},
    {"s3:x-amz-grant-full-control", granting},
    {"s3:x-amz-grant-read", granting},
    {"s3:x-amz-grant-read-acp", granting},
    {"s3:x-amz-grant-write", granting},
    {"s3:x-amz-grant-write-acp", granting},
    {"s3:x-amz-copy-source", writing},
    {"s3:x-amz-metadata-directive", writing},
    {"s3:x-amz-website-redirect-location", writing},
    {"s3:x-amz-storage-class", classing},
    {"s3:x-amz-server-side-encryption", encrypting},
    {"s3:x-amz-server-side-encryption-aws-kms-key-id", encrypting},
    {"s3:x-amz-server-side-encryption-customer-algorithm", encrypting},
    {"s3:object-lock-mode", retaining},
    {"s3:object-lock-retain-until-date", retaining},
    {"s3:object-lock-remaining-retention-days", retaining},
    {"s3:object-lock-legal-hold", holding},
    {"s3:RequestObjectTag/", tagging},
    {"s3:RequestObjectTagKeys", tagging},
    {"s3:ExistingObjectTag/", tagged},
    {"s3:LocationConstraint", creating},
    {"s3:x-amz-object-ownership", creating},
    {"s3:x-amz-bucket-namespace", creating},
    {"s3:ObjectCreationOperation", put_only},
    {"s3:if-none-match", put_only},
    {"s3:if-match", matching},
    {"s3:AccessGrantScope", NULL},
    {"s3:AccessGrantsInstanceArn", NULL},
    {"s3:AccessGrantsLocationScope", NULL},
    {"s3:AccessPointNetworkOrigin", NULL},
    {"s3:AccessPointTag/", NULL},
    {"s3:BucketTag/", NULL},
    {"s3:DataAccessPointAccount", NULL},
    {"s3:DataAccessPointArn", NULL},
    {"s3:ExistingJobOperation", NULL},
    {"s3:ExistingJobPriority", NULL},
    {"s3:InventoryAccessibleOptionalFields", NULL},
    {"s3:InventoryField", NULL},
    {"s3:JobSuspendedCause", NULL},
    {"s3:RequestJobOperation", NULL},
    {"s3:RequestJobPriority", NULL},
    {"s3:ResourceAccount", NULL},
    {"s3:TlsVersion", NULL},
    {"s3:annotation-prefix", NULL},
    {"s3:authType", NULL},
    {"s3:deliverySourceArn", NULL},
    {"s3:destinationRegion", NULL},
    {"s3:isReplicationPauseRequest", NULL},
    {"s3:logType", NULL},
    {"s3:max-annotation-results", NULL},
    {"s3:resourceArnBeingAuthorized", NULL},
    {"s3:signatureAge", NULL},
    {"s3:signatureversion", NULL},
    {"s3:x-amz-content-sha256", NULL},
    {"s3:x-amz-object-annotation-directive", NULL},
    {"s3:x-amz-object-if-match", NULL},
    /* Of all services, and those that describe a role's credentials. */
    {"aws:", NULL},
    {"codebuild:", NULL},
    {"ec2:", NULL},
    {"glue:", NULL},
    {"identitystore:", NULL},
    {"lambda:", NULL},
    {"saml:", NULL},
    {"ssm:", NULL},
    {"sts:", NULL},
};

static const struct key *key_named(str name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        str known = str_of(keys[i].name);
        bool family = str_ends(known, S("/")) || str_ends(known, S(":"));
        if (family ? name.n > known.n && str_starts_nocase(name, known)
                   : str_eq_nocase(name, known))
            return &keys[i];
    }
    return NULL;
}

static bool carries(const struct key *key, str action)
{
    const char *const *at = key->actions;
    str name = str_slice(action, 3, action.n);
    if (!at || str_find(action, S("*"), 0) >= 0 || str_find(action, S("?"), 0) >= 0)
        return true;
    while (*at && !str_eq_nocase(name, str_of(*at)))
        at++;
    return *at != NULL;
}

static bool good_addresses(const struct condition *c)
{
    if (c->test->kind == TEST_NULL ||
        (c->test->kind != TEST_IP && !str_eq_nocase(c->key, S("aws:SourceIp"))))
        return true;
    for (size_t i = 0; i < c->values.n; i++) {
        str rest = c->values.at[i];
        if (!policy_ip_match(c->values.at[i], str_cut(&rest, '/')))
            return false;
    }
    return true;
}

err policy_check_conditions(struct arena *arena, const struct statement *s)
{
    for (const struct condition *c = s->conditions; c; c = c->next) {
        const struct key *key = key_named(c->key);
        if (!key)
            return err_text(arena, &AWS_MALFORMED_POLICY, "Policy has an invalid condition key");
        for (size_t i = 0; i < s->actions.n && !s->not_action; i++)
            if (!carries(key, s->actions.at[i]))
                return err_text(arena, &AWS_MALFORMED_POLICY,
                                "Conditions do not apply to combination of actions and resources "
                                "in statement");
        if (!good_addresses(c))
            return err_text(arena, &AWS_MALFORMED_POLICY, "Invalid IP address in Conditions");
    }
    return OK;
}
