/* api/s3_acl_inside.h - what s3_acl.c and s3_acl_ops.c share. */
#ifndef HEADRACE_API_S3_ACL_INSIDE_H
#define HEADRACE_API_S3_ACL_INSIDE_H

#include "api/s3_acl.h"

/* The request says anything at all about an ACL. */
bool s3_acl_claimed(const struct s3_acl_claims *claims);
/* The list that the claims mean for a resource of `owner`; canonical ids. InvalidArgument,
 * InvalidRequest. */
err s3_acl_of_claims(struct call *call, const struct s3_acl_claims *claims, str owner,
                     str bucket_owner, struct s3_acl *acl);
/* AccessDenied when it is public and the bucket blocks that. */
err s3_acl_may_store(struct call *call, struct s3_bucket *bucket, const struct s3_acl *acl);
/* 64 hex digits: it could be somebody's. */
bool s3_canonical_id_formed(str id);
/* Whether it is the canonical id of an account there is: of the key file, of any twelve digits, of
 * a service. AWS takes capitals too; *id becomes what is stored. */
bool s3_grantee_known(struct call *call, str *id);
/* UnresolvableGrantByEmailAddress when no key of the key file has it. */
err s3_grantee_of_email(struct call *call, str email, str *id);
/* Display name of a canonical id; absent when it is nobody's we know. */
str s3_name_of_canonical_id(struct call *call, str id);

#endif
