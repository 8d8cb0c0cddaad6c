/* app/advance.h - moving virtual time forward so that all that falls due on the way happens, in
 * order, each at its own instant: visibility timeouts, delays, retention, long polls, lifecycle,
 * and what the pipeline makes of it. A step a loop turn, so each step commits. */
#ifndef HEADRACE_APP_ADVANCE_H
#define HEADRACE_APP_ADVANCE_H

#include "app/app.h"

/* A move under way; lives with the caller (a request's arena) until `done` or advance_cancel. */
struct advance {
    msec to;
    int64_t instants; /* at which something was due */
    bool broken;      /* the disk failed: the clock stands where that happened */
    void (*done)(struct advance *advance);
    void *user;
    struct advance *next;
};

/* Starts the move, or queues it behind one that is under way. `to` in the past just sets the clock.
 */
void advance_start(struct app *app, struct advance *advance);
/* Forgets it: nobody waits for its end any more. The clock stays where it is. */
void advance_cancel(struct app *app, struct advance *advance);
/* Ends all moves where they are: the process stops. */
void advance_abandon(struct app *app);
/* After every turn: goes on when the pipeline had to be waited for. */
void advance_continue(struct app *app);

#endif
