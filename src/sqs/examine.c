/* sqs/examine.c - see examine.h. Rows below the floor of their queue were purged and only wait for
 * their removal: nobody will read them. */
#include "sqs/examine.h"

#include <string.h>

#include "base/digest.h"
#include "sqs/engine.h"

#define MESSAGES                                                                                   \
    " FROM sqs_message m JOIN sqs_queue q ON q.id = m.id >> ?1 LEFT JOIN sqs_body b ON b.id = "    \
    "m.id WHERE (m.id & ((1 << ?1) - 1)) >= q.floor"

int64_t sqs_examine_size(struct db *db)
{
    if (!sqs_schema_current(db))
        return 0;
    struct stmt *stmt = db_sql(
        db,
        "SELECT cast(total(length(CAST(coalesce(m.body, b.body) AS BLOB))) AS INTEGER)" MESSAGES);
    bind_int(stmt, 1, SEQ_BITS);
    int64_t size = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return size;
}

static str name_of(struct arena *arena, struct stmt *row)
{
    str id = col_str(row, 1);
    if (id.n == 16)
        id = id_text(arena, (const uint8_t *)id.p);
    else
        id = S("without a valid id");
    return arena_printf(arena, "message %.*s of queue %.*s (account %.*s, %.*s)", STR_ARG(id),
                        STR_ARG(col_str(row, 4)), STR_ARG(col_str(row, 5)),
                        STR_ARG(col_str(row, 6)));
}

static bool right(str body, str md5)
{
    digest d = digest_of(DIGEST_MD5, body);
    return md5.n == d.n && memcmp(md5.p, d.bytes, d.n) == 0;
}

static void examine_row(struct arena *arena, struct stmt *row, const struct examine_ask *ask,
                        struct examine_sum *sum)
{
    str body = col_str(row, 3);
    struct examine_finding finding = {.row = col_int(row, 0)};
    if (!body.p)
        finding.trouble = "its body is missing";
    else if (!right(body, col_str(row, 2)))
        finding.trouble = "its body is not what was sent";
    ask->progress(ask->user, (int64_t)body.n);
    sum->compared++;
    if (!finding.trouble)
        return;
    arena_reset(arena);
    finding.what = name_of(arena, row);
    ask->found(ask->user, &finding);
}

bool sqs_examine(struct db *db, const struct examine_ask *ask, struct examine_sum *sum)
{
    if (!sqs_schema_current(db))
        return false;
    struct arena *arena = arena_new();
    struct stmt *rows = db_sql(db, "SELECT m.id, m.message_id, m.md5, coalesce(m.body, b.body),"
                                   " q.name, q.account, q.region" MESSAGES " ORDER BY m.id");
    bind_int(rows, 1, SEQ_BITS);
    while (stmt_row(rows))
        examine_row(arena, rows, ask, sum);
    arena_free(arena);
    return true;
}

err sqs_examine_drop(struct db *db, int64_t row)
{
    struct stmt *stmt = db_sql(db, "DELETE FROM sqs_message WHERE id = ?");
    bind_int(stmt, 1, row);
    TRY(stmt_run(stmt));
    stmt = db_sql(db, "DELETE FROM sqs_body WHERE id = ?");
    bind_int(stmt, 1, row);
    return stmt_run(stmt);
}
