/* s3/document.h - the configuration documents that buckets are given, as AWS's shapes: what each is
 * called, what AWS refuses in it, and how it is kept (its canonical XML, in s3/config). One row a
 * kind says all of it; a reader loads the struct and acts on it. Member names are those of AWS's
 * model, which say more than a comment could. */
#ifndef HEADRACE_S3_DOCUMENT_H
#define HEADRACE_S3_DOCUMENT_H

#include "base/shape.h"
#include "s3/config.h"
#include "s3/tags.h"

extern const struct shape s3_tag_shape; /* of struct s3_tag */

/* --- public access block, tags, ownership, payment, acceleration --- */
#define S3_PUBLIC_ACCESS_BLOCK(F, T)                                                               \
    F(T, BOOL, block_public_acls, "BlockPublicAcls", BODY)                                         \
    F(T, BOOL, ignore_public_acls, "IgnorePublicAcls", BODY)                                       \
    F(T, BOOL, block_public_policy, "BlockPublicPolicy", BODY)                                     \
    F(T, BOOL, restrict_public_buckets, "RestrictPublicBuckets", BODY)
SHAPE_DECLARE(s3_public_access_block, S3_PUBLIC_ACCESS_BLOCK)

#define S3_TAGGING(F, T)                                                                           \
    F(T, LIST, tags, "TagSet", BODY, .flags = REQUIRED, .item = "Tag", .of = &s3_tag_shape)
SHAPE_DECLARE(s3_tagging, S3_TAGGING)

#define S3_OWNERSHIP_RULE(F, T)                                                                    \
    F(T, STR, ownership, "ObjectOwnership", BODY, .flags = REQUIRED,                               \
      .values = "BucketOwnerPreferred|ObjectWriter|BucketOwnerEnforced")
SHAPE_DECLARE(s3_ownership_rule, S3_OWNERSHIP_RULE)
#define S3_OWNERSHIP(F, T)                                                                         \
    F(T, LIST, rules, "Rule", BODY, .flags = REQUIRED | FLAT, .of = &s3_ownership_rule_shape)
SHAPE_DECLARE(s3_ownership_controls, S3_OWNERSHIP)

#define S3_REQUEST_PAYMENT(F, T)                                                                   \
    F(T, STR, payer, "Payer", BODY, .flags = REQUIRED, .values = "Requester|BucketOwner")
SHAPE_DECLARE(s3_request_payment, S3_REQUEST_PAYMENT)

#define S3_ACCELERATE(F, T) F(T, STR, status, "Status", BODY, .values = "Enabled|Suspended")
SHAPE_DECLARE(s3_accelerate, S3_ACCELERATE)

#define S3_ABAC(F, T) F(T, STR, status, "Status", BODY, .values = "Enabled|Disabled")
SHAPE_DECLARE(s3_abac, S3_ABAC)

/* --- CORS --- */
#define S3_CORS_RULE(F, T)                                                                         \
    F(T, STR, id, "ID", BODY, .max = 255)                                                          \
    F(T, LIST, headers, "AllowedHeader", BODY, .flags = FLAT, .of = &scalar_str_shape)             \
    F(T, LIST, methods, "AllowedMethod", BODY, .flags = REQUIRED | FLAT, .of = &scalar_str_shape)  \
    F(T, LIST, origins, "AllowedOrigin", BODY, .flags = REQUIRED | FLAT, .of = &scalar_str_shape)  \
    F(T, LIST, expose, "ExposeHeader", BODY, .flags = FLAT, .of = &scalar_str_shape)               \
    F(T, INT, max_age, "MaxAgeSeconds", BODY)
SHAPE_DECLARE(s3_cors_rule, S3_CORS_RULE)
#define S3_CORS(F, T)                                                                              \
    F(T, LIST, rules, "CORSRule", BODY, .flags = REQUIRED | FLAT, .of = &s3_cors_rule_shape)
SHAPE_DECLARE(s3_cors, S3_CORS)

/* --- encryption --- */
#define S3_SSE_DEFAULT(F, T)                                                                       \
    F(T, STR, algorithm, "SSEAlgorithm", BODY, .flags = REQUIRED,                                  \
      .values = "AES256|aws:kms|aws:kms:dsse")                                                     \
    F(T, STR, key, "KMSMasterKeyID", BODY)
SHAPE_DECLARE(s3_sse_default, S3_SSE_DEFAULT)
#define S3_SSE_BLOCKED(F, T)                                                                       \
    F(T, LIST, types, "EncryptionType", BODY, .flags = FLAT, .of = &scalar_str_shape)
SHAPE_DECLARE(s3_sse_blocked, S3_SSE_BLOCKED)
#define S3_SSE_RULE(F, T)                                                                          \
    F(T, STRUCT, apply, "ApplyServerSideEncryptionByDefault", BODY, .of = &s3_sse_default_shape)   \
    F(T, BOOL, bucket_key, "BucketKeyEnabled", BODY)                                               \
    F(T, STRUCT, blocked, "BlockedEncryptionTypes", BODY, .of = &s3_sse_blocked_shape)
SHAPE_DECLARE(s3_sse_rule, S3_SSE_RULE)
#define S3_ENCRYPTION(F, T)                                                                        \
    F(T, LIST, rules, "Rule", BODY, .flags = REQUIRED | FLAT, .of = &s3_sse_rule_shape)
SHAPE_DECLARE(s3_encryption, S3_ENCRYPTION)

/* --- object lock --- */
#define S3_EVENT_HOLD(F, T)                                                                        \
    F(T, INT, days, "Days", BODY, INT_32)                                                          \
    F(T, INT, years, "Years", BODY, INT_32)
SHAPE_DECLARE(s3_event_hold, S3_EVENT_HOLD)
#define S3_DEFAULT_RETENTION(F, T)                                                                 \
    F(T, STR, mode, "Mode", BODY, .values = "GOVERNANCE|COMPLIANCE")                               \
    F(T, INT, days, "Days", BODY, INT_32)                                                          \
    F(T, INT, years, "Years", BODY, INT_32)                                                        \
    F(T, STRUCT, event_hold, "DefaultEventHold", BODY, .of = &s3_event_hold_shape,                 \
      .flags = UNIMPLEMENTED)
SHAPE_DECLARE(s3_default_retention, S3_DEFAULT_RETENTION)
#define S3_LOCK_RULE(F, T)                                                                         \
    F(T, STRUCT, retention, "DefaultRetention", BODY, .of = &s3_default_retention_shape)
SHAPE_DECLARE(s3_lock_rule, S3_LOCK_RULE)
#define S3_LOCK(F, T)                                                                              \
    F(T, STR, enabled, "ObjectLockEnabled", BODY, .values = "Enabled")                             \
    F(T, STRUCT, rule, "Rule", BODY, .of = &s3_lock_rule_shape)
SHAPE_DECLARE(s3_lock, S3_LOCK)

/* --- lifecycle --- */
#define S3_LIFECYCLE_AND(F, T)                                                                     \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, LIST, tags, "Tag", BODY, .flags = FLAT, .of = &s3_tag_shape)                              \
    F(T, INT, greater, "ObjectSizeGreaterThan", BODY)                                              \
    F(T, INT, less, "ObjectSizeLessThan", BODY)
SHAPE_DECLARE(s3_lifecycle_and, S3_LIFECYCLE_AND)
#define S3_LIFECYCLE_FILTER(F, T)                                                                  \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, tag, "Tag", BODY, .of = &s3_tag_shape)                                            \
    F(T, INT, greater, "ObjectSizeGreaterThan", BODY)                                              \
    F(T, INT, less, "ObjectSizeLessThan", BODY)                                                    \
    F(T, STRUCT, and, "And", BODY, .of = &s3_lifecycle_and_shape)
SHAPE_DECLARE(s3_lifecycle_filter, S3_LIFECYCLE_FILTER)

#define S3_TRANSITION_CLASSES                                                                      \
    "GLACIER|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|DEEP_ARCHIVE|GLACIER_IR"
#define S3_EXPIRATION(F, T)                                                                        \
    F(T, TIME, date, "Date", BODY)                                                                 \
    F(T, INT, days, "Days", BODY, INT_32)                                                          \
    F(T, BOOL, marker, "ExpiredObjectDeleteMarker", BODY)
SHAPE_DECLARE(s3_expiration, S3_EXPIRATION)
#define S3_TRANSITION(F, T)                                                                        \
    F(T, TIME, date, "Date", BODY)                                                                 \
    F(T, INT, days, "Days", BODY, INT_32)                                                          \
    F(T, STR, storage_class, "StorageClass", BODY, .flags = REQUIRED,                              \
      .values = S3_TRANSITION_CLASSES)
SHAPE_DECLARE(s3_transition, S3_TRANSITION)
#define S3_OLD_TRANSITION(F, T)                                                                    \
    F(T, INT, days, "NoncurrentDays", BODY, INT_32)                                                \
    F(T, INT, keep, "NewerNoncurrentVersions", BODY, INT_32)                                       \
    F(T, STR, storage_class, "StorageClass", BODY, .flags = REQUIRED,                              \
      .values = S3_TRANSITION_CLASSES)
SHAPE_DECLARE(s3_old_transition, S3_OLD_TRANSITION)
#define S3_OLD_EXPIRATION(F, T)                                                                    \
    F(T, INT, days, "NoncurrentDays", BODY, INT_32)                                                \
    F(T, INT, keep, "NewerNoncurrentVersions", BODY, INT_32)
SHAPE_DECLARE(s3_old_expiration, S3_OLD_EXPIRATION)
#define S3_ABORT_UPLOADS(F, T) F(T, INT, days, "DaysAfterInitiation", BODY, INT_32)
SHAPE_DECLARE(s3_abort_uploads, S3_ABORT_UPLOADS)

#define S3_LIFECYCLE_RULE(F, T)                                                                    \
    F(T, STR, id, "ID", BODY)                                                                      \
    F(T, STR, prefix, "Prefix", BODY)                                                              \
    F(T, STRUCT, filter, "Filter", BODY, .of = &s3_lifecycle_filter_shape)                         \
    F(T, STR, status, "Status", BODY, .flags = REQUIRED, .values = "Enabled|Disabled")             \
    F(T, STRUCT, expiration, "Expiration", BODY, .of = &s3_expiration_shape)                       \
    F(T, LIST, transitions, "Transition", BODY, .flags = FLAT, .of = &s3_transition_shape)         \
    F(T, LIST, old_transitions, "NoncurrentVersionTransition", BODY, .flags = FLAT,                \
      .of = &s3_old_transition_shape)                                                              \
    F(T, STRUCT, old_expiration, "NoncurrentVersionExpiration", BODY,                              \
      .of = &s3_old_expiration_shape)                                                              \
    F(T, STRUCT, abort, "AbortIncompleteMultipartUpload", BODY, .of = &s3_abort_uploads_shape)
SHAPE_DECLARE(s3_lifecycle_rule, S3_LIFECYCLE_RULE)
#define S3_LIFECYCLE(F, T)                                                                         \
    F(T, LIST, rules, "Rule", BODY, .flags = REQUIRED | FLAT, .of = &s3_lifecycle_rule_shape)
SHAPE_DECLARE(s3_lifecycle, S3_LIFECYCLE)

/* --- website --- */
#define S3_ERROR_DOCUMENT(F, T) F(T, STR, key, "Key", BODY, .flags = REQUIRED)
SHAPE_DECLARE(s3_error_document, S3_ERROR_DOCUMENT)
#define S3_INDEX_DOCUMENT(F, T) F(T, STR, suffix, "Suffix", BODY, .flags = REQUIRED)
SHAPE_DECLARE(s3_index_document, S3_INDEX_DOCUMENT)
#define S3_REDIRECT_ALL(F, T)                                                                      \
    F(T, STR, host, "HostName", BODY, .flags = REQUIRED)                                           \
    F(T, STR, protocol, "Protocol", BODY)
SHAPE_DECLARE(s3_redirect_all, S3_REDIRECT_ALL)
#define S3_ROUTING_CONDITION(F, T)                                                                 \
    F(T, STR, error, "HttpErrorCodeReturnedEquals", BODY)                                          \
    F(T, STR, prefix, "KeyPrefixEquals", BODY)
SHAPE_DECLARE(s3_routing_condition, S3_ROUTING_CONDITION)
#define S3_REDIRECT(F, T)                                                                          \
    F(T, STR, host, "HostName", BODY)                                                              \
    F(T, STR, code, "HttpRedirectCode", BODY)                                                      \
    F(T, STR, protocol, "Protocol", BODY)                                                          \
    F(T, STR, replace_prefix, "ReplaceKeyPrefixWith", BODY)                                        \
    F(T, STR, replace_key, "ReplaceKeyWith", BODY)
SHAPE_DECLARE(s3_redirect, S3_REDIRECT)
#define S3_ROUTING_RULE(F, T)                                                                      \
    F(T, STRUCT, condition, "Condition", BODY, .of = &s3_routing_condition_shape)                  \
    F(T, STRUCT, redirect, "Redirect", BODY, .flags = REQUIRED, .of = &s3_redirect_shape)
SHAPE_DECLARE(s3_routing_rule, S3_ROUTING_RULE)
#define S3_WEBSITE(F, T)                                                                           \
    F(T, STRUCT, redirect_all, "RedirectAllRequestsTo", BODY, .of = &s3_redirect_all_shape)        \
    F(T, STRUCT, index, "IndexDocument", BODY, .of = &s3_index_document_shape)                     \
    F(T, STRUCT, error, "ErrorDocument", BODY, .of = &s3_error_document_shape)                     \
    F(T, LIST, rules, "RoutingRules", BODY, .item = "RoutingRule", .of = &s3_routing_rule_shape)
SHAPE_DECLARE(s3_website, S3_WEBSITE)

/* --- logging --- */
#define S3_LOG_GRANTEE(F, T)                                                                       \
    F(T, STR, type, "xsi:type", BODY, .flags = REQUIRED | ATTRIBUTE,                               \
      .values = "CanonicalUser|AmazonCustomerByEmail|Group")                                       \
    F(T, STR, display_name, "DisplayName", BODY)                                                   \
    F(T, STR, email, "EmailAddress", BODY)                                                         \
    F(T, STR, id, "ID", BODY)                                                                      \
    F(T, STR, uri, "URI", BODY)
SHAPE_DECLARE(s3_log_grantee, S3_LOG_GRANTEE)
#define S3_LOG_GRANT(F, T)                                                                         \
    F(T, STRUCT, grantee, "Grantee", BODY, .of = &s3_log_grantee_shape)                            \
    F(T, STR, permission, "Permission", BODY, .values = "FULL_CONTROL|READ|WRITE")
SHAPE_DECLARE(s3_log_grant, S3_LOG_GRANT)
#define S3_LOG_PARTITION(F, T)                                                                     \
    F(T, STR, source, "PartitionDateSource", BODY, .values = "EventTime|DeliveryTime")
SHAPE_DECLARE(s3_log_partition, S3_LOG_PARTITION)
#define S3_LOG_FORMAT(F, T)                                                                        \
    F(T, STRUCT, simple, "SimplePrefix", BODY, .of = &empty_shape)                                 \
    F(T, STRUCT, partitioned, "PartitionedPrefix", BODY, .of = &s3_log_partition_shape)
SHAPE_DECLARE(s3_log_format, S3_LOG_FORMAT)
#define S3_LOG_TARGET(F, T)                                                                        \
    F(T, STR, bucket, "TargetBucket", BODY, .flags = REQUIRED)                                     \
    F(T, LIST, grants, "TargetGrants", BODY, .item = "Grant", .of = &s3_log_grant_shape)           \
    F(T, STR, prefix, "TargetPrefix", BODY, .flags = REQUIRED)                                     \
    F(T, STRUCT, format, "TargetObjectKeyFormat", BODY, .of = &s3_log_format_shape)
SHAPE_DECLARE(s3_log_target, S3_LOG_TARGET)
#define S3_LOGGING(F, T) F(T, STRUCT, target, "LoggingEnabled", BODY, .of = &s3_log_target_shape)
SHAPE_DECLARE(s3_logging, S3_LOGGING)

/* --- kept for their owners, acted on by nobody here: structs of document_plain.c --- */
extern const struct shape s3_replication_shape, s3_inventory_shape, s3_analytics_shape,
    s3_metrics_shape, s3_tiering_shape;
err s3_replication_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);
err s3_inventory_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);
err s3_analytics_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);
err s3_metrics_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);
err s3_tiering_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);

/* --- all of them --- */
struct s3_document {
    enum s3_config kind;
    const struct shape *shape;
    const struct fault *missing; /* when there is none; NULL: reads give an empty document */
    bool names_bucket;           /* the missing fault carries BucketName */
    /* What AWS refuses beyond the shape; may complete the document (ids). NULL: nothing. */
    err (*check)(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document);
};
/* The row of a kind; NULL for those that are no such documents (notification, policy, ACL). */
const struct s3_document *s3_document_of(enum s3_config kind);

/* Checks and stores; `id` is "" but for inventory, analytics, metrics and tiering. */
err s3_document_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                    str id, void *document);
/* Reads into `out` (zeroed, of the kind's struct); the missing fault when there is none. */
err s3_document_get(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                    str id, void *out);
/* The same without a fault: false when there is none. */
bool s3_document_load(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                      str id, void *out);
/* Text -> struct, of a stored document. */
void s3_document_parse(struct ctx *ctx, enum s3_config kind, str document, void *out);

#endif
