/* Rules of store/pages, by what SQLite asks of a page cache: a page that is there is the right one,
 * a page that SQLite holds on to stays, what is beyond the end is gone, and the limit holds. */
#include "unit.h"

#include "store/db.h"
#include "store/pages.h"
#include "temp_dir.h"

#include <sqlite3.h>

enum { PAGE = 4096, EXTRA = 200, LENT = 0x40000000 / PAGE + 1, MODEL = 300 };

static const sqlite3_pcache_methods2 *ours(void)
{
    return pages_methods();
}

static sqlite3_pcache *cache_of(int most)
{
    sqlite3_pcache *cache = ours()->xCreate(PAGE, EXTRA, 1);
    CHECK(cache);
    ours()->xCachesize(cache, most);
    return cache;
}

static sqlite3_pcache_page *get(sqlite3_pcache *cache, unsigned number)
{
    return ours()->xFetch(cache, number, 0);
}

static sqlite3_pcache_page *make(sqlite3_pcache *cache, unsigned number)
{
    sqlite3_pcache_page *page = ours()->xFetch(cache, number, 2);
    CHECK(page);
    memset(page->pBuf, (int)(number % 251), PAGE);
    memset(page->pExtra, (int)(number % 241), EXTRA);
    return page;
}

static void unpin(sqlite3_pcache *cache, sqlite3_pcache_page *page)
{
    ours()->xUnpin(cache, page, 0);
}

static void make_unpinned(sqlite3_pcache *cache, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        unpin(cache, make(cache, i));
}

static bool holds(const sqlite3_pcache_page *page, unsigned number)
{
    const unsigned char *bytes = page->pBuf, *extra = page->pExtra;
    return bytes[0] == number % 251 && bytes[PAGE - 1] == number % 251 &&
           extra[0] == number % 241 && extra[EXTRA - 1] == number % 241;
}

/* Leaves it as it was: not pinned. */
static bool is_there(sqlite3_pcache *cache, unsigned number)
{
    sqlite3_pcache_page *page = get(cache, number);
    if (page)
        unpin(cache, page);
    return page && holds(page, number);
}

static void swap(sqlite3_pcache *cache, unsigned a, unsigned b)
{
    sqlite3_pcache_page *first = get(cache, a), *second = get(cache, b);
    CHECK(first && second);
    ours()->xRekey(cache, first, a, LENT);
    ours()->xRekey(cache, second, b, a);
    ours()->xRekey(cache, first, LENT, b);
    unpin(cache, first);
    unpin(cache, second);
}

TEST(a_new_page_has_its_extra_bytes_zeroed_and_a_known_one_keeps_them)
{
    sqlite3_pcache *cache = cache_of(10);
    make_unpinned(cache, 1, 1);
    CHECK(is_there(cache, 1));
    ours()->xUnpin(cache, get(cache, 1), 1);
    CHECK(!get(cache, 1));
    sqlite3_pcache_page *again = ours()->xFetch(cache, 1, 1);
    for (int i = 0; i < EXTRA; i++)
        CHECK_INT(((char *)again->pExtra)[i], 0);
    ours()->xDestroy(cache);
}

TEST(pages_lie_aligned_for_what_sqlite_keeps_in_them)
{
    sqlite3_pcache *cache = cache_of(1000);
    for (unsigned i = 1; i <= 600; i++) {
        sqlite3_pcache_page *page = make(cache, i);
        CHECK_INT((uintptr_t)page->pBuf % 4096, 0);
        CHECK_INT((uintptr_t)page->pExtra % 8, 0);
    }
    ours()->xDestroy(cache);
}

TEST(no_more_pages_are_kept_than_the_limit_says)
{
    sqlite3_pcache *cache = cache_of(100);
    make_unpinned(cache, 1, 5000);
    CHECK_INT(ours()->xPagecount(cache), 100);
    ours()->xCachesize(cache, 10);
    CHECK_INT(ours()->xPagecount(cache), 10);
    ours()->xShrink(cache);
    CHECK_INT(ours()->xPagecount(cache), 0);
    make_unpinned(cache, 1, 5);
    CHECK_INT(ours()->xPagecount(cache), 5);
    CHECK(is_there(cache, 5));
    ours()->xDestroy(cache);
}

TEST(a_page_that_is_used_again_outlives_those_that_are_used_once)
{
    sqlite3_pcache *cache = cache_of(100);
    make_unpinned(cache, 1, 100);
    for (unsigned i = 101; i <= 2000; i++) {
        CHECK(is_there(cache, 7));
        make_unpinned(cache, i, i);
    }
    CHECK(is_there(cache, 7));
    CHECK(!is_there(cache, 8));
    CHECK(is_there(cache, 2000));
    ours()->xDestroy(cache);
}

TEST(a_pinned_page_stays_whatever_the_limit_says)
{
    sqlite3_pcache *cache = cache_of(20);
    sqlite3_pcache_page *held[50];
    for (unsigned i = 0; i < 50; i++)
        held[i] = make(cache, i + 1);
    CHECK_INT(ours()->xPagecount(cache), 50);
    make_unpinned(cache, 51, 500);
    ours()->xShrink(cache);
    ours()->xCachesize(cache, 5);
    for (unsigned i = 0; i < 50; i++)
        CHECK(get(cache, i + 1) == held[i] && holds(held[i], i + 1));
    for (unsigned i = 0; i < 50; i++)
        unpin(cache, held[i]);
    CHECK_INT(ours()->xPagecount(cache), 5);
    ours()->xDestroy(cache);
}

TEST(sqlite_is_asked_to_write_pages_out_before_the_cache_outgrows_its_limit)
{
    sqlite3_pcache *cache = cache_of(100);
    for (unsigned i = 1; i <= 90; i++)
        CHECK(ours()->xFetch(cache, i, 1));
    CHECK(!ours()->xFetch(cache, 91, 1));
    CHECK(ours()->xFetch(cache, 91, 2));
    CHECK(ours()->xFetch(cache, 91, 1));
    ours()->xDestroy(cache);
}

TEST(a_database_in_memory_loses_no_page_to_a_limit)
{
    sqlite3_pcache *cache = ours()->xCreate(PAGE, EXTRA, 0);
    ours()->xCachesize(cache, 10);
    for (unsigned i = 1; i <= 3000; i++)
        make(cache, i);
    CHECK_INT(ours()->xPagecount(cache), 3000);
    for (unsigned i = 1; i <= 3000; i++)
        CHECK(holds(get(cache, i), i));
    ours()->xUnpin(cache, get(cache, 9), 1);
    CHECK(!get(cache, 9));
    ours()->xDestroy(cache);
}

TEST(pages_beyond_the_end_are_forgotten_pinned_or_not)
{
    sqlite3_pcache *cache = cache_of(1000);
    make_unpinned(cache, 1, 300);
    make(cache, 301);
    ours()->xTruncate(cache, 302);
    CHECK_INT(ours()->xPagecount(cache), 301);
    ours()->xTruncate(cache, 300);
    CHECK_INT(ours()->xPagecount(cache), 299);
    ours()->xTruncate(cache, 20);
    CHECK_INT(ours()->xPagecount(cache), 19);
    CHECK(is_there(cache, 19));
    CHECK(!get(cache, 20));
    make_unpinned(cache, LENT + 5, LENT + 5);
    ours()->xTruncate(cache, LENT + 6);
    CHECK(is_there(cache, LENT + 5));
    ours()->xTruncate(cache, LENT);
    CHECK_INT(ours()->xPagecount(cache), 19);
    ours()->xTruncate(cache, 1);
    CHECK_INT(ours()->xPagecount(cache), 0);
    ours()->xDestroy(cache);
}

TEST(pages_that_swapped_their_numbers_are_found_and_truncated_by_the_new_ones)
{
    sqlite3_pcache *cache = cache_of(1000);
    make_unpinned(cache, 1, 100);
    swap(cache, 40, 100);
    CHECK(holds(get(cache, 40), 100));
    CHECK(holds(get(cache, 100), 40));
    ours()->xTruncate(cache, 101);
    CHECK_INT(ours()->xPagecount(cache), 100);
    ours()->xTruncate(cache, 100);
    CHECK(!get(cache, 100));
    CHECK(holds(get(cache, 40), 100));
    make_unpinned(cache, 100, 101);
    swap(cache, 2, 100);
    ours()->xTruncate(cache, 101);
    CHECK(!get(cache, 101));
    CHECK(holds(get(cache, 100), 2));
    ours()->xDestroy(cache);
}

TEST(a_page_takes_the_place_of_the_one_whose_number_it_gets)
{
    sqlite3_pcache *cache = cache_of(100);
    make_unpinned(cache, 1, 10);
    sqlite3_pcache_page *page = get(cache, 3);
    ours()->xRekey(cache, page, 3, 8);
    CHECK_INT(ours()->xPagecount(cache), 9);
    CHECK(!get(cache, 3));
    CHECK(get(cache, 8) == page && holds(page, 3));
    ours()->xRekey(cache, page, 8, 8);
    CHECK(get(cache, 8) == page);
    ours()->xDestroy(cache);
}

/* Memory that ends. */

static sqlite3_mem_methods real;
static int allocations_left = -1;

static void *scarce(int n)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left -= allocations_left > 0;
    return real.xMalloc(n);
}

__attribute__((constructor)) static void make_memory_scarce(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
        abort();
    sqlite3_mem_methods own = real;
    own.xMalloc = scarce;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &own) != SQLITE_OK)
        abort();
}

TEST(without_memory_pages_that_nobody_holds_are_used_again)
{
    sqlite3_pcache *cache = cache_of(100000);
    make_unpinned(cache, 1, 200);
    int count = ours()->xPagecount(cache);
    allocations_left = 0;
    make_unpinned(cache, 1001, 3000);
    allocations_left = -1;
    CHECK(ours()->xPagecount(cache) >= count);
    CHECK(is_there(cache, 3000));
    CHECK(!get(cache, 1));
    ours()->xDestroy(cache);
}

TEST(without_memory_and_with_every_page_held_there_is_no_new_one)
{
    sqlite3_pcache *cache = cache_of(100);
    for (unsigned i = 1; i <= 8; i++)
        make(cache, i);
    allocations_left = 0;
    unsigned n = 9;
    while (n < 5000 && ours()->xFetch(cache, n, 2))
        n++;
    sqlite3_pcache *other = ours()->xCreate(PAGE, EXTRA, 1);
    allocations_left = 1;
    sqlite3_pcache *half = ours()->xCreate(PAGE, EXTRA, 1);
    allocations_left = -1;
    CHECK(n < 5000 && !other && !half);
    for (unsigned i = 1; i <= 8; i++)
        CHECK(holds(get(cache, i), i));
    CHECK(ours()->xFetch(cache, n, 2));
    ours()->xDestroy(cache);
}

/* A model: what each number's page holds, and whether it is pinned. */

struct model {
    sqlite3_pcache *cache;
    sqlite3_pcache_page *pinned[MODEL + 1];
    unsigned held[MODEL + 1]; /* stamp; 0: gone */
    uint64_t seed;
    unsigned stamp;
};

static unsigned draw(struct model *m, unsigned n)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(m->seed >> 33) % n;
}

static void model_fetch(struct model *m, unsigned at)
{
    sqlite3_pcache_page *page = get(m->cache, at);
    if (page)
        CHECK(m->held[at] && *(unsigned *)page->pBuf == m->held[at]);
    else
        CHECK(!m->pinned[at]);
    if (!page) {
        page = make(m->cache, at);
        *(unsigned *)page->pBuf = m->held[at] = ++m->stamp;
    }
    CHECK(!m->pinned[at] || m->pinned[at] == page);
    m->pinned[at] = page;
}

static void model_unpin(struct model *m, unsigned at)
{
    bool unwanted = draw(m, 8) == 0;
    if (m->pinned[at])
        ours()->xUnpin(m->cache, m->pinned[at], unwanted);
    if (m->pinned[at] && unwanted)
        m->held[at] = 0;
    m->pinned[at] = NULL;
}

static void model_renumber(struct model *m, unsigned from, unsigned to)
{
    if (!m->pinned[from] || m->pinned[to] || from == to)
        return;
    ours()->xRekey(m->cache, m->pinned[from], from, LENT);
    ours()->xRekey(m->cache, m->pinned[from], LENT, to);
    m->pinned[to] = m->pinned[from];
    m->held[to] = m->held[from];
    m->pinned[from] = NULL;
    m->held[from] = 0;
}

static void model_truncate(struct model *m, unsigned from)
{
    ours()->xTruncate(m->cache, from);
    for (unsigned i = from; i <= MODEL; i++) {
        CHECK(!get(m->cache, i));
        m->pinned[i] = NULL;
        m->held[i] = 0;
    }
}

TEST(whatever_is_done_in_whatever_order_a_page_found_is_the_page_that_was_put_there)
{
    struct model m = {.cache = cache_of(60), .seed = 5};
    for (int i = 0; i < 200000; i++) {
        unsigned what = draw(&m, 1000), at = 1 + draw(&m, MODEL), to = 1 + draw(&m, MODEL);
        if (what < 400)
            model_fetch(&m, at);
        else if (what < 900)
            model_unpin(&m, at);
        else if (what < 985)
            model_renumber(&m, at, to);
        else if (what < 995)
            model_truncate(&m, MODEL + 1 - draw(&m, draw(&m, 10) ? 20 : MODEL));
        else if (what < 998)
            ours()->xCachesize(m.cache, 20 + (int)draw(&m, 80));
        else
            ours()->xShrink(m.cache);
        int pinned = 0;
        for (unsigned n = 1; n <= MODEL; n++)
            pinned += m.pinned[n] != NULL;
        CHECK(ours()->xPagecount(m.cache) >= pinned);
        CHECK(ours()->xPagecount(m.cache) <= (pinned > 100 ? pinned : 100));
    }
    ours()->xDestroy(m.cache);
}

/* SQLite itself, with a cache of a few pages. */

static int64_t number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    CHECK_INT(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static void run(sqlite3 *handle, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(handle, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
}

#define SCATTERED                                                                                  \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "              \
    "INSERT OR REPLACE INTO t SELECT i * 7919 % 10007, i, zeroblob(i % 900) FROM n;"

static void use_heavily(const char *file)
{
    sqlite3 *handle = NULL;
    CHECK_INT(sqlite3_open(file, &handle), SQLITE_OK);
    run(handle, "PRAGMA journal_mode=WAL; PRAGMA cache_size=12; PRAGMA synchronous=OFF;"
                "CREATE TABLE t(k INTEGER PRIMARY KEY, i INTEGER, b BLOB); CREATE INDEX x ON t(b)");
    run(handle, "BEGIN;" SCATTERED "COMMIT; BEGIN; DELETE FROM t WHERE k % 2; ROLLBACK");
    CHECK_INT(number(handle, "SELECT count(*) FROM t"), 4000);
    run(handle, "BEGIN; SAVEPOINT s; UPDATE t SET b = zeroblob(1500) WHERE k % 3 = 0;"
                "ROLLBACK TO s; DELETE FROM t WHERE i > 3000; RELEASE s; COMMIT");
    CHECK_INT(number(handle, "SELECT count(*) FROM t"), 3000);
    CHECK_INT(number(handle, "SELECT sum(length(b)) FROM t"),
              number(handle, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                             "WHERE i < 3000) SELECT sum(i % 900) FROM n"));
    run(handle, "DELETE FROM t WHERE i > 100; VACUUM; PRAGMA shrink_memory; " SCATTERED);
    CHECK_INT(number(handle, "SELECT count(*) FROM t"), 4000);
    CHECK_INT(number(handle, "SELECT count(*) FROM pragma_integrity_check WHERE "
                             "integrity_check = 'ok'"),
              1);
    sqlite3_close(handle);
}

TEST(sqlite_works_on_it_with_few_pages_and_with_none_on_disk)
{
    char *dir = temp_dir(), *file = NULL, *message = NULL;
    CHECK_INT(sqlite3_shutdown(), SQLITE_OK);
    struct db *db = db_open(dir, DURABLE_PROCESS, &message); /* which makes ours the page cache */
    CHECK(db);
    db_close(db);
    sqlite3_pcache_methods2 in_use = {0};
    CHECK_INT(sqlite3_shutdown(), SQLITE_OK);
    CHECK_INT(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &in_use), SQLITE_OK);
    CHECK(in_use.xFetch == ours()->xFetch);
    CHECK(asprintf(&file, "%s/other.db", dir) > 0);
    use_heavily(file);
    use_heavily(":memory:");
    free(file);
    free(dir);
}

UNIT_MAIN
