/* Rules of store/db: statements, savepoints, turns, and a disk that fails in them. */
#include "unit.h"

#include "notes.h"

#include <sqlite3.h>

TEST(values_come_back_as_they_were_bound)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    struct stmt *stmt = db_sql(db, "SELECT ?, ?, ?, ?, ?, ?");
    bind_int(stmt, 1, INT64_MIN);
    bind_str(stmt, 2, S("a\0b"));
    bind_str(stmt, 3, S(""));
    bind_str(stmt, 4, STR_NONE);
    bind_blob(stmt, 5, S("\0\xff"));
    bind_blob(stmt, 6, S(""));
    CHECK(stmt_row(stmt));
    CHECK(col_int(stmt, 0) == INT64_MIN);
    CHECK_STR(col_str(stmt, 1), S("a\0b"));
    CHECK_STR(col_str(stmt, 2), S(""));
    CHECK_STR(col_str(stmt, 3), STR_NONE);
    CHECK(col_null(stmt, 3) && !col_null(stmt, 2) && col_int(stmt, 3) == 0);
    CHECK_STR(col_str(stmt, 4), S("\0\xff"));
    CHECK_STR(col_str(stmt, 5), S(""));
    CHECK(!stmt_row(stmt));
    db_close(db);
}

TEST(an_index_is_below_its_bound_whatever_a_file_says)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    struct stmt *stmt = db_sql(db, "SELECT -1, 0, 9, 10, 9223372036854775807, 'text', NULL");
    CHECK(stmt_row(stmt));
    CHECK_INT(col_index(stmt, 0, 10), 0);
    CHECK_INT(col_index(stmt, 1, 10), 0);
    CHECK_INT(col_index(stmt, 2, 10), 9);
    for (int at = 3; at < 7; at++)
        CHECK_INT(col_index(stmt, at, 10), 0);
    stmt_done(stmt);
    db_close(db);
}

TEST(a_cached_statement_is_unbound_and_reset_when_taken_again)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    static const char sql[] =
        "SELECT ?1, value FROM (SELECT 1 AS value UNION ALL SELECT 2) ORDER BY value";
    struct stmt *stmt = db_sql(db, sql);
    bind_int(stmt, 1, 5);
    CHECK(stmt_row(stmt));
    CHECK(db_sql(db, sql) == stmt);
    CHECK(stmt_row(stmt));
    CHECK(col_null(stmt, 0));
    CHECK_INT(col_int(stmt, 1), 1);
    stmt_done(stmt);
    db_close(db);
}

TEST(a_request_that_fails_takes_nothing_with_it)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    add_in_savepoint(db, 2, false);
    add_in_savepoint(db, 3, true);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 2);
    db_close(db);
}

TEST(savepoints_nest)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    db_savepoint(db);
    CHECK_OK(add(db, 1, S("outer")));
    add_in_savepoint(db, 2, false);
    add_in_savepoint(db, 3, true);
    db_savepoint(db);
    db_savepoint(db);
    CHECK_OK(add(db, 4, S("deep")));
    db_release(db);
    db_rollback(db);
    CHECK_INT(count(db), 2);
    db_rollback(db);
    CHECK_INT(count(db), 0);
    CHECK_OK(db_turn_commit(db));
    db_close(db);
}

TEST(the_first_savepoint_of_a_turn_is_undone_alone)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    add_in_savepoint(db, 2, false);
    CHECK(db_dirty(db)); /* the turn has still to be ended: files of bodies hang on it */
    CHECK_INT(count(db), 1);
    add_in_savepoint(db, 3, true);
    add_in_savepoint(db, 4, false);
    CHECK_OK(db_turn_commit(db));
    CHECK(!db_dirty(db));
    CHECK_INT(count(db), 2);
    add_in_savepoint(db, 5, false);
    CHECK_OK(db_turn_commit(db));
    CHECK(!db_dirty(db));
    db_close(db);
}

static void add_surely(struct db *db, int64_t id, bool keep)
{
    db_savepoint(db);
    db_sure(db);
    CHECK_OK(add(db, id, S("x")));
    add_in_savepoint(db, id + 1000, false); /* inside it they are as always */
    add_in_savepoint(db, id + 2000, true);
    keep ? db_release(db) : db_rollback(db);
}

TEST(what_is_sure_shares_the_fate_of_its_turn)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    add_surely(db, 2, true);
    add_in_savepoint(db, 3, false);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 3);
    add_in_savepoint(db, 4, true);
    add_surely(db, 5, false);
    CHECK(db_failed(db));
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    CHECK_INT(count(db), 3);
    add_surely(db, 6, false); /* the first of its turn: nothing else is lost */
    add_surely(db, 7, true);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 5);
    db_close(db);
}

TEST(what_is_sure_and_has_written_nothing_may_fail)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    db_savepoint(db);
    db_sure(db);
    CHECK_INT(count(db), 1);
    db_rollback(db);
    add_in_savepoint(db, 2, false); /* and the next is not sure */
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 1);
    db_close(db);
}

TEST(a_write_that_is_announced_opens_the_turn)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    for (int keep = 0; keep < 2; keep++) {
        db_savepoint(db);
        db_writing(db);
        CHECK(db_dirty(db));
        db_writing(db);
        CHECK_INT(count(db), 1);
        CHECK_OK(add(db, 2, S("x")));
        keep ? db_release(db) : db_rollback(db);
        CHECK_OK(db_turn_commit(db));
        CHECK_INT(count(db), 1 + keep);
    }
    db_savepoint(db);
    db_writing(db); /* and does not come */
    db_release(db);
    CHECK_OK(db_turn_commit(db));
    CHECK(!db_dirty(db));
    db_close(db);
}

TEST(a_read_under_way_before_a_savepoint_outlives_its_end)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    for (int i = 0; i < 3; i++)
        add_in_savepoint(db, i, true);
    CHECK_OK(db_turn_commit(db));
    struct stmt *stmt = db_sql(db, "SELECT id FROM note ORDER BY id");
    for (int i = 0; i < 3; i++) {
        CHECK(stmt_row(stmt));
        CHECK_INT(col_int(stmt, 0), i);
        add_in_savepoint(db, 10 + i, false);
    }
    stmt_done(stmt);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 3);
    db_close(db);
}

TEST(reads_that_share_a_transaction_see_later_writes_and_hold_up_no_checkpoint)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    db_share_reads(db);
    CHECK_INT(count(db), 0);
    CHECK(!db_dirty(db));
    add_in_savepoint(db, 1, true);
    CHECK_INT(count(db), 1);
    CHECK_OK(db_turn_commit(db));
    db_share_reads(db);
    CHECK_INT(count(db), 1);
    db_share_reads(db);
    CHECK_INT(count(db), 1);
    db_share_end(db);
    db_checkpoint(db, true);
    add_in_savepoint(db, 2, true);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 2);
    CHECK(db_wal_size(db) < 2 * 4200);
    db_close(db);
    free(dir);
}

TEST(what_only_reads_opens_no_transaction)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    db_savepoint(db);
    CHECK_INT(count(db), 0);
    CHECK(!db_dirty(db));
    CHECK_OK(add(db, 1, S("x")));
    CHECK(db_dirty(db));
    db_release(db);
    CHECK(db_dirty(db));
    CHECK_OK(db_turn_commit(db));
    CHECK(!db_dirty(db));
    db_close(db);
}

TEST(a_write_outside_of_savepoints_belongs_to_the_turn)
{
    struct db *db = open_ok(NULL, DURABLE_PROCESS);
    CHECK_OK(add(db, 1, S("x")));
    CHECK_INT(db_last_id(db), 1);
    CHECK_INT(db_changes(db), 1);
    CHECK(db_dirty(db));
    add_in_savepoint(db, 2, false);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 1);
    db_close(db);
}

TEST(a_statement_left_half_read_is_ended_with_the_turn)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    add_in_savepoint(db, 2, true);
    CHECK_OK(db_turn_commit(db));
    CHECK(stmt_row(db_sql(db, "SELECT id FROM note")));
    add_in_savepoint(db, 3, true);
    CHECK_OK(db_turn_commit(db));
    db_checkpoint(db, true);
    add_in_savepoint(db, 4, true);
    CHECK_OK(db_turn_commit(db));
    CHECK(db_wal_size(db) < 2 * 4200);
    db_close(db);
    free(dir);
}

TEST(a_commit_that_fails_leaves_the_state_as_it_was)
{
    static const int rcs[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
    for (size_t i = 0; i < 2; i++) {
        char *dir = temp_dir();
        struct db *db = open_ok(dir, DURABLE_PROCESS);
        add_in_savepoint(db, 1, true);
        CHECK_OK(db_turn_commit(db));
        add_in_savepoint(db, 2, true);
        add_in_savepoint(db, 3, true);
        faulty_writes_fail_after(0, rcs[i]);
        CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
        CHECK(!db_dirty(db));
        CHECK_INT(count(db), 1);
        faulty_heal();
        add_in_savepoint(db, 4, true);
        CHECK_OK(db_turn_commit(db));
        CHECK_INT(count(db), 2);
        db_close(db);
        db = open_ok(dir, DURABLE_PROCESS);
        CHECK_INT(count(db), 2);
        db_close(db);
        free(dir);
    }
}

TEST(a_commit_that_fails_after_some_of_its_writes_leaves_the_state_as_it_was)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_POWER);
    enum { LARGE = 1000000 }; /* 245 pages, of which one write takes 16 */
    char *large = calloc(1, LARGE);
    memset(large, 'x', LARGE);
    for (int writes = 1; writes < 15; writes += 2) {
        add_in_savepoint(db, writes, true);
        db_savepoint(db);
        CHECK_OK(add(db, 1000, (str){large, LARGE}));
        db_release(db);
        faulty_writes_fail_after(writes, SQLITE_FULL);
        CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
        faulty_heal();
        CHECK_INT(count(db), 0);
    }
    free(large);
    db_close(db);
    free(dir);
}

TEST(a_commit_whose_sync_fails_is_not_acknowledged)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_POWER);
    add_in_savepoint(db, 1, true);
    faulty_syncs_fail();
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    faulty_heal();
    CHECK_INT(count(db), 0);
    add_in_savepoint(db, 2, true);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 1);
    db_close(db);
    free(dir);
}

/* More than the page cache holds makes SQLite write before the commit. */
static err fill_the_cache(struct db *db)
{
    struct stmt *stmt = db_sql(db, "INSERT INTO note(id, bytes) VALUES(5000, zeroblob(120000000))");
    return stmt_run(stmt);
}

TEST(a_write_that_meets_a_full_disk_undoes_the_turn_and_refuses_its_other_writes)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    add_in_savepoint(db, 2, true);
    db_savepoint(db);
    db_savepoint(db);
    faulty_writes_fail_after(5, SQLITE_FULL);
    CHECK_FAULT(fill_the_cache(db), FAULT_INTERNAL);
    CHECK(db_failed(db));
    faulty_heal();
    CHECK_FAULT(add(db, 3, S("x")), FAULT_INTERNAL);
    db_rollback(db);
    db_release(db);
    CHECK_INT(count(db), 1);
    db_savepoint(db);
    CHECK_FAULT(add(db, 4, S("x")), FAULT_INTERNAL);
    db_rollback(db);
    CHECK(db_dirty(db));
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    CHECK(!db_failed(db) && !db_dirty(db));
    add_in_savepoint(db, 5, true);
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(count(db), 2);
    db_close(db);
    free(dir);
}

TEST(a_read_under_way_when_the_disk_fails_just_ends)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    for (int i = 0; i < 10; i++)
        add_in_savepoint(db, i, true);
    CHECK_OK(db_turn_commit(db));
    add_in_savepoint(db, 11, true);
    struct stmt *stmt = db_sql(db, "SELECT id FROM note");
    CHECK(stmt_row(stmt));
    faulty_writes_fail_after(5, SQLITE_FULL);
    CHECK_FAULT(fill_the_cache(db), FAULT_INTERNAL);
    faulty_heal();
    while (stmt_row(stmt))
        ;
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    CHECK_INT(count(db), 10);
    db_close(db);
    free(dir);
}

UNIT_MAIN
