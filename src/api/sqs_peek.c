/* api/sqs_peek.c - see sqs_peek.h. */
#include "api/sqs_peek.h"

#include "sqs/peek.h"

SHAPE_DEFINE(sqs_peek_input, "ReceiveMessageRequest", SQS_PEEK_INPUT)

static void add_flag(list *system, str name, bool value)
{
    *LIST_AT(*system, struct sqs_attribute_entry, system->n++) =
        (struct sqs_attribute_entry){name, value ? S("true") : S("false")};
}

/* Where hidden messages may be among them, each says what it is. */
static void put(struct arena *arena, const struct sqs_peeked *from, bool tell,
                struct sqs_message_output *to)
{
    struct scalar_str all = {S("All")};
    list everything = {.at = &all, .n = 1};
    struct sqs_wanted wanted = {&everything, &everything};
    sqs_message_put(arena, &wanted, &from->message, to);
    to->receipt = S("SQS/BACKDOOR/ACCESS"); /* no handle: SDKs want the member */
    if (!tell)
        return;
    add_flag(&to->system, S("IsVisible"), from->state == SQS_VISIBLE);
    add_flag(&to->system, S("IsDelayed"), from->state == SQS_DELAYED);
}

static err peek_messages(struct call *call, const void *input, void *output)
{
    const struct sqs_peek_input *in = input;
    struct sqs_receive_output *out = output;
    struct arena *arena = call->ctx.arena;
    struct sqs_peek peek = {
        .invisible = in->invisible.v, .delayed = in->delayed.v, .limit = SQS_PEEK_MAX / 10};
    struct sqs_peeked *page;
    int64_t queue;
    size_t n, size = sizeof(struct sqs_message_output);
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    while (peek.after >= 0 && out->messages.n < SQS_PEEK_MAX) {
        TRY(sqs_messages_peek(call->api->sqs, &call->ctx, queue, &peek, &page, &n));
        out->messages.at = arena_grow(arena, out->messages.at, out->messages.n * size,
                                      (out->messages.n + n) * size);
        for (size_t i = 0; i < n; i++)
            put(arena, &page[i], peek.invisible || peek.delayed,
                LIST_AT(out->messages, struct sqs_message_output, out->messages.n++));
    }
    return OK;
}

const struct op sqs_peek_op = {.name = "ReceiveMessage",
                               .in = &sqs_peek_input_shape,
                               .out = &sqs_receive_output_shape,
                               .run = peek_messages,
                               .flags = OP_READ};
