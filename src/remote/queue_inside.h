/* remote/queue_inside.h - private to remote/queue.c and remote/batch.c: one SQS call over JSON. */
#ifndef HEADRACE_REMOTE_QUEUE_INSIDE_H
#define HEADRACE_REMOTE_QUEUE_INSIDE_H

#include "base/buf.h"
#include "remote/queue.h"

#include <jansson.h>

/* `wait`: seconds that the service may keep the call open. */
struct remote_call *queue_call(struct remote *remote, struct arena *arena, const char *operation,
                               str url, str body, int64_t wait, remote_done *done, void *user);
/* {"QueueUrl":... without the end. */
struct buf queue_body(struct arena *arena, str url);
/* A string member, copied; absent when there is none. */
str queue_text(struct arena *arena, const json_t *object, const char *name);

#endif
