/* s3.h - a bucket of one's own for tests of the S3 engine: a database in memory, a clock that is a
 * number. */
#ifndef HEADRACE_TESTS_S3_H
#define HEADRACE_TESTS_S3_H

#include "base/digest.h"
#include "base/rng.h"
#include "db_number.h"
#include "s3/bucket.h"
#include "s3/copy.h"
#include "s3/engine.h"
#include "s3/list.h"
#include "s3/object.h"
#include "unit.h"

struct lab {
    struct db *db;
    struct blobs *blobs;
    struct s3 *s3;
    struct rng rng;
    struct ctx ctx;
    struct s3_bucket *bucket; /* "bucket" */
};

static inline struct lab lab_new(void)
{
    struct lab lab = {0};
    char *message = NULL;
    lab.db = db_open(NULL, DURABLE_PROCESS, &message);
    lab.blobs = blobs_open(lab.db, NULL, DURABLE_PROCESS, &message);
    lab.s3 = s3_open(lab.db, lab.blobs, NULL);
    rng_seed(&lab.rng, 1);
    lab.ctx = (struct ctx){.now = 1700000000000,
                           .arena = arena_new(),
                           .account = S("111122223333"),
                           .region = S("us-east-1")};
    return lab;
}

/* Call once the struct has its place: ctx points into it. */
static inline void lab_start(struct lab *lab)
{
    *lab = lab_new();
    lab->ctx.rng = &lab->rng;
    db_savepoint(lab->db);
    bool made;
    struct s3_bucket_create create = {.name = S("bucket")};
    CHECK_OK(s3_bucket_create(lab->s3, &lab->ctx, &create, &lab->bucket, &made));
}

static inline void lab_end(struct lab *lab)
{
    db_release(lab->db);
    CHECK_OK(db_turn_commit(lab->db));
    blobs_turn_ended(lab->blobs);
    s3_close(lab->s3);
    blobs_close(lab->blobs);
    db_close(lab->db);
    arena_free(lab->ctx.arena);
}

static inline struct s3_object lab_put(struct lab *lab, str key, str body)
{
    struct s3_object object = {.key = key,
                               .size = (int64_t)body.n,
                               .etag = digest_hex(lab->ctx.arena, digest_of(DIGEST_MD5, body)),
                               .checksum_kind = DIGEST_CRC64NVME + 1,
                               .checksum = S("AAAAAAAAAAA=")};
    CHECK_OK(blob_put(lab->blobs, body, &object.blob));
    CHECK_OK(s3_object_put(lab->s3, &lab->ctx, lab->bucket, NULL, &object, S3_CREATED_PUT));
    return object;
}

/* The whole body of the current version; absent when there is none. */
static inline str lab_body(struct lab *lab, const struct s3_object *object)
{
    struct blob_slice *slices;
    size_t n;
    str body = S(""), piece;
    s3_body_slices(lab->s3, &lab->ctx, object, &slices, &n);
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(blob_read(lab->blobs, lab->ctx.arena, slices[i].id, slices[i].at,
                           (size_t)slices[i].n, &piece));
        body = arena_join(lab->ctx.arena, body, piece);
    }
    return body;
}

static inline str lab_get(struct lab *lab, str key)
{
    struct s3_object object;
    if (failed(s3_object_find(lab->s3, &lab->ctx, lab->bucket, key, STR_NONE, &object)))
        return STR_NONE;
    return lab_body(lab, &object);
}

static inline struct s3_deleted lab_delete(struct lab *lab, str key, str version)
{
    struct s3_deleted gone;
    struct s3_delete request = {.key = key, .version = version};
    CHECK_OK(s3_object_delete(lab->s3, &lab->ctx, lab->bucket, &request, &gone));
    return gone;
}

static inline void lab_versioning(struct lab *lab, enum s3_versioning versioning)
{
    CHECK_OK(s3_bucket_set_versioning(lab->s3, lab->bucket, versioning));
}

static inline int64_t lab_count(struct lab *lab, const char *table)
{
    char *sql =
        arena_cstr(lab->ctx.arena, arena_printf(lab->ctx.arena, "SELECT count(*) FROM %s", table));
    return db_number(lab->db, sql);
}

#define LAB(name)                                                                                  \
    struct lab name;                                                                               \
    lab_start(&name)

#endif
