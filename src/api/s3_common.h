/* api/s3_common.h - what many S3 operations have in common: members of their inputs and outputs,
 * written once, and the way from them to a row and back. A shape that begins with one of the member
 * lists may be passed where the struct of that list is asked for.
 *
 *     #define X_IN(F, T) S3_WRITE_IN(F, T) F(T, STR, if_match, "If-Match", HEADER)
 *     SHAPE(x_in, "XRequest", X_IN)
 *     s3_write_take(call, (const struct s3_write_in *)in, bucket, &object); */
#ifndef HEADRACE_API_S3_COMMON_H
#define HEADRACE_API_S3_COMMON_H

#include "api/call.h"
#include "s3/faults.h"
#include "s3/object.h"

/* --- inputs --- */
#define S3_BUCKET_IN(F, T)                                                                         \
    F(T, STR, bucket, "Bucket", BUCKET, .flags = REQUIRED)                                         \
    F(T, STR, expected_owner, "x-amz-expected-bucket-owner", HEADER)

#define S3_OBJECT_IN(F, T)                                                                         \
    S3_BUCKET_IN(F, T)                                                                             \
    F(T, STR, key, "Key", KEY, .flags = REQUIRED)

#define S3_PAYER_IN(F, T)                                                                          \
    F(T, STR, request_payer, "x-amz-request-payer", HEADER, .values = "requester")

#define S3_SSEC_IN(F, T)                                                                           \
    F(T, STR, ssec_algorithm, "x-amz-server-side-encryption-customer-algorithm", HEADER)           \
    F(T, STR, ssec_key, "x-amz-server-side-encryption-customer-key", HEADER)                       \
    F(T, STR, ssec_md5, "x-amz-server-side-encryption-customer-key-MD5", HEADER)

/* What may vouch for a document in the body; s3_body_check asks them. */
#define S3_DOCUMENT_IN(F, T)                                                                       \
    F(T, STR, content_md5, "Content-MD5", HEADER)                                                  \
    F(T, STR, checksum_algorithm, "x-amz-sdk-checksum-algorithm", HEADER)

#define S3_STORAGE_CLASSES                                                                         \
    "STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|DEEP_ARCHIVE|" \
    "GLACIER_IR"

#define S3_GRANTS_IN(F, T)                                                                         \
    F(T, STR, acl, "x-amz-acl", HEADER)                                                            \
    F(T, STR, grant_full_control, "x-amz-grant-full-control", HEADER)                              \
    F(T, STR, grant_read, "x-amz-grant-read", HEADER)                                              \
    F(T, STR, grant_read_acp, "x-amz-grant-read-acp", HEADER)                                      \
    F(T, STR, grant_write_acp, "x-amz-grant-write-acp", HEADER)

/* What describes an object to be written: PutObject, CopyObject, CreateMultipartUpload. */
#define S3_WRITE_IN(F, T)                                                                          \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    S3_SSEC_IN(F, T)                                                                               \
    S3_GRANTS_IN(F, T)                                                                             \
    F(T, STR, cache_control, "Cache-Control", HEADER)                                              \
    F(T, STR, content_disposition, "Content-Disposition", HEADER)                                  \
    F(T, STR, content_encoding, "Content-Encoding", HEADER)                                        \
    F(T, STR, content_language, "Content-Language", HEADER)                                        \
    F(T, STR, content_type, "Content-Type", HEADER)                                                \
    F(T, STR, expires, "Expires", HEADER)                                                          \
    F(T, MAP, metadata, "x-amz-meta-", META, .of = &str_pair_shape)                                \
    F(T, STR, sse, "x-amz-server-side-encryption", HEADER,                                         \
      .values = "AES256|aws:kms|aws:kms:dsse")                                                     \
    F(T, STR, sse_key, "x-amz-server-side-encryption-aws-kms-key-id", HEADER)                      \
    F(T, STR, sse_context, "x-amz-server-side-encryption-context", HEADER, .flags = UNIMPLEMENTED) \
    F(T, BOOL, sse_bucket_key, "x-amz-server-side-encryption-bucket-key-enabled", HEADER)          \
    F(T, STR, storage_class, "x-amz-storage-class", HEADER, .values = S3_STORAGE_CLASSES)          \
    F(T, STR, website_redirect, "x-amz-website-redirect-location", HEADER)                         \
    F(T, STR, tagging, "x-amz-tagging", HEADER)                                                    \
    F(T, STR, lock_mode, "x-amz-object-lock-mode", HEADER)                                         \
    F(T, TIME, lock_until, "x-amz-object-lock-retain-until-date", HEADER)                          \
    F(T, STR, lock_hold, "x-amz-object-lock-legal-hold", HEADER)                                   \
    F(T, STR, event_hold, "x-amz-object-lock-event-hold", HEADER, .flags = UNIMPLEMENTED)          \
    F(T, INT, event_hold_days, "x-amz-object-lock-event-hold-duration-days", HEADER,               \
      .flags = UNIMPLEMENTED)                                                                      \
    F(T, INT, event_hold_years, "x-amz-object-lock-event-hold-duration-years", HEADER,             \
      .flags = UNIMPLEMENTED)

struct s3_write_in {
    S3_WRITE_IN(SHAPE_MEMBER, s3_write_in)
};

/* --- outputs --- */
/* How the version is kept: in the answers of all operations that write or read one. */
#define S3_STORED_OUT(F, T)                                                                        \
    F(T, STR, version_id, "x-amz-version-id", HEADER)                                              \
    F(T, STR, sse, "x-amz-server-side-encryption", HEADER)                                         \
    F(T, STR, sse_key, "x-amz-server-side-encryption-aws-kms-key-id", HEADER)                      \
    F(T, BOOL, sse_bucket_key, "x-amz-server-side-encryption-bucket-key-enabled", HEADER)          \
    F(T, STR, ssec_algorithm, "x-amz-server-side-encryption-customer-algorithm", HEADER)           \
    F(T, STR, ssec_md5, "x-amz-server-side-encryption-customer-key-MD5", HEADER)

struct s3_stored_out {
    S3_STORED_OUT(SHAPE_MEMBER, s3_stored_out)
};

/* The checksum of a body: one member an algorithm, in the order of enum digest_kind, then the type.
 */
#define S3_CHECKSUM_HEADERS(F, T)                                                                  \
    F(T, STR, checksum_md5, "x-amz-checksum-md5", HEADER)                                          \
    F(T, STR, checksum_sha1, "x-amz-checksum-sha1", HEADER)                                        \
    F(T, STR, checksum_sha256, "x-amz-checksum-sha256", HEADER)                                    \
    F(T, STR, checksum_sha512, "x-amz-checksum-sha512", HEADER)                                    \
    F(T, STR, checksum_crc32, "x-amz-checksum-crc32", HEADER)                                      \
    F(T, STR, checksum_crc32c, "x-amz-checksum-crc32c", HEADER)                                    \
    F(T, STR, checksum_crc64nvme, "x-amz-checksum-crc64nvme", HEADER)                              \
    F(T, STR, checksum_xxhash64, "x-amz-checksum-xxhash64", HEADER)                                \
    F(T, STR, checksum_xxhash3, "x-amz-checksum-xxhash3", HEADER)                                  \
    F(T, STR, checksum_xxhash128, "x-amz-checksum-xxhash128", HEADER)
#define S3_CHECKSUM_ELEMENTS(F, T)                                                                 \
    F(T, STR, checksum_md5, "ChecksumMD5", BODY)                                                   \
    F(T, STR, checksum_sha1, "ChecksumSHA1", BODY)                                                 \
    F(T, STR, checksum_sha256, "ChecksumSHA256", BODY)                                             \
    F(T, STR, checksum_sha512, "ChecksumSHA512", BODY)                                             \
    F(T, STR, checksum_crc32, "ChecksumCRC32", BODY)                                               \
    F(T, STR, checksum_crc32c, "ChecksumCRC32C", BODY)                                             \
    F(T, STR, checksum_crc64nvme, "ChecksumCRC64NVME", BODY)                                       \
    F(T, STR, checksum_xxhash64, "ChecksumXXHASH64", BODY)                                         \
    F(T, STR, checksum_xxhash3, "ChecksumXXHASH3", BODY)                                           \
    F(T, STR, checksum_xxhash128, "ChecksumXXHASH128", BODY)

#define S3_OWNER(F, T)                                                                             \
    F(T, STR, id, "ID", BODY)                                                                      \
    F(T, STR, display_name, "DisplayName", BODY)
SHAPE_DECLARE(s3_owner, S3_OWNER)

extern const struct shape s3_tag_shape; /* of struct s3_tag in s3/tags.h */

/* --- the way there and back --- */
/* The bucket, checked against x-amz-expected-bucket-owner. NoSuchBucket, AccessDenied,
 * InvalidBucketOwnerAWSAccountID. */
err s3_bucket_of(struct call *call, str bucket, str expected_owner, struct s3_bucket **out);
/* InvalidArgument with ArgumentName and, unless absent, ArgumentValue. */
err s3_argument_invalid(struct call *call, const char *text, const char *name, str value);
/* The owner that `account` shows. */
struct s3_owner s3_owner_of(struct call *call, str account);

/* Checks the headers that describe an object to be written and fills the row with them, encryption,
 * tags and lock included. */
err s3_write_take(struct call *call, const struct s3_write_in *in, struct s3_bucket *bucket,
                  struct s3_object *object);

/* Customer-provided keys. Of a write: checks the three headers and gives the key's MD5 (absent:
 * none was sent). */
err s3_ssec_take(struct call *call, str algorithm, str key, str md5, str *ssec_md5);
/* Of a read: the key must be that of the object. */
err s3_ssec_check(struct call *call, str algorithm, str key, str md5,
                  const struct s3_object *object);

/* Of a read, with x-amz-expiration where `expiration`; and of a write, whose answer names a version
 * only where the bucket keeps them. */
void s3_stored_fill(struct call *call, const struct s3_bucket *bucket,
                    const struct s3_object *object, bool expiration, struct s3_stored_out *out);
void s3_written_fill(struct call *call, const struct s3_bucket *bucket,
                     const struct s3_object *object, struct s3_stored_out *out);
/* x-amz-abort-date and x-amz-abort-rule-id of an upload, where lifecycle has a rule for it. */
void s3_abort_fill(struct call *call, struct s3_bucket *bucket, const struct s3_object *upload,
                   opt_int *date, str *rule);
/* Sets the one member of a checksum list (`checksum_md5` is its first) and the type ("FULL_OBJECT",
 * "COMPOSITE"; may be NULL). */
void s3_checksum_fill(const struct s3_object *object, str *checksum_md5, str *type);
/* "\"etag\"" */
str s3_quoted(struct call *call, str etag);

/* The version that a request means, with the headers that AWS sends along when it is a delete
 * marker. PUT and DELETE of a key behind a marker are MethodNotAllowed. */
err s3_find_for(struct call *call, struct s3_bucket *bucket, str key, str version,
                struct s3_object *out);
/* MethodNotAllowed with its elements and headers. */
err s3_marker_refused(struct call *call, const struct s3_object *marker);

/* Makes bytes [at, at+length) of the body the reply's. */
err s3_reply_body(struct call *call, const struct s3_object *object, int64_t at, int64_t length);

#endif
