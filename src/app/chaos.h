/* app/chaos.h - fault rules meet requests: what fires before an operation runs, and what that does
 * to it. */
#ifndef HEADRACE_APP_CHAOS_H
#define HEADRACE_APP_CHAOS_H

#include "app/fault_rules.h"
#include "app/request.h"

/* Asked once per request, when it is about to run. False: it was answered, cut, or will be run
 * later (latency). */
bool chaos_before(struct request *request);
/* A reply is ready to go out: a rule may cut it within its body, or let nothing of it out. Returns
 * false when it was cut. */
bool chaos_reply(struct request *request, struct http_reply *reply);
/* The request is over: no run is owed any more. */
void chaos_gone(struct request *request);
/* How often an S3 event to this queue is delivered (1, or 2), and how late. */
int chaos_event(struct app *app, const struct ctx *ctx, str queue, msec *delay);

#endif
