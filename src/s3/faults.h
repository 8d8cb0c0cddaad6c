/* s3/faults.h - every S3 fault, once: what AWS calls it, its HTTP status, its text. Extra elements
 * (BucketName, Key, ...) are added where the fault is raised, with err_with. Texts are those
 * recorded against AWS; a text that differs by case is given where it is raised, with err_text. */
#ifndef HEADRACE_S3_FAULTS_H
#define HEADRACE_S3_FAULTS_H

#include "base/err.h"

#define S3_FAULTS(X)                                                                               \
    X(ACCESS_DENIED, "AccessDenied", 403, "Access Denied")                                         \
    X(LOCKED, "AccessDenied", 403, "Access Denied because object protected by object lock.")       \
    X(ACCESS_FORBIDDEN, "AccessForbidden", 403,                                                    \
      "CORSResponse: CORS is not enabled for this bucket.")                                        \
    X(ACL_NOT_SUPPORTED, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs")   \
    X(BAD_DIGEST, "BadDigest", 400,                                                                \
      "The Content-MD5 you specified did not match what we received.")                             \
    X(BAD_REQUEST, "BadRequest", 400, "Bad Request")                                               \
    X(BUCKET_ALREADY_EXISTS, "BucketAlreadyExists", 409,                                           \
      "The requested bucket name is not available. The bucket namespace is shared by all users "   \
      "of the system. Please select a "                                                            \
      "different name and try again.")                                                             \
    X(BUCKET_ALREADY_OWNED, "BucketAlreadyOwnedByYou", 409,                                        \
      "Your previous request to create the named bucket succeeded and you already own it.")        \
    X(BUCKET_ACL_WITH_OWNERSHIP, "InvalidBucketAclWithObjectOwnership", 400,                       \
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")            \
    X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409, "The bucket you tried to delete is not empty")      \
    X(CONDITIONAL_CONFLICT, "ConditionalRequestConflict", 409,                                     \
      "The conditional request cannot succeed due to a conflicting operation against this "        \
      "resource.")                                                                                 \
    X(CROSS_LOCATION_LOGGING, "CrossLocationLoggingProhibitted", 403,                              \
      "Cross S3 location logging not allowed. ")                                                   \
    X(ENTITY_TOO_LARGE, "EntityTooLarge", 400,                                                     \
      "Your proposed upload exceeds the maximum allowed size")                                     \
    X(ENTITY_TOO_SMALL, "EntityTooSmall", 400,                                                     \
      "Your proposed upload is smaller than the minimum allowed size")                             \
    X(ID_MISMATCH, "IdMismatch", 400,                                                              \
      "Document ID does not match the specified configuration ID.")                                \
    X(ILLEGAL_LOCATION, "IllegalLocationConstraintException", 400,                                 \
      "The unspecified location constraint is incompatible for the region specific endpoint this " \
      "request was sent to.")                                                                      \
    X(ILLEGAL_VERSIONING, "IllegalVersioningConfigurationException", 400,                          \
      "The Versioning element must be specified")                                                  \
    X(INCOMPLETE_BODY, "IncompleteBody", 400,                                                      \
      "You did not provide the number of bytes specified by the Content-Length HTTP header")       \
    X(INVALID_ACCESS_TIER, "InvalidAccessTier", 400,                                               \
      "Days specified in DEEP_ARCHIVE_ACCESS should be greater than days specified in "            \
      "ARCHIVE_ACCESS")                                                                            \
    X(INVALID_AND, "InvalidAnd", 400,                                                              \
      "Number of Prefixes and Tags combined cannot be less than 2. And cannot contain less than "  \
      "2 elements.")                                                                               \
    X(INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument")                                \
    X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The specified bucket is not valid.")         \
    X(INVALID_BUCKET_OWNER, "InvalidBucketOwnerAWSAccountID", 400,                                 \
      "The value of the expected bucket owner parameter must be an AWS Account ID...")             \
    X(INVALID_BUCKET_STATE, "InvalidBucketState", 409,                                             \
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be " \
      "changed.")                                                                                  \
    X(INVALID_CONFIG_ID, "InvalidConfigId", 400,                                                   \
      "Config Id does not match the pattern ^[a-zA-Z0-9\\-_.]+$")                                  \
    X(INVALID_DIGEST, "InvalidDigest", 400, "The Content-MD5 you specified was invalid.")          \
    X(INVALID_ENCRYPTION, "InvalidEncryptionAlgorithmError", 400,                                  \
      "The Encryption request you specified is not valid. Supported value: AES256.")               \
    X(INVALID_LOCATION, "InvalidLocationConstraint", 400,                                          \
      "The specified location-constraint is not valid")                                            \
    X(INVALID_OBJECT_STATE, "InvalidObjectState", 403,                                             \
      "The operation is not valid for the object's storage class")                                 \
    X(INVALID_PART, "InvalidPart", 400,                                                            \
      "One or more of the specified parts could not be found.  The part may not have been "        \
      "uploaded, or the specified entity tag "                                                     \
      "may not match the part's entity tag.")                                                      \
    X(INVALID_PART_NUMBER, "InvalidPartNumber", 416,                                               \
      "The requested partnumber is not satisfiable")                                               \
    X(INVALID_PART_ORDER, "InvalidPartOrder", 400,                                                 \
      "The list of parts was not in ascending order. Parts must be ordered by part number.")       \
    X(INVALID_PREFIX, "InvalidPrefix", 400,                                                        \
      "Filter Prefix should be set to a valid non-empty value or not set at all.")                 \
    X(INVALID_RANGE, "InvalidRange", 416, "The requested range is not satisfiable")                \
    X(INVALID_REDIRECT, "InvalidRedirectLocation", 400,                                            \
      "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")       \
    X(INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request")                                   \
    X(INVALID_RETENTION, "InvalidRetentionPeriod", 400,                                            \
      "Default retention period must be a positive integer value.")                                \
    X(INVALID_STORAGE_CLASS, "InvalidStorageClass", 400,                                           \
      "The storage class you specified is not valid")                                              \
    X(INVALID_TAG, "InvalidTag", 400, "The TagKey you have provided is invalid")                   \
    X(INVALID_TARGET_BUCKET, "InvalidTargetBucketForLogging", 400,                                 \
      "The target bucket for logging does not exist")                                              \
    X(INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                         \
    X(INVALID_S3_DESTINATION, "InvalidS3DestinationBucket", 400, "Invalid bucket ARN.")            \
    X(KMS_NOT_FOUND, "KMS.NotFoundException", 400, "Invalid arn")                                  \
    X(TOO_MANY_CONFIGURATIONS, "TooManyConfigurations", 400,                                       \
      "You are attempting to create a new configuration but have already reached the "             \
      "1,000-configuration limit.")                                                                \
    X(KEY_TOO_LONG, "KeyTooLongError", 400, "Your key is too long")                                \
    X(MALFORMED_ACL, "MalformedACLError", 400,                                                     \
      "The XML you provided was not well-formed or did not validate against our published schema") \
    X(MALFORMED_POLICY, "MalformedPolicy", 400,                                                    \
      "Policies must be valid JSON and the first byte must be '{'")                                \
    X(MALFORMED_XML, "MalformedXML", 400,                                                          \
      "The XML you provided was not well-formed or did not validate against our published schema") \
    X(METADATA_TOO_LARGE, "MetadataTooLarge", 400,                                                 \
      "Your metadata headers exceed the maximum allowed metadata size")                            \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405,                                                 \
      "The specified method is not allowed against this resource.")                                \
    X(MISSING_CONTENT_LENGTH, "MissingContentLength", 411,                                         \
      "You must provide the Content-Length HTTP header.")                                          \
    X(MISSING_REQUEST_BODY, "MissingRequestBodyError", 400, "Request Body is empty")               \
    X(MISSING_SECURITY_HEADER, "MissingSecurityHeader", 400,                                       \
      "Your request was missing a required header")                                                \
    X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "The specified bucket does not exist")                  \
    X(NO_SUCH_BUCKET_POLICY, "NoSuchBucketPolicy", 404, "The bucket policy does not exist")        \
    X(NO_SUCH_CONFIGURATION, "NoSuchConfiguration", 404,                                           \
      "The specified configuration does not exist.")                                               \
    X(NO_SUCH_CORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist")       \
    X(NO_SUCH_ENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404,                   \
      "The server side encryption configuration was not found")                                    \
    X(NO_SUCH_KEY, "NoSuchKey", 404, "The specified key does not exist.")                          \
    X(NO_SUCH_LIFECYCLE, "NoSuchLifecycleConfiguration", 404,                                      \
      "The lifecycle configuration does not exist")                                                \
    X(NO_SUCH_LOCK_CONFIGURATION, "ObjectLockConfigurationNotFoundError", 404,                     \
      "Object Lock configuration does not exist for this bucket")                                  \
    X(NO_SUCH_OBJECT_LOCK, "NoSuchObjectLockConfiguration", 404,                                   \
      "The specified object does not have a ObjectLock configuration")                             \
    X(NO_SUCH_OWNERSHIP, "OwnershipControlsNotFoundError", 404,                                    \
      "The bucket ownership controls were not found")                                              \
    X(NO_SUCH_PUBLIC_ACCESS_BLOCK, "NoSuchPublicAccessBlockConfiguration", 404,                    \
      "The public access block configuration was not found")                                       \
    X(NO_SUCH_REPLICATION, "ReplicationConfigurationNotFoundError", 404,                           \
      "The replication configuration was not found")                                               \
    X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "The TagSet does not exist")                           \
    X(NO_SUCH_UPLOAD, "NoSuchUpload", 404,                                                         \
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have " \
      "been aborted or completed.")                                                                \
    X(NO_SUCH_VERSION, "NoSuchVersion", 404, "The specified version does not exist.")              \
    X(NO_SUCH_WEBSITE, "NoSuchWebsiteConfiguration", 404,                                          \
      "The specified bucket does not have a website configuration")                                \
    X(NOT_IMPLEMENTED, "NotImplemented", 501,                                                      \
      "A header you provided implies functionality that is not implemented")                       \
    X(NOT_MODIFIED, "NotModified", 304, "Not Modified")                                            \
    X(PRECONDITION_FAILED, "PreconditionFailed", 412,                                              \
      "At least one of the pre-conditions you specified did not hold")                             \
    X(RESTORE_IN_PROGRESS, "RestoreAlreadyInProgress", 409,                                        \
      "Object restore is already in progress")                                                     \
    X(UNEXPECTED_CONTENT, "UnexpectedContent", 400, "This request does not support content")       \
    X(UNRESOLVABLE_GRANT, "UnresolvableGrantByEmailAddress", 400,                                  \
      "The e-mail address you provided does not match any account on record.")                     \
    X(XAMZ_CONTENT_SHA256, "XAmzContentSHA256Mismatch", 400,                                       \
      "The provided 'x-amz-content-sha256' header does not match what was computed.")

/* struct fault S3_NO_SUCH_KEY and so on. */
#define S3_FAULT_DECLARE(name, code, status, text) extern const struct fault S3_##name;
S3_FAULTS(S3_FAULT_DECLARE)

struct arena;
/* InvalidArgument with ArgumentName and, unless absent, ArgumentValue (borrowed). */
err s3_argument(struct arena *arena, const char *name, str value, const char *text);

#endif
