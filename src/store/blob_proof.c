/* store/blob_proof.c - is a large body still what was stored? Nobody below notices a bit that flips
 * in a file, and a client that asks for no checksum would not either. So a file is compared with
 * its sum before it is first read, once in a process, and again when it was touched since: reading
 * all of it each time would halve the speed of downloads. What this process wrote itself counts as
 * compared. Small bodies are compared at every read (blob_read). */
#include "store/blob_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#ifdef HEADRACE_XXH3_DISPATCHES
#include <xxh_x86dispatch.h>
#endif

enum { FIRST_SLOTS = 64, STEP = 256 * 1024 };

struct proved {
    struct proved *next; /* in its slot */
    int64_t id, touched; /* the file's last change when it was compared */
};

struct blob_proof {
    struct blobs *blobs;
    int64_t id, size, sum, touched;
    int fd;
    bool good;
};

/* What is remembered. */

static struct proved **slot_of(const struct blobs *blobs, int64_t id)
{
    return &blobs->proved[(size_t)id & (blobs->proved_slots - 1)];
}

static struct proved **find(const struct blobs *blobs, int64_t id)
{
    struct proved **at = slot_of(blobs, id);
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void grow(struct blobs *blobs)
{
    size_t n = blobs->proved_slots;
    struct proved **old = blobs->proved;
    blobs->proved_slots = n ? n * 2 : FIRST_SLOTS;
    blobs->proved = xalloc(blobs->proved_slots * sizeof(struct proved *));
    memset(blobs->proved, 0, blobs->proved_slots * sizeof(struct proved *));
    for (size_t i = 0; i < n; i++)
        for (struct proved *one = old[i], *next; one; one = next) {
            next = one->next;
            one->next = *slot_of(blobs, one->id);
            *slot_of(blobs, one->id) = one;
        }
    free(old);
}

static int64_t touched_at(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void remember(struct blobs *blobs, int64_t id, int64_t touched)
{
    if (blobs->nproved >= blobs->proved_slots)
        grow(blobs);
    struct proved **at = find(blobs, id);
    if (!*at) {
        *at = xalloc(sizeof **at);
        **at = (struct proved){.id = id};
        blobs->nproved++;
    }
    (*at)->touched = touched;
}

void blob_proof_written(struct blobs *blobs, int64_t id, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0)
        remember(blobs, id, touched_at(&st));
}

void blob_proof_forget(struct blobs *blobs, int64_t id)
{
    struct proved **at = blobs->proved ? find(blobs, id) : NULL, *one = at ? *at : NULL;
    if (!one)
        return;
    *at = one->next;
    free(one);
    blobs->nproved--;
}

void blob_proofs_free(struct blobs *blobs)
{
    for (size_t i = 0; i < blobs->proved_slots; i++)
        while (blobs->proved[i]) {
            struct proved *one = blobs->proved[i];
            blobs->proved[i] = one->next;
            free(one);
        }
    free(blobs->proved);
}

static bool remembered(const struct blobs *blobs, int64_t id, const struct stat *st)
{
    struct proved *one = blobs->proved ? *find(blobs, id) : NULL;
    return one && one->touched == touched_at(st);
}

/* Comparing. */

/* False: there is nothing to compare with. */
static bool sum_of(struct blobs *blobs, int64_t id, int64_t *size, int64_t *sum)
{
    struct stmt *stmt = db_sql(
        blobs->db, "SELECT size, sum FROM blob WHERE id = ? AND data IS NULL AND sum IS NOT NULL");
    bind_int(stmt, 1, id);
    bool there = stmt_row(stmt);
    *size = there ? col_int(stmt, 0) : 0;
    *sum = there ? col_int(stmt, 1) : 0;
    stmt_done(stmt);
    return there;
}

struct blob_proof *blob_proof_begin(struct blobs *blobs, int64_t id)
{
    struct stat st;
    struct blob_proof proof = {.blobs = blobs, .id = id};
    if (!sum_of(blobs, id, &proof.size, &proof.sum))
        return NULL;
    proof.fd = blob_file_open(blobs, id, proof.size);
    if (proof.fd < 0)
        return NULL;
    if (fstat(proof.fd, &st) || remembered(blobs, id, &st)) {
        close(proof.fd);
        return NULL;
    }
    proof.touched = touched_at(&st);
    struct blob_proof *begun = xalloc(sizeof *begun);
    *begun = proof;
    return begun;
}

void blob_proof_run(struct blob_proof *proof)
{
    XXH3_state_t *state = XXH3_createState();
    char *bytes = xalloc(STEP);
    int64_t at = 0;
    bool good = state && XXH3_64bits_reset(state) == XXH_OK;
    while (good && at < proof->size) {
        size_t n = proof->size - at < STEP ? (size_t)(proof->size - at) : STEP;
        good = blob_file_read(proof->fd, bytes, n, at);
        if (good)
            XXH3_64bits_update(state, bytes, n);
        at += (int64_t)n;
    }
    proof->good = good && (int64_t)XXH3_64bits_digest(state) == proof->sum;
    free(bytes);
    XXH3_freeState(state);
}

bool blob_proof_end(struct blob_proof *proof)
{
    bool good = proof->good;
    if (good)
        remember(proof->blobs, proof->id, proof->touched);
    close(proof->fd);
    free(proof);
    return good;
}

static err give_up(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "UPDATE blob SET sum = NULL WHERE id = ?");
    bind_int(stmt, 1, id);
    return stmt_run(stmt);
}

static int64_t next_file(struct blobs *blobs, int64_t after)
{
    struct stmt *stmt =
        db_sql(blobs->db, "SELECT id FROM blob WHERE id > ? AND data IS NULL ORDER BY id LIMIT 1");
    bind_int(stmt, 1, after);
    int64_t id = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return id;
}

err blobs_give_up_sums(struct blobs *blobs)
{
    for (int64_t id = 0; (id = next_file(blobs, id));) {
        struct blob_proof *proof = blob_proof_begin(blobs, id);
        if (!proof)
            continue;
        blob_proof_run(proof);
        if (!blob_proof_end(proof))
            TRY(give_up(blobs, id));
    }
    return OK;
}
