/* api/s3_upload.c - see s3_upload.h.
 *
 * MD5 is the slowest thing an upload does (ETags need it), and the file is the next, so a large
 * body is digested on one pool thread and written to its file on another while the loop receives
 * more (upload_ring.h). The struct lives on the heap because a dropped request may leave work
 * behind that still reads it; the last one out frees it. */
#include "api/s3_upload.h"

#include "api/upload_ring.h"
#include "aws/fault.h"
#include "base/text.h"
#include "s3/faults.h"
#include "store/blob.h"

#include <stdlib.h>

struct body {
    struct upload base; /* first */
    struct call *call;
    struct s3_upload_claims claims; /* strings in the request's arena */
    enum digest_kind algorithm;
    bool named;
    int also; /* enum digest_kind; -1: none */
    struct blob_sink *sink;
    struct digest_state *states[DIGEST_KINDS];
    int64_t size;
    struct ring *ring; /* NULL: a small body, digested and stored as it comes */
    err stored;        /* of storing so far: the pool's while it stores */
    err outcome;       /* the same, as the loop knows it */
};

static const struct digest_info *info_of(enum digest_kind kind)
{
    return &digest_infos[kind];
}

/* ---- claims ---- */

static bool is_sha256_hex(str s)
{
    uint8_t raw[32];
    return s.n == 64 && hex_decode(s, raw, sizeof raw);
}

static err check_md5_form(struct arena *arena, str text)
{
    if (!text.p || base64_decode(arena, text).n == 16)
        return OK;
    return err_with(arena, FAIL(S3_INVALID_DIGEST), "Content-MD5", text);
}

static bool is_payload_word(str text)
{
    static const char *const words[] = {
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(text, str_of(words[i])))
            return true;
    return false;
}

static err check_sha256_form(struct arena *arena, str text)
{
    if (!text.p || is_sha256_hex(text) || is_payload_word(text))
        return OK;
    return s3_argument(arena, "x-amz-content-sha256", text,
                       "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                       "STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                       "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                       "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
                       "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
                       "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 "
                       "value.");
}

/* `where`: "header" or "trailing header" */
static err check_checksum_form(struct arena *arena, enum digest_kind kind, str text,
                               const char *where)
{
    if (base64_decode(arena, text).n == info_of(kind)->size)
        return OK;
    return err_text(arena, &S3_INVALID_REQUEST, "Value for %s %s is invalid.",
                    info_of(kind)->header, where);
}

static bool kind_of_header(str name, enum digest_kind *out)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (str_eq_nocase(name, str_of(info_of((enum digest_kind)kind)->header))) {
            *out = (enum digest_kind)kind;
            return true;
        }
    return false;
}

static err trailer_kind(struct arena *arena, str trailer, enum digest_kind *out)
{
    if (kind_of_header(str_trim(trailer), out))
        return OK;
    return err_text(arena, &S3_INVALID_REQUEST,
                    "The value specified in the x-amz-trailer header is not supported");
}

/* Which one algorithm the claims name; at most one value may be given, in a header or in the
 * trailer. */
static err named_algorithm(struct arena *arena, const struct s3_upload_claims *claims, bool *named,
                           enum digest_kind *out)
{
    int count = 0;
    for (int kind = 0; kind < DIGEST_KINDS; kind++) {
        if (!claims->checksum[kind].p)
            continue;
        count++;
        *out = (enum digest_kind)kind;
    }
    if (claims->trailer.p) {
        TRY(trailer_kind(arena, claims->trailer, out));
        count++;
    }
    *named = count > 0;
    if (count <= 1)
        return OK;
    return err_text(
        arena, &S3_INVALID_REQUEST,
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
}

/* x-amz-sdk-checksum-algorithm must agree with the value that came, and there must be one. */
static err check_announced(struct arena *arena, const struct s3_upload_claims *claims, bool named,
                           enum digest_kind algorithm)
{
    enum digest_kind announced;
    if (!claims->algorithm.p)
        return OK;
    if (!digest_kind_of(claims->algorithm, &announced) || (named && announced != algorithm))
        return err_text(arena, &S3_INVALID_REQUEST,
                        "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (!named && claims->sdk_algorithm_needs_value)
        return err_text(arena, &S3_INVALID_REQUEST,
                        "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                        "x-amz-checksum-* or x-amz-trailer "
                        "headers were found.");
    return OK;
}

static err check_claims(struct arena *arena, const struct s3_upload_claims *claims, bool *named,
                        enum digest_kind *algorithm)
{
    TRY(check_md5_form(arena, claims->content_md5));
    TRY(check_sha256_form(arena, claims->content_sha256));
    TRY(named_algorithm(arena, claims, named, algorithm));
    TRY(check_announced(arena, claims, *named, *algorithm));
    if (*named && claims->checksum[*algorithm].p)
        TRY(check_checksum_form(arena, *algorithm, claims->checksum[*algorithm], "header"));
    return OK;
}

static err announced_length(struct arena *arena, const struct http_request *request, int64_t *out)
{
    str decoded = http_header(request, S("x-amz-decoded-content-length"));
    if (decoded.p) {
        if (!str_to_int(decoded, out) || *out < 0)
            return s3_argument(arena, "x-amz-decoded-content-length", decoded,
                               "Value for x-amz-decoded-content-length is invalid.");
        return OK;
    }
    if (str_starts(http_header(request, S("x-amz-content-sha256")), S("STREAMING-")))
        return FAIL(S3_MISSING_CONTENT_LENGTH);
    /* AWS refuses HTTP's own chunks; they are whole at their end, so `curl -T -` may come in. */
    if (request->chunked) {
        *out = -1;
        return OK;
    }
    if (!http_header(request, S("content-length")).p)
        return FAIL(S3_MISSING_CONTENT_LENGTH);
    *out = request->content_length;
    return OK;
}

static void claims_read(const struct http_request *request, struct s3_upload_claims *claims)
{
    *claims = (struct s3_upload_claims){
        .content_md5 = http_header(request, S("content-md5")),
        .content_sha256 = http_header(request, S("x-amz-content-sha256")),
        .algorithm = http_header(request, S("x-amz-sdk-checksum-algorithm")),
        .trailer = http_header(request, S("x-amz-trailer")),
        .length = -1,
        .sdk_algorithm_needs_value = true,
    };
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        claims->checksum[kind] =
            http_header(request, str_of(info_of((enum digest_kind)kind)->header));
}

err s3_upload_claims(struct call *call, struct s3_upload_claims *claims, bool *named,
                     enum digest_kind *algorithm)
{
    claims_read(call->request, claims);
    TRY(check_claims(call->ctx.arena, claims, named, algorithm));
    return announced_length(call->ctx.arena, call->request, &claims->length);
}

/* ---- the body ---- */

static void body_free(void *user)
{
    struct body *body = user;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (body->states[kind])
            digest_drop(body->states[kind]);
    if (body->sink)
        blob_sink_drop(body->sink);
    free(body);
}

static void body_end(struct body *body)
{
    if (body->ring)
        ring_stop(body->ring);
    else
        body_free(body);
}

static void digest_more(void *user, str bytes, bool last)
{
    (void)last;
    struct body *body = user;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (body->states[kind])
            digest_update(body->states[kind], bytes.p, bytes.n);
}

static void store_more(void *user, str bytes, bool last)
{
    struct body *body = user;
    if (!failed(body->stored))
        body->stored = blob_sink_write(body->sink, bytes);
    if (!failed(body->stored) && last)
        body->stored = blob_sink_sync(body->sink);
}

static void on_rest(void *user, enum ring_stage stage)
{
    struct body *body = user;
    if (stage == RING_STORE)
        body->outcome = body->stored;
}

static void on_busy(void *user, bool busy)
{
    struct body *body = user;
    body->base.busy = busy;
    if (!busy && body->base.drained)
        body->base.drained(body->base.user);
}

static const struct ring_user stages = {{digest_more, store_more}, on_rest, on_busy, body_free};

/* A small body isn't worth a thread's wake-up, and a test has no pool. */
static bool wants_ring(const struct api *api, const struct s3_upload_claims *claims)
{
    return api->offload && (claims->length < 0 || claims->length > (int64_t)RING_BATCH);
}

static err too_large(struct body *body, int64_t size)
{
    struct arena *arena = body->call->ctx.arena;
    err e = err_with(arena, FAIL(S3_ENTITY_TOO_LARGE), "ProposedSize",
                     arena_printf(arena, "%lld", (long long)size));
    return err_with(arena, e, "MaxSizeAllowed",
                    arena_printf(arena, "%lld", (long long)body->claims.max));
}

static err body_write(struct upload *upload, str chunk)
{
    struct body *body = (struct body *)upload;
    if (!chunk.n)
        return OK;
    int64_t size = body->size + (int64_t)chunk.n;
    if (size > body->claims.max)
        return too_large(body, size);
    if (body->claims.length >= 0 && size > body->claims.length)
        return FAIL(S3_INCOMPLETE_BODY);
    body->size = size;
    if (body->ring) {
        ring_put(body->ring, chunk);
        return body->outcome;
    }
    digest_more(body, chunk, false);
    return blob_sink_write(body->sink, chunk);
}

static void body_settle(struct upload *upload)
{
    struct body *body = (struct body *)upload;
    if (body->ring)
        ring_end(body->ring);
}

static void body_drop(struct upload *upload)
{
    struct body *body = (struct body *)upload;
    body->base.drained = NULL;
    body_end(body);
}

static const struct upload_ops body_ops = {body_write, body_settle, body_drop};

static err body_open(struct call *call, const struct s3_upload_claims *claims, bool named,
                     enum digest_kind algorithm)
{
    struct body *body = xalloc(sizeof *body);
    body->base.ops = &body_ops;
    body->call = call;
    body->claims = *claims;
    if (claims->max <= 0)
        body->claims.max = claims->max ? 0 : S3_UPLOAD_MAX;
    if (claims->length > body->claims.max) {
        err e = too_large(body, claims->length);
        free(body);
        return e;
    }
    body->named = named;
    body->algorithm = algorithm;
    body->also = -1;
    body->states[DIGEST_MD5] = digest_begin(DIGEST_MD5);
    if (is_sha256_hex(claims->content_sha256))
        body->states[DIGEST_SHA256] = digest_begin(DIGEST_SHA256);
    if (!body->states[algorithm])
        body->states[algorithm] = digest_begin(algorithm);
    body->sink = blob_sink_open(call->api->blobs);
    if (wants_ring(call->api, claims))
        body->ring = ring_new(call->api, &stages, body);
    call->upload = &body->base;
    return OK;
}

void s3_upload_also(struct call *call, enum digest_kind kind)
{
    struct body *body = (struct body *)call->upload;
    body->also = (int)kind;
    if (!body->states[kind])
        body->states[kind] = digest_begin(kind);
}

err s3_upload_begin(struct call *call, enum digest_kind fallback)
{
    struct s3_upload_claims claims;
    bool named;
    enum digest_kind algorithm = fallback;
    TRY(s3_upload_claims(call, &claims, &named, &algorithm));
    return body_open(call, &claims, named, named ? algorithm : fallback);
}

err s3_upload_open(struct call *call, const struct s3_upload_claims *claims,
                   enum digest_kind fallback)
{
    bool named;
    enum digest_kind algorithm = fallback;
    TRY(check_claims(call->ctx.arena, claims, &named, &algorithm));
    return body_open(call, claims, named, named ? algorithm : fallback);
}

/* ---- the end ---- */

static err claimed_checksum(struct call *call, const struct s3_upload_claims *claims,
                            enum digest_kind algorithm, str *out)
{
    *out = claims->checksum[algorithm];
    if (out->p)
        return OK;
    str wanted = str_of(info_of(algorithm)->header);
    for (size_t i = 0; i < call->ntrailers; i++)
        if (str_eq_nocase(call->trailers[i].name, wanted))
            *out = call->trailers[i].value;
    if (!out->p)
        return FAIL(AWS_MALFORMED_TRAILER);
    return check_checksum_form(call->ctx.arena, algorithm, *out, "trailing header");
}

static err check_md5(struct arena *arena, const struct s3_upload_claims *claims, digest md5)
{
    if (!claims->content_md5.p || str_eq(digest_base64(arena, md5), claims->content_md5))
        return OK;
    str expected = base64_decode(arena, claims->content_md5);
    err e = err_with(arena, FAIL(S3_BAD_DIGEST), "ExpectedDigest",
                     hex_encode(arena, expected.p, expected.n));
    return err_with(arena, e, "CalculatedDigest", digest_base64(arena, md5));
}

static err check_sha256(struct body *body, digest sha256)
{
    struct arena *arena = body->call->ctx.arena;
    str hex = digest_hex(arena, sha256);
    if (!is_sha256_hex(body->claims.content_sha256) ||
        str_eq_nocase(hex, body->claims.content_sha256))
        return OK;
    err e = err_with(arena, FAIL(S3_XAMZ_CONTENT_SHA256), "ClientComputedContentSHA256",
                     body->claims.content_sha256);
    return err_with(arena, e, "S3ComputedContentSHA256", hex);
}

static err check_checksum(struct call *call, const struct s3_upload_claims *claims,
                          enum digest_kind algorithm, str computed)
{
    str claimed;
    TRY(claimed_checksum(call, claims, algorithm, &claimed));
    if (str_eq(claimed, computed))
        return OK;
    return err_text(call->ctx.arena, &S3_BAD_DIGEST,
                    "The %s you specified did not match the calculated checksum.",
                    info_of(algorithm)->name);
}

err s3_body_check(struct call *call, bool algorithm_needs_value)
{
    struct arena *arena = call->ctx.arena;
    struct s3_upload_claims claims;
    bool named;
    enum digest_kind algorithm = DIGEST_CRC64NVME;
    claims_read(call->request, &claims);
    claims.sdk_algorithm_needs_value = algorithm_needs_value;
    TRY(check_claims(arena, &claims, &named, &algorithm));
    if (claims.content_md5.p)
        TRY(check_md5(arena, &claims, digest_of(DIGEST_MD5, call->body)));
    return named ? check_checksum(call, &claims, algorithm,
                                  digest_base64(arena, digest_of(algorithm, call->body)))
                 : OK;
}

static err body_finish(struct body *body, struct s3_uploaded *out)
{
    struct arena *arena = body->call->ctx.arena;
    digest values[DIGEST_KINDS] = {0};
    TRY(body->outcome);
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (body->states[kind]) {
            values[kind] = digest_end(body->states[kind]);
            body->states[kind] = NULL;
        }
    str checksum = digest_base64(arena, values[body->algorithm]);
    if (body->claims.length >= 0 && body->size != body->claims.length)
        return FAIL(S3_INCOMPLETE_BODY);
    TRY(check_md5(arena, &body->claims, values[DIGEST_MD5]));
    TRY(check_sha256(body, values[DIGEST_SHA256]));
    if (body->named)
        TRY(check_checksum(body->call, &body->claims, body->algorithm, checksum));
    struct s3_uploaded done = {
        .size = body->size,
        .md5 = values[DIGEST_MD5],
        .etag = digest_hex(arena, values[DIGEST_MD5]),
        .algorithm = body->algorithm,
        .checksum = checksum,
        .claimed = body->named,
        .also = body->also < 0 ? STR_NONE : digest_base64(arena, values[body->also]),
    };
    done.body = body->sink;
    body->sink = NULL;
    *out = done;
    return OK;
}

err s3_upload_finish(struct call *call, struct s3_uploaded *out)
{
    struct body *body = (struct body *)call->upload;
    err e = body_finish(body, out);
    call->upload = NULL;
    body_end(body);
    return e;
}
