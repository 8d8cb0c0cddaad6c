/* s3/reset.h - looking at, and emptying, all of S3 at once: for tests' set-up and tear-down, not
 * for requests. */
#ifndef HEADRACE_S3_RESET_H
#define HEADRACE_S3_RESET_H

#include "s3/bucket.h"

/* Deletes every bucket of `account`, or of all when it is absent, with all that is in it; object
 * lock does not hold it up. No events are sent. Inside the caller's savepoint. */
err s3_reset(struct s3 *s3, struct ctx *ctx, str account);
/* The buckets of `account` (absent: all), by account and name. */
size_t s3_buckets_all(struct s3 *s3, struct arena *arena, str account, struct s3_bucket ***out);
/* Versions and delete markers in the bucket. Walks an index. */
int64_t s3_bucket_objects(struct s3 *s3, const struct s3_bucket *bucket);

#endif
