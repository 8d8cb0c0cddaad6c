/* aws/sign.c - the signing side: requests and presigned URLs of this program's own clients, and
 * what an S3 POST form is compared with. Headers that intermediaries or the transport may change
 * are left unsigned. */
#include "aws/canonical.h"
#include "aws/sigv4.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const unsigned_headers[] = {
    "authorization", "connection",        "expect",  "keep-alive", "te",
    "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};

static bool is_signed(str name)
{
    for (size_t i = 0; i < sizeof unsigned_headers / sizeof *unsigned_headers; i++)
        if (str_eq(name, str_of(unsigned_headers[i])))
            return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

/* "host;x-amz-date" */
static str signed_names(struct arena *arena, const struct http_request *request)
{
    str *names = arena_array(arena, request->nheaders + 1, sizeof *names);
    size_t n = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        str name = text_lower(arena, request->headers[i].name);
        if (is_signed(name))
            names[n++] = name;
    }
    qsort(names, n, sizeof *names, compare);
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < n; i++) {
        if (i && str_eq(names[i], names[i - 1]))
            continue;
        if (b.n)
            buf_char(&b, ';');
        buf_put(&b, names[i]);
    }
    return buf_str(&b);
}

static void set_header(struct arena *arena, struct http_request *request, str name, str value)
{
    for (size_t i = 0; i < request->nheaders; i++)
        if (str_eq_nocase(request->headers[i].name, name)) {
            request->headers[i].value = value;
            return;
        }
    struct http_header *all = arena_array(arena, request->nheaders + 1, sizeof *all);
    if (request->nheaders)
        memcpy(all, request->headers, request->nheaders * sizeof *all);
    all[request->nheaders++] = (struct http_header){name, value};
    request->headers = all;
}

static str signature_of(struct arena *arena, const struct http_request *request,
                        const struct sign *sign, str names, str payload, str date)
{
    struct canonical_options options = {names, payload, str_eq(sign->service, S("s3"))};
    str day = str_slice(date, 0, 8);
    str scope = canonical_scope(arena, day, sign->region, sign->service);
    str text =
        canonical_string_to_sign(arena, date, scope, canonical_request(arena, request, &options));
    return canonical_signature(
        arena, canonical_key(arena, sign->secret, day, sign->region, sign->service), text);
}

void sign_request(struct arena *arena, struct http_request *request, const struct sign *sign)
{
    str date = date_basic(arena, sign->now);
    set_header(arena, request, S("X-Amz-Date"), date);
    if (sign->token.n)
        set_header(arena, request, S("X-Amz-Security-Token"), sign->token);
    if (str_eq(sign->service, S("s3")))
        set_header(arena, request, S("x-amz-content-sha256"), sign->payload_hash);
    str names = signed_names(arena, request);
    str signature = signature_of(arena, request, sign, names, sign->payload_hash, date);
    str scope = canonical_scope(arena, str_slice(date, 0, 8), sign->region, sign->service);
    set_header(arena, request, S("Authorization"),
               arena_printf(
                   arena,
                   "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                   STR_ARG(sign->access_key), STR_ARG(scope), STR_ARG(names), STR_ARG(signature)));
}

str sign_query(struct arena *arena, const struct http_request *request, const struct sign *sign,
               int64_t seconds)
{
    struct buf b = buf_in(arena);
    str date = date_basic(arena, sign->now);
    str scope = canonical_scope(arena, str_slice(date, 0, 8), sign->region, sign->service);
    str names = signed_names(arena, request);
    str credential = arena_printf(arena, "%.*s/%.*s", STR_ARG(sign->access_key), STR_ARG(scope));
    buf_put(&b, request->query);
    buf_printf(&b, "%sX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=", b.n ? "&" : "");
    buf_percent(&b, credential, PERCENT_ALL);
    buf_printf(&b, "&X-Amz-Date=%.*s&X-Amz-Expires=%lld", STR_ARG(date), (long long)seconds);
    if (sign->token.n) {
        BUF_LIT(&b, "&X-Amz-Security-Token=");
        buf_percent(&b, sign->token, PERCENT_ALL);
    }
    BUF_LIT(&b, "&X-Amz-SignedHeaders=");
    buf_percent(&b, names, PERCENT_ALL);
    struct http_request copy = *request;
    copy.query = arena_copy(arena, buf_str(&b));
    str payload = sign->payload_hash.p ? sign->payload_hash : S("UNSIGNED-PAYLOAD");
    buf_printf(&b, "&X-Amz-Signature=%.*s",
               STR_ARG(signature_of(arena, &copy, sign, names, payload, date)));
    return buf_str(&b);
}

str auth_form_signature_v4(struct arena *arena, str secret, str day, str region, str policy_base64)
{
    return canonical_signature(arena, canonical_key(arena, secret, day, region, S("s3")),
                               policy_base64);
}
