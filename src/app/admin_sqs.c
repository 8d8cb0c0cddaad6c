/* app/admin_sqs.c - looking into queues without receiving.
 *   GET /_headrace/sqs/queues                   every queue with its numbers
 *   GET /_headrace/sqs/messages?QueueUrl=...    its messages: state, receive count, when it becomes
 * visible, group &ShowInvisible=true&ShowDelayed=true    also those in flight, also delayed ones
 *       &limit=N&after=POSITION                 a page
 *   /_aws/sqs/messages[/REGION/ACCOUNT/NAME]    the same as LocalStack has it: any method, AWS's
 * protocols, answered as ReceiveMessage */
#include "api/ops.h"
#include "api/sqs_peek.h"
#include "app/admin.h"
#include "aws/codec.h"
#include "aws/fault.h"
#include "base/text.h"
#include "sqs/peek.h"

#define ALIAS "/_aws/sqs/messages"

/* ---- ours ---- */

static void put_text(struct buf *b, const char *name, str value)
{
    buf_printf(b, ",\"%s\":", name);
    if (value.p)
        buf_json(b, value);
    else
        BUF_LIT(b, "null");
}

static void put_number(struct buf *b, const char *name, int64_t value)
{
    buf_printf(b, ",\"%s\":%lld", name, (long long)value);
}

static void put_time(struct buf *b, const char *name, msec t)
{
    put_text(b, name, t ? date_iso_ms(b->arena, t) : STR_NONE);
}

static void put_attribute(struct buf *b, const struct sqs_attribute *attribute)
{
    bool binary = str_starts(attribute->type, S("Binary"));
    buf_json(b, attribute->name);
    BUF_LIT(b, ":{\"type\":");
    buf_json(b, attribute->type);
    put_text(b, binary ? "base64" : "value",
             binary ? base64_encode(b->arena, attribute->value) : attribute->value);
    buf_char(b, '}');
}

static void put_message(struct buf *b, const struct sqs_peeked *peeked)
{
    static const char *const states[] = {"visible", "delayed", "inFlight"};
    const struct sqs_message *m = &peeked->message;
    buf_printf(b, "{\"position\":%lld,\"state\":\"%s\"", (long long)peeked->position,
               states[peeked->state]);
    put_text(b, "messageId", m->id);
    put_time(b, "visibleAt", peeked->visible_at);
    put_time(b, "sentAt", m->sent_at);
    put_time(b, "firstReceivedAt", m->first_received_at);
    put_number(b, "receiveCount", m->receive_count);
    put_text(b, "groupId", m->group);
    put_text(b, "deduplicationId", m->dedup);
    put_text(b, "sequenceNumber", m->sequence);
    put_text(b, "senderId", m->sender);
    put_text(b, "traceHeader", m->trace_header);
    put_text(b, "deadLetterSourceArn", m->dead_letter_source);
    put_text(b, "md5OfBody", m->md5_body);
    put_text(b, "body", m->body);
    BUF_LIT(b, ",\"attributes\":{");
    for (size_t i = 0; i < m->nattributes; i++) {
        if (i)
            buf_char(b, ',');
        put_attribute(b, &m->attributes[i]);
    }
    BUF_LIT(b, "}}");
}

static bool flag(struct request *request, str name)
{
    return str_eq_nocase(http_query(request->http, name), S("true")) ||
           str_eq(http_query(request->http, name), S("1"));
}

static int64_t number(struct request *request, str name, int64_t otherwise)
{
    int64_t value;
    return str_to_int(http_query(request->http, name), &value) && value >= 0 ? value : otherwise;
}

/* The region of a URL that has none is the process's; a name that exists in one other region only
 * means that queue. */
static err find(struct request *request, str url, int64_t *queue)
{
    struct ctx *ctx = &request->call.ctx;
    struct sqs *sqs = request->app->sqs;
    err e = sqs_queue_at(sqs, ctx, url, queue);
    struct sqs_queue_facts facts;
    for (int64_t id = 0; failed(e) && (id = sqs_queue_next(sqs, id));) {
        struct ctx there = *ctx;
        if (!sqs_queue_facts(sqs, id, &facts) || str_eq(facts.region, ctx->region) ||
            !str_ends(url, facts.name))
            continue;
        there.region = facts.region;
        e = sqs_queue_at(sqs, &there, url, queue);
    }
    return e;
}

static void answer_messages(struct request *request)
{
    struct ctx *ctx = &request->call.ctx;
    str url = http_query(request->http, S("QueueUrl"));
    struct sqs_peek peek = {.invisible = flag(request, S("ShowInvisible")),
                            .delayed = flag(request, S("ShowDelayed")),
                            .limit = number(request, S("limit"), 1000),
                            .after = number(request, S("after"), 0)};
    struct sqs_peeked *messages;
    int64_t queue;
    size_t n;
    err e = find(request, url.n ? url : http_query(request->http, S("queue")), &queue);
    if (!failed(e))
        e = sqs_messages_peek(request->app->sqs, ctx, queue, &peek, &messages, &n);
    if (failed(e)) {
        admin_answer_error(request, e.fault == &SQS_QUEUE_DOES_NOT_EXIST ? 404 : 400,
                           err_message(e));
        return;
    }
    struct buf b = buf_in(ctx->arena);
    BUF_LIT(&b, "{\"queueUrl\":");
    buf_json(&b, sqs_queue_url(request->app->sqs, ctx, queue));
    BUF_LIT(&b, ",\"messages\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, ',');
        put_message(&b, &messages[i]);
    }
    buf_char(&b, ']');
    if (peek.after >= 0)
        put_number(&b, "next", peek.after);
    buf_char(&b, '}');
    admin_answer_json(request, 200, buf_str(&b));
}

static void answer_queues(struct request *request)
{
    struct ctx *ctx = &request->call.ctx;
    struct sqs *sqs = request->app->sqs;
    struct buf b = buf_in(ctx->arena);
    struct sqs_queue_facts facts;
    BUF_LIT(&b, "{\"queues\":[");
    for (int64_t id = sqs_queue_next(sqs, 0); id; id = sqs_queue_next(sqs, id)) {
        if (!sqs_queue_facts(sqs, id, &facts))
            continue;
        buf_put(&b, b.p[b.n - 1] == '[' ? S("{\"queueUrl\":") : S(",{\"queueUrl\":"));
        buf_json(&b, sqs_queue_url(sqs, ctx, id));
        put_text(&b, "arn", facts.arn);
        buf_printf(&b, ",\"fifo\":%s", facts.fifo ? "true" : "false");
        put_number(&b, "visible", facts.visible);
        put_number(&b, "inFlight", facts.hidden);
        put_number(&b, "delayed", facts.delayed);
        buf_char(&b, '}');
    }
    BUF_LIT(&b, "]}");
    admin_answer_json(request, 200, buf_str(&b));
}

/* ---- LocalStack's ---- */

static void put_pairs(struct buf *b, const list *pairs)
{
    BUF_LIT(b, ",\"Attribute\":[");
    for (size_t i = 0; i < pairs->n; i++) {
        const struct sqs_attribute_entry *entry = LIST_AT(*pairs, struct sqs_attribute_entry, i);
        buf_put(b, i ? S(",{\"Name\":") : S("{\"Name\":"));
        buf_json(b, entry->name);
        put_text(b, "Value", entry->value);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void put_values(struct buf *b, const list *values)
{
    BUF_LIT(b, ",\"MessageAttribute\":[");
    for (size_t i = 0; i < values->n; i++) {
        const struct sqs_value_entry *entry = LIST_AT(*values, struct sqs_value_entry, i);
        const struct sqs_value *value = entry->value;
        buf_put(b, i ? S(",{\"Name\":") : S("{\"Name\":"));
        buf_json(b, entry->name);
        BUF_LIT(b, ",\"Value\":{\"DataType\":");
        buf_json(b, value->type);
        put_text(b, value->binary.p ? "BinaryValue" : "StringValue",
                 value->binary.p ? base64_encode(b->arena, value->binary) : value->string);
        BUF_LIT(b, "}}");
    }
    buf_char(b, ']');
}

/* Its JSON is its XML with other brackets. */
static str alias_json(struct request *request, const struct sqs_receive_output *out)
{
    struct buf b = buf_in(request->http->arena);
    BUF_LIT(&b, "{\"ReceiveMessageResponse\":{\"ReceiveMessageResult\":{\"Message\":[");
    for (size_t i = 0; i < out->messages.n; i++) {
        const struct sqs_message_output *m = LIST_AT(out->messages, struct sqs_message_output, i);
        buf_put(&b, i ? S(",{\"MessageId\":") : S("{\"MessageId\":"));
        buf_json(&b, m->id);
        put_text(&b, "ReceiptHandle", m->receipt);
        put_text(&b, "MD5OfBody", m->md5_body);
        put_text(&b, "Body", m->body);
        put_pairs(&b, &m->system);
        if (m->attributes.n) {
            put_text(&b, "MD5OfMessageAttributes", m->md5_attributes);
            put_values(&b, &m->attributes);
        }
        buf_char(&b, '}');
    }
    BUF_LIT(&b, "]},\"ResponseMetadata\":{\"RequestId\":");
    buf_json(&b, request->call.ctx.request_id);
    BUF_LIT(&b, "}}}");
    return buf_str(&b);
}

static str path_url(struct request *request)
{
    str path = request->http->path;
    if (path.n <= sizeof ALIAS)
        return STR_NONE;
    path = percent_decode(request->http->arena, str_slice(path, sizeof ALIAS, path.n), false);
    return arena_join(request->http->arena, S("/queue/"), path);
}

/* Whoever takes this address for an endpoint may only look. */
static err check_action(struct request *request)
{
    str action = http_header(request->http, S("X-Amz-Target"));
    if (str_starts(action, S("AmazonSQS.")))
        action = str_slice(action, sizeof "AmazonSQS." - 1, action.n);
    else if (!action.p)
        action = form_get(&request->route.form, S("Action"));
    if (!action.p || str_eq(action, S("ReceiveMessage")))
        return OK;
    return err_text(request->http->arena, &AWS_INVALID_ACTION,
                    "The action %.*s is not valid for this endpoint.", STR_ARG(action));
}

static err alias_input(struct request *request, struct sqs_peek_input *in)
{
    struct route *route = &request->route;
    struct call *call = &request->call;
    str type = http_header(request->http, S("Content-Type"));
    str form =
        str_starts_nocase(type, S("application/x-www-form-urlencoded")) ? call->body : STR_NONE;
    if (!form_parse(request->http->arena, request->http->query, form, &route->form))
        return FAIL(AWS_ENTITY_TOO_LARGE);
    form_sort(&route->form);
    TRY(check_action(request));
    in->queue_url = path_url(request);
    struct shape_issue issue =
        codec_decode(request->http->arena, route, request->http, call->body, in);
    return issue.wrong ? route->service->refuse(call, route->op, &issue) : OK;
}

static void answer_alias(struct request *request)
{
    struct ctx *ctx = &request->call.ctx;
    struct route *route = &request->route;
    struct sqs_peek_input in = {0};
    struct sqs_receive_output out = {0};
    str accept = http_header(request->http, S("Accept"));
    bool json = http_header(request->http, S("X-Amz-Target")).p != NULL;
    *route = (struct route){.service = &sqs_service,
                            .op = &sqs_peek_op,
                            .protocol = json ? PROTOCOL_JSON : PROTOCOL_QUERY};
    route->query_mode = true;
    route->json_answer = !json && str_find(accept, S("json"), 0) >= 0;
    ctx->request_id = rng_uuid(ctx->rng, ctx->arena);
    err e = alias_input(request, &in);
    int64_t queue;
    if (!failed(e))
        e = find(request, in.queue_url, &queue);
    if (!failed(e)) {
        in.queue_url = sqs_queue_url(request->app->sqs, ctx, queue);
        struct sqs_queue_facts facts;
        sqs_queue_facts(request->app->sqs, queue, &facts);
        ctx->region = facts.region;
        e = sqs_peek_op.run(&request->call, &in, &out);
    }
    struct http_reply *reply = request_reply(request);
    if (failed(e))
        fault_reply(ctx->arena, route, request->http, ctx->request_id, STR_NONE, e, reply);
    else if (route->json_answer)
        http_reply_bytes(ctx->arena, reply, 200, S("application/json"), alias_json(request, &out));
    else
        codec_encode(ctx->arena, route, ctx->request_id, &out, reply);
    request_answer(request, reply);
}

const struct admin_row admin_sqs_rows[] = {
    {"GET", "/_headrace/sqs/queues", answer_queues, "queues and how many messages they hold"},
    {"GET", "/_headrace/sqs/messages", answer_messages,
     "messages of ?QueueUrl=, without receiving them"},
    {"GET", ALIAS, answer_alias, "the same, as LocalStack has it"},
    {"POST", ALIAS, answer_alias, "the same"},
    {"GET", ALIAS "/*", answer_alias, "the same by /REGION/ACCOUNT/NAME"},
    {"POST", ALIAS "/*", answer_alias, "the same"},
    {NULL, NULL, NULL, NULL},
};
