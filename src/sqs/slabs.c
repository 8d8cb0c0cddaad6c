/* sqs/slabs.c - messages in slabs: no malloc header on each of a million, and memory goes back when
 * a pool runs empty. One slab is kept, for a queue that fills and drains all day. */
#include <stdlib.h>

#include "sqs/engine.h"

enum { SLAB = 512 };

struct slab {
    struct slab *next;
    _Alignas(16) char items[];
};

static void carve(struct slabs *pool, struct slab *slab)
{
    for (size_t i = SLAB; i-- > 0;) {
        void **item = (void **)(void *)(slab->items + i * pool->size);
        *item = pool->free;
        pool->free = item;
    }
}

void *slabs_take(struct slabs *pool)
{
    if (!pool->free) {
        struct slab *slab = xalloc(sizeof *slab + SLAB * pool->size);
        slab->next = pool->chunks;
        pool->chunks = slab;
        carve(pool, slab);
    }
    void **item = pool->free;
    pool->free = *item;
    pool->live++;
    return item;
}

static void trim(struct slabs *pool)
{
    struct slab *kept = pool->chunks;
    while (kept->next) {
        struct slab *slab = kept->next;
        kept->next = slab->next;
        free(slab);
    }
    pool->free = NULL;
    carve(pool, kept);
}

void slabs_give(struct slabs *pool, void *item)
{
    *(void **)item = pool->free;
    pool->free = item;
    struct slab *newest = pool->chunks;
    if (--pool->live == 0 && newest->next)
        trim(pool);
}

void slabs_free(struct slabs *pool)
{
    for (struct slab *slab = pool->chunks, *next; slab; slab = next) {
        next = slab->next;
        free(slab);
    }
    *pool = (struct slabs){.size = pool->size};
}
