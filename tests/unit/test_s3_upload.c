/* Streamed uploads: what the sender may claim about a body, and that nothing is kept unless all of
 * it is true. */
#include "api/s3_upload.h"
#include "aws/fault.h"
#include "base/text.h"
#include "s3.h"
#include "s3/faults.h"

#include <signal.h>
#include <sys/resource.h>

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

/* ---- digests and the file on a pool ---- */

/* What waits to be run, in order: digesting and storing at most. */
struct pool {
    struct {
        void (*work)(void *arg), (*done)(void *arg);
        void *arg;
    } waiting[2];
    size_t n;
    int runs;
};

static void offload(void *user, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
    struct pool *pool = user;
    CHECK(pool->n < 2);
    pool->waiting[pool->n].work = work;
    pool->waiting[pool->n].done = done;
    pool->waiting[pool->n++].arg = arg;
    pool->runs++;
}

/* Runs the one that waits at `i`. */
static void work_off_at(struct pool *pool, size_t i)
{
    CHECK(i < pool->n);
    void (*work)(void *arg) = pool->waiting[i].work, (*done)(void *arg) = pool->waiting[i].done;
    void *arg = pool->waiting[i].arg;
    if (i == 0)
        pool->waiting[0] = pool->waiting[1];
    pool->n--;
    work(arg);
    done(arg);
}

static void work_off(struct pool *pool)
{
    work_off_at(pool, 0);
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

TEST(a_large_body_is_digested_and_stored_on_the_pool_while_it_arrives)
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
    CHECK(pool.runs >= 4 && drained >= 1);
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

/* Which of those that wait to run: not the stage that is to be `late`, unless it alone waits. */
static size_t hasty(const struct pool *pool, size_t late)
{
    size_t higher = (uintptr_t)pool->waiting[1].arg > (uintptr_t)pool->waiting[0].arg;
    return pool->n < 2 ? 0 : late ? 1 - higher : higher;
}

/* Sends `all` in pieces; gives how many bytes the body took before it said that it was busy. */
static int send_with_one_late(struct upload *open, struct pool *pool, str all, size_t late)
{
    enum { PIECE = 10000 };
    int busy_after = 0;
    for (size_t at = 0; at < all.n; at += PIECE) {
        CHECK_OK(open->ops->write(open, str_slice(all, at, at + PIECE)));
        if (!busy_after && open->busy)
            busy_after = (int)at + PIECE;
        /* It is told to stop, but what is on its way has to go somewhere. */
        if (open->busy && at / PIECE % 3 == 0)
            work_off_at(pool, hasty(pool, late));
    }
    open->ops->settle(open);
    while (open->busy)
        work_off_at(pool, hasty(pool, late));
    return busy_after;
}

TEST(either_stage_may_be_behind_by_more_than_a_megabyte_and_meets_every_batch_once_in_order)
{
    enum { SIZE = 7000000 };
    for (size_t late = 0; late < 2; late++) {
        DESK;
        struct pool pool = {0};
        int drained = 0;
        str all = {various(lab.ctx.arena, SIZE), SIZE}, kept;
        struct upload *open = open_pooled(&desk, &lab, "7000000", &pool, &drained);
        int busy_after = send_with_one_late(open, &pool, all, late);
        CHECK(busy_after > 1 << 20 && busy_after < 2 << 20);
        CHECK(drained >= 4 && pool.runs >= 9);
        CHECK_OK(finish(&desk, &out));
        CHECK_STR(out.etag, digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, all)));
        CHECK_OK(blob_read(lab.blobs, lab.ctx.arena, desk.blob, 0, SIZE, &kept));
        CHECK(kept.n == SIZE && memcmp(kept.p, all.p, SIZE) == 0);
        lab_end(&lab);
    }
}

/* As on a full disk: files stop growing at `bytes`. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(a_body_that_the_pool_cannot_store_is_refused_and_nothing_is_kept)
{
    DESK;
    struct pool pool = {0};
    int drained = 0;
    char *piece = various(lab.ctx.arena, 300000);
    struct upload *open = open_pooled(&desk, &lab, "900000", &pool, &drained);
    limit_files(400000);
    CHECK_OK(open->ops->write(open, (str){piece, 300000}));
    CHECK_OK(open->ops->write(open, (str){piece, 300000})); /* the pool has yet to find out */
    while (pool.n)
        work_off(&pool);
    limit_files(RLIM_INFINITY);
    CHECK_FAULT(open->ops->write(open, (str){piece, 300000}), FAULT_INTERNAL);
    open->ops->settle(open);
    while (open->busy)
        work_off(&pool);
    CHECK_FAULT(finish(&desk, &out), FAULT_INTERNAL);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

TEST(a_body_dropped_while_the_pool_works_is_freed_when_all_of_it_is_done)
{
    LAB(lab);
    struct desk desk;
    struct pool pool = {0};
    int drained = 0;
    char *piece = various(lab.ctx.arena, 400000);
    struct upload *open = open_pooled(&desk, &lab, "1000000", &pool, &drained);
    CHECK_OK(open->ops->write(open, (str){piece, 400000}));
    CHECK_OK(open->ops->write(open, (str){piece, 400000}));
    CHECK(pool.n == 2);
    open->ops->drop(open);
    work_off(&pool);
    work_off(&pool);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

UNIT_MAIN
