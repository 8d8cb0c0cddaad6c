/* app/pool_count.c - counting a body that the store holds as slices. What lies in the database is
 * counted at once, on the loop; a file is counted by a pool thread through a descriptor of its own,
 * in constant memory. Nothing keeps the object alive meanwhile: between two slices it is looked at
 * again, and an object that changed fails the job, which then comes back. */
#include "app/pool_inside.h"

#include "s3/s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW 262144 /* bytes read at a time */

static const struct fault CHANGED = {"ObjectChanged", "ObjectChanged", 500,
                                     "The object was changed while it was being counted.", NULL};

/* On a pool thread: touches nothing but the count, the descriptor and the slice. */
static void count_file(uv_work_t *work)
{
    struct slot *slot = work->data;
    const struct blob_slice *slice = &slot->slices[slot->at];
    char *window = xalloc(WINDOW);
    int64_t done = 0;
    slot->read_errno = 0;
    while (done < slice->n) {
        size_t want = slice->n - done < WINDOW ? (size_t)(slice->n - done) : WINDOW;
        ssize_t n = pread(slot->fd, window, want, slice->at + done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            slot->read_errno = n ? errno : EIO;
            break;
        }
        count_feed(&slot->count, (str){window, (size_t)n});
        done += n;
    }
    free(window);
}

static bool next_slice(struct slot *slot, struct ctx *ctx);

static void file_counted(uv_work_t *work, int status)
{
    struct slot *slot = work->data;
    struct ctx ctx = pool_ctx(slot->pool, slot->arena);
    (void)status;
    slot->pool->counting--;
    close(slot->fd);
    slot->fd = -1;
    slot->at++;
    if (slot->read_errno)
        slot_fail(slot, &ctx,
                  err_text(ctx.arena, &FAULT_INTERNAL, "reading the body: %s",
                           strerror(slot->read_errno)));
    else if (!next_slice(slot, &ctx))
        return;
    slot_resume(slot);
}

static err unchanged(struct slot *slot, struct ctx *ctx)
{
    struct s3_stat stat;
    TRY(s3_stat(slot->pool->world.s3, ctx, slot->bucket, slot->key, &stat));
    return str_eq(stat.etag, slot->etag) ? OK : FAIL(CHANGED);
}

/* Counts a slice that lies in the database. */
static err count_inline(struct slot *slot, struct ctx *ctx, const struct blob_slice *slice)
{
    str piece;
    TRY(blob_read(slot->pool->world.blobs, ctx->arena, slice->id, slice->at, (size_t)slice->n,
                  &piece));
    if ((int64_t)piece.n != slice->n)
        return FAIL(CHANGED);
    count_feed(&slot->count, piece);
    slot->at++;
    return OK;
}

/* True: the answer is there. */
static bool next_slice(struct slot *slot, struct ctx *ctx)
{
    struct pool_world *world = &slot->pool->world;
    err e = slot->at ? unchanged(slot, ctx) : OK;
    while (!failed(e) && slot->at < slot->nslices) {
        const struct blob_slice *slice = &slot->slices[slot->at];
        slot->fd = blob_fd(world->blobs, slice->id);
        if (slot->fd >= 0) {
            slot->work.data = slot;
            slot->pool->counting++;
            uv_queue_work(world->loop, &slot->work, count_file, file_counted);
            return false;
        }
        e = count_inline(slot, ctx, slice);
    }
    if (failed(e))
        slot_fail(slot, ctx, e);
    else
        slot->answer = (struct answer){.ok = true, .report = count_end(&slot->count)};
    return true;
}

static err open_body(struct slot *slot, struct ctx *ctx)
{
    struct s3 *s3 = slot->pool->world.s3;
    struct s3_stat stat;
    int64_t size;
    TRY(s3_stat(s3, ctx, slot->bucket, slot->key, &stat));
    TRY(s3_open_body(s3, ctx, slot->bucket, slot->key, &slot->slices, &slot->nslices, &size));
    slot->etag = arena_copy(ctx->arena, stat.etag);
    return OK;
}

bool slot_count(struct slot *slot, struct ctx *ctx)
{
    slot->at = 0;
    slot->count = (struct count){0};
    err e = open_body(slot, ctx);
    if (!failed(e))
        return next_slice(slot, ctx);
    slot_fail(slot, ctx, e);
    return true;
}
