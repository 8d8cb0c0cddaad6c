/* s3/lost.h - what is left of an object whose body is gone for good (a file that someone removed,
 * power lost under --durability process): for doctor, which takes it away when told to. */
#ifndef HEADRACE_S3_LOST_H
#define HEADRACE_S3_LOST_H

#include "s3/s3.h"

/* Tells of each version ("KEY in BUCKET") or part of an upload that reads body `blob`, and drops
 * it, inside the caller's savepoint. *n: how many. */
err s3_lost_drop(struct s3 *s3, struct ctx *ctx, int64_t blob, void (*tell)(void *user, str what),
                 void *user, size_t *n);
/* The same for one of s3/examine.h: a version or a part, by its row. It may have gone already. */
err s3_lost_drop_row(struct s3 *s3, struct ctx *ctx, int64_t row,
                     void (*tell)(void *user, str what), void *user);

#endif
