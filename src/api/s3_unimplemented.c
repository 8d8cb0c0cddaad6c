/* api/s3_unimplemented.c - the operations of S3 that are known here by name and route only. They are refused with NotImplemented and
 * their name, instead of falling through to an operation that has fewer conditions. A row leaves when its operation comes.
 * Left out: those of other endpoints (ListDirectoryBuckets, WriteGetObjectResponse) and the four that newer names replaced. */
#include "api/s3_common.h"
#include "api/s3_tables.h"

#define UNIMPLEMENTED_OPS(X)                                                                       \
    X(CreateBucketMetadataConfiguration, "POST", BUCKET, "metadataConfiguration", NULL) \
    X(CreateBucketMetadataTableConfiguration, "POST", BUCKET, "metadataTable", NULL) \
    X(CreateSession, "GET", BUCKET, "session", NULL) \
    X(DeleteBucketAnalyticsConfiguration, "DELETE", BUCKET, "analytics&id", NULL) \
    X(DeleteBucketCors, "DELETE", BUCKET, "cors", NULL) \
    X(DeleteBucketEncryption, "DELETE", BUCKET, "encryption", NULL) \
    X(DeleteBucketIntelligentTieringConfiguration, "DELETE", BUCKET, "intelligent-tiering&id", NULL) \
    X(DeleteBucketInventoryConfiguration, "DELETE", BUCKET, "inventory&id", NULL) \
    X(DeleteBucketLifecycle, "DELETE", BUCKET, "lifecycle", NULL) \
    X(DeleteBucketMetadataConfiguration, "DELETE", BUCKET, "metadataConfiguration", NULL) \
    X(DeleteBucketMetadataTableConfiguration, "DELETE", BUCKET, "metadataTable", NULL) \
    X(DeleteBucketMetricsConfiguration, "DELETE", BUCKET, "metrics&id", NULL) \
    X(DeleteBucketOwnershipControls, "DELETE", BUCKET, "ownershipControls", NULL) \
    X(DeleteBucketPolicy, "DELETE", BUCKET, "policy", NULL) \
    X(DeleteBucketReplication, "DELETE", BUCKET, "replication", NULL) \
    X(DeleteBucketTagging, "DELETE", BUCKET, "tagging", NULL) \
    X(DeleteBucketWebsite, "DELETE", BUCKET, "website", NULL) \
    X(DeletePublicAccessBlock, "DELETE", BUCKET, "publicAccessBlock", NULL) \
    X(GetBucketAbac, "GET", BUCKET, "abac", NULL) \
    X(GetBucketAccelerateConfiguration, "GET", BUCKET, "accelerate", NULL) \
    X(GetBucketAnalyticsConfiguration, "GET", BUCKET, "analytics&id", NULL) \
    X(GetBucketCors, "GET", BUCKET, "cors", NULL) \
    X(GetBucketEncryption, "GET", BUCKET, "encryption", NULL) \
    X(GetBucketIntelligentTieringConfiguration, "GET", BUCKET, "intelligent-tiering&id", NULL) \
    X(GetBucketInventoryConfiguration, "GET", BUCKET, "inventory&id", NULL) \
    X(GetBucketLifecycleConfiguration, "GET", BUCKET, "lifecycle", NULL) \
    X(GetBucketLogging, "GET", BUCKET, "logging", NULL) \
    X(GetBucketMetadataConfiguration, "GET", BUCKET, "metadataConfiguration", NULL) \
    X(GetBucketMetadataTableConfiguration, "GET", BUCKET, "metadataTable", NULL) \
    X(GetBucketMetricsConfiguration, "GET", BUCKET, "metrics&id", NULL) \
    X(GetBucketOwnershipControls, "GET", BUCKET, "ownershipControls", NULL) \
    X(GetBucketPolicy, "GET", BUCKET, "policy", NULL) \
    X(GetBucketPolicyStatus, "GET", BUCKET, "policyStatus", NULL) \
    X(GetBucketReplication, "GET", BUCKET, "replication", NULL) \
    X(GetBucketRequestPayment, "GET", BUCKET, "requestPayment", NULL) \
    X(GetBucketTagging, "GET", BUCKET, "tagging", NULL) \
    X(GetBucketWebsite, "GET", BUCKET, "website", NULL) \
    X(GetObjectLegalHold, "GET", OBJECT, "legal-hold", NULL) \
    X(GetObjectLockConfiguration, "GET", BUCKET, "object-lock", NULL) \
    X(GetObjectRetention, "GET", OBJECT, "retention", NULL) \
    X(GetObjectTorrent, "GET", OBJECT, "torrent", NULL) \
    X(GetPublicAccessBlock, "GET", BUCKET, "publicAccessBlock", NULL) \
    X(ListBucketAnalyticsConfigurations, "GET", BUCKET, "analytics", NULL) \
    X(ListBucketIntelligentTieringConfigurations, "GET", BUCKET, "intelligent-tiering", NULL) \
    X(ListBucketInventoryConfigurations, "GET", BUCKET, "inventory", NULL) \
    X(ListBucketMetricsConfigurations, "GET", BUCKET, "metrics", NULL) \
    X(PutBucketAbac, "PUT", BUCKET, "abac", NULL) \
    X(PutBucketAccelerateConfiguration, "PUT", BUCKET, "accelerate", NULL) \
    X(PutBucketAnalyticsConfiguration, "PUT", BUCKET, "analytics&id", NULL) \
    X(PutBucketCors, "PUT", BUCKET, "cors", NULL) \
    X(PutBucketEncryption, "PUT", BUCKET, "encryption", NULL) \
    X(PutBucketIntelligentTieringConfiguration, "PUT", BUCKET, "intelligent-tiering&id", NULL) \
    X(PutBucketInventoryConfiguration, "PUT", BUCKET, "inventory&id", NULL) \
    X(PutBucketLifecycleConfiguration, "PUT", BUCKET, "lifecycle", NULL) \
    X(PutBucketLogging, "PUT", BUCKET, "logging", NULL) \
    X(PutBucketMetricsConfiguration, "PUT", BUCKET, "metrics&id", NULL) \
    X(PutBucketOwnershipControls, "PUT", BUCKET, "ownershipControls", NULL) \
    X(PutBucketPolicy, "PUT", BUCKET, "policy", NULL) \
    X(PutBucketReplication, "PUT", BUCKET, "replication", NULL) \
    X(PutBucketRequestPayment, "PUT", BUCKET, "requestPayment", NULL) \
    X(PutBucketTagging, "PUT", BUCKET, "tagging", NULL) \
    X(PutBucketWebsite, "PUT", BUCKET, "website", NULL) \
    X(PutObjectLegalHold, "PUT", OBJECT, "legal-hold", NULL) \
    X(PutObjectLockConfiguration, "PUT", BUCKET, "object-lock", NULL) \
    X(PutObjectRetention, "PUT", OBJECT, "retention", NULL) \
    X(PutPublicAccessBlock, "PUT", BUCKET, "publicAccessBlock", NULL) \
    X(RenameObject, "PUT", OBJECT, "renameObject", "x-amz-rename-source") \
    X(RestoreObject, "POST", OBJECT, "restore", NULL) \
    X(SelectObjectContent, "POST", OBJECT, "select&select-type=2", NULL) \
    X(UpdateBucketMetadataInventoryTableConfiguration, "PUT", BUCKET, "metadataInventoryTable", NULL) \
    X(UpdateBucketMetadataJournalTableConfiguration, "PUT", BUCKET, "metadataJournalTable", NULL) \
    X(UpdateObjectEncryption, "PUT", OBJECT, "encryption", NULL) \

#define ROW(name_, method_, level_, query_, header_)                                               \
    {.name = #name_,                                                                               \
     .in = &empty_shape,                                                                           \
     .out = &empty_shape,                                                                          \
     .flags = OP_UNIMPLEMENTED,                                                                    \
     .rest = {method_, REST_##level_, query_, header_}},

const struct op s3_unimplemented_ops[] = {UNIMPLEMENTED_OPS(ROW){0}};
