/* s3/config.c - configuration documents of buckets, stored as given by whoever validated them. A
 * bucket in memory knows by a bit which kinds it has, so that the hot paths ask nothing when there
 * is nothing. */
#include "s3/engine.h"

#define CONFIGURATIONS_MAX 1000 /* of one kind, in a bucket */

static const char *const kinds[] = {
#define KIND_NAME(name) #name,
    S3_CONFIGS(KIND_NAME)};

static str kind_name(enum s3_config kind)
{
    return str_of(kinds[kind]);
}

static int kind_of(str name)
{
    for (int i = 0; i < S3_CONFIG_KINDS; i++)
        if (str_eq(name, str_of(kinds[i])))
            return i;
    return -1;
}

void s3_configs_load(struct s3 *s3)
{
    struct stmt *stmt = db_sql(
        s3->db,
        "SELECT DISTINCT b.name, c.kind FROM s3_config c JOIN s3_bucket b ON b.id = c.bucket");
    while (stmt_row(stmt)) {
        struct s3_bucket *bucket = s3_bucket_get(s3, col_str(stmt, 0));
        int kind = kind_of(col_str(stmt, 1));
        if (bucket && kind >= 0)
            bucket->configs |= 1U << kind;
    }
}

static void changed(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, bool has)
{
    s3->changes++;
    bucket->configs = has ? bucket->configs | 1U << kind : bucket->configs & ~(1U << kind);
    if (kind == S3_CONFIG_NOTIFICATION) {
        s3_rules_free(bucket->rules);
        bucket->rules = NULL;
    }
}

str s3_config_get(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                  str id)
{
    if (!s3_bucket_has(bucket, kind))
        return STR_NONE;
    struct stmt *stmt =
        db_sql(s3->db, "SELECT document FROM s3_config WHERE bucket = ? AND kind = ? AND id = ?");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bind_str(stmt, 3, id);
    str document = stmt_row(stmt) ? col_copy(stmt, 0, ctx->arena) : STR_NONE;
    stmt_done(stmt);
    return document;
}

err s3_config_put(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id,
                  str document)
{
    struct stmt *stmt = db_sql(
        s3->db, "INSERT OR REPLACE INTO s3_config(bucket, kind, id, document) VALUES(?, ?, ?, ?)");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bind_str(stmt, 3, id);
    bind_str(stmt, 4, document);
    TRY(stmt_run(stmt));
    changed(s3, bucket, kind, true);
    return OK;
}

static bool any_left(struct s3 *s3, const struct s3_bucket *bucket, enum s3_config kind)
{
    struct stmt *stmt =
        db_sql(s3->db, "SELECT 1 FROM s3_config WHERE bucket = ? AND kind = ? LIMIT 1");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bool found = stmt_row(stmt);
    stmt_done(stmt);
    return found;
}

err s3_config_delete(struct s3 *s3, struct s3_bucket *bucket, enum s3_config kind, str id,
                     bool *found)
{
    struct stmt *stmt =
        db_sql(s3->db, "DELETE FROM s3_config WHERE bucket = ? AND kind = ? AND id = ?");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bind_str(stmt, 3, id);
    TRY(stmt_run(stmt));
    if (found)
        *found = db_changes(s3->db) > 0;
    changed(s3, bucket, kind, any_left(s3, bucket, kind));
    return OK;
}

bool s3_config_full(struct s3 *s3, const struct s3_bucket *bucket, enum s3_config kind, str id)
{
    struct stmt *stmt = db_sql(
        s3->db, "SELECT count(*), total(id = ?3) FROM s3_config WHERE bucket = ?1 AND kind = ?2");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bind_str(stmt, 3, id);
    bool full = stmt_row(stmt) && col_int(stmt, 0) >= CONFIGURATIONS_MAX && !col_int(stmt, 1);
    stmt_done(stmt);
    return full;
}

size_t s3_config_list(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                      str after, size_t limit, struct s3_config_row **out)
{
    size_t n = 0, cap = 16;
    struct s3_config_row *rows = arena_array(ctx->arena, cap, sizeof *rows);
    struct stmt *stmt =
        db_sql(s3->db, "SELECT id, document FROM s3_config WHERE bucket = ? AND kind = ? AND id > ?"
                       " ORDER BY id LIMIT ?");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, kind_name(kind));
    bind_str(stmt, 3, after.p ? after : S(""));
    bind_int(stmt, 4, (int64_t)limit);
    while (stmt_row(stmt)) {
        if (n == cap) {
            rows = arena_grow(ctx->arena, rows, cap * sizeof *rows, 2 * cap * sizeof *rows);
            cap *= 2;
        }
        rows[n++] =
            (struct s3_config_row){col_copy(stmt, 0, ctx->arena), col_copy(stmt, 1, ctx->arena)};
    }
    *out = rows;
    return n;
}
