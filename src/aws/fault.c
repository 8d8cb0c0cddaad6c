/* aws/fault.c - see fault.h. The only place that knows how an error looks on a wire; engines know
 * rows.
 *
 * Two facts that clients depend on: the JS SDK fails with a TypeError when a JSON error of SQS
 * lacks x-amzn-query-error; and without `x-amzn-query-mode: true` AWS answers every client error of
 * the JSON protocol as 400. */
#include "aws/fault.h"

#include "base/text.h"
#include "base/xml.h"

#include <string.h>

#define CORAL "com.amazon.coral.service"
#define AWS_FAULT_DEFINE(row, code_, status_, text_)                                               \
    const struct fault row = {code_, code_, status_, text_, CORAL};
AWS_FAULTS(AWS_FAULT_DEFINE)

const struct fault AWS_INVALID_PARAMETER = {"InvalidParameterValueException",
                                            "InvalidParameterValue", 400,
                                            "One or more parameters are invalid.", CORAL};
const struct fault AWS_MISSING_TOKEN = {"MissingAuthenticationTokenException",
                                        "MissingAuthenticationToken", 403,
                                        "Request is missing Authentication Token", CORAL};

/* Texts that differ by protocol; recorded against AWS. They replace a row's default text only. */
static const struct query_text {
    const char *type, *text;
} query_texts[] = {
    {"QueueDoesNotExist", "The specified queue does not exist for this wsdl version."},
};

static str query_message(err e)
{
    if (!e.detail || !e.detail->text.p)
        for (size_t i = 0; i < sizeof query_texts / sizeof *query_texts; i++)
            if (!strcmp(query_texts[i].type, e.fault->type))
                return str_of(query_texts[i].text);
    return err_message(e);
}

static str blame(err e)
{
    return e.fault->status < 500 ? S("Sender") : S("Receiver");
}

static str full_type(struct arena *arena, const struct route *route, err e)
{
    const char *space = e.fault->space;
    if (!space)
        space = route->service && route->service->fault_space ? route->service->fault_space : CORAL;
    return arena_printf(arena, "%s#%s", space, e.fault->type);
}

static void reply_json(struct arena *arena, const struct route *route, err e,
                       struct http_reply *reply)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "{\"__type\":");
    buf_json(&b, full_type(arena, route, e));
    if (err_message(e).n) {
        BUF_LIT(&b, ",\"message\":");
        buf_json(&b, err_message(e));
    }
    BUF_LIT(&b, "}");
    int status = e.fault->status;
    if (route->service && !route->query_mode && status > 400 && status < 500)
        status = 400;
    http_reply_bytes(arena, reply, status, S("application/x-amz-json-1.0"), buf_str(&b));
    http_reply_set(arena, reply, S("x-amzn-query-error"),
                   arena_printf(arena, "%s;%s", e.fault->code, blame(e).p));
}

static void reply_query_json(struct arena *arena, err e, str request_id, struct http_reply *reply)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "{\"Error\":{\"Code\":");
    buf_json(&b, str_of(e.fault->code));
    BUF_LIT(&b, ",\"Message\":");
    buf_json(&b, query_message(e));
    BUF_LIT(&b, ",\"Type\":");
    buf_json(&b, blame(e));
    BUF_LIT(&b, "},\"RequestId\":");
    buf_json(&b, request_id);
    BUF_LIT(&b, "}");
    http_reply_bytes(arena, reply, e.fault->status, S("application/json"), buf_str(&b));
}

static void reply_query(struct arena *arena, const struct route *route, err e, str request_id,
                        struct http_reply *reply)
{
    const char *xmlns = route->service && route->service->xmlns
                            ? route->service->xmlns
                            : "http://webservices.amazon.com/AWSFault/2005-15-09";
    struct buf b = buf_in(arena);
    buf_printf(&b, "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"%s\"><Error>", xmlns);
    xml_put(&b, "Type", blame(e));
    xml_put(&b, "Code", str_of(e.fault->code));
    xml_put(&b, "Message", query_message(e));
    BUF_LIT(&b, "<Detail/></Error>");
    xml_put(&b, "RequestId", request_id);
    BUF_LIT(&b, "</ErrorResponse>");
    http_reply_bytes(arena, reply, e.fault->status, S("text/xml"), buf_str(&b));
}

static str s3_document(struct arena *arena, err e, str request_id, str host_id)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    xml_put(&b, "Code", str_of(e.fault->code));
    xml_put(&b, "Message", err_message(e));
    for (const struct fault_extra *extra = e.detail ? e.detail->extras : NULL; extra;
         extra = extra->next)
        xml_put(&b, arena_cstr(arena, extra->name), extra->value);
    xml_put(&b, "RequestId", request_id);
    xml_put(&b, "HostId", host_id);
    BUF_LIT(&b, "</Error>");
    return buf_str(&b);
}

static void reply_s3(struct arena *arena, const struct http_request *request, err e, str request_id,
                     str host_id, struct http_reply *reply)
{
    if (str_eq(request->method, S("HEAD")) || e.fault->status == 304) {
        reply->status = e.fault->status;
        reply->kind = HTTP_BODY_HEAD;
        if (e.fault->status == 304)
            return;
        reply->length = 0;
        http_reply_default(arena, reply, S("Content-Type"), S("application/xml"));
        return;
    }
    http_reply_bytes(arena, reply, e.fault->status, S("application/xml"),
                     s3_document(arena, e, request_id, host_id));
}

void fault_reply(struct arena *arena, const struct route *route, const struct http_request *request,
                 str request_id, str host_id, err e, struct http_reply *reply)
{
    if (route->allow.p)
        http_reply_set(arena, reply, S("Allow"), route->allow);
    if (route->protocol == PROTOCOL_REST_XML)
        reply_s3(arena, request, e, request_id, host_id, reply);
    else if (route->protocol == PROTOCOL_JSON)
        reply_json(arena, route, e, reply);
    else if (e.fault == &AWS_UNKNOWN_PATH)
        http_reply_bytes(arena, reply, 404, S("text/xml"), S("<UnknownOperationException/>\n"));
    else if (route->json_answer)
        reply_query_json(arena, e, request_id, reply);
    else
        reply_query(arena, route, e, request_id, reply);
}
