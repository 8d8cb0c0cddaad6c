/* store/blob_hold.c - files that are read over many turns. A deleted body's file is unlinked at the
 * end of its turn, unless a hold has its number; the hold then remembers it, and lets the next turn
 * decide when it ends. After a crash the sweep at the start finds what was left. */
#include "store/blob_internal.h"

#include <stdlib.h>
#include <string.h>

struct blob_hold {
    struct blobs *blobs;
    struct blob_hold *next, **link;
    int64_t *spared; /* files that would be gone but for us */
    size_t nspared, cap;
    size_t n;
    int64_t ids[]; /* ascending */
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct blob_hold *blob_hold(struct blobs *blobs, const int64_t *ids, size_t n)
{
    struct blob_hold *hold = xalloc(sizeof *hold + n * sizeof *ids);
    *hold = (struct blob_hold){.blobs = blobs, .next = blobs->holds, .link = &blobs->holds, .n = n};
    memcpy(hold->ids, ids, n * sizeof *ids);
    qsort(hold->ids, n, sizeof *ids, compare);
    if (hold->next)
        hold->next->link = &hold->next;
    blobs->holds = hold;
    return hold;
}

static void spare(struct blob_hold *hold, int64_t id)
{
    if (hold->nspared == hold->cap) {
        hold->cap = hold->cap ? hold->cap * 2 : 16;
        hold->spared = xrealloc(hold->spared, hold->cap * sizeof *hold->spared);
    }
    hold->spared[hold->nspared++] = id;
}

bool blob_held(struct blobs *blobs, int64_t id)
{
    for (struct blob_hold *hold = blobs->holds; hold; hold = hold->next)
        if (bsearch(&id, hold->ids, hold->n, sizeof id, compare)) {
            spare(hold, id);
            return true;
        }
    return false;
}

int blob_hold_fd(struct blob_hold *hold, int64_t id)
{
    return blob_has_row(hold->blobs, id) ? blob_fd(hold->blobs, id)
                                         : blob_file_open(hold->blobs, id, -1);
}

void blob_hold_end(struct blob_hold *hold)
{
    *hold->link = hold->next;
    if (hold->next)
        hold->next->link = hold->link;
    for (size_t i = 0; i < hold->nspared; i++)
        blob_touch(hold->blobs, hold->spared[i]);
    free(hold->spared);
    free(hold);
}
