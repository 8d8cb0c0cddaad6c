/* Rules of http/message. */
#include "unit.h"

#include "http/message.h"

static struct arena *arena;

__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

TEST(the_first_header_of_a_name_in_any_case)
{
    struct http_header headers[] = {{S("Host"), S("h")}, {S("X-A"), S("1")}, {S("x-a"), S("2")}};
    struct http_request request = {.arena = arena, .headers = headers, .nheaders = 3};
    CHECK_STR(http_header(&request, S("x-a")), S("1"));
    CHECK_STR(http_header(&request, S("HOST")), S("h"));
    CHECK_STR(http_header(&request, S("X")), STR_NONE);
}

TEST(marked_names_are_found_in_any_case_and_others_are_not)
{
    struct http_header headers[] = {{S("Host"), S("h")}, {S(""), S("0")}, {S("x-a-1"), S("2")}};
    struct http_request request = {.arena = arena, .headers = headers, .nheaders = 3};
    http_request_mark(&request);
    CHECK_STR(http_header(&request, S("HOST")), S("h"));
    CHECK_STR(http_header(&request, S("X-A-1")), S("2"));
    CHECK_STR(http_header(&request, S("")), S("0"));
    CHECK_STR(http_header(&request, S("X-B-1")), STR_NONE); /* of the same mark */
    CHECK_STR(http_header(&request, S("range")), STR_NONE);
}

TEST(query_parameters_are_found_raw_and_decoded)
{
    struct http_request request = {.arena = arena,
                                   .query = S("uploads&a=1%2B2&empty=&b%5Bx=y=z&a=3&plus=q+r")};
    CHECK_STR(http_query_raw(&request, S("uploads")), S(""));
    CHECK_STR(http_query_raw(&request, S("empty")), S(""));
    CHECK_STR(http_query_raw(&request, S("a")), S("1%2B2"));
    CHECK_STR(http_query(&request, S("a")), S("1+2"));
    CHECK_STR(http_query(&request, S("b[x")), S("y=z"));
    CHECK_STR(http_query(&request, S("plus")), S("q r"));
    CHECK_STR(http_query(&request, S("upload")), STR_NONE);
    request.query = STR_NONE;
    CHECK_STR(http_query(&request, S("a")), STR_NONE);
}

TEST(a_target_is_split_into_path_and_query)
{
    struct http_request request = {.arena = arena, .target = S("/b/http://k?a=1?b")};
    http_request_split(&request);
    CHECK_STR(request.path, S("/b/http://k"));
    CHECK_STR(request.query, S("a=1?b"));
    request.target = S("*");
    http_request_split(&request);
    CHECK_STR(request.path, S("*"));
    CHECK_STR(request.query, STR_NONE);
}

TEST(the_absolute_form_of_a_target_names_the_host)
{
    struct http_header headers[] = {{S("host"), S("other")}};
    struct http_request request = {.arena = arena,
                                   .target = S("HTTP://b.s3.amazonaws.com:80/k%20?versions"),
                                   .headers = headers,
                                   .nheaders = 1};
    http_request_split(&request);
    CHECK_STR(request.target, S("/k%20?versions"));
    CHECK_STR(request.path, S("/k%20"));
    CHECK_STR(request.query, S("versions"));
    CHECK_STR(http_header(&request, S("Host")), S("b.s3.amazonaws.com:80"));
}

TEST(an_absolute_target_may_lack_its_path_and_the_request_its_host_header)
{
    struct http_request request = {.arena = arena, .target = S("https://sqs.localhost?x")};
    http_request_split(&request);
    CHECK_STR(request.path, S("/"));
    CHECK_STR(request.query, S("x"));
    CHECK_STR(http_header(&request, S("Host")), S("sqs.localhost"));
    struct http_request other = {.arena = arena, .target = S("ftp://host/x")};
    http_request_split(&other);
    CHECK_STR(other.path, S("ftp://host/x"));
}

TEST(reply_headers_are_added_or_replaced)
{
    struct http_reply *reply = http_reply_new(arena);
    CHECK_INT(reply->status, 200);
    CHECK_INT(reply->cut_after, -1);
    CHECK_INT(reply->fd, -1);
    for (int i = 0; i < 40; i++)
        http_reply_header(arena, reply, S("X"), arena_printf(arena, "%d", i));
    CHECK_INT(reply->nheaders, 40);
    http_reply_set(arena, reply, S("x"), S("new"));
    http_reply_set(arena, reply, S("Y"), S("y"));
    CHECK_INT(reply->nheaders, 41);
    CHECK_STR(reply->headers[0].value, S("new"));
    CHECK_STR(reply->headers[39].value, S("39"));
    http_reply_bytes(arena, reply, 404, S("text/plain"), S("gone"));
    CHECK_INT(reply->status, 404);
    CHECK_STR(reply->bytes, S("gone"));
    CHECK_STR(reply->headers[41].value, S("text/plain"));
}

UNIT_MAIN
