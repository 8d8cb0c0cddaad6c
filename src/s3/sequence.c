/* s3/sequence.c - numbers that only grow: in one process, across a restart, and when the virtual
 * clock was set back in between. They order the events of a key for whoever receives them out of
 * order, and versions for a listing that goes on after one that is gone.
 *
 * A number is the instant, with room for 4,096 in one millisecond. The table holds a bound that all
 * numbers given out stay below; it moves an hour ahead when they come near, so that nearly no write
 * pays for it, and a new process begins at the bound. */
#include "s3/engine.h"

#define SHIFT 12
#define AHEAD ((int64_t)3600 * 1000 << SHIFT)
#define MARGIN ((int64_t)60 * 1000 << SHIFT)

void s3_sequence_load(struct s3 *s3)
{
    struct stmt *stmt = db_sql(s3->db, "SELECT reserved FROM s3_sequence WHERE id = 1");
    s3->reserved = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    if (s3->sequence < s3->reserved)
        s3->sequence = s3->reserved;
}

static int64_t next(const struct s3 *s3, msec now)
{
    int64_t from_clock = now << SHIFT;
    return s3->sequence + 1 > from_clock ? s3->sequence + 1 : from_clock;
}

err s3_sequence_reserve(struct s3 *s3, struct ctx *ctx)
{
    int64_t from = next(s3, ctx->now);
    if (from + MARGIN < s3->reserved)
        return OK;
    struct stmt *stmt =
        db_sql(s3->db, "INSERT OR REPLACE INTO s3_sequence(id, reserved) VALUES(1, ?)");
    bind_int(stmt, 1, from + AHEAD);
    TRY(stmt_run(stmt));
    s3->reserved = from + AHEAD;
    s3->changes++;
    return OK;
}

int64_t s3_sequence_next(struct s3 *s3, struct ctx *ctx)
{
    s3->sequence = next(s3, ctx->now);
    return s3->sequence;
}

int64_t s3_sequence_at(msec instant)
{
    return instant << SHIFT;
}
