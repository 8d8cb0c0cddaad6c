/* aws/sigv4.c - checking SigV4 in header and query, with the errors that AWS gives; see sigv4.h.
 * Order as S3's: the form of the credentials, the key, the scope, the dates, headers left unsigned,
 * and last the signature itself; the other services look at the dates before the scope.
 *
 * Dates: a signature's own date is compared with the wall clock, because SDKs sign with it; a
 * presigned URL's end is compared with the virtual clock, because tests move that. */
#include "aws/auth_internal.h"
#include "aws/canonical.h"
#include "aws/fault.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

#define SKEW_MAX ((msec)15 * 60 * 1000)
#define WEEK ((int64_t)7 * 24 * 3600)

static const struct fault NO_SUCH_KEY_JSON = {
    "UnrecognizedClientException", "InvalidClientTokenId", 403,
    "The security token included in the request is invalid.", "com.amazon.coral.service"};
static const struct fault BAD_SIGNATURE_JSON = {
    "InvalidSignatureException", "SignatureDoesNotMatch", 403,
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing "
    "method. Consult the service documentation for details.",
    "com.amazon.coral.service"};
static const struct fault INCOMPLETE_JSON = {
    "IncompleteSignatureException", "IncompleteSignature", 400,
    "The request signature does not conform to AWS standards.", "com.amazon.coral.service"};

static bool in_query(const struct auth *auth)
{
    return auth->scheme == AUTH_V4_QUERY;
}

/* --- form --- */

static const struct query_error {
    const char *part, *text;
} query_errors[] = {
    {"parameters", "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                   "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
                   "X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
    {"X-Amz-Algorithm",
     "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""},
    {"X-Amz-Credential",
     "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
     "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."},
    {"X-Amz-Date", "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""},
    {"X-Amz-Expires", "X-Amz-Expires should be a number"},
};

static err malformed_query(struct arena *arena, const struct auth *auth)
{
    for (size_t i = 0; i < sizeof query_errors / sizeof *query_errors; i++)
        if (!strcmp(auth->malformed, query_errors[i].part))
            return err_text(arena, &AWS_AUTH_QUERY_ERROR, "%s", query_errors[i].text);
    return FAIL(AWS_AUTH_QUERY_ERROR);
}

/* A week is the most that AWS lets a URL live. That it answers 403 is Ceph's claim (s3-tests);
 * nothing recorded says otherwise. */
static const struct fault TOO_LONG = {"AuthorizationQueryParametersError",
                                      "AuthorizationQueryParametersError", 403,
                                      "X-Amz-Expires must be less than a week (in seconds); that "
                                      "is, the given X-Amz-Expires must be less "
                                      "than 604800 seconds",
                                      NULL};

static err malformed_v2_query(struct arena *arena, const struct auth *auth)
{
    if (!strcmp(auth->malformed, "Expires"))
        return err_text(arena, &AWS_ACCESS_DENIED,
                        "Invalid date (should be seconds since epoch): %.*s", STR_ARG(auth->date));
    return err_text(arena, &AWS_ACCESS_DENIED,
                    "Query-string authentication requires the Signature, Expires and "
                    "AWSAccessKeyId parameters");
}

static err only_one_mechanism(struct arena *arena, str authorization)
{
    err e = err_text(arena, &AWS_INVALID_ARGUMENT,
                     "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                     "Signature query string parameter or "
                     "the Authorization header should be specified");
    e = err_with(arena, e, "ArgumentName", S("Authorization"));
    return err_with(arena, e, "ArgumentValue", authorization);
}

static err malformed_header(struct auth_run *run)
{
    str header = http_header(run->request, S("authorization"));
    const char *part = run->auth->malformed;
    if (!run->check->s3)
        return err_text(run->arena, &INCOMPLETE_JSON,
                        "Authorization header requires '%s' parameter. Authorization=%.*s",
                        !strcmp(part, "type") ? "Credential" : part,
                        STR_ARG(str_slice(header, 0, 256)));
    if (!strcmp(part, "both"))
        return only_one_mechanism(run->arena, header);
    if (!strcmp(part, "type") || run->auth->scheme == AUTH_V2_HEADER) {
        err e = err_text(
            run->arena, &AWS_INVALID_ARGUMENT,
            !strcmp(part, "type")
                ? "Unsupported Authorization Type"
                : "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature");
        e = err_with(run->arena, e, "ArgumentName", S("Authorization"));
        return err_with(run->arena, e, "ArgumentValue", header);
    }
    if (!strcmp(part, "Credential"))
        return err_text(
            run->arena, &AWS_AUTH_HEADER_MALFORMED,
            "The authorization header is malformed; the Credential is mal-formed; expecting "
            "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    return err_text(run->arena, &AWS_AUTH_HEADER_MALFORMED,
                    "The authorization header is malformed; Missing %s", part);
}

static err check_form(struct auth_run *run)
{
    const struct auth *auth = run->auth;
    if (!auth->malformed)
        return in_query(auth) && auth->expires_in > WEEK ? FAIL(TOO_LONG) : OK;
    if (in_query(auth))
        return malformed_query(run->arena, auth);
    return auth->scheme == AUTH_V2_QUERY ? malformed_v2_query(run->arena, auth)
                                         : malformed_header(run);
}

/* --- key, scope, dates --- */

static err check_key(struct auth_run *run)
{
    if (keys_find(run->check->keys, run->arena, run->auth->access_key, &run->identity))
        return OK;
    if (!run->check->s3)
        return FAIL(NO_SUCH_KEY_JSON);
    return err_with(run->arena, FAIL(AWS_INVALID_ACCESS_KEY), "AWSAccessKeyId",
                    run->auth->access_key);
}

static err wrong_scope(struct auth_run *run, const char *why, str extra)
{
    err e = in_query(run->auth) ? err_text(run->arena, &AWS_AUTH_QUERY_ERROR,
                                           "Error parsing the X-Amz-Credential parameter; %s", why)
                                : err_text(run->arena, &AWS_AUTH_HEADER_MALFORMED,
                                           "The authorization header is malformed; %s", why);
    return extra.p ? err_with(run->arena, e, "Region", extra) : e;
}

/* The other services tell all that is wrong with a scope in one answer. */
static err check_scope_json(struct auth_run *run)
{
    const struct auth *auth = run->auth;
    struct buf b = buf_in(run->arena);
    str date = date_basic(run->arena, auth->signed_at);
    if (!str_eq(auth->service, run->check->service))
        buf_printf(&b, "Credential should be scoped to correct service: '%.*s'. ",
                   STR_ARG(run->check->service));
    if (auth->signed_at && !str_eq(auth->day, str_slice(date, 0, 8)))
        buf_printf(&b,
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                   "date from HTTP: '%.*s' != '%.*s', from '%.*s'. ",
                   STR_ARG(auth->day), STR_ARG(str_slice(date, 0, 8)), STR_ARG(date));
    return !b.n ? OK
                : err_text(run->arena, &BAD_SIGNATURE_JSON, "%.*s", STR_ARG(str_trim(buf_str(&b))));
}

static err check_scope(struct auth_run *run)
{
    const struct auth *auth = run->auth;
    const struct auth_check *check = run->check;
    str date = date_basic(run->arena, auth->signed_at);
    if (auth->signed_at && !str_eq(auth->day, str_slice(date, 0, 8)))
        return wrong_scope(run,
                           arena_printf(run->arena,
                                        "Invalid credential date \"%.*s\". This date is not the "
                                        "same as X-Amz-Date: \"%.*s\".",
                                        STR_ARG(auth->day), STR_ARG(str_slice(date, 0, 8)))
                               .p,
                           STR_NONE);
    if (!str_eq(auth->service, check->service))
        return wrong_scope(
            run,
            arena_printf(run->arena,
                         "incorrect service \"%.*s\". This endpoint belongs to \"%.*s\".",
                         STR_ARG(auth->service), STR_ARG(check->service))
                .p,
            STR_NONE);
    if (check->region.p && !str_eq(auth->region, check->region))
        return wrong_scope(run,
                           arena_printf(run->arena, "the region '%.*s' is wrong; expecting '%.*s'",
                                        STR_ARG(auth->region), STR_ARG(check->region))
                               .p,
                           check->region);
    return OK;
}

err auth_check_skew(struct auth_run *run)
{
    const struct auth *auth = run->auth;
    struct arena *arena = run->arena;
    msec real = run->check->real_now,
         apart = auth->signed_at > real ? auth->signed_at - real : real - auth->signed_at;
    if (!auth->signed_at)
        return run->check->s3
                   ? err_text(arena, &AWS_ACCESS_DENIED,
                              "AWS authentication requires a valid Date or x-amz-date header")
                   : FAIL(INCOMPLETE_JSON);
    if (apart <= SKEW_MAX)
        return OK;
    if (!run->check->s3)
        return err_text(
            arena, &BAD_SIGNATURE_JSON, "Signature %s: %.*s is now %s than %.*s (%.*s %c 15 min.)",
            auth->signed_at < real ? "expired" : "not yet current",
            STR_ARG(date_basic(arena, auth->signed_at)),
            auth->signed_at < real ? "earlier" : "later",
            STR_ARG(date_basic(arena, auth->signed_at < real ? real - SKEW_MAX : real + SKEW_MAX)),
            STR_ARG(date_basic(arena, real)), auth->signed_at < real ? '-' : '+');
    err e = err_with(arena, FAIL(AWS_TIME_SKEWED), "RequestTime", auth->date);
    e = err_with(arena, e, "ServerTime", date_iso(arena, real));
    return err_with(arena, e, "MaxAllowedSkewMilliseconds", S("900000"));
}

err auth_check_expiry(struct arena *arena, const struct auth *auth, msec now)
{
    if (auth->scheme != AUTH_V4_QUERY && auth->scheme != AUTH_V2_QUERY)
        return OK;
    if (auth->malformed)
        return auth->scheme == AUTH_V4_QUERY ? malformed_query(arena, auth)
                                             : malformed_v2_query(arena, auth);
    if (now <= auth->expires_at)
        return OK;
    err e = err_text(arena, &AWS_ACCESS_DENIED, "Request has expired");
    if (auth->scheme == AUTH_V4_QUERY)
        e = err_with(arena, e, "X-Amz-Expires",
                     arena_printf(arena, "%lld", (long long)auth->expires_in));
    e = err_with(arena, e, "Expires", date_iso(arena, auth->expires_at));
    return err_with(arena, e, "ServerTime", date_iso(arena, now));
}

/* A URL may be used late, for that is its point, but not before it was signed by either clock. */
static err check_dates(struct auth_run *run)
{
    if (!in_query(run->auth))
        return auth_check_skew(run);
    msec latest = run->check->real_now > run->check->now ? run->check->real_now : run->check->now;
    if (run->auth->signed_at > latest + SKEW_MAX)
        return err_text(run->arena, &AWS_ACCESS_DENIED, "Request is not valid yet");
    return auth_check_expiry(run->arena, run->auth, run->check->now);
}

/* --- headers that must be signed --- */

static bool is_signed(str signed_headers, str name)
{
    str rest = signed_headers;
    while (rest.p)
        if (str_eq_nocase(str_cut(&rest, ';'), name))
            return true;
    return false;
}

static bool must_be_signed(const struct auth_run *run, str name)
{
    if (str_eq_nocase(name, S("x-amz-content-sha256")) && in_query(run->auth))
        return false;
    return str_eq_nocase(name, S("host")) || str_starts_nocase(name, S("x-amz-"));
}

static err check_signed_headers(struct auth_run *run)
{
    struct buf missing = buf_in(run->arena);
    if (!run->check->s3)
        return OK;
    for (size_t i = 0; i < run->request->nheaders; i++) {
        str name = run->request->headers[i].name;
        if (!must_be_signed(run, name) || is_signed(run->auth->signed_headers, name))
            continue;
        if (missing.n)
            BUF_LIT(&missing, ", ");
        buf_put(&missing, text_lower(run->arena, name));
    }
    if (!missing.n)
        return OK;
    err e = err_text(run->arena, &AWS_ACCESS_DENIED,
                     "There were headers present in the request which were not signed");
    return err_with(run->arena, e, "HeadersNotSigned", buf_str(&missing));
}

/* --- the signature --- */

/* "41 57 53 34": how S3 shows the bytes of a text. */
static str spaced_hex(struct arena *arena, str s)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < s.n; i++) {
        static const char digits[] = "0123456789abcdef";
        uint8_t c = (uint8_t)s.p[i];
        if (i)
            buf_char(&b, ' ');
        buf_char(&b, digits[c >> 4]);
        buf_char(&b, digits[c & 15]);
    }
    return buf_str(&b);
}

err auth_mismatch(struct auth_run *run, str string_to_sign, str canonical)
{
    struct arena *arena = run->arena;
    if (!run->check->s3)
        return canonical.p
                   ? err_text(arena, &BAD_SIGNATURE_JSON,
                              "%s\n\nThe Canonical String for this request should have "
                              "been\n'%.*s'\n\nThe String-to-Sign should "
                              "have been\n'%.*s'\n",
                              BAD_SIGNATURE_JSON.text, STR_ARG(canonical), STR_ARG(string_to_sign))
                   : FAIL(BAD_SIGNATURE_JSON);
    err e = err_with(arena, FAIL(AWS_SIGNATURE_MISMATCH), "AWSAccessKeyId", run->auth->access_key);
    e = err_with(arena, e, "StringToSign", string_to_sign);
    e = err_with(arena, e, "SignatureProvided", run->auth->signature);
    e = err_with(arena, e, "StringToSignBytes", spaced_hex(arena, string_to_sign));
    if (!canonical.p)
        return e;
    e = err_with(arena, e, "CanonicalRequest", canonical);
    return err_with(arena, e, "CanonicalRequestBytes", spaced_hex(arena, canonical));
}

static err payload_line(struct auth_run *run, str *line)
{
    const struct auth *auth = run->auth;
    if (!run->check->s3) {
        *line = run->check->body_sha256.p ? run->check->body_sha256 : auth->payload_hash;
        return OK;
    }
    *line = in_query(auth) && !auth->payload_hash.p ? S("UNSIGNED-PAYLOAD") : auth->payload_hash;
    if (!line->p)
        return err_text(run->arena, &AWS_INVALID_REQUEST,
                        "Missing required header for this request: x-amz-content-sha256");
    if (auth->payload == PAYLOAD_UNKNOWN) {
        err e = err_text(
            run->arena, &AWS_INVALID_ARGUMENT,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
        e = err_with(run->arena, e, "ArgumentName", S("x-amz-content-sha256"));
        return err_with(run->arena, e, "ArgumentValue", auth->payload_hash);
    }
    return OK;
}

static err check_signature(struct auth_run *run, struct auth_chunk_key *chunks)
{
    const struct auth *auth = run->auth;
    struct arena *arena = run->arena;
    struct canonical_options options = {.signed_headers = auth->signed_headers,
                                        .s3 = run->check->s3};
    TRY(payload_line(run, &options.payload));
    str date = date_basic(arena, auth->signed_at);
    str scope = canonical_scope(arena, auth->day, auth->region, auth->service);
    str canonical = canonical_request(arena, run->request, &options);
    str text = canonical_string_to_sign(arena, date, scope, canonical);
    digest key = canonical_key(arena, run->identity.secret, auth->day, auth->region, auth->service);
    if (!secret_equal(canonical_signature(arena, key, text), auth->signature))
        return auth_mismatch(run, text, canonical);
    if (chunks)
        *chunks = (struct auth_chunk_key){key, date, scope, auth->signature};
    return OK;
}

err auth_verify(struct arena *arena, const struct http_request *request, const struct form *form,
                const struct auth *auth, const struct auth_check *check,
                struct auth_chunk_key *chunks)
{
    struct auth_run run = {
        .arena = arena, .request = request, .form = form, .auth = auth, .check = check};
    if (auth->scheme == AUTH_NONE)
        return OK;
    TRY(check_form(&run));
    TRY(check_key(&run));
    if (auth->scheme != AUTH_V4_HEADER && auth->scheme != AUTH_V4_QUERY)
        return sigv2_verify(&run);
    if (check->s3)
        TRY(check_scope(&run));
    TRY(check_dates(&run));
    if (!check->s3)
        TRY(check_scope_json(&run));
    TRY(check_signed_headers(&run));
    return check_signature(&run, chunks);
}

err auth_check_body(struct arena *arena, const struct auth *auth, str body_sha256)
{
    if (auth->payload != PAYLOAD_HASH || str_eq_nocase(auth->payload_hash, body_sha256))
        return OK;
    err e = err_with(arena, FAIL(AWS_SHA256_MISMATCH), "ClientComputedContentSHA256",
                     auth->payload_hash);
    return err_with(arena, e, "S3ComputedContentSHA256", body_sha256);
}
