/* s3/lock.h - object lock: retention and legal hold of versions. The rules of deletion are in
 * object.c. Facts: docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html. */
#ifndef HEADRACE_S3_LOCK_H
#define HEADRACE_S3_LOCK_H

#include "base/shape.h"
#include "s3/bucket.h"
#include "s3/schema.h"

/* InvalidRequest where the bucket has no object lock. */
err s3_lock_required(struct ctx *ctx, const struct s3_bucket *bucket);
/* Sets or (mode absent) removes the retention. `bypass`: governance may be overridden. Only a
 * longer retention of the same mode needs no leave. AccessDenied, InvalidArgument (a date that is
 * past). */
err s3_lock_retain(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                   struct s3_object *object, str mode, msec until, bool bypass);
err s3_lock_hold(struct s3 *s3, struct s3_object *object, bool on);
/* Gives a new object the bucket's default retention, unless it has one of its own. */
void s3_lock_default(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     struct s3_object *object);

#endif
