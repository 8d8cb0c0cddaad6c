/* api/upload_ring.h - a large body on its way through two stages, each on a pool thread, while the
 * loop receives more of it. Made for s3_upload.c, which knows what the stages do. */
#ifndef HEADRACE_API_UPLOAD_RING_H
#define HEADRACE_API_UPLOAD_RING_H

#include "api/call.h"

#define RING_BATCH ((size_t)256 * 1024) /* bytes handed on at once */

enum ring_stage { RING_DIGEST, RING_STORE, RING_STAGES };

struct ring;
struct ring_user {
    /* On pool threads, a stage on one at a time: all batches in their order. `last` comes once, the
     * bytes with it may be none. The loop itself stores the first batch. */
    void (*work[RING_STAGES])(void *user, str bytes, bool last);
    /* On the loop: the stage does not run now, so what it wrote can be read. */
    void (*rests)(void *user, enum ring_stage stage);
    /* On the loop, when it changes: full; or at the end and not done. */
    void (*busy)(void *user, bool busy);
    /* After ring_stop, when no stage runs any more: the ring is gone. */
    void (*stopped)(void *user);
};

/* `api` has an offload. `use` lives as long as the ring. */
struct ring *ring_new(struct api *api, const struct ring_user *use, void *user);
/* More of the body. A busy ring takes what is on its way to it, and grows. */
void ring_put(struct ring *ring, str chunk);
void ring_end(struct ring *ring);
/* Calls none but `stopped` from here on, at once when no stage runs. */
void ring_stop(struct ring *ring);

#endif
