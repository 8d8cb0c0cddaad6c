/* app/saving.h - a snapshot that is saved while requests go on: its pages are copied a few at a
 * time, between the turns, and the large bodies on a pool thread. */
#ifndef HEADRACE_APP_SAVING_H
#define HEADRACE_APP_SAVING_H

#include "app/app.h"

struct saving;

/* Saves to `path`; the file appears there when it is complete. `done` is called once, with NULL or
 * why it failed, unless saving_forget was called. NULL when it cannot begin: *message (malloc'ed)
 * says why. */
struct saving *saving_start(struct app *app, const char *path,
                            void (*done)(void *user, const char *failure), void *user,
                            char **message);
/* Nobody waits for it any more; it goes on. */
void saving_forget(struct saving *saving);

#endif
