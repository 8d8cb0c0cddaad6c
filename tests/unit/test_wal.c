/* Rules of store/wal: a commit is one write, and what the process had committed when it was killed
 * is in the files. */
#include "unit.h"

#include "db_number.h"
#include "notes.h"
#include "store/wal.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { PAGE = 4096, FRAME = 24 + PAGE };

static void copy_file(const char *from, const char *to, const char *name)
{
    char *command = NULL;
    CHECK(asprintf(&command, "cp '%s/%s' '%s/%s'", from, name, to, name) > 0);
    CHECK_INT(system(command), 0);
    free(command);
}

#define SUM "SELECT total(length(text) * id) FROM note"

/* What a process would find that is started now, had this one been killed. */
static void check_survives(struct db *db, const char *dir)
{
    char *other = temp_dir();
    CHECK_INT(mkdir(other, 0700), 0);
    copy_file(dir, other, "headrace.db");
    copy_file(dir, other, "headrace.db-wal");
    struct db *next = open_ok(other, DURABLE_PROCESS);
    CHECK_INT(db_number(next, SUM), db_number(db, SUM));
    struct stmt *stmt = db_sql(next, "PRAGMA integrity_check");
    CHECK(stmt_row(stmt));
    CHECK_STR(col_str(stmt, 0), S("ok"));
    stmt_done(stmt);
    db_close(next);
    free(other);
}

static void commit(struct db *db, const char *dir)
{
    CHECK_OK(db_turn_commit(db));
    check_survives(db, dir);
}

static struct db *open_with_small_cache(const char *dir)
{
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    CHECK_OK(stmt_run(db_sql(db, "PRAGMA cache_size=10")));
    return db;
}

static err add_many(struct db *db, int64_t first, int64_t n, size_t size)
{
    char *text = malloc(size);
    memset(text, 'x', size);
    err e = OK;
    for (int64_t id = first; id < first + n && !failed(e); id++)
        e = add(db, id, (str){text, size});
    free(text);
    return e;
}

static void add_and_keep(struct db *db, int64_t first, int64_t n, size_t size)
{
    db_savepoint(db);
    CHECK_OK(add_many(db, first, n, size));
    db_release(db);
}

TEST(a_commit_is_one_write_and_a_large_one_few)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    add_and_keep(db, 10, 5, 3000);
    faulty_writes_fail_after(1, SQLITE_FULL);
    CHECK_OK(db_turn_commit(db));
    add_and_keep(db, 100, 1, 50);
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    faulty_writes_fail_after(8, SQLITE_FULL);
    add_and_keep(db, 200, 100, 4000); /* at least 100 pages, 16 a write */
    CHECK_OK(db_turn_commit(db));
    faulty_heal();
    check_survives(db, dir);
    db_close(db);
    free(dir);
}

TEST(what_is_committed_survives_the_process)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    for (int i = 1; i < 40; i++) {
        add_and_keep(db, i * 100, i, 2500);
        commit(db, dir);
        if (i % 10 == 0)
            db_checkpoint(db, i % 20 == 0);
    }
    db_close(db);
    db = open_ok(dir, DURABLE_PROCESS); /* the log goes on where the last process left it */
    add_and_keep(db, 9000, 3, 2500);
    commit(db, dir);
    db_close(db);
    free(dir);
}

TEST(a_transaction_that_outgrows_the_cache_reads_and_changes_what_it_wrote)
{
    char *dir = temp_dir();
    struct db *db = open_with_small_cache(dir);
    add_and_keep(db, 1, 50, 3000);
    commit(db, dir);
    db_savepoint(db);
    CHECK_OK(add_many(db, 1000, 100, 3000));
    CHECK_INT(db_number(db, "SELECT count(*) FROM note WHERE length(text) = 3000"), 150);
    CHECK_OK(stmt_run(db_sql(db, "UPDATE note SET text = text || 'y' WHERE id % 3 = 0")));
    db_savepoint(db);
    CHECK_OK(add_many(db, 2000, 100, 3000));
    CHECK_OK(stmt_run(db_sql(db, "DELETE FROM note WHERE id % 5 = 0")));
    db_rollback(db);
    CHECK_OK(stmt_run(db_sql(db, "UPDATE note SET text = text || 'z' WHERE id % 7 = 0")));
    CHECK_INT(count(db), 150);
    db_release(db);
    commit(db, dir);
    CHECK_INT(count(db), 150);
    add_and_keep(db, 3000, 100, 3000);
    add_in_savepoint(db, 4000, false);
    commit(db, dir);
    db_close(db);
    free(dir);
}

TEST(a_transaction_that_outgrew_the_cache_leaves_nothing_when_it_is_undone)
{
    char *dir = temp_dir();
    struct db *db = open_with_small_cache(dir);
    add_and_keep(db, 1, 20, 3000);
    commit(db, dir);
    for (int i = 1; i < 60; i += 7) {
        db_savepoint(db);
        CHECK_OK(add_many(db, 1000, i, 3000));
        db_rollback(db);
        check_survives(db, dir);
        CHECK_OK(db_turn_commit(db));
        add_and_keep(db, 2000 + i, 1, 3000);
        commit(db, dir);
    }
    db_close(db);
    free(dir);
}

TEST(a_disk_that_fills_up_while_a_transaction_outgrows_the_cache_undoes_it)
{
    char *dir = temp_dir();
    struct db *db = open_with_small_cache(dir);
    add_and_keep(db, 1, 20, 3000);
    commit(db, dir);
    for (int writes = 0; writes < 12; writes++) {
        db_savepoint(db);
        faulty_writes_fail_after(writes, SQLITE_FULL);
        err e = add_many(db, 1000, 300, 3000);
        CHECK_FAULT(e, FAULT_INTERNAL);
        db_rollback(db);
        CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
        faulty_heal();
        CHECK_INT(count(db), 20 + writes);
        add_and_keep(db, 100 + writes, 1, 3000);
        commit(db, dir);
    }
    db_close(db);
    free(dir);
}

/* ---- the file itself, as SQLite uses it ---- */

struct log {
    struct wal_vfs *vfs;
    sqlite3_vfs *sqlite;
    sqlite3_file *file;
    char *path, *dir;
};

static struct log log_open(void)
{
    struct log log = {.vfs = wal_vfs_new(NULL), .dir = temp_dir()};
    CHECK_INT(mkdir(log.dir, 0700), 0);
    log.sqlite = sqlite3_vfs_find(wal_vfs_name(log.vfs));
    CHECK(log.sqlite != NULL);
    CHECK(asprintf(&log.path, "%s/db-wal", log.dir) > 0);
    char *database = strndup(log.path, strlen(log.path) - strlen("-wal"));
    close(creat(database, 0600)); /* whose mode SQLite gives to its log */
    free(database);
    log.file = calloc(1, (size_t)log.sqlite->szOsFile);
    int flags = SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    CHECK_INT(log.sqlite->xOpen(log.sqlite, log.path, log.file, flags, NULL), SQLITE_OK);
    return log;
}

static void log_close(struct log *log)
{
    CHECK_INT(log->file->pMethods->xClose(log->file), SQLITE_OK);
    wal_vfs_free(log->vfs);
    free(log->file);
    free(log->path);
    free(log->dir);
}

static int frame(struct log *log, int at, bool commits)
{
    char bytes[FRAME] = {0};
    bytes[7] = commits;
    const sqlite3_io_methods *methods = log->file->pMethods;
    int rc = methods->xWrite(log->file, bytes, 24, 32 + at * FRAME);
    return rc ? rc : methods->xWrite(log->file, bytes + 24, PAGE, 32 + at * FRAME + 24);
}

/* Frames in the file, of which SQLite is not asked. */
static int64_t frames(const struct log *log)
{
    struct stat st;
    return stat(log->path, &st) || st.st_size < 32 ? 0 : (st.st_size - 32) / FRAME;
}

TEST(frames_wait_for_the_commit_and_are_read_before_it)
{
    struct log log = log_open();
    char bytes[PAGE];
    CHECK_INT(frame(&log, 0, false), SQLITE_OK);
    CHECK_INT(frame(&log, 1, false), SQLITE_OK);
    CHECK_INT(frames(&log), 0);
    CHECK_INT(frame(&log, 2, true), SQLITE_OK);
    CHECK_INT(frames(&log), 3);
    CHECK_INT(frame(&log, 3, false), SQLITE_OK);
    CHECK_INT(log.file->pMethods->xRead(log.file, bytes, PAGE, 32 + 3 * FRAME + 24), SQLITE_OK);
    CHECK_INT(frames(&log), 4);
    log_close(&log);
}

TEST(what_is_written_in_place_does_not_wait)
{
    struct log log = log_open();
    const sqlite3_io_methods *methods = log.file->pMethods;
    char header[24];
    CHECK_INT(frame(&log, 0, true), SQLITE_OK);
    CHECK_INT(frame(&log, 1, true), SQLITE_OK);
    faulty_writes_fail_after(0, SQLITE_FULL);
    CHECK_INT(methods->xWrite(log.file, header, 24, 32), SQLITE_FULL);
    CHECK_INT(methods->xWrite(log.file, header, 24, 32 + FRAME), SQLITE_FULL);
    faulty_heal();
    log_close(&log);
}

TEST(nothing_follows_frames_that_were_lost)
{
    struct log log = log_open();
    const sqlite3_io_methods *methods = log.file->pMethods;
    char bytes[PAGE];
    CHECK_INT(frame(&log, 0, true), SQLITE_OK);
    CHECK_INT(frame(&log, 1, false), SQLITE_OK);
    faulty_writes_fail_after(0, SQLITE_FULL);
    CHECK_INT(methods->xRead(log.file, bytes, PAGE, 32 + 24), SQLITE_FULL);
    faulty_heal();
    CHECK_INT(frame(&log, 2, true), SQLITE_FULL);
    CHECK_INT(methods->xRead(log.file, bytes, PAGE, 32 + FRAME + 24), SQLITE_FULL);
    CHECK_INT(methods->xRead(log.file, bytes, PAGE, 32 + 24), SQLITE_OK);
    CHECK_INT(frames(&log), 1);
    CHECK_INT(frame(&log, 1, true), SQLITE_OK);
    CHECK_INT(frame(&log, 2, true), SQLITE_OK);
    CHECK_INT(frames(&log), 3);
    log_close(&log);
}

UNIT_MAIN
