/* api/s3_access.c - see s3_access.h. What an ACL permission is worth is a table keyed by IAM
 * action, since that is how AWS documents it; which action an operation needs is on its row
 * (op->action), or is its name. */
#include "api/s3_access.h"

#include "api/s3_acl.h"
#include "api/s3_common.h"
#include "aws/keys.h"
#include "aws/policy.h"
#include "base/text.h"
#include "base/xml.h"
#include "s3/engine.h"
#include "s3/multipart.h"
#include "s3/object.h"
#include "s3/tags.h"

#include <string.h>

/* docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html, "Mapping of ACL permissions and
 * access policy permissions" */
static const struct acl_need {
    const char *action;
    bool object; /* the object's list decides, else the bucket's */
    enum s3_permission permission;
} needs[] = {
    {"s3:ListBucket", false, S3_MAY_READ},
    {"s3:ListBucketVersions", false, S3_MAY_READ},
    {"s3:ListBucketMultipartUploads", false, S3_MAY_READ},
    {"s3:PutObject", false, S3_MAY_WRITE},
    {"s3:DeleteObject", false, S3_MAY_WRITE},
    {"s3:GetBucketAcl", false, S3_MAY_READ_ACP},
    {"s3:PutBucketAcl", false, S3_MAY_WRITE_ACP},
    {"s3:GetObject", true, S3_MAY_READ},
    {"s3:GetObjectVersion", true, S3_MAY_READ},
    {"s3:GetObjectAcl", true, S3_MAY_READ_ACP},
    {"s3:GetObjectVersionAcl", true, S3_MAY_READ_ACP},
    {"s3:PutObjectAcl", true, S3_MAY_WRITE_ACP},
    {"s3:PutObjectVersionAcl", true, S3_MAY_WRITE_ACP},
};

/* Actions that have another name when the request names a version. */
static const struct {
    const char *action, *versioned;
} versioned_actions[] = {
    {"s3:GetObject", "s3:GetObjectVersion"},
    {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    {"s3:GetObjectAcl", "s3:GetObjectVersionAcl"},
    {"s3:PutObjectAcl", "s3:PutObjectVersionAcl"},
    {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
    {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
    {"s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"},
    {"s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"},
};

/* What is asked: one action on one resource. */
struct question {
    struct call *call;
    struct s3_bucket *bucket;
    const char *action;
    str key, version;        /* absent below their level */
    str prefix;              /* a listing that is only thought of: what s3:prefix would be */
    struct s3_object object; /* the version meant; id 0 when there is none */
};

str s3_canonical_id(struct call *call, str account)
{
    struct identity identity;
    if (!call->api->keys)
        return keys_canonical_id(call->ctx.arena, account);
    keys_of_account(call->api->keys, call->ctx.arena, account, &identity);
    return identity.canonical_id;
}

struct s3_acl s3_bucket_acl(struct call *call, struct s3_bucket *bucket)
{
    str text = s3_config_get(call->api->s3, &call->ctx, bucket, S3_CONFIG_ACL, S(""));
    return s3_acl_load(call->ctx.arena, text, s3_canonical_id(call, bucket->account));
}

struct s3_acl s3_object_acl(struct call *call, const struct s3_object *object)
{
    return s3_acl_load(call->ctx.arena, object->acl, s3_canonical_id(call, object->owner));
}

/* A member of a one-level configuration document. */
static str config_member(struct call *call, struct s3_bucket *bucket, enum s3_config kind,
                         str member)
{
    str text = s3_config_get(call->api->s3, &call->ctx, bucket, kind, S(""));
    struct xml *root = text.p ? xml_parse(call->ctx.arena, text) : NULL;
    const struct xml *node = root ? xml_child(root, member) : NULL;
    return node ? node->text : STR_NONE;
}

bool s3_public_block(struct call *call, struct s3_bucket *bucket, str member)
{
    if (!s3_bucket_has(bucket, S3_CONFIG_PUBLIC_ACCESS_BLOCK))
        return call->api->strict;
    return str_eq(config_member(call, bucket, S3_CONFIG_PUBLIC_ACCESS_BLOCK, member), S("true"));
}

/* --- the context that a policy's conditions see --- */

struct context {
    struct arena *arena;
    struct policy_value *at;
    size_t n;
};

static void context_add(struct context *context, str key, str value)
{
    if (!value.p)
        return;
    context->at = arena_grow(context->arena, context->at, context->n * sizeof *context->at,
                             (context->n + 1) * sizeof *context->at);
    context->at[context->n++] = (struct policy_value){key, value};
}

static void context_add_tags(struct context *context, const char *prefix, str packed)
{
    struct s3_tag *tags;
    size_t n;
    s3_tags_unpack(context->arena, packed, &tags, &n);
    for (size_t i = 0; i < n; i++) {
        str key = arena_printf(context->arena, "%s%.*s", prefix, STR_ARG(tags[i].key));
        context_add(context, key, tags[i].value);
    }
}

/* Request headers that are condition keys under "s3:" and their own name. */
static bool is_condition_header(str name)
{
    static const char *const starts[] = {"x-amz-acl",
                                         "x-amz-grant-",
                                         "x-amz-copy-source",
                                         "x-amz-metadata-directive",
                                         "x-amz-server-side-encryption",
                                         "x-amz-storage-class",
                                         "x-amz-website-redirect-location",
                                         "x-amz-content-sha256",
                                         "x-amz-object-ownership"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_starts_nocase(name, str_of(starts[i])))
            return true;
    return false;
}

static void context_add_request(struct context *context, const struct http_request *request)
{
    static const char *const parameters[] = {"prefix", "delimiter", "max-keys"};
    for (size_t i = 0; i < request->nheaders; i++) {
        const struct http_header *header = &request->headers[i];
        if (is_condition_header(header->name))
            context_add(context, arena_join(context->arena, S("s3:"), header->name), header->value);
    }
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        context_add(context, arena_printf(context->arena, "s3:%s", parameters[i]),
                    http_query(request, str_of(parameters[i])));
    context_add(context, S("aws:UserAgent"), http_header(request, S("User-Agent")));
    context_add(context, S("aws:Referer"), http_header(request, S("Referer")));
    str tagging = http_header(request, S("x-amz-tagging"));
    if (tagging.p)
        context_add_tags(context, "s3:RequestObjectTag/", tagging);
}

static struct context context_of(const struct question *q)
{
    const struct ctx *ctx = &q->call->ctx;
    struct context context = {.arena = ctx->arena};
    context_add(&context, S("aws:SourceIp"), ctx->source_ip);
    context_add(&context, S("aws:SecureTransport"), S("false"));
    context_add(&context, S("aws:CurrentTime"), date_iso(ctx->arena, ctx->now));
    context_add(&context, S("aws:EpochTime"),
                arena_printf(ctx->arena, "%lld", (long long)(ctx->now / 1000)));
    if (!ctx->anonymous) {
        context_add(&context, S("aws:PrincipalArn"), ctx->principal);
        context_add(&context, S("aws:PrincipalAccount"), ctx->account);
        context_add(&context, S("aws:PrincipalType"), S("Account"));
        context_add(&context, S("aws:userid"), ctx->account);
    }
    context_add(&context, S("s3:ResourceAccount"), q->bucket->account);
    context_add(&context, S("s3:VersionId"), q->version);
    context_add(&context, S("s3:prefix"), q->prefix);
    if (q->call->request)
        context_add_request(&context, q->call->request);
    if (q->object.id)
        context_add_tags(&context, "s3:ExistingObjectTag/", q->object.tags);
    return context;
}

/* --- the decision --- */

static bool is_owner(const struct question *q)
{
    return !q->call->ctx.anonymous && str_eq(q->call->ctx.account, q->bucket->account);
}

/* What the bucket's policy says; *public tells whether it lets everyone in. */
static enum policy_decision ask_policy(const struct question *q, bool *public)
{
    const struct ctx *ctx = &q->call->ctx;
    struct policy *policy;
    str text = s3_config_get(q->call->api->s3, &q->call->ctx, q->bucket, S3_CONFIG_POLICY, S(""));
    *public = false;
    if (!text.p || failed(policy_parse(ctx->arena, text, &policy)))
        return POLICY_IMPLICIT;
    struct context context = context_of(q);
    str arn = arena_join(ctx->arena, S("arn:aws:s3:::"), q->bucket->name);
    if (q->key.p)
        arn = arena_printf(ctx->arena, "%.*s/%.*s", STR_ARG(arn), STR_ARG(q->key));
    struct policy_request request = {
        .principal = ctx->anonymous ? STR_NONE : ctx->principal,
        .account = ctx->anonymous ? STR_NONE : ctx->account,
        .canonical_id = ctx->anonymous ? STR_NONE : ctx->canonical_id,
        .action = str_of(q->action),
        .resource = arn,
        .context = context.at,
        .ncontext = context.n,
    };
    *public = policy_is_public(policy);
    return policy_decide(policy, &request);
}

static bool acls_disabled(const struct question *q)
{
    return s3_ownership_of(q->call, q->bucket) == S3_OWNER_ENFORCED;
}

static bool acl_allows(const struct question *q)
{
    const struct acl_need *need = needs, *end = needs + sizeof needs / sizeof *needs;
    while (need < end && strcmp(need->action, q->action) != 0)
        need++;
    if (need == end || acls_disabled(q) || (need->object && !q->object.id))
        return false;
    struct s3_acl acl =
        need->object ? s3_object_acl(q->call, &q->object) : s3_bucket_acl(q->call, q->bucket);
    str user = q->call->ctx.anonymous ? STR_NONE : q->call->ctx.canonical_id;
    bool groups = !s3_public_block(q->call, q->bucket, S("IgnorePublicAcls"));
    return s3_acl_allows(&acl, user, need->permission, groups);
}

/* The owner of an object may read and rule it by its list even in someone else's bucket; the
 * bucket's owner rules the bucket. */
static bool owner_may(const struct question *q)
{
    if (!is_owner(q))
        return false;
    for (const struct acl_need *need = needs; need < needs + sizeof needs / sizeof *needs; need++)
        if (need->object && strcmp(need->action, q->action) == 0)
            return !q->object.id || acls_disabled(q) || str_eq(q->object.owner, q->bucket->account);
    return true;
}

/* Who began an upload may end it and look at it. */
static bool is_initiator(const struct question *q)
{
    struct s3_multipart upload;
    struct call *call = q->call;
    if (call->ctx.anonymous || !call->request || !q->key.p ||
        (strcmp(q->action, "s3:AbortMultipartUpload") &&
         strcmp(q->action, "s3:ListMultipartUploadParts")))
        return false;
    str name = http_query(call->request, S("uploadId"));
    return name.p &&
           !failed(
               s3_multipart_find(call->api->s3, &call->ctx, q->bucket, q->key, name, &upload)) &&
           str_eq(upload.initiator, call->ctx.account);
}

static bool allowed(const struct question *q)
{
    bool public;
    enum policy_decision decision = ask_policy(q, &public);
    if (decision == POLICY_DENY)
        return false;
    if (owner_may(q) || is_initiator(q))
        return true;
    if (decision == POLICY_ALLOW)
        return !public || is_owner(q) ||
               !s3_public_block(q->call, q->bucket, S("RestrictPublicBuckets"));
    return acl_allows(q);
}

static const char *action_of_version(const char *action, str version)
{
    for (size_t i = 0; version.p && i < sizeof versioned_actions / sizeof *versioned_actions; i++)
        if (strcmp(versioned_actions[i].action, action) == 0)
            return versioned_actions[i].versioned;
    return action;
}

static struct question question_of(struct call *call, const char *action, struct s3_bucket *bucket,
                                   str key, str version)
{
    struct question q = {.call = call, .bucket = bucket, .key = key, .version = version};
    q.action = action_of_version(action, version);
    if (key.p && version.p)
        s3_version_named(call->api->s3, &call->ctx, bucket, key, version, &q.object);
    else if (key.p)
        s3_version_current(call->api->s3, &call->ctx, bucket, key, &q.object);
    return q;
}

/* Whether a missing key may be told from a forbidden one: by who may list it. */
static bool may_list(const struct question *q)
{
    struct question listing = {
        .call = q->call, .bucket = q->bucket, .action = "s3:ListBucket", .prefix = q->key};
    return allowed(&listing);
}

static bool reads_object(const struct question *q)
{
    return q->key.p && (str_starts(str_of(q->action), S("s3:GetObject")));
}

err s3_may(struct call *call, const char *action, str bucket, str key, str version)
{
    struct s3_bucket *row = call->api->enforce ? s3_bucket_get(call->api->s3, bucket) : NULL;
    if (!row)
        return OK;
    struct question q = question_of(call, action, row, key, version);
    if (reads_object(&q) && !q.object.id)
        return may_list(&q) ? OK : FAIL(S3_ACCESS_DENIED);
    return allowed(&q) ? OK : FAIL(S3_ACCESS_DENIED);
}

/* Of PUTs, those that don't copy ignore it. */
static err check_stray_source(struct call *call)
{
    str source = call->request ? http_header(call->request, S("x-amz-copy-source")) : STR_NONE;
    if (!source.p || call->op->flags & OP_ANONYMOUS || str_eq(call->request->method, S("PUT")))
        return OK;
    return s3_argument_invalid(call, "You can only specify a copy source header for copy requests.",
                               "x-amz-copy-source", source);
}

err s3_authorize(struct call *call, const void *in)
{
    (void)in;
    struct arena *arena = call->ctx.arena;
    TRY(check_stray_source(call));
    if (!call->api->enforce || call->op->flags & OP_ANONYMOUS)
        return OK;
    if (!call->bucket.p || strcmp(call->op->name, "CreateBucket") == 0)
        return call->ctx.anonymous ? FAIL(S3_ACCESS_DENIED) : OK;
    const char *action = call->op->action;
    if (!action)
        action = arena_printf(arena, "s3:%s", call->op->name).p;
    str version =
        call->key.p && call->request ? http_query(call->request, S("versionId")) : STR_NONE;
    return s3_may(call, action, call->bucket, call->key, version);
}
