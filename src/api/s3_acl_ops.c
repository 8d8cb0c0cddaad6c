/* api/s3_acl_ops.c - Get and Put of bucket and object ACLs. A put takes one of three forms: a
 * canned name, grant headers, or the document; a get always answers the document. */
#include "api/s3_access.h"
#include "api/s3_acl_inside.h"
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "s3/document.h"
#include "s3/engine.h"

#define GRANTEE(F, T)                                                                              \
    F(T, STR, type, "xsi:type", BODY, .flags = ATTRIBUTE)                                          \
    F(T, STR, id, "ID", BODY)                                                                      \
    F(T, STR, display_name, "DisplayName", BODY)                                                   \
    F(T, STR, email, "EmailAddress", BODY)                                                         \
    F(T, STR, uri, "URI", BODY)
SHAPE(acl_grantee, "Grantee", GRANTEE)

#define GRANT(F, T)                                                                                \
    F(T, STRUCT, grantee, "Grantee", BODY, .flags = REQUIRED, .of = &acl_grantee_shape)            \
    F(T, STR, permission, "Permission", BODY, .flags = REQUIRED,                                   \
      .values = "FULL_CONTROL|WRITE|WRITE_ACP|READ|READ_ACP")
SHAPE(acl_grant, "Grant", GRANT)

#define DOCUMENT(F, T)                                                                             \
    F(T, STRUCT, owner, "Owner", BODY, .of = &s3_owner_shape)                                      \
    F(T, LIST, grants, "AccessControlList", BODY, .of = &acl_grant_shape, .item = "Grant")
SHAPE(acl_document, "AccessControlPolicy", DOCUMENT)

#define GET_BUCKET(F, T) S3_BUCKET_IN(F, T)
SHAPE(get_bucket_acl_in, "GetBucketAclRequest", GET_BUCKET)

#define CLAIMS(F, T)                                                                               \
    S3_GRANTS_IN(F, T)                                                                             \
    F(T, STR, grant_write, "x-amz-grant-write", HEADER)                                            \
    F(T, STR, content_md5, "Content-MD5", HEADER)                                                  \
    F(T, STR, algorithm, "x-amz-sdk-checksum-algorithm", HEADER)                                   \
    F(T, STRUCT, document, "AccessControlPolicy", PAYLOAD, .of = &acl_document_shape)

#define PUT_BUCKET(F, T) S3_BUCKET_IN(F, T) CLAIMS(F, T)
SHAPE(put_bucket_acl_in, "PutBucketAclRequest", PUT_BUCKET)

#define VERSION(F, T)                                                                              \
    F(T, STR, version, "versionId", QUERY)                                                         \
    S3_PAYER_IN(F, T)

#define GET_OBJECT(F, T) S3_OBJECT_IN(F, T) VERSION(F, T)
SHAPE(get_object_acl_in, "GetObjectAclRequest", GET_OBJECT)

#define PUT_OBJECT(F, T) S3_OBJECT_IN(F, T) VERSION(F, T) CLAIMS(F, T)
SHAPE(put_object_acl_in, "PutObjectAclRequest", PUT_OBJECT)

#define PUT_OBJECT_OUT(F, T) F(T, STR, charged, "x-amz-request-charged", HEADER)
SHAPE(put_object_acl_out, "PutObjectAclResponse", PUT_OBJECT_OUT)

#define CLAIMS_OF(in)                                                                              \
    ((struct s3_acl_claims){(in)->acl, (in)->grant_full_control, (in)->grant_read,                 \
                            (in)->grant_write, (in)->grant_read_acp, (in)->grant_write_acp})

/* --- out --- */

static struct acl_grant wire_grant(struct call *call, const struct s3_grant *grant)
{
    struct acl_grantee *grantee = ARENA_NEW(call->ctx.arena, struct acl_grantee);
    *grantee = grant->group
                   ? (struct acl_grantee){.type = S("Group"), .uri = s3_group_uri(grant->group)}
                   : (struct acl_grantee){.type = S("CanonicalUser"), .id = grant->user};
    if (!grant->group)
        grantee->display_name = s3_name_of_canonical_id(call, grant->user);
    return (struct acl_grant){grantee, s3_permission_name(grant->permission)};
}

/* Grants to groups come first. */
static void fill_document(struct call *call, str owner, const struct s3_acl *acl,
                          struct acl_document *out)
{
    struct s3_owner *who = ARENA_NEW(call->ctx.arena, struct s3_owner);
    *who = s3_owner_of(call, owner);
    out->owner = who;
    out->grants =
        (list){arena_array(call->ctx.arena, acl->n, sizeof(struct acl_grant)), acl->n, true};
    size_t n = 0;
    for (int groups = 1; groups >= 0; groups--)
        for (size_t i = 0; i < acl->n; i++)
            if ((acl->grants[i].group != S3_NO_GROUP) == groups)
                *LIST_AT(out->grants, struct acl_grant, n++) = wire_grant(call, &acl->grants[i]);
}

static err get_bucket_acl(struct call *call, const void *input, void *out)
{
    const struct get_bucket_acl_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    struct s3_acl acl = s3_bucket_acl(call, bucket);
    fill_document(call, bucket->account, &acl, out);
    return OK;
}

static err get_object_acl(struct call *call, const void *input, void *out)
{
    const struct get_object_acl_in *in = input;
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_find_for(call, bucket, in->key, in->version, &object));
    struct s3_acl acl = s3_object_acl(call, &object);
    fill_document(call, object.owner, &acl, out);
    return OK;
}

/* --- in --- */

static err take_document_grant(struct call *call, const struct acl_grant *wire,
                               struct s3_grant *grant)
{
    const struct acl_grantee *grantee = wire->grantee;
    grant->permission = (enum s3_permission)s3_permission_of(wire->permission);
    if (str_eq(grantee->type, S("Group"))) {
        grant->group = s3_group_of(grantee->uri);
        return grant->group
                   ? OK
                   : s3_argument_invalid(call, "Invalid group uri", "Group/URI", grantee->uri);
    }
    if (str_eq(grantee->type, S("AmazonCustomerByEmail")))
        return s3_grantee_of_email(call, grantee->email, &grant->user);
    if (!str_eq(grantee->type, S("CanonicalUser")))
        return FAIL(S3_MALFORMED_ACL);
    grant->user = grantee->id;
    return grantee->id.p && s3_grantee_known(call, &grant->user)
               ? OK
               : s3_argument_invalid(call, "Invalid id", "CanonicalUser/ID", grantee->id);
}

err s3_acl_of_logs(struct call *call, const struct s3_log_target *target, str *stored)
{
    struct s3_bucket *to = s3_bucket_get(call->api->s3, target->bucket);
    struct s3_acl acl = {0};
    *stored = STR_NONE;
    if (!target->grants.n || !to)
        return OK;
    if (s3_ownership_of(call, to) == S3_OWNER_ENFORCED)
        return FAIL(S3_ACL_NOT_SUPPORTED);
    s3_acl_add(call->ctx.arena, &acl,
               (struct s3_grant){S3_FULL_CONTROL, S3_NO_GROUP, s3_canonical_id(call, to->account)});
    LIST_EACH (const struct s3_log_grant, wire, target->grants) {
        const struct s3_log_grantee *who = wire->grantee;
        struct s3_grant grant = {0};
        if (!who || !wire->permission.p)
            return FAIL(S3_MALFORMED_XML);
        struct acl_grantee grantee = {
            .type = who->type, .id = who->id, .email = who->email, .uri = who->uri};
        TRY(take_document_grant(call, &(struct acl_grant){&grantee, wire->permission}, &grant));
        s3_acl_add(call->ctx.arena, &acl, grant);
    }
    *stored = s3_acl_store(call->ctx.arena, &acl);
    return OK;
}

/* The document must name the owner that the resource has. */
static err take_document(struct call *call, const struct acl_document *document, str owner,
                         struct s3_acl *acl)
{
    const struct s3_owner *named = document->owner;
    if (!named || !document->grants.set)
        return FAIL(S3_MALFORMED_ACL);
    str id = named->id;
    if (!id.p || (!s3_canonical_id_formed(id) && !s3_grantee_known(call, &id)))
        return s3_argument_invalid(call, "Invalid id", "CanonicalUser/ID", named->id);
    if (!str_eq(named->id, owner))
        return FAIL(S3_ACCESS_DENIED);
    *acl = (struct s3_acl){0};
    LIST_EACH (struct acl_grant, wire, document->grants) {
        struct s3_grant grant = {0};
        TRY(take_document_grant(call, wire, &grant));
        s3_acl_add(call->ctx.arena, acl, grant);
    }
    return acl->n <= S3_ACL_MAX_GRANTS ? OK : FAIL(S3_MALFORMED_ACL);
}

static err take(struct call *call, const struct s3_acl_claims *claims,
                const struct acl_document *document, str owner, str bucket_owner,
                struct s3_acl *acl)
{
    if (!s3_acl_claimed(claims) && !document)
        return err_with(call->ctx.arena, FAIL(S3_MISSING_SECURITY_HEADER), "MissingHeaderName",
                        S("x-amz-acl"));
    if (s3_acl_claimed(claims) && document)
        return FAIL(S3_UNEXPECTED_CONTENT);
    return document ? take_document(call, document, owner, acl)
                    : s3_acl_of_claims(call, claims, owner, bucket_owner, acl);
}

static err put_bucket_acl(struct call *call, const void *input, void *out)
{
    const struct put_bucket_acl_in *in = input;
    struct s3_acl_claims claims = CLAIMS_OF(in);
    struct s3_bucket *bucket;
    struct s3_acl acl;
    (void)out;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    str owner = s3_canonical_id(call, bucket->account);
    TRY(take(call, &claims, in->document, owner, STR_NONE, &acl));
    if (s3_ownership_of(call, bucket) == S3_OWNER_ENFORCED)
        return FAIL(S3_ACL_NOT_SUPPORTED);
    TRY(s3_acl_may_store(call, bucket, &acl));
    return s3_config_put(call->api->s3, bucket, S3_CONFIG_ACL, S(""),
                         s3_acl_store(call->ctx.arena, &acl));
}

static err put_object_acl(struct call *call, const void *input, void *out)
{
    const struct put_object_acl_in *in = input;
    struct s3_acl_claims claims = CLAIMS_OF(in);
    struct s3_bucket *bucket;
    struct s3_object object;
    struct s3_acl acl;
    (void)out;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_find_for(call, bucket, in->key, in->version, &object));
    str owner = s3_canonical_id(call, object.owner);
    TRY(take(call, &claims, in->document, owner, s3_canonical_id(call, bucket->account), &acl));
    if (s3_ownership_of(call, bucket) == S3_OWNER_ENFORCED)
        return FAIL(S3_ACL_NOT_SUPPORTED);
    TRY(s3_acl_may_store(call, bucket, &acl));
    object.acl = s3_acl_store(call->ctx.arena, &acl);
    TRY(s3_object_update(call->api->s3->db, &object));
    return s3_changed(call->api->s3, &call->ctx, bucket, S3_ACL_PUT, &object);
}

const struct op s3_acl_ops[] = {
    {.name = "GetBucketAcl",
     .in = &get_bucket_acl_in_shape,
     .out = &acl_document_shape,
     .run = get_bucket_acl,
     .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "acl"},
     .out_root = "AccessControlPolicy"},
    {.name = "PutBucketAcl",
     .in = &put_bucket_acl_in_shape,
     .out = &empty_shape,
     .run = put_bucket_acl,
     .rest = {"PUT", REST_BUCKET, "acl"}},
    {.name = "GetObjectAcl",
     .in = &get_object_acl_in_shape,
     .out = &acl_document_shape,
     .run = get_object_acl,
     .flags = OP_READ,
     .rest = {"GET", REST_OBJECT, "acl"},
     .out_root = "AccessControlPolicy"},
    {.name = "PutObjectAcl",
     .in = &put_object_acl_in_shape,
     .out = &put_object_acl_out_shape,
     .run = put_object_acl,
     .rest = {"PUT", REST_OBJECT, "acl"}},
    {.name = NULL},
};
