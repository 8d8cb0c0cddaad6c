/* s3/tick.c - what S3 does when its time has come. */
#include "s3/engine.h"

msec s3_tick(struct s3 *s3, struct ctx *ctx)
{
    (void)ctx;
    return s3_next_due(s3);
}

msec s3_next_due(struct s3 *s3)
{
    (void)s3;
    return INT64_MAX; /* nothing in the tables has a date yet */
}
