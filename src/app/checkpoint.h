/* app/checkpoint.h - moving the write-ahead log into the database file, on a pool thread: on the
 * loop it would cost tenfold p99. */
#ifndef HEADRACE_APP_CHECKPOINT_H
#define HEADRACE_APP_CHECKPOINT_H

#include "app/app.h"

/* Starts one when the log has grown enough and none is running. */
void checkpoint_maybe(struct app *app);

#endif
