/* app/trace_feed.h - who feeds the trace: the engines' observers and the requests themselves. What
 * is rolled back is forgotten: a mark is taken before each operation and each turn, and what came
 * after it is taken back with them. */
#ifndef HEADRACE_APP_TRACE_FEED_H
#define HEADRACE_APP_TRACE_FEED_H

#include "app/app.h"

/* For s3_hooks.observe and sqs_hooks.observe; `user` is the app. */
void trace_feed_s3(void *user, struct ctx *ctx, const struct s3_observation *seen);
void trace_feed_sqs(void *user, const struct ctx *ctx, const struct sqs_observation *seen);
/* An AWS operation is about to run: a write of S3 gets its event first, so that what follows has a
 * cause. Returns the mark. */
int64_t trace_feed_begin(struct app *app, const struct call *call);
/* It ended. On a fault everything since `mark` goes, and the refusal is recorded. */
void trace_feed_end(struct app *app, const struct call *call, int64_t mark, err outcome);
/* A fault rule fired on this call. */
void trace_feed_fault(struct app *app, const struct ctx *ctx, str effect, str rule, str subject);
/* A step of a pipeline stage about a message: its log line, or its error. */
void trace_feed_step(void *user, str message_id, str actor, str line);
/* A pipeline stage wrote an object. `user` is the app in both. */
void trace_feed_wrote(void *user, const struct ctx *ctx, str bucket, str key);
/* An S3 event could not be delivered, or nothing wanted it. */
void trace_feed_nothing(struct app *app, const struct ctx *ctx, str reason, str note);

/* Tells those who follow the event stream that there is more; after a commit. */
void trace_wake_followers(struct app *app);
/* The process stops: their streams end after what there is. */
void trace_end_followers(struct app *app);

#endif
