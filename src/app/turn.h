/* app/turn.h - the end of a loop turn: parked requests whose queue became ready run, one commit
 * makes everything durable, then all answers go out. And what is due in virtual time. */
#ifndef HEADRACE_APP_TURN_H
#define HEADRACE_APP_TURN_H

#include "app/app.h"

/* Ends the turn. Cheap when nothing happened. */
void turn_end(struct app *app);
/* `reply` of this request goes out after the commit; when that fails, InternalError instead. */
void turn_add(struct app *app, struct request *request, struct http_reply *reply);
void turn_remove(struct request *request);
/* A message of `queue` may be receivable. */
void turn_queue_ready(struct app *app, int64_t queue);

/* The earliest instant at which anything falls due by itself. */
msec turn_next_due(struct app *app);
/* Does what is due at virtual `now`. */
void turn_tick(struct app *app, msec now);
/* Looks at the clock anew: after virtual time was moved. */
void turn_clock_moved(struct app *app);
/* Ends every long poll with what there is. */
void turn_release_parked(struct app *app);

/* A context for work of the process itself: default account and region, `now`, memory in `arena`.
 */
struct ctx app_ctx(struct app *app, struct arena *arena, msec now);

#endif
