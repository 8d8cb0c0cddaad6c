/* s3/s3.h - the object store as others see it. No HTTP; XML only as stored configuration documents.
 * Objects refer to bodies in store/blob; an S3 write and the events it causes commit in one
 * transaction. */
#ifndef HEADRACE_S3_S3_H
#define HEADRACE_S3_S3_H

#include "store/blob.h"

struct s3;

enum s3_destination { S3_DESTINATION_OK, S3_DESTINATION_MISSING, S3_DESTINATION_FORBIDDEN };

/* What one notification rule made of one change: for the trace. Strings live as long as the
 * request. */
struct s3_observation {
    str bucket, key;
    const char *event;     /* "ObjectCreated:Put" */
    str rule, destination; /* Id and ARN */
    const char *missed;    /* NULL: it matched; else what did not: "event", "prefix", "suffix" */
    str filter;            /* the prefix or suffix that was missed */
    const char *hint;      /* why it may have been missed by mistake; NULL: no idea */
};

/* How events leave: app ends these in SQS. */
struct s3_hooks {
    void *user;
    /* May this queue be a destination of events of `bucket`? */
    enum s3_destination (*check)(void *user, struct ctx *ctx, str queue_arn, str bucket);
    /* One event message, JSON body as AWS sends it, inside the write's own transaction. */
    err (*deliver)(void *user, struct ctx *ctx, str queue_arn, str bucket, str body);
    /* Every rule of the bucket, for every change, before its delivery; may be NULL. */
    void (*observe)(void *user, struct ctx *ctx, const struct s3_observation *seen);
};

struct s3 *s3_open(struct db *db, struct blobs *blobs, const struct s3_hooks *hooks);
void s3_close(struct s3 *s3);
/* Lifecycle, restores and other dated work due at ctx->now, in a savepoint of its own; the next due
 * instant, INT64_MAX: none. */
msec s3_tick(struct s3 *s3, struct ctx *ctx);
msec s3_next_due(struct s3 *s3);
void s3_reload(struct s3 *s3);
/* How often the working set changed: when a savepoint is rolled back and this has moved since it
 * began, s3_reload is due. */
uint64_t s3_changes(const struct s3 *s3);

/* Bytes of all objects and versions now. Walks the rows: for reports, not for requests. */
int64_t s3_stored_bytes(struct s3 *s3);

/* The plain calls that the pipeline uses; the api tables use the headers beside this one. */
err s3_bucket_make(struct s3 *s3, struct ctx *ctx,
                   str bucket); /* no-op when it exists and is ours */
struct s3_stat {
    int64_t size;
    str etag; /* without quotes */
    str content_type;
};
err s3_stat(struct s3 *s3, struct ctx *ctx, str bucket, str key, struct s3_stat *out);
/* Body as slices of blobs, in order; read with store/blob. */
err s3_open_body(struct s3 *s3, struct ctx *ctx, str bucket, str key, struct blob_slice **slices,
                 size_t *n, int64_t *size);
err s3_put_bytes(struct s3 *s3, struct ctx *ctx, str bucket, str key, str content_type, str bytes);
/* Adds a queue notification rule (events "s3:ObjectCreated:*", prefix) unless one with this id is
 * there. */
err s3_notify_queue(struct s3 *s3, struct ctx *ctx, str bucket, str id, str queue_arn, str event,
                    str prefix, str suffix);

#endif
