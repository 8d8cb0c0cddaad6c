/* notes.h - a table of notes in a database on the disk that fails when told (tests/crash): what
 * tests of store/db share. */
#ifndef HEADRACE_TESTS_NOTES_H
#define HEADRACE_TESTS_NOTES_H

#include "../crash/faulty_vfs.h"
#include "store/db.h"
#include "temp_dir.h"

__attribute__((constructor)) static void use_faulty_disk(void)
{
    faulty_install();
}

static const char *const notes[] = {
    "CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT, bytes BLOB);"};

static inline struct db *open_ok(const char *dir, enum durability durability)
{
    char *message = NULL;
    struct db *db = db_open(dir, durability, &message);
    if (!db)
        print_error("  %s\n", message);
    CHECK(db != NULL);
    db_migrate(db, "test", notes, 1);
    return db;
}

static inline err add(struct db *db, int64_t id, str text)
{
    struct stmt *stmt = db_sql(db, "INSERT INTO note(id, text) VALUES(?, ?)");
    bind_int(stmt, 1, id);
    bind_str(stmt, 2, text);
    return stmt_run(stmt);
}

static inline int64_t count(struct db *db)
{
    struct stmt *stmt = db_sql(db, "SELECT count(*) FROM note");
    CHECK(stmt_row(stmt));
    int64_t n = col_int(stmt, 0);
    stmt_done(stmt);
    return n;
}

static inline void add_in_savepoint(struct db *db, int64_t id, bool keep)
{
    db_savepoint(db);
    CHECK_OK(add(db, id, S("x")));
    keep ? db_release(db) : db_rollback(db);
}

#endif
