/* app/idset.h - a set of identities, each with a small number: what an answer of the trace hangs
 * together by. Grows in an arena; nothing is taken out. */
#ifndef HEADRACE_APP_IDSET_H
#define HEADRACE_APP_IDSET_H

#include "base/arena.h"

struct idset_slot {
    str id;
    int number;
};

struct idset {
    struct arena *arena;
    bool copies; /* ids are copied into the arena; else they are borrowed */
    struct idset_slot *slots;
    size_t n, cap;
};

/* False for an absent or empty id, too. */
bool idset_has(const struct idset *set, str id);
/* Its number; -1 when it isn't there. */
int idset_number(const struct idset *set, str id);
/* Does nothing when it is there, or empty. */
void idset_add(struct idset *set, str id, int number);

#endif
