/* pipeline/task_asks.h - for the stages only: the asks by name, each with the state that takes its
 * answer. */
#ifndef HEADRACE_PIPELINE_TASK_ASKS_H
#define HEADRACE_PIPELINE_TASK_ASKS_H

#include "pipeline/task.h"

static inline struct ask ask_object(struct task *task, enum ask_kind kind, str bucket, str key,
                                    task_state *then)
{
    task->then = then;
    return (struct ask){.kind = kind, .bucket = bucket, .key = key};
}

static inline struct ask ask_send(struct task *task, enum ask_queue queue, str body, str trace_id,
                                  task_state *then)
{
    task->then = then;
    return (struct ask){.kind = ASK_SEND, .queue = queue, .body = body, .trace_id = trace_id};
}

static inline struct ask ask_log(struct task *task, str line, task_state *then)
{
    task->then = then;
    return (struct ask){.kind = ASK_LOG, .body = line};
}

static inline struct ask ask_delete(struct task *task, task_state *then)
{
    task->then = then;
    return (struct ask){.kind = ASK_DELETE};
}

#endif
