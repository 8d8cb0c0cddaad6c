/* test_codec.c - wire to struct and back in the three protocols, over shapes that have every kind
 * of member once. */
#include "aws/codec.h"
#include "aws/codec_json.h"
#include "aws/codec_query.h"
#include "aws/codec_rest_xml.h"
#include "aws/fault.h"

#include "unit.h"
#include "wire.h"

#define VALUE(F, T)                                                                                \
    F(T, STR, text, "StringValue", BODY)                                                           \
    F(T, BLOB, bytes, "BinaryValue", BODY)                                                         \
    F(T, STR, type, "DataType", BODY, .flags = REQUIRED)
SHAPE(value, "Value", VALUE)
#define ENTRY(F, T)                                                                                \
    F(T, STR, name, "Name", BODY)                                                                  \
    F(T, STRUCT, value, "Value", BODY, .of = &value_shape)
SHAPE(entry, "Entry", ENTRY)
#define TAG(F, T)                                                                                  \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, value, "Value", BODY)
SHAPE(tag, "Tag", TAG)
#define ITEM(F, T)                                                                                 \
    F(T, STR, id, "Id", BODY, .flags = REQUIRED)                                                   \
    F(T, INT, delay, "DelaySeconds", BODY)
SHAPE(item, "Item", ITEM)
#define INPUT(F, T)                                                                                \
    F(T, STR, url, "QueueUrl", BODY, .flags = REQUIRED)                                            \
    F(T, INT, max, "Max", BODY, .min = 1, .max = 10)                                               \
    F(T, BOOL, flag, "Flag", BODY)                                                                 \
    F(T, TIME, when, "When", BODY)                                                                 \
    F(T, LIST, names, "AttributeNames", BODY, .of = &scalar_str_shape, .query = "AttributeName")   \
    F(T, MAP, attributes, "MessageAttributes", BODY, .of = &entry_shape,                           \
      .query = "MessageAttribute")                                                                 \
    F(T, MAP, tags, "Tags", BODY, .of = &tag_shape, .query = "Tag")                                \
    F(T, LIST, items, "Entries", BODY, .of = &item_shape, .query = "SendMessageBatchRequestEntry")
SHAPE(input, "Input", INPUT)

static const struct op call_op = {.name = "Call", .in = &input_shape, .out = &input_shape};
static const struct op silent_op = {
    .name = "Silent", .in = &input_shape, .out = &empty_shape, .flags = OP_NO_RESULT};
static const struct service service = {.name = "sqs",
                                       .xmlns = "http://queue.amazonaws.com/doc/2012-11-05/",
                                       .version = "2012-11-05",
                                       .fault_space = "com.amazonaws.sqs"};

static struct arena *arena;
static struct input in;

static void fresh(void)
{
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
    memset(&in, 0, sizeof in);
}

static struct shape_issue from_json(const char *body)
{
    fresh();
    return json_decode(arena, &input_shape, str_of(body), &in);
}

static str to_json(void)
{
    struct buf b = buf_in(arena);
    json_encode(&b, &input_shape, &in);
    return buf_str(&b);
}

/* --- JSON --- */

TEST(json_goes_through_unchanged)
{
    const char *text =
        "{\"QueueUrl\":\"q\\\"\\n\\u00fc\",\"Max\":3,\"Flag\":false,\"When\":1767225600,"
        "\"AttributeNames\":[\"All\",\"b\"],"
        "\"MessageAttributes\":{\"a\":{\"StringValue\":\"x\",\"DataType\":\"String\"},"
        "\"b\":{\"BinaryValue\":\"AAH/\",\"DataType\":\"Binary\"}},\"Tags\":{\"k\":\"v\"},"
        "\"Entries\":[{\"Id\":\"1\"},{\"Id\":\"2\",\"DelaySeconds\":5}]}";
    CHECK_INT(from_json(text).wrong, WRONG_NOTHING);
    CHECK_STR(in.url, S("q\"\n\xc3\xbc"));
    CHECK_INT(in.when.v, 1767225600000);
    CHECK_STR(((struct value *)LIST_AT(in.attributes, struct entry, 1)->value)->bytes,
              ((str){"\x00\x01\xff", 3}));
    CHECK_STR(to_json(),
              S("{\"QueueUrl\":\"q\\\"\\n\xc3\xbc\",\"Max\":3,\"Flag\":false,\"When\":1767225600,"
                "\"AttributeNames\":[\"All\",\"b\"],"
                "\"MessageAttributes\":{\"a\":{\"StringValue\":\"x\",\"DataType\":\"String\"},"
                "\"b\":{\"BinaryValue\":\"AAH/\",\"DataType\":\"Binary\"}},\"Tags\":{\"k\":\"v\"},"
                "\"Entries\":[{\"Id\":\"1\"},{\"Id\":\"2\",\"DelaySeconds\":5}]}"));
}

TEST(absent_null_and_empty_differ)
{
    CHECK_INT(
        from_json("{\"QueueUrl\":\"\",\"Max\":null,\"Entries\":[],\"AttributeNames\":null}").wrong,
        WRONG_NOTHING);
    CHECK(in.url.p && !in.url.n);
    CHECK(!in.max.set);
    CHECK(in.items.set && !in.items.n);
    CHECK(!in.names.set);
    CHECK_STR(to_json(), S("{\"QueueUrl\":\"\",\"Entries\":[]}"));
    fresh();
    CHECK_STR(to_json(), S("{}"));
}

TEST(unknown_json_members_are_ignored)
{
    CHECK_INT(from_json("{\"QueueUrl\":\"q\",\"Whatever\":{\"deep\":[1,2]}}").wrong, WRONG_NOTHING);
}

TEST(the_last_of_two_members_of_one_name_counts)
{
    CHECK_INT(from_json("{\"QueueUrl\":\"a\",\"QueueUrl\":\"b\",\"Tags\":{\"x\":\"1\",\"y\":\"2\","
                        "\"x\":\"3\"}}")
                  .wrong,
              WRONG_NOTHING);
    CHECK_STR(in.url, S("b"));
    CHECK_INT(in.tags.n, 2);
    CHECK_STR(LIST_AT(in.tags, struct tag, 0)->value, S("3"));
}

TEST(json_of_the_wrong_type_says_what_came)
{
    struct shape_issue issue = from_json("{\"Max\":\"3\"}");
    CHECK_INT(issue.wrong, WRONG_TYPE);
    CHECK_STR(issue.name, S("Max"));
    CHECK_STR(issue.value, S("STRING_VALUE"));
    CHECK_INT(from_json("{\"QueueUrl\":5}").wrong, WRONG_TYPE);
    CHECK_INT(from_json("{\"Flag\":\"true\"}").wrong, WRONG_TYPE);
    CHECK_INT(from_json("{\"Max\":1.5}").wrong, WRONG_TYPE);
    CHECK_INT(from_json("{\"Entries\":{}}").wrong, WRONG_TYPE);
    CHECK_INT(from_json("{\"MessageAttributes\":{\"a\":{\"BinaryValue\":\"%%\"}}}").wrong,
              WRONG_TYPE);
    issue = from_json("{\"Entries\":[{\"Id\":\"1\"},{\"Id\":[]}]}");
    CHECK_STR(issue.name, S("Entries.2.Id"));
}

TEST(huge_integral_numbers_stay_numbers)
{
    CHECK_INT(from_json("{\"Max\":8e12}").wrong, WRONG_NOTHING);
    CHECK_INT(in.max.v, 8000000000000);
    CHECK_INT(from_json("{\"Max\":99999999999999999999}").wrong, WRONG_TYPE);
}

TEST(what_is_not_one_json_object_is_a_syntax_error)
{
    CHECK_INT(from_json("[]").wrong, WRONG_TYPE);
    CHECK_INT(from_json("1").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{\"a\":").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{} {}").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{\"a\":01}").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{\"a\":1,}").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{\"QueueUrl\":\"\\ud800\"}").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("\xff").wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("  ").wrong, WRONG_NOTHING);
}

TEST(a_json_depth_bomb_is_refused_before_parsing)
{
    fresh();
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "{\"a\":");
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '[');
    CHECK_INT(json_decode(arena, &input_shape, buf_str(&b), &in).wrong, WRONG_SYNTAX);
    CHECK_INT(from_json("{\"QueueUrl\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}").wrong,
              WRONG_NOTHING);
}

/* --- Query --- */

static struct shape_issue from_query(const char *body)
{
    struct form form;
    fresh();
    CHECK(form_parse(arena, STR_NONE, str_of(body), &form));
    form_sort(&form);
    return query_decode(arena, &input_shape, &form, &in);
}

TEST(query_parameters_flatten_lists_maps_and_structures)
{
    CHECK_INT(
        from_query(
            "QueueUrl=q&Max=3&Flag=true&AttributeName.2=b&AttributeName.1=a&AttributeName.10=c"
            "&MessageAttribute.1.Name=x&MessageAttribute.1.Value.DataType=String&MessageAttribute."
            "1.Value.StringValue=hi%22%0D"
            "&MessageAttribute.2.Name=y&MessageAttribute.2.Value.DataType=Binary&MessageAttribute."
            "2.Value.BinaryValue=AAH%2F"
            "&Tag.1.Key=k&Tag.1.Value=v&SendMessageBatchRequestEntry.1.Id=e1&"
            "SendMessageBatchRequestEntry.2.Id=e2"
            "&SendMessageBatchRequestEntry.2.DelaySeconds=7")
            .wrong,
        WRONG_NOTHING);
    CHECK_INT(in.names.n, 3);
    CHECK_STR(LIST_AT(in.names, struct scalar_str, 1)->value, S("b"));
    CHECK_STR(LIST_AT(in.names, struct scalar_str, 2)->value, S("c"));
    CHECK_INT(in.attributes.n, 2);
    CHECK_STR(((struct value *)LIST_AT(in.attributes, struct entry, 0)->value)->text, S("hi\"\r"));
    CHECK_INT(((struct value *)LIST_AT(in.attributes, struct entry, 1)->value)->bytes.n, 3);
    CHECK_STR(LIST_AT(in.tags, struct tag, 0)->value, S("v"));
    CHECK_INT(LIST_AT(in.items, struct item, 1)->delay.v, 7);
}

TEST(a_list_may_come_without_a_number)
{
    from_query("AttributeName=All");
    CHECK_INT(in.names.n, 1);
    CHECK_STR(LIST_AT(in.names, struct scalar_str, 0)->value, S("All"));
}

TEST(query_numbers_must_be_numbers)
{
    struct shape_issue issue = from_query("Max=abc");
    CHECK_INT(issue.wrong, WRONG_TYPE);
    CHECK_STR(issue.value, S("abc"));
    issue = from_query(
        "SendMessageBatchRequestEntry.1.Id=x&SendMessageBatchRequestEntry.1.DelaySeconds=z");
    CHECK_STR(issue.name, S("SendMessageBatchRequestEntry.1.DelaySeconds"));
}

TEST(query_answers_are_flat_xml)
{
    from_query("QueueUrl=q%22%0D%3C&AttributeName.1=a&AttributeName.2=b&Tag.1.Key=k&Tag.1.Value=v");
    struct buf b = buf_in(arena);
    query_encode(&b, &service, &call_op, &in, S("id-1"));
    CHECK_STR(buf_str(&b), S("<?xml version=\"1.0\"?><CallResponse "
                             "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><CallResult>"
                             "<QueueUrl>q&quot;&#xD;&lt;</QueueUrl><AttributeName>a</"
                             "AttributeName><AttributeName>b</AttributeName>"
                             "<Tag><Key>k</Key><Value>v</Value></Tag></"
                             "CallResult><ResponseMetadata><RequestId>id-1</RequestId>"
                             "</ResponseMetadata></CallResponse>"));
}

TEST(empty_and_absent_results)
{
    fresh();
    struct buf b = buf_in(arena), c = buf_in(arena);
    query_encode(&b, &service, &call_op, &in, S("1"));
    CHECK(str_find(buf_str(&b), S("<CallResult/><ResponseMetadata>"), 0) > 0);
    query_encode(&c, &service, &silent_op, &in, S("1"));
    CHECK(str_find(buf_str(&c), S("Result"), 0) < 0);
}

TEST(query_answers_as_json_have_every_member_in_order)
{
    from_query("QueueUrl=q&AttributeName.1=a");
    struct buf b = buf_in(arena);
    query_encode_json(&b, &call_op, &in, S("1"));
    CHECK_STR(buf_str(&b),
              S("{\"CallResponse\":{\"CallResult\":{\"AttributeNames\":[\"a\"],\"Entries\":null,"
                "\"Flag\":null,\"Max\":null,"
                "\"MessageAttributes\":null,\"QueueUrl\":\"q\",\"Tags\":null,\"When\":null},"
                "\"ResponseMetadata\":{\"RequestId\":\"1\"}}}"));
}

/* --- REST-XML --- */

#define TAGGING(F, T) F(T, LIST, tags, "TagSet", BODY, .of = &tag_shape, .item = "Tag")
SHAPE(tagging, "Tagging", TAGGING)
#define PUT(F, T)                                                                                  \
    F(T, STR, bucket, "Bucket", BUCKET)                                                            \
    F(T, STR, key, "Key", KEY)                                                                     \
    F(T, STR, acl, "x-amz-acl", HEADER, .values = "private|public-read")                           \
    F(T, STR, checksum, "x-amz-checksum-crc32", HEADER)                                            \
    F(T, TIME, since, "If-Modified-Since", HEADER)                                                 \
    F(T, LIST, attributes, "x-amz-object-attributes", HEADER, .of = &scalar_str_shape)             \
    F(T, INT, max, "max-keys", QUERY, .max = 1000)                                                 \
    F(T, STR, grant, "x-amz-grant-read", HEADER, .flags = UNIMPLEMENTED)                           \
    F(T, MAP, meta, "x-amz-meta-", META, .of = &str_pair_shape)                                    \
    F(T, STRUCT, tagging, "Tagging", PAYLOAD, .of = &tagging_shape, .flags = REQUIRED)
SHAPE(put, "PutRequest", PUT)
#define ANSWER(F, T)                                                                               \
    F(T, STR, etag, "ETag", HEADER)                                                                \
    F(T, TIME, modified, "Last-Modified", HEADER)                                                  \
    F(T, STR, disposition, "Content-Disposition", HEADER)                                          \
    F(T, MAP, meta, "x-amz-meta-", META, .of = &str_pair_shape)                                    \
    F(T, STR, prefix, "Prefix", BODY, .flags = KEEP_EMPTY)                                         \
    F(T, LIST, contents, "Contents", BODY, .of = &tag_shape, .flags = FLAT)                        \
    F(T, TIME, made, "CreationDate", BODY)
SHAPE(answer, "ListBucketResult", ANSWER)
#define LOCATION(F, T) F(T, STR, where, "LocationConstraint", BODY)
SHAPE(location, "GetBucketLocationOutput", LOCATION)

static const struct op put_op = {.name = "Put", .in = &put_shape, .out = &answer_shape};
static const struct op location_op = {
    .name = "Location", .in = &put_shape, .out = &location_shape, .out_root = "LocationConstraint"};
static const struct service s3 = {.name = "s3", .xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"};

static struct shape_issue from_rest(const char *head, str body, struct put *out)
{
    fresh();
    struct http_request *request = wire_request(arena, head);
    struct route route = {.protocol = PROTOCOL_REST_XML, .service = &s3, .op = &put_op};
    CHECK(form_parse(arena, request->query, STR_NONE, &route.form));
    route_address(arena, request, &route);
    memset(out, 0, sizeof *out);
    return codec_decode(arena, &route, request, body, out);
}

TEST(rest_members_come_from_address_query_headers_and_body)
{
    struct put out;
    struct shape_issue issue =
        from_rest("PUT /b/k%20y?max-keys=5 HTTP/1.1\nHost: localhost\nx-amz-acl: "
                  "private\nX-Amz-Meta-Foo: Bar\nx-amz-meta-foo: baz\n"
                  "x-amz-object-attributes: ETag, Checksum\nX-Amz-Object-Attributes: "
                  "ObjectSize\nIf-Modified-Since: Thu, 01 Jan 2026 "
                  "00:00:00 GMT\n",
                  S("<?xml version=\"1.0\"?><Tagging "
                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key>"
                    "<Value> b </Value></Tag></TagSet></Tagging>"),
                  &out);
    CHECK_INT(issue.wrong, WRONG_NOTHING);
    CHECK_STR(out.key, S("k y"));
    CHECK_INT(out.max.v, 5);
    CHECK_INT(out.since.v, 1767225600000);
    CHECK_INT(out.meta.n, 1);
    CHECK_STR(LIST_AT(out.meta, struct str_pair, 0)->key, S("foo"));
    CHECK_STR(LIST_AT(out.meta, struct str_pair, 0)->value, S("Bar,baz"));
    CHECK_INT(out.attributes.n, 3);
    CHECK_STR(LIST_AT(out.attributes, struct scalar_str, 1)->value, S("Checksum"));
    CHECK_STR(LIST_AT(out.attributes, struct scalar_str, 2)->value, S("ObjectSize"));
    struct tagging *tagging = out.tagging;
    CHECK_STR(LIST_AT(tagging->tags, struct tag, 0)->value, S(" b "));
}

TEST(without_a_body_only_the_head_is_checked)
{
    struct put out;
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\nHost: localhost\n", STR_NONE, &out).wrong,
              WRONG_NOTHING);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\nHost: localhost\n", S(""), &out).wrong, WRONG_MISSING);
}

TEST(rest_findings)
{
    struct put out;
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\nx-amz-acl: mine\n", STR_NONE, &out).wrong, WRONG_VALUE);
    CHECK_INT(from_rest("PUT /b/k?max-keys=x HTTP/1.1\n", STR_NONE, &out).wrong, WRONG_TYPE);
    CHECK_INT(from_rest("PUT /b/k?max-keys=1001 HTTP/1.1\n", STR_NONE, &out).wrong, WRONG_RANGE);
    CHECK_INT(from_rest("PUT /b/k?max-keys= HTTP/1.1\n", STR_NONE, &out).wrong, WRONG_NOTHING);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\nx-amz-grant-read: id=1\n", STR_NONE, &out).wrong,
              WRONG_UNIMPLEMENTED);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\n", S("<Other/>"), &out).wrong, WRONG_SYNTAX);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\n", S("<Tagging><TagSet>"), &out).wrong, WRONG_SYNTAX);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\n", S("<Tagging><Bogus/></Tagging>"), &out).wrong,
              WRONG_SYNTAX);
    CHECK_INT(from_rest("PUT /b/k HTTP/1.1\nIf-Modified-Since: yesterday\n", STR_NONE, &out).wrong,
              WRONG_NOTHING);
    CHECK(!out.since.set);
}

TEST(a_presigned_url_carries_headers_in_its_query_but_no_checksums)
{
    struct put out;
    from_rest(
        "PUT "
        "/b/k?X-Amz-Algorithm=A&X-Amz-Acl=private&x-amz-meta-a=1&x-amz-checksum-crc32=AAAAAA%3D%3D "
        "HTTP/1.1\n",
        STR_NONE, &out);
    CHECK_STR(out.acl, S("private"));
    CHECK(!out.checksum.p);
    CHECK_INT(out.meta.n, 1);
    from_rest("PUT /b/k?x-amz-acl=private HTTP/1.1\n", STR_NONE, &out);
    CHECK(!out.acl.p);
}

TEST(rest_answers)
{
    fresh();
    struct http_reply *reply = http_reply_new(arena);
    struct tag contents[2] = {{S("a&b"), S("1")}, {S("c"), STR_NONE}};
    struct str_pair meta = {S("foo"), S("bar")};
    struct answer out = {.etag = S("\"x\""),
                         .modified = INT_OF(1767225600000),
                         .disposition = S("a\r\nb: c"),
                         .meta = {&meta, 1, true},
                         .contents = {contents, 2, true},
                         .made = INT_OF(1767225600000)};
    rest_encode(arena, &s3, &put_op, &out, reply);
    CHECK_STR(reply->bytes,
              S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                "<Prefix/><Contents><Key>a&amp;b</Key><Value>1</Value></Contents><Contents><Key>c</"
                "Key></Contents>"
                "<CreationDate>2026-01-01T00:00:00.000Z</CreationDate></ListBucketResult>"));
    CHECK_STR(wire_reply_header(reply, S("last-modified")), S("Thu, 01 Jan 2026 00:00:00 GMT"));
    CHECK_STR(wire_reply_header(reply, S("content-disposition")), S("a  b: c"));
    CHECK_STR(wire_reply_header(reply, S("x-amz-meta-foo")), S("bar"));
    CHECK_STR(wire_reply_header(reply, S("content-type")), S("application/xml"));
}

TEST(a_member_can_be_the_root_itself)
{
    fresh();
    struct http_reply *reply = http_reply_new(arena);
    struct location out = {S("eu-west-1")};
    rest_encode(arena, &s3, &location_op, &out, reply);
    CHECK(str_ends(
        reply->bytes,
        S("\n<LocationConstraint "
          "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1</LocationConstraint>")));
    out.where = STR_NONE;
    rest_encode(arena, &s3, &location_op, &out, reply = http_reply_new(arena));
    CHECK(str_ends(reply->bytes,
                   S("\n<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>")));
}

/* --- faults --- */

static const struct fault MISSING_QUEUE = {"QueueDoesNotExist",
                                           "AWS.SimpleQueueService.NonExistentQueue", 400,
                                           "The specified queue does not exist.", NULL};
static const struct fault OVER_LIMIT = {"OverLimit", "OverLimit", 403, "Too many.", NULL};

static struct http_reply *fault(struct route route, const char *method, err e)
{
    struct http_request request = {.arena = arena, .method = str_of(method)};
    struct http_reply *reply = http_reply_new(arena);
    route.service = route.service ? route.service : &service;
    fault_reply(arena, &route, &request, S("R1"), S("H1"), e, reply);
    return reply;
}

TEST(json_faults_name_shape_and_query_code)
{
    fresh();
    struct http_reply *reply = fault((struct route){.protocol = PROTOCOL_JSON, .query_mode = true},
                                     "POST", FAIL(MISSING_QUEUE));
    CHECK_STR(reply->bytes, S("{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":"
                              "\"The specified queue does not exist.\"}"));
    CHECK_STR(wire_reply_header(reply, S("x-amzn-query-error")),
              S("AWS.SimpleQueueService.NonExistentQueue;Sender"));
    CHECK_STR(wire_reply_header(reply, S("x-amzn-errortype")), STR_NONE);
    CHECK_STR(wire_reply_header(reply, S("content-type")), S("application/x-amz-json-1.0"));
    reply = fault((struct route){.protocol = PROTOCOL_JSON}, "POST", FAIL(FAULT_INTERNAL));
    CHECK_STR(wire_reply_header(reply, S("x-amzn-query-error")), S("InternalError;Receiver"));
    CHECK_INT(reply->status, 500);
}

TEST(without_query_mode_client_faults_are_400)
{
    fresh();
    CHECK_INT(fault((struct route){.protocol = PROTOCOL_JSON}, "POST", FAIL(OVER_LIMIT))->status,
              400);
    CHECK_INT(fault((struct route){.protocol = PROTOCOL_JSON, .query_mode = true}, "POST",
                    FAIL(OVER_LIMIT))
                  ->status,
              403);
    CHECK_INT(fault((struct route){.protocol = PROTOCOL_QUERY}, "POST", FAIL(OVER_LIMIT))->status,
              403);
}

TEST(query_faults_speak_of_the_wsdl)
{
    fresh();
    struct http_reply *reply =
        fault((struct route){.protocol = PROTOCOL_QUERY}, "POST", FAIL(MISSING_QUEUE));
    CHECK_STR(reply->bytes,
              S("<?xml version=\"1.0\"?><ErrorResponse "
                "xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error><Type>Sender</Type>"
                "<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue "
                "does not exist for this wsdl version."
                "</Message><Detail/></Error><RequestId>R1</RequestId></ErrorResponse>"));
    reply = fault((struct route){.protocol = PROTOCOL_QUERY}, "GET", FAIL(AWS_UNKNOWN_PATH));
    CHECK(str_starts(reply->bytes, S("<UnknownOperationException/>")));
    CHECK_INT(reply->status, 404);
}

TEST(s3_faults_carry_extras_in_order)
{
    fresh();
    err e = err_with(arena, err_with(arena, FAIL(AWS_INVALID_ARGUMENT), "ArgumentName", S("a")),
                     "ArgumentValue", S("<"));
    struct http_reply *reply = fault((struct route){.protocol = PROTOCOL_REST_XML}, "GET", e);
    CHECK_STR(reply->bytes,
              S("<?xml version=\"1.0\" "
                "encoding=\"UTF-8\"?>\n<Error><Code>InvalidArgument</Code><Message>Invalid "
                "Argument</Message>"
                "<ArgumentName>a</ArgumentName><ArgumentValue>&lt;</ArgumentValue><RequestId>R1</"
                "RequestId><HostId>H1</HostId></Error>"));
    reply = fault((struct route){.protocol = PROTOCOL_REST_XML}, "HEAD", e);
    CHECK_INT(reply->kind, HTTP_BODY_HEAD);
    CHECK_INT(reply->status, 400);
}

UNIT_MAIN
