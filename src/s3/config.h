/* s3/config.h - configuration documents of buckets, by (bucket, kind, id); id is "" for the kinds
 * that have one document. They are stored as given by whoever validated them, in the form that the
 * readers of the kind agree on. */
#ifndef HEADRACE_S3_CONFIG_H
#define HEADRACE_S3_CONFIG_H

#include "s3/bucket.h"

/* Kinds of configuration documents of a bucket. The name is the stored `kind`; a bucket knows which
 * ones it has. */
/* clang-format off */
#define S3_CONFIGS(X) \
    X(ACCELERATE) X(ACL) X(ANALYTICS) X(CORS) \
    X(ENCRYPTION) X(INTELLIGENT_TIERING) X(INVENTORY) X(LIFECYCLE) \
    X(LOGGING) X(METRICS) X(NOTIFICATION) X(OBJECT_LOCK) \
    X(OWNERSHIP) X(POLICY) X(PUBLIC_ACCESS_BLOCK) X(REPLICATION) \
    X(REQUEST_PAYMENT) X(TAGGING) X(WEBSITE) X(ABAC) \
    X(METADATA) X(LOCATION)
/* clang-format on */
enum s3_config {
#define S3_CONFIG_ENUM(name) S3_CONFIG_##name,
    S3_CONFIGS(S3_CONFIG_ENUM)
#undef S3_CONFIG_ENUM
        S3_CONFIG_KINDS
};

static inline bool s3_bucket_has(const struct s3_bucket *bucket, enum s3_config kind)
{
    return (bucket->configs >> kind) & 1;
}

/* The document, copied to the arena; absent when there is none. */
str s3_config_get(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                  str id);
err s3_config_put(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id,
                  str document);
/* Deletes it; *found (may be NULL) says whether it was there. */
err s3_config_delete(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id,
                     bool *found);
/* Whether one more of its kind, under a new id, would be too many: AWS takes 1,000. */
bool s3_config_full(struct s3 *s3, const struct s3_bucket *bucket, enum s3_config kind, str id);
/* Up to `limit` documents with id > after, in order of id. */
struct s3_config_row {
    str id, document;
};
size_t s3_config_list(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                      str after, size_t limit, struct s3_config_row **out);

#endif
