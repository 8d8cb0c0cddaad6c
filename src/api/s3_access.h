/* api/s3_access.h - who may do what under --auth enforce: bucket policy, access control lists,
 * public access block and ownership, in AWS's order of evaluation. An explicit deny wins; then the
 * account that owns the bucket, a policy's allow, or an ACL's grant let a request through; nothing
 * else does. (docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html)
 *
 * Accounts act as their root user: there is no IAM here, so inside one account nothing is forbidden
 * but by a policy's deny. */
#ifndef HEADRACE_API_S3_ACCESS_H
#define HEADRACE_API_S3_ACCESS_H

#include "api/call.h"
#include "s3/acl.h"

struct s3_bucket;
struct s3_object;

/* May the caller run call->op on its bucket and key? AccessDenied when not; OK when the bucket is
 * missing (the operation will say so). Called once the head of the request is decoded. */
err s3_authorize(struct call *call, const void *in);
/* The same for something else that the operation touches: a copy's source, each key of
 * DeleteObjects. No-op unless call->api->enforce. Of a key that is not there only those hear who
 * may list it. `version` is absent unless the request names one. */
err s3_may(struct call *call, const char *action, str bucket, str key, str version);
/* Stored lists, loaded: of the bucket (its ACL document) and of a version. Owners are canonical
 * ids. */
struct s3_acl s3_bucket_acl(struct call *call, struct s3_bucket *bucket);
struct s3_acl s3_object_acl(struct call *call, const struct s3_object *object);
/* Canonical id of an account. */
str s3_canonical_id(struct call *call, str account);

/* A bit of the bucket's PublicAccessBlock configuration: "BlockPublicAcls", ... A bucket whose
 * configuration was never touched says that it blocks everything, as on AWS, but only --strict
 * keeps to it: tests make fresh buckets public. */
bool s3_public_block(struct call *call, struct s3_bucket *bucket, str member);

#endif
