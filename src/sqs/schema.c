/* sqs/schema.c - the tables. A message's row id is its queue and sequence (engine.h), so that the
 * rows of a queue are one range: purging and loading need no index. Small columns come first, for
 * the load reads only those. `visible_at` 0: not hidden; `received_at` tells what is in flight from
 * what is delayed. Bodies above BODY_INLINE lie in sqs_body, or each receive would rewrite them.
 *
 * A purge of many messages does not wait for their rows: it raises the queue's `floor`, below which
 * rows are dead, and leaves a range of ids in sqs_garbage, which ticks clear away. */
#include <string.h>

#include "sqs/engine.h"

static const char *const migrations[] = {
    "CREATE TABLE sqs_meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sqs_queue("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT "
    "NOT NULL,"
    " fifo INTEGER NOT NULL, group_scope INTEGER NOT NULL, created INTEGER NOT NULL, modified "
    "INTEGER NOT NULL,"
    " purged INTEGER NOT NULL DEFAULT 0, seq_limit INTEGER NOT NULL DEFAULT 1,"
    " floor INTEGER NOT NULL DEFAULT 0, UNIQUE(account, region, name));"
    "CREATE TABLE sqs_attribute(queue INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(queue, name)) WITHOUT ROWID;"
    "CREATE TABLE sqs_tag(queue INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(queue, name)) WITHOUT ROWID;"
    "CREATE TABLE sqs_message("
    " id INTEGER PRIMARY KEY, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL, receives "
    "INTEGER NOT NULL,"
    " received_at INTEGER, aged_from INTEGER, group_id TEXT, first_at INTEGER, message_id BLOB NOT "
    "NULL,"
    " md5 BLOB NOT NULL, sender TEXT, trace TEXT, dedup TEXT, source TEXT, attributes BLOB, body "
    "TEXT);"
    "CREATE TABLE sqs_body(id INTEGER PRIMARY KEY, body TEXT NOT NULL);"
    "CREATE TABLE sqs_garbage(first INTEGER PRIMARY KEY, last INTEGER NOT NULL);"
    "CREATE TABLE sqs_dedupe(queue INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, "
    "message_id BLOB NOT NULL,"
    " seq INTEGER NOT NULL, PRIMARY KEY(queue, key)) WITHOUT ROWID;"
    "CREATE INDEX sqs_dedupe_at ON sqs_dedupe(at);"
    "CREATE TABLE sqs_attempt(queue INTEGER NOT NULL, attempt TEXT NOT NULL, at INTEGER NOT NULL, "
    "receipts BLOB NOT NULL,"
    " PRIMARY KEY(queue, attempt)) WITHOUT ROWID;"
    "CREATE INDEX sqs_attempt_at ON sqs_attempt(at);"
    "CREATE TABLE sqs_move_task("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL UNIQUE, source TEXT NOT NULL, "
    "destination TEXT,"
    " rate INTEGER NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL, moved INTEGER NOT "
    "NULL,"
    " to_move INTEGER NOT NULL, seq_limit INTEGER NOT NULL, failure TEXT);"
    "CREATE INDEX sqs_move_task_source ON sqs_move_task(source, id);"
    "CREATE TABLE sqs_deleted(account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, at "
    "INTEGER NOT NULL,"
    " PRIMARY KEY(account, region, name)) WITHOUT ROWID;",
    /* Receives of a dead message in the queues it died in; none: it is where it was sent to. */
    "ALTER TABLE sqs_message ADD COLUMN before INTEGER;",
    /* How long the attempt hid its messages. */
    "ALTER TABLE sqs_attempt ADD COLUMN until INTEGER NOT NULL DEFAULT 0;",
};

/* The key that signs receipts lives as long as the data: handles stay valid over a restart. */
static void receipt_key(struct sqs *sqs)
{
    struct stmt *find = db_sql(sqs->db, "SELECT value FROM sqs_meta WHERE name = 'receipt_key'");
    if (stmt_row(find)) {
        str key = col_str(find, 0);
        memcpy(sqs->receipt_key, key.p, key.n < RECEIPT_KEY ? key.n : RECEIPT_KEY);
        stmt_done(find);
        return;
    }
    rng_secret(sqs->receipt_key, RECEIPT_KEY);
    db_savepoint(sqs->db);
    struct stmt *add =
        db_sql(sqs->db, "INSERT INTO sqs_meta(name, value) VALUES('receipt_key', ?)");
    bind_blob(add, 1, (str){(char *)sqs->receipt_key, RECEIPT_KEY});
    err e = stmt_run(add);
    db_release(sqs->db);
    if (failed(e) || failed(db_turn_commit(sqs->db)))
        log_error("sqs: cannot store the receipt key; receipt handles will not survive a restart");
}

void sqs_schema_make(struct db *db)
{
    db_migrate(db, "sqs", migrations, sizeof migrations / sizeof *migrations);
}

bool sqs_schema_current(struct db *db)
{
    return db_migrated(db, "sqs", sizeof migrations / sizeof migrations[0]);
}

void sqs_schema(struct sqs *sqs)
{
    sqs_schema_make(sqs->db);
    receipt_key(sqs);
}
