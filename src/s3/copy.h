/* s3/copy.h - CopyObject: a new version that shares the body of another one; nothing is read again
 * unless its digest must change. */
#ifndef HEADRACE_S3_COPY_H
#define HEADRACE_S3_COPY_H

#include "base/digest.h"
#include "s3/object.h"

#define S3_COPY_MAX (5LL << 30) /* bytes that one CopyObject or UploadPartCopy takes */

/* What x-amz-copy-source names. */
struct s3_source {
    str bucket, key, version; /* decoded; version absent: the current one */
};
/* "bucket/key?versionId=v", percent-encoded, with or without a leading slash. InvalidArgument when
 * it is none of that. */
err s3_source_parse(struct ctx *ctx, str header, struct s3_source *out);
/* The row it names. NoSuchBucket, NoSuchKey, NoSuchVersion, InvalidRequest (a delete marker by id),
 * InvalidObjectState (archived), PreconditionFailed. */
err s3_source_find(struct s3 *s3, struct ctx *ctx, const struct s3_source *source,
                   const struct s3_conditions *conditions, struct s3_bucket **bucket,
                   struct s3_object *out);

/* A stretch of a body that a copy must read for its digests: MD5 and `kind`. */
struct s3_reading {
    int64_t n; /* bytes; 0: nothing is to be read */
    enum digest_kind kind;
    struct blob_slice *slices;
    size_t nslices;
};
/* What came of it, when someone read it beforehand; nslices 0: nobody did. */
struct s3_read_digests {
    enum digest_kind kind;
    const struct blob_slice *slices; /* that were read */
    size_t nslices;
    str etag, checksum;
};
/* Whether that is what `reading` asks for. */
bool s3_read_already(const struct s3_reading *reading, const struct s3_read_digests *known);

struct s3_copy {
    struct s3_source source;
    struct s3_conditions source_conditions, conditions;
    /* Headers of the request as a row: content headers, meta, storage class, encryption, tags,
     * lock, redirect, acl. */
    struct s3_object with;
    bool replace_metadata, replace_tags;
    bool changes; /* the request changes storage class, redirect or encryption: a copy onto itself
                     is then legal */
    bool rehash;  /* x-amz-checksum-algorithm was sent */
    enum digest_kind algorithm;
    struct s3_read_digests known;
};
/* What s3_object_copy would read; its faults, as far as they can be told before. */
err s3_copy_plan(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                 const struct s3_copy *copy, struct s3_reading *out);
/* Copies into bucket/key. *source is the row copied from. */
err s3_object_copy(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                   const struct s3_copy *copy, struct s3_object *source,
                   struct s3_bucket **source_bucket, struct s3_object *out);

#endif
