/* s3/tags.h - tag sets of objects and buckets: AWS's limits, and the one text form in which objects
 * keep theirs: "k=v&k=v", percent-encoded, which is also what x-amz-tagging carries. */
#ifndef HEADRACE_S3_TAGS_H
#define HEADRACE_S3_TAGS_H

#include "base/ctx.h"

#define S3_OBJECT_TAGS_MAX 10
#define S3_BUCKET_TAGS_MAX 50

struct s3_tag {
    str key, value;
};

/* Checks a set for an object or a bucket: InvalidTag with TagKey, TagValue. */
err s3_tags_check(struct ctx *ctx, const struct s3_tag *tags, size_t n, bool bucket);
/* The stored form; absent for an empty set. */
str s3_tags_pack(struct arena *arena, const struct s3_tag *tags, size_t n);
/* Back again; absent gives none. */
void s3_tags_unpack(struct arena *arena, str packed, struct s3_tag **tags, size_t *n);
/* Value of an x-amz-tagging header -> the stored form. InvalidArgument when it is not urlencoded
 * pairs, InvalidTag. */
err s3_tags_from_header(struct ctx *ctx, str header, str *packed);

#endif
