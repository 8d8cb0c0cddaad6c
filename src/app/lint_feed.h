/* app/lint_feed.h - who tells the lint what happens: the engines' observers, and requests that
 * succeeded. */
#ifndef HEADRACE_APP_LINT_FEED_H
#define HEADRACE_APP_LINT_FEED_H

#include "app/app.h"

void lint_feed_sqs(struct app *app, const struct ctx *ctx, const struct sqs_observation *seen);
/* app->event became the message `id`. */
void lint_feed_event(struct app *app, const struct ctx *ctx, str id);
/* An operation succeeded. */
void lint_feed_done(struct request *request);

#endif
