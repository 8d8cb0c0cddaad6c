/* s3/reset.c - emptying: between two tests everything goes, or everything of one account. */
#include "s3/engine.h"
#include "s3/multipart.h"
#include "s3/reset.h"

#include <stdlib.h>

/* Rows are read into the arena first: a statement must not be stepped while its table changes. */
static err empty(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket)
{
    struct s3_object object = {0};
    for (;;) {
        struct stmt *next = db_sql(s3->db, "SELECT id, blob, parts FROM s3_object WHERE bucket = ? "
                                           "AND id > ? ORDER BY id LIMIT 1");
        bind_int(next, 1, bucket->id);
        bind_int(next, 2, object.id);
        if (!stmt_row(next))
            break;
        object = (struct s3_object){
            .id = col_int(next, 0), .blob = col_int(next, 1), .parts = col_int(next, 2)};
        stmt_done(next);
        TRY(s3_version_drop(s3, &object));
    }
    return s3_bucket_delete(s3, ctx, bucket);
}

err s3_reset(struct s3 *s3, struct ctx *ctx, str account)
{
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(s3, ctx->arena, account, &buckets);
    for (size_t i = 0; i < n; i++)
        TRY(empty(s3, ctx, buckets[i]));
    return OK;
}

static int by_account_and_name(const void *a, const void *b)
{
    const struct s3_bucket *left = *(struct s3_bucket *const *)a;
    const struct s3_bucket *right = *(struct s3_bucket *const *)b;
    int order = str_cmp(left->account, right->account);
    return order ? order : str_cmp(left->name, right->name);
}

size_t s3_buckets_all(struct s3 *s3, struct arena *arena, str account, struct s3_bucket ***out)
{
    size_t n = 0;
    *out = arena_array(arena, s3->nbuckets, sizeof **out);
    for (size_t i = 0; i < s3->nslots; i++)
        for (struct s3_bucket *bucket = s3->slots[i]; bucket; bucket = bucket->next)
            if (!account.p || str_eq(bucket->account, account))
                (*out)[n++] = bucket;
    if (n)
        qsort(*out, n, sizeof **out, by_account_and_name);
    return n;
}

int64_t s3_bucket_objects(struct s3 *s3, const struct s3_bucket *bucket)
{
    struct stmt *count = db_sql(s3->db, "SELECT count(*) FROM s3_object WHERE bucket = ?");
    bind_int(count, 1, bucket->id);
    int64_t n = stmt_row(count) ? col_int(count, 0) : 0;
    stmt_done(count);
    return n;
}
