/* s3/restore.h - RestoreObject: a copy of an archived version that can be read for some days. When
 * it is there is a matter of the virtual clock; due.c completes and ends restores. */
#ifndef HEADRACE_S3_RESTORE_H
#define HEADRACE_S3_RESTORE_H

#include "base/shape.h"
#include "s3/bucket.h"
#include "s3/schema.h"

struct s3_restore {
    opt_int days;
    str tier; /* Standard, Bulk, Expedited; absent: Standard */
};
/* *again: a restored copy was there already, and its days were set anew. InvalidObjectState (not
 * archived), RestoreAlreadyInProgress, MalformedXML, InvalidArgument. */
err s3_restore_begin(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     struct s3_object *object, const struct s3_restore *restore, bool *again);

#endif
