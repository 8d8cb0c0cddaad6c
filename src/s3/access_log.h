/* s3/access_log.h - server access logs: lines gathered in a table and delivered, some minutes after
 * the first, as objects of the target bucket. A line commits with what its request did, before the
 * answer goes out: none is lost with the process. */
#ifndef HEADRACE_S3_ACCESS_LOG_H
#define HEADRACE_S3_ACCESS_LOG_H

#include "s3/bucket.h"

/* Keeps a line (without its end) for a bucket that has logging. */
err s3_log_add(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str line);
/* When what was gathered is delivered; INT64_MAX: nothing was. */
msec s3_log_due(const struct s3 *s3);
err s3_log_deliver(struct s3 *s3, struct ctx *ctx);
/* Looks at the table anew. */
void s3_log_load(struct s3 *s3);

#endif
