/* app/trace_feed.h - who feeds the trace: the engines' observers and the requests themselves. What
 * is rolled back is forgotten: a mark is taken before each operation and each turn, and what came
 * after it is taken back with them. */
#ifndef HEADRACE_APP_TRACE_FEED_H
#define HEADRACE_APP_TRACE_FEED_H

#include "app/app.h"

struct fault_hit;

/* For s3_hooks.observe and sqs_hooks.observe; `user` is the app. */
void trace_feed_s3(void *user, struct ctx *ctx, const struct s3_observation *seen);
void trace_feed_sqs(void *user, const struct ctx *ctx, const struct sqs_observation *seen);
/* An AWS operation is about to run: a write of S3 gets its event first, so that what follows has a
 * cause. Returns the mark. */
int64_t trace_feed_begin(struct request *request);
/* It ended; `out` is its decoded output. On a fault everything since `mark` goes. */
void trace_feed_end(struct request *request, int64_t mark, err outcome, const void *out);
/* A request is answered with a fault, wherever it came from. */
void trace_feed_refused(struct request *request, err outcome);
/* A fault rule fired: on this request, on the S3 event that is being delivered to `queue`, on the
 * job that a worker (ctx->cause is its message) has in hand; `user` is the app. */
void trace_feed_fault(struct request *request, const struct fault_hit *hit);
void trace_feed_event_fault(struct app *app, const struct ctx *ctx, const struct fault_hit *hit,
                            str queue);
void trace_feed_killed(void *user, const struct ctx *ctx, const struct fault_hit *hit, str queue);
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
