/* app/trace_wait.h - why a life goes no further now: what the engines know of the messages and
 * uploads in it that have not come to an end. */
#ifndef HEADRACE_APP_TRACE_WAIT_H
#define HEADRACE_APP_TRACE_WAIT_H

#include "app/app.h"
#include "app/trace.h"

/* Appends a TRACE_WAITING event for each, made now and never stored; its reason is one of
 *   in_flight, delayed           until an instant
 *   group_blocked                behind an earlier message of its FIFO group
 *   dead_letter                  in a dead-letter queue, from which nothing takes it
 *   no_worker                    visible, and the built-in stage that would take it is switched off
 *   not_received                 visible, and nobody received it
 *   purged, queue_deleted        it is not there any more
 *   upload_incomplete            a multipart upload that was begun, and no more
 * and says in the notes of events without a rule which buckets have one. */
void trace_wait(struct app *app, struct arena *arena, struct trace_event **events, size_t *n);

#endif
