/* aws/canonical.c - see canonical.h. Rules:
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Clients
 * escape differently ("~", lower-case hex); both sides sign the canonical form, so everything is
 * decoded and encoded anew. */
#include "aws/canonical.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int compare_pairs(const void *a, const void *b)
{
    const struct http_header *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order ? order : str_cmp(x->value, y->value);
}

static str encoded_again(struct arena *arena, str s)
{
    return percent_encode(arena, percent_decode(arena, s, false), PERCENT_ALL);
}

str canonical_query(struct arena *arena, str query, str leave_out)
{
    struct http_header *pairs = arena_array(arena, str_count(query, '&') + 1, sizeof *pairs);
    size_t n = 0;
    str rest = query.n ? query : STR_NONE;
    while (rest.p) {
        str value = str_cut(&rest, '&');
        if (!value.n)
            continue;
        str name = str_cut(&value, '=');
        if (!str_eq_nocase(name, leave_out))
            pairs[n++] = (struct http_header){encoded_again(arena, name),
                                              encoded_again(arena, value.p ? value : S(""))};
    }
    qsort(pairs, n, sizeof *pairs, compare_pairs);
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, '&');
        buf_put(&b, pairs[i].name);
        buf_char(&b, '=');
        buf_put(&b, pairs[i].value);
    }
    return buf_str(&b);
}

static str canonical_path(struct arena *arena, str path, bool s3)
{
    if (!path.n)
        return S("/");
    return percent_encode(arena, s3 ? percent_decode(arena, path, false) : path, PERCENT_PATH);
}

/* Trimmed, runs of blanks as one. */
static void put_squeezed(struct buf *b, str value)
{
    value = str_trim(value);
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != ' ' || value.p[i - 1] != ' ')
            buf_char(b, value.p[i]);
}

/* All values of one header, in order. */
static void put_header(struct buf *b, const struct http_request *request, str name)
{
    bool first = true;
    buf_put(b, name);
    buf_char(b, ':');
    for (size_t i = 0; i < request->nheaders; i++) {
        if (!str_eq_nocase(request->headers[i].name, name))
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        put_squeezed(b, request->headers[i].value);
    }
    buf_char(b, '\n');
}

str canonical_request(struct arena *arena, const struct http_request *request,
                      const struct canonical_options *options)
{
    struct buf b = buf_in(arena);
    buf_put(&b, request->method);
    buf_char(&b, '\n');
    buf_put(&b, canonical_path(arena, request->path, options->s3));
    buf_char(&b, '\n');
    buf_put(&b, canonical_query(arena, request->query, S("X-Amz-Signature")));
    buf_char(&b, '\n');
    str rest = options->signed_headers;
    while (rest.p)
        put_header(&b, request, str_cut(&rest, ';'));
    buf_char(&b, '\n');
    buf_put(&b, options->signed_headers);
    buf_char(&b, '\n');
    buf_put(&b, options->payload);
    return buf_str(&b);
}

str canonical_string_to_sign(struct arena *arena, str date, str scope, str canonical)
{
    str hash = digest_hex(arena, digest_of(DIGEST_SHA256, canonical));
    return arena_printf(arena, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", STR_ARG(date), STR_ARG(scope),
                        STR_ARG(hash));
}

str canonical_scope(struct arena *arena, str day, str region, str service)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day), STR_ARG(region),
                        STR_ARG(service));
}

static digest chained(digest key, str text)
{
    return hmac_sha256((str){(const char *)key.bytes, key.n}, text);
}

digest canonical_key(struct arena *arena, str secret, str day, str region, str service)
{
    digest key = hmac_sha256(arena_join(arena, S("AWS4"), secret), day);
    return chained(chained(chained(key, region), service), S("aws4_request"));
}

str canonical_signature(struct arena *arena, digest key, str text)
{
    return digest_hex(arena, chained(key, text));
}
