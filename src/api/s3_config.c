/* api/s3_config.c - the operations on configuration documents. They are alike: Put checks and
 * stores, Get reads or says that there is none, Delete forgets. What differs is a row of `configs`,
 * found by the sub-resource in the query; the documents themselves are rows of s3/document.
 * Inventory, analytics, metrics and tiering come many to a bucket, by id, and can be listed. */
#include "api/s3_access.h"
#include "api/s3_acl.h"
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "api/s3_upload.h"
#include "s3/document.h"
#include "s3/lifecycle.h"

#define PAGE_MAX 100

/* --- inputs, the same for all kinds but for the document's shape --- */

struct put_in {
    str bucket, expected_owner, request_payer, id, minimum, token;
    void *document;
};
struct get_in {
    str bucket, expected_owner, request_payer, id;
};

#define GET_IN(F, T)                                                                               \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, id, "id", QUERY)
static const struct field get_fields[] = {GET_IN(SHAPE_ROW, get_in)};
static const struct shape get_shape = {"GetBucketConfigurationRequest", sizeof(struct get_in),
                                       get_fields, sizeof get_fields / sizeof get_fields[0]};

#define PUT_IN(F, T, root, doc)                                                                    \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, id, "id", QUERY)                                                                     \
    F(T, STR, minimum, "x-amz-transition-default-minimum-object-size", HEADER,                     \
      .values = "varies_by_storage_class|all_storage_classes_128K")                                \
    F(T, STR, token, "x-amz-bucket-object-lock-token", HEADER, .flags = UNIMPLEMENTED)             \
    F(T, STRUCT, document, root, PAYLOAD, .flags = REQUIRED, .of = &s3_##doc##_shape)
#define PUT_SHAPE(doc, root)                                                                       \
    static const struct field doc##_put_fields[] = {PUT_IN(SHAPE_ROW, put_in, root, doc)};         \
    static const struct shape doc##_put_shape = {                                                  \
        "Put" root "Request", sizeof(struct put_in), doc##_put_fields,                             \
        sizeof doc##_put_fields / sizeof doc##_put_fields[0]};
PUT_SHAPE(public_access_block, "PublicAccessBlockConfiguration")
PUT_SHAPE(tagging, "Tagging")
PUT_SHAPE(cors, "CORSConfiguration")
PUT_SHAPE(encryption, "ServerSideEncryptionConfiguration")
PUT_SHAPE(ownership_controls, "OwnershipControls")
PUT_SHAPE(lock, "ObjectLockConfiguration")
PUT_SHAPE(lifecycle, "LifecycleConfiguration")
PUT_SHAPE(website, "WebsiteConfiguration")
PUT_SHAPE(request_payment, "RequestPaymentConfiguration")
PUT_SHAPE(accelerate, "AccelerateConfiguration")
PUT_SHAPE(abac, "AbacStatus")
PUT_SHAPE(logging, "BucketLoggingStatus")
PUT_SHAPE(replication, "ReplicationConfiguration")
PUT_SHAPE(inventory, "InventoryConfiguration")
PUT_SHAPE(analytics, "AnalyticsConfiguration")
PUT_SHAPE(metrics, "MetricsConfiguration")
PUT_SHAPE(tiering, "IntelligentTieringConfiguration")

/* --- what a bucket has that was given nothing --- */

static err default_encryption(struct call *call, struct s3_bucket *bucket, void *output)
{
    (void)bucket;
    struct s3_encryption *out = output;
    struct s3_sse_rule *rule = ARENA_NEW(call->ctx.arena, struct s3_sse_rule);
    struct s3_sse_default *apply = ARENA_NEW(call->ctx.arena, struct s3_sse_default);
    apply->algorithm = S("AES256");
    rule->apply = apply;
    rule->bucket_key = BOOL_OF(false);
    out->rules = (list){.at = rule, .n = 1, .set = true};
    return OK;
}

static err default_ownership(struct call *call, struct s3_bucket *bucket, void *output)
{
    (void)bucket;
    struct s3_ownership_controls *out = output;
    struct s3_ownership_rule *rule = ARENA_NEW(call->ctx.arena, struct s3_ownership_rule);
    rule->ownership = S("BucketOwnerEnforced");
    out->rules = (list){.at = rule, .n = 1, .set = true};
    return OK;
}

/* ACLs that give anything to others must go before they are disabled. */
static err after_ownership(struct call *call, struct s3_bucket *bucket, const struct put_in *in)
{
    (void)in;
    struct s3_acl acl = s3_bucket_acl(call, bucket);
    bool enforced = s3_ownership_of(call, bucket) == S3_OWNER_ENFORCED;
    bool private = s3_acl_is_owner_only(&acl, s3_canonical_id(call, bucket->account));
    return enforced && !private ? FAIL(S3_BUCKET_ACL_WITH_OWNERSHIP) : OK;
}

/* New buckets block all public access; here that is what they say, and what --strict keeps to
 * (s3_public_block). */
static err default_public_block(struct call *call, struct s3_bucket *bucket, void *output)
{
    (void)call, (void)bucket;
    struct s3_public_access_block *out = output;
    out->block_public_acls = out->ignore_public_acls = BOOL_OF(true);
    out->block_public_policy = out->restrict_public_buckets = BOOL_OF(true);
    return OK;
}

static err default_payment(struct call *call, struct s3_bucket *bucket, void *output)
{
    (void)call, (void)bucket;
    ((struct s3_request_payment *)output)->payer = S("BucketOwner");
    return OK;
}

static err default_lock(struct call *call, struct s3_bucket *bucket, void *output)
{
    if (!bucket->object_lock)
        return err_with(call->ctx.arena, FAIL(S3_NO_SUCH_LOCK_CONFIGURATION), "BucketName",
                        bucket->name);
    ((struct s3_lock *)output)->enabled = S("Enabled");
    return OK;
}

/* --- what a put does besides --- */

static err after_lock(struct call *call, struct s3_bucket *bucket, const struct put_in *in)
{
    (void)in;
    return bucket->object_lock ? OK : s3_bucket_set_object_lock(call->api->s3, bucket);
}

/* Kept beside the document, which has no place for it. */
static err after_lifecycle(struct call *call, struct s3_bucket *bucket, const struct put_in *in)
{
    str minimum = in->minimum.p ? in->minimum : S("all_storage_classes_128K");
    http_reply_set(call->ctx.arena, call->reply, S("x-amz-transition-default-minimum-object-size"),
                   minimum);
    s3_lifecycle_changed(call->api->s3, &call->ctx);
    return s3_config_put(call->api->s3, bucket, S3_CONFIG_LIFECYCLE, S("minimum"), minimum);
}

/* An empty set of tags is none. */
static err after_tagging(struct call *call, struct s3_bucket *bucket, const struct put_in *in)
{
    const struct s3_tagging *config = in->document;
    return config->tags.n ? OK
                          : s3_config_delete(call->api->s3, bucket, S3_CONFIG_TAGGING, S(""), NULL);
}

static err after_logging(struct call *call, struct s3_bucket *bucket, const struct put_in *in)
{
    const struct s3_logging *config = in->document;
    TRY(s3_config_delete(call->api->s3, bucket, S3_CONFIG_LOGGING, S("acl"), NULL));
    if (!config->target)
        return s3_config_delete(call->api->s3, bucket, S3_CONFIG_LOGGING, S(""), NULL);
    str acl;
    TRY(s3_acl_of_logs(call, config->target, &acl));
    return acl.p ? s3_config_put(call->api->s3, bucket, S3_CONFIG_LOGGING, S("acl"), acl) : OK;
}

static const struct config {
    const char *query;
    enum s3_config kind;
    err (*absent)(struct call *call, struct s3_bucket *bucket,
                  void *out); /* NULL: the document's fault */
    err (*after)(struct call *call, struct s3_bucket *bucket, const struct put_in *in);
    bool by_id;
} configs[] = {
    {"publicAccessBlock", S3_CONFIG_PUBLIC_ACCESS_BLOCK, default_public_block},
    {"tagging", S3_CONFIG_TAGGING, NULL, after_tagging},
    {"cors", S3_CONFIG_CORS},
    {"encryption", S3_CONFIG_ENCRYPTION, default_encryption},
    {"ownershipControls", S3_CONFIG_OWNERSHIP, default_ownership, after_ownership},
    {"object-lock", S3_CONFIG_OBJECT_LOCK, default_lock, after_lock},
    {"lifecycle", S3_CONFIG_LIFECYCLE, NULL, after_lifecycle},
    {"website", S3_CONFIG_WEBSITE},
    {"requestPayment", S3_CONFIG_REQUEST_PAYMENT, default_payment},
    {"accelerate", S3_CONFIG_ACCELERATE},
    {"abac", S3_CONFIG_ABAC},
    {"logging", S3_CONFIG_LOGGING, NULL, after_logging},
    {"replication", S3_CONFIG_REPLICATION},
    {"inventory", S3_CONFIG_INVENTORY, .by_id = true},
    {"analytics", S3_CONFIG_ANALYTICS, .by_id = true},
    {"metrics", S3_CONFIG_METRICS, .by_id = true},
    {"intelligent-tiering", S3_CONFIG_INTELLIGENT_TIERING, .by_id = true},
};

static const struct config *config_of(const struct op *op)
{
    str rest = str_of(op->rest.query);
    str query = str_cut(&rest, '&');
    const struct config *config = configs;
    while (!str_eq(query, str_of(config->query)))
        config++;
    return config;
}

static str id_of(const struct config *config, str id)
{
    return config->by_id && id.p ? id : S("");
}

/* --- put, get, delete --- */

/* The id is in the query and, once more, in the document. Only an inventory's has a fault of its
 * own. */
static err check_id(const struct config *config, const struct put_in *in)
{
    const struct shape *shape = s3_document_of(config->kind)->shape;
    for (size_t i = 0; config->by_id && i < shape->n; i++)
        if (str_eq(str_of(shape->fields[i].wire), S("Id")) &&
            !str_eq(*(str *)shape_at(&shape->fields[i], in->document), in->id))
            return config->kind == S3_CONFIG_INVENTORY ? FAIL(S3_ID_MISMATCH)
                                                       : FAIL(S3_MALFORMED_XML);
    return OK;
}

static err put_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct put_in *in = input;
    const struct config *config = config_of(call->op);
    struct s3_bucket *bucket;
    TRY(s3_body_check(call, false));
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    TRY(check_id(config, in));
    if (config->by_id && s3_config_full(call->api->s3, bucket, config->kind, in->id))
        return FAIL(S3_TOO_MANY_CONFIGURATIONS);
    TRY(s3_document_put(call->api->s3, &call->ctx, bucket, config->kind, id_of(config, in->id),
                        in->document));
    return config->after ? config->after(call, bucket, in) : OK;
}

/* What is left of a public access block that was deleted: no document would mean the default one.
 */
static bool says_nothing(const struct s3_public_access_block *block)
{
    return !block->block_public_acls.set && !block->ignore_public_acls.set &&
           !block->block_public_policy.set && !block->restrict_public_buckets.set;
}

static err get_run(struct call *call, const void *input, void *output)
{
    const struct get_in *in = input;
    const struct config *config = config_of(call->op);
    struct s3_bucket *bucket;
    struct s3 *s3 = call->api->s3;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    if (config->absent && !s3_bucket_has(bucket, config->kind))
        return config->absent(call, bucket, output);
    TRY(s3_document_get(s3, &call->ctx, bucket, config->kind, id_of(config, in->id), output));
    if (config->kind == S3_CONFIG_LIFECYCLE)
        http_reply_set(call->ctx.arena, call->reply,
                       S("x-amz-transition-default-minimum-object-size"),
                       s3_config_get(s3, &call->ctx, bucket, config->kind, S("minimum")));
    if (config->kind == S3_CONFIG_OWNERSHIP && !((struct s3_ownership_controls *)output)->rules.n)
        return err_with(call->ctx.arena, FAIL(S3_NO_SUCH_OWNERSHIP), "BucketName", bucket->name);
    if (config->kind == S3_CONFIG_PUBLIC_ACCESS_BLOCK && says_nothing(output))
        return err_with(call->ctx.arena, FAIL(S3_NO_SUCH_PUBLIC_ACCESS_BLOCK), "BucketName",
                        bucket->name);
    return OK;
}

static err delete_run(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct get_in *in = input;
    const struct config *config = config_of(call->op);
    struct s3_bucket *bucket;
    struct s3 *s3 = call->api->s3;
    bool found;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    /* No controls is not the same as the default ones: without any, ACLs are back. */
    if (config->kind == S3_CONFIG_OWNERSHIP)
        return s3_config_put(s3, bucket, config->kind, S(""),
                             S("<OwnershipControls></OwnershipControls>"));
    if (config->kind == S3_CONFIG_PUBLIC_ACCESS_BLOCK)
        return s3_config_put(
            s3, bucket, config->kind, S(""),
            S("<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>"));
    TRY(s3_config_delete(s3, bucket, config->kind, id_of(config, in->id), &found));
    if (config->kind == S3_CONFIG_LIFECYCLE)
        TRY(s3_config_delete(s3, bucket, config->kind, S("minimum"), NULL));
    return found || !config->by_id ? OK : FAIL(S3_NO_SUCH_CONFIGURATION);
}

/* --- lists --- */

struct list_in {
    str bucket, expected_owner, token;
};
#define LIST_IN(F, T)                                                                              \
    S3_BUCKET_IN(F, T)                                                                             \
    F(T, STR, token, "continuation-token", QUERY)
static const struct field list_fields[] = {LIST_IN(SHAPE_ROW, list_in)};
static const struct shape list_shape = {"ListBucketConfigurationsRequest", sizeof(struct list_in),
                                        list_fields, sizeof list_fields / sizeof list_fields[0]};

struct list_out {
    list items;
    opt_bool truncated;
    str token, next;
};
#define LIST_OUT(F, T, root, doc)                                                                  \
    F(T, LIST, items, root, BODY, .flags = FLAT, .of = &s3_##doc##_shape)                          \
    F(T, BOOL, truncated, "IsTruncated", BODY)                                                     \
    F(T, STR, token, "ContinuationToken", BODY)                                                    \
    F(T, STR, next, "NextContinuationToken", BODY)
#define LIST_SHAPE(doc, root, result)                                                              \
    static const struct field doc##_list_fields[] = {LIST_OUT(SHAPE_ROW, list_out, root, doc)};    \
    static const struct shape doc##_list_shape = {                                                 \
        result, sizeof(struct list_out), doc##_list_fields,                                        \
        sizeof doc##_list_fields / sizeof doc##_list_fields[0]};
LIST_SHAPE(inventory, "InventoryConfiguration", "ListInventoryConfigurationsResult")
LIST_SHAPE(analytics, "AnalyticsConfiguration", "ListBucketAnalyticsConfigurationResult")
LIST_SHAPE(metrics, "MetricsConfiguration", "ListMetricsConfigurationsResult")
LIST_SHAPE(tiering, "IntelligentTieringConfiguration",
           "ListBucketIntelligentTieringConfigurationsOutput")

/* Tokens are ids: they say where the next page begins. */
static err list_run(struct call *call, const void *input, void *output)
{
    const struct list_in *in = input;
    struct list_out *out = output;
    const struct config *config = config_of(call->op);
    const struct shape *shape = s3_document_of(config->kind)->shape;
    struct s3_bucket *bucket;
    struct s3_config_row *rows;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    size_t n = s3_config_list(call->api->s3, &call->ctx, bucket, config->kind, in->token,
                              PAGE_MAX + 1, &rows);
    out->truncated = BOOL_OF(n > PAGE_MAX);
    out->token = in->token;
    if (n > PAGE_MAX)
        out->next = rows[--n - 1].id;
    out->items = (list){.at = arena_array(call->ctx.arena, n, shape->size), .n = n, .set = true};
    for (size_t i = 0; i < n; i++)
        s3_document_parse(&call->ctx, config->kind, rows[i].document,
                          (char *)out->items.at + i * shape->size);
    return OK;
}

/* --- rows --- */

#define PUT(name_, query_, doc, action_, status_)                                                  \
    {.name = "Put" name_,                                                                          \
     .in = &doc##_put_shape,                                                                       \
     .out = &empty_shape,                                                                          \
     .run = put_run,                                                                               \
     .rest = {"PUT", REST_BUCKET, query_, .status = status_},                                      \
     .action = "s3:Put" action_},
#define GET(name_, query_, doc, action_)                                                           \
    {.name = "Get" name_,                                                                          \
     .in = &get_shape,                                                                             \
     .out = &s3_##doc##_shape,                                                                     \
     .run = get_run,                                                                               \
     .flags = OP_READ,                                                                             \
     .rest = {"GET", REST_BUCKET, query_},                                                         \
     .action = "s3:Get" action_},
#define DELETE(name_, query_, action_)                                                             \
    {.name = "Delete" name_,                                                                       \
     .in = &get_shape,                                                                             \
     .out = &empty_shape,                                                                          \
     .run = delete_run,                                                                            \
     .rest = {"DELETE", REST_BUCKET, query_, .status = 204},                                       \
     .action = action_},
#define LIST(name_, query_, doc, action_)                                                          \
    {.name = "List" name_,                                                                         \
     .in = &list_shape,                                                                            \
     .out = &doc##_list_shape,                                                                     \
     .run = list_run,                                                                              \
     .flags = OP_READ,                                                                             \
     .rest = {"GET", REST_BUCKET, query_},                                                         \
     .action = "s3:Get" action_},
#define PUT_GET(name, query, doc, action)                                                          \
    PUT(name, query, doc, action, 200) GET(name, query, doc, action)
#define BY_ID(name, query, doc, action, status)                                                    \
    PUT(name, query "&id", doc, action, status)                                                    \
    GET(name, query "&id", doc, action)                                                            \
    DELETE(name, query "&id", "s3:Put" action)                                                     \
    LIST(name "s", query, doc, action)

/* clang-format off */
const struct op s3_config_ops[] = {
    PUT_GET("PublicAccessBlock", "publicAccessBlock", public_access_block, "BucketPublicAccessBlock")
    DELETE("PublicAccessBlock", "publicAccessBlock", "s3:PutBucketPublicAccessBlock")
    PUT("BucketTagging", "tagging", tagging, "BucketTagging", 204)
    GET("BucketTagging", "tagging", tagging, "BucketTagging")
    DELETE("BucketTagging", "tagging", "s3:PutBucketTagging")
    PUT_GET("BucketCors", "cors", cors, "BucketCORS")
    DELETE("BucketCors", "cors", "s3:PutBucketCORS")
    PUT_GET("BucketEncryption", "encryption", encryption, "EncryptionConfiguration")
    DELETE("BucketEncryption", "encryption", "s3:PutEncryptionConfiguration")
    PUT_GET("BucketOwnershipControls", "ownershipControls", ownership_controls, "BucketOwnershipControls")
    DELETE("BucketOwnershipControls", "ownershipControls", "s3:PutBucketOwnershipControls")
    PUT_GET("ObjectLockConfiguration", "object-lock", lock, "BucketObjectLockConfiguration")
    PUT_GET("BucketLifecycleConfiguration", "lifecycle", lifecycle, "LifecycleConfiguration")
    DELETE("BucketLifecycle", "lifecycle", "s3:PutLifecycleConfiguration")
    PUT_GET("BucketWebsite", "website", website, "BucketWebsite")
    DELETE("BucketWebsite", "website", "s3:DeleteBucketWebsite")
    PUT_GET("BucketRequestPayment", "requestPayment", request_payment, "BucketRequestPayment")
    PUT_GET("BucketAccelerateConfiguration", "accelerate", accelerate, "AccelerateConfiguration")
    PUT_GET("BucketAbac", "abac", abac, "BucketAbac")
    PUT_GET("BucketLogging", "logging", logging, "BucketLogging")
    PUT_GET("BucketReplication", "replication", replication, "ReplicationConfiguration")
    DELETE("BucketReplication", "replication", "s3:PutReplicationConfiguration")
    BY_ID("BucketInventoryConfiguration", "inventory", inventory, "InventoryConfiguration", 204)
    BY_ID("BucketAnalyticsConfiguration", "analytics", analytics, "AnalyticsConfiguration", 204)
    BY_ID("BucketMetricsConfiguration", "metrics", metrics, "MetricsConfiguration", 200)
    BY_ID("BucketIntelligentTieringConfiguration", "intelligent-tiering", tiering, "IntelligentTieringConfiguration", 204)
    {0},
};
/* clang-format on */
