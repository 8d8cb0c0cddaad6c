/* aws/codec.c - see codec.h. */
#include "aws/codec.h"

#include "aws/codec_json.h"
#include "aws/codec_query.h"
#include "aws/codec_rest_xml.h"

static struct shape_issue decode_rest(struct arena *arena, const struct route *route,
                                      const struct http_request *request, str body, void *in)
{
    struct shape_issue issue = rest_decode_head(arena, route, request, in);
    if (!body.p && !issue.wrong)
        return shape_check_head(arena, route->op->in, in);
    if (!issue.wrong)
        issue = rest_decode_body(arena, route->op, body, in);
    return issue.wrong ? issue : shape_check(arena, route->op->in, in);
}

struct shape_issue codec_decode(struct arena *arena, const struct route *route,
                                const struct http_request *request, str body, void *in)
{
    const struct shape *shape = route->op->in;
    struct shape_issue issue;
    if (route->protocol == PROTOCOL_REST_XML)
        return decode_rest(arena, route, request, body, in);
    if (route->protocol == PROTOCOL_JSON)
        issue = json_decode(arena, shape, body, in);
    else
        issue = query_decode(arena, shape, &route->form, in);
    return issue.wrong ? issue : shape_check(arena, shape, in);
}

static void encode_json(struct arena *arena, const struct op *op, const void *out,
                        struct http_reply *reply)
{
    struct buf b = buf_in(arena);
    if (!(op->flags & OP_NO_RESULT)) /* which has an empty body, not an empty object */
        json_encode(&b, op->out, out);
    http_reply_bytes(arena, reply, reply->status, S("application/x-amz-json-1.0"), buf_str(&b));
}

static void encode_query(struct arena *arena, const struct route *route, str request_id,
                         const void *out, struct http_reply *reply)
{
    struct buf b = buf_in(arena);
    if (route->json_answer)
        query_encode_json(&b, route->op, out, request_id);
    else
        query_encode(&b, route->service, route->op, out, request_id);
    str type = route->json_answer ? S("application/json") : S("text/xml");
    http_reply_bytes(arena, reply, reply->status, type, buf_str(&b));
}

void codec_encode(struct arena *arena, const struct route *route, str request_id, const void *out,
                  struct http_reply *reply)
{
    if (route->op->flags & OP_RAW_OUTPUT)
        return;
    if (route->protocol == PROTOCOL_REST_XML)
        rest_encode(arena, route->service, route->op, out, reply);
    else if (route->protocol == PROTOCOL_JSON)
        encode_json(arena, route->op, out, reply);
    else
        encode_query(arena, route, request_id, out, reply);
}

void codec_reply_ids(struct arena *arena, const struct route *route, str request_id, str host_id,
                     struct http_reply *reply)
{
    if (route->protocol != PROTOCOL_REST_XML) {
        http_reply_default(arena, reply, S("x-amzn-RequestId"), request_id);
        return;
    }
    http_reply_default(arena, reply, S("x-amz-request-id"), request_id);
    http_reply_default(arena, reply, S("x-amz-id-2"), host_id);
    http_reply_default(arena, reply, S("Server"), S("AmazonS3"));
}
