/* app/idset.c - see idset.h. Open addressing, at most half full. */
#include "app/idset.h"

static struct idset_slot *slot_of(struct idset_slot *slots, size_t cap, str id)
{
    size_t i = str_hash(id) & (cap - 1);
    while (slots[i].id.p && !str_eq(slots[i].id, id))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

int idset_number(const struct idset *set, str id)
{
    if (!id.n || !set->cap)
        return -1;
    const struct idset_slot *slot = slot_of(set->slots, set->cap, id);
    return slot->id.p ? slot->number : -1;
}

bool idset_has(const struct idset *set, str id)
{
    return id.n && set->cap && slot_of(set->slots, set->cap, id)->id.p;
}

static void grow(struct idset *set)
{
    size_t cap = set->cap ? set->cap * 2 : 64;
    struct idset_slot *slots = arena_array(set->arena, cap, sizeof *slots);
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i].id.p)
            *slot_of(slots, cap, set->slots[i].id) = set->slots[i];
    set->slots = slots;
    set->cap = cap;
}

void idset_add(struct idset *set, str id, int number)
{
    if (!id.n || idset_has(set, id))
        return;
    if (set->n * 2 >= set->cap)
        grow(set);
    str kept = set->copies ? arena_copy(set->arena, id) : id;
    *slot_of(set->slots, set->cap, id) = (struct idset_slot){kept, number};
    set->n++;
}
