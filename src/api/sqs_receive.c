/* api/sqs_receive.c - see sqs_receive.h. */
#include "api/sqs_receive.h"

SHAPE_DEFINE(sqs_message_output, "Message", SQS_MESSAGE_OUTPUT)
SHAPE_DEFINE(sqs_receive_output, "ReceiveMessageResult", SQS_RECEIVE_OUTPUT)

static bool asked(const list *names, str name)
{
    LIST_EACH (const struct scalar_str, item, *names) {
        if (str_eq(item->value, name))
            return true;
    }
    return false;
}

/* Everything with "All", "*" or ".*"; what begins like "prefix.*"; or exactly (#6). */
static bool asked_attribute(const list *names, str name)
{
    LIST_EACH (const struct scalar_str, item, *names) {
        str pattern = item->value;
        if (str_eq(pattern, S("All")) || str_eq(pattern, S("*")) || str_eq(pattern, name))
            return true;
        if (str_ends(pattern, S(".*")) && str_starts(name, str_slice(pattern, 0, pattern.n - 2)))
            return true;
    }
    return false;
}

struct system_out {
    const list *names;
    bool all;
    list *to;
};

static void add_system(struct system_out *out, str name, str value)
{
    if (!value.p || !(out->all || asked(out->names, name)))
        return;
    *LIST_AT(*out->to, struct sqs_attribute_entry, out->to->n++) =
        (struct sqs_attribute_entry){name, value};
}

static str number(struct arena *arena, int64_t value)
{
    return arena_printf(arena, "%lld", (long long)value);
}

static void put_system(struct arena *arena, const list *names, const struct sqs_message *message,
                       list *to)
{
    struct system_out out = {names, asked(names, S("All")), to};
    if (!names->n)
        return;
    to->at = arena_array(arena, SQS_SYSTEM_MAX, sizeof(struct sqs_attribute_entry));
    add_system(&out, S("SenderId"), message->sender);
    add_system(&out, S("ApproximateFirstReceiveTimestamp"),
               number(arena, message->first_received_at));
    add_system(&out, S("ApproximateReceiveCount"), number(arena, message->receive_count));
    add_system(&out, S("SentTimestamp"), number(arena, message->sent_at));
    add_system(&out, S("SequenceNumber"), message->sequence);
    add_system(&out, S("MessageGroupId"), message->group);
    add_system(&out, S("MessageDeduplicationId"), message->dedup);
    add_system(&out, S("AWSTraceHeader"), message->trace_header);
    add_system(&out, S("DeadLetterQueueSourceArn"), message->dead_letter_source);
}

/* The digest covers what is returned, not what was sent (#5). */
static void put_attributes(struct arena *arena, const list *names,
                           const struct sqs_message *message, struct sqs_message_output *to)
{
    if (!names->n || !message->nattributes)
        return;
    struct sqs_attribute *kept = arena_array(arena, message->nattributes, sizeof *kept);
    to->attributes.at = arena_array(arena, message->nattributes, sizeof(struct sqs_value_entry));
    for (size_t i = 0; i < message->nattributes; i++) {
        const struct sqs_attribute *attribute = &message->attributes[i];
        if (!asked_attribute(names, attribute->name))
            continue;
        struct sqs_value *value = ARENA_NEW(arena, struct sqs_value);
        value->type = attribute->type;
        *(str_starts(attribute->type, S("Binary")) ? &value->binary : &value->string) =
            attribute->value;
        kept[to->attributes.n] = *attribute;
        *LIST_AT(to->attributes, struct sqs_value_entry, to->attributes.n++) =
            (struct sqs_value_entry){attribute->name, value};
    }
    to->md5_attributes = sqs_attributes_md5(arena, kept, to->attributes.n);
}

void sqs_message_put(struct arena *arena, const struct sqs_wanted *wanted,
                     const struct sqs_message *message, struct sqs_message_output *to)
{
    *to = (struct sqs_message_output){.id = message->id,
                                      .receipt = message->receipt,
                                      .md5_body = message->md5_body,
                                      .body = message->body};
    put_system(arena, wanted->system, message, &to->system);
    put_attributes(arena, wanted->attributes, message, to);
}
