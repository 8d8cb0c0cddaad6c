/* api/sqs_queue.c - operations on queues: create, find, list, attributes, tags, permissions, purge,
 * delete. */
#include "api/sqs_common.h"
#include "sqs/permission.h"

/* --- CreateQueue, GetQueueUrl, DeleteQueue, PurgeQueue --- */

static err no_name(struct call *call)
{
    return err_text(call->ctx.arena, &SQS_INVALID_PARAMETER,
                    "Value for parameter QueueName is invalid. Reason: Must specify a queue name.");
}

#define CREATE(F, T)                                                                               \
    F(T, STR, name, "QueueName", BODY, .flags = REQUIRED | LATER)                                  \
    F(T, MAP, attributes, "Attributes", BODY, .query = "Attribute",                                \
      .of = &sqs_attribute_entry_shape)                                                            \
    F(T, MAP, tags, "tags", BODY, .query = "Tag", .of = &sqs_tag_entry_shape)
SHAPE(create_queue_input, "CreateQueueRequest", CREATE)

static err create_queue(struct call *call, const void *input, void *output)
{
    const struct create_queue_input *in = input;
    struct sqs_queue_output *out = output;
    int64_t queue;
    if (!in->name.p)
        return no_name(call);
    TRY(sqs_queue_create(call->api->sqs, &call->ctx, in->name, sqs_pairs(&in->attributes),
                         in->attributes.n, sqs_pairs(&in->tags), in->tags.n, &queue));
    out->queue_url = sqs_queue_url(call->api->sqs, &call->ctx, queue);
    return OK;
}

#define GET_URL(F, T)                                                                              \
    F(T, STR, name, "QueueName", BODY, .flags = REQUIRED | LATER)                                  \
    F(T, STR, owner, "QueueOwnerAWSAccountId", BODY)
SHAPE(get_queue_url_input, "GetQueueUrlRequest", GET_URL)

static err get_queue_url(struct call *call, const void *input, void *output)
{
    const struct get_queue_url_input *in = input;
    struct sqs_queue_output *out = output;
    int64_t queue;
    str account = in->owner.n ? in->owner : call->ctx.account;
    if (!in->name.n)
        return no_name(call);
    err e = sqs_queue_find(call->api->sqs, account, call->ctx.region, in->name, &queue);
    if (failed(e) && str_is_account(account) && !str_eq(account, call->ctx.account))
        return err_text(call->ctx.arena, &SQS_QUEUE_DOES_NOT_EXIST,
                        "The specified queue does not exist or you do not have access to it.");
    TRY(e);
    out->queue_url = sqs_queue_url(call->api->sqs, &call->ctx, queue);
    return OK;
}

static err delete_queue(struct call *call, const void *input, void *output)
{
    const struct sqs_queue_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_queue_delete(call->api->sqs, &call->ctx, queue);
}

static err purge_queue(struct call *call, const void *input, void *output)
{
    const struct sqs_queue_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_queue_purge(call->api->sqs, &call->ctx, queue);
}

/* --- ListQueues, ListDeadLetterSourceQueues --- */

#define LIST_QUEUES(F, T)                                                                          \
    F(T, STR, prefix, "QueueNamePrefix", BODY)                                                     \
    F(T, STR, token, "NextToken", BODY)                                                            \
    F(T, INT, max, "MaxResults", BODY)
SHAPE(list_queues_input, "ListQueuesRequest", LIST_QUEUES)

#define QUEUE_URLS(F, T)                                                                           \
    F(T, LIST, urls, "QueueUrls", BODY, .query = "QueueUrl", .of = &scalar_str_shape)              \
    F(T, STR, token, "NextToken", BODY)
SHAPE(list_queues_output, "ListQueuesResult", QUEUE_URLS)

/* 0 is as good as nothing to AWS; -1 is the engine's "no limit", which nobody may ask for by
 * number. */
static int64_t page_of(opt_int max)
{
    if (!max.v)
        return -1;
    return max.v < 0 ? 0 : max.v;
}

static void add_url(struct call *call, list *urls, int64_t queue)
{
    LIST_AT(*urls, struct scalar_str, urls->n++)->value =
        sqs_queue_url(call->api->sqs, &call->ctx, queue);
    urls->set = true;
}

static err list_queues(struct call *call, const void *input, void *output)
{
    const struct list_queues_input *in = input;
    struct list_queues_output *out = output;
    struct ctx *ctx = &call->ctx;
    str token = in->token, *names;
    size_t n;
    TRY(sqs_queue_list(call->api->sqs, ctx, in->prefix, page_of(in->max), &token, &names, &n));
    out->urls.at = arena_array(ctx->arena, n + 1, sizeof(struct scalar_str));
    for (size_t i = 0; i < n; i++) {
        int64_t queue;
        TRY(sqs_queue_find(call->api->sqs, ctx->account, ctx->region, names[i], &queue));
        add_url(call, &out->urls, queue);
    }
    out->token = token;
    return OK;
}

#define SOURCES_IN(F, T)                                                                           \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, STR, token, "NextToken", BODY)                                                            \
    F(T, INT, max, "MaxResults", BODY)
SHAPE(sources_input, "ListDeadLetterSourceQueuesRequest", SOURCES_IN)

/* AWS's small letter. */
#define SOURCES_OUT(F, T)                                                                          \
    F(T, LIST, urls, "queueUrls", BODY, .flags = REQUIRED, .query = "QueueUrl",                    \
      .of = &scalar_str_shape)                                                                     \
    F(T, STR, token, "NextToken", BODY)
SHAPE(sources_output, "ListDeadLetterSourceQueuesResult", SOURCES_OUT)

static err list_dead_letter_source_queues(struct call *call, const void *input, void *output)
{
    const struct sources_input *in = input;
    struct sources_output *out = output;
    int64_t queue, *sources;
    size_t n;
    str token = in->token;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    TRY(sqs_queue_sources(call->api->sqs, &call->ctx, queue, page_of(in->max), &token, &sources,
                          &n));
    out->urls =
        (list){.at = arena_array(call->ctx.arena, n + 1, sizeof(struct scalar_str)), .set = true};
    for (size_t i = 0; i < n; i++)
        add_url(call, &out->urls, sources[i]);
    out->token = token;
    return OK;
}

/* --- attributes --- */

#define GET_ATTRIBUTES(F, T)                                                                       \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, names, "AttributeNames", BODY, .query = "AttributeName", .of = &scalar_str_shape)
SHAPE(get_attributes_input, "GetQueueAttributesRequest", GET_ATTRIBUTES)
#define GOT_ATTRIBUTES(F, T)                                                                       \
    F(T, MAP, attributes, "Attributes", BODY, .query = "Attribute",                                \
      .of = &sqs_attribute_entry_shape)
SHAPE(get_attributes_output, "GetQueueAttributesResult", GOT_ATTRIBUTES)

static err get_queue_attributes(struct call *call, const void *input, void *output)
{
    const struct get_attributes_input *in = input;
    struct get_attributes_output *out = output;
    struct sqs_pair *pairs;
    int64_t queue;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    TRY(sqs_queue_get(call->api->sqs, &call->ctx, queue, sqs_texts(&in->names), in->names.n, &pairs,
                      &out->attributes.n));
    out->attributes.at = pairs;
    return OK;
}

#define SET_ATTRIBUTES(F, T)                                                                       \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, MAP, attributes, "Attributes", BODY, .flags = REQUIRED | LATER, .query = "Attribute",     \
      .of = &sqs_attribute_entry_shape)
SHAPE(set_attributes_input, "SetQueueAttributesRequest", SET_ATTRIBUTES)

static err set_queue_attributes(struct call *call, const void *input, void *output)
{
    const struct set_attributes_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    if (!in->attributes.n)
        return err_text(call->ctx.arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter Attribute.Name.");
    return sqs_queue_set(call->api->sqs, &call->ctx, queue, sqs_pairs(&in->attributes),
                         in->attributes.n);
}

/* --- tags --- */

#define TAG_QUEUE(F, T)                                                                            \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, MAP, tags, "Tags", BODY, .flags = REQUIRED, .query = "Tag", .of = &sqs_tag_entry_shape)
SHAPE(tag_queue_input, "TagQueueRequest", TAG_QUEUE)

static err tag_queue(struct call *call, const void *input, void *output)
{
    const struct tag_queue_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_queue_tag(call->api->sqs, &call->ctx, queue, sqs_pairs(&in->tags), in->tags.n);
}

#define UNTAG_QUEUE(F, T)                                                                          \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, LIST, keys, "TagKeys", BODY, .flags = REQUIRED, .query = "TagKey", .of = &scalar_str_shape)
SHAPE(untag_queue_input, "UntagQueueRequest", UNTAG_QUEUE)

static err untag_queue(struct call *call, const void *input, void *output)
{
    const struct untag_queue_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_queue_untag(call->api->sqs, &call->ctx, queue, sqs_texts(&in->keys), in->keys.n);
}

#define TAGS_OUT(F, T) F(T, MAP, tags, "Tags", BODY, .query = "Tag", .of = &sqs_tag_entry_shape)
SHAPE(list_tags_output, "ListQueueTagsResult", TAGS_OUT)

static err list_queue_tags(struct call *call, const void *input, void *output)
{
    const struct sqs_queue_input *in = input;
    struct list_tags_output *out = output;
    struct sqs_pair *tags;
    int64_t queue;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    TRY(sqs_queue_tags(call->api->sqs, &call->ctx, queue, &tags, &out->tags.n));
    out->tags.at = tags;
    return OK;
}

/* --- permissions --- */

#define ADD_PERMISSION(F, T)                                                                       \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, STR, label, "Label", BODY, .flags = REQUIRED)                                             \
    F(T, LIST, accounts, "AWSAccountIds", BODY, .flags = REQUIRED, .query = "AWSAccountId",        \
      .of = &scalar_str_shape)                                                                     \
    F(T, LIST, actions, "Actions", BODY, .flags = REQUIRED, .query = "ActionName",                 \
      .of = &scalar_str_shape)
SHAPE(add_permission_input, "AddPermissionRequest", ADD_PERMISSION)

static err add_permission(struct call *call, const void *input, void *output)
{
    const struct add_permission_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_permission_add(call->api->sqs, &call->ctx, queue, in->label,
                              sqs_texts(&in->accounts), in->accounts.n, sqs_texts(&in->actions),
                              in->actions.n);
}

#define REMOVE_PERMISSION(F, T)                                                                    \
    SQS_QUEUE_URL(F, T)                                                                            \
    F(T, STR, label, "Label", BODY, .flags = REQUIRED)
SHAPE(remove_permission_input, "RemovePermissionRequest", REMOVE_PERMISSION)

static err remove_permission(struct call *call, const void *input, void *output)
{
    const struct remove_permission_input *in = input;
    int64_t queue;
    (void)output;
    TRY(sqs_call_queue(call, in->queue_url, &queue));
    return sqs_permission_remove(call->api->sqs, &call->ctx, queue, in->label);
}

const struct op sqs_queue_ops[] = {
    {.name = "CreateQueue",
     .in = &create_queue_input_shape,
     .out = &sqs_queue_output_shape,
     .run = create_queue,
     .flags = OP_NOT_AT_QUEUE},
    {.name = "DeleteQueue",
     .in = &sqs_queue_input_shape,
     .out = &empty_shape,
     .run = delete_queue,
     .flags = OP_NO_RESULT},
    {.name = "PurgeQueue",
     .in = &sqs_queue_input_shape,
     .out = &empty_shape,
     .run = purge_queue,
     .flags = OP_NO_RESULT},
    {.name = "GetQueueUrl",
     .in = &get_queue_url_input_shape,
     .out = &sqs_queue_output_shape,
     .run = get_queue_url,
     .flags = OP_READ},
    {.name = "ListQueues",
     .in = &list_queues_input_shape,
     .out = &list_queues_output_shape,
     .run = list_queues,
     .flags = OP_READ | OP_NOT_AT_QUEUE},
    {.name = "ListDeadLetterSourceQueues",
     .in = &sources_input_shape,
     .out = &sources_output_shape,
     .run = list_dead_letter_source_queues,
     .flags = OP_READ},
    {.name = "GetQueueAttributes",
     .in = &get_attributes_input_shape,
     .out = &get_attributes_output_shape,
     .run = get_queue_attributes,
     .flags = OP_READ},
    {.name = "SetQueueAttributes",
     .in = &set_attributes_input_shape,
     .out = &empty_shape,
     .run = set_queue_attributes,
     .flags = OP_NO_RESULT},
    {.name = "TagQueue",
     .in = &tag_queue_input_shape,
     .out = &empty_shape,
     .run = tag_queue,
     .flags = OP_NO_RESULT},
    {.name = "UntagQueue",
     .in = &untag_queue_input_shape,
     .out = &empty_shape,
     .run = untag_queue,
     .flags = OP_NO_RESULT},
    {.name = "ListQueueTags",
     .in = &sqs_queue_input_shape,
     .out = &list_tags_output_shape,
     .run = list_queue_tags,
     .flags = OP_READ},
    {.name = "AddPermission",
     .in = &add_permission_input_shape,
     .out = &empty_shape,
     .run = add_permission,
     .flags = OP_NO_RESULT},
    {.name = "RemovePermission",
     .in = &remove_permission_input_shape,
     .out = &empty_shape,
     .run = remove_permission,
     .flags = OP_NO_RESULT},
    {.name = NULL},
};
