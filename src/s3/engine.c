/* s3/engine.c - opening, reloading and ticking the object store. */
#include "s3/access_log.h"
#include "s3/engine.h"

#include <stdlib.h>

struct s3 *s3_open(struct db *db, struct blobs *blobs, const struct s3_hooks *hooks)
{
    struct s3 *s3 = xalloc(sizeof *s3);
    s3->db = db;
    s3->blobs = blobs;
    if (hooks)
        s3->hooks = *hooks;
    s3_schema_make(db);
    s3_reload(s3);
    return s3;
}

void s3_close(struct s3 *s3)
{
    if (!s3)
        return;
    s3_buckets_clear(s3);
    s3_lifecycle_load(s3);
    free(s3);
}

void s3_reload(struct s3 *s3)
{
    s3_buckets_load(s3);
    s3_lifecycle_load(s3);
    s3_sequence_load(s3);
    s3_log_load(s3);
    s3_due_changed(s3);
}

uint64_t s3_changes(const struct s3 *s3)
{
    return s3->changes;
}

int64_t s3_stored_bytes(struct s3 *s3)
{
    struct stmt *sum = db_sql(s3->db, "SELECT sum(size) FROM s3_object");
    int64_t bytes = stmt_row(sum) ? col_int(sum, 0) : 0;
    stmt_done(sum);
    return bytes;
}
