/* s3/engine.h - the inside of the S3 engine, for files of src/s3 only. Buckets are few and asked
 * for on every request, so their rows are kept in memory: loaded by s3_reload, changed only in
 * bucket.c and config.c beside the row itself, after the last thing that could fail. Everything
 * else is read from the tables. */
#ifndef HEADRACE_S3_ENGINE_H
#define HEADRACE_S3_ENGINE_H

#include "s3/body.h"
#include "s3/bucket.h"
#include "s3/config.h"
#include "s3/event.h"
#include "s3/faults.h"
#include "s3/s3.h"
#include "s3/schema.h"

struct s3 {
    struct db *db;
    struct blobs *blobs;
    struct s3_hooks hooks;
    struct s3_bucket **slots; /* by name; nslots is a power of two */
    size_t nslots, nbuckets;
    msec due; /* next dated work; see due.c */
    struct {
        msec due;       /* next evaluation */
        int64_t bucket; /* where a round is: this bucket is done (key absent) or done up to the key;
                           0: no round is on */
        str key;        /* malloc'ed */
    } lifecycle;        /* lifecycle.c */
    msec log_due;       /* access_log.c: when lines are delivered */
    uint64_t changes;   /* of the working set; see s3_changes */
    int64_t sequence,
        reserved; /* sequence.c: the last number given out, and what they stay below */
};

/* due.c: the first midnight (UTC) that is not before `instant` and so many days. */
msec s3_midnight_after(msec instant, int64_t days);
/* A date was written: s3_next_due may have moved. */
void s3_due_changed(struct s3 *s3);

/* sequence.c: reserve in a savepoint first, then ask for as many numbers as one request needs. */
void s3_sequence_load(struct s3 *s3);
err s3_sequence_reserve(struct s3 *s3, struct ctx *ctx);
int64_t s3_sequence_next(struct s3 *s3, struct ctx *ctx);
/* The first number of an instant. */
int64_t s3_sequence_at(msec instant);

/* bucket.c and config.c: the working set. */
void s3_buckets_load(struct s3 *s3);
void s3_buckets_clear(struct s3 *s3);
void s3_configs_load(struct s3 *s3);

/* lifecycle.c: the round begins anew; after a load of the buckets. */
void s3_lifecycle_load(struct s3 *s3);

/* notify.c: frees a working set; NULL is fine. */
void s3_rules_free(struct s3_rules *rules);

/* change.c: what every object change ends with, inside its savepoint. Tells whoever listens; a
 * fault means the change must not happen. `object` is the row after the change; for S3_REMOVED only
 * key, mtime and, when one was named, version are given. */
err s3_changed(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_event event,
               const struct s3_object *object);

/* version.c: makes `object` (filled but for id, version and owner) the current version of its key:
 * gives it a version id by the bucket's state, retires what it replaces. The caller has put the
 * body in place (blob, or parts to be attached to the new id) and then calls s3_changed. */
err s3_version_install(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                       struct s3_object *object);
/* The row of the current version (may be a delete marker); id 0 when there is none. */
void s3_version_current(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                        struct s3_object *out);
/* The row of the version named by a client: "null" or a version id; id 0 when there is none. */
void s3_version_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                      str version, struct s3_object *out);
/* Whether a client could have it from us: "null" or 32 characters of our alphabet. */
bool s3_version_id_ok(str version);
/* The number of sequence.c that a version id of ours carries; 0 for "null". */
int64_t s3_version_order(str version);
/* Removes the version: what is left of the key is then as if it had never been. */
err s3_version_remove(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_object *object);
/* Removes the row, its parts, and its references to blobs, but doesn't look at the key: for buckets
 * that go as a whole. Needs id, blob and parts only. */
err s3_version_drop(struct s3 *s3, const struct s3_object *object);

#endif
