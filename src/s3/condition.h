/* s3/condition.h - preconditions of reads, writes, copies and deletes, with AWS's answers: 304,
 * 412, 404, 501. */
#ifndef HEADRACE_S3_CONDITION_H
#define HEADRACE_S3_CONDITION_H

#include "base/shape.h"
#include "s3/schema.h"

struct s3_conditions {
    str if_match, if_none_match;                    /* as sent: "etag", lists, * */
    opt_int if_modified_since, if_unmodified_since; /* msec */
};

/* Of a read: NotModified or PreconditionFailed with its Condition. */
err s3_conditions_read(struct ctx *ctx, const struct s3_conditions *conditions,
                       const struct s3_object *object);
/* Of a copy's source: PreconditionFailed in all cases. */
err s3_conditions_source(struct ctx *ctx, const struct s3_conditions *conditions,
                         const struct s3_object *object);
/* Whether a write may ask this at all: AWS knows If-None-Match: * and If-Match: "etag" only; else
 * NotImplemented. */
err s3_conditions_form(struct ctx *ctx, const struct s3_conditions *conditions);
/* Of a write over `current` (id 0: nothing is there): PreconditionFailed, or NoSuchKey for If-Match
 * on what isn't there. */
err s3_conditions_write(struct ctx *ctx, const struct s3_conditions *conditions, str key,
                        const struct s3_object *current);
/* Whether the ETag (without quotes) is among those of an If-Match or If-None-Match header. */
bool s3_etag_listed(str header, str etag);

#endif
