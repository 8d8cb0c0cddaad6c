/* api/s3_acl.c - see s3_acl.h. Claims of headers become a struct s3_acl here; the document form is
 * in s3_acl_ops.c. */
#include "api/s3_acl_inside.h"

#include "api/s3_access.h"
#include "api/s3_common.h"
#include "aws/keys.h"
#include "base/text.h"
#include "s3/engine.h"

enum s3_ownership s3_ownership_of(struct call *call, struct s3_bucket *bucket)
{
    str rule = s3_config_get(call->api->s3, &call->ctx, bucket, S3_CONFIG_OWNERSHIP, S(""));
    if (!rule.p)
        return call->api->strict ? S3_OWNER_ENFORCED : S3_OWNER_WRITER;
    if (str_find(rule, S("BucketOwnerEnforced"), 0) >= 0)
        return S3_OWNER_ENFORCED;
    return str_find(rule, S("BucketOwnerPreferred"), 0) >= 0 ? S3_OWNER_PREFERRED : S3_OWNER_WRITER;
}

bool s3_canonical_id_formed(str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return id.n == 64;
}

/* Accounts of AWS's own services that are granted access by their ids.
 * (docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html) */
static bool is_service(str id)
{
    return str_eq(id, S("c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"));
}

bool s3_grantee_known(struct call *call, str *id)
{
    struct ctx *ctx = &call->ctx;
    str lower = text_lower(ctx->arena, *id);
    if (str_find(*id, S("@"), 0) >= 0)
        return false;
    if (s3_canonical_id_formed(lower))
        *id = lower;
    return !call->api->keys || is_service(*id) ||
           keys_account_of(call->api->keys, ctx->arena, *id).p;
}

err s3_grantee_of_email(struct call *call, str email, str *id)
{
    str account =
        call->api->keys ? keys_account_of(call->api->keys, call->ctx.arena, email) : STR_NONE;
    if (!account.p)
        return FAIL(S3_UNRESOLVABLE_GRANT);
    *id = s3_canonical_id(call, account);
    return OK;
}

/* One `id="..."`, `emailAddress="..."` or `uri="..."` of an x-amz-grant header. */
static err take_grantee(struct call *call, const char *header, str pair, struct s3_grant *grant)
{
    str whole = pair, value = pair;
    str kind = str_trim(str_cut(&value, '='));
    value = str_trim(value);
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = str_slice(value, 1, value.n - 1);
    if (!value.p)
        return s3_argument_invalid(call, "Argument format not recognized", header, whole);
    if (str_eq_nocase(kind, S("uri"))) {
        grant->group = s3_group_of(value);
        return grant->group ? OK : s3_argument_invalid(call, "Invalid group uri", "uri", value);
    }
    if (str_eq_nocase(kind, S("emailAddress")))
        return s3_grantee_of_email(call, value, &grant->user);
    if (!str_eq_nocase(kind, S("id")))
        return s3_argument_invalid(call, "Argument format not recognized", header, whole);
    grant->user = value;
    return s3_grantee_known(call, &grant->user)
               ? OK
               : s3_argument_invalid(call, "Invalid id", "id", value);
}

static err take_grants(struct call *call, const char *header, str value,
                       enum s3_permission permission, struct s3_acl *acl)
{
    while (value.p) {
        struct s3_grant grant = {.permission = permission};
        TRY(take_grantee(call, header, str_trim(str_cut(&value, ',')), &grant));
        s3_acl_add(call->ctx.arena, acl, grant);
    }
    return OK;
}

static bool claims_grants(const struct s3_acl_claims *claims)
{
    return claims->full_control.p || claims->read.p || claims->write.p || claims->read_acp.p ||
           claims->write_acp.p;
}

bool s3_acl_claimed(const struct s3_acl_claims *claims)
{
    return claims->canned.p || claims_grants(claims);
}

err s3_acl_of_claims(struct call *call, const struct s3_acl_claims *claims, str owner,
                     str bucket_owner, struct s3_acl *acl)
{
    *acl = (struct s3_acl){0};
    if (claims->canned.p && claims_grants(claims))
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "Specifying both Canned ACLs and Header Grants is not allowed");
    if (claims->canned.p &&
        !s3_acl_canned(call->ctx.arena, claims->canned, owner, bucket_owner, acl))
        return s3_argument_invalid(call, "", "x-amz-acl", claims->canned);
    TRY(take_grants(call, "x-amz-grant-full-control", claims->full_control, S3_FULL_CONTROL, acl));
    TRY(take_grants(call, "x-amz-grant-read", claims->read, S3_MAY_READ, acl));
    TRY(take_grants(call, "x-amz-grant-write", claims->write, S3_MAY_WRITE, acl));
    TRY(take_grants(call, "x-amz-grant-read-acp", claims->read_acp, S3_MAY_READ_ACP, acl));
    return take_grants(call, "x-amz-grant-write-acp", claims->write_acp, S3_MAY_WRITE_ACP, acl);
}

err s3_acl_may_store(struct call *call, struct s3_bucket *bucket, const struct s3_acl *acl)
{
    bool blocked = s3_acl_is_public(acl) && s3_public_block(call, bucket, S("BlockPublicAcls"));
    return blocked ? FAIL(S3_ACCESS_DENIED) : OK;
}

/* With ACLs disabled only those are taken that give the bucket's owner everything and nobody else
 * anything. */
static bool means_nothing(const struct s3_acl_claims *claims)
{
    return !claims_grants(claims) &&
           (!claims->canned.p || str_eq(claims->canned, S("bucket-owner-full-control")));
}

err s3_acl_of_write(struct call *call, const struct s3_acl_claims *claims, struct s3_bucket *bucket,
                    struct s3_object *object)
{
    bool foreign =
        !call->ctx.anonymous && call->ctx.account.n && !str_eq(call->ctx.account, bucket->account);
    object->owner = bucket->account;
    if (!foreign && !s3_acl_claimed(claims))
        return OK;
    enum s3_ownership ownership = s3_ownership_of(call, bucket);
    if (ownership == S3_OWNER_ENFORCED)
        return means_nothing(claims) ? OK : FAIL(S3_ACL_NOT_SUPPORTED);
    bool hands_over =
        ownership == S3_OWNER_PREFERRED && str_eq(claims->canned, S("bucket-owner-full-control"));
    if (foreign && !hands_over)
        object->owner = call->ctx.account;
    if (!s3_acl_claimed(claims))
        return OK;
    struct s3_acl acl;
    str owner = s3_canonical_id(call, object->owner);
    TRY(s3_acl_of_claims(call, claims, owner, s3_canonical_id(call, bucket->account), &acl));
    TRY(s3_acl_may_store(call, bucket, &acl));
    if (!s3_acl_is_owner_only(&acl, owner))
        object->acl = s3_acl_store(call->ctx.arena, &acl);
    return OK;
}

err s3_acl_of_new_bucket(struct call *call, const struct s3_acl_claims *claims, str ownership,
                         struct s3_bucket *bucket)
{
    struct s3_acl acl;
    if (!s3_acl_claimed(claims))
        return OK;
    TRY(s3_acl_of_claims(call, claims, s3_canonical_id(call, bucket->account), STR_NONE, &acl));
    bool enforced = ownership.p ? str_eq(ownership, S("BucketOwnerEnforced")) : call->api->strict;
    if (enforced && !str_eq(claims->canned, S("private")))
        return FAIL(S3_BUCKET_ACL_WITH_OWNERSHIP);
    return s3_config_put(call->api->s3, bucket, S3_CONFIG_ACL, S(""),
                         s3_acl_store(call->ctx.arena, &acl));
}

str s3_name_of_canonical_id(struct call *call, str id)
{
    struct identity identity;
    str account =
        call->api->keys ? keys_account_of(call->api->keys, call->ctx.arena, id) : STR_NONE;
    if (!account.p)
        return STR_NONE;
    keys_of_account(call->api->keys, call->ctx.arena, account, &identity);
    return identity.display_name;
}
