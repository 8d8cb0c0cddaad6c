/* s3/multipart.h - uploads in parts: from CreateMultipartUpload to the object, or to nothing.
 *
 * An upload is a row like the object it will become, so what is asked for at its creation (headers,
 * encryption, lock, tags) is simply taken over at the end. Its parts become the parts of the object
 * without a byte being read or copied: ETag and checksum follow from those of the parts. A
 * completed upload is remembered for a day, because clients repeat a CompleteMultipartUpload whose
 * answer they have lost. Facts: docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. */
#ifndef HEADRACE_S3_MULTIPART_H
#define HEADRACE_S3_MULTIPART_H

#include "base/digest.h"
#include "s3/copy.h"
#include "s3/object.h"

#define S3_PART_MIN (5LL << 20) /* bytes of every part but the last */
#define S3_PARTS_MAX 10000

struct s3_multipart {
    int64_t id;        /* 0: no such upload */
    str name;          /* UploadId */
    str initiator;     /* account */
    int64_t algorithm; /* enum digest_kind + 1 as asked for at creation; 0: none was */
    int64_t disturbed; /* 1: its key was deleted since it began */
    int64_t result;    /* id of the object it became; 0: still open */
    /* The object to be. mtime: when the upload began; checksum_kind and composite: what its parts
     * are digested with. */
    struct s3_object object;
};

/* As the API writes them; absent where none was asked for. */
str s3_multipart_algorithm(const struct s3_multipart *upload);
str s3_multipart_type(const struct s3_multipart *upload);
/* The algorithm of this name; InvalidRequest where there is none. */
err s3_checksum_named(struct ctx *ctx, str name, enum digest_kind *out);
/* Which checksum an upload gets from its two headers (absent: not sent). CRC64NVME over the whole
 * object when none is asked for. InvalidRequest for combinations that AWS refuses. */
err s3_multipart_checksum(struct ctx *ctx, str algorithm, str type, struct s3_multipart *out);
/* Opens an upload as `with` says (key, headers, checksum); *out gets the rest. */
err s3_multipart_create(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                        const struct s3_multipart *with, struct s3_multipart *out);
/* The open upload; NoSuchUpload when there is none of that name for the key. */
err s3_multipart_find(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str name,
                      struct s3_multipart *out);
/* Puts a part in place, instead of an earlier one of its number. `part` has number, size, etag,
 * checksum. */
err s3_multipart_put_part(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                          struct s3_part *part, const struct blob_slice *slices, size_t n,
                          bool owned);

/* UploadPartCopy. */
struct s3_part_copy {
    struct s3_source source;
    struct s3_conditions conditions;
    str range; /* x-amz-copy-source-range; absent: all of it */
    struct s3_read_digests known;
};
/* What s3_multipart_copy_part would read; its faults, as far as they can be told before. */
err s3_multipart_copy_plan(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                           const struct s3_part_copy *copy, struct s3_reading *out);
err s3_multipart_copy_part(struct s3 *s3, struct ctx *ctx, const struct s3_multipart *upload,
                           const struct s3_part_copy *copy, struct s3_object *source,
                           struct s3_bucket **source_bucket, struct s3_part *part);

/* CompleteMultipartUpload. */
struct s3_complete_part {
    int64_t number;
    str etag;                   /* with or without quotes; absent: not sent */
    str checksum[DIGEST_KINDS]; /* base64; absent: not sent */
};
struct s3_complete {
    str key, upload;
    const struct s3_complete_part *parts;
    size_t n;
    str type;                   /* x-amz-checksum-type; absent */
    str checksum[DIGEST_KINDS]; /* of the object, as claimed */
    opt_int size;               /* x-amz-mp-object-size */
    struct s3_conditions conditions;
};
/* Faults: NoSuchUpload, InvalidRequest, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest,
 * PreconditionFailed, ConditionalRequestConflict, NotImplemented. */
err s3_multipart_complete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                          const struct s3_complete *complete, struct s3_object *out);
err s3_multipart_abort(struct s3 *s3, const struct s3_multipart *upload);
/* All uploads of a bucket, with their parts: before it is deleted. */
err s3_multipart_abort_all(struct s3 *s3, struct s3_bucket *bucket);
/* The key was deleted: uploads to it that expect otherwise must fail. */
err s3_multipart_disturb(struct s3 *s3, const struct s3_bucket *bucket, str key);
/* Forgets uploads completed before `instant`. */
err s3_multipart_forget(struct s3 *s3, msec instant);

struct s3_multipart_list {
    str prefix, delimiter, key_marker, upload_marker; /* absent or empty: none */
    int64_t max;
};
struct s3_multipart_page {
    struct s3_multipart *uploads;
    size_t nuploads;
    str *prefixes;
    size_t nprefixes;
    bool truncated;
    str next_key, next_upload; /* where it goes on; absent unless truncated */
};
/* By key, then by age. InvalidArgument for an upload marker that is none. */
err s3_multipart_list(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_multipart_list *ask, struct s3_multipart_page *out);

#endif
