/* api/s3_hash.c - see s3_hash.h. The loop opens one blob after the other, since only it may ask the
 * tables; the pool reads and digests a stretch of it, and touches nothing but the struct. A body
 * that is deleted meanwhile stays readable through its descriptor; one not opened yet is missed,
 * and the request then finds out by itself what became of its source. The pin keeps the numbers of
 * the blobs from standing for other bytes in the meantime: by them what was read is known again. */
#include "api/s3_hash.h"

#include "base/text.h"
#include "store/blob.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INLINE_MAX = 1024 * 1024,   /* bytes read on the loop: about a millisecond */
    STRETCH = 16 * 1024 * 1024, /* bytes handed to the pool at once */
    STEP = 256 * 1024,          /* bytes of one read */
};

struct hash {
    struct upload base; /* first */
    struct api *api;
    struct s3_reading reading; /* slices are ours */
    struct blob_pin *pin;
    struct digest_state *md5, *sum;
    size_t slice; /* the one being read */
    int64_t at;   /* bytes of it that are done */
    int fd;       /* of its blob; -1: not open */
    int64_t left; /* bytes of the pool's stretch */
    bool running, dropped, lost;
};

static void hash_free(struct hash *hash)
{
    if (hash->fd >= 0)
        close(hash->fd);
    if (hash->md5)
        digest_drop(hash->md5);
    if (hash->sum)
        digest_drop(hash->sum);
    blob_pin_end(hash->pin);
    free(hash->reading.slices);
    free(hash);
}

static void feed(struct hash *hash, const char *p, size_t n)
{
    digest_update(hash->md5, p, n);
    digest_update(hash->sum, p, n);
}

static void read_stretch(void *arg)
{
    struct hash *hash = arg;
    int64_t from = hash->reading.slices[hash->slice].at;
    char *bytes = xalloc(STEP);
    while (hash->left > 0 && !hash->lost) {
        size_t want = hash->left < STEP ? (size_t)hash->left : STEP;
        ssize_t n = pread(hash->fd, bytes, want, (off_t)(from + hash->at));
        hash->lost = n <= 0;
        if (hash->lost)
            break;
        feed(hash, bytes, (size_t)n);
        hash->at += n;
        hash->left -= n;
    }
    free(bytes);
}

/* A body that lives in the table. */
static void read_inline(struct hash *hash, const struct blob_slice *slice)
{
    struct arena *arena = arena_new();
    str bytes = STR_NONE;
    hash->lost =
        blob_size(hash->api->blobs, slice->id) < slice->at + slice->n ||
        failed(blob_read(hash->api->blobs, arena, slice->id, slice->at, (size_t)slice->n, &bytes));
    feed(hash, bytes.p, bytes.n);
    hash->at = slice->n;
    arena_free(arena);
}

static void next_slice(struct hash *hash)
{
    if (hash->fd >= 0)
        close(hash->fd);
    hash->fd = -1;
    hash->slice++;
    hash->at = 0;
}

static void stretch_read(void *arg);

/* Starts the next stretch; false: there is none. */
static bool advance(struct hash *hash)
{
    while (!hash->lost && hash->slice < hash->reading.nslices) {
        const struct blob_slice *slice = &hash->reading.slices[hash->slice];
        if (hash->fd < 0 && hash->at == 0)
            hash->fd = blob_fd(hash->api->blobs, slice->id);
        if (hash->fd < 0)
            read_inline(hash, slice);
        int64_t left = slice->n - hash->at;
        if (left > 0) {
            hash->left = left < STRETCH ? left : STRETCH;
            hash->running = true;
            hash->api->offload(hash->api->offload_user, read_stretch, stretch_read, hash);
            return true;
        }
        next_slice(hash);
    }
    return false;
}

static void stretch_read(void *arg)
{
    struct hash *hash = arg;
    hash->running = false;
    if (hash->dropped) {
        hash_free(hash);
        return;
    }
    if (advance(hash))
        return;
    hash->base.busy = false;
    hash->base.drained(hash->base.user);
}

static err hash_write(struct upload *upload, str chunk)
{
    (void)upload;
    (void)chunk;
    return OK;
}

static void hash_settle(struct upload *upload)
{
    struct hash *hash = (struct hash *)upload;
    upload->busy = advance(hash);
}

static void hash_drop(struct upload *upload)
{
    struct hash *hash = (struct hash *)upload;
    hash->dropped = true;
    if (!hash->running)
        hash_free(hash);
}

static const struct upload_ops hash_ops = {hash_write, hash_settle, hash_drop};

static struct blob_pin *pin_slices(struct call *call, const struct s3_reading *reading)
{
    int64_t *ids = arena_array(call->ctx.arena, reading->nslices, sizeof *ids);
    for (size_t i = 0; i < reading->nslices; i++)
        ids[i] = reading->slices[i].id;
    return blob_pin(call->api->blobs, ids, reading->nslices);
}

void s3_hash_begin(struct call *call, const struct s3_reading *reading)
{
    if (reading->n <= INLINE_MAX || !call->api->offload)
        return;
    struct hash *hash = xalloc(sizeof *hash);
    size_t bytes = reading->nslices * sizeof *reading->slices;
    *hash = (struct hash){.base = {.ops = &hash_ops},
                          .api = call->api,
                          .reading = *reading,
                          .pin = pin_slices(call, reading),
                          .md5 = digest_begin(DIGEST_MD5),
                          .sum = digest_begin(reading->kind),
                          .fd = -1};
    hash->reading.slices = xalloc(bytes);
    memcpy(hash->reading.slices, reading->slices, bytes);
    call->upload = &hash->base;
}

static struct blob_slice *slices_of(struct call *call, const struct s3_reading *reading)
{
    struct blob_slice *slices = arena_array(call->ctx.arena, reading->nslices, sizeof *slices);
    memcpy(slices, reading->slices, reading->nslices * sizeof *slices);
    return slices;
}

void s3_hash_finish(struct call *call, struct s3_read_digests *out)
{
    struct hash *hash = (struct hash *)call->upload;
    *out = (struct s3_read_digests){0};
    if (!hash)
        return;
    call->upload = NULL;
    digest md5 = digest_end(hash->md5), sum = digest_end(hash->sum);
    hash->md5 = hash->sum = NULL;
    if (!hash->lost && hash->slice == hash->reading.nslices)
        *out = (struct s3_read_digests){.kind = hash->reading.kind,
                                        .slices = slices_of(call, &hash->reading),
                                        .nslices = hash->reading.nslices,
                                        .etag = digest_hex(call->ctx.arena, md5),
                                        .checksum = digest_base64(call->ctx.arena, sum)};
    hash_free(hash);
}
