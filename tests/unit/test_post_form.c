/* The browser's way into S3: form parsing at every cut, and what a policy lets through. */
#include "unit.h"

#include "aws/fault.h"
#include "aws/formdata.h"
#include "aws/post_policy.h"
#include "base/buf.h"

struct seen {
    struct buf log, data;
};

static err on_field(void *user, str name, str value)
{
    struct seen *seen = user;
    buf_printf(&seen->log, "%.*s=%.*s;", STR_ARG(name), STR_ARG(value));
    return OK;
}

static err on_file(void *user, str filename, str content_type)
{
    struct seen *seen = user;
    buf_printf(&seen->log, "FILE %.*s %.*s;", STR_ARG(filename), STR_ARG(content_type));
    return OK;
}

static err on_data(void *user, str chunk)
{
    struct seen *seen = user;
    buf_put(&seen->data, chunk);
    return OK;
}

/* Feeds `body` in pieces of `step` bytes. */
static err parse(struct arena *arena, str body, size_t step, struct seen *seen)
{
    *seen = (struct seen){buf_in(arena), buf_in(arena)};
    struct formdata_sink sink = {seen, on_field, on_file, on_data};
    struct formdata *form = formdata_new(arena, S("xyz"), &sink);
    for (size_t at = 0; at < body.n; at += step)
        TRY(formdata_feed(form, str_slice(body, at, at + step)));
    return formdata_end(form);
}

static const str good = {
    "--xyz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nfoo;bar\r\n"
    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\nline\r\n--xy no\r\n\r\n--xyz\r\n"
    "content-disposition: form-data; name=submit\r\n\r\nGo\r\n--xyz--\r\n",
    sizeof "--xyz\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nfoo;bar\r\n"
           "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.txt\"\r\n"
           "Content-Type: text/plain\r\n\r\nline\r\n--xy no\r\n\r\n--xyz\r\n"
           "content-disposition: form-data; name=submit\r\n\r\nGo\r\n--xyz--\r\n" -
        1};

TEST(a_form_is_the_same_wherever_it_is_cut)
{
    for (size_t step = 1; step <= good.n; step++) {
        struct arena *arena = arena_new();
        struct seen seen;
        CHECK_OK(parse(arena, good, step, &seen));
        CHECK_STR(buf_str(&seen.log), S("key=foo;bar;FILE a;b.txt text/plain;"));
        CHECK_STR(buf_str(&seen.data), S("line\r\n--xy no\r\n"));
        arena_free(arena);
    }
}

TEST(a_form_cut_short_or_without_a_file_is_refused)
{
    struct arena *arena = arena_new();
    struct seen seen;
    for (size_t n = 1; n < good.n - 4; n++)
        CHECK_FAULT(parse(arena, str_slice(good, 0, n), n, &seen), FORMDATA_MALFORMED);
    CHECK_FAULT(parse(arena,
                      S("--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--xyz--"), 7,
                      &seen),
                FORMDATA_NO_FILE);
    CHECK_FAULT(parse(arena, S("--xyz\r\nX: y\r\n\r\nb\r\n--xyz--"), 7, &seen), FORMDATA_MALFORMED);
    CHECK_FAULT(parse(arena, S("--xyzzz\r\nX: y\r\n\r\nb\r\n--xyz--"), 7, &seen),
                FORMDATA_MALFORMED);
    arena_free(arena);
}

TEST(fields_before_the_file_are_bounded)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct seen seen;
    for (int i = 0; i < 30; i++)
        buf_printf(&b, "--xyz\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\n%01000d\r\n",
                   i, i);
    BUF_LIT(&b, "--xyz--");
    CHECK_FAULT(parse(arena, buf_str(&b), 100, &seen), FORMDATA_TOO_LONG);
    arena_free(arena);
}

TEST(the_boundary_comes_from_the_content_type)
{
    CHECK_STR(formdata_boundary(S("multipart/form-data; boundary=xyz")), S("xyz"));
    CHECK_STR(formdata_boundary(S("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"")),
              S("a b"));
    CHECK(!formdata_boundary(S("application/x-www-form-urlencoded")).p);
    CHECK(!formdata_boundary(S("multipart/form-data")).p);
}

#define POLICY(conditions) "{\"expiration\":\"2026-11-21T12:00:00Z\",\"conditions\":" conditions "}"

static err check(struct arena *arena, const char *json, struct post_limits *limits)
{
    static const struct post_field fields[] = {{{"bucket", 6}, {"b", 1}},
                                               {{"kEy", 3}, {"foo.txt", 7}},
                                               {{"x-ignore-me", 11}, {"1", 1}},
                                               {{"policy", 6}, {"..", 2}}};
    struct post_policy_check how = {fields, 4, 1795262399000}; /* a second before the end */
    return post_policy_check(arena, str_of(json), &how, limits);
}

TEST(a_policy_lets_through_what_its_conditions_say)
{
    struct arena *arena = arena_new();
    struct post_limits limits;
    CHECK_OK(check(arena,
                   POLICY("[{\"bUcket\":\"b\"},[\"Starts-With\",\"$KEY\",\"foo\"],[\"content-"
                          "length-range\",1,1024]]"),
                   &limits));
    CHECK_INT(limits.min, 1);
    CHECK_INT(limits.max, 1024);
    CHECK_OK(check(arena, POLICY("[[\"eq\",\"$key\",\"foo.txt\"]]"), &limits));
    CHECK_INT(limits.max, -1);
    arena_free(arena);
}

TEST(a_failed_condition_is_named)
{
    struct arena *arena = arena_new();
    struct post_limits limits;
    err e = check(arena, POLICY("[[\"eq\",\"$key\",\"bar\"]]"), &limits);
    CHECK_FAULT(e, AWS_ACCESS_DENIED);
    CHECK_STR(
        err_message(e),
        S("Invalid according to Policy: Policy Condition failed: [\"eq\", \"$key\", \"bar\"]"));
    e = check(arena, POLICY("[{\"bucket\":\"b\"}]"), &limits);
    CHECK_STR(err_message(e), S("Invalid according to Policy: Extra input fields: kEy"));
    e = check(arena, "{\"expiration\":\"2026-11-21T11:00:00Z\",\"conditions\":[]}", &limits);
    CHECK_STR(err_message(e), S("Invalid according to Policy: Policy expired."));
    arena_free(arena);
}

TEST(an_ill_formed_policy_is_another_fault)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{\"conditions\":[]}",
        "{\"EXPIRATION\":\"2026-11-21T12:00:00Z\",\"conditions\":[]}",
        "{\"expiration\":\"2026-11-21 12:00:00\",\"conditions\":[]}",
        "{\"expiration\":\"2026-11-21T12:00:00Z\"}",
        "{\"expiration\":\"2026-11-21T12:00:00Z\",\"CONDITIONS\":[]}",
        POLICY("[{}]"),
        POLICY("[[\"content-length-range\",0]]"),
        POLICY("[[\"content-length-range\",-1,0]]"),
        POLICY("[[\"like\",\"$key\",\"foo\"]]")};
    struct arena *arena = arena_new();
    struct post_limits limits;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_FAULT(check(arena, wrong[i], &limits), POST_POLICY_INVALID);
    arena_free(arena);
}

UNIT_MAIN
