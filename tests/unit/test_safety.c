/* Which Host is ours, and which page is foreign. */
#include "unit.h"

#include "app/safety.h"

static bool host_ok(const char *authority, const char *allowed)
{
    str rule = str_of(allowed);
    struct safety safety = {
        .address = S("192.0.2.7"), .allowed = &rule, .nallowed = allowed ? 1 : 0};
    return safety_host_ok(&safety, safety_host(str_of(authority)));
}

TEST(loopback_names_with_any_port_are_ours)
{
    CHECK(host_ok("localhost", NULL));
    CHECK(host_ok("localhost:4566", NULL));
    CHECK(host_ok("LOCALHOST:1", NULL));
    CHECK(host_ok("127.0.0.1:4566", NULL));
    CHECK(host_ok("127.1.2.3", NULL));
    CHECK(host_ok("[::1]:4566", NULL));
    CHECK(host_ok("[::1]", NULL));
}

TEST(names_below_localhost_are_ours)
{
    CHECK(host_ok("bucket.localhost:4566", NULL));
    CHECK(host_ok("my.bucket.s3.localhost", NULL));
    CHECK(host_ok("bucket.s3.eu-west-1.amazonaws.com", NULL));
}

TEST(the_bound_address_is_ours)
{
    CHECK(host_ok("192.0.2.7:4566", NULL));
    CHECK(!host_ok("192.0.2.8:4566", NULL));
}

TEST(other_names_are_refused)
{
    CHECK(!host_ok("evil.example", NULL));
    CHECK(!host_ok("localhost.evil.example", NULL));
    CHECK(!host_ok("notlocalhost", NULL));
    CHECK(!host_ok("127.0.0.1.evil.example", NULL));
    CHECK(!host_ok("127.evil.example", NULL));
    CHECK(!host_ok("evilamazonaws.com", NULL));
    CHECK(!host_ok("", NULL));
}

TEST(a_named_host_is_accepted)
{
    CHECK(host_ok("headrace:4566", "headrace"));
    CHECK(!host_ok("headrace2:4566", "headrace"));
    CHECK(host_ok("b.headrace:4566", ".headrace"));
    CHECK(host_ok("headrace:4566", "*.headrace"));
    CHECK(!host_ok("evilheadrace", ".headrace"));
    CHECK(host_ok("anything.example", "*"));
}

static bool refused(const char *host)
{
    struct safety safety = {.address = S("127.0.0.1")};
    struct http_header header = {S("Host"), str_of(host)};
    struct arena *arena = arena_new();
    struct http_request request = {.arena = arena, .headers = &header, .nheaders = host ? 1 : 0};
    bool is = safety_check_host(&safety, &request).p != NULL;
    arena_free(arena);
    return is;
}

TEST(a_request_without_host_is_accepted)
{
    CHECK(!refused(NULL));
    CHECK(!refused("localhost"));
    CHECK(refused("evil.example"));
}

static bool foreign(const char *name, const char *value, const char *allowed)
{
    str rule = str_of(allowed);
    struct safety safety = {
        .address = S("127.0.0.1"), .allowed = &rule, .nallowed = allowed ? 1 : 0};
    struct http_header headers[] = {{S("Host"), S("localhost:4566")},
                                    {str_of(name), str_of(value)}};
    struct http_request request = {.headers = headers, .nheaders = 2};
    return safety_foreign(&safety, &request);
}

TEST(a_page_of_our_own_is_not_foreign)
{
    CHECK(!foreign("Origin", "http://localhost:4566", NULL));
    CHECK(!foreign("User-Agent", "curl", NULL));
    CHECK(!foreign("Sec-Fetch-Site", "same-origin", NULL));
    CHECK(!foreign("Sec-Fetch-Site", "none", NULL));
}

TEST(every_other_page_is_foreign)
{
    CHECK(foreign("Origin", "https://evil.example", NULL));
    CHECK(foreign("Origin", "null", NULL));
    CHECK(foreign("Origin", "http://localhost:3000", NULL));
    CHECK(foreign("Sec-Fetch-Site", "cross-site", NULL));
}

TEST(a_page_of_a_named_host_is_trusted_but_a_star_trusts_none)
{
    CHECK(!foreign("Origin", "http://localhost:3000", "localhost"));
    CHECK(!foreign("Origin", "https://app.example", ".example"));
    CHECK(foreign("Origin", "https://evil.example", "*"));
}

static bool active(const char *destination, const char *type)
{
    struct http_header headers[] = {{S("Sec-Fetch-Dest"), str_of(destination)}};
    struct http_request request = {.headers = headers, .nheaders = destination ? 1 : 0};
    return safety_active_page(&request, str_of(type));
}

TEST(what_a_browser_opens_as_a_page_and_can_run_is_active)
{
    CHECK(active("document", "text/html"));
    CHECK(active("iframe", "TEXT/HTML; charset=utf-8"));
    CHECK(active("object", "image/svg+xml"));
    CHECK(!active("document", "text/plain"));
    CHECK(!active("image", "image/svg+xml"));
    CHECK(!active("empty", "text/html"));
    CHECK(!active(NULL, "text/html"));
}

UNIT_MAIN
