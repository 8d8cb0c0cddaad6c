/* api/s3_upload.c - see s3_upload.h.
 *
 * MD5 is the slowest thing an upload does (ETags need it), and the file is the next, so a large
 * body is digested on one pool thread and written to its file on another while the loop receives
 * more. Batches go round a ring: the loop fills the one after `filled` and then counts it there;
 * each of the two stages takes what lies between its `done` and `filled`, and counts it in `done`.
 * All may read what lies between; a stage alone touches its digest states, or the sink, while it
 * runs; that is all the synchronisation there is. A stage goes on as long as it finds batches, for
 * waking it takes a quarter of the time of digesting one; only when the loop is stopped by a full
 * ring it comes back a batch early, so that all have something to do. The loop writes the first
 * batch itself: that makes the file, and tells a small body from a large one.
 * The struct lives on the heap because a dropped request may leave work behind that still reads it;
 * the last one out frees it. */
#include "api/s3_upload.h"

#include "aws/fault.h"
#include "base/text.h"
#include "s3/faults.h"
#include "store/blob.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 256 * 1024, /* bytes handed to the pool at once */
    RING = 6,           /* batches, with the one being filled */
};

struct batch {
    char *p;
    size_t n, cap;
};

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
    struct batch ring[RING];
    _Atomic size_t filled; /* batches so far */
    struct stage {
        struct body *body;
        void (*each)(struct body *body, const struct batch *batch);
        _Atomic size_t done; /* batches so far */
        bool running;        /* on a pool thread */
    } digesting, storing;
    atomic_bool waiting; /* the loop can fill no more */
    bool settling;       /* the body is complete */
    bool dropped;
    err stored;  /* of storing so far: the pool's while it stores */
    err outcome; /* the same, as the loop knows it */
};

static const struct digest_info *info_of(enum digest_kind kind)
{
    return &digest_infos[kind];
}

/* ---- claims ---- */

static err argument_invalid(struct arena *arena, const char *name, str value, const char *text)
{
    err e = err_text(arena, &S3_INVALID_ARGUMENT, "%s", text);
    e = err_with(arena, e, "ArgumentName", str_of(name));
    return err_with(arena, e, "ArgumentValue", value);
}

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
    return argument_invalid(arena, "x-amz-content-sha256", text,
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
            return argument_invalid(arena, "x-amz-decoded-content-length", decoded,
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

static void body_free(struct body *body)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (body->states[kind])
            digest_drop(body->states[kind]);
    if (body->sink)
        blob_sink_drop(body->sink);
    for (int i = 0; i < RING; i++)
        free(body->ring[i].p);
    free(body);
}

static void digest_all(struct body *body, str bytes)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (body->states[kind])
            digest_update(body->states[kind], bytes.p, bytes.n);
}

static void digest_batch(struct body *body, const struct batch *batch)
{
    digest_all(body, (str){batch->p, batch->n});
}

static void store_batch(struct body *body, const struct batch *batch)
{
    if (!failed(body->stored))
        body->stored = blob_sink_write(body->sink, (str){batch->p, batch->n});
}

static void stage_run(void *arg)
{
    struct stage *stage = arg;
    struct body *body = stage->body;
    size_t at = stage->done, left = body->filled - at;
    while (left) {
        stage->each(body, &body->ring[at % RING]);
        stage->done = ++at;
        left = body->filled - at;
        if (left == 1 && body->waiting)
            break;
    }
}

static struct batch *front_of(struct body *body)
{
    return &body->ring[body->filled % RING];
}

static void set_busy(struct body *body, bool busy)
{
    bool drained = body->base.busy && !busy;
    body->waiting = busy;
    body->base.busy = busy;
    if (drained && body->base.drained)
        body->base.drained(body->base.user);
}

static void pump(struct body *body);

static bool is_running(const struct body *body)
{
    return body->digesting.running || body->storing.running;
}

static void stage_done(void *arg)
{
    struct stage *stage = arg;
    struct body *body = stage->body;
    stage->running = false;
    if (stage == &body->storing)
        body->outcome = body->stored;
    if (!body->dropped)
        pump(body);
    else if (!is_running(body))
        body_free(body);
}

static void wake(struct stage *stage)
{
    struct api *api = stage->body->call->api;
    if (stage->running || stage->body->filled == stage->done)
        return;
    stage->running = true;
    api->offload(api->offload_user, stage_run, stage_done, stage);
}

static bool has_room(const struct body *body)
{
    size_t digested = body->digesting.done, stored = body->storing.done;
    size_t behind = digested < stored ? digested : stored;
    return body->filled + 1 - behind < RING; /* for the front after this one */
}

/* The file is opened here, on the loop. */
static void store_first(struct body *body)
{
    store_batch(body, &body->ring[0]);
    body->outcome = body->stored;
    body->storing.done = 1;
}

/* Gives the pool its next batch, and says whether the loop must wait for it. */
static void pump(struct body *body)
{
    struct batch *front = front_of(body);
    bool due = front->n >= BATCH || (body->settling && front->n);
    if (due && has_room(body)) {
        due = false;
        if (!body->filled)
            store_first(body);
        body->ring[(body->filled + 1) % RING].n = 0;
        body->filled++;
    }
    wake(&body->digesting);
    wake(&body->storing);
    set_busy(body, due || (body->settling && is_running(body)));
}

static void batch_put(struct batch *batch, str chunk)
{
    if (batch->cap - batch->n < chunk.n) {
        batch->cap = batch->n + chunk.n > BATCH ? batch->n + chunk.n : BATCH + BATCH / 4;
        batch->p = xrealloc(batch->p, batch->cap);
    }
    memcpy(batch->p + batch->n, chunk.p, chunk.n);
    batch->n += chunk.n;
}

/* A small body isn't worth a thread's wake-up, and a test has no pool. */
static bool digests_inline(const struct body *body)
{
    return !body->call->api->offload || (body->claims.length >= 0 && body->claims.length <= BATCH);
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
    if (digests_inline(body)) {
        digest_all(body, chunk);
        return blob_sink_write(body->sink, chunk);
    }
    batch_put(front_of(body), chunk);
    pump(body);
    return body->outcome;
}

static void body_settle(struct upload *upload)
{
    struct body *body = (struct body *)upload;
    body->settling = true;
    if (!digests_inline(body))
        pump(body);
}

static void body_drop(struct upload *upload)
{
    struct body *body = (struct body *)upload;
    body->base.drained = NULL;
    body->dropped = true;
    if (!is_running(body))
        body_free(body);
}

static const struct upload_ops body_ops = {body_write, body_settle, body_drop};

static err body_open(struct call *call, const struct s3_upload_claims *claims, bool named,
                     enum digest_kind algorithm)
{
    struct body *body = xalloc(sizeof *body);
    body->base.ops = &body_ops;
    body->call = call;
    body->digesting = (struct stage){.body = body, .each = digest_batch};
    body->storing = (struct stage){.body = body, .each = store_batch};
    body->claims = *claims;
    if (!body->claims.max)
        body->claims.max = S3_UPLOAD_MAX;
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
    struct batch *rest = front_of(body);
    if (rest->n) {
        digest_batch(body, rest);
        store_batch(body, rest);
        body->outcome = body->stored;
    }
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
    body_free(body);
    return e;
}
