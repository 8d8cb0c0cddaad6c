/* s3/document_plain.c - configurations that are validated, kept and returned, and that nothing here
 * acts upon: replication, inventory, analytics, metrics and intelligent tiering. Their structs are
 * nobody else's business. */
#include "s3/document.h"
#include "s3/engine.h"

#include "base/rng.h"

#define STATUS(F, T)                                                                               \
    F(T, STR, status, "Status", BODY, .flags = REQUIRED, .values = "Enabled|Disabled")
SHAPE(status, "Status", STATUS)
#define PREFIX_TAGS(F, T)                                                                          \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, LIST, tags, "Tag", BODY, .flags = FLAT, .of = &s3_tag_shape)
SHAPE(prefix_tags, "AndOperator", PREFIX_TAGS)
#define FILTER(F, T)                                                                               \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, tag, "Tag", BODY, .of = &s3_tag_shape)                                            \
    F(T, STRUCT, and, "And", BODY, .of = &prefix_tags_shape)
SHAPE(filter, "Filter", FILTER)

/* --- replication --- */
#define SELECTION(F, T)                                                                            \
    F(T, STRUCT, kms, "SseKmsEncryptedObjects", BODY, .of = &status_shape)                         \
    F(T, STRUCT, modifications, "ReplicaModifications", BODY, .of = &status_shape)
SHAPE(selection, "SourceSelectionCriteria", SELECTION)
#define TRANSLATION(F, T)                                                                          \
    F(T, STR, owner, "Owner", BODY, .flags = REQUIRED, .values = "Destination")
SHAPE(translation, "AccessControlTranslation", TRANSLATION)
#define REPLICA_KEY(F, T) F(T, STR, key, "ReplicaKmsKeyID", BODY)
SHAPE(replica_key, "EncryptionConfiguration", REPLICA_KEY)
#define MINUTES(F, T) F(T, INT, minutes, "Minutes", BODY)
SHAPE(minutes, "ReplicationTimeValue", MINUTES)
#define REPLICATION_TIME(F, T)                                                                     \
    STATUS(F, T)                                                                                   \
    F(T, STRUCT, time, "Time", BODY, .flags = REQUIRED, .of = &minutes_shape)
SHAPE(replication_time, "ReplicationTime", REPLICATION_TIME)
#define REPLICATION_METRICS(F, T)                                                                  \
    STATUS(F, T)                                                                                   \
    F(T, STRUCT, threshold, "EventThreshold", BODY, .of = &minutes_shape)
SHAPE(replication_metrics, "Metrics", REPLICATION_METRICS)
#define DESTINATION(F, T)                                                                          \
    F(T, STR, bucket, "Bucket", BODY, .flags = REQUIRED)                                           \
    F(T, STR, account, "Account", BODY)                                                            \
    F(T, STR, storage_class, "StorageClass", BODY,                                                 \
      .values = "STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|"  \
                "DEEP_ARCHIVE|GLACIER_IR")                                                         \
    F(T, STRUCT, translation, "AccessControlTranslation", BODY, .of = &translation_shape)          \
    F(T, STRUCT, encryption, "EncryptionConfiguration", BODY, .of = &replica_key_shape)            \
    F(T, STRUCT, time, "ReplicationTime", BODY, .of = &replication_time_shape)                     \
    F(T, STRUCT, metrics, "Metrics", BODY, .of = &replication_metrics_shape)
SHAPE(destination, "Destination", DESTINATION)
#define MARKERS(F, T) F(T, STR, status, "Status", BODY, .values = "Enabled|Disabled")
SHAPE(markers, "DeleteMarkerReplication", MARKERS)
#define REPLICATION_RULE(F, T)                                                                     \
    F(T, STR, id, "ID", BODY, .max = 255)                                                          \
    F(T, INT, priority, "Priority", BODY)                                                          \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, filter, "Filter", BODY, .of = &filter_shape)                                      \
    STATUS(F, T)                                                                                   \
    F(T, STRUCT, selection, "SourceSelectionCriteria", BODY, .of = &selection_shape)               \
    F(T, STRUCT, existing, "ExistingObjectReplication", BODY, .of = &status_shape)                 \
    F(T, STRUCT, destination, "Destination", BODY, .flags = REQUIRED, .of = &destination_shape)    \
    F(T, STRUCT, markers, "DeleteMarkerReplication", BODY, .of = &markers_shape)
SHAPE(replication_rule, "ReplicationRule", REPLICATION_RULE)
#define REPLICATION(F, T)                                                                          \
    F(T, STR, role, "Role", BODY, .flags = REQUIRED)                                               \
    F(T, LIST, rules, "Rule", BODY, .flags = REQUIRED | FLAT, .of = &replication_rule_shape)
SHAPE_DECLARE(s3_replication, REPLICATION)
SHAPE_DEFINE(s3_replication, "ReplicationConfiguration", REPLICATION)

/* --- inventory --- */
#define KMS_KEY(F, T) F(T, STR, key, "KeyId", BODY, .flags = REQUIRED)
SHAPE(kms_key, "SSEKMS", KMS_KEY)
#define INVENTORY_ENCRYPTION(F, T)                                                                 \
    F(T, STRUCT, s3, "SSE-S3", BODY, .of = &empty_shape)                                           \
    F(T, STRUCT, kms, "SSE-KMS", BODY, .of = &kms_key_shape)
SHAPE(inventory_encryption, "InventoryEncryption", INVENTORY_ENCRYPTION)
#define INVENTORY_BUCKET(F, T)                                                                     \
    F(T, STR, account, "AccountId", BODY)                                                          \
    F(T, STR, bucket, "Bucket", BODY, .flags = REQUIRED)                                           \
    F(T, STR, format, "Format", BODY, .flags = REQUIRED, .values = "CSV|ORC|Parquet")              \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, encryption, "Encryption", BODY, .of = &inventory_encryption_shape)
SHAPE(inventory_bucket, "InventoryS3BucketDestination", INVENTORY_BUCKET)
#define INVENTORY_TARGET(F, T)                                                                     \
    F(T, STRUCT, bucket, "S3BucketDestination", BODY, .flags = REQUIRED,                           \
      .of = &inventory_bucket_shape)
SHAPE(inventory_target, "InventoryDestination", INVENTORY_TARGET)
#define INVENTORY_FILTER(F, T) F(T, STR, prefix, "Prefix", BODY, .flags = REQUIRED)
SHAPE(inventory_filter, "InventoryFilter", INVENTORY_FILTER)
#define SCHEDULE(F, T)                                                                             \
    F(T, STR, frequency, "Frequency", BODY, .flags = REQUIRED, .values = "Daily|Weekly")
SHAPE(schedule, "InventorySchedule", SCHEDULE)
#define INVENTORY(F, T)                                                                            \
    F(T, STRUCT, target, "Destination", BODY, .flags = REQUIRED, .of = &inventory_target_shape)    \
    F(T, BOOL, enabled, "IsEnabled", BODY, .flags = REQUIRED)                                      \
    F(T, STRUCT, filter, "Filter", BODY, .of = &inventory_filter_shape)                            \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, STR, versions, "IncludedObjectVersions", BODY, .flags = REQUIRED,                         \
      .values = "All|Current")                                                                     \
    F(T, LIST, fields, "OptionalFields", BODY, .item = "Field", .of = &scalar_str_shape)           \
    F(T, STRUCT, schedule, "Schedule", BODY, .flags = REQUIRED, .of = &schedule_shape)
SHAPE_DECLARE(s3_inventory, INVENTORY)
SHAPE_DEFINE(s3_inventory, "InventoryConfiguration", INVENTORY)

/* --- analytics --- */
#define ANALYTICS_BUCKET(F, T)                                                                     \
    F(T, STR, format, "Format", BODY, .flags = REQUIRED, .values = "CSV")                          \
    F(T, STR, account, "BucketAccountId", BODY)                                                    \
    F(T, STR, bucket, "Bucket", BODY, .flags = REQUIRED)                                           \
    F(T, STR, prefix, "Prefix", BODY)
SHAPE(analytics_bucket, "AnalyticsS3BucketDestination", ANALYTICS_BUCKET)
#define ANALYTICS_TARGET(F, T)                                                                     \
    F(T, STRUCT, bucket, "S3BucketDestination", BODY, .flags = REQUIRED,                           \
      .of = &analytics_bucket_shape)
SHAPE(analytics_target, "AnalyticsExportDestination", ANALYTICS_TARGET)
#define DATA_EXPORT(F, T)                                                                          \
    F(T, STR, version, "OutputSchemaVersion", BODY, .flags = REQUIRED, .values = "V_1")            \
    F(T, STRUCT, target, "Destination", BODY, .flags = REQUIRED, .of = &analytics_target_shape)
SHAPE(data_export, "StorageClassAnalysisDataExport", DATA_EXPORT)
#define CLASS_ANALYSIS(F, T) F(T, STRUCT, data_export, "DataExport", BODY, .of = &data_export_shape)
SHAPE(class_analysis, "StorageClassAnalysis", CLASS_ANALYSIS)
#define ANALYTICS(F, T)                                                                            \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, STRUCT, filter, "Filter", BODY, .of = &filter_shape)                                      \
    F(T, STRUCT, analysis, "StorageClassAnalysis", BODY, .flags = REQUIRED,                        \
      .of = &class_analysis_shape)
SHAPE_DECLARE(s3_analytics, ANALYTICS)
SHAPE_DEFINE(s3_analytics, "AnalyticsConfiguration", ANALYTICS)

/* --- metrics --- */
#define METRICS_AND(F, T)                                                                          \
    PREFIX_TAGS(F, T)                                                                              \
    F(T, STR, access_point, "AccessPointArn", BODY)
SHAPE(metrics_and, "MetricsAndOperator", METRICS_AND)
#define METRICS_FILTER(F, T)                                                                       \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, tag, "Tag", BODY, .of = &s3_tag_shape)                                            \
    F(T, STR, access_point, "AccessPointArn", BODY)                                                \
    F(T, STRUCT, and, "And", BODY, .of = &metrics_and_shape)
SHAPE(metrics_filter, "MetricsFilter", METRICS_FILTER)
#define METRICS(F, T)                                                                              \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, STRUCT, filter, "Filter", BODY, .of = &metrics_filter_shape)
SHAPE_DECLARE(s3_metrics, METRICS)
SHAPE_DEFINE(s3_metrics, "MetricsConfiguration", METRICS)

/* --- intelligent tiering --- */
#define TIER(F, T)                                                                                 \
    F(T, INT, days, "Days", BODY, .flags = REQUIRED)                                               \
    F(T, STR, tier, "AccessTier", BODY, .flags = REQUIRED,                                         \
      .values = "ARCHIVE_ACCESS|DEEP_ARCHIVE_ACCESS")
SHAPE(tier, "Tiering", TIER)
#define TIERING(F, T)                                                                              \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, STRUCT, filter, "Filter", BODY, .of = &filter_shape)                                      \
    STATUS(F, T)                                                                                   \
    F(T, LIST, tiers, "Tiering", BODY, .flags = REQUIRED | FLAT, .of = &tier_shape)
SHAPE_DECLARE(s3_tiering, TIERING)
SHAPE_DEFINE(s3_tiering, "IntelligentTieringConfiguration", TIERING)

/* --- what AWS refuses --- */

/* API_MetricsConfiguration: at most 64 letters, digits, periods, dashes and underscores. */
static bool id_ok(str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              c == '-' || c == '_' || c == '.'))
            return false;
    }
    return id.n >= 1 && id.n <= 64;
}

static err check_id(struct ctx *ctx, str id, const char *length)
{
    if (id_ok(id))
        return OK;
    return id.n > 64 ? err_text(ctx->arena, &S3_INVALID_CONFIG_ID, "%s", length)
                     : FAIL(S3_INVALID_CONFIG_ID);
}

static int members(const struct filter *filter)
{
    return (filter->prefix.p != NULL) + (filter->tag != NULL) + (filter->and != NULL);
}

/* API_AnalyticsFilter: exactly one prefix, one tag or one conjunction of at least two. */
static err check_filter(const struct filter *filter)
{
    if (!filter)
        return OK;
    const struct prefix_tags *and = filter->and;
    if (members(filter) != 1)
        return FAIL(S3_MALFORMED_XML);
    if (and&&and->tags.n + (and->prefix.p != NULL) < 2)
        return FAIL(S3_INVALID_AND);
    str prefix = and? and->prefix : filter->prefix;
    return prefix.p && !prefix.n ? FAIL(S3_INVALID_PREFIX) : OK;
}

err s3_analytics_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_analytics *config = document;
    TRY(check_id(ctx, config->id,
                 "Config Id should not be more than 1 char and less than 64 chars in length"));
    return check_filter(config->filter);
}

err s3_metrics_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)ctx, (void)bucket;
    const struct s3_metrics *config = document;
    const struct metrics_filter *filter = config->filter;
    if (!id_ok(config->id))
        return FAIL(S3_MALFORMED_XML);
    if (!filter)
        return OK;
    const struct metrics_and *and = filter->and;
    int n = (filter->prefix.p != NULL) + (filter->tag != NULL) + (filter->access_point.p != NULL) +
            (and != NULL);
    bool few = and&&and->tags.n + (and->prefix.p != NULL) + (and->access_point.p != NULL) < 2;
    return n == 1 && !few ? OK : FAIL(S3_MALFORMED_XML);
}

/* API_Tiering: at least 90 days, 180 for the deeper tier, two years at most. */
static err check_tier(struct ctx *ctx, const struct tier *tier)
{
    int64_t least = str_eq(tier->tier, S("ARCHIVE_ACCESS")) ? 90 : 180;
    const char *wrong = tier->days.v < least ? "less" : tier->days.v > 730 ? "more" : NULL;
    return !wrong ? OK
                  : err_text(ctx->arena, &S3_INVALID_ACCESS_TIER,
                             "Days specified in %.*s tier should not be %s than %d.",
                             STR_ARG(tier->tier), wrong, wrong[0] == 'l' ? (int)least : 730);
}

static err check_tiers(struct ctx *ctx, list tiers)
{
    const struct tier *archive = NULL, *deep = NULL;
    LIST_EACH (const struct tier, tier, tiers) {
        const struct tier **seen = str_eq(tier->tier, S("ARCHIVE_ACCESS")) ? &archive : &deep;
        if (*seen)
            return err_text(ctx->arena, &S3_INVALID_ACCESS_TIER,
                            "All Access Tiers in a configuration must be unique. Found duplicate "
                            "entry for %.*s.",
                            STR_ARG(tier->tier));
        TRY(check_tier(ctx, tier));
        *seen = tier;
    }
    return archive && deep && deep->days.v <= archive->days.v ? FAIL(S3_INVALID_ACCESS_TIER) : OK;
}

err s3_tiering_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_tiering *config = document;
    TRY(check_id(ctx, config->id,
                 "Config Id should be more than 1 character and less than 64 characters in "
                 "length."));
    TRY(check_filter(config->filter));
    return check_tiers(ctx, config->tiers);
}

static err check_target(struct s3 *s3, struct ctx *ctx, str arn)
{
    struct s3_bucket *target =
        str_starts(arn, S("arn:aws:s3:::")) ? s3_bucket_get(s3, str_slice(arn, 13, arn.n)) : NULL;
    if (!target || target->versioning != S3_VERSIONED) /* one text for both */
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "Destination bucket must have versioning enabled.");
    return OK;
}

/* A Filter makes a rule one of the second version, which has two elements more: "must also add
 * DeleteMarkerReplication, Status, and Priority" (PutBucketReplication). */
static err check_version(struct ctx *ctx, const struct replication_rule *rule)
{
    const bool second = rule->filter != NULL;
    const char *wrong = second == !rule->priority.set ? "Priority"
                        : second == !rule->markers    ? "DeleteMarkerReplication"
                                                      : NULL;
    if (rule->filter && (rule->prefix.p || members(rule->filter) > 1))
        return FAIL(S3_MALFORMED_XML);
    return !wrong ? OK
                  : err_text(ctx->arena, &S3_INVALID_REQUEST,
                             "%s %s for this version of Cross Region Replication configuration "
                             "schema. Please refer to S3 Developer Guide for more information.",
                             wrong, second ? "must be specified" : "cannot be used");
}

err s3_replication_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    struct s3_replication *config = document;
    if (bucket->versioning != S3_VERSIONED)
        return err_text(
            ctx->arena, &S3_INVALID_REQUEST,
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration");
    if (!config->rules.n)
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (struct replication_rule, rule, config->rules) {
        const struct destination *target = rule->destination;
        TRY(check_version(ctx, rule));
        TRY(check_target(s3, ctx, target->bucket));
        if (!rule->id.n)
            rule->id =
                rng_text(ctx->rng, ctx->arena, S("abcdefghijklmnopqrstuvwxyz0123456789"), 48);
    }
    return OK;
}

err s3_inventory_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    static const char fields[] = "|Size|LastModifiedDate|StorageClass|ETag|IsMultipartUploaded|"
                                 "ReplicationStatus|EncryptionStatus|"
                                 "ObjectLockRetainUntilDate|ObjectLockMode|"
                                 "ObjectLockLegalHoldStatus|IntelligentTieringAccessTier|"
                                 "BucketKeyStatus|ChecksumAlgorithm|ObjectAccessControlList|"
                                 "ObjectOwner|LifecycleExpirationDate|";
    const struct s3_inventory *config = document;
    if (!id_ok(config->id)) /* aws/aws-cdk #27793 */
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (const struct scalar_str, field, config->fields)
        if (str_find(str_of(fields), arena_printf(ctx->arena, "|%.*s|", STR_ARG(field->value)), 0) <
            0)
            return FAIL(S3_MALFORMED_XML);
    const struct inventory_target *target = config->target;
    const struct inventory_bucket *to = target->bucket;
    return str_starts(to->bucket, S("arn:")) && str_find(to->bucket, S(":s3:::"), 0) > 0
               ? OK
               : FAIL(S3_INVALID_S3_DESTINATION);
}
