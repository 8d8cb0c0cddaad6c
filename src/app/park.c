/* app/park.c - see park.h. A binary heap by deadline whose elements know their place, and a hash
 * table from queue to the list of its waiters. Lines stay in the table when they empty; they are
 * reused, and there is one a queue that ever waited. */
#include "app/park.h"

#include <stdlib.h>

struct line { /* the waiters of one queue */
    int64_t queue;
    struct parked *first, *last;
};

struct parks {
    struct parked **heap;
    size_t n, cap;
    struct line *lines; /* open addressing, a power of two, at most half full */
    size_t nlines, slots;
    uint64_t order;
};

struct parks *parks_new(void)
{
    return xalloc(sizeof(struct parks));
}

void parks_free(struct parks *parks)
{
    free(parks->heap);
    free(parks->lines);
    free(parks);
}

size_t parks_count(const struct parks *parks)
{
    return parks->n;
}

/* ---- deadlines ---- */

static bool before(const struct parked *a, const struct parked *b)
{
    return a->until != b->until ? a->until < b->until : a->order < b->order;
}

static void heap_place(struct parks *parks, size_t at, struct parked *parked)
{
    parks->heap[at] = parked;
    parked->at = at;
}

static void heap_up(struct parks *parks, size_t at, struct parked *parked)
{
    for (; at && before(parked, parks->heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap_place(parks, at, parks->heap[(at - 1) / 2]);
    heap_place(parks, at, parked);
}

static void heap_down(struct parks *parks, size_t at, struct parked *parked)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child + 1 < parks->n && before(parks->heap[child + 1], parks->heap[child]))
            child++;
        if (child >= parks->n || !before(parks->heap[child], parked))
            break;
        heap_place(parks, at, parks->heap[child]);
        at = child;
    }
    heap_place(parks, at, parked);
}

static void heap_insert(struct parks *parks, struct parked *parked)
{
    if (parks->n == parks->cap) {
        parks->cap = parks->cap ? parks->cap * 2 : 64;
        parks->heap = xrealloc(parks->heap, parks->cap * sizeof *parks->heap);
    }
    heap_up(parks, parks->n++, parked);
}

static void heap_remove(struct parks *parks, struct parked *parked)
{
    size_t at = parked->at;
    struct parked *last = parks->heap[--parks->n];
    if (last == parked)
        return;
    if (before(last, parked))
        heap_up(parks, at, last);
    else
        heap_down(parks, at, last);
}

/* ---- queues ---- */

static size_t slot_of(const struct parks *parks, int64_t queue)
{
    size_t slot = (size_t)((uint64_t)queue * 0x9e3779b97f4a7c15u >> 32) & (parks->slots - 1);
    while (parks->lines[slot].queue && parks->lines[slot].queue != queue)
        slot = (slot + 1) & (parks->slots - 1);
    return slot;
}

static void lines_grow(struct parks *parks)
{
    struct line *old = parks->lines;
    size_t n = parks->slots;
    parks->slots = n ? n * 2 : 64;
    parks->lines = xalloc(parks->slots * sizeof *parks->lines);
    for (size_t i = 0; i < n; i++)
        if (old[i].queue)
            parks->lines[slot_of(parks, old[i].queue)] = old[i];
    free(old);
}

static struct line *line_of(struct parks *parks, int64_t queue)
{
    if (parks->nlines * 2 >= parks->slots)
        lines_grow(parks);
    struct line *line = &parks->lines[slot_of(parks, queue)];
    if (!line->queue) {
        line->queue = queue;
        parks->nlines++;
    }
    return line;
}

static void line_remove(struct line *line, struct parked *parked)
{
    if (parked->prev)
        parked->prev->next = parked->next;
    else
        line->first = parked->next;
    if (parked->next)
        parked->next->prev = parked->prev;
    else
        line->last = parked->prev;
}

static void start(struct parks *parks, struct parked *parked, int64_t queue, msec until)
{
    *parked = (struct parked){.queue = queue, .until = until, .order = ++parks->order};
    heap_insert(parks, parked);
}

void park_add(struct parks *parks, struct parked *parked, int64_t queue, msec until)
{
    start(parks, parked, queue, until);
    struct line *line = line_of(parks, queue);
    parked->prev = line->last;
    *(line->last ? &line->last->next : &line->first) = parked;
    line->last = parked;
}

void park_add_first(struct parks *parks, struct parked *parked, int64_t queue, msec until)
{
    start(parks, parked, queue, until);
    struct line *line = line_of(parks, queue);
    parked->next = line->first;
    *(line->first ? &line->first->prev : &line->last) = parked;
    line->first = parked;
}

void park_remove(struct parks *parks, struct parked *parked)
{
    if (!parked->queue)
        return;
    heap_remove(parks, parked);
    line_remove(&parks->lines[slot_of(parks, parked->queue)], parked);
    parked->queue = 0;
}

struct parked *park_first(const struct parks *parks, int64_t queue)
{
    return parks->slots ? parks->lines[slot_of(parks, queue)].first : NULL;
}

struct parked *park_earliest(const struct parks *parks)
{
    return parks->n ? parks->heap[0] : NULL;
}

msec park_next_due(const struct parks *parks)
{
    return parks->n ? parks->heap[0]->until : INT64_MAX;
}
