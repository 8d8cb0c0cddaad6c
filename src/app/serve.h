/* app/serve.h - one running emulator: opening everything in order, the loop, and the way down. Used
 * by `headrace serve`, `headrace demo` and the embedding API. */
#ifndef HEADRACE_APP_SERVE_H
#define HEADRACE_APP_SERVE_H

#include "app/app.h"

/* Opens state, engines, pipeline and port on `loop`. NULL and *message (malloc'ed) when something
 * stands in the way: the data directory, the port, the key file, a name. `options` must outlive it.
 */
struct app *app_start(uv_loop_t *loop, const struct options *options, char **message);
/* The same without a port: requests are handed to dispatch by the caller and answers leave through
 * `outlet`. */
struct app *app_open(uv_loop_t *loop, const struct options *options, const struct outlet *outlet,
                     char **message);
/* Closes everything at once, whatever is in flight; `app` is freed by the loop, which must be run
 * once more. */
void app_close(struct app *app);
/* Finishes what is in flight: no new connections, parked polls are answered, then everything is
 * closed and `app` freed. The loop has no handle of ours left when uv_run returns. A second call
 * does not wait any longer. */
void app_stop(struct app *app);

/* The endpoint to show: "http://127.0.0.1:4566". */
str app_endpoint(const struct app *app, struct arena *arena);

#endif
