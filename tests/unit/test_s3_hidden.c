/* Runs of keys that delete markers hide: always true of the rows, as few as can be, and what makes
 * a listing's cost independent of the number of markers. */
#include "s3.h"
#include "base/buf.h"
#include "s3/hidden.h"

#define NEWEST " FROM (SELECT key, marker, max(id) FROM s3_object GROUP BY key) n WHERE n.marker = "

/* Hidden keys outside of runs, objects inside, and runs that could be one with their neighbour. */
static void check_runs(struct lab *lab)
{
    CHECK_INT(db_number(lab->db,
                        "SELECT count(*)" NEWEST "1 AND NOT EXISTS (SELECT 1 FROM s3_hidden h"
                        " WHERE n.key >= h.first AND n.key < h.beyond)"),
              0);
    CHECK_INT(db_number(lab->db, "SELECT count(*)" NEWEST "0 AND EXISTS (SELECT 1 FROM s3_hidden h"
                                 " WHERE n.key >= h.first AND n.key < h.beyond)"),
              0);
    CHECK_INT(db_number(lab->db, "SELECT count(*) FROM s3_hidden") -
                  db_number(lab->db,
                            "SELECT count(*) FROM (SELECT marker, lag(marker) OVER (ORDER BY key)"
                            " AS before FROM (SELECT key, marker, max(id) FROM s3_object GROUP BY"
                            " key)) WHERE marker AND before IS NOT 1"),
              0);
}

/* What is listed, and what should be. */
static void check_listing(struct lab *lab)
{
    struct s3_page page;
    struct s3_list asked = {.max = 1000};
    struct buf listed = buf_in(lab->ctx.arena), shown = buf_in(lab->ctx.arena);
    s3_list_page(lab->s3, &lab->ctx, lab->bucket, &asked, &page);
    for (size_t i = 0; i < page.n; i++) {
        buf_put(&listed, page.items[i].object.key);
        buf_char(&listed, ' ');
    }
    struct stmt *stmt = db_sql(lab->db, "SELECT key" NEWEST "0 ORDER BY key");
    while (stmt_row(stmt)) {
        buf_put(&shown, col_str(stmt, 0));
        buf_char(&shown, ' ');
    }
    CHECK_STR(buf_str(&listed), buf_str(&shown));
}

/* Some version of some key. */
static void delete_any_version(struct lab *lab)
{
    struct s3_page page;
    struct s3_list asked = {.max = 1000, .versions = true};
    s3_list_page(lab->s3, &lab->ctx, lab->bucket, &asked, &page);
    if (!page.n)
        return;
    struct s3_object *object = &page.items[rng_below(&lab->rng, page.n)].object;
    lab_delete(lab, object->key, object->version.p ? object->version : S("null"));
}

static str some_key(struct lab *lab)
{
    static const char *const keys[] = {
        "a",        "a/",  "a/b", "ab",  "b", "ba", "c",
        "\xc3\xa9", "a/1", "a/2", "a/3", "z", "zz", "\xf0\x9f\x98\x80"};
    return str_of(keys[rng_below(&lab->rng, sizeof keys / sizeof *keys)]);
}

TEST(runs_are_true_and_few_after_any_change)
{
    LAB(lab);
    for (int i = 0; i < 4000; i++) {
        if (i % 200 == 0)
            lab_versioning(&lab, i % 400 ? S3_SUSPENDED : S3_VERSIONED);
        switch (rng_below(&lab.rng, 3)) {
        case 0:
            lab_put(&lab, some_key(&lab), S("x"));
            break;
        case 1:
            lab_delete(&lab, some_key(&lab), STR_NONE);
            break;
        default:
            delete_any_version(&lab);
        }
        check_runs(&lab);
        check_listing(&lab);
        if (i % 100 == 0)
            arena_reset(lab.ctx.arena);
    }
    lab_end(&lab);
}

static void hide_many(struct lab *lab, int from, int to)
{
    char key[32];
    lab_versioning(lab, S3_VERSIONED);
    for (int i = from; i < to; i++) {
        int n = snprintf(key, sizeof key, "gone/%06d", i);
        lab_delete(lab, (str){key, (size_t)n}, STR_NONE);
    }
}

/* What a page leaves in the arena tells the rows that it walked: their keys are copied there. */
static size_t page_cost(struct lab *lab, struct s3_list asked, size_t expected)
{
    struct s3_page page;
    asked.max = 1000;
    arena_reset(lab->ctx.arena);
    size_t before = arena_used(lab->ctx.arena);
    s3_list_page(lab->s3, &lab->ctx, lab->bucket, &asked, &page);
    CHECK_INT(page.n, expected);
    CHECK(!page.truncated);
    return arena_used(lab->ctx.arena) - before;
}

TEST(a_page_costs_the_same_however_many_markers_there_are)
{
    LAB(lab);
    lab_put(&lab, S("a"), S("x"));
    lab_put(&lab, S("z"), S("x"));
    hide_many(&lab, 0, 100);
    size_t few = page_cost(&lab, (struct s3_list){0}, 2);
    hide_many(&lab, 100, 20000);
    CHECK_INT(lab_count(&lab, "s3_hidden"), 1);
    CHECK(page_cost(&lab, (struct s3_list){0}, 2) <= few);
    CHECK(page_cost(&lab, (struct s3_list){.delimiter = S("/")}, 2) <= few);
    CHECK(page_cost(&lab, (struct s3_list){.prefix = S("gone/")}, 0) <= few);
    lab_put(&lab, S("gone/010000"), S("x"));
    CHECK_INT(lab_count(&lab, "s3_hidden"), 2);
    CHECK(page_cost(&lab, (struct s3_list){.prefix = S("gone/")}, 1) <= 2 * few);
    s3_reload(lab.s3);
    lab.bucket = s3_bucket_get(lab.s3, S("bucket"));
    CHECK(page_cost(&lab, (struct s3_list){0}, 3) <= 2 * few);
    lab_end(&lab);
}

TEST(a_directory_from_before_the_table_gets_its_runs)
{
    LAB(lab);
    hide_many(&lab, 0, 50);
    lab_put(&lab, S("gone/000020"), S("x"));
    lab_put(&lab, S("a"), S("x"));
    lab_delete(&lab, S("a"), STR_NONE);
    lab_put(&lab, S("b"), S("x"));
    CHECK_OK(stmt_run(db_sql(lab.db, "DROP TABLE s3_hidden")));
    CHECK_OK(stmt_run(db_sql(lab.db, "UPDATE migration SET version = 3 WHERE module = 's3'")));
    db_release(lab.db);
    CHECK_OK(db_turn_commit(lab.db));
    s3_close(lab.s3);
    lab.s3 = s3_open(lab.db, lab.blobs, NULL);
    lab.bucket = s3_bucket_get(lab.s3, S("bucket"));
    db_savepoint(lab.db);
    CHECK_INT(lab_count(&lab, "s3_hidden"), 3);
    check_runs(&lab);
    check_listing(&lab);
    lab_delete(&lab, S("b"), STR_NONE);
    CHECK_INT(lab_count(&lab, "s3_hidden"), 2);
    check_runs(&lab);
    lab_end(&lab);
}

TEST(a_bucket_takes_its_runs_with_it)
{
    LAB(lab);
    struct s3_deleted gone;
    lab_versioning(&lab, S3_VERSIONED);
    gone = lab_delete(&lab, S("k"), STR_NONE);
    CHECK_INT(lab_count(&lab, "s3_hidden"), 1);
    lab_delete(&lab, S("k"), gone.version);
    CHECK_INT(lab_count(&lab, "s3_hidden"), 0);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK_OK(stmt_run(db_sql(lab.db, "DELETE FROM s3_object")));
    CHECK_OK(s3_bucket_delete(lab.s3, &lab.ctx, lab.bucket));
    CHECK_INT(lab_count(&lab, "s3_hidden"), 0);
    lab_end(&lab);
}

UNIT_MAIN
