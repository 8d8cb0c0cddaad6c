/* aws/auth_read.c - what a request says of its caller (auth_read in sigv4.h). Nothing is checked
 * here and nothing fails: in the default mode even nonsense must give an account and a region. What
 * could not be read is remembered in `malformed`, for auth_verify to refuse. */
#include "aws/sigv4.h"

#include "base/text.h"

#include <string.h>

#define V4_NAME "AWS4-HMAC-SHA256"

/* "KEY/20260101/us-east-1/s3/aws4_request", read from its end, for a key id may hold a slash. */
static bool read_credential(str credential, struct auth *auth)
{
    str parts[4];
    size_t end = credential.n;
    for (int i = 3; i >= 0; i--) {
        size_t at = end;
        while (at > 0 && credential.p[at - 1] != '/')
            at--;
        if (!at)
            return false;
        parts[i] = str_slice(credential, at, end);
        end = at - 1;
    }
    auth->access_key = str_slice(credential, 0, end);
    auth->day = parts[0];
    auth->region = parts[1];
    auth->service = parts[2];
    return str_eq(parts[3], S("aws4_request")) && auth->access_key.n;
}

/* The value of `name=` in "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...". */
static str header_part(str header, str name)
{
    str rest = header;
    while (rest.p) {
        str value = str_trim(str_cut(&rest, ','));
        if (str_eq(str_cut(&value, '='), name))
            return value;
    }
    return STR_NONE;
}

static void read_date_and_token(const struct http_request *request, struct auth *auth)
{
    auth->date = http_header(request, S("x-amz-date"));
    if (!auth->date.p)
        auth->date = http_header(request, S("date"));
    auth->token = http_header(request, S("x-amz-security-token"));
    if (!date_parse(auth->date.p ? auth->date : S(""), &auth->signed_at))
        auth->signed_at = 0;
}

static void read_v4_header(const struct http_request *request, str header, struct auth *auth)
{
    auth->scheme = AUTH_V4_HEADER;
    header = str_trim(str_slice(header, sizeof V4_NAME - 1, header.n));
    str credential = header_part(header, S("Credential"));
    auth->signed_headers = header_part(header, S("SignedHeaders"));
    auth->signature = header_part(header, S("Signature"));
    if (!credential.p || !read_credential(credential, auth))
        auth->malformed = "Credential";
    else if (!auth->signed_headers.n)
        auth->malformed = "SignedHeaders";
    else if (!auth->signature.n)
        auth->malformed = "Signature";
    read_date_and_token(request, auth);
}

static void read_v2_header(const struct http_request *request, str header, struct auth *auth)
{
    auth->scheme = AUTH_V2_HEADER;
    str rest = str_slice(header, 4, header.n);
    auth->access_key = str_cut(&rest, ':');
    auth->signature = rest;
    if (!rest.n || !auth->access_key.n)
        auth->malformed = "Authorization";
    read_date_and_token(request, auth);
}

/* Names in the query are taken in any case, as AWS does. */
static str parameter(const struct form *form, str name)
{
    for (size_t i = 0; i < form->n; i++)
        if (str_eq_nocase(form->at[i].key, name))
            return form->at[i].value;
    return STR_NONE;
}

static void read_expires(str text, struct auth *auth)
{
    if (!text.p || !str_to_int(text, &auth->expires_in)) {
        auth->expires_in = -1;
        auth->malformed = "X-Amz-Expires";
    }
    /* A negative time is over before it began. */
    int64_t seconds =
        auth->expires_in > 1000000000 || auth->expires_in < -1000000000 ? 0 : auth->expires_in;
    auth->expires_at = auth->signed_at ? auth->signed_at + seconds * 1000 : 0;
}

static void read_v4_query(const struct form *form, struct auth *auth)
{
    static const char *const needed[] = {"X-Amz-Algorithm",     "X-Amz-Credential",
                                         "X-Amz-Signature",     "X-Amz-Date",
                                         "X-Amz-SignedHeaders", "X-Amz-Expires"};
    auth->scheme = AUTH_V4_QUERY;
    auth->signed_headers = parameter(form, S("X-Amz-SignedHeaders"));
    auth->signature = parameter(form, S("X-Amz-Signature"));
    auth->date = parameter(form, S("X-Amz-Date"));
    auth->token = parameter(form, S("X-Amz-Security-Token"));
    if (!auth->date.p || !date_parse_basic(auth->date, &auth->signed_at)) {
        auth->signed_at = 0;
        auth->malformed = "X-Amz-Date";
    }
    str credential = parameter(form, S("X-Amz-Credential"));
    if (!credential.p || !read_credential(credential, auth))
        auth->malformed = "X-Amz-Credential";
    read_expires(parameter(form, S("X-Amz-Expires")), auth);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!parameter(form, str_of(needed[i])).n)
            auth->malformed = "parameters";
    if (!str_eq(parameter(form, S("X-Amz-Algorithm")), S(V4_NAME)) && !auth->malformed)
        auth->malformed = "X-Amz-Algorithm";
}

static void read_v2_query(const struct form *form, struct auth *auth)
{
    int64_t expires;
    auth->scheme = AUTH_V2_QUERY;
    auth->access_key = parameter(form, S("AWSAccessKeyId"));
    auth->signature = parameter(form, S("Signature"));
    auth->date = parameter(form, S("Expires"));
    auth->token = parameter(form, S("x-amz-security-token"));
    if (!auth->access_key.n || !auth->signature.n || !auth->date.n)
        auth->malformed = "parameters";
    else if (!str_to_int(auth->date, &expires) || expires < 0 || expires > INT64_MAX / 1000)
        auth->malformed = "Expires";
    else
        auth->expires_at = expires * 1000;
}

static void read_v2_form(const struct form *form, struct auth *auth)
{
    auth->scheme = AUTH_V2_FORM;
    auth->access_key = form_get(form, S("AWSAccessKeyId"));
    auth->signature = form_get(form, S("Signature"));
    auth->date = form_get(form, S("Timestamp"));
    auth->token = form_get(form, S("SecurityToken"));
    if (!auth->access_key.n || !auth->signature.n)
        auth->malformed = "parameters";
    if (!date_parse(auth->date.p ? auth->date : S(""), &auth->signed_at))
        auth->signed_at = 0;
}

static const struct payload_name {
    const char *name;
    enum auth_payload payload;
} payload_names[] = {
    {"UNSIGNED-PAYLOAD", PAYLOAD_UNSIGNED},
    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", PAYLOAD_CHUNKED_UNSIGNED_TRAILER},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", PAYLOAD_CHUNKED_SIGNED},
    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", PAYLOAD_CHUNKED_SIGNED_TRAILER},
};

static bool is_hash(str s)
{
    uint8_t bytes[32];
    return s.n == 64 && hex_decode(s, bytes, 32);
}

static void read_payload(const struct http_request *request, struct auth *auth)
{
    auth->payload_hash = http_header(request, S("x-amz-content-sha256"));
    if (!auth->payload_hash.p)
        return;
    auth->payload = is_hash(auth->payload_hash) ? PAYLOAD_HASH : PAYLOAD_UNKNOWN;
    for (size_t i = 0; i < sizeof payload_names / sizeof *payload_names; i++)
        if (str_eq(auth->payload_hash, str_of(payload_names[i].name)))
            auth->payload = payload_names[i].payload;
}

static bool is_v4_query(const struct form *form)
{
    return parameter(form, S("X-Amz-Algorithm")).p || parameter(form, S("X-Amz-Credential")).p ||
           parameter(form, S("X-Amz-Signature")).p;
}

static bool is_v2_query(const struct form *form)
{
    return form_get(form, S("AWSAccessKeyId")).p || form_get(form, S("Signature")).p;
}

static void read_header(const struct http_request *request, str header, struct auth *auth)
{
    if (str_starts(header, S(V4_NAME)))
        read_v4_header(request, header, auth);
    else if (str_starts(header, S("AWS ")))
        read_v2_header(request, header, auth);
    else
        auth->scheme = AUTH_V4_HEADER, auth->malformed = "type";
}

void auth_read(struct arena *arena, const struct http_request *request, const struct form *form,
               struct auth *auth)
{
    struct form query;
    *auth = (struct auth){.scheme = AUTH_NONE, .expires_in = -1};
    read_payload(request, auth);
    str header = http_header(request, S("authorization"));
    bool has_query = request->query.n && form_parse(arena, request->query, STR_NONE, &query);
    if (header.p) {
        read_header(request, header, auth);
        if (has_query && is_v4_query(&query))
            auth->malformed = "both";
    } else if (has_query && is_v4_query(&query)) {
        read_v4_query(&query, auth);
    } else if (form && form_get(form, S("SignatureVersion")).p) {
        read_v2_form(form, auth);
    } else if (has_query && is_v2_query(&query)) {
        read_v2_query(&query, auth);
    }
}

bool auth_body_chunked(const struct http_request *request, const struct auth *auth)
{
    if (auth->payload >= PAYLOAD_CHUNKED_UNSIGNED_TRAILER &&
        auth->payload <= PAYLOAD_CHUNKED_SIGNED_TRAILER)
        return true;
    /* Beside a hash of the body as it is, the encoding is what some clients want to have stored. */
    if (auth->payload == PAYLOAD_HASH && !http_header(request, S("x-amz-decoded-content-length")).p)
        return false;
    str rest = http_header(request, S("content-encoding"));
    while (rest.p)
        if (str_eq_nocase(str_trim(str_cut(&rest, ',')), S("aws-chunked")))
            return true;
    return false;
}
