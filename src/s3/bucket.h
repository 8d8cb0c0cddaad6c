/* s3/bucket.h - buckets: who may have which name, where they live, whether they keep versions. */
#ifndef HEADRACE_S3_BUCKET_H
#define HEADRACE_S3_BUCKET_H

#include "s3/s3.h"

enum s3_versioning { S3_UNVERSIONED, S3_VERSIONED, S3_SUSPENDED };

struct s3_rules; /* parsed notification rules; notify.c */

struct s3_bucket {
    int64_t id;
    str name, account, region; /* owned by the bucket */
    msec created;
    enum s3_versioning versioning;
    bool object_lock;
    bool hides; /* may have rows in s3_hidden; false: has none */
    uint32_t
        configs; /* bit per enum s3_config (engine.h): has at least one document of that kind */
    struct s3_rules *rules; /* notify.c's working set, made on first use; dropped whenever the
                               document changes */
    struct s3_bucket *next; /* in its hash slot */
};

/* The bucket, or NULL. */
struct s3_bucket *s3_bucket_get(struct s3 *s3, str name);
/* Walks all buckets: for work in the background. */
struct s3_bucket *s3_bucket_by_id(struct s3 *s3, int64_t id);
/* The bucket, or NoSuchBucket with its name. */
err s3_bucket_find(struct s3 *s3, struct ctx *ctx, str name, struct s3_bucket **out);

struct s3_bucket_create {
    str name;
    str location; /* LocationConstraint; absent when none was sent */
    bool object_lock;
    bool tags; /* it is to have some */
};
/* InvalidBucketName, InvalidLocationConstraint, IllegalLocationConstraintException,
 * BucketAlreadyExists, BucketAlreadyOwnedByYou. In us-east-1 the owner may create it again: the
 * bucket stays as it is, *made is false. */
err s3_bucket_create(struct s3 *s3, struct ctx *ctx, const struct s3_bucket_create *create,
                     struct s3_bucket **out, bool *made);
/* BucketNotEmpty while any version or delete marker is there. Its configuration and unfinished
 * uploads go too. */
err s3_bucket_delete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket);
/* InvalidBucketState when object lock forbids to suspend. */
err s3_bucket_set_versioning(struct s3 *s3, struct s3_bucket *bucket,
                             enum s3_versioning versioning);
/* Object lock on an existing bucket, which must be versioned. */
err s3_bucket_set_object_lock(struct s3 *s3, struct s3_bucket *bucket);

/* Buckets of `account` with name > after, by name: at most `limit`; prefix and region may be
 * absent. */
size_t s3_bucket_list(struct s3 *s3, struct ctx *ctx, str account, str prefix, str region,
                      str after, size_t limit, struct s3_bucket ***out);

/* Whether AWS would take it as the name of a general purpose bucket. */
bool s3_bucket_name_ok(str name);
bool s3_region_known(str region);

#endif
