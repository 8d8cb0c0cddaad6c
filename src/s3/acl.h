/* s3/acl.h - access control lists as values: canned ones, their stored text, and whom they let do
 * what. No tables here; an object's list is its row's `acl` column, a bucket's is its ACL document.
 * Absent text is the private list: FULL_CONTROL of the owner.
 * (docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html) */
#ifndef HEADRACE_S3_ACL_H
#define HEADRACE_S3_ACL_H

#include "base/err.h"

#define S3_ACL_MAX_GRANTS 100

enum s3_permission {
    S3_MAY_READ = 1,
    S3_MAY_WRITE = 2,
    S3_MAY_READ_ACP = 4,
    S3_MAY_WRITE_ACP = 8,
    S3_FULL_CONTROL = 15,
};

enum s3_group { S3_NO_GROUP, S3_ALL_USERS, S3_AUTHENTICATED_USERS, S3_LOG_DELIVERY };

struct s3_grant {
    enum s3_permission permission; /* one of the above */
    enum s3_group group;
    str user; /* canonical id, when group is S3_NO_GROUP */
};

struct s3_acl {
    struct s3_grant *grants;
    size_t n;
};

/* "READ" <-> S3_MAY_READ; 0 for an unknown name. */
unsigned s3_permission_of(str name);
str s3_permission_name(unsigned permission);
/* "http://acs.amazonaws.com/groups/global/AllUsers" <-> S3_ALL_USERS; S3_NO_GROUP for an unknown
 * URI. */
enum s3_group s3_group_of(str uri);
str s3_group_uri(enum s3_group group);

/* The grants that a canned name means for a resource of `owner` (canonical ids); false when there
 * is no such name. `bucket_owner` is for bucket-owner-read and bucket-owner-full-control, which
 * mean private on buckets (absent). */
bool s3_acl_canned(struct arena *arena, str name, str owner, str bucket_owner, struct s3_acl *out);
/* One grant more, in the arena. */
void s3_acl_add(struct arena *arena, struct s3_acl *acl, struct s3_grant grant);

/* To and from the stored text, one grant a line. Absent text loads as the private list of `owner`.
 */
str s3_acl_store(struct arena *arena, const struct s3_acl *acl);
struct s3_acl s3_acl_load(struct arena *arena, str text, str owner);

/* May `user` (canonical id; absent: anonymous) do this? `groups` false leaves out grants to
 * everyone: IgnorePublicAcls. */
bool s3_acl_allows(const struct s3_acl *acl, str user, enum s3_permission permission, bool groups);
/* Grants something to all, or to all authenticated, users: what BlockPublicAcls refuses. */
bool s3_acl_is_public(const struct s3_acl *acl);
/* The owner has FULL_CONTROL and nobody else anything: the only list that a bucket with
 * BucketOwnerEnforced may still have. */
bool s3_acl_is_owner_only(const struct s3_acl *acl, str owner);

#endif
