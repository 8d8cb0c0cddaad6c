/* api/sqs_message.c - SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility. */
#include "api/sqs_receive.h"
#include "api/sqs_send.h"
#include "sqs/rules.h"

#include <string.h>

SHAPE_DEFINE(sqs_value, "MessageAttributeValue", SQS_VALUE)

static const struct field value_entry_fields[] = {
    {.wire = "Name", .kind = SHAPE_STR, .offset = offsetof(struct sqs_value_entry, name)},
    {.wire = "Value",
     .kind = SHAPE_STRUCT,
     .offset = offsetof(struct sqs_value_entry, value),
     .of = &sqs_value_shape},
};
const struct shape sqs_value_entry_shape = {"MessageBodyAttributeMap",
                                            sizeof(struct sqs_value_entry), value_entry_fields, 2};

/* --- SendMessage --- */

#define SEND(F, T) SQS_QUEUE_URL(F, T) SQS_SEND_MEMBERS(F, T, REQUIRED)
SHAPE(send_input, "SendMessageRequest", SEND)
#define SENT(F, T) SQS_SENT_MEMBERS(F, T, 0)
SHAPE(send_output, "SendMessageResult", SENT)

static err value_of(struct call *call, const struct sqs_value_entry *entry,
                    struct sqs_attribute *out)
{
    static const struct sqs_value nothing;
    const struct sqs_value *value = entry->value ? entry->value : &nothing;
    if (value->strings.n || value->binaries.n)
        return err_text(
            call->ctx.arena, &SQS_UNSUPPORTED_OPERATION,
            "Message attribute list values in SendMessage operation are not supported.");
    bool binary = str_starts(value->type, S("Binary"));
    *out = (struct sqs_attribute){.name = entry->name, .type = value->type};
    out->value = binary ? value->binary : value->string;
    if (value->string.n && value->binary.n)
        return err_text(call->ctx.arena, &SQS_INVALID_PARAMETER,
                        "Message (user) attribute '%.*s' must have a single value.",
                        STR_ARG(entry->name));
    return OK;
}

/* AWSTraceHeader is the only one that may be sent. */
static err system_of(struct call *call, const list *system, struct sqs_send *send)
{
    struct sqs_attribute attribute;
    LIST_EACH (const struct sqs_value_entry, entry, *system) {
        TRY(value_of(call, entry, &attribute));
        if (!str_eq(entry->name, S("AWSTraceHeader")))
            return err_text(call->ctx.arena, &SQS_INVALID_PARAMETER,
                            "Message system attribute name '%.*s' is invalid.",
                            STR_ARG(entry->name));
        if (!str_eq(attribute.type, S("String")) || !attribute.value.n)
            return err_text(call->ctx.arena, &SQS_INVALID_PARAMETER,
                            "The message system attribute 'AWSTraceHeader' must contain a "
                            "non-empty value of type 'String'.");
        send->trace_header = attribute.value;
    }
    return OK;
}

err sqs_send_of(struct call *call, const struct sqs_sendable *from, struct sqs_send *send)
{
    struct sqs_attribute *attributes =
        arena_array(call->ctx.arena, from->attributes->n + 1, sizeof *attributes);
    size_t n = 0;
    LIST_EACH (const struct sqs_value_entry, entry, *from->attributes)
        TRY(value_of(call, entry, &attributes[n++]));
    *send = (struct sqs_send){.body = from->body,
                              .attributes = attributes,
                              .nattributes = n,
                              .delay = from->delay.set ? from->delay.v : -1,
                              .group = from->group,
                              .dedup = from->dedup};
    if (from->delay.set && from->delay.v < 0)
        return sqs_check_delay(&call->ctx, from->delay.v);
    return system_of(call, from->system, send);
}

static err send_message(struct call *call, const void *input, void *output)
{
    const struct send_input *in = input;
    struct send_output *out = output;
    struct sqs_send send;
    struct sqs_sent sent;
    int64_t queue;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    struct sqs_sendable from = {in->body,  in->dedup,       in->group,
                                in->delay, &in->attributes, &in->system};
    TRY(sqs_send_of(call, &from, &send));
    TRY(sqs_message_send(call->api->sqs, &call->ctx, queue, &send, &sent));
    *out = (struct send_output){.md5_body = sent.md5_body,
                                .md5_attributes = sent.md5_attributes,
                                .md5_system = sent.md5_system,
                                .id = sent.id,
                                .sequence = sent.sequence};
    return OK;
}

/* --- ReceiveMessage --- */

#define RECEIVE(F, T)                                                                              \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, old_names, "AttributeNames", BODY, .query = "AttributeName",                        \
      .of = &scalar_str_shape)                                                                     \
    F(T, LIST, system_names, "MessageSystemAttributeNames", BODY,                                  \
      .query = "MessageSystemAttributeName", .of = &scalar_str_shape)                              \
    F(T, LIST, names, "MessageAttributeNames", BODY, .query = "MessageAttributeName",              \
      .of = &scalar_str_shape)                                                                     \
    F(T, INT, max, "MaxNumberOfMessages", BODY)                                                    \
    F(T, INT, visibility, "VisibilityTimeout", BODY)                                               \
    F(T, INT, wait, "WaitTimeSeconds", BODY)                                                       \
    F(T, STR, attempt, "ReceiveRequestAttemptId", BODY)
SHAPE(receive_input, "ReceiveMessageRequest", RECEIVE)

/* Nothing there: wait as long as the call says, or else the queue, from the first time it was
 * tried. */
static void park(struct call *call, int64_t queue, opt_int asked_wait)
{
    struct sqs_queue_facts facts;
    if (call->retry_final || !sqs_queue_facts(call->api->sqs, queue, &facts))
        return;
    int64_t wait = asked_wait.set ? asked_wait.v : facts.wait;
    if (!wait)
        return;
    call->park_queue = queue;
    if (!call->park_until)
        call->park_until = call->ctx.now + wait * 1000;
}

/* A client that is gone must not hold messages: the receive is taken back. */
static void take_back(struct call *call, void *output)
{
    struct sqs_receive_output *out = output;
    LIST_EACH (struct sqs_message_output, message, out->messages) {
        if (failed(sqs_message_return(call->api->sqs, &call->ctx, out->queue.v, message->receipt)))
            return;
    }
}

static err receive_message(struct call *call, const void *input, void *output)
{
    const struct receive_input *in = input;
    struct sqs_receive_output *out = output;
    struct ctx *ctx = &call->ctx;
    struct sqs_message *messages;
    int64_t queue;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    if (in->wait.set)
        TRY(sqs_check_wait(ctx, in->wait.v));
    if (in->visibility.set)
        TRY(sqs_check_visibility(ctx, SQS_OF_RECEIVE, in->visibility.v));
    struct sqs_receive receive = {.max = in->max.set ? in->max.v : 1,
                                  .visibility = in->visibility.set ? in->visibility.v : -1,
                                  .attempt = in->attempt};
    TRY(sqs_message_receive(call->api->sqs, ctx, queue, &receive, &messages, &out->messages.n));
    if (!out->messages.n) {
        park(call, queue, in->wait);
        return OK;
    }
    call->park_until = 0;
    call->undelivered = take_back;
    call->undelivered_out = out;
    out->queue = INT_OF(queue);
    /* MessageSystemAttributeNames wins over the older AttributeNames (#7). */
    struct sqs_wanted wanted = {in->system_names.n ? &in->system_names : &in->old_names,
                                &in->names};
    out->messages.at = arena_array(ctx->arena, out->messages.n, sizeof(struct sqs_message_output));
    for (size_t i = 0; i < out->messages.n; i++)
        sqs_message_put(ctx->arena, &wanted, &messages[i],
                        LIST_AT(out->messages, struct sqs_message_output, i));
    return OK;
}

/* --- DeleteMessage, ChangeMessageVisibility --- */

#define DELETE(F, T)                                                                               \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, STR, receipt, "ReceiptHandle", BODY, .flags = REQUIRED | LATER)
SHAPE(delete_input, "DeleteMessageRequest", DELETE)

static err delete_message(struct call *call, const void *input, void *output)
{
    const struct delete_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    if (!in->receipt.n) /* AWS's own name of it: no parameter is called so */
        return err_text(call->ctx.arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter MessageHandle.");
    return sqs_message_delete(call->api->sqs, &call->ctx, queue, in->receipt);
}

#define CHANGE(F, T)                                                                               \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, STR, receipt, "ReceiptHandle", BODY, .flags = REQUIRED)                                   \
    F(T, INT, visibility, "VisibilityTimeout", BODY, .flags = REQUIRED)
SHAPE(change_input, "ChangeMessageVisibilityRequest", CHANGE)

static err change_message_visibility(struct call *call, const void *input, void *output)
{
    const struct change_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_message_hide(call->api->sqs, &call->ctx, queue, in->receipt, in->visibility.v);
}

const struct op sqs_message_ops[] = {
    {.name = "SendMessage",
     .in = &send_input_shape,
     .out = &send_output_shape,
     .run = send_message,
     .flags = OP_SURE},
    {.name = "ReceiveMessage",
     .in = &receive_input_shape,
     .out = &sqs_receive_output_shape,
     .run = receive_message,
     .flags = OP_SURE},
    {.name = "DeleteMessage",
     .in = &delete_input_shape,
     .out = &empty_shape,
     .run = delete_message,
     .flags = OP_NO_RESULT | OP_SURE},
    {.name = "ChangeMessageVisibility",
     .in = &change_input_shape,
     .out = &empty_shape,
     .run = change_message_visibility,
     .flags = OP_NO_RESULT},
    {.name = NULL},
};
