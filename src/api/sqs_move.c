/* api/sqs_move.c - message move tasks. */
#include "api/sqs_common.h"
#include "sqs/move.h"

#define START(F, T)                                                                                \
    F(T, STR, source, "SourceArn", BODY, .flags = REQUIRED)                                        \
    F(T, STR, destination, "DestinationArn", BODY)                                                 \
    F(T, INT, rate, "MaxNumberOfMessagesPerSecond", BODY)
SHAPE(start_move_input, "StartMessageMoveTaskRequest", START)
#define STARTED(F, T) F(T, STR, handle, "TaskHandle", BODY)
SHAPE(start_move_output, "StartMessageMoveTaskResult", STARTED)

static err start_message_move_task(struct call *call, const void *input, void *output)
{
    const struct start_move_input *in = input;
    struct start_move_output *out = output;
    /* 0 is the engine's "not given", which nobody may ask for by number. */
    int64_t rate = !in->rate.set ? 0 : in->rate.v ? in->rate.v : -1;
    return sqs_move_start(call->api->sqs, &call->ctx, in->source, in->destination, rate,
                          &out->handle);
}

#define LIST_MOVES(F, T)                                                                           \
    F(T, STR, source, "SourceArn", BODY, .flags = REQUIRED)                                        \
    F(T, INT, max, "MaxResults", BODY)
SHAPE(list_moves_input, "ListMessageMoveTasksRequest", LIST_MOVES)
#define MOVE(F, T)                                                                                 \
    F(T, STR, handle, "TaskHandle", BODY)                                                          \
    F(T, STR, status, "Status", BODY)                                                              \
    F(T, STR, source, "SourceArn", BODY)                                                           \
    F(T, STR, destination, "DestinationArn", BODY)                                                 \
    F(T, INT, rate, "MaxNumberOfMessagesPerSecond", BODY)                                          \
    F(T, INT, moved, "ApproximateNumberOfMessagesMoved", BODY)                                     \
    F(T, INT, to_move, "ApproximateNumberOfMessagesToMove", BODY)                                  \
    F(T, STR, failure, "FailureReason", BODY)                                                      \
    F(T, INT, started, "StartedTimestamp", BODY)
SHAPE(move_entry, "ListMessageMoveTasksResultEntry", MOVE)
#define MOVES(F, T)                                                                                \
    F(T, LIST, results, "Results", BODY, .query = "ListMessageMoveTasksResultEntry",               \
      .of = &move_entry_shape)
SHAPE(list_moves_output, "ListMessageMoveTasksResult", MOVES)

static struct move_entry entry_of(const struct sqs_move_task *task)
{
    return (struct move_entry){.handle = task->handle,
                               .status = str_of(task->status),
                               .source = task->source_arn,
                               .destination = task->destination_arn,
                               .rate = task->rate ? INT_OF(task->rate) : (opt_int){0},
                               .moved = INT_OF(task->moved),
                               .to_move = INT_OF(task->to_move),
                               .failure = task->failure,
                               .started = INT_OF(task->started)};
}

static err list_message_move_tasks(struct call *call, const void *input, void *output)
{
    const struct list_moves_input *in = input;
    struct list_moves_output *out = output;
    struct sqs_move_task *tasks;
    TRY(sqs_move_list(call->api->sqs, &call->ctx, in->source, in->max.set ? in->max.v : 1, &tasks,
                      &out->results.n));
    out->results.at = arena_array(call->ctx.arena, out->results.n + 1, sizeof(struct move_entry));
    out->results.set = true; /* "Results":[] where there are none */
    for (size_t i = 0; i < out->results.n; i++)
        *LIST_AT(out->results, struct move_entry, i) = entry_of(&tasks[i]);
    return OK;
}

#define CANCEL(F, T) F(T, STR, handle, "TaskHandle", BODY, .flags = REQUIRED)
SHAPE(cancel_move_input, "CancelMessageMoveTaskRequest", CANCEL)
#define CANCELLED(F, T) F(T, INT, moved, "ApproximateNumberOfMessagesMoved", BODY)
SHAPE(cancel_move_output, "CancelMessageMoveTaskResult", CANCELLED)

static err cancel_message_move_task(struct call *call, const void *input, void *output)
{
    const struct cancel_move_input *in = input;
    struct cancel_move_output *out = output;
    out->moved.set = true;
    return sqs_move_cancel(call->api->sqs, &call->ctx, in->handle, &out->moved.v);
}

const struct op sqs_move_ops[] = {
    {.name = "StartMessageMoveTask",
     .in = &start_move_input_shape,
     .out = &start_move_output_shape,
     .run = start_message_move_task},
    {.name = "ListMessageMoveTasks",
     .in = &list_moves_input_shape,
     .out = &list_moves_output_shape,
     .run = list_message_move_tasks,
     .flags = OP_READ},
    {.name = "CancelMessageMoveTask",
     .in = &cancel_move_input_shape,
     .out = &cancel_move_output_shape,
     .run = cancel_message_move_task},
    {.name = NULL},
};
