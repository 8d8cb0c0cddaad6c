/* store/db.c - turns, savepoints and statements on one connection. Opening it is db_open.c's
 * affair.
 *
 * A turn is one transaction. It is begun by the first statement that writes, and a savepoint
 * reaches SQLite only when something is written inside it: requests that only read, or are refused,
 * cost the database nothing. The first savepoint of a turn is the turn: to undo it, all is undone.
 *
 * When a write meets a full disk the whole turn is rolled back at once and the handle is `failed`
 * until the turn ends. From there on writes are refused, or they would run outside of any
 * transaction, while reads see the last committed state. */
#include "store/db_internal.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn void db_die(struct db *db, const char *what, const char *sql)
{
    int code = sqlite3_errcode(db->handle) & 0xFF;
    if (db->file && (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)) {
        /* The disk's fault, not the program's: no core is left, and no exit handler may touch the
         * handle. */
        log_error("%s is damaged (%s). Stopping; run: headrace doctor --data-dir %s", db->file,
                  sqlite3_errmsg(db->handle), db->dir);
        _exit(EXIT_FAILURE);
    }
    if (db->file && code == SQLITE_ERROR && !strncmp(sqlite3_errmsg(db->handle), "no such ", 8)) {
        log_error(
            "the tables in %s are not what they should be (%s). Stopping; run: headrace doctor "
            "--data-dir %s",
            db->file, sqlite3_errmsg(db->handle), db->dir);
        _exit(EXIT_FAILURE);
    }
    log_error("%s: %s (%s)%s%s", what, sqlite3_errmsg(db->handle),
              db->file ? db->file : "in memory", sql ? ": " : "", sql ? sql : "");
    abort();
}

const char *db_reason(sqlite3 *handle)
{
    int code = sqlite3_errcode(handle) & 0xFF, error = sqlite3_system_errno(handle);
    return error && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN) ? strerror(error)
                                                                      : sqlite3_errmsg(handle);
}

bool db_disk_failed(int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
        return true;
    default:
        return false;
    }
}

/* The statement cache. */

static size_t slot_of(const struct stmt_cache *cache, const char *sql)
{
    size_t i = (size_t)((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15) >> 32);
    while (cache->slots[i &= cache->cap - 1] && cache->slots[i]->sql != sql)
        i++;
    return i;
}

static void cache_grow(struct stmt_cache *cache)
{
    struct stmt_cache bigger = {.cap = cache->cap ? cache->cap * 2 : 256, .n = cache->n};
    bigger.slots = xalloc(bigger.cap * sizeof *bigger.slots);
    for (size_t i = 0; i < cache->cap; i++)
        if (cache->slots[i])
            bigger.slots[slot_of(&bigger, cache->slots[i]->sql)] = cache->slots[i];
    free(cache->slots);
    *cache = bigger;
}

static struct stmt *stmt_new(struct db *db, const char *sql)
{
    struct stmt *stmt = xalloc(sizeof *stmt);
    *stmt = (struct stmt){.db = db, .sql = sql};
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL) !=
        SQLITE_OK)
        db_die(db, "cannot prepare a statement", sql);
    stmt->writes = !sqlite3_stmt_readonly(stmt->handle);
    return stmt;
}

static struct stmt *cached(struct db *db, const char *sql)
{
    if (db->cache.n * 2 >= db->cache.cap)
        cache_grow(&db->cache);
    size_t i = slot_of(&db->cache, sql);
    if (!db->cache.slots[i]) {
        db->cache.slots[i] = stmt_new(db, sql);
        db->cache.n++;
    }
    return db->cache.slots[i];
}

static void stmt_reset(struct stmt *stmt)
{
    sqlite3_reset(stmt->handle);
    stmt->db->reading -= stmt->reading;
    stmt->reading = false;
}

struct stmt *db_sql(struct db *db, const char *sql)
{
    struct stmt *stmt = cached(db, sql);
    if (strcmp(sqlite3_sql(stmt->handle), sql) != 0)
        db_die(db, "the text of a statement is not a literal", sql);
    if (stmt->reading)
        stmt_reset(stmt);
    sqlite3_clear_bindings(stmt->handle);
    return stmt;
}

static void check_bind(struct stmt *stmt, int rc)
{
    if (rc != SQLITE_OK)
        db_die(stmt->db, "cannot bind a value", stmt->sql);
}

void bind_int(struct stmt *stmt, int at, int64_t value)
{
    check_bind(stmt, sqlite3_bind_int64(stmt->handle, at, value));
}

void bind_str(struct stmt *stmt, int at, str text)
{
    check_bind(stmt,
               sqlite3_bind_text64(stmt->handle, at, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8));
}

void bind_blob(struct stmt *stmt, int at, str bytes)
{
    check_bind(stmt, sqlite3_bind_blob64(stmt->handle, at, bytes.p, bytes.n, SQLITE_STATIC));
}

void bind_null(struct stmt *stmt, int at)
{
    check_bind(stmt, sqlite3_bind_null(stmt->handle, at));
}

/* Turns. */

/* Runs one of the statements without rows that this file owns. */
static bool control(struct db *db, struct stmt *stmt)
{
    int rc = sqlite3_step(stmt->handle);
    sqlite3_reset(stmt->handle);
    if (rc == SQLITE_DONE)
        return true;
    if (!db_disk_failed(rc))
        db_die(db, "transaction control failed", stmt->sql);
    log_error("%s: %s", stmt->sql, sqlite3_errmsg(db->handle));
    return false;
}

/* Undoes everything of the turn. SQLite has done so already after some errors. */
static void turn_abandon(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        control(db, db->rollback);
    db->turn = db->whole = db->shared = false;
    db->opened = 0;
}

static void turn_fail(struct db *db, const char *sql)
{
    log_error("the data directory cannot be read or written (%s): %s", db_reason(db->handle), sql);
    turn_abandon(db);
    db->failed = true;
}

static bool turn_begin(struct db *db)
{
    /* A read that is under way would not survive what undoes the whole transaction. */
    bool whole = db->depth && !db->reading;
    db_share_end(db);
    if (!control(db, db->begin)) {
        turn_fail(db, db->begin->sql);
        return false;
    }
    db->turn = true;
    db->whole = whole;
    db->opened = whole;
    if (!db->unmarked || db_log_mark(db) == SQLITE_OK)
        return true;
    turn_fail(db, "the mark of the log");
    return false;
}

/* Before a write: the turn's transaction and every savepoint that callers hold are open, or false.
 */
static bool open_all(struct db *db)
{
    if (db->failed || (!db->turn && !turn_begin(db)))
        return false;
    if (db->sure && db->opened == 0)
        db->opened = 1;
    for (; db->opened < db->depth; db->opened++)
        if (!control(db, db->savepoint)) {
            turn_fail(db, db->savepoint->sql);
            return false;
        }
    return true;
}

bool stmt_row(struct stmt *stmt)
{
    struct db *db = stmt->db;
    if (stmt->writes && !stmt->reading && (db->failed || !db->turn || db->opened < db->depth) &&
        !open_all(db))
        return false;
    if (db->shares && !db->shared && !db->turn)
        db->shared = control(db, db->begin_read);
    int rc = sqlite3_step(stmt->handle);
    if (rc == SQLITE_ROW) {
        db->reading += !stmt->reading;
        stmt->reading = true;
        return true;
    }
    /* A read that was under way when the disk failed has lost its transaction. */
    bool cut_off = db->failed && (rc & 0xFF) == SQLITE_ABORT;
    if (rc != SQLITE_DONE && !cut_off) {
        if (!db_disk_failed(rc))
            db_die(db, "a statement failed", stmt->sql);
        turn_fail(db, stmt->sql);
    }
    stmt_reset(stmt);
    return false;
}

err stmt_run(struct stmt *stmt)
{
    if (stmt_row(stmt))
        stmt_reset(stmt);
    return stmt->db->failed ? FAIL(FAULT_INTERNAL) : OK;
}

void stmt_done(struct stmt *stmt)
{
    stmt_reset(stmt);
}

int64_t col_int(struct stmt *stmt, int at)
{
    return sqlite3_column_int64(stmt->handle, at);
}

int64_t col_index(struct stmt *stmt, int at, int64_t n)
{
    int64_t value = col_int(stmt, at);
    return value >= 0 && value < n ? value : 0;
}

bool col_null(struct stmt *stmt, int at)
{
    return sqlite3_column_type(stmt->handle, at) == SQLITE_NULL;
}

/* Asks for the value once, instead of for each of its type, bytes and length: this handle is one
 * thread's. */
str col_str(struct stmt *stmt, int at)
{
    sqlite3_value *value = sqlite3_column_value(stmt->handle, at);
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return STR_NONE;
    const char *p = sqlite3_value_blob(value);
    return p ? (str){p, (size_t)sqlite3_value_bytes(value)} : S("");
}

str col_copy(struct stmt *stmt, int at, struct arena *arena)
{
    return arena_copy(arena, col_str(stmt, at));
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

void db_savepoint(struct db *db)
{
    db->depth++;
}

void db_share_reads(struct db *db)
{
    db->shares = true;
}

void db_share_end(struct db *db)
{
    if (db->shared)
        control(db, db->commit);
    db->shares = db->shared = false;
}

void db_sure(struct db *db)
{
    db->sure = db->depth == 1 && db->opened == 0;
}

void db_writing(struct db *db)
{
    if (db->failed || !db->turn || db->opened < db->depth)
        (void)open_all(db); /* the write that follows tells of a failure */
}

/* One that was never opened is there no more to go back to. */
static void end_sure(struct db *db, bool keep)
{
    if (!keep) {
        log_error("what was sure to succeed has failed, and its turn with it");
        turn_abandon(db);
        db->failed = true;
    }
    db->opened = 0;
}

static void end_whole(struct db *db, bool keep)
{
    if (!keep) {
        turn_abandon(db);
        db->undone = true;
    }
    db->whole = false;
    db->opened = 0;
}

static void end_savepoint(struct db *db, bool keep)
{
    if (db->depth == 0)
        db_die(db, "a savepoint ended that was never opened", NULL);
    if (db->depth == 1 && db->whole) {
        end_whole(db, keep);
    } else if (db->depth == 1 && db->opened == 1 && db->sure) {
        end_sure(db, keep);
    } else if (db->opened == db->depth) {
        if ((!keep && !control(db, db->rollback_to)) || !control(db, db->release))
            turn_fail(db, "savepoint");
        else
            db->opened--;
    }
    if (--db->depth == 0)
        db->sure = false;
}

void db_release(struct db *db)
{
    end_savepoint(db, true);
}

void db_rollback(struct db *db)
{
    end_savepoint(db, false);
}

bool db_dirty(struct db *db)
{
    return db->turn || db->failed || db->undone;
}

bool db_failed(struct db *db)
{
    return db->failed;
}

/* A statement left half-read would pin its snapshot, and with it the log, for ever. */
static void end_forgotten_reads(struct db *db)
{
    for (size_t i = 0; i < db->cache.cap && db->reading; i++) {
        struct stmt *stmt = db->cache.slots[i];
        if (stmt && stmt->reading) {
            log_error("a statement was left half-read: %s", stmt->sql);
            stmt_reset(stmt);
        }
    }
}

err db_turn_commit(struct db *db)
{
    if (db->depth)
        db_die(db, "a turn ends inside a savepoint", NULL);
    if (db->reading)
        end_forgotten_reads(db);
    bool failed = db->failed;
    db->failed = db->undone = false;
    if (failed)
        return FAIL(FAULT_INTERNAL);
    if (!db->turn)
        return OK;
    if (!db_in_place(db) || !control(db, db->commit)) {
        turn_abandon(db);
        return FAIL(FAULT_INTERNAL);
    }
    db->turn = false;
    /* A log that began with this turn has its mark where the turn wrote one. */
    db->unmarked = db->vfs && wal_vfs_began(db->vfs) && !db->unmarked;
    return OK;
}

/* Migrations. */

static int64_t migration_version(struct db *db, const char *module)
{
    struct stmt *stmt = db_sql(db, "SELECT version FROM migration WHERE module = ?");
    bind_str(stmt, 1, str_of(module));
    int64_t version = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return version;
}

/* Nothing can be served on a schema that is not there: a failure here ends the program. */
static _Noreturn void migration_failed(struct db *db, const char *module, const char *why)
{
    log_error("cannot bring the tables of \"%s\" up to date in %s: %s", module,
              db->file ? db->file : "memory", why);
    exit(EXIT_FAILURE);
}

static void migration_record(struct db *db, const char *module, int64_t version)
{
    struct stmt *stmt =
        db_sql(db, "INSERT OR REPLACE INTO migration(module, version) VALUES(?, ?)");
    bind_str(stmt, 1, str_of(module));
    bind_int(stmt, 2, version);
    if (failed(stmt_run(stmt)))
        migration_failed(db, module, "the disk is full or failing");
}

void db_migrate(struct db *db, const char *module, const char *const *migrations, size_t n)
{
    int64_t version = migration_version(db, module);
    if (version > (int64_t)n)
        migration_failed(db, module, "they were written by a newer version of Headrace");
    if (version == (int64_t)n)
        return;
    if (!open_all(db))
        migration_failed(db, module, sqlite3_errmsg(db->handle));
    for (size_t i = (size_t)version; i < n; i++)
        if (sqlite3_exec(db->handle, migrations[i], NULL, NULL, NULL) != SQLITE_OK)
            migration_failed(db, module, sqlite3_errmsg(db->handle));
    migration_record(db, module, (int64_t)n);
    if (!db->depth && failed(db_turn_commit(db)))
        migration_failed(db, module, "the disk is full or failing");
}

bool db_migrated(struct db *db, const char *module, size_t n)
{
    return migration_version(db, module) == (int64_t)n;
}
