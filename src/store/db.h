/* store/db.h - one SQLite database: cached statements, group commit, savepoints, migrations.
 *
 * Writes of one loop turn share a transaction, opened by the first savepoint and ended by
 * db_turn_commit before the loop polls again; each request has its savepoint, so that one failing
 * takes nothing with it. Reads see the open turn. Any SQLite error other than a full or failing
 * disk is a broken invariant and aborts. */
#ifndef HEADRACE_STORE_DB_H
#define HEADRACE_STORE_DB_H

#include "base/ctx.h"

struct db;
struct stmt; /* a prepared statement, bound by position from 1 */

enum durability {
    DURABLE_PROCESS, /* survives kill -9 (SQLite synchronous=NORMAL, WAL) */
    DURABLE_POWER,   /* survives power loss (FULL) */
};

/* Opens or creates `path`/headrace.db; NULL path: in memory. Takes an exclusive lock on the
 * directory: a second process is refused with a message that names the directory and the holder's
 * pid. On failure *message says why (malloc'ed). */
struct db *db_open(const char *path, enum durability durability, char **message);
/* Commits an open turn, checkpoints, closes. */
void db_close(struct db *db);

/* Runs the steps of `migrations` not yet applied to `module` (each an SQL script; step i is version
 * i+1; recorded by name). */
void db_migrate(struct db *db, const char *module, const char *const *migrations, size_t n);
/* Whether the module has applied exactly `n` steps. */
bool db_migrated(struct db *db, const char *module, size_t n);

/* The cached statement for a string literal, reset and unbound. `sql` must be a literal: its
 * address is the cache key. */
struct stmt *db_sql(struct db *db, const char *sql);
void bind_int(struct stmt *stmt, int at, int64_t value);
void bind_str(struct stmt *stmt, int at,
              str text); /* absent binds NULL; borrowed until the statement's next use */
void bind_blob(struct stmt *stmt, int at, str bytes);
void bind_null(struct stmt *stmt, int at);
/* true: a row is there; false: done (statement is reset). A write that meets a full or failing disk
 * rolls the whole turn back, marks it as failed (db_failed) and returns false; from there on the
 * turn's writes are refused, its reads see the last committed state. */
bool stmt_row(struct stmt *stmt);
/* Runs a statement that returns no rows. FAULT_INTERNAL when the disk fails; the savepoint must
 * then be rolled back. */
err stmt_run(struct stmt *stmt);
/* Ends a half-read statement. Needed only when rows are left unread. */
void stmt_done(struct stmt *stmt);
int64_t col_int(struct stmt *stmt, int at); /* columns count from 0; NULL gives 0 */
/* A number below `n`; 0 for any other, which a snapshot that someone made may hold. */
int64_t col_index(struct stmt *stmt, int at, int64_t n);
bool col_null(struct stmt *stmt, int at);
str col_str(struct stmt *stmt, int at); /* valid until the next step; NULL gives absent */
str col_copy(struct stmt *stmt, int at, struct arena *arena); /* copied */
int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);

/* Opens a savepoint. It, and the turn's transaction, reach SQLite with the first write inside: one
 * that only reads is free. Savepoints nest. A write outside of any savepoint belongs to the turn as
 * well. */
void db_savepoint(struct db *db);
void db_release(struct db *db);
void db_rollback(struct db *db); /* to the innermost savepoint, and removes it */
/* From here on nothing but the disk will make the caller undo the savepoint that is open (the
 * outermost; no-op for one inside another, or after a write in it): it then costs nothing. Should
 * it be undone all the same after a write, the whole turn fails. */
void db_sure(struct db *db);
/* A write follows: reads before it need no transaction of their own. */
void db_writing(struct db *db);
/* Until db_share_end, or the first write, reads outside of a turn share one transaction, where each
 * statement has one of its own else. It holds up the log's reset: never leave it open while the
 * loop polls. */
void db_share_reads(struct db *db);
void db_share_end(struct db *db);
/* True while a turn holds uncommitted writes, or has undone some. */
bool db_dirty(struct db *db);
bool db_failed(struct db *db);
/* Commits the turn. On failure everything since the turn began is rolled back, FAULT_INTERNAL
 * returned, and engines that keep a working set must reload it. No-op when nothing is open. */
err db_turn_commit(struct db *db);
/* Bytes in the write-ahead log now; app's checkpointer acts on it. */
int64_t db_wal_size(struct db *db);
/* Checkpoints on a connection of its own; call from a pool thread, one call at a time, and never
 * after db_close began. truncate: wait for readers and reset the log. */
void db_checkpoint(struct db *db, bool truncate);
/* What the log's size asks for now; app looks after every turn. COPY: db_checkpoint(false), RESET:
 * db_checkpoint(true). */
enum db_checkpoint_due { DB_CHECKPOINT_NONE, DB_CHECKPOINT_COPY, DB_CHECKPOINT_RESET };
enum db_checkpoint_due db_checkpoint_due(struct db *db);
/* False, after logging so once, while the files that were opened are not where they were: someone
 * removed, moved or replaced them. Nothing may be written then, nor read by name. */
bool db_in_place(struct db *db);
/* Path of the directory from the root, or NULL when in memory. */
const char *db_dir(struct db *db);

#endif
