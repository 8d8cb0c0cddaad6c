/* Rules of base/digest and base/crc. Expected values come from the standards' own test vectors and
 * from other programs. */
#include "unit.h"

#include "base/crc.h"
#include "base/digest.h"

static struct arena *arena;

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

static str hex_of(enum digest_kind kind, str bytes)
{
    if (!arena)
        arena = arena_new();
    return digest_hex(arena, digest_of(kind, bytes));
}

static str pattern(size_t n)
{
    if (!arena)
        arena = arena_new();
    char *bytes = arena_alloc(arena, n + 1);
    uint32_t x = 12345;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    return (str){bytes, n};
}

TEST(digests_of_the_check_text)
{
    str text = S("123456789");
    CHECK_STR(hex_of(DIGEST_MD5, text), S("25f9e794323b453885f5181f1b624d0b"));
    CHECK_STR(hex_of(DIGEST_SHA1, text), S("f7c3bc1d808e04732adf679965ccc34ca7ae3441"));
    CHECK_STR(hex_of(DIGEST_SHA256, text),
              S("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"));
    CHECK_STR(hex_of(DIGEST_CRC32, text), S("cbf43926"));
    CHECK_STR(hex_of(DIGEST_CRC32C, text), S("e3069283"));
    CHECK_STR(hex_of(DIGEST_CRC64NVME, text), S("ae8b14860a799888"));
    CHECK_STR(hex_of(DIGEST_XXHASH64, text), S("8cb841db40e6ae83"));
}

TEST(digests_of_nothing)
{
    CHECK_STR(hex_of(DIGEST_MD5, S("")), S("d41d8cd98f00b204e9800998ecf8427e"));
    CHECK_STR(hex_of(DIGEST_CRC32, S("")), S("00000000"));
    CHECK_STR(hex_of(DIGEST_CRC64NVME, STR_NONE), S("0000000000000000"));
    CHECK_STR(hex_of(DIGEST_XXHASH64, S("")), S("ef46db3751d8e999"));
    CHECK_STR(hex_of(DIGEST_XXHASH3, S("")), S("2d06800538d394c2"));
    CHECK_STR(hex_of(DIGEST_XXHASH128, S("")), S("99aa06d3014798d86001c324468d497f"));
    CHECK_STR(hex_of(DIGEST_SHA512, S("abc")),
              S("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836"
                "ba3c23a3feebbd454d4423643ce8"
                "0e2a9ac94fa54ca49f"));
}

TEST(the_base64_that_sdks_send)
{
    struct arena *a = arena_new();
    CHECK_STR(digest_base64(a, digest_of(DIGEST_CRC32, S("hello"))), S("NhCmhg=="));
    CHECK_STR(digest_base64(a, digest_of(DIGEST_CRC64NVME, S("hello"))), S("M3eFcAZSQlc="));
    arena_free(a);
}

/* Bit by bit, from the definition. */
static uint64_t slow_crc(uint64_t poly, uint64_t ones, str bytes)
{
    uint64_t state = ones;
    for (size_t i = 0; i < bytes.n; i++) {
        state ^= (uint8_t)bytes.p[i];
        for (int bit = 0; bit < 8; bit++)
            state = state >> 1 ^ (state & 1 ? poly : 0);
    }
    return state ^ ones;
}

static const struct {
    uint64_t poly, ones;
} definitions[] = {
    [CRC_32] = {0xEDB88320, 0xFFFFFFFF},
    [CRC_32C] = {0x82F63B78, 0xFFFFFFFF},
    [CRC_64NVME] = {0x9A6C9329AC4BC9B5, UINT64_MAX},
};

/* Every length up to several foldings, so that each tail and each table is used. */
TEST(every_way_to_compute_a_crc_agrees_with_its_definition)
{
    str all = pattern(400);
    for (enum crc_kind kind = CRC_32; kind <= CRC_64NVME; kind++)
        for (size_t n = 0; n <= all.n; n++) {
            uint64_t expected =
                slow_crc(definitions[kind].poly, definitions[kind].ones, str_slice(all, 0, n));
            CHECK(crc_update(kind, 0, all.p, n) == expected);
            CHECK(crc_update_portable(kind, 0, all.p, n) == expected);
        }
}

TEST(crcs_of_parts_combine_to_that_of_the_whole)
{
    str all = pattern(100000);
    static const size_t cuts[] = {0, 1, 7, 64, 4096, 99999, 100000};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        for (enum digest_kind kind = DIGEST_CRC32; kind <= DIGEST_CRC64NVME; kind++) {
            str head = str_slice(all, 0, cuts[i]), tail = str_slice(all, cuts[i], all.n);
            digest joined =
                digest_combine(kind, digest_of(kind, head), digest_of(kind, tail), (int64_t)tail.n);
            CHECK_STR(digest_hex(arena, joined), hex_of(kind, all));
        }
}

TEST(a_stream_in_pieces_gives_the_digest_of_the_whole)
{
    str all = pattern(5000);
    for (enum digest_kind kind = 0; kind < DIGEST_KINDS; kind++) {
        struct digest_state *state = digest_begin(kind);
        for (size_t at = 0, step = 0; at < all.n; at += step++) {
            str piece = str_slice(all, at, at + step);
            digest_update(state, piece.p, piece.n);
        }
        CHECK_STR(digest_hex(arena, digest_end(state)), hex_of(kind, all));
        CHECK_INT(digest_of(kind, all).n, digest_infos[kind].size);
    }
}

TEST(a_stream_may_be_given_up)
{
    for (enum digest_kind kind = 0; kind < DIGEST_KINDS; kind++) {
        struct digest_state *state = digest_begin(kind);
        digest_update(state, "abc", 3);
        digest_drop(state);
    }
    digest_drop(NULL);
}

TEST(kinds_are_found_by_name_in_any_case)
{
    enum digest_kind kind = DIGEST_MD5;
    CHECK(digest_kind_of(S("crc64nvme"), &kind));
    CHECK_INT(kind, DIGEST_CRC64NVME);
    CHECK(digest_kind_of(S("XXHASH128"), &kind));
    CHECK_INT(kind, DIGEST_XXHASH128);
    CHECK(!digest_kind_of(S("CRC"), &kind));
    CHECK(!digest_kind_of(S(""), &kind));
    CHECK_INT(kind, DIGEST_XXHASH128);
}

TEST(only_crcs_cover_a_multipart_object_as_a_whole)
{
    for (enum digest_kind kind = 0; kind < DIGEST_KINDS; kind++) {
        bool crc = kind == DIGEST_CRC32 || kind == DIGEST_CRC32C || kind == DIGEST_CRC64NVME;
        CHECK_INT(digest_infos[kind].full_object, crc);
        CHECK_INT(digest_infos[kind].composite, kind != DIGEST_CRC64NVME);
    }
}

/* RFC 4231 cases 1, 2, 6; RFC 2202 case 2. */
TEST(hmac_vectors)
{
    struct arena *a = arena_new();
    char key[131];
    memset(key, 0x0B, 20);
    CHECK_STR(digest_hex(a, hmac_sha256((str){key, 20}, S("Hi There"))),
              S("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
    CHECK_STR(digest_hex(a, hmac_sha256(S("Jefe"), S("what do ya want for nothing?"))),
              S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    memset(key, 0xAA, 131);
    CHECK_STR(
        digest_hex(a, hmac_sha256((str){key, 131},
                                  S("Test Using Larger Than Block-Size Key - Hash Key First"))),
        S("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
    CHECK_STR(digest_hex(a, hmac_sha1(S("Jefe"), S("what do ya want for nothing?"))),
              S("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    arena_free(a);
}

TEST(secrets_are_equal_only_when_all_bytes_are)
{
    CHECK(secret_equal(S("abc"), S("abc")));
    CHECK(secret_equal(S(""), STR_NONE));
    CHECK(!secret_equal(S("abc"), S("abd")));
    CHECK(!secret_equal(S("abc"), S("abcd")));
}

UNIT_MAIN
