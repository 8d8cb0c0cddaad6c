/* s3/engine.h - the inside of the S3 engine, for files of src/s3 only. Buckets are few and asked for on every request, so their
 * rows are kept in memory: loaded by s3_reload, changed only in bucket.c and config.c beside the row itself, after the last
 * thing that could fail. Everything else is read from the tables. */
#ifndef HEADRACE_S3_ENGINE_H
#define HEADRACE_S3_ENGINE_H

#include "s3/faults.h"
#include "s3/s3.h"
#include "s3/schema.h"

/* Kinds of configuration documents of a bucket. The name is the stored `kind`; a bucket knows which ones it has. */
#define S3_CONFIGS(X)                                                                              \
    X(ACCELERATE) X(ACL) X(ANALYTICS) X(CORS) X(ENCRYPTION) X(INTELLIGENT_TIERING) X(INVENTORY) X(LIFECYCLE) X(LOGGING)     \
    X(METRICS) X(NOTIFICATION) X(OBJECT_LOCK) X(OWNERSHIP) X(POLICY) X(PUBLIC_ACCESS_BLOCK) X(REPLICATION)                  \
    X(REQUEST_PAYMENT) X(TAGGING) X(WEBSITE) X(ABAC) X(METADATA)
enum s3_config {
#define S3_CONFIG_ENUM(name) S3_CONFIG_##name,
    S3_CONFIGS(S3_CONFIG_ENUM)
#undef S3_CONFIG_ENUM
    S3_CONFIG_KINDS
};

enum s3_versioning { S3_UNVERSIONED, S3_VERSIONED, S3_SUSPENDED };

struct s3_rules; /* parsed notification rules; notify.c */

struct s3_bucket {
    int64_t id;
    str name, account, region; /* owned by the bucket */
    msec created;
    enum s3_versioning versioning;
    bool object_lock;
    uint32_t configs;        /* bit per enum s3_config: has at least one document of that kind */
    struct s3_rules *rules;  /* notify.c's working set, made on first use; dropped whenever the document changes */
    struct s3_bucket *next;  /* in its hash slot */
};

struct s3 {
    struct db *db;
    struct blobs *blobs;
    struct s3_hooks hooks;
    struct s3_bucket **slots; /* by name; nslots is a power of two */
    size_t nslots, nbuckets;
};

/* The bucket, or NULL. */
struct s3_bucket *s3_bucket_get(struct s3 *s3, str name);
/* The bucket, or NoSuchBucket with its name. */
err s3_bucket_find(struct s3 *s3, struct ctx *ctx, str name, struct s3_bucket **out);
static inline bool s3_bucket_has(const struct s3_bucket *bucket, enum s3_config kind)
{
    return (bucket->configs >> kind) & 1;
}

/* s3/config.c: documents by (bucket, kind, id); id is "" for the kinds that have one document. */
/* The document, copied to the arena; absent when there is none. */
str s3_config_get(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind, str id);
err s3_config_put(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id, str document);
/* Deletes it; *found (may be NULL) says whether it was there. */
err s3_config_delete(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id, bool *found);
/* Up to `limit` documents with id > after, in order of id. */
struct s3_config_row {
    str id, document;
};
size_t s3_config_list(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind, str after, size_t limit,
                      struct s3_config_row **out);

/* notify.c: frees a working set; NULL is fine. */
void s3_rules_free(struct s3_rules *rules);

/* change.c: what every object change ends with, inside its savepoint. */
enum s3_event {
    S3_CREATED_PUT, S3_CREATED_POST, S3_CREATED_COPY, S3_CREATED_MULTIPART, S3_REMOVED, S3_REMOVED_MARKER, S3_TAGGING_PUT,
    S3_TAGGING_DELETE, S3_ACL_PUT, S3_RESTORE_POST, S3_RESTORE_COMPLETED, S3_RESTORE_DELETE, S3_EXPIRED, S3_EXPIRED_MARKER,
    S3_TRANSITION
};
/* Tells whoever listens; a fault means the change must not happen. `object` is the row after the change; for S3_REMOVED only
 * key and, when one was named, version are given. */
err s3_changed(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_event event, const struct s3_object *object);

/* version.c: makes `object` (filled but for id, version and owner) the current version of its key: gives it a version id by the
 * bucket's state, retires what it replaces. The caller has put the body in place (blob, or parts to be attached to the new id) and
 * then calls s3_changed. */
err s3_version_install(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, struct s3_object *object);
/* The row of the current version (may be a delete marker); id 0 when there is none. */
void s3_version_current(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, struct s3_object *out);
/* The row of the version named by a client: "null" or a version id; id 0 when there is none. */
void s3_version_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str version, struct s3_object *out);
/* Removes the row, its parts, and its references to blobs. */
err s3_version_drop(struct s3 *s3, const struct s3_object *object);

/* body.c: bodies as slices. */
/* All slices of the version's body, in order. */
void s3_body_slices(struct s3 *s3, struct ctx *ctx, const struct s3_object *object, struct blob_slice **out, size_t *n);
/* Bytes [at, at+n) of a body given as slices. */
size_t s3_slices_cut(struct arena *arena, const struct blob_slice *slices, size_t n, int64_t at, int64_t length,
                     struct blob_slice **out);
/* Slices of one part, in order. */
void s3_part_slices(struct s3 *s3, struct ctx *ctx, int64_t part, struct blob_slice **out, size_t *n);
/* Inserts the part row and its slices; takes a reference to each slice's blob unless `owned`. */
err s3_part_insert(struct s3 *s3, struct s3_part *part, const struct blob_slice *slices, size_t n, bool owned);
/* Parts of an object in order of number; or of an upload (object 0). */
void s3_parts_read(struct s3 *s3, struct ctx *ctx, int64_t object, int64_t upload, struct s3_part **out, size_t *n);
/* Removes the part with its slices and references. */
err s3_part_drop(struct s3 *s3, int64_t part);

#endif
