/* api/sqs_batch.c - the three batch calls. What is wrong with the call as a whole refuses it before
 * any entry is tried; what is wrong with an entry is reported beside the others' success. An entry
 * that fails changed nothing, so one savepoint does for all. */
#include "api/sqs_send.h"
#include "sqs/batch.h"
#include "sqs/rules.h"

/* AWS's name of an entry is also its name in the Query protocol. */
static err begin(struct call *call, str url, const char *entry, const str *ids, size_t n,
                 int64_t *queue)
{
    TRY(sqs_call_queue(call, url, queue));
    return sqs_batch_check(&call->ctx, entry, ids, n);
}

#define BATCH_OUT(F, T, result_query, result_shape)                                                \
    F(T, LIST, successful, "Successful", BODY, .flags = REQUIRED, .query = result_query,           \
      .of = &result_shape)                                                                         \
    F(T, LIST, failures, "Failed", BODY, .flags = REQUIRED, .query = "BatchResultErrorEntry",      \
      .of = &sqs_batch_error_shape)

/* --- SendMessageBatch --- */

#define SEND_ENTRY(F, T)                                                                           \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED | LATER) SQS_SEND_MEMBERS(F, T, REQUIRED | LATER)
SHAPE(send_entry, "SendMessageBatchRequestEntry", SEND_ENTRY)
#define SEND_BATCH(F, T)                                                                           \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, entries, "Entries", BODY, .flags = REQUIRED | LATER,                                \
      .query = "SendMessageBatchRequestEntry", .of = &send_entry_shape)
SHAPE(send_batch_input, "SendMessageBatchRequest", SEND_BATCH)
#define SENT_ENTRY(F, T)                                                                           \
    F(T, STR, entry, "Id", BODY, .flags = REQUIRED) SQS_SENT_MEMBERS(F, T, REQUIRED)
SHAPE(sent_entry, "SendMessageBatchResultEntry", SENT_ENTRY)
#define SENT_BATCH(F, T) BATCH_OUT(F, T, "SendMessageBatchResultEntry", sent_entry_shape)
SHAPE(send_batch_output, "SendMessageBatchResult", SENT_BATCH)

static void sent(list *successful, str id, const struct sqs_sent *from)
{
    *LIST_AT(*successful, struct sent_entry, successful->n++) =
        (struct sent_entry){.entry = id,
                            .md5_body = from->md5_body,
                            .md5_attributes = from->md5_attributes,
                            .md5_system = from->md5_system,
                            .id = from->id,
                            .sequence = from->sequence};
}

static err send_message_batch(struct call *call, const void *input, void *output)
{
    const struct send_batch_input *in = input;
    struct send_batch_output *out = output;
    struct arena *arena = call->ctx.arena;
    size_t n = in->entries.n;
    struct send_entry *entries = in->entries.at;
    str *ids = arena_array(arena, n + 1, sizeof *ids);
    int64_t queue;
    for (size_t i = 0; i < n; i++)
        ids[i] = entries[i].id;
    TRY(begin(call, in->queue_url, "SendMessageBatchRequestEntry", ids, n, &queue));
    struct sqs_queue_facts facts = {0};
    struct sqs_send sends[SQS_BATCH_MAX] = {0};
    err broken[SQS_BATCH_MAX];
    (void)sqs_queue_facts(call->api->sqs, queue, &facts);
    for (size_t i = 0; i < n; i++) {
        struct send_entry *entry = &entries[i];
        struct sqs_sendable from = {entry->body,  entry->dedup,       entry->group,
                                    entry->delay, &entry->attributes, &entry->system};
        broken[i] = sqs_send_of(call, &from, &sends[i]);
        sends[i].entry = (int)i + 1;
        if (facts.fifo)
            TRY(broken[i]);
    }
    TRY(sqs_batch_check_sends(call->api->sqs, &call->ctx, queue, sends, n));
    out->successful.at = arena_array(arena, n, sizeof(struct sent_entry));
    for (size_t i = 0; i < n; i++) {
        struct sqs_sent one;
        err e = failed(broken[i])
                    ? broken[i]
                    : sqs_message_send(call->api->sqs, &call->ctx, queue, &sends[i], &one);
        if (failed(e))
            TRY(sqs_batch_failed(call, &out->failures, ids[i], e));
        else
            sent(&out->successful, ids[i], &one);
    }
    return OK;
}

/* --- DeleteMessageBatch --- */

#define ID(F, T) F(T, STR, id, "Id", BODY, .flags = REQUIRED)
SHAPE(done_delete, "DeleteMessageBatchResultEntry", ID)
SHAPE(done_change, "ChangeMessageVisibilityBatchResultEntry", ID)

#define DELETE_ENTRY(F, T)                                                                         \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED | LATER)                                           \
    F(T, STR, receipt, "ReceiptHandle", BODY, .flags = REQUIRED | LATER)
SHAPE(delete_entry, "DeleteMessageBatchRequestEntry", DELETE_ENTRY)
#define DELETE_BATCH(F, T)                                                                         \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, entries, "Entries", BODY, .flags = REQUIRED | LATER,                                \
      .query = "DeleteMessageBatchRequestEntry", .of = &delete_entry_shape)
SHAPE(delete_batch_input, "DeleteMessageBatchRequest", DELETE_BATCH)
#define DELETED_BATCH(F, T) BATCH_OUT(F, T, "DeleteMessageBatchResultEntry", done_delete_shape)
SHAPE(delete_batch_output, "DeleteMessageBatchResult", DELETED_BATCH)

_Static_assert(sizeof(struct done_delete) == sizeof(str) &&
                   sizeof(struct done_change) == sizeof(str),
               "an id alone");

static void done(list *successful, str id)
{
    *LIST_AT(*successful, str, successful->n++) = id;
}

static err delete_message_batch(struct call *call, const void *input, void *output)
{
    const struct delete_batch_input *in = input;
    struct delete_batch_output *out = output;
    size_t n = in->entries.n;
    struct delete_entry *entries = in->entries.at;
    str *ids = arena_array(call->ctx.arena, n + 1, sizeof *ids);
    int64_t queue;
    for (size_t i = 0; i < n; i++)
        ids[i] = entries[i].id;
    TRY(begin(call, in->queue_url, "DeleteMessageBatchRequestEntry", ids, n, &queue));
    out->successful.at = arena_array(call->ctx.arena, n, sizeof(struct done_delete));
    for (size_t i = 0; i < n; i++) {
        err e = sqs_message_delete(call->api->sqs, &call->ctx, queue, entries[i].receipt);
        if (failed(e))
            TRY(sqs_batch_failed(call, &out->failures, ids[i], e));
        else
            done(&out->successful, ids[i]);
    }
    return OK;
}

/* --- ChangeMessageVisibilityBatch --- */

#define CHANGE_ENTRY(F, T)                                                                         \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED | LATER)                                           \
    F(T, STR, receipt, "ReceiptHandle", BODY, .flags = REQUIRED | LATER)                           \
    F(T, INT, visibility, "VisibilityTimeout", BODY)
SHAPE(change_entry, "ChangeMessageVisibilityBatchRequestEntry", CHANGE_ENTRY)
#define CHANGE_BATCH(F, T)                                                                         \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, entries, "Entries", BODY, .flags = REQUIRED | LATER,                                \
      .query = "ChangeMessageVisibilityBatchRequestEntry", .of = &change_entry_shape)
SHAPE(change_batch_input, "ChangeMessageVisibilityBatchRequest", CHANGE_BATCH)
#define CHANGED_BATCH(F, T)                                                                        \
    BATCH_OUT(F, T, "ChangeMessageVisibilityBatchResultEntry", done_change_shape)
SHAPE(change_batch_output, "ChangeMessageVisibilityBatchResult", CHANGED_BATCH)

static err change_one(struct call *call, int64_t queue, const struct change_entry *entry, size_t i)
{
    if (entry->receipt.n && !entry->visibility.set)
        return err_text(call->ctx.arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter "
                        "ChangeMessageVisibilityBatchRequestEntry.%zu.VisibilityTimeout.",
                        i + 1);
    if (entry->receipt.n)
        TRY(sqs_check_visibility(&call->ctx, SQS_OF_BATCH, entry->visibility.v));
    return sqs_message_hide(call->api->sqs, &call->ctx, queue, entry->receipt, entry->visibility.v);
}

static err change_message_visibility_batch(struct call *call, const void *input, void *output)
{
    const struct change_batch_input *in = input;
    struct change_batch_output *out = output;
    size_t n = in->entries.n;
    struct change_entry *entries = in->entries.at;
    str *ids = arena_array(call->ctx.arena, n + 1, sizeof *ids);
    int64_t queue;
    for (size_t i = 0; i < n; i++)
        ids[i] = entries[i].id;
    TRY(begin(call, in->queue_url, "ChangeMessageVisibilityBatchRequestEntry", ids, n, &queue));
    out->successful.at = arena_array(call->ctx.arena, n, sizeof(struct done_change));
    for (size_t i = 0; i < n; i++) {
        err e = change_one(call, queue, &entries[i], i);
        if (failed(e))
            TRY(sqs_batch_failed(call, &out->failures, ids[i], e));
        else
            done(&out->successful, ids[i]);
    }
    return OK;
}

const struct op sqs_batch_ops[] = {
    {.name = "SendMessageBatch",
     .in = &send_batch_input_shape,
     .out = &send_batch_output_shape,
     .run = send_message_batch,
     .action = "sqs:SendMessage"},
    {.name = "DeleteMessageBatch",
     .in = &delete_batch_input_shape,
     .out = &delete_batch_output_shape,
     .run = delete_message_batch,
     .action = "sqs:DeleteMessage"},
    {.name = "ChangeMessageVisibilityBatch",
     .in = &change_batch_input_shape,
     .out = &change_batch_output_shape,
     .run = change_message_visibility_batch,
     .action = "sqs:ChangeMessageVisibility"},
    {.name = NULL},
};
