/* api/s3_acl.h - access control lists on the wire: the canned name, the x-amz-grant headers and the
 * AccessControlPolicy document, and the rules by which a bucket takes them: ownership controls,
 * BlockPublicAcls.
 *
 * A bucket whose ownership controls were never set takes ACLs, unlike on AWS, where new buckets
 * have them disabled: tests and older programs set ACLs on fresh buckets. --strict takes AWS's
 * side. Its explicit settings are kept to in every mode. */
#ifndef HEADRACE_API_S3_ACL_H
#define HEADRACE_API_S3_ACL_H

#include "api/call.h"
#include "s3/acl.h"

struct s3_bucket;
struct s3_object;
struct s3_log_target;

/* What a request says about an ACL; absent where it says nothing. */
struct s3_acl_claims {
    str canned, full_control, read, write, read_acp, write_acp;
};

enum s3_ownership { S3_OWNER_ENFORCED, S3_OWNER_PREFERRED, S3_OWNER_WRITER };
/* The bucket's rule, by its ownership controls; without any see above. */
enum s3_ownership s3_ownership_of(struct call *call, struct s3_bucket *bucket);

/* For a write of an object into `bucket`: checks the claims and fills object->owner (account) and
 * object->acl. Faults: AccessControlListNotSupported, AccessDenied (public and blocked),
 * InvalidArgument, InvalidRequest. */
err s3_acl_of_write(struct call *call, const struct s3_acl_claims *claims, struct s3_bucket *bucket,
                    struct s3_object *object);
/* For CreateBucket: stores the list that the headers ask for as the new bucket's. */
err s3_acl_of_new_bucket(struct call *call, const struct s3_acl_claims *claims, str ownership,
                         struct s3_bucket *bucket);
/* For PutBucketLogging: the stored list of the log objects to come; absent: TargetGrants has none.
 */
err s3_acl_of_logs(struct call *call, const struct s3_log_target *target, str *stored);

#endif
