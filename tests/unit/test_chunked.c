/* test_chunked.c - aws-chunked bodies, cut at every place. */
#include "aws/canonical.h"
#include "aws/chunked.h"
#include "aws/fault.h"

#include "unit.h"

static struct arena *arena;
static struct buf decoded;
static struct http_header *trailers;
static size_t ntrailers;

static err collect(void *user, str data)
{
    (void)user;
    buf_put(&decoded, data);
    return OK;
}

/* Feeds `body` in pieces of `step` bytes. */
static err decode(str body, size_t step, const struct chunked_options *options)
{
    struct chunked *c = chunked_new(arena, options);
    decoded = buf_in(arena);
    err e = OK;
    for (size_t at = 0; at < body.n && !failed(e); at += step)
        e = chunked_feed(c, str_slice(body, at, at + step), collect, NULL);
    if (!failed(e))
        e = chunked_end(c);
    chunked_trailers(c, &trailers, &ntrailers);
    chunked_drop(c);
    return e;
}

static const struct chunked_options anything = {.decoded_length = -1, .trailer = true};

static void fresh(void)
{
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
}

TEST(bodies_of_botocore_and_js_decode_wherever_they_are_cut)
{
    str bodies[] = {
        S("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"),
        S("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n"),
        S("5\r\nhello\r\n0\r\nx-amz-checksum-crc32: NhCmhg=="),
        S("2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Amz-Checksum-Crc32:NhCmhg==\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t step = 1; step <= bodies[i].n; step++) {
            fresh();
            struct chunked_options options = {.decoded_length = 5, .trailer = true};
            CHECK_OK(decode(bodies[i], step, &options));
            CHECK_STR(buf_str(&decoded), S("hello"));
            CHECK_INT(ntrailers, 1);
            CHECK_STR(trailers->name, S("x-amz-checksum-crc32"));
            CHECK_STR(trailers->value, S("NhCmhg=="));
        }
}

TEST(a_body_may_be_empty_and_the_last_crlf_missing)
{
    fresh();
    CHECK_OK(decode(S("0\r\n\r\n"), 1, &anything));
    CHECK_OK(decode(S("0\r\n"), 1, &anything));
    CHECK_OK(decode(S("0;chunk-signature=abc\r\n\r\n"), 2, &anything));
    CHECK_INT(buf_str(&decoded).n, 0);
}

TEST(a_cut_or_garbled_body_is_incomplete)
{
    str bodies[] = {S("5\r\nhel"),
                    S("5\r\nhello"),
                    S("5\r\nhello\r\n"),
                    S("x\r\n"),
                    S("\r\n"),
                    S("5\r\nhelloX\r\n0\r\n\r\n"),
                    S("-5\r\nhello\r\n0\r\n\r\n"),
                    S("ffffffffffffffff\r\n"),
                    S("0\r\n\r\nmore"),
                    S("hello world")};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        for (size_t step = 1; step <= bodies[i].n; step += 3) {
            fresh();
            CHECK_FAULT(decode(bodies[i], step, &anything), AWS_INCOMPLETE_BODY);
        }
}

TEST(the_decoded_length_must_be_the_announced_one)
{
    fresh();
    struct chunked_options options = {.decoded_length = 6};
    CHECK_FAULT(decode(S("5\r\nhello\r\n0\r\n\r\n"), 100, &options), AWS_INCOMPLETE_BODY);
    options.decoded_length = 4;
    CHECK_FAULT(decode(S("5\r\nhello\r\n0\r\n\r\n"), 100, &options), AWS_INCOMPLETE_BODY);
}

TEST(endless_lines_and_trailers_are_refused)
{
    fresh();
    struct buf b = buf_in(arena), t = buf_in(arena);
    for (int i = 0; i < 5000; i++)
        buf_char(&b, '0');
    CHECK_FAULT(decode(buf_str(&b), 1000, &anything), AWS_INCOMPLETE_BODY);
    BUF_LIT(&t, "0\r\n");
    for (int i = 0; i < 100; i++)
        buf_printf(&t, "a%d:b\r\n", i);
    CHECK_FAULT(decode(buf_str(&t), 1000, &anything), AWS_MALFORMED_TRAILER);
    CHECK_FAULT(decode(S("0\r\nnonsense\r\n\r\n"), 1, &anything), AWS_MALFORMED_TRAILER);
}

TEST(a_refusing_sink_stops_the_decoder_for_good)
{
    fresh();
    err refuse(void *user, str data);
    struct chunked *c = chunked_new(arena, &anything);
    CHECK(failed(chunked_feed(c, S("5\r\nhello\r\n"), refuse, NULL)));
    CHECK(failed(chunked_feed(c, S("0\r\n\r\n"), refuse, NULL)));
    CHECK(failed(chunked_end(c)));
}

err refuse(void *user, str data);
err refuse(void *user, str data)
{
    (void)user;
    (void)data;
    return FAIL(FAULT_INTERNAL);
}

/* AWS's own example: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html */
#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"

static struct auth_chunk_key example_key(void)
{
    return (struct auth_chunk_key){
        .key = canonical_key(arena, S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), S("20130524"),
                             S("us-east-1"), S("s3")),
        .date = S("20130524T000000Z"),
        .scope = S("20130524/us-east-1/s3/aws4_request"),
        .seed = S(SEED)};
}

static str example_body(char fill)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "10000;chunk-signature="
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n");
    memset(buf_room(&b, 65536), fill, 65536);
    b.n += 65536;
    BUF_LIT(&b, "\r\n400;chunk-signature="
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n");
    memset(buf_room(&b, 1024), 'a', 1024);
    b.n += 1024;
    BUF_LIT(&b, "\r\n0;chunk-signature="
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
    return buf_str(&b);
}

TEST(aws_own_example_of_signed_chunks_holds)
{
    fresh();
    struct auth_chunk_key key = example_key();
    struct chunked_options options = {.decoded_length = 66560, .key = &key};
    CHECK_OK(decode(example_body('a'), 1000, &options));
    CHECK_INT(buf_str(&decoded).n, 66560);
    CHECK_FAULT(decode(example_body('b'), 1000, &options), AWS_SIGNATURE_MISMATCH);
    options.key = NULL;
    CHECK_OK(decode(example_body('b'), 1000, &options));
}

/* AWS's example with a trailer:
 * docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
static str trailer_body(const char *signature)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "10000;chunk-signature="
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n");
    memset(buf_room(&b, 65536), 'a', 65536);
    b.n += 65536;
    BUF_LIT(&b, "\r\n400;chunk-signature="
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n");
    memset(buf_room(&b, 1024), 'a', 1024);
    b.n += 1024;
    BUF_LIT(
        &b,
        "\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
        "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:");
    buf_put(&b, str_of(signature));
    BUF_LIT(&b, "\r\n\r\n");
    return buf_str(&b);
}

TEST(aws_own_example_of_a_signed_trailer_holds)
{
    fresh();
    struct auth_chunk_key key = example_key();
    key.seed = S("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    struct chunked_options options = {.decoded_length = 66560, .trailer = true, .key = &key};
    CHECK_OK(
        decode(trailer_body("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"),
               777, &options));
    CHECK_STR(trailers->value, S("sOO8/Q=="));
    CHECK_FAULT(
        decode(trailer_body("63bddb248ad2590c92712055f51b8e78ab024eead08276b24f010b0efd74843f"),
               777, &options),
        AWS_SIGNATURE_MISMATCH);
}

UNIT_MAIN
