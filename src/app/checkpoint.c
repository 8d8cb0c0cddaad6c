/* app/checkpoint.c - see checkpoint.h. One at a time; the store says what the log's size asks for.
 */
#include "app/checkpoint.h"

static void work_copy(uv_work_t *work)
{
    struct app *app = work->data;
    db_checkpoint(app->db, false);
}

static void work_reset(uv_work_t *work)
{
    struct app *app = work->data;
    db_checkpoint(app->db, true);
}

static void done(uv_work_t *work, int status)
{
    (void)status;
    struct app *app = work->data;
    app->checkpointing = false;
}

void checkpoint_maybe(struct app *app)
{
    enum db_checkpoint_due due = db_checkpoint_due(app->db);
    if (due == DB_CHECKPOINT_NONE || app->checkpointing || app->stopping)
        return;
    app->checkpoint.data = app;
    app->checkpointing = !uv_queue_work(app->loop, &app->checkpoint,
                                        due == DB_CHECKPOINT_RESET ? work_reset : work_copy, done);
}
