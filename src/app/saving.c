/* app/saving.c - see saving.h. It counts as work on a pool thread all the time, so that the end of
 * the process waits for it. */
#include "app/saving.h"

#include "app/turn.h"
#include "store/snapshot.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGES 128 /* of 4 KiB, a step: less than a millisecond */

struct saving {
    struct app *app;
    struct snapshot *snapshot;
    void (*done)(void *user, const char *failure); /* NULL: nobody waits */
    void *user;
    uv_idle_t idle;
    uv_work_t work;
};

/* What a process that was killed left behind. */
static void sweep(const char *path)
{
    struct arena *arena = arena_new();
    const char *dir = arena_printf(arena, "%.*s", (int)(strrchr(path, '/') - path), path).p;
    DIR *entries = opendir(dir);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries)
        closedir(entries);
    arena_free(arena);
}

static void on_closed(uv_handle_t *handle)
{
    struct saving *saving = handle->data;
    free(saving);
}

static void end(struct saving *saving)
{
    char *message = NULL;
    snapshot_end(saving->snapshot, &message);
    saving->app->offloaded--;
    saving->app->saving--;
    if (saving->done)
        saving->done(saving->user, message);
    free(message);
    uv_close((uv_handle_t *)&saving->idle, on_closed);
}

static void finish(uv_work_t *work)
{
    struct saving *saving = work->data;
    snapshot_finish(saving->snapshot);
}

static void finished(uv_work_t *work, int status)
{
    struct saving *saving = work->data;
    (void)status;
    blobs_let_go(saving->app->blobs);
    end(saving);
}

static void on_idle(uv_idle_t *idle)
{
    struct saving *saving = idle->data;
    turn_end(saving->app);
    if (snapshot_step(saving->snapshot, PAGES))
        return;
    uv_idle_stop(idle);
    blobs_hold(saving->app->blobs);
    saving->work.data = saving;
    uv_queue_work(saving->app->loop, &saving->work, finish, finished);
}

struct saving *saving_start(struct app *app, const char *path,
                            void (*done)(void *user, const char *failure), void *user,
                            char **message)
{
    struct saving *saving = xalloc(sizeof *saving);
    if (!app->saving)
        sweep(path);
    *saving = (struct saving){.app = app, .done = done, .user = user};
    saving->snapshot = snapshot_begin(app->db, app->blobs, path, message);
    if (!saving->snapshot) {
        free(saving);
        return NULL;
    }
    app->offloaded++;
    app->saving++;
    uv_idle_init(app->loop, &saving->idle);
    saving->idle.data = saving;
    uv_idle_start(&saving->idle, on_idle);
    return saving;
}

void saving_forget(struct saving *saving)
{
    saving->done = NULL;
}
