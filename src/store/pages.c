/* store/pages.c - see pages.h.
 *
 * What makes this safe:
 *  - A page is found by the number it was fetched or renumbered with, and by no other; pinned from
 * the fetch on, it is neither moved nor given to another number until SQLite unpins it, whatever
 * the limit says.
 *  - The one that `last` names aside, no page has a number above `before`. So a truncation above
 * `last` finds nothing, and a page that is lent a great number and given back its own leaves no
 * trace.
 *  - `pinned` counts what the clock's hand must pass by: it is set going only when there is a page
 * that it may take. */
#include "store/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_SLOTS = 64, FIRST_CHUNK = 8, GREATEST_CHUNK = 256, ALIGNED = 4096, HEAD_ALIGNED = 64 };

struct page {
    sqlite3_pcache_page base; /* first; SQLite's own bytes of the page come after this struct */
    struct page *next;        /* in its slot, or unused */
    unsigned char *mark;
    unsigned number;
};

/* Marks of a page. They lie together, apart from the heads: the hand passes by many. */
enum { AGAIN = 1 /* it was used, since the hand came by */, PINNED = 2, UNUSED = 4 };

/* Pages are made many at a time: their bytes, this, their heads, their marks. */
struct chunk {
    struct chunk *next;
    void *memory;
    char *heads;
    unsigned char *marks;
    unsigned n;
};

_Static_assert(sizeof(struct chunk) <= HEAD_ALIGNED, "heads begin after it");

struct pages {
    unsigned page_bytes, extra_bytes, head_bytes;
    bool purgeable;
    unsigned most;
    unsigned count, pinned; /* of them */
    unsigned last, before;
    struct page **slots; /* by number; a power of two of them */
    unsigned slot_count;
    struct page *unused;
    struct chunk *chunks, *hand;
    unsigned hand_at;
};

static struct pages *pages_of(sqlite3_pcache *cache)
{
    return (struct pages *)(void *)cache;
}

static struct page *page_of(sqlite3_pcache_page *base)
{
    return (struct page *)(void *)base;
}

static struct page *page_at(const struct pages *pages, const struct chunk *chunk, unsigned i)
{
    return (struct page *)(void *)(chunk->heads + (size_t)i * pages->head_bytes);
}

/* Numbers. */

static struct page **slot_of(const struct pages *pages, unsigned number)
{
    return &pages->slots[number & (pages->slot_count - 1)];
}

static struct page *find(const struct pages *pages, unsigned number)
{
    struct page *page = *slot_of(pages, number);
    while (page && page->number != number)
        page = page->next;
    return page;
}

static void put(struct pages *pages, struct page *page, unsigned number)
{
    struct page **slot = slot_of(pages, number);
    page->number = number;
    page->next = *slot;
    *slot = page;
    if (number > pages->last) {
        pages->before = pages->last;
        pages->last = number;
    } else if (number < pages->last && number > pages->before) {
        pages->before = number;
    }
}

static void take(struct pages *pages, struct page *page)
{
    struct page **at = slot_of(pages, page->number);
    while (*at != page)
        at = &(*at)->next;
    *at = page->next;
    if (page->number == pages->last)
        pages->last = pages->before;
}

/* Without memory for more slots each just holds more. */
static void grow_slots(struct pages *pages)
{
    unsigned n = pages->slot_count * 2;
    struct page **slots = sqlite3_malloc64(n * sizeof(struct page *));
    if (!slots)
        return;
    memset(slots, 0, n * sizeof(struct page *));
    for (unsigned i = 0; i < pages->slot_count; i++)
        for (struct page *page = pages->slots[i], *next; page; page = next) {
            next = page->next;
            page->next = slots[page->number & (n - 1)];
            slots[page->number & (n - 1)] = page;
        }
    sqlite3_free(pages->slots);
    pages->slots = slots;
    pages->slot_count = n;
}

/* Memory. */

static unsigned round_up(unsigned n, unsigned to)
{
    return (n + to - 1) / to * to;
}

static void make_unused(struct pages *pages, struct page *page)
{
    *page->mark = UNUSED;
    page->next = pages->unused;
    pages->unused = page;
}

static void divide(struct pages *pages, struct chunk *chunk, char *bytes)
{
    for (unsigned i = chunk->n; i--;) {
        struct page *page = page_at(pages, chunk, i);
        *page = (struct page){.base = {bytes + (size_t)i * pages->page_bytes, page + 1},
                              .mark = chunk->marks + i};
        make_unused(pages, page);
    }
}

/* A buffer is always followed by something of ours: SQLite may read a few bytes too far in a
 * damaged page. */
static bool add_chunk(struct pages *pages)
{
    unsigned n = pages->chunks ? pages->chunks->n * 2 : FIRST_CHUNK;
    n = n > GREATEST_CHUNK ? GREATEST_CHUNK : n;
    size_t bytes = (size_t)n * pages->page_bytes;
    size_t whole = ALIGNED + bytes + HEAD_ALIGNED + (size_t)n * (pages->head_bytes + 1);
    char *memory = sqlite3_malloc64(whole);
    if (!memory)
        return false;
    char *start = memory + (-(uintptr_t)memory & (ALIGNED - 1));
    struct chunk *chunk = (struct chunk *)(void *)(start + bytes);
    char *heads = start + bytes + HEAD_ALIGNED;
    *chunk = (struct chunk){pages->chunks, memory, heads,
                            (unsigned char *)heads + (size_t)n * pages->head_bytes, n};
    pages->chunks = chunk;
    divide(pages, chunk, start);
    return true;
}

static void free_chunks(struct pages *pages)
{
    for (struct chunk *chunk = pages->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        sqlite3_free(chunk->memory);
    }
    pages->chunks = pages->hand = NULL;
    pages->unused = NULL;
}

static void discard(struct pages *pages, struct page *page)
{
    take(pages, page);
    pages->count--;
    pages->pinned -= (*page->mark & PINNED) != 0;
    make_unused(pages, page);
}

/* Discards a page that was not used for a while. There is one that is not pinned. */
static void discard_old(struct pages *pages)
{
    for (;;) {
        if (!pages->hand || pages->hand_at == pages->hand->n) {
            pages->hand = pages->hand && pages->hand->next ? pages->hand->next : pages->chunks;
            pages->hand_at = 0;
        }
        unsigned at = pages->hand_at++;
        if (pages->hand->marks[at] == 0) {
            discard(pages, page_at(pages, pages->hand, at));
            return;
        }
        if (!(pages->hand->marks[at] & PINNED))
            pages->hand->marks[at] &= (unsigned char)~AGAIN;
    }
}

static void discard_to(struct pages *pages, unsigned most)
{
    while (pages->count > most && pages->count > pages->pinned)
        discard_old(pages);
}

static struct page *add(struct pages *pages, unsigned number)
{
    if (pages->count * 2 >= pages->slot_count)
        grow_slots(pages);
    if (pages->purgeable && pages->count >= pages->most)
        discard_to(pages, pages->most ? pages->most - 1 : 0);
    if (!pages->unused && !add_chunk(pages) && pages->count > pages->pinned)
        discard_old(pages);
    struct page *page = pages->unused;
    if (!page)
        return NULL;
    pages->unused = page->next;
    memset(page->base.pExtra, 0, pages->extra_bytes);
    *page->mark = PINNED;
    pages->pinned++;
    pages->count++;
    put(pages, page, number);
    return page;
}

/* What SQLite calls. */

static int on_init(void *arg)
{
    (void)arg;
    return SQLITE_OK;
}

static sqlite3_pcache *on_create(int page_bytes, int extra_bytes, int purgeable)
{
    struct pages *pages = sqlite3_malloc64(sizeof *pages);
    struct page **slots = sqlite3_malloc64(FIRST_SLOTS * sizeof(struct page *));
    if (!pages || !slots) {
        sqlite3_free(pages);
        sqlite3_free(slots);
        return NULL;
    }
    memset(slots, 0, FIRST_SLOTS * sizeof(struct page *));
    *pages = (struct pages){.page_bytes = (unsigned)page_bytes,
                            .extra_bytes = (unsigned)extra_bytes,
                            .purgeable = purgeable != 0,
                            .slots = slots,
                            .slot_count = FIRST_SLOTS};
    pages->head_bytes = round_up((unsigned)sizeof(struct page) + pages->extra_bytes, HEAD_ALIGNED);
    return (sqlite3_pcache *)(void *)pages;
}

static void on_size(sqlite3_pcache *cache, int most)
{
    struct pages *pages = pages_of(cache);
    pages->most = most > 0 ? (unsigned)most : 0;
    if (pages->purgeable)
        discard_to(pages, pages->most);
}

static int on_count(sqlite3_pcache *cache)
{
    return (int)pages_of(cache)->count;
}

/* SQLite had better write out some of what it holds first. */
static bool crowded(const struct pages *pages)
{
    return pages->purgeable && pages->pinned >= pages->most - pages->most / 10;
}

/* create: 0 never, 1 unless crowded, 2 always. */
static sqlite3_pcache_page *on_fetch(sqlite3_pcache *cache, unsigned number, int create)
{
    struct pages *pages = pages_of(cache);
    struct page *page = find(pages, number);
    if (page) {
        pages->pinned += !(*page->mark & PINNED);
        *page->mark = PINNED | AGAIN;
        return &page->base;
    }
    if (create == 0 || (create == 1 && crowded(pages)))
        return NULL;
    page = add(pages, number);
    return page ? &page->base : NULL;
}

static void on_unpin(sqlite3_pcache *cache, sqlite3_pcache_page *base, int unwanted)
{
    struct pages *pages = pages_of(cache);
    struct page *page = page_of(base);
    if (unwanted || (pages->purgeable && pages->count > pages->most)) {
        discard(pages, page);
        return;
    }
    pages->pinned -= (*page->mark & PINNED) != 0;
    *page->mark &= (unsigned char)~PINNED;
}

static void on_renumber(sqlite3_pcache *cache, sqlite3_pcache_page *base, unsigned from,
                        unsigned to)
{
    struct pages *pages = pages_of(cache);
    struct page *there = find(pages, to);
    (void)from;
    if (there == page_of(base))
        return;
    if (there)
        discard(pages, there);
    take(pages, page_of(base));
    put(pages, page_of(base), to);
}

static void truncate_slot(struct pages *pages, struct page *page, unsigned from)
{
    for (struct page *next; page; page = next) {
        next = page->next;
        if (page->number >= from)
            discard(pages, page);
    }
}

static void on_truncate(sqlite3_pcache *cache, unsigned from)
{
    struct pages *pages = pages_of(cache);
    if (from > pages->last)
        return;
    unsigned beyond = pages->last - from + 1, n = pages->slot_count;
    for (unsigned i = 0; i < (beyond < n ? beyond : n); i++)
        truncate_slot(pages, *slot_of(pages, from + i), from);
    pages->last = from ? from - 1 : 0;
    pages->before = pages->before < pages->last ? pages->before : pages->last;
}

static void on_destroy(sqlite3_pcache *cache)
{
    struct pages *pages = pages_of(cache);
    free_chunks(pages);
    sqlite3_free(pages->slots);
    sqlite3_free(pages);
}

static void on_shrink(sqlite3_pcache *cache)
{
    struct pages *pages = pages_of(cache);
    discard_to(pages, 0);
    if (pages->count == 0)
        free_chunks(pages);
}

const sqlite3_pcache_methods2 *pages_methods(void)
{
    static const sqlite3_pcache_methods2 methods = {
        .iVersion = 1,
        .xInit = on_init,
        .xCreate = on_create,
        .xCachesize = on_size,
        .xPagecount = on_count,
        .xFetch = on_fetch,
        .xUnpin = on_unpin,
        .xRekey = on_renumber,
        .xTruncate = on_truncate,
        .xDestroy = on_destroy,
        .xShrink = on_shrink,
    };
    return &methods;
}
