/* aws/sigv2.c - SigV2, which boto3 and the aws cli still use for presigned URLs against a custom
 * endpoint: S3's in header and query (HMAC-SHA1 over a canonical resource), and the form of the
 * Query protocol. */
#include "aws/auth_internal.h"
#include "aws/canonical.h"
#include "aws/fault.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- S3 --- */

/* The query parameters that are part of what is signed:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html and what botocore signs
 * beyond it. */
static const char *const resources[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

static bool is_resource(str name)
{
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++)
        if (str_eq(name, str_of(resources[i])))
            return true;
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct http_header *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static void put_resource(struct buf *b, const struct auth_run *run, bool slash)
{
    const struct http_request *request = run->request;
    if (run->check->bucket.p) {
        buf_char(b, '/');
        buf_put(b, run->check->bucket);
    }
    buf_put(b, request->path);
    if (slash)
        buf_char(b, '/');
    struct http_header *pairs =
        arena_array(run->arena, str_count(request->query, '&') + 1, sizeof *pairs);
    size_t n = 0;
    str rest = request->query.n ? request->query : STR_NONE;
    while (rest.p) {
        str value = str_cut(&rest, '&');
        str name = str_cut(&value, '=');
        if (is_resource(name))
            pairs[n++] = (struct http_header){
                name, value.p ? percent_decode(run->arena, value, true) : STR_NONE};
    }
    qsort(pairs, n, sizeof *pairs, compare);
    for (size_t i = 0; i < n; i++) {
        buf_char(b, i ? '&' : '?');
        buf_put(b, pairs[i].name);
        if (pairs[i].value.p) {
            buf_char(b, '=');
            buf_put(b, pairs[i].value);
        }
    }
}

static void add_header(struct arena *arena, struct http_header *all, size_t *n, str name, str value)
{
    for (size_t i = 0; i < *n; i++)
        if (str_eq(all[i].name, name)) {
            all[i].value = arena_printf(arena, "%.*s,%.*s", STR_ARG(all[i].value), STR_ARG(value));
            return;
        }
    all[(*n)++] = (struct http_header){name, value};
}

/* x-amz- headers; a presigned URL may carry them in its query, where their signer put them. */
static void put_amz_headers(struct buf *b, const struct auth_run *run)
{
    const struct http_request *request = run->request;
    size_t n = 0, most = request->nheaders + str_count(request->query, '&') + 1;
    struct http_header *all = arena_array(run->arena, most, sizeof *all);
    for (size_t i = 0; i < request->nheaders; i++)
        if (str_starts_nocase(request->headers[i].name, S("x-amz-")))
            add_header(run->arena, all, &n, text_lower(run->arena, request->headers[i].name),
                       str_trim(request->headers[i].value));
    str rest = run->auth->scheme == AUTH_V2_QUERY && request->query.n ? request->query : STR_NONE;
    while (rest.p) {
        str value = str_cut(&rest, '&');
        str name = text_lower(run->arena, percent_decode(run->arena, str_cut(&value, '='), true));
        if (str_starts(name, S("x-amz-")) && !http_header(request, name).p)
            add_header(run->arena, all, &n, name,
                       percent_decode(run->arena, value.p ? value : S(""), true));
    }
    qsort(all, n, sizeof *all, compare);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%.*s:%.*s\n", STR_ARG(all[i].name), STR_ARG(all[i].value));
}

static str header_or_query(const struct auth_run *run, str name)
{
    str value = http_header(run->request, name);
    if (!value.p && run->auth->scheme == AUTH_V2_QUERY)
        value = http_query(run->request, name);
    return value.p ? value : S("");
}

static str s3_string_to_sign(const struct auth_run *run, bool slash)
{
    struct buf b = buf_in(run->arena);
    bool query = run->auth->scheme == AUTH_V2_QUERY;
    bool own_date = http_header(run->request, S("x-amz-date")).p;
    str date = query ? run->auth->date : own_date ? S("") : run->auth->date;
    buf_put(&b, run->request->method);
    buf_char(&b, '\n');
    buf_put(&b, header_or_query(run, S("content-md5")));
    buf_char(&b, '\n');
    buf_put(&b, header_or_query(run, S("content-type")));
    buf_char(&b, '\n');
    buf_put(&b, date.p ? date : S(""));
    buf_char(&b, '\n');
    put_amz_headers(&b, run);
    put_resource(&b, run, slash);
    return buf_str(&b);
}

static bool signed_as(const struct auth_run *run, str text)
{
    return secret_equal(digest_base64(run->arena, hmac_sha1(run->identity.secret, text)),
                        run->auth->signature);
}

/* botocore signs "/bucket/" and asks for "/bucket". */
static bool is_bare_bucket(const struct auth_run *run)
{
    str path = run->request->path;
    return !run->check->bucket.p && path.n > 1 && str_find(path, S("/"), 1) < 0;
}

static err verify_s3(struct auth_run *run)
{
    str text = s3_string_to_sign(run, false);
    if (run->auth->scheme == AUTH_V2_QUERY)
        TRY(auth_check_expiry(run->arena, run->auth, run->check->now));
    else
        TRY(auth_check_skew(run));
    bool holds = signed_as(run, text) ||
                 (is_bare_bucket(run) && signed_as(run, s3_string_to_sign(run, true)));
    return holds ? OK : auth_mismatch(run, text, STR_NONE);
}

/* --- the Query protocol --- */

static int compare_form(const void *a, const void *b)
{
    const struct str_pair *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* All parameters but the signature, by their names' bytes. */
static void put_parameters(struct buf *b, const struct auth_run *run)
{
    struct str_pair *all = arena_array(run->arena, run->form->n + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < run->form->n; i++)
        if (!str_eq(run->form->at[i].key, S("Signature")))
            all[n++] = run->form->at[i];
    qsort(all, n, sizeof *all, compare_form);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, '&');
        buf_percent(b, all[i].key, PERCENT_ALL);
        buf_char(b, '=');
        buf_percent(b, all[i].value, PERCENT_ALL);
    }
}

static err verify_form(struct auth_run *run)
{
    struct buf b = buf_in(run->arena);
    TRY(auth_check_skew(run));
    str host = text_lower(run->arena, http_header(run->request, S("host")));
    buf_printf(&b, "%.*s\n%.*s\n%.*s\n", STR_ARG(run->request->method), STR_ARG(host),
               STR_ARG(run->request->path.n ? run->request->path : S("/")));
    put_parameters(&b, run);
    bool sha1 = str_eq(form_get(run->form, S("SignatureMethod")), S("HmacSHA1"));
    str text = buf_str(&b), secret = run->identity.secret;
    str mine =
        digest_base64(run->arena, sha1 ? hmac_sha1(secret, text) : hmac_sha256(secret, text));
    return secret_equal(mine, run->auth->signature) ? OK : auth_mismatch(run, text, STR_NONE);
}

err sigv2_verify(struct auth_run *run)
{
    return run->auth->scheme == AUTH_V2_FORM ? verify_form(run) : verify_s3(run);
}

str auth_form_signature_v2(struct arena *arena, str secret, str policy_base64)
{
    return digest_base64(arena, hmac_sha1(secret, policy_base64));
}
