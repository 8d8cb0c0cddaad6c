/* store/blob_pin.c - bodies that are read over many turns. A deleted body's file is unlinked at the
 * end of its turn, unless a pin has its number; the pin then remembers it, and lets the next turn
 * decide when it ends. A body that is a row becomes such a file when it is deleted, for the row
 * goes with its transaction. After a crash the sweep at the start finds what was left. */
#include "store/blob_internal.h"

#include <stdlib.h>
#include <string.h>

struct blob_pin {
    struct blobs *blobs;
    struct blob_pin *next, **link;
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

struct blob_pin *blob_pin(struct blobs *blobs, const int64_t *ids, size_t n)
{
    struct blob_pin *pin = xalloc(sizeof *pin + n * sizeof *ids);
    *pin = (struct blob_pin){.blobs = blobs, .next = blobs->pins, .link = &blobs->pins, .n = n};
    memcpy(pin->ids, ids, n * sizeof *ids);
    qsort(pin->ids, n, sizeof *ids, compare);
    if (pin->next)
        pin->next->link = &pin->next;
    blobs->pins = pin;
    return pin;
}

static void spare(struct blob_pin *pin, int64_t id)
{
    if (pin->nspared == pin->cap) {
        pin->cap = pin->cap ? pin->cap * 2 : 16;
        pin->spared = xrealloc(pin->spared, pin->cap * sizeof *pin->spared);
    }
    pin->spared[pin->nspared++] = id;
}

static struct blob_pin *pin_of(struct blobs *blobs, int64_t id)
{
    struct blob_pin *pin = blobs->pins;
    while (pin && !bsearch(&id, pin->ids, pin->n, sizeof id, compare))
        pin = pin->next;
    return pin;
}

bool blob_has_pin(struct blobs *blobs, int64_t id)
{
    return pin_of(blobs, id) != NULL;
}

bool blob_pinned(struct blobs *blobs, int64_t id)
{
    struct blob_pin *pin = pin_of(blobs, id);
    if (pin)
        spare(pin, id);
    return pin != NULL;
}

void blob_pin_rescue(struct blobs *blobs, int64_t id)
{
    if (!pin_of(blobs, id))
        return;
    struct stmt *stmt = db_sql(blobs->db, "SELECT data FROM blob WHERE id = ?");
    struct blob_sink *sink = blob_sink_open(blobs);
    bind_int(stmt, 1, id);
    blob_touch(blobs, id);
    if (stmt_row(stmt) && blob_file_create(sink)) {
        /* Should the disk be full, whoever reads it is cut off. */
        (void)(blob_file_write(sink->fd, col_str(stmt, 0)) && blob_file_place(sink, id));
        blob_file_discard(sink);
    }
    stmt_done(stmt);
    free(sink);
}

int blob_pin_fd(struct blob_pin *pin, int64_t id)
{
    return blob_has_row(pin->blobs, id) ? blob_fd(pin->blobs, id)
                                        : blob_file_open(pin->blobs, id, -1);
}

void blob_pin_end(struct blob_pin *pin)
{
    *pin->link = pin->next;
    if (pin->next)
        pin->next->link = pin->link;
    for (size_t i = 0; i < pin->nspared; i++)
        blob_touch(pin->blobs, pin->spared[i]);
    free(pin->spared);
    free(pin);
}
