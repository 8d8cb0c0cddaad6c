/* api/upload_ring.c - see upload_ring.h.
 *
 * Batches go round a ring: the loop fills the one after `filled` and then counts it there; each
 * stage takes what lies between its `done` and `filled`, and counts it in `done`. All may read what
 * lies between, and nobody writes there: that is all the synchronisation there is. A stage goes on
 * as long as it finds batches, for waking it takes a quarter of the time of digesting one; only
 * when the loop is stopped by a full ring it comes back a batch early, so that all have something
 * to do. The first batch is stored on the loop, where files are made. */
#include "api/upload_ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 6 }; /* with the one being filled */

struct batch {
    char *p;
    size_t n, cap;
    bool last;
};

struct stage {
    struct ring *ring;
    enum ring_stage which;
    _Atomic size_t done; /* batches so far */
    bool running;        /* on a pool thread */
};

struct ring {
    struct api *api;
    const struct ring_user *use;
    void *user;
    struct batch batches[BATCHES];
    struct stage stages[RING_STAGES];
    _Atomic size_t filled; /* batches so far */
    atomic_bool waiting;   /* the loop can fill no more */
    bool ending, ended;    /* the last batch is due; it is filled */
    bool busy, stopped;
};

struct ring *ring_new(struct api *api, const struct ring_user *use, void *user)
{
    struct ring *ring = xalloc(sizeof *ring);
    ring->api = api;
    ring->use = use;
    ring->user = user;
    for (int i = 0; i < RING_STAGES; i++) {
        ring->stages[i].ring = ring;
        ring->stages[i].which = (enum ring_stage)i;
    }
    return ring;
}

static void ring_free(struct ring *ring)
{
    for (int i = 0; i < BATCHES; i++)
        free(ring->batches[i].p);
    free(ring);
}

static void work(struct ring *ring, enum ring_stage stage, const struct batch *batch)
{
    ring->use->work[stage](ring->user, (str){batch->p ? batch->p : "", batch->n}, batch->last);
}

static void stage_run(void *arg)
{
    struct stage *stage = arg;
    struct ring *ring = stage->ring;
    size_t at = stage->done, left = ring->filled - at;
    while (left) {
        work(ring, stage->which, &ring->batches[at % BATCHES]);
        stage->done = ++at;
        left = ring->filled - at;
        if (left == 1 && ring->waiting)
            break;
    }
}

static bool is_running(const struct ring *ring)
{
    return ring->stages[RING_DIGEST].running || ring->stages[RING_STORE].running;
}

static void end_if_stopped(struct ring *ring)
{
    if (is_running(ring))
        return;
    void (*stopped)(void *user) = ring->use->stopped;
    void *user = ring->user;
    ring_free(ring);
    stopped(user);
}

static void pump(struct ring *ring);

static void stage_done(void *arg)
{
    struct stage *stage = arg;
    struct ring *ring = stage->ring;
    stage->running = false;
    if (ring->stopped) {
        end_if_stopped(ring);
        return;
    }
    ring->use->rests(ring->user, stage->which);
    pump(ring);
}

static void wake(struct stage *stage)
{
    struct ring *ring = stage->ring;
    if (stage->running || ring->filled == stage->done)
        return;
    stage->running = true;
    ring->api->offload(ring->api->offload_user, stage_run, stage_done, stage);
}

static struct batch *front_of(struct ring *ring)
{
    return &ring->batches[ring->filled % BATCHES];
}

/* Whether there is one for the front after this one. */
static bool has_room(const struct ring *ring)
{
    size_t digested = ring->stages[RING_DIGEST].done, stored = ring->stages[RING_STORE].done;
    return ring->filled + 1 - (digested < stored ? digested : stored) < BATCHES;
}

static void store_first(struct ring *ring)
{
    work(ring, RING_STORE, &ring->batches[0]);
    ring->stages[RING_STORE].done = 1;
    ring->use->rests(ring->user, RING_STORE);
}

static void hand_on(struct ring *ring)
{
    struct batch *front = front_of(ring);
    front->last = ring->ended = ring->ending;
    if (!ring->filled)
        store_first(ring);
    ring->batches[(ring->filled + 1) % BATCHES].n = 0;
    ring->filled++;
}

/* Last of all, for whoever is told may stop the ring. */
static void set_busy(struct ring *ring, bool busy)
{
    bool changes = ring->busy != busy;
    ring->waiting = busy;
    ring->busy = busy;
    if (changes)
        ring->use->busy(ring->user, busy);
}

/* Gives the stages their next batch, and says whether the loop must wait for them. */
static void pump(struct ring *ring)
{
    bool due = !ring->ended && (ring->ending || front_of(ring)->n >= RING_BATCH);
    if (due && has_room(ring)) {
        due = false;
        hand_on(ring);
    }
    wake(&ring->stages[RING_DIGEST]);
    wake(&ring->stages[RING_STORE]);
    set_busy(ring, due || (ring->ending && is_running(ring)));
}

void ring_put(struct ring *ring, str chunk)
{
    struct batch *batch = front_of(ring);
    if (batch->cap - batch->n < chunk.n) {
        size_t need = batch->n + chunk.n;
        batch->cap = need > RING_BATCH ? need : RING_BATCH + RING_BATCH / 4;
        batch->p = xrealloc(batch->p, batch->cap);
    }
    memcpy(batch->p + batch->n, chunk.p, chunk.n);
    batch->n += chunk.n;
    pump(ring);
}

void ring_end(struct ring *ring)
{
    ring->ending = true;
    pump(ring);
}

void ring_stop(struct ring *ring)
{
    ring->stopped = true;
    end_if_stopped(ring);
}
