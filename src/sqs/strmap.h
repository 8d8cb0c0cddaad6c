/* sqs/strmap.h - a hash table by text. Entries live inside their owners, which also own the key's
 * bytes. */
#ifndef HEADRACE_SQS_STRMAP_H
#define HEADRACE_SQS_STRMAP_H

#include "base/str.h"

struct strmap_entry {
    struct strmap_entry *next;
    uint64_t hash;
    str key;
};

struct strmap {
    struct strmap_entry **buckets;
    size_t n, cap; /* cap is a power of two, or 0 */
};

struct strmap_entry *strmap_find(const struct strmap *map, str key);
/* `entry->key` is set by the caller and not in the map yet. */
void strmap_add(struct strmap *map, struct strmap_entry *entry);
void strmap_remove(struct strmap *map, struct strmap_entry *entry);
/* Hands every entry to `drop`, which may free its owner, then frees the table. */
void strmap_free(struct strmap *map, void (*drop)(struct strmap_entry *entry));

#endif
