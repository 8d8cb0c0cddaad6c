/* Streamed uploads: what the sender may claim about a body, and that nothing is kept unless all of
 * it is true. */
#include "api/s3_upload.h"
#include "aws/fault.h"
#include "base/text.h"
#include "s3.h"
#include "s3/faults.h"

#define HELLO_MD5 "XUFAKrxLKna5cZ2REBfFkg=="
#define HELLO_CRC32 "NhCmhg=="
#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct desk {
    struct api api;
    struct call call;
    struct http_request request;
    struct http_header headers[8];
    int64_t blob;
};

/* A request with these header pairs, ended by NULL. */
static void sit(struct desk *desk, struct lab *lab, const char *const *pairs)
{
    *desk = (struct desk){0};
    desk->api = (struct api){.s3 = lab->s3, .blobs = lab->blobs};
    desk->request = (struct http_request){.arena = lab->ctx.arena,
                                          .method = S("PUT"),
                                          .headers = desk->headers,
                                          .content_length = -1};
    for (; *pairs; pairs += 2) {
        desk->headers[desk->request.nheaders++] =
            (struct http_header){str_of(pairs[0]), str_of(pairs[1])};
        if (str_eq_nocase(str_of(pairs[0]), S("content-length")))
            str_to_int(str_of(pairs[1]), &desk->request.content_length);
    }
    desk->call = (struct call){.ctx = lab->ctx, .api = &desk->api, .request = &desk->request};
}

/* What is kept is desk->blob. */
static err finish(struct desk *desk, struct s3_uploaded *out)
{
    TRY(s3_upload_finish(&desk->call, out));
    return blob_sink_keep(out->body, &desk->blob);
}

static err upload(struct desk *desk, struct lab *lab, str body, struct s3_uploaded *out,
                  const char *const *pairs)
{
    sit(desk, lab, pairs);
    TRY(s3_upload_begin(&desk->call, DIGEST_CRC64NVME));
    struct upload *open = desk->call.upload;
    for (size_t i = 0; i < body.n; i++) {
        err e = open->ops->write(open, str_slice(body, i, i + 1));
        if (!failed(e))
            continue;
        open->ops->drop(open);
        return e;
    }
    open->ops->settle(open);
    return finish(desk, out);
}
#define UPLOAD(body, out, ...)                                                                     \
    upload(&desk, &lab, S(body), out, (const char *const[]){__VA_ARGS__, NULL})

#define DESK                                                                                       \
    LAB(lab);                                                                                      \
    struct desk desk;                                                                              \
    struct s3_uploaded out = {0}

TEST(a_body_without_claims_gets_an_etag_and_crc64nvme)
{
    DESK;
    CHECK_OK(UPLOAD("hello", &out, "Content-Length", "5"));
    CHECK_STR(out.etag, S("5d41402abc4b2a76b9719d911017c592"));
    CHECK_STR(out.checksum, S("M3eFcAZSQlc="));
    CHECK(!out.claimed);
    CHECK_INT(out.size, 5);
    str bytes;
    CHECK_OK(blob_read(lab.blobs, lab.ctx.arena, desk.blob, 0, 5, &bytes));
    CHECK_STR(bytes, S("hello"));
    lab_end(&lab);
}

TEST(true_claims_are_accepted)
{
    DESK;
    CHECK_OK(UPLOAD("hello", &out, "Content-Length", "5", "Content-MD5", HELLO_MD5,
                    "x-amz-content-sha256", HELLO_SHA256, "x-amz-checksum-crc32", HELLO_CRC32,
                    "x-amz-sdk-checksum-algorithm", "CRC32"));
    CHECK(out.claimed && out.algorithm == DIGEST_CRC32);
    CHECK_STR(out.checksum, S(HELLO_CRC32));
    lab_end(&lab);
}

TEST(false_claims_are_refused_and_nothing_is_kept)
{
    DESK;
    err e = UPLOAD("hellO", &out, "Content-Length", "5", "Content-MD5", HELLO_MD5);
    CHECK_FAULT(e, S3_BAD_DIGEST);
    CHECK_STR(e.detail->extras->value, S("5d41402abc4b2a76b9719d911017c592"));
    e = UPLOAD("hellO", &out, "Content-Length", "5", "x-amz-checksum-crc32", HELLO_CRC32);
    CHECK_FAULT(e, S3_BAD_DIGEST);
    CHECK_STR(err_message(e), S("The CRC32 you specified did not match the calculated checksum."));
    e = UPLOAD("hellO", &out, "Content-Length", "5", "x-amz-content-sha256", HELLO_SHA256);
    CHECK_FAULT(e, S3_XAMZ_CONTENT_SHA256);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

TEST(claims_that_cannot_be_true_are_refused_before_the_body)
{
    DESK;
    CHECK_FAULT(UPLOAD("hello", &out, "Content-Length", "5", "Content-MD5", "bad"),
                S3_INVALID_DIGEST);
    err e = UPLOAD("hello", &out, "Content-Length", "5", "x-amz-checksum-sha256", "AAAA");
    CHECK_FAULT(e, S3_INVALID_REQUEST);
    CHECK_STR(err_message(e), S("Value for x-amz-checksum-sha256 header is invalid."));
    CHECK_FAULT(UPLOAD("hello", &out, "Content-Length", "5", "x-amz-content-sha256", "zz"),
                S3_INVALID_ARGUMENT);
    lab_end(&lab);
}

TEST(one_checksum_at_most_may_be_claimed)
{
    DESK;
    err e = UPLOAD("hello", &out, "Content-Length", "5", "x-amz-checksum-crc32", HELLO_CRC32,
                   "x-amz-checksum-crc32c", "mnG7TA==");
    CHECK_FAULT(e, S3_INVALID_REQUEST);
    CHECK_STR(
        err_message(e),
        S("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
    lab_end(&lab);
}

TEST(the_announced_algorithm_must_be_the_claimed_one)
{
    DESK;
    CHECK_FAULT(UPLOAD("hello", &out, "Content-Length", "5", "x-amz-sdk-checksum-algorithm", "SHA1",
                       "x-amz-checksum-crc32", HELLO_CRC32),
                S3_INVALID_REQUEST);
    CHECK_FAULT(
        UPLOAD("hello", &out, "Content-Length", "5", "x-amz-sdk-checksum-algorithm", "SHA1"),
        S3_INVALID_REQUEST);
    lab_end(&lab);
}

TEST(a_trailer_is_waited_for_and_compared)
{
    DESK;
    sit(&desk, &lab,
        (const char *const[]){"x-amz-decoded-content-length", "5", "x-amz-trailer",
                              "x-amz-checksum-crc32", NULL});
    struct http_header trailer = {S("x-amz-checksum-crc32"), S(HELLO_CRC32)};
    CHECK_OK(s3_upload_begin(&desk.call, DIGEST_CRC64NVME));
    CHECK_OK(desk.call.upload->ops->write(desk.call.upload, S("hello")));
    desk.call.trailers = &trailer;
    desk.call.ntrailers = 1;
    CHECK_OK(finish(&desk, &out));
    CHECK_STR(out.checksum, S(HELLO_CRC32));
    sit(&desk, &lab,
        (const char *const[]){"x-amz-decoded-content-length", "0", "x-amz-trailer",
                              "x-amz-checksum-crc32", NULL});
    CHECK_OK(s3_upload_begin(&desk.call, DIGEST_CRC64NVME));
    CHECK_FAULT(s3_upload_finish(&desk.call, &out), AWS_MALFORMED_TRAILER);
    lab_end(&lab);
}

TEST(lengths_must_be_told_and_kept)
{
    DESK;
    CHECK_FAULT(UPLOAD("hell", &out, "Content-Length", "5"), S3_INCOMPLETE_BODY);
    CHECK_FAULT(UPLOAD("hello!", &out, "Content-Length", "5"), S3_INCOMPLETE_BODY);
    CHECK_FAULT(UPLOAD("", &out, "Host", "x"), S3_MISSING_CONTENT_LENGTH);
    CHECK_FAULT(UPLOAD("", &out, "Content-Length", "5368709121"), S3_ENTITY_TOO_LARGE);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

/* ---- digests on a pool ---- */

struct pool {
    void (*work)(void *arg), (*done)(void *arg);
    void *arg;
    int batches;
};

static void offload(void *user, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct pool *pool = user;
    CHECK(!pool->work);
    *pool = (struct pool){work, done, arg, pool->batches + 1};
}

static void work_off(struct pool *pool)
{
    struct pool now = *pool;
    pool->work = NULL;
    now.work(now.arg);
    now.done(now.arg);
}

static void count_drain(void *user)
{
    ++*(int *)user;
}

static struct upload *open_pooled(struct desk *desk, struct lab *lab, const char *length,
                                  struct pool *pool, int *drained)
{
    sit(desk, lab, (const char *const[]){"Content-Length", length, NULL});
    desk->api.offload = offload;
    desk->api.offload_user = pool;
    CHECK_OK(s3_upload_begin(&desk->call, DIGEST_CRC64NVME));
    desk->call.upload->drained = count_drain;
    desk->call.upload->user = drained;
    return desk->call.upload;
}

TEST(a_large_body_is_digested_on_the_pool_while_it_arrives)
{
    DESK;
    struct pool pool = {0};
    int drained = 0;
    char *piece = arena_alloc(lab.ctx.arena, 200000);
    memset(piece, 'x', 200000);
    struct upload *open = open_pooled(&desk, &lab, "1000000", &pool, &drained);
    for (int i = 0; i < 5; i++) {
        CHECK_OK(open->ops->write(open, (str){piece, 200000}));
        if (open->busy)
            work_off(&pool);
    }
    open->ops->settle(open);
    while (open->busy)
        work_off(&pool);
    CHECK(pool.batches >= 2 && drained >= 1);
    CHECK_OK(finish(&desk, &out));
    char *all = arena_alloc(lab.ctx.arena, 1000000);
    memset(all, 'x', 1000000);
    CHECK_STR(out.etag, digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, (str){all, 1000000})));
    lab_end(&lab);
}

/* Bytes of which no two stretches are alike, so that one out of its place shows. */
static char *various(struct arena *arena, size_t n)
{
    char *bytes = arena_alloc(arena, n);
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(state >> 56);
    }
    return bytes;
}

TEST(the_pool_may_be_behind_by_more_than_a_megabyte_and_meets_every_batch_once_in_order)
{
    enum { PIECE = 10000, PIECES = 700 };
    DESK;
    struct pool pool = {0};
    int drained = 0, busy_after = 0;
    char *all = various(lab.ctx.arena, PIECE * PIECES);
    struct upload *open = open_pooled(&desk, &lab, "7000000", &pool, &drained);
    for (int i = 0; i < PIECES; i++) {
        CHECK_OK(open->ops->write(open, (str){all + (size_t)i * PIECE, PIECE}));
        if (!busy_after && open->busy)
            busy_after = (i + 1) * PIECE;
        /* It is told to stop, but what is on its way has to go somewhere. */
        if (open->busy && i % 3 == 0)
            work_off(&pool);
    }
    CHECK(busy_after > 1 << 20 && busy_after < 2 << 20);
    open->ops->settle(open);
    while (open->busy)
        work_off(&pool);
    CHECK(drained >= 4 && pool.batches >= 5);
    CHECK_OK(finish(&desk, &out));
    CHECK_STR(out.etag,
              digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, (str){all, PIECE * PIECES})));
    str kept;
    CHECK_OK(blob_read(lab.blobs, lab.ctx.arena, desk.blob, 0, PIECE * PIECES, &kept));
    CHECK(kept.n == PIECE * PIECES && memcmp(kept.p, all, kept.n) == 0);
    lab_end(&lab);
}

TEST(a_body_dropped_while_the_pool_works_is_freed_when_it_is_done)
{
    LAB(lab);
    struct desk desk;
    struct pool pool = {0};
    int drained = 0;
    char *piece = arena_alloc(lab.ctx.arena, 400000);
    struct upload *open = open_pooled(&desk, &lab, "1000000", &pool, &drained);
    CHECK_OK(open->ops->write(open, (str){piece, 400000}));
    CHECK(pool.work);
    open->ops->drop(open);
    work_off(&pool);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

UNIT_MAIN
