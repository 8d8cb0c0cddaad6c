/* test_route.c - which operation a request asks for, over a small table with one row of each kind.
 */
#include "aws/fault.h"
#include "aws/route.h"

#include "unit.h"
#include "wire.h"

#define QUEUE_INPUT(F, T) F(T, STR, url, "QueueUrl", BODY)
SHAPE(queue_input, "QueueInput", QUEUE_INPUT)

#define ROW(name_, method_, level_, ...)                                                           \
    {                                                                                              \
        .name = name_, .in = &empty_shape, .out = &empty_shape, .rest = {                          \
            .method = method_,                                                                     \
            .level = level_,                                                                       \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct op s3_rows[] = {
    ROW("ListBuckets", "GET", REST_SERVICE),
    ROW("CreateBucket", "PUT", REST_BUCKET),
    ROW("ListObjects", "GET", REST_BUCKET),
    ROW("ListObjectsV2", "GET", REST_BUCKET, .query = "list-type=2"),
    ROW("GetBucketAcl", "GET", REST_BUCKET, .query = "acl"),
    ROW("DeleteObjects", "POST", REST_BUCKET, .query = "delete"),
    ROW("PutObject", "PUT", REST_OBJECT),
    ROW("CopyObject", "PUT", REST_OBJECT, .header = "x-amz-copy-source"),
    ROW("GetObject", "GET", REST_OBJECT),
    ROW("UploadPart", "PUT", REST_OBJECT, .query = "uploadId&partNumber"),
    ROW("UploadPartCopy", "PUT", REST_OBJECT, .query = "uploadId&partNumber",
        .header = "x-amz-copy-source"),
    ROW("CreateMultipartUpload", "POST", REST_OBJECT, .query = "uploads"),
    {.name = NULL},
};
static const struct op sqs_rows[] = {
    {.name = "SendMessage", .in = &queue_input_shape, .out = &empty_shape},
    {.name = "ListQueues", .in = &empty_shape, .out = &empty_shape, .flags = OP_NOT_AT_QUEUE},
    {.name = "GetQueueUrl", .in = &empty_shape, .out = &empty_shape},
    {.name = NULL},
};
static const struct op *const s3_tables[] = {s3_rows, NULL};
static const struct op *const sqs_tables[] = {sqs_rows, NULL};
static const struct service s3 = {.name = "s3", .xmlns = "x", .ops = s3_tables};
static const struct service sqs = {
    .name = "sqs", .target_prefix = "AmazonSQS", .version = "2012-11-05", .ops = sqs_tables};
static const struct service *const services[] = {&s3, &sqs, NULL};

static struct arena *arena;
static struct route route;
static err result;

static str routed(const char *request)
{
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
    result = route_begin(arena, services, wire_request(arena, request), &route);
    return failed(result) ? str_of(result.fault->code) : route.op ? str_of(route.op->name) : S("?");
}

static str routed_form(const char *request, const char *body)
{
    struct http_request *r;
    routed(request);
    r = wire_request(arena, request);
    CHECK(route.needs_form);
    result = route_form(arena, services, r, str_of(body), &route);
    return failed(result) ? str_of(result.fault->code) : str_of(route.op->name);
}

#define LEFT_OUT                                                                                   \
    " Leave that step out, or give it an endpoint of its own (AWS_ENDPOINT_URL_SERVICE)."
#define LOCAL "\nHost: localhost:4566\n"
#define SCOPE(service)                                                                             \
    "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" service "/aws4_request"

TEST(a_service_that_is_not_here_is_named)
{
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL SCOPE(
                  "ecs") "\nX-Amz-Target: "
                         "AmazonEC2ContainerServiceV20141113.CreateCluster\n"),
              S("UnknownOperationException"));
    CHECK_STR(err_message(result),
              S("There is no ecs here, only s3 and sqs. Instead: the built-in workers, headrace "
                "worker, or the container's program started by hand."));
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL "X-Amz-Target: DynamoDB_20120810.ListTables\n"),
              S("UnknownOperationException"));
    CHECK_STR(err_message(result),
              S("There is no DynamoDB_20120810 here, only s3 and sqs." LEFT_OUT));
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL SCOPE("sqs") "\nX-Amz-Target: AmazonSNS.Publish\n"),
              S("UnknownOperationException"));
    CHECK_STR(err_message(result), S("There is no AmazonSNS here, only s3 and sqs." LEFT_OUT));
    CHECK_STR(routed("POST /2015-03-31/functions HTTP/1.1" LOCAL SCOPE("lambda") "\n"),
              S("UnknownOperationException"));
    CHECK(
        str_starts(err_message(result), S("There is no lambda here, only s3 and sqs. Instead: ")));
    CHECK_STR(routed("GET /?Action=GetRole&Version=2010-05-08 HTTP/1.1" LOCAL SCOPE("iam") "\n"),
              S("InvalidAction"));
    CHECK_STR(err_message(result), S("There is no iam here, only s3 and sqs. Go on without: an "
                                     "account acts as its root user."));
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL "X-Amz-Target: AmazonSQS.Fly\n"),
              S("UnknownOperationException"));
    CHECK_STR(err_message(result), S(""));
}

TEST(a_service_that_is_not_here_may_have_an_endpoint_of_its_own)
{
    static const char *const rows[][2] = {
        {"POST / HTTP/1.1" LOCAL SCOPE("dynamodb") "\nX-Amz-Target: DynamoDB_20120810.PutItem\n",
         "AWS_ENDPOINT_URL_DYNAMODB)."},
        {"POST / HTTP/1.1" LOCAL SCOPE("states") "\nX-Amz-Target: AWSStepFunctions.Run\n",
         "AWS_ENDPOINT_URL_SFN)."},
        {"GET /?Action=Subscribe&Version=2010-03-31 HTTP/1.1" LOCAL SCOPE("sns") "\n",
         "AWS_ENDPOINT_URL_SNS)."},
        {"POST / HTTP/1.1" LOCAL SCOPE("cognito-idp") "\nX-Amz-Target: A.B\n",
         "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER)."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        routed(rows[i][0]);
        CHECK(str_ends(err_message(result), str_of(rows[i][1])));
    }
}

TEST(method_level_and_sub_resource_choose_the_row)
{
    CHECK_STR(routed("GET / HTTP/1.1" LOCAL), S("ListBuckets"));
    CHECK_STR(routed("GET /b HTTP/1.1" LOCAL), S("ListObjects"));
    CHECK_STR(routed("GET /b/?list-type=2&prefix=a HTTP/1.1" LOCAL), S("ListObjectsV2"));
    CHECK_STR(routed("GET /b?acl HTTP/1.1" LOCAL), S("GetBucketAcl"));
    CHECK_STR(routed("GET /b/k?x-id=GetObject HTTP/1.1" LOCAL), S("GetObject"));
    CHECK_STR(routed("POST /b/?delete= HTTP/1.1" LOCAL), S("DeleteObjects"));
    CHECK_STR(routed("POST /b/k?uploads HTTP/1.1" LOCAL), S("CreateMultipartUpload"));
    CHECK_STR(routed("POST /b/k?uploads= HTTP/1.1" LOCAL), S("CreateMultipartUpload"));
}

TEST(the_row_with_the_most_conditions_wins)
{
    CHECK_STR(routed("PUT /b/k HTTP/1.1" LOCAL), S("PutObject"));
    CHECK_STR(routed("PUT /b/k HTTP/1.1" LOCAL "x-amz-copy-source: a/b\n"), S("CopyObject"));
    CHECK_STR(routed("PUT /b/k?partNumber=1&uploadId=u HTTP/1.1" LOCAL), S("UploadPart"));
    CHECK_STR(routed("PUT /b/k?partNumber=1&uploadId=u HTTP/1.1" LOCAL "X-Amz-Copy-Source: a/b\n"),
              S("UploadPartCopy"));
}

TEST(a_presigned_copy_has_its_source_in_the_query)
{
    CHECK_STR(routed("PUT /b/k?X-Amz-Algorithm=A&X-Amz-Copy-Source=a%2Fb HTTP/1.1" LOCAL),
              S("CopyObject"));
    CHECK_STR(routed("PUT /b/k?x-amz-copy-source=a%2Fb HTTP/1.1" LOCAL), S("PutObject"));
}

TEST(a_known_sub_resource_without_a_row_never_falls_through)
{
    CHECK_STR(routed("PUT /b?accelerate HTTP/1.1" LOCAL), S("NotImplemented"));
    CHECK_STR(routed("GET /b?metrics&id=1 HTTP/1.1" LOCAL), S("NotImplemented"));
    CHECK_STR(routed("GET /b?session HTTP/1.1" LOCAL), S("NotImplemented"));
    CHECK_STR(routed("GET /b/k?torrent HTTP/1.1" LOCAL), S("NotImplemented"));
}

TEST(a_wrong_method_names_method_and_resource)
{
    CHECK_STR(routed("DELETE /b?acl HTTP/1.1" LOCAL), S("MethodNotAllowed"));
    CHECK_STR(result.detail->extras->value, S("DELETE"));
    CHECK_STR(result.detail->extras->next->value, S("ACL"));
    CHECK_STR(routed("PATCH /b/k HTTP/1.1" LOCAL), S("MethodNotAllowed"));
    CHECK_STR(result.detail->extras->next->value, S("OBJECT"));
}

TEST(a_part_number_without_its_upload_does_not_make_an_object)
{
    CHECK_STR(routed("PUT /b/k?partNumber=1 HTTP/1.1" LOCAL), S("InvalidArgument"));
}

TEST(list_type_other_than_2_goes_to_the_first_version)
{
    CHECK_STR(routed("GET /b?list-type=1 HTTP/1.1" LOCAL), S("ListObjects"));
}

static void check_address(const char *host, const char *path, str bucket, str key)
{
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\nHost: %s\n", path, host);
    routed(text);
    CHECK_STR(route.bucket.p ? route.bucket : S("(none)"), bucket);
    CHECK_STR(route.key.p ? route.key : S("(none)"), key);
}

TEST(path_style_addresses)
{
    check_address("localhost:4566", "/b/k", S("b"), S("k"));
    check_address("127.0.0.1:4566", "/b/", S("b"), S("(none)"));
    check_address("[::1]:4566", "/b", S("b"), S("(none)"));
    check_address("s3.localhost:4566", "/b/a%20b/", S("b"), S("a b/"));
    check_address("s3.eu-west-1.amazonaws.com", "/b//k", S("b"), S("/k"));
    check_address("headrace:4566", "/b/k+x", S("b"), S("k+x"));
    check_address("some.host.example", "/b/k", S("b"), S("k"));
}

TEST(virtual_host_addresses)
{
    check_address("b.localhost:4566", "/k/x", S("b"), S("k/x"));
    check_address("my.b.localhost", "/", S("my.b"), S("(none)"));
    check_address("b.s3.localhost", "/k", S("b"), S("k"));
    check_address("B.S3.us-west-2.localhost:80", "/k", S("b"), S("k"));
    check_address("b.s3.amazonaws.com", "/k", S("b"), S("k"));
    check_address("b.s3-eu-west-1.amazonaws.com", "/k", S("b"), S("k"));
    check_address("s3-b.localhost", "/k", S("s3-b"), S("k"));
    check_address("b.s3.headrace.internal", "//k", S("b"), S("/k"));
}

TEST(service_hosts_are_no_buckets)
{
    check_address("s3.us-east-1.localhost", "/b", S("b"), S("(none)"));
    check_address("sqs.us-east-1.localhost", "/b/k?prefix=x", S("(none)"), S("(none)"));
}

TEST(website_hosts_are_told_apart)
{
    check_address("b.s3-website.localhost", "/", S("b"), S("(none)"));
    CHECK(route.website);
    check_address("b.s3-website-us-east-1.amazonaws.com", "/x", S("b"), S("x"));
    CHECK(route.website);
}

TEST(a_broken_escape_is_an_invalid_uri)
{
    CHECK_STR(routed("GET /b/k%2 HTTP/1.1" LOCAL), S("InvalidURI"));
    CHECK_STR(routed("GET /b/k%zz HTTP/1.1" LOCAL), S("InvalidURI"));
}

TEST(a_target_header_means_aws_json_on_any_path)
{
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL "X-Amz-Target: AmazonSQS.SendMessage\n"),
              S("SendMessage"));
    CHECK_INT(route.protocol, PROTOCOL_JSON);
    CHECK_STR(routed("POST /000000000000/q HTTP/1.1" LOCAL
                     "x-amz-target: AmazonSQS.SendMessage\nx-amzn-query-mode: true\n"),
              S("SendMessage"));
    CHECK(route.query_mode);
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL "X-Amz-Target: AmazonSQS.Nothing\n"),
              S("UnknownOperationException"));
    CHECK_STR(routed("POST / HTTP/1.1" LOCAL "X-Amz-Target: DynamoDB_20120810.PutItem\n"),
              S("UnknownOperationException"));
    CHECK_STR(routed("DELETE / HTTP/1.1" LOCAL "X-Amz-Target: AmazonSQS.DeleteQueue\n"),
              S("UnknownOperationException"));
    CHECK_STR(routed("HEAD /bucket HTTP/1.1" LOCAL "X-Amz-Target: AmazonSQS.PurgeQueue\n"),
              S("UnknownOperationException"));
    CHECK_INT(route.protocol, PROTOCOL_JSON);
}

#define FORM                                                                                       \
    "\nHost: localhost:4566\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n"

TEST(query_actions_come_in_forms_and_in_the_query_string)
{
    CHECK_STR(routed_form("POST / HTTP/1.1" FORM, "Action=ListQueues&Version=2012-11-05"),
              S("ListQueues"));
    CHECK_STR(routed("GET /?Action=ListQueues HTTP/1.1" LOCAL), S("ListQueues"));
    CHECK_INT(route.protocol, PROTOCOL_QUERY);
}

TEST(the_path_is_the_queue_unless_a_parameter_says_otherwise)
{
    CHECK_STR(routed_form("POST /000000000000/q1 HTTP/1.1" FORM, "Action=SendMessage"),
              S("SendMessage"));
    CHECK_STR(form_get(&route.form, S("QueueUrl")), S("http://localhost:4566/000000000000/q1"));
    CHECK_STR(routed_form("POST /000000000000/q1 HTTP/1.1" FORM, "Action=SendMessage&QueueUrl=q2"),
              S("SendMessage"));
    CHECK_STR(form_get(&route.form, S("QueueUrl")), S("q2"));
}

TEST(actions_that_a_queue_url_refuses)
{
    CHECK_STR(routed("GET /000000000000/q1 HTTP/1.1" LOCAL), S("UnknownOperationException"));
    CHECK_INT(result.fault->status, 404);
    CHECK_STR(routed("GET /000000000000/q1?Action=FooBar HTTP/1.1" LOCAL), S("InvalidAction"));
    CHECK_STR(err_message(result), S("The action FooBar is not valid for this endpoint."));
    CHECK_STR(routed("GET /queue/us-east-1/000000000000/q1?Action=ListQueues HTTP/1.1" LOCAL),
              S("InvalidAction"));
}

TEST(s3_requests_on_numbered_buckets_are_not_taken_for_queues)
{
    CHECK_STR(routed("PUT /000000000000/q1 HTTP/1.1" LOCAL), S("PutObject"));
    CHECK_STR(
        routed("GET /000000000000/q1 HTTP/1.1" LOCAL
               "Authorization: AWS4-HMAC-SHA256 Credential=a/b/20260101/us-east-1/s3/aws4_request, "
               "SignedHeaders=host, Signature=0\n"),
        S("GetObject"));
    CHECK_STR(routed("GET /000000000000/q1?AWSAccessKeyId=x&Signature=y&Expires=1 HTTP/1.1" LOCAL),
              S("GetObject"));
}

#define SIGNED_FOR(service)                                                                        \
    "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" service                  \
    "/aws4_request, SignedHeaders=host, Signature=0\n"

TEST(unknown_services_are_refused_at_once)
{
    CHECK_STR(routed_form("POST / HTTP/1.1" FORM SIGNED_FOR("iam"),
                          "Action=ListRoles&Version=2010-05-08"),
              S("InvalidAction"));
    CHECK_STR(routed("GET /2015-03-31/functions/ HTTP/1.1" LOCAL SIGNED_FOR("lambda")),
              S("UnknownOperationException"));
    CHECK_INT(result.fault->status, 404);
}

TEST(a_form_posted_to_a_bucket_stays_with_s3)
{
    CHECK_STR(routed("POST /b?delete HTTP/1.1" FORM), S("DeleteObjects"));
    CHECK_STR(routed("POST /b/k?uploads HTTP/1.1" FORM SIGNED_FOR("s3")),
              S("CreateMultipartUpload"));
}

TEST(json_answers_are_asked_for_with_accept)
{
    routed("GET /?Action=ListQueues HTTP/1.1" LOCAL "Accept: application/json\n");
    CHECK(route.json_answer);
}

TEST(too_many_parameters_are_refused)
{
    struct arena *big = arena_new();
    struct buf b = buf_in(big);
    BUF_LIT(&b, "GET /b?");
    for (int i = 0; i < FORM_MAX_PAIRS + 10; i++)
        BUF_LIT(&b, "a&");
    BUF_LIT(&b, " HTTP/1.1\nHost: localhost\n");
    CHECK_STR(routed(arena_cstr(big, buf_str(&b))), S("RequestEntityTooLarge"));
    arena_free(big);
}

TEST(a_sorted_form_keeps_the_first_of_a_name_first)
{
    struct form form;
    struct arena *own = arena_new();
    CHECK(form_parse(own, S("b=1&a=2&a=3&c&=x"), S("a=4%2B+"), &form));
    form_sort(&form);
    CHECK_INT(form.n, 6);
    CHECK_STR(form_get(&form, S("a")), S("2"));
    CHECK_STR(form.at[form_lower(&form, S("a")) + 2].value, S("4+ "));
    CHECK_INT(form_lower(&form, S("zz")), 6);
    arena_free(own);
}

UNIT_MAIN
