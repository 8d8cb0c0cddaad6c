/* app/advance.c - see advance.h. The idle handle keeps the loop turning while there are steps to
 * do; while a pool thread counts a body the loop may sleep, for the turn that its end brings calls
 * advance_continue. */
#include "app/advance.h"

#include "app/pool.h"
#include "app/turn.h"

static void set_now(struct app *app, msec to)
{
    clock_set(&app->clock, to, clock_wall());
    turn_clock_moved(app);
}

static void finish(struct app *app, struct advance *advance)
{
    if (!advance->broken && advance->to != clock_now(&app->clock))
        set_now(app, advance->to);
    app->advance = advance->next;
    advance->done(advance);
}

/* One instant. False when the loop may sleep until something happens. */
static bool step(struct app *app)
{
    struct advance *advance = app->advance;
    if (!advance)
        return false;
    if (app->pool && !pool_settled(app->pool))
        return !pool_busy(app->pool);
    msec due = turn_next_due(app), now = clock_now(&app->clock);
    /* What cannot be written stays due for ever. */
    advance->broken = advance->instants && app->impeded;
    if (advance->broken || due > advance->to || advance->to < now) {
        finish(app, advance);
        return app->advance != NULL;
    }
    if (due > now)
        set_now(app, due);
    advance->instants++;
    turn_tick(app, due > now ? due : now);
    return true;
}

static void on_idle(uv_idle_t *idle)
{
    if (!step(idle->data))
        uv_idle_stop(idle);
}

void advance_continue(struct app *app)
{
    bool counting = app->pool && pool_busy(app->pool);
    if (app->advance && !counting && !app->stopping)
        uv_idle_start(&app->advancing, on_idle);
}

void advance_start(struct app *app, struct advance *advance)
{
    struct advance **end = &app->advance;
    while (*end)
        end = &(*end)->next;
    advance->next = NULL;
    *end = advance;
    advance_continue(app);
}

void advance_abandon(struct app *app)
{
    uv_idle_stop(&app->advancing);
    while (app->advance) {
        struct advance *advance = app->advance;
        app->advance = advance->next;
        advance->done(advance);
    }
}

void advance_cancel(struct app *app, struct advance *advance)
{
    for (struct advance **at = &app->advance; *at; at = &(*at)->next)
        if (*at == advance) {
            *at = advance->next;
            return;
        }
}
