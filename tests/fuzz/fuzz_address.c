/* Whatever Host and path say, the bucket of a virtual host is the beginning of that host, the rest
 * of an address is made of its path, and whether the host may talk to us does not depend on its
 * letters' case. The first line is the Host, the second the target. */
#include "api/s3_website.h"
#include "app/safety.h"
#include "aws/route.h"
#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_safety(struct arena *arena, const struct http_request *request, str host)
{
    static const str allowed[] = {{"trusted.test", 12}, {".below.test", 11}, {"*.star.test", 11}};
    struct safety safety = {.address = S("127.0.0.1"), .allowed = allowed, .nallowed = 3};
    str name = safety_host(host);
    bool good = safety_host_ok(&safety, name);
    must(good == safety_host_ok(&safety, text_lower(arena, name)));
    must(good == !safety_check_host(&safety, request).p);
    /* A name of a public domain that nobody allowed never passes. */
    must(!good || !str_ends_nocase(name, S(".example")));
    (void)safety_foreign(&safety, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str rest = {(const char *)data, n}, host = str_cut(&rest, '\n'), target = str_cut(&rest, '\n');
    struct http_header headers[] = {{S("Host"), host}, {S("Origin"), rest.p ? rest : S("null")}};
    struct http_request request = {.arena = arena, .method = S("GET"), .headers = headers};
    struct route route = {0};
    str bucket;
    request.nheaders = rest.p ? 2 : 1;
    request.target = request.query = target.n ? target : S("/");
    request.path = str_cut(&request.query, '?');
    headers[0].value = host.p ? host : S("");
    route_address(arena, &request, &route);
    if (route.virtual_host) {
        must(route.bucket.n && str_starts_nocase(headers[0].value, route.bucket));
        must(route.level != REST_SERVICE);
    }
    must(route.key.n <= request.path.n);
    must((route.level == REST_OBJECT) == (route.key.p != NULL));
    must(!s3_website_host(headers[0].value, &bucket) || bucket.n <= headers[0].value.n);
    check_safety(arena, &request, headers[0].value);
    arena_free(arena);
    return 0;
}
