/* s3/lifecycle.h - what time does to objects: rules of a bucket that expire, transition and abort.
 * AWS evaluates them once a day, and so do we: at midnight UTC of the virtual clock, and once after
 * a start, because midnights may have passed meanwhile. Facts:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html. */
#ifndef HEADRACE_S3_LIFECYCLE_H
#define HEADRACE_S3_LIFECYCLE_H

#include "base/shape.h"
#include "s3/bucket.h"
#include "s3/schema.h"

struct s3_lifecycle_rule;

/* What a rule's filter, or its prefix of the first version, asks of an object. */
struct s3_lifecycle_limits {
    str prefix; /* absent where the rule names none */
    list tags;  /* of struct s3_tag */
    opt_int greater, less;
};

struct s3_lifecycle_limits s3_lifecycle_limits(const struct s3_lifecycle_rule *rule);
/* Colder storage classes have higher ranks. */
int s3_lifecycle_rank(str storage_class);

/* When rules are evaluated next; INT64_MAX while no bucket has any. */
msec s3_lifecycle_due(const struct s3 *s3);
/* Evaluates some of what is due at ctx->now; s3_lifecycle_due then says whether more is left. */
err s3_lifecycle_run(struct s3 *s3, struct ctx *ctx);
/* A configuration was put: the first midnight after ctx->now is its first evaluation. */
void s3_lifecycle_changed(struct s3 *s3, struct ctx *ctx);
/* When and by which rule the current version will expire; false when no rule says so. For
 * x-amz-expiration. */
bool s3_lifecycle_expiry(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                         const struct s3_object *object, msec *when, str *rule);
/* When and by which rule an upload of this key will be aborted; false when no rule says so. For
 * x-amz-abort-date. */
bool s3_lifecycle_abort(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                        const struct s3_object *upload, msec *when, str *rule);

#endif
