/* s3/object.h - what clients do to objects: find, put, delete. Each change ends in s3_changed, in
 * the caller's savepoint. */
#ifndef HEADRACE_S3_OBJECT_H
#define HEADRACE_S3_OBJECT_H

#include "s3/body.h"
#include "s3/bucket.h"
#include "s3/condition.h"
#include "s3/event.h"
#include "s3/schema.h"

/* The version that a request means: the current one when `version` is absent. Faults: NoSuchKey,
 * NoSuchVersion, InvalidArgument (not a version id). A delete marker is a fault too, with its row
 * in *out for the headers: NoSuchKey when it is current, MethodNotAllowed when it was named. */
err s3_object_find(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str version,
                   struct s3_object *out);

/* Makes `object` the current version of its key and tells of it. Everything but id, version, owner
 * and mtime is filled in; the body is kept (`blob`), or is on the way (`body`, which is gone
 * afterwards, also on failure). `conditions` may be NULL. Parts, if any, are attached
 * by the caller to object->id afterwards. */
err s3_object_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                  const struct s3_conditions *conditions, struct s3_object *object,
                  enum s3_event event);
/* Tells the store so (db_sure) when only the disk can make s3_object_put fail: where there are
 * neither conditions nor events, which a queue might refuse. Call it before anything is written. */
void s3_object_put_sure(struct s3 *s3, const struct s3_bucket *bucket,
                        const struct s3_conditions *conditions);
/* Refuses early what s3_object_put would refuse: before the body is sent. */
err s3_object_may_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_conditions *conditions, str key);

struct s3_delete {
    str key, version; /* version absent: delete the current one */
    str if_match;     /* absent: no condition */
    bool bypass;      /* x-amz-bypass-governance-retention */
    bool tell_always; /* S3_REMOVED also of a key that isn't there, as DeleteObjects does */
};
struct s3_deleted {
    bool marker; /* a delete marker was made, or the version removed was one */
    str version; /* of the marker made or the version removed, as clients see it; absent in
                    unversioned buckets */
};
/* What isn't there is deleted with success. AccessDenied under object lock. */
err s3_object_delete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     const struct s3_delete *request, struct s3_deleted *out);

/* Replaces the tags (packed, absent for none) and tells of it as S3_TAGGING_PUT or
 * S3_TAGGING_DELETE. */
err s3_object_set_tags(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                       struct s3_object *object, str tags, enum s3_event event);

/* The version id as clients see it: "null" for the null version; absent where the bucket never had
 * versions. */
str s3_object_version(const struct s3_bucket *bucket, const struct s3_object *object);
/* True when the ETag says that it was uploaded in parts. */
bool s3_object_multipart(const struct s3_object *object);
/* Refuses keys that are empty, too long or not UTF-8. */
err s3_key_check(struct ctx *ctx, str key);
/* True when the body must be restored before it can be read. */
bool s3_object_archived(struct ctx *ctx, const struct s3_object *object);

#endif
