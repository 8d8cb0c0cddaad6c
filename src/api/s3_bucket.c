/* api/s3_bucket.c - operations on buckets themselves: create, head, list, delete, where they are,
 * whether they keep versions. */
#include "api/s3_bucket.h"

#include "api/s3_acl.h"
#include "api/s3_common.h"
#include "api/s3_upload.h"
#include "base/text.h"
#include "s3/document.h"

/* --- CreateBucket --- */
#define LOCATION_INFO(F, T)                                                                        \
    F(T, STR, type, "Type", BODY)                                                                  \
    F(T, STR, name, "Name", BODY)
SHAPE(location_info, "LocationInfo", LOCATION_INFO)

#define BUCKET_INFO(F, T)                                                                          \
    F(T, STR, data_redundancy, "DataRedundancy", BODY)                                             \
    F(T, STR, type, "Type", BODY)
SHAPE(bucket_info, "BucketInfo", BUCKET_INFO)

#define CREATE_CONFIGURATION(F, T)                                                                 \
    F(T, STR, location, "LocationConstraint", BODY)                                                \
    F(T, STRUCT, directory_location, "Location", BODY, .of = &location_info_shape,                 \
      .flags = UNIMPLEMENTED)                                                                      \
    F(T, STRUCT, directory_bucket, "Bucket", BODY, .of = &bucket_info_shape,                       \
      .flags = UNIMPLEMENTED)                                                                      \
    F(T, LIST, tags, "Tags", BODY, .of = &s3_tag_shape, .item = "Tag")
SHAPE(create_configuration, "CreateBucketConfiguration", CREATE_CONFIGURATION)

#define CREATE_IN(F, T)                                                                            \
    F(T, STR, bucket, "Bucket", BUCKET, .flags = REQUIRED)                                         \
    F(T, STRUCT, configuration, "CreateBucketConfiguration", PAYLOAD,                              \
      .of = &create_configuration_shape)                                                           \
    S3_GRANTS_IN(F, T)                                                                             \
    F(T, STR, grant_write, "x-amz-grant-write", HEADER)                                            \
    F(T, BOOL, object_lock, "x-amz-bucket-object-lock-enabled", HEADER)                            \
    F(T, STR, ownership, "x-amz-object-ownership", HEADER,                                         \
      .values = "BucketOwnerEnforced|BucketOwnerPreferred|ObjectWriter")                           \
    F(T, STR, space, "x-amz-bucket-namespace", HEADER, .values = "global|account-regional")
SHAPE(create_in, "CreateBucketRequest", CREATE_IN)

#define CREATE_OUT(F, T)                                                                           \
    F(T, STR, location, "Location", HEADER)                                                        \
    F(T, STR, arn, "x-amz-bucket-arn", HEADER)
SHAPE(create_out, "CreateBucketOutput", CREATE_OUT)

static str arn_of(struct call *call, str bucket)
{
    return arena_printf(call->ctx.arena, "arn:aws:s3:::%.*s", STR_ARG(bucket));
}

/* ACL and ownership rule that the bucket starts with. */
static err store_settings(struct call *call, const struct create_in *in, struct s3_bucket *bucket,
                          bool made)
{
    struct s3_acl_claims claims = {in->acl,         in->grant_full_control, in->grant_read,
                                   in->grant_write, in->grant_read_acp,     in->grant_write_acp};
    TRY(s3_acl_of_new_bucket(call, &claims, in->ownership, bucket));
    if (!in->ownership.p || !made)
        return OK;
    str document = arena_printf(call->ctx.arena,
                                "<OwnershipControls><Rule><ObjectOwnership>%.*s</ObjectOwnership></"
                                "Rule></OwnershipControls>",
                                STR_ARG(in->ownership));
    return s3_config_put(call->api->s3, bucket, S3_CONFIG_OWNERSHIP, S(""), document);
}

/* Tags that the bucket starts with. */
static err store_tags(struct call *call, list tags, struct s3_bucket *bucket)
{
    LIST_EACH (const struct s3_tag, tag, tags)
        if (str_starts(tag->key, S("aws:")))
            return err_text(call->ctx.arena, &S3_INVALID_TAG,
                            "User-defined tag keys can't start with \"aws:\". This prefix is "
                            "reserved for system tags. Remove \"aws:\" from your tag keys and try "
                            "again.");
    struct s3_tagging tagging = {.tags = tags};
    return s3_document_put(call->api->s3, &call->ctx, bucket, S3_CONFIG_TAGGING, S(""), &tagging);
}

static err create(struct call *call, const void *input, void *output)
{
    const struct create_in *in = input;
    struct create_out *out = output;
    const struct create_configuration *configuration = in->configuration;
    struct s3_bucket_create request = {.name = in->bucket, .object_lock = in->object_lock.v};
    if (configuration && !configuration->location.p && !configuration->tags.set)
        return FAIL(S3_MALFORMED_XML);
    if (configuration) {
        request.location = configuration->location;
        request.tags = configuration->tags.n > 0;
    }
    struct s3_bucket *bucket;
    bool made;
    if (str_eq(in->space, S("account-regional")))
        return err_with(call->ctx.arena, FAIL(S3_NOT_IMPLEMENTED), "Header",
                        S("x-amz-bucket-namespace"));
    TRY(s3_bucket_create(call->api->s3, &call->ctx, &request, &bucket, &made));
    /* In us-east-1 who owns it may create it again, which resets its ACL and nothing else. */
    if (!made)
        TRY(s3_config_delete(call->api->s3, bucket, S3_CONFIG_ACL, S(""), NULL));
    TRY(store_settings(call, in, bucket, made));
    if (configuration && configuration->tags.n && made)
        TRY(store_tags(call, configuration->tags, bucket));
    if (made && str_eq(request.location, S("EU")))
        TRY(s3_config_put(call->api->s3, bucket, S3_CONFIG_LOCATION, S(""), request.location));
    bool global = str_eq(bucket->region, S("us-east-1"));
    out->location = arena_printf(
        call->ctx.arena, global ? "/%.*s" : "http://%.*s.s3.amazonaws.com/", STR_ARG(in->bucket));
    out->arn = arn_of(call, in->bucket);
    return OK;
}

/* --- HeadBucket, DeleteBucket --- */
SHAPE_DEFINE(s3_bucket_in, "BucketRequest", S3_BUCKET_IN)

#define HEAD_OUT(F, T)                                                                             \
    F(T, STR, arn, "x-amz-bucket-arn", HEADER)                                                     \
    F(T, STR, region, "x-amz-bucket-region", HEADER)                                               \
    F(T, BOOL, alias, "x-amz-access-point-alias", HEADER)
SHAPE(head_out, "HeadBucketOutput", HEAD_OUT)

static err head(struct call *call, const void *input, void *output)
{
    const struct s3_bucket_in *in = input;
    struct head_out *out = output;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    out->arn = arn_of(call, in->bucket);
    out->region = arena_copy(call->ctx.arena, bucket->region);
    out->alias = BOOL_OF(false);
    /* There is no body, but AWS names its type. */
    http_reply_set(call->ctx.arena, call->reply, S("Content-Type"), S("application/xml"));
    return OK;
}

static err delete (struct call *call, const void *input, void *output)
{
    (void)output;
    const struct s3_bucket_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    return s3_bucket_delete(call->api->s3, &call->ctx, bucket);
}

/* --- ListBuckets --- */
#define LIST_IN(F, T)                                                                              \
    F(T, INT, max, "max-buckets", QUERY)                                                           \
    F(T, STR, token, "continuation-token", QUERY)                                                  \
    F(T, STR, prefix, "prefix", QUERY)                                                             \
    F(T, STR, region, "bucket-region", QUERY)
SHAPE(list_in, "ListBucketsRequest", LIST_IN)

#define BUCKET(F, T)                                                                               \
    F(T, STR, name, "Name", BODY)                                                                  \
    F(T, TIME, created, "CreationDate", BODY)                                                      \
    F(T, STR, region, "BucketRegion", BODY)                                                        \
    F(T, STR, arn, "BucketArn", BODY)
SHAPE(bucket_entry, "Bucket", BUCKET)

#define LIST_OUT(F, T)                                                                             \
    F(T, STRUCT, owner, "Owner", BODY, .of = &s3_owner_shape)                                      \
    F(T, LIST, buckets, "Buckets", BODY, .of = &bucket_entry_shape, .item = "Bucket",              \
      .flags = KEEP_EMPTY)                                                                         \
    F(T, STR, token, "ContinuationToken", BODY)                                                    \
    F(T, STR, prefix, "Prefix", BODY)
SHAPE(list_out, "ListBucketsOutput", LIST_OUT)

#define BUCKETS_MAX 10000

static err check_list(struct call *call, const struct list_in *in, str *after)
{
    if (in->max.set && (in->max.v < 1 || in->max.v > BUCKETS_MAX))
        return s3_argument_invalid(
            call, "Argument max-buckets must be an integer between 1 and 10000", "max-buckets",
            arena_printf(call->ctx.arena, "%lld", (long long)in->max.v));
    if (in->region.p && !s3_region_known(in->region))
        return s3_argument_invalid(
            call,
            arena_cstr(call->ctx.arena,
                       arena_printf(call->ctx.arena,
                                    "Argument value %.*s is not a valid AWS Region",
                                    STR_ARG(in->region))),
            "bucket-region", STR_NONE);
    *after = in->token.p ? base64_decode(call->ctx.arena, in->token) : STR_NONE;
    if (in->token.p && !after->n)
        return s3_argument_invalid(call, "The continuation token provided is incorrect",
                                   "continuation-token", STR_NONE);
    return OK;
}

static void fill_entry(struct call *call, const struct s3_bucket *bucket, bool asked,
                       struct bucket_entry *entry)
{
    entry->name = arena_copy(call->ctx.arena, bucket->name);
    entry->created = INT_OF(bucket->created / 1000 * 1000);
    entry->arn = arn_of(call, bucket->name);
    if (asked)
        entry->region = arena_copy(call->ctx.arena, bucket->region);
}

static err list_all(struct call *call, const void *input, void *output)
{
    const struct list_in *in = input;
    struct list_out *out = output;
    struct s3_bucket **buckets;
    str after;
    TRY(check_list(call, in, &after));
    size_t max = in->max.set ? (size_t)in->max.v : BUCKETS_MAX;
    bool asked = in->max.set || in->prefix.p || in->region.p || in->token.p;
    size_t n = s3_bucket_list(call->api->s3, &call->ctx, call->ctx.account, in->prefix, in->region,
                              after, max + 1, &buckets);
    out->buckets = (list){.at = arena_array(call->ctx.arena, n, sizeof(struct bucket_entry)),
                          .n = n > max ? max : n,
                          .set = true};
    for (size_t i = 0; i < out->buckets.n; i++)
        fill_entry(call, buckets[i], asked, LIST_AT(out->buckets, struct bucket_entry, i));
    if (n > max)
        out->token = base64_encode(call->ctx.arena, buckets[max - 1]->name);
    out->prefix = in->prefix;
    struct s3_owner *owner = ARENA_NEW(call->ctx.arena, struct s3_owner);
    *owner = s3_owner_of(call, call->ctx.account);
    out->owner = owner;
    return OK;
}

/* --- GetBucketLocation --- */
#define LOCATION_OUT(F, T) F(T, STR, location, "LocationConstraint", BODY, .flags = KEEP_EMPTY)
SHAPE(location_out, "GetBucketLocationOutput", LOCATION_OUT)

static err get_location(struct call *call, const void *input, void *output)
{
    const struct s3_bucket_in *in = input;
    struct location_out *out = output;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    /* What was asked for, in one case: "EU" lies in eu-west-1. */
    out->location = s3_config_get(call->api->s3, &call->ctx, bucket, S3_CONFIG_LOCATION, S(""));
    if (!out->location.p)
        out->location = str_eq(bucket->region, S("us-east-1"))
                            ? S("")
                            : arena_copy(call->ctx.arena, bucket->region);
    return OK;
}

/* --- Get/PutBucketVersioning --- */
#define VERSIONING(F, T)                                                                           \
    F(T, STR, status, "Status", BODY, .values = "Enabled|Suspended")                               \
    F(T, STR, mfa_delete, "MfaDelete", BODY, .values = "Enabled|Disabled")
SHAPE(versioning, "VersioningConfiguration", VERSIONING)

#define VERSIONING_IN(F, T)                                                                        \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_DOCUMENT_IN(F, T)                                                                           \
    F(T, STR, mfa, "x-amz-mfa", HEADER, .flags = UNIMPLEMENTED)                                    \
    F(T, STRUCT, configuration, "VersioningConfiguration", PAYLOAD, .of = &versioning_shape,       \
      .flags = REQUIRED)
SHAPE(versioning_in, "PutBucketVersioningRequest", VERSIONING_IN)

static err put_versioning(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct versioning_in *in = input;
    const struct versioning *configuration = in->configuration;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(s3_body_check(call, true));
    if (!configuration->status.p)
        return FAIL(S3_ILLEGAL_VERSIONING);
    if (str_eq(configuration->mfa_delete, S("Enabled")))
        return err_text(call->ctx.arena, &S3_NOT_IMPLEMENTED, "MfaDelete is not implemented.");
    bool enabled = str_eq(configuration->status, S("Enabled"));
    return s3_bucket_set_versioning(call->api->s3, bucket, enabled ? S3_VERSIONED : S3_SUSPENDED);
}

static err get_versioning(struct call *call, const void *input, void *output)
{
    static const str names[] = {[S3_VERSIONED] = {"Enabled", 7}, [S3_SUSPENDED] = {"Suspended", 9}};
    const struct s3_bucket_in *in = input;
    struct versioning *out = output;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    if (bucket->versioning != S3_UNVERSIONED)
        out->status = names[bucket->versioning];
    return OK;
}

const struct op s3_bucket_ops[] = {
    {"CreateBucket", &create_in_shape, &create_out_shape, create, .rest = {"PUT", REST_BUCKET}},
    {"HeadBucket", &s3_bucket_in_shape, &head_out_shape, head, .flags = OP_READ,
     .rest = {"HEAD", REST_BUCKET}, .action = "s3:ListBucket"},
    {"DeleteBucket", &s3_bucket_in_shape, &empty_shape, delete,
     .rest = {"DELETE", REST_BUCKET, .status = 204}},
    {"ListBuckets", &list_in_shape, &list_out_shape, list_all, .flags = OP_READ,
     .rest = {"GET", REST_SERVICE}, .action = "s3:ListAllMyBuckets",
     .out_root = "ListAllMyBucketsResult"},
    {"GetBucketLocation", &s3_bucket_in_shape, &location_out_shape, get_location, .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "location"}, .out_root = "LocationConstraint"},
    {"GetBucketVersioning", &s3_bucket_in_shape, &versioning_shape, get_versioning,
     .flags = OP_READ, .rest = {"GET", REST_BUCKET, "versioning"},
     .out_root = "VersioningConfiguration"},
    {"PutBucketVersioning", &versioning_in_shape, &empty_shape, put_versioning,
     .rest = {"PUT", REST_BUCKET, "versioning"}},
    {0},
};
