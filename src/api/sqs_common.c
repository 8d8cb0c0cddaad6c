/* api/sqs_common.c - see sqs_common.h. */
#include "api/sqs_common.h"

static const struct field attribute_fields[] = {
    {.wire = "Name", .kind = SHAPE_STR, .offset = offsetof(struct sqs_attribute_entry, name)},
    {.wire = "Value", .kind = SHAPE_STR, .offset = offsetof(struct sqs_attribute_entry, value)},
};
static const struct field tag_fields[] = {
    {.wire = "Key", .kind = SHAPE_STR, .offset = offsetof(struct sqs_tag_entry, key)},
    {.wire = "Value", .kind = SHAPE_STR, .offset = offsetof(struct sqs_tag_entry, value)},
};
const struct shape sqs_attribute_entry_shape = {
    "QueueAttributeMap", sizeof(struct sqs_attribute_entry), attribute_fields, 2};
const struct shape sqs_tag_entry_shape = {"TagMap", sizeof(struct sqs_tag_entry), tag_fields, 2};

SHAPE_DEFINE(sqs_queue_input, "QueueRequest", SQS_QUEUE_URL)
SHAPE_DEFINE(sqs_queue_output, "QueueResult", SQS_QUEUE_URL_OUT)
SHAPE_DEFINE(sqs_batch_error, "BatchResultErrorEntry", SQS_BATCH_ERROR)

/* Entries of both maps are a name and a value, as the engine's pairs are. */
_Static_assert(sizeof(struct sqs_attribute_entry) == sizeof(struct sqs_pair),
               "map entries are pairs");
_Static_assert(sizeof(struct sqs_tag_entry) == sizeof(struct sqs_pair), "map entries are pairs");

const struct sqs_pair *sqs_pairs(const list *entries)
{
    return entries->at;
}

const str *sqs_texts(const list *items)
{
    return items->at;
}

err sqs_call_queue(struct call *call, str url, int64_t *queue)
{
    return sqs_queue_at(call->api->sqs, &call->ctx, url, queue);
}

err sqs_batch_failed(struct call *call, list *failures, str id, err e)
{
    if (e.fault->status >= 500)
        return e;
    struct arena *arena = call->ctx.arena;
    size_t size = sizeof(struct sqs_batch_error);
    failures->at = arena_grow(arena, failures->at, failures->n * size, (failures->n + 1) * size);
    *LIST_AT(*failures, struct sqs_batch_error, failures->n) =
        (struct sqs_batch_error){.id = id,
                                 .sender_fault = BOOL_OF(true),
                                 .code = str_of(e.fault->code),
                                 .message = err_message(e)};
    failures->n++;
    failures->set = true;
    return OK;
}
