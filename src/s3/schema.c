/* s3/schema.c - the tables of S3 and the only code that knows the order of their columns.
 *
 * Bodies are never in these tables: rows stay small, so that a page of a listing is a walk along
 * one index with one short row each. The index ends in id DESC, hence the current version of a key
 * is its first entry. */
#include "s3/schema.h"

#include "base/digest.h"

const struct blob_column s3_blob_columns[] = {
    {"s3_object", "blob"}, {"s3_upload", "blob"}, {"s3_slice", "blob"}, {NULL, NULL}};

/* The runs of directories from before the table: keys in order whose newest row is a marker have
 * the same distance between their number among all keys and that among the hidden ones. */
#define HIDDEN_RUNS                                                                                \
    "INSERT INTO s3_hidden SELECT bucket, min(key), max(key) || char(0) FROM"                      \
    " (SELECT bucket, key, marker, row_number() OVER (PARTITION BY bucket ORDER BY key)"           \
    " - row_number() OVER (PARTITION BY bucket, marker ORDER BY key) AS run FROM"                  \
    " (SELECT bucket, key, marker, max(id) FROM s3_object WHERE bucket IN"                         \
    " (SELECT id FROM s3_bucket WHERE versioning > 0) GROUP BY bucket, key))"                      \
    " WHERE marker GROUP BY bucket, run;"

static const char *const migrations[] = {
    "CREATE TABLE s3_bucket("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, account TEXT NOT NULL, region TEXT NOT "
    "NULL,"
    " created INTEGER NOT NULL, versioning INTEGER NOT NULL DEFAULT 0, object_lock INTEGER NOT "
    "NULL DEFAULT 0);"
    "CREATE TABLE s3_config("
    " bucket INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, document BLOB NOT NULL,"
    " PRIMARY KEY(bucket, kind, id));"
    "CREATE TABLE s3_object(id INTEGER PRIMARY KEY" S3_OBJECT_COLUMNS(
        S3_COLUMN_NAME,
        S3_COLUMN_NAME) ");"
                        "CREATE INDEX s3_object_key ON s3_object(bucket, key, id DESC);"
                        "CREATE INDEX s3_object_version ON s3_object(version) WHERE version IS NOT "
                        "NULL;"
                        "CREATE INDEX s3_object_restore ON s3_object(restore_due) WHERE "
                        "restore_due > 0;"
                        "CREATE INDEX s3_object_restored ON s3_object(restore_until) WHERE "
                        "restore_until > 0;"
                        "CREATE TABLE s3_part("
                        " id INTEGER PRIMARY KEY, object INTEGER NOT NULL, upload INTEGER NOT "
                        "NULL, number INTEGER NOT NULL,"
                        " size INTEGER NOT NULL, mtime INTEGER NOT NULL, etag TEXT NOT NULL, "
                        "checksum_kind INTEGER NOT NULL, checksum TEXT);"
                        "CREATE UNIQUE INDEX s3_part_object ON s3_part(object, number) WHERE "
                        "object > 0;"
                        "CREATE UNIQUE INDEX s3_part_upload ON s3_part(upload, number) WHERE "
                        "upload > 0;"
                        "CREATE TABLE s3_slice("
                        " part INTEGER NOT NULL, ordinal INTEGER NOT NULL, blob INTEGER NOT NULL, "
                        "at INTEGER NOT NULL, n INTEGER NOT NULL,"
                        " PRIMARY KEY(part, ordinal)) WITHOUT ROWID;",
    "CREATE TABLE s3_upload(id INTEGER PRIMARY KEY" S3_OBJECT_COLUMNS(
        S3_COLUMN_NAME,
        S3_COLUMN_NAME) ", name, initiator, algorithm, disturbed, result, ended);"
                        "CREATE INDEX s3_upload_key ON s3_upload(bucket, key, id);"
                        "CREATE INDEX s3_upload_name ON s3_upload(name);"
                        "CREATE INDEX s3_upload_ended ON s3_upload(ended) WHERE ended > 0;",
    "CREATE TABLE s3_log(id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, at INTEGER NOT NULL,"
    " line TEXT NOT NULL);"
    "CREATE TABLE s3_sequence(id INTEGER PRIMARY KEY, reserved INTEGER NOT NULL);",
    "CREATE TABLE s3_hidden(bucket INTEGER NOT NULL, first TEXT NOT NULL, beyond TEXT NOT NULL,"
    " PRIMARY KEY(bucket, first)) WITHOUT ROWID;" HIDDEN_RUNS,
};

void s3_schema_make(struct db *db)
{
    db_migrate(db, "s3", migrations, sizeof migrations / sizeof migrations[0]);
}

bool s3_schema_current(struct db *db)
{
    return db_migrated(db, "s3", sizeof migrations / sizeof migrations[0]);
}

void s3_object_read(struct stmt *stmt, struct arena *arena, struct s3_object *out)
{
    int at = 0;
    out->id = col_int(stmt, at++);
    out->body = NULL;
#define READ_INT(name) out->name = col_int(stmt, at++);
#define READ_STR(name) out->name = col_copy(stmt, at++, arena);
    S3_OBJECT_COLUMNS(READ_INT, READ_STR)
    if (out->checksum_kind < 0 || out->checksum_kind > DIGEST_KINDS)
        out->checksum_kind = 0; /* as col_index does */
}

#define BIND_INT(name) bind_int(stmt, at++, object->name);
#define BIND_STR(name) bind_str(stmt, at++, object->name);

#define PLACEHOLDER(name) ", ?"
#define PLACEHOLDERS "?1" S3_OBJECT_COLUMNS(PLACEHOLDER, PLACEHOLDER)

err s3_object_insert(struct db *db, struct s3_object *object)
{
    struct stmt *stmt =
        db_sql(db, "INSERT INTO s3_object(" S3_OBJECT_SELECT ") VALUES(" PLACEHOLDERS ")");
    int at = 1;
    bind_null(stmt, at++);
    S3_OBJECT_COLUMNS(BIND_INT, BIND_STR)
    TRY(stmt_run(stmt));
    object->id = db_last_id(db);
    return OK;
}

/* The columns of the index by key are left out, so that its entry stays as it is. */
err s3_object_update(struct db *db, const struct s3_object *object)
{
#define ASSIGN(name) ", " #name " = ?"
    struct stmt *stmt = db_sql(
        db, "UPDATE s3_object SET marker = ?" S3_OBJECT_OTHERS(ASSIGN, ASSIGN) " WHERE id = ?");
    int at = 1;
    BIND_INT(marker)
    S3_OBJECT_OTHERS(BIND_INT, BIND_STR)
    bind_int(stmt, at, object->id);
    return stmt_run(stmt);
}
