/* sqs/strmap.c - see strmap.h. Chained; doubles when it holds as many entries as buckets. */
#include "sqs/strmap.h"

#include <stdlib.h>

#include "base/arena.h"

struct strmap_entry *strmap_find(const struct strmap *map, str key)
{
    if (!map->cap)
        return NULL;
    uint64_t hash = str_hash(key);
    struct strmap_entry *entry = map->buckets[hash & (map->cap - 1)];
    while (entry && (entry->hash != hash || !str_eq(entry->key, key)))
        entry = entry->next;
    return entry;
}

static void put(struct strmap *map, struct strmap_entry *entry)
{
    struct strmap_entry **bucket = &map->buckets[entry->hash & (map->cap - 1)];
    entry->next = *bucket;
    *bucket = entry;
}

static void grow(struct strmap *map)
{
    struct strmap old = *map;
    map->cap = old.cap ? old.cap * 2 : 8;
    map->buckets = xalloc(map->cap * sizeof(struct strmap_entry *));
    for (size_t i = 0; i < old.cap; i++) {
        for (struct strmap_entry *entry = old.buckets[i], *next; entry; entry = next) {
            next = entry->next;
            put(map, entry);
        }
    }
    free(old.buckets);
}

void strmap_add(struct strmap *map, struct strmap_entry *entry)
{
    if (map->n == map->cap)
        grow(map);
    entry->hash = str_hash(entry->key);
    put(map, entry);
    map->n++;
}

void strmap_remove(struct strmap *map, struct strmap_entry *entry)
{
    struct strmap_entry **at = &map->buckets[entry->hash & (map->cap - 1)];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    map->n--;
}

void strmap_free(struct strmap *map, void (*drop)(struct strmap_entry *entry))
{
    for (size_t i = 0; i < map->cap; i++) {
        for (struct strmap_entry *entry = map->buckets[i], *next; entry; entry = next) {
            next = entry->next;
            drop(entry);
        }
    }
    free(map->buckets);
    *map = (struct strmap){0};
}
