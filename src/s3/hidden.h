/* s3/hidden.h - runs of keys that delete markers hide, so that a listing of current objects can
 * jump over any number of them.
 *
 * A row of s3_hidden says: no key in [first, beyond) shows an object, for the newest row of each is
 * a delete marker. And every key so hidden lies in a run; neighbours share one. Both hold at the
 * end of every change of a key's newest row, if whoever makes one calls this module: s3_hidden_hide
 * after a marker was inserted, s3_hidden_show after an object was, s3_hidden_settle after a row was
 * removed. Buckets without markers have no rows here, and pay nothing. */
#ifndef HEADRACE_S3_HIDDEN_H
#define HEADRACE_S3_HIDDEN_H

#include "s3/bucket.h"

err s3_hidden_hide(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key);
err s3_hidden_show(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key);
/* Looks at what the key's newest row is now. */
err s3_hidden_settle(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key);
/* Where the run that hides `key` ends: the next key that can show an object is there or behind it.
 * Absent when the key is in no run. */
str s3_hidden_end(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str key);

/* Of a bucket that goes. */
err s3_hidden_forget(struct s3 *s3, const struct s3_bucket *bucket);
/* After the buckets were loaded: which of them have runs. */
void s3_hidden_load(struct s3 *s3);

#endif
