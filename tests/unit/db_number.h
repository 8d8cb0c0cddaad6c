/* db_number.h - one number of a database, for tests that look behind an engine. */
#ifndef HEADRACE_TESTS_DB_NUMBER_H
#define HEADRACE_TESTS_DB_NUMBER_H

#include "unit.h"

#include "store/db.h"

/* The first column of the first row; there must be one. */
static inline int64_t db_number(struct db *db, const char *sql)
{
    struct stmt *stmt = db_sql(db, sql);
    CHECK(stmt_row(stmt));
    int64_t value = col_int(stmt, 0);
    stmt_done(stmt);
    return value;
}

#endif
