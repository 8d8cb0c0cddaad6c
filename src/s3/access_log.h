/* s3/access_log.h - server access logs: lines gathered in memory and delivered, some minutes after
 * the first, as an object of the target bucket. Like AWS's they are a best effort: what was not
 * delivered when the process ends is lost. */
#ifndef HEADRACE_S3_ACCESS_LOG_H
#define HEADRACE_S3_ACCESS_LOG_H

#include "s3/bucket.h"

/* Keeps a line (without its end) for a bucket that has logging. */
void s3_log_add(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str line);
/* When what was gathered is delivered; INT64_MAX: nothing was. */
msec s3_log_due(const struct s3 *s3);
err s3_log_deliver(struct s3 *s3, struct ctx *ctx);
/* Forgets all lines. */
void s3_log_clear(struct s3 *s3);

#endif
