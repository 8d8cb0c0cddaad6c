/* app/park.h - requests that wait for a message: long polls. Each waits on one queue, first come
 * first served, until a deadline in virtual time. Nothing is polled: a queue that becomes ready
 * asks for its first waiter, a due timer for the most overdue one. */
#ifndef HEADRACE_APP_PARK_H
#define HEADRACE_APP_PARK_H

#include "base/ctx.h"

struct parks;

/* Embedded in whoever waits; `queue` 0 when not parked. */
struct parked {
    int64_t queue;
    msec until;
    uint64_t order; /* among equal deadlines: who came first */
    size_t at;      /* place in the heap */
    struct parked *next, *prev;
};

struct parks *parks_new(void);
void parks_free(struct parks *parks);
size_t parks_count(const struct parks *parks);

/* Behind all who wait on `queue` (which is not 0), or before them: for one who was asked, found
 * nothing, and keeps his place. */
void park_add(struct parks *parks, struct parked *parked, int64_t queue, msec until);
void park_add_first(struct parks *parks, struct parked *parked, int64_t queue, msec until);
/* No-op when not parked. */
void park_remove(struct parks *parks, struct parked *parked);
/* Who waits longest on `queue`, or NULL. */
struct parked *park_first(const struct parks *parks, int64_t queue);
/* Whose deadline is earliest, or NULL. */
struct parked *park_earliest(const struct parks *parks);
/* That deadline, INT64_MAX when nobody waits. */
msec park_next_due(const struct parks *parks);

#endif
