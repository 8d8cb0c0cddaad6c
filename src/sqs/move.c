/* sqs/move.c - message move tasks. The k-th message of a task is due k / rate seconds after its
 * start, counted in whole seconds: `rate` at once, the next `rate` a second later. Progress is in
 * the row, so that a restart goes on where it stopped. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sqs/engine.h"
#include "sqs/move.h"

#define RATE_DEFAULT 500

static int64_t rate_of(const struct move_task *task)
{
    return task->rate ? task->rate : RATE_DEFAULT;
}

msec task_due(const struct move_task *task)
{
    return task->started + task->moved / rate_of(task) * 1000;
}

void task_free(struct move_task *task)
{
    if (task)
        free(task->destination);
    free(task);
}

static err check_arn(struct ctx *ctx, const char *parameter, str arn)
{
    str parts[6];
    if (arn_split(arn, parts))
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "You must use this format to specify the %s: "
                    "arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
                    parameter);
}

static err unknown_resource(struct ctx *ctx, const char *parameter)
{
    return err_text(ctx->arena, &SQS_UNKNOWN_RESOURCE,
                    "The resource that you specified for the %s parameter doesn't exist.",
                    parameter);
}

static str handle_of(struct arena *arena, str task, str source_arn)
{
    return base64_encode(arena, arena_printf(arena, "{\"taskId\":\"%.*s\",\"sourceArn\":\"%.*s\"}",
                                             STR_ARG(task), STR_ARG(source_arn)));
}

static struct move_task *task_new(int64_t id, str uuid, str destination, int64_t rate, msec started,
                                  int64_t moved, int64_t limit)
{
    struct move_task *task = xalloc(sizeof *task);
    *task = (struct move_task){
        .id = id, .rate = rate, .moved = moved, .started = started, .limit = (uint64_t)limit};
    memcpy(task->task, uuid.p, uuid.n < 36 ? uuid.n : 36);
    task->destination = destination.p ? xstrdup(destination) : NULL;
    return task;
}

void task_load(struct sqs *sqs)
{
    struct stmt *rows = db_sql(
        sqs->db,
        "SELECT id, task, source, destination, rate, started, moved, seq_limit FROM sqs_move_task"
        " WHERE status = 'RUNNING'");
    while (stmt_row(rows)) {
        struct queue *source = queue_by_arn(sqs, col_str(rows, 2));
        if (!source)
            continue;
        source->task =
            task_new(col_int(rows, 0), col_str(rows, 1), col_str(rows, 3), col_int(rows, 4),
                     col_int(rows, 5), col_int(rows, 6), col_int(rows, 7));
        queue_schedule(sqs, source);
    }
}

static err check_start(struct sqs *sqs, struct ctx *ctx, str source_arn, str destination_arn,
                       int64_t rate, struct queue **out)
{
    struct queue *source = queue_by_arn(sqs, source_arn);
    struct queue *destination = destination_arn.p ? queue_by_arn(sqs, destination_arn) : NULL;
    TRY(check_arn(ctx, "SourceArn", source_arn));
    if (!source)
        return unknown_resource(ctx, "SourceArn");
    if (!queue_is_dead_letter(sqs, source))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Source queue must be configured as a Dead Letter Queue.");
    if (destination_arn.p)
        TRY(check_arn(ctx, "DestinationArn", destination_arn));
    if (destination_arn.p && !destination)
        return unknown_resource(ctx, "DestinationArn");
    if (destination == source)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Source queue arn and destination queue arn cannot be the same.");
    if (destination && destination->fifo != source->fifo)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The source queue and destination queue must be of the same queue type.");
    if (rate < 0 || rate > RATE_DEFAULT)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You "
                        "must enter a number that's between 1 and 500.");
    if (source->task)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "There is already a task running. Only one active task is allowed for a "
                        "source queue arn at a given "
                        "time.");
    *out = source;
    return OK;
}

err sqs_move_start(struct sqs *sqs, struct ctx *ctx, str source_arn, str destination_arn,
                   int64_t rate, str *handle)
{
    struct queue *source = NULL;
    TRY(check_start(sqs, ctx, source_arn, destination_arn, rate, &source));
    queue_wake(sqs, source, ctx->now);
    str uuid = rng_uuid(ctx->rng, ctx->arena);
    struct stmt *add = db_sql(sqs->db, "INSERT INTO sqs_move_task(task, source, destination, rate, "
                                       "status, started, moved, to_move,"
                                       " seq_limit) VALUES(?, ?, ?, ?, 'RUNNING', ?, 0, ?, ?)");
    bind_str(add, 1, uuid);
    bind_str(add, 2, source->arn);
    bind_str(add, 3, destination_arn);
    bind_int(add, 4, rate);
    bind_int(add, 5, ctx->now);
    bind_int(add, 6, source->visible);
    bind_int(add, 7, (int64_t)source->next_seq);
    TRY(stmt_run(add));
    source->task = task_new(db_last_id(sqs->db), uuid, destination_arn, rate, ctx->now, 0,
                            (int64_t)source->next_seq);
    sqs->changes++;
    queue_schedule(sqs, source);
    *handle = handle_of(ctx->arena, uuid, source->arn);
    return OK;
}

static err finish(struct sqs *sqs, struct queue *source, const char *status, const char *failure)
{
    struct stmt *row =
        db_sql(sqs->db, "UPDATE sqs_move_task SET status = ?, failure = ?, moved = ? WHERE id = ?");
    bind_str(row, 1, str_of(status));
    bind_str(row, 2, str_of(failure));
    bind_int(row, 3, source->task->moved);
    bind_int(row, 4, source->task->id);
    TRY(stmt_run(row));
    task_free(source->task);
    source->task = NULL;
    sqs->changes++;
    queue_schedule(sqs, source);
    return OK;
}

err task_forget(struct sqs *sqs, struct queue *source)
{
    struct stmt *rows = db_sql(sqs->db, "DELETE FROM sqs_move_task WHERE source = ?");
    bind_str(rows, 1, source->arn);
    TRY(stmt_run(rows));
    task_free(source->task);
    source->task = NULL;
    sqs->changes++;
    return OK;
}

/* The next message of the task: standard queues by send order, FIFO queues group by group. */
static struct message *next_of(const struct queue *source)
{
    const struct move_task *task = source->task;
    for (struct group *group = source->ring_first; source->fifo && group; group = group->next)
        if (group->first->message.seq < task->limit)
            return &group->first->message;
    struct node *first = source->fifo ? NULL : order_first(&source->ready);
    return first && message_of_place(first)->seq < task->limit ? message_of_place(first) : NULL;
}

static struct queue *destination_of(struct sqs *sqs, struct ctx *ctx, const struct queue *source,
                                    const struct message *message, const char **failure)
{
    struct row row;
    *failure = "AWS.SimpleQueueService.NonExistentQueue";
    if (source->task->destination)
        return queue_by_arn(sqs, str_of(source->task->destination));
    if (row_read(sqs, ctx->arena, source, message->seq, &row) && row.message.dead_letter_source.p)
        return queue_by_arn(sqs, row.message.dead_letter_source);
    *failure = "CouldNotDetermineMessageSource";
    return NULL;
}

static err keep_progress(struct sqs *sqs, const struct queue *source)
{
    struct stmt *row = db_sql(sqs->db, "UPDATE sqs_move_task SET moved = ? WHERE id = ?");
    bind_int(row, 1, source->task->moved);
    bind_int(row, 2, source->task->id);
    return stmt_run(row);
}

static err step(struct sqs *sqs, struct ctx *ctx, struct queue *source)
{
    const char *failure;
    struct message *message = next_of(source);
    if (!message)
        return finish(sqs, source, "COMPLETED", NULL);
    struct queue *destination = destination_of(sqs, ctx, source, message, &failure);
    if (!destination || destination->fifo != source->fifo)
        return finish(sqs, source, "FAILED", failure);
    TRY(message_redrive(sqs, ctx, source, message, destination));
    source->task->moved++;
    return OK;
}

/* A task whose last message is moved is complete at once, not when the next one would be due. */
err task_run(struct sqs *sqs, struct ctx *ctx, struct queue *source, int budget, int *moved)
{
    for (*moved = 0; source->task && *moved < budget; ++*moved) {
        if (task_due(source->task) > ctx->now && next_of(source))
            break;
        TRY(step(sqs, ctx, source));
    }
    return source->task && *moved ? keep_progress(sqs, source) : OK;
}

static str text_or_none(struct stmt *row, int at, struct arena *arena)
{
    return col_null(row, at) ? STR_NONE : col_copy(row, at, arena);
}

static const char *status_of(str text)
{
    static const char *const all[] = {"RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"};
    size_t i = 0;
    while (i < 4 && !str_eq(text, str_of(all[i])))
        i++;
    return all[i];
}

static void read_task(struct stmt *row, struct arena *arena, struct sqs_move_task *task)
{
    task->status = status_of(col_str(row, 1));
    task->source_arn = col_copy(row, 2, arena);
    task->destination_arn = text_or_none(row, 3, arena);
    task->rate = col_int(row, 4);
    task->started = col_int(row, 5);
    task->moved = col_int(row, 6);
    task->to_move = col_int(row, 7);
    task->failure = text_or_none(row, 8, arena);
    if (!strcmp(task->status, "RUNNING"))
        task->handle = handle_of(arena, col_str(row, 0), task->source_arn);
}

err sqs_move_list(struct sqs *sqs, struct ctx *ctx, str source_arn, int64_t max,
                  struct sqs_move_task **tasks, size_t *n)
{
    TRY(check_arn(ctx, "SourceArn", source_arn));
    struct queue *source = queue_by_arn(sqs, source_arn);
    if (!source)
        return unknown_resource(ctx, "SourceArn");
    if (max < 1 || max > 10)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Value for parameter MaxResults is invalid. Reason: You must enter a "
                        "number that's between 1 and 10.");
    struct stmt *rows = db_sql(
        sqs->db, "SELECT task, status, source, destination, rate, started, moved, to_move, failure"
                 " FROM sqs_move_task WHERE source = ? ORDER BY id DESC LIMIT ?");
    bind_str(rows, 1, source->arn);
    bind_int(rows, 2, max);
    *tasks = arena_array(ctx->arena, (size_t)max, sizeof **tasks);
    for (*n = 0; stmt_row(rows); ++*n)
        read_task(rows, ctx->arena, &(*tasks)[*n]);
    return OK;
}

/* The handle is base64 of {"taskId":...,"sourceArn":...}. */
static bool handle_read(struct arena *arena, str handle, str *task, str *source_arn)
{
    str text = base64_decode(arena, handle);
    json_t *json = text.p ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    const char *id = json_string_value(json_object_get(json, "taskId"));
    const char *arn = json_string_value(json_object_get(json, "sourceArn"));
    *task = arena_copy(arena, str_of(id));
    *source_arn = arena_copy(arena, str_of(arn));
    bool valid = id && arn;
    json_decref(json);
    return valid;
}

err sqs_move_cancel(struct sqs *sqs, struct ctx *ctx, str handle, int64_t *moved)
{
    str task, source_arn;
    if (!handle.n)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The TaskHandle parameter is required.");
    if (!handle_read(ctx->arena, handle, &task, &source_arn))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Value for parameter TaskHandle is invalid.");
    TRY(check_arn(ctx, "SourceArn", source_arn));
    struct queue *source = queue_by_arn(sqs, source_arn);
    if (!source)
        return unknown_resource(ctx, "SourceArn");
    if (!source->task || !str_eq(str_of(source->task->task), task))
        return err_text(ctx->arena, &SQS_UNKNOWN_RESOURCE, "Task does not exist.");
    *moved = source->task->moved;
    return finish(sqs, source, "CANCELLED", NULL);
}
