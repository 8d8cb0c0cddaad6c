/* test_sigv4.c - who signed, and does it hold? The signed requests were made by botocore for
 * 2026-01-01 and by AWS's own examples. */
#include "aws/fault.h"
#include "aws/sigv4.h"

#include "unit.h"
#include "wire.h"

#include <unistd.h>

#define T0 1767225600000LL /* 2026-01-01T00:00:00Z */
#define MINUTE 60000LL

static struct arena *arena;
static struct keys *keys;
static struct auth auth;
static struct auth_check check;

static void load_keys(const char *text)
{
    char path[] = "/tmp/headrace-keys-XXXXXX";
    int fd = mkstemp(path);
    str message = STR_NONE;
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    if (!keys_load(keys, arena, path, &message))
        fprintf(stderr, "%.*s\n", STR_ARG(message));
    unlink(path);
    CHECK(!message.p);
}

static void fresh(void)
{
    if (!arena) {
        arena = arena_new();
        keys = keys_new(S("000000000000"));
        load_keys("{\"keys\":[{\"accessKeyId\":\"AKIAEXAMPLE\",\"secretAccessKey\":\"secret/"
                  "+x\",\"account\":\"111122223333\"},"
                  "{\"accessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"secretAccessKey\":\"wJalrXUtnFEMI/"
                  "K7MDENG/bPxRfiCYEXAMPLEKEY\"}]}");
    }
    arena_reset(arena);
    check = (struct auth_check){
        .keys = keys, .real_now = T0, .now = T0, .s3 = true, .service = S("s3")};
}

static err verified(const char *text)
{
    struct http_request *request = wire_request(arena, text);
    auth_read(arena, request, NULL, &auth);
    return auth_verify(arena, request, NULL, &auth, &check, NULL);
}

static str extra(err e, str name)
{
    for (struct fault_extra *x = e.detail ? e.detail->extras : NULL; x; x = x->next)
        if (str_eq(x->name, name))
            return x->value;
    return STR_NONE;
}

#define V4_CREDENTIAL "Credential=test/20260101/us-east-1/s3/aws4_request"
#define V4_PUT(signature)                                                                          \
    "PUT /b/dir/a%20b%2Bc.txt?partNumber=1&uploadId=u%2Fx HTTP/1.1\n"                              \
    "Host: localhost:4566\n"                                                                       \
    "x-amz-meta-a:   two   blanks \n"                                                              \
    "X-Amz-Date: 20260101T000000Z\n"                                                               \
    "X-Amz-Content-SHA256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n"     \
    "Authorization: AWS4-HMAC-SHA256 " V4_CREDENTIAL                                               \
    ", SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a, "                          \
    "Signature=" signature "\n"
#define V4_SIGNATURE "0e811353786fab023b42c6d73663981003f5040100136a9abe1408a259f11ba7"
#define V4_URL                                                                                     \
    "/b/"                                                                                          \
    "k%20x?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260101%2Fus-"    \
    "east-1%2Fs3%2Faws4_request"                                                                   \
    "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"                      \
    "&X-Amz-Signature=703fc4b7ec4a85ba565cf4a981f28a48d621dad2152453bb35fea35a2b948324"
#define V4_GET "GET " V4_URL " HTTP/1.1\nHost: localhost:4566\n"
#define V2_GET                                                                                     \
    "GET "                                                                                         \
    "/b/"                                                                                          \
    "k%20x?versionId=1&response-content-type=a%2Fb&x=y&AWSAccessKeyId=test&Signature="             \
    "iTjIvsikCjC8DER3cRjQtr2VHkE%3D&Expires=1767226500"                                            \
    " HTTP/1.1\nHost: localhost:4566\n"
#define V2_PUT(signature)                                                                          \
    "PUT /b/k?acl HTTP/1.1\nHost: localhost:4566\nx-amz-acl: private\nContent-Type: "              \
    "text/plain\nDate: Thu, 01 Jan 2026 00:00:00 GMT\n"                                            \
    "Authorization: AWS test:" signature "\n"

/* --- reading --- */

TEST(a_scope_tells_account_region_and_service_unchecked)
{
    fresh();
    auth_read(arena, wire_request(arena, V4_PUT("x")), NULL, &auth);
    CHECK_INT(auth.scheme, AUTH_V4_HEADER);
    CHECK_STR(auth.access_key, S("test"));
    CHECK_STR(auth.region, S("us-east-1"));
    CHECK_STR(auth.service, S("s3"));
    CHECK_INT(auth.payload, PAYLOAD_HASH);
    auth_read(arena, wire_request(arena, V4_GET), NULL, &auth);
    CHECK_INT(auth.scheme, AUTH_V4_QUERY);
    CHECK_INT(auth.expires_at, T0 + 900000);
    auth_read(arena, wire_request(arena, V2_GET), NULL, &auth);
    CHECK_INT(auth.scheme, AUTH_V2_QUERY);
    CHECK_INT(auth.expires_at, T0 + 900000);
    auth_read(arena, wire_request(arena, "GET / HTTP/1.1\nHost: x\n"), NULL, &auth);
    CHECK_INT(auth.scheme, AUTH_NONE);
    CHECK(!auth.access_key.p);
}

TEST(unreadable_credentials_are_remembered_not_refused)
{
    fresh();
    auth_read(
        arena,
        wire_request(arena,
                     "GET / HTTP/1.1\nAuthorization: AWS4-HMAC-SHA256 Credential=test/us-east-1\n"),
        NULL, &auth);
    CHECK(auth.malformed != NULL);
    auth_read(arena, wire_request(arena, "GET / HTTP/1.1\nAuthorization: Bearer x\n"), NULL, &auth);
    CHECK(auth.malformed != NULL);
}

TEST(chunked_bodies_are_told_by_hash_header_or_encoding)
{
    fresh();
    struct http_request *a = wire_request(
        arena, "PUT /b/k HTTP/1.1\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\n");
    struct http_request *b =
        wire_request(arena, "PUT /b/k HTTP/1.1\nContent-Encoding: gzip, AWS-Chunked\n");
    struct http_request *c = wire_request(arena, "PUT /b/k HTTP/1.1\nContent-Encoding: gzip\n");
    auth_read(arena, a, NULL, &auth);
    CHECK(auth_body_chunked(a, &auth));
    auth_read(arena, b, NULL, &auth);
    CHECK(auth_body_chunked(b, &auth));
    auth_read(arena, c, NULL, &auth);
    CHECK(!auth_body_chunked(c, &auth));
}

/* --- checking --- */

TEST(botocores_header_signatures_hold)
{
    fresh();
    CHECK_OK(verified(V4_PUT(V4_SIGNATURE)));
    check.s3 = false;
    check.service = S("sqs");
    check.body_sha256 = digest_hex(arena, digest_of(DIGEST_SHA256, S("{\"QueueName\":\"q\"}")));
    CHECK_OK(
        verified("POST / HTTP/1.1\nHost: localhost:4566\nX-Amz-Target: AmazonSQS.CreateQueue\n"
                 "Content-Type: application/x-amz-json-1.0\nX-Amz-Date: "
                 "20260101T000000Z\nX-Amz-Security-Token: TOKEN==\n"
                 "Authorization: AWS4-HMAC-SHA256 "
                 "Credential=AKIAEXAMPLE/20260101/eu-west-1/sqs/aws4_request, "
                 "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
                 "Signature=11e0fcdaa248f041f0ed04f9f27f8cdd299171882b5f49144fce6cfd45818eb7\n"));
}

TEST(botocores_presigned_urls_hold)
{
    fresh();
    CHECK_OK(verified(V4_GET));
    CHECK_OK(verified(V2_GET));
    CHECK_OK(verified(V2_PUT("2D7viOhKXacTIp7RWy72dmOHFG4=")));
}

TEST(a_bucket_may_be_signed_with_a_slash_that_it_is_asked_without)
{
    fresh();
    str text = S("GET\n\n\nThu, 01 Jan 2026 00:00:00 GMT\n/b/");
    digest d = hmac_sha1(S("test"), text);
    str signature = digest_base64(arena, d);
    str request = arena_printf(arena,
                               "GET /b?prefix=a HTTP/1.1\nHost: h\nDate: Thu, 01 Jan 2026 00:00:00 "
                               "GMT\nAuthorization: AWS test:%.*s\n",
                               STR_ARG(signature));
    CHECK_OK(verified(request.p));
}

TEST(the_query_form_of_sigv2_holds)
{
    fresh();
    struct form form;
    check.s3 = false;
    check.service = S("sqs");
    struct http_request *request = wire_request(arena, "POST / HTTP/1.1\nHost: localhost:4566\n");
    CHECK(form_parse(arena, STR_NONE,
                     S("Action=ListQueues&Version=2012-11-05&QueueNamePrefix=a+b%2F&AWSAccessKeyId="
                       "test&SignatureVersion=2&SignatureMethod=HmacSHA256"
                       "&Timestamp=2026-01-01T00%3A00%3A00Z&Signature="
                       "rzUqYGbq5dvkYusMSxvUgxZdIZ2lvWjxPA6xNK0Vn4g%3D"),
                     &form));
    auth_read(arena, request, &form, &auth);
    CHECK_INT(auth.scheme, AUTH_V2_FORM);
    CHECK_OK(auth_verify(arena, request, &form, &auth, &check, NULL));
}

TEST(a_wrong_signature_shows_what_was_signed)
{
    fresh();
    err e = verified(V4_PUT("0e811353786fab023b42c6d73663981003f5040100136a9abe1408a259f11ba8"));
    CHECK_FAULT(e, AWS_SIGNATURE_MISMATCH);
    CHECK_STR(extra(e, S("AWSAccessKeyId")), S("test"));
    CHECK(
        str_starts(extra(e, S("StringToSign")),
                   S("AWS4-HMAC-SHA256\n20260101T000000Z\n20260101/us-east-1/s3/aws4_request\n")));
    CHECK(str_starts(extra(e, S("StringToSignBytes")), S("41 57 53 34 2d 48")));
    CHECK(str_starts(
        extra(e, S("CanonicalRequest")),
        S("PUT\n/b/dir/a%20b%2Bc.txt\npartNumber=1&uploadId=u%2Fx\nhost:localhost:4566\n")));
    CHECK(str_find(extra(e, S("CanonicalRequest")), S("\nx-amz-meta-a:two blanks\n\n"), 0) > 0);
    CHECK(str_starts(extra(e, S("CanonicalRequestBytes")), S("50 55 54 0a")));
    e = verified(V2_PUT("AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    CHECK_FAULT(e, AWS_SIGNATURE_MISMATCH);
    CHECK_STR(extra(e, S("StringToSign")),
              S("PUT\n\ntext/plain\nThu, 01 Jan 2026 00:00:00 GMT\nx-amz-acl:private\n/b/k?acl"));
    CHECK(!extra(e, S("CanonicalRequest")).p);
}

TEST(a_changed_path_breaks_a_presigned_url)
{
    fresh();
    CHECK_FAULT(
        verified(
            "GET /b/other"
            "?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260101%2Fus-"
            "east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=703fc4b7ec4a85ba565cf4a981f28a48d621dad2152453bb35fea35a2b948324 "
            "HTTP/1.1\nHost: localhost:4566\n"),
        AWS_SIGNATURE_MISMATCH);
}

TEST(signature_dates_are_compared_with_real_time)
{
    fresh();
    check.real_now = T0 + 16 * MINUTE;
    err e = verified(V4_PUT(V4_SIGNATURE));
    CHECK_FAULT(e, AWS_TIME_SKEWED);
    CHECK_STR(extra(e, S("MaxAllowedSkewMilliseconds")), S("900000"));
    CHECK_STR(extra(e, S("ServerTime")), S("2026-01-01T00:16:00Z"));
    check.real_now = T0 + 14 * MINUTE;
    check.now = T0 + 1000000 * MINUTE;
    CHECK_OK(verified(V4_PUT(V4_SIGNATURE)));
}

TEST(presigned_expiry_is_compared_with_virtual_time)
{
    fresh();
    check.real_now = T0 + 1000 * MINUTE;
    check.now = T0 + 14 * MINUTE;
    CHECK_OK(verified(V4_GET));
    check.now = T0 + 900001;
    err e = verified(V4_GET);
    CHECK_FAULT(e, AWS_ACCESS_DENIED);
    CHECK_STR(err_message(e), S("Request has expired"));
    CHECK_STR(extra(e, S("X-Amz-Expires")), S("900"));
    CHECK_STR(extra(e, S("Expires")), S("2026-01-01T00:15:00Z"));
    CHECK_STR(extra(e, S("ServerTime")), S("2026-01-01T00:15:00Z"));
    e = verified(V2_GET);
    CHECK_STR(err_message(e), S("Request has expired"));
    CHECK(!extra(e, S("X-Amz-Expires")).p);
    auth_read(arena, wire_request(arena, V4_GET), NULL, &auth);
    CHECK_OK(auth_check_expiry(arena, &auth, T0));
    CHECK(failed(auth_check_expiry(arena, &auth, T0 + 900001)));
}

TEST(a_url_lives_a_week_at_most_and_not_less_than_no_time)
{
    fresh();
    const char *format = "GET "
                         "/b/"
                         "k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%%2F20260101%%"
                         "2Fus-east-1%%2Fs3%%2Faws4_request"
                         "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=%d&X-Amz-SignedHeaders=host&X-"
                         "Amz-Signature=00 HTTP/1.1\nHost: h\n";
    CHECK_STR(str_of(verified(arena_printf(arena, format, 604801).p).fault->code),
              S("AuthorizationQueryParametersError"));
    CHECK_STR(err_message(verified(arena_printf(arena, format, -7).p)), S("Request has expired"));
    CHECK_FAULT(verified(arena_printf(arena, format, 604800).p), AWS_SIGNATURE_MISMATCH);
}

TEST(headers_that_were_not_signed_are_named)
{
    fresh();
    err e = verified("GET " V4_URL " HTTP/1.1\nHost: localhost:4566\nX-Amz-Foo: 1\nx-amz-bar: 2\n");
    CHECK_FAULT(e, AWS_ACCESS_DENIED);
    CHECK_STR(extra(e, S("HeadersNotSigned")), S("x-amz-foo, x-amz-bar"));
}

TEST(malformed_credentials_have_their_own_errors)
{
    fresh();
    CHECK_FAULT(
        verified(
            "GET /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x HTTP/1.1\nHost: h\n"),
        AWS_AUTH_QUERY_ERROR);
    CHECK_STR(err_message(verified("GET /b/k?Signature=x&Expires=1 HTTP/1.1\nHost: h\n")),
              S("Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                "parameters"));
    CHECK_FAULT(verified("GET /b HTTP/1.1\nHost: h\nAuthorization: AWS4-HMAC-SHA256 "
                         "Credential=a/b, SignedHeaders=host, Signature=0\n"),
                AWS_AUTH_HEADER_MALFORMED);
    CHECK_STR(err_message(verified("GET /b HTTP/1.1\nHost: h\nAuthorization: Bearer x\n")),
              S("Unsupported Authorization Type"));
    CHECK_FAULT(
        verified("GET " V4_URL " HTTP/1.1\nHost: localhost:4566\nAuthorization: AWS test:x\n"),
        AWS_INVALID_ARGUMENT);
}

TEST(unknown_keys_wrong_regions_and_services)
{
    fresh();
    err e =
        verified("GET /b?AWSAccessKeyId=nobody&Signature=x&Expires=1967226500 HTTP/1.1\nHost: h\n");
    CHECK_FAULT(e, AWS_INVALID_ACCESS_KEY);
    CHECK_STR(extra(e, S("AWSAccessKeyId")), S("nobody"));
    check.region = S("eu-west-1");
    e = verified(V4_PUT(V4_SIGNATURE));
    CHECK_STR(err_message(e), S("The authorization header is malformed; the region 'us-east-1' is "
                                "wrong; expecting 'eu-west-1'"));
    CHECK_STR(extra(e, S("Region")), S("eu-west-1"));
    check.service = S("sqs");
    check.s3 = false;
    e = verified(V4_PUT(V4_SIGNATURE));
    CHECK_STR(str_of(e.fault->code), S("SignatureDoesNotMatch"));
    CHECK_STR(err_message(e), S("Credential should be scoped to correct service: 'sqs'."));
    e = verified("POST / HTTP/1.1\nHost: h\nX-Amz-Date: 20260101T000000Z\nAuthorization: "
                 "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20251231/eu-west-1/s3/aws4_request, "
                 "SignedHeaders=host;x-amz-date, Signature=00\n");
    CHECK_STR(err_message(e),
              S("Credential should be scoped to correct service: 'sqs'. Date in Credential scope "
                "does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20251231' != "
                "'20260101', from '20260101T000000Z'."));
    e = verified("POST / HTTP/1.1\nHost: h\nX-Amz-Date: 20200101T000000Z\nAuthorization: "
                 "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20251231/eu-west-1/sqs/aws4_request, "
                 "SignedHeaders=host;x-amz-date, Signature=00\n");
    CHECK_STR(err_message(e), S("Signature expired: 20200101T000000Z is now earlier than "
                                "20251231T234500Z (20260101T000000Z - 15 min.)"));
}

TEST(a_body_must_have_the_announced_hash)
{
    fresh();
    auth_read(arena, wire_request(arena, V4_PUT("x")), NULL, &auth);
    CHECK_OK(auth_check_body(
        arena, &auth, S("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")));
    err e = auth_check_body(arena, &auth, S("00"));
    CHECK_FAULT(e, AWS_SHA256_MISMATCH);
    CHECK_STR(extra(e, S("S3ComputedContentSHA256")), S("00"));
}

/* --- signing --- */

TEST(what_we_sign_botocore_would_have_signed)
{
    fresh();
    struct http_request *request = wire_request(
        arena,
        "PUT /b/dir/a%20b%2Bc.txt?partNumber=1&uploadId=u%2Fx HTTP/1.1\nHost: localhost:4566\n"
        "x-amz-meta-a: two blanks\nUser-Agent: us\n");
    struct sign sign = {.access_key = S("test"),
                        .secret = S("test"),
                        .region = S("us-east-1"),
                        .service = S("s3"),
                        .now = T0,
                        .payload_hash =
                            S("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")};
    sign_request(arena, request, &sign);
    CHECK(str_ends(http_header(request, S("authorization")), S("Signature=" V4_SIGNATURE)));
}

TEST(our_presigned_urls_hold_too)
{
    fresh();
    struct http_request *request =
        wire_request(arena, "GET /b/k%20x?versionId=1 HTTP/1.1\nHost: localhost:4566\n");
    struct sign sign = {.access_key = S("test"),
                        .secret = S("test"),
                        .region = S("us-east-1"),
                        .service = S("s3"),
                        .now = T0};
    str query = sign_query(arena, request, &sign, 900);
    CHECK(str_ends(
        query,
        S("X-Amz-Signature=703fc4b7ec4a85ba565cf4a981f28a48d621dad2152453bb35fea35a2b948324")));
}

/* --- keys --- */

TEST(twelve_digits_are_their_own_account_and_test_is_the_default)
{
    fresh();
    struct identity who;
    CHECK(keys_find(keys, arena, S("123456789012"), &who));
    CHECK_STR(who.account, S("123456789012"));
    CHECK_STR(who.secret, S("test"));
    CHECK_STR(who.arn, S("arn:aws:iam::123456789012:root"));
    CHECK(keys_find(keys, arena, S("test"), &who));
    CHECK_STR(who.account, S("000000000000"));
    CHECK(!keys_find(keys, arena, S("AKIANOBODY"), &who));
    keys_assume(keys, arena, S("AKIANOBODY"), &who);
    CHECK_STR(who.account, S("000000000000"));
    CHECK(!who.secret.p);
    CHECK(keys_find(keys, arena, S("AKIAEXAMPLE"), &who));
    CHECK_STR(who.account, S("111122223333"));
}

TEST(a_derived_canonical_id_leads_back_to_its_account)
{
    fresh();
    str id = keys_canonical_id(arena, S("123456789012"));
    CHECK_INT(id.n, 64);
    CHECK_STR(keys_canonical_id(arena, S("123456789012")), id);
    CHECK_STR(keys_account_of(keys, arena, id), S("123456789012"));
    CHECK(!keys_account_of(keys, arena,
                           S("79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"))
               .p);
    CHECK(!str_eq(keys_canonical_id(arena, S("000000000000")), id));
}

TEST(a_bad_key_file_names_the_member)
{
    fresh();
    struct keys *own = keys_new(S("000000000000"));
    char path[] = "/tmp/headrace-keys-XXXXXX";
    int fd = mkstemp(path);
    const char *text =
        "{\"keys\":[{\"accessKeyId\":\"a\",\"secretAccessKey\":\"b\",\"acount\":\"1\"}]}";
    str message = STR_NONE;
    CHECK(write(fd, text, strlen(text)) > 0);
    close(fd);
    CHECK(!keys_load(own, arena, path, &message));
    CHECK(str_find(message, S("\"acount\""), 0) > 0);
    unlink(path);
    CHECK(!keys_load(own, arena, path, &message));
    keys_free(own);
}

UNIT_MAIN
