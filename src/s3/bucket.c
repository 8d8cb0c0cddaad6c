/* s3/bucket.c - buckets, and their rows kept in memory.
 *
 * The hash table is the working set of design rule 3: filled by s3_reload, and changed in this file
 * and config.c only, after the row was written and nothing more can fail in the operation. A turn
 * whose commit fails reloads it. */
#include "s3/engine.h"
#include "s3/hidden.h"
#include "s3/multipart.h"

#include <stdlib.h>

static struct s3_bucket **slot_of(struct s3 *s3, str name)
{
    return &s3->slots[str_hash(name) & (s3->nslots - 1)];
}

struct s3_bucket *s3_bucket_get(struct s3 *s3, str name)
{
    for (struct s3_bucket *bucket = *slot_of(s3, name); bucket; bucket = bucket->next)
        if (str_eq(bucket->name, name))
            return bucket;
    return NULL;
}

struct s3_bucket *s3_bucket_by_id(struct s3 *s3, int64_t id)
{
    for (size_t i = 0; i < s3->nslots; i++)
        for (struct s3_bucket *bucket = s3->slots[i]; bucket; bucket = bucket->next)
            if (bucket->id == id)
                return bucket;
    return NULL;
}

err s3_bucket_find(struct s3 *s3, struct ctx *ctx, str name, struct s3_bucket **out)
{
    struct s3_bucket *bucket = s3_bucket_get(s3, name);
    if (!bucket)
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_BUCKET), "BucketName", name);
    *out = bucket;
    return OK;
}

static void grow(struct s3 *s3)
{
    size_t old = s3->nslots;
    struct s3_bucket **slots = s3->slots;
    s3->nslots = old ? old * 2 : 64;
    s3->slots = xalloc(s3->nslots * sizeof *s3->slots);
    for (size_t i = 0; i < old; i++) {
        for (struct s3_bucket *bucket = slots[i], *next; bucket; bucket = next) {
            next = bucket->next;
            bucket->next = *slot_of(s3, bucket->name);
            *slot_of(s3, bucket->name) = bucket;
        }
    }
    free(slots);
}

static struct s3_bucket *keep(struct s3 *s3, const struct s3_bucket *row)
{
    if (s3->nbuckets >= s3->nslots)
        grow(s3);
    struct s3_bucket *bucket = xalloc(sizeof *bucket);
    *bucket = *row;
    bucket->name = (str){xstrdup(row->name), row->name.n};
    bucket->account = (str){xstrdup(row->account), row->account.n};
    bucket->region = (str){xstrdup(row->region), row->region.n};
    bucket->next = *slot_of(s3, bucket->name);
    *slot_of(s3, bucket->name) = bucket;
    s3->nbuckets++;
    return bucket;
}

static void forget(struct s3_bucket *bucket)
{
    s3_rules_free(bucket->rules);
    free((char *)(uintptr_t)bucket->name.p);
    free((char *)(uintptr_t)bucket->account.p);
    free((char *)(uintptr_t)bucket->region.p);
    free(bucket);
}

void s3_buckets_clear(struct s3 *s3)
{
    for (size_t i = 0; i < s3->nslots; i++) {
        for (struct s3_bucket *bucket = s3->slots[i], *next; bucket; bucket = next) {
            next = bucket->next;
            forget(bucket);
        }
    }
    free(s3->slots);
    s3->slots = NULL;
    s3->nslots = s3->nbuckets = 0;
}

void s3_buckets_load(struct s3 *s3)
{
    s3_buckets_clear(s3);
    grow(s3);
    struct stmt *stmt =
        db_sql(s3->db,
               "SELECT id, name, account, region, created, versioning, object_lock FROM s3_bucket");
    while (stmt_row(stmt))
        keep(s3, &(struct s3_bucket){.id = col_int(stmt, 0),
                                     .name = col_str(stmt, 1),
                                     .account = col_str(stmt, 2),
                                     .region = col_str(stmt, 3),
                                     .created = col_int(stmt, 4),
                                     .versioning =
                                         (enum s3_versioning)col_index(stmt, 5, S3_SUSPENDED + 1),
                                     .object_lock = col_int(stmt, 6) != 0});
    s3_hidden_load(s3);
    s3_configs_load(s3);
}

/* The region that the request asks for, by endpoint and LocationConstraint. us-east-1 is also the
 * global endpoint, which may create buckets everywhere but refuses its own name. */
static err place(struct ctx *ctx, str location, str *region)
{
    bool global = str_eq(ctx->region, S("us-east-1"));
    if (!location.p) {
        if (!global)
            return FAIL(S3_ILLEGAL_LOCATION);
        *region = ctx->region;
        return OK;
    }
    str asked = location;
    if (str_eq(location, S("EU")))
        location = S("eu-west-1");
    if ((global || !location.n) && (!s3_region_known(location) || str_eq(location, ctx->region)))
        return err_with(ctx->arena, FAIL(S3_INVALID_LOCATION), "LocationConstraint", asked);
    if (!global && !str_eq(location, ctx->region))
        return err_text(ctx->arena, &S3_ILLEGAL_LOCATION,
                        "The %.*s location constraint is incompatible for the region specific "
                        "endpoint this request was sent to.",
                        STR_ARG(asked));
    *region = location;
    return OK;
}

/* Someone has the name already. In us-east-1 its owner is answered as if it had just been made,
 * unless the bucket is to have tags, or to be in another region. */
static err taken(struct ctx *ctx, const struct s3_bucket *bucket, str region, bool tags)
{
    if (!str_eq(bucket->account, ctx->account))
        return err_with(ctx->arena, FAIL(S3_BUCKET_ALREADY_EXISTS), "BucketName", bucket->name);
    if (tags || !str_eq(bucket->region, S("us-east-1")) || !str_eq(region, S("us-east-1")))
        return err_with(ctx->arena, FAIL(S3_BUCKET_ALREADY_OWNED), "BucketName", bucket->name);
    return OK;
}

static err insert(struct s3 *s3, struct s3_bucket *row)
{
    struct stmt *stmt = db_sql(
        s3->db, "INSERT INTO s3_bucket(name, account, region, created, versioning, object_lock)"
                " VALUES(?, ?, ?, ?, ?, ?)");
    bind_str(stmt, 1, row->name);
    bind_str(stmt, 2, row->account);
    bind_str(stmt, 3, row->region);
    bind_int(stmt, 4, row->created);
    bind_int(stmt, 5, row->versioning);
    bind_int(stmt, 6, row->object_lock);
    TRY(stmt_run(stmt));
    row->id = db_last_id(s3->db);
    return OK;
}

err s3_bucket_create(struct s3 *s3, struct ctx *ctx, const struct s3_bucket_create *create,
                     struct s3_bucket **out, bool *made)
{
    if (!s3_bucket_name_ok(create->name))
        return err_with(ctx->arena, FAIL(S3_INVALID_BUCKET_NAME), "BucketName", create->name);
    struct s3_bucket row = {.name = create->name,
                            .account = ctx->account,
                            .created = ctx->now,
                            .object_lock = create->object_lock,
                            .versioning = create->object_lock ? S3_VERSIONED : S3_UNVERSIONED};
    TRY(place(ctx, create->location, &row.region));
    struct s3_bucket *bucket = s3_bucket_get(s3, create->name);
    if (bucket)
        TRY(taken(ctx, bucket, row.region, create->tags));
    *made = bucket == NULL;
    if (!bucket) {
        TRY(insert(s3, &row));
        bucket = keep(s3, &row);
        s3->changes++;
    }
    *out = bucket;
    return OK;
}

static bool is_empty(struct s3 *s3, const struct s3_bucket *bucket)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT 1 FROM s3_object WHERE bucket = ? LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bool found = stmt_row(stmt);
    stmt_done(stmt);
    return !found;
}

static err delete_rows(struct s3 *s3, const struct s3_bucket *bucket)
{
    struct stmt *stmt = db_sql(s3->db, "DELETE FROM s3_config WHERE bucket = ?");
    bind_int(stmt, 1, bucket->id);
    TRY(stmt_run(stmt));
    TRY(s3_hidden_forget(s3, bucket));
    stmt = db_sql(s3->db, "DELETE FROM s3_bucket WHERE id = ?");
    bind_int(stmt, 1, bucket->id);
    return stmt_run(stmt);
}

err s3_bucket_delete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket)
{
    if (!is_empty(s3, bucket)) {
        err e = bucket->versioning == S3_UNVERSIONED
                    ? FAIL(S3_BUCKET_NOT_EMPTY)
                    : err_text(ctx->arena, &S3_BUCKET_NOT_EMPTY,
                               "The bucket you tried to delete is not empty. You must delete all "
                               "versions in the bucket.");
        return err_with(ctx->arena, e, "BucketName", arena_copy(ctx->arena, bucket->name));
    }
    TRY(s3_multipart_abort_all(s3, bucket));
    TRY(delete_rows(s3, bucket));
    struct s3_bucket **at = slot_of(s3, bucket->name);
    while (*at != bucket)
        at = &(*at)->next;
    *at = bucket->next;
    s3->nbuckets--;
    s3->changes++;
    forget(bucket);
    return OK;
}

err s3_bucket_set_versioning(struct s3 *s3, struct s3_bucket *bucket, enum s3_versioning versioning)
{
    if (bucket->object_lock && versioning != S3_VERSIONED)
        return FAIL(S3_INVALID_BUCKET_STATE);
    struct stmt *stmt = db_sql(s3->db, "UPDATE s3_bucket SET versioning = ? WHERE id = ?");
    bind_int(stmt, 1, versioning);
    bind_int(stmt, 2, bucket->id);
    TRY(stmt_run(stmt));
    bucket->versioning = versioning;
    s3->changes++;
    return OK;
}

err s3_bucket_set_object_lock(struct s3 *s3, struct s3_bucket *bucket)
{
    struct stmt *stmt = db_sql(s3->db, "UPDATE s3_bucket SET object_lock = 1 WHERE id = ?");
    bind_int(stmt, 1, bucket->id);
    TRY(stmt_run(stmt));
    bucket->object_lock = true;
    s3->changes++;
    return OK;
}

size_t s3_bucket_list(struct s3 *s3, struct ctx *ctx, str account, str prefix, str region,
                      str after, size_t limit, struct s3_bucket ***out)
{
    size_t n = 0, cap = s3->nbuckets < limit ? s3->nbuckets : limit;
    *out = arena_array(ctx->arena, cap + 1, sizeof **out);
    struct stmt *stmt =
        db_sql(s3->db, "SELECT name FROM s3_bucket WHERE name > ? AND account = ? ORDER BY name");
    bind_str(stmt, 1, after.p ? after : S(""));
    bind_str(stmt, 2, account);
    while (n < cap && stmt_row(stmt)) {
        struct s3_bucket *bucket = s3_bucket_get(s3, col_str(stmt, 0));
        if (bucket && (!prefix.p || str_starts(bucket->name, prefix)) &&
            (!region.p || str_eq(bucket->region, region)))
            (*out)[n++] = bucket;
    }
    stmt_done(stmt);
    return n;
}
