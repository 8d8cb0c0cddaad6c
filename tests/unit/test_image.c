/* Rules of the image that new databases are copied from (store/image.h). */
#include "unit.h"

#include "store/db.h"
#include "temp_dir.h"
#include "db_number.h"
#include "store/image.h"

#include <sqlite3.h>

static sqlite3 *image_open(void)
{
    sqlite3 *handle;
    sqlite3_int64 n = (sqlite3_int64)db_image.n;
    CHECK(sqlite3_open(":memory:", &handle) == SQLITE_OK);
    CHECK(sqlite3_deserialize(handle, "main", (unsigned char *)(uintptr_t)db_image.bytes, n, n,
                              SQLITE_DESERIALIZE_READONLY) == SQLITE_OK);
    return handle;
}

/* The first column of the first row, as text; free() it. */
static char *ask(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt;
    CHECK(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    char *text = xstrdup(str_of((const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_finalize(stmt);
    return text;
}

static void check_answer(sqlite3 *handle, const char *sql, const char *expected)
{
    char *answer = ask(handle, sql);
    CHECK_STR(str_of(answer), str_of(expected));
    free(answer);
}

TEST(the_image_is_a_sound_database_of_ours_with_every_module_migrated)
{
    sqlite3 *image = image_open();
    check_answer(image, "PRAGMA integrity_check", "ok");
    check_answer(image, "PRAGMA application_id", "1214542435");
    check_answer(image,
                 "SELECT group_concat(module) FROM (SELECT module FROM migration ORDER BY 1)",
                 "blob,s3,sqs");
    sqlite3_close(image);
}

/* Above all no key: it would be the same in every data directory of the world. */
TEST(the_image_has_no_rows)
{
    sqlite3 *image = image_open();
    sqlite3_stmt *tables;
    int seen = 0;
    CHECK(sqlite3_prepare_v2(image,
                             "SELECT 'SELECT count(*) FROM ' || name FROM sqlite_master WHERE type "
                             "= 'table' AND name != 'migration'",
                             -1, &tables, NULL) == SQLITE_OK);
    for (; sqlite3_step(tables) == SQLITE_ROW; seen++)
        check_answer(image, (const char *)sqlite3_column_text(tables, 0), "0");
    CHECK(seen > 15);
    sqlite3_finalize(tables);
    sqlite3_close(image);
}

static void check_tables(const char *dir, enum durability durability)
{
    char *message = NULL;
    struct db *db = db_open(dir, durability, &message);
    CHECK(db != NULL);
    CHECK_INT(db_number(db, "SELECT count(*) FROM migration"), 3);
    CHECK_INT(db_number(db, "SELECT count(*) FROM s3_object"), 0);
    CHECK_INT(db_number(db, "SELECT synchronous FROM pragma_synchronous"),
              durability == DURABLE_POWER ? 2
              : dir                       ? 1
                                          : 0);
    CHECK(db_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode") == (dir != NULL));
    db_close(db);
}

TEST(new_databases_have_its_tables_and_the_settings_of_any_other)
{
    char *dir = temp_dir(), *synced = temp_dir();
    check_tables(NULL, DURABLE_PROCESS);
    for (int again = 0; again < 2; again++) {
        check_tables(dir, DURABLE_PROCESS);
        check_tables(synced, DURABLE_POWER);
    }
    free(synced);
    free(dir);
}

UNIT_MAIN
