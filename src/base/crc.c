/* base/crc.c - one engine for three polynomials.
 *
 * All are computed in a 64-bit register, lowest bit first. A 32-bit CRC fits because the remainder
 * modulo P(x) * x^32, a polynomial of degree 64, is x^32 times the remainder modulo P: its register
 * is the 32-bit one, with zeros above.
 *
 * Bulk data is folded four times 128 bits at a time with carry-less multiplication (the method of
 * Gopal et al., Intel 2009); the last 16 bytes and all short input go through tables, eight bytes a
 * step. A table entry is the sum of those of its bits, so the compiler makes each table from eight
 * numbers: bit i of table k stands for x^(63 + 8(k+1) - i) modulo the polynomial. The multipliers
 * that move a block forward by D bits are x^(D+63) and x^(D-1); a unit test derives all these
 * numbers anew. */
#include "base/crc.h"

#include <string.h>

#define ENTRY(n, a, b, c, d, e, f, g, h)                                                           \
    ((n)&1 ? a : 0) ^ ((n)&2 ? b : 0) ^ ((n)&4 ? c : 0) ^ ((n)&8 ? d : 0) ^ ((n)&16 ? e : 0) ^     \
        ((n)&32 ? f : 0) ^ ((n)&64 ? g : 0) ^ ((n)&128 ? h : 0)
#define ENTRIES_4(n, ...)                                                                          \
    ENTRY(n, __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__), ENTRY((n) + 2, __VA_ARGS__),               \
        ENTRY((n) + 3, __VA_ARGS__)
#define ENTRIES_16(n, ...)                                                                         \
    ENTRIES_4(n, __VA_ARGS__), ENTRIES_4((n) + 4, __VA_ARGS__), ENTRIES_4((n) + 8, __VA_ARGS__),   \
        ENTRIES_4((n) + 12, __VA_ARGS__)
#define ENTRIES_64(n, ...)                                                                         \
    ENTRIES_16(n, __VA_ARGS__), ENTRIES_16((n) + 16, __VA_ARGS__),                                 \
        ENTRIES_16((n) + 32, __VA_ARGS__), ENTRIES_16((n) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {                                                                                              \
        ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),     \
            ENTRIES_64(192, __VA_ARGS__)                                                           \
    }

/* clang-format off */
static const uint64_t crc32_tables[8][256] = {
    TABLE(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832, 0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320),
    TABLE(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08, 0x4AC21251, 0x958424A2, 0xF0794F05, 0x3B83984B),
    TABLE(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8, 0x1C26A370, 0x384D46E0, 0x709A8DC0, 0xE1351B80),
    TABLE(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF, 0x5019579F, 0xA032AF3E, 0x9B14583D, 0xED59B63B),
    TABLE(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1, 0x60E09782, 0xC1C12F04, 0x58F35849, 0xB1E6B092),
    TABLE(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D, 0x03D6029B, 0x07AC0536, 0x0F580A6C, 0x1EB014D8),
    TABLE(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67, 0x67DE9CCE, 0xCFBD399C, 0x440B7579, 0x8816EAF2),
    TABLE(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5, 0x7CBB312B, 0xF9766256, 0x299DC2ED, 0x533B85DA),
};
static const uint64_t crc32c_tables[8][256] = {
    TABLE(0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF, 0x105EC76F, 0x20BD8EDE, 0x417B1DBC, 0x82F63B78),
    TABLE(0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8, 0x3FC5F181, 0x7F8BE302, 0xFF17C604, 0xFBC3FAF9),
    TABLE(0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5, 0x70A27D8A, 0xE144FB14, 0xC76580D9, 0x8B277743),
    TABLE(0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6, 0xE964B13D, 0xD725148B, 0xABA65FE7, 0x52A0C93F),
    TABLE(0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91, 0x8F2261D3, 0x1BA8B557, 0x37516AAE, 0x6EA2D55C),
    TABLE(0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F, 0xC00C303E, 0x85F4168D, 0x0E045BEB, 0x1C08B7D6),
    TABLE(0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53, 0x9C5BFAA6, 0x3D5B83BD, 0x7AB7077A, 0xF56E0EF4),
    TABLE(0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA, 0x847609B4, 0x0D006599, 0x1A00CB32, 0x34019664),
};
static const uint64_t crc64nvme_tables[8][256] = {
    TABLE(0x7F6EF0C830358979, 0xFEDDE190606B12F2, 0xC962E5739841B68F, 0xA61CECB46814FE75,
          0x78E0FF3B88BE6F81, 0xF1C1FE77117CDF02, 0xD75ADABD7A6E2D6F, 0x9A6C9329AC4BC9B5),
    TABLE(0x8776A97D73BDDF69, 0x3A3474A9BFEC2DB9, 0x7468E9537FD85B72, 0xE8D1D2A6FFB0B6E4,
          0xE57A831EA7F6FEA3, 0xFE2C206E177A6E2D, 0xC881668F76634F31, 0xA5DBEB4DB4510D09),
    TABLE(0xFF6E4E1F4E4038BE, 0xCA05BA6DC417E217, 0xA0D25288D0B85745, 0x757D8342F9E73DE1,
          0xEAFB0685F3CE7BC2, 0xE12F2B58BF0B64EF, 0xF68770E226815AB5, 0xD9D7C79715952601),
    TABLE(0x8211147CBAF96306, 0x30FB0EAA2D655567, 0x61F61D545ACAAACE, 0xC3EC3AA8B595559C,
          0xB301530233BD3853, 0x52DB80573FEDE3CD, 0xA5B700AE7FDBC79A, 0x7FB7270FA7201C5F),
    TABLE(0x373D15F784905D1E, 0x6E7A2BEF0920BA3C, 0xDCF457DE12417478, 0x8D3189EF7C157B9B,
          0x2EBA358DA0BD645D, 0x5D746B1B417AC8BA, 0xBAE8D63682F59174, 0x41088A3E5D7CB183),
    TABLE(0xE9742A79EF04A5D4, 0xE63172A0869ED8C3, 0xF8BBC31255AA22ED, 0xC5AEA077F3C3D6B1,
          0xBF8466BCBF103E09, 0x4BD1EB2A26B7EF79, 0x97A3D6544D6FDEF2, 0x1B9E8AFBC2482E8F),
    TABLE(0xFC5D27F6BF353971, 0xCC6369BE26FDE189, 0xAC1FF52F156C5079, 0x6CE6CC0D724F3399,
          0xD9CD981AE49E6732, 0x8742166691AB5D0F, 0x3A5D0A9E7BC12975, 0x74BA153CF78252EA),
    TABLE(0x21E9761E252621AC, 0x43D2EC3C4A4C4358, 0x87A5D878949886B0, 0x3B9296A271A69E0B,
          0x77252D44E34D3C16, 0xEE4A5A89C69A782C, 0xE84D9340D5A36333, 0xE44200D2F3D1550D),
};
/* clang-format on */

struct crc {
    uint64_t ones; /* what the register starts from and is inverted with */
    uint64_t poly;
    uint64_t by_512[2], by_128[2]; /* multipliers for the first and the second half of a block */
    const uint64_t (*tables)[256];
};

static const struct crc crcs[] = {
    [CRC_32] =
        {0xFFFFFFFF, 0xEDB88320, {0x8F352D95, 0x1D9513D7}, {0xAE689191, 0xCCAA009E}, crc32_tables},
    [CRC_32C] =
        {0xFFFFFFFF, 0x82F63B78, {0x740EEF02, 0x9E4ADDF8}, {0xF20C0DFE, 0x493C7D27}, crc32c_tables},
    [CRC_64NVME] = {UINT64_MAX,
                    0x9A6C9329AC4BC9B5,
                    {0x0C32CDB31E18A84A, 0x62242240ACE5045A},
                    {0xEADC41FD2BA3D420, 0x21E9761E252621AC},
                    crc64nvme_tables},
};

/* Eight bytes, the first of them lowest. */
static uint64_t load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static uint64_t by_tables(const struct crc *c, uint64_t state, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word = state ^ load(p);
        state = 0;
        for (int k = 7; k >= 0; k--, word >>= 8)
            state ^= c->tables[k][word & 255];
    }
    for (; n; p++, n--)
        state = c->tables[0][(state ^ *p) & 255] ^ state >> 8;
    return state;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_CLMUL __attribute__((target("pclmul,sse2")))

static inline WITH_CLMUL __m128i at(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

static inline WITH_CLMUL __m128i fold(__m128i block, __m128i by, __m128i next)
{
    __m128i first = _mm_clmulepi64_si128(block, by, 0x00),
            second = _mm_clmulepi64_si128(block, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

/* n >= 64. */
static WITH_CLMUL uint64_t by_folding(const struct crc *c, uint64_t state, const uint8_t *p,
                                      size_t n)
{
    const __m128i far = at((const uint8_t *)c->by_512), near = at((const uint8_t *)c->by_128);
    __m128i a = _mm_xor_si128(at(p), _mm_set_epi64x(0, (long long)state)), b = at(p + 16),
            d = at(p + 32), e = at(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, far, at(p));
        b = fold(b, far, at(p + 16));
        d = fold(d, far, at(p + 32));
        e = fold(e, far, at(p + 48));
    }
    a = fold(fold(fold(a, near, b), near, d), near, e);
    for (; n >= 16; p += 16, n -= 16)
        a = fold(a, near, at(p));
    uint8_t last[16];
    _mm_storeu_si128((__m128i *)last, a);
    return by_tables(c, by_tables(c, 0, last, 16), p, n);
}

static bool can_fold(void)
{
    return __builtin_cpu_supports("pclmul");
}
#else
static uint64_t by_folding(const struct crc *c, uint64_t state, const uint8_t *p, size_t n)
{
    return by_tables(c, state, p, n);
}

static bool can_fold(void)
{
    return false;
}
#endif

uint64_t crc_update_portable(enum crc_kind kind, uint64_t crc, const void *bytes, size_t n)
{
    const struct crc *c = &crcs[kind];
    return by_tables(c, crc ^ c->ones, bytes, n) ^ c->ones;
}

uint64_t crc_update(enum crc_kind kind, uint64_t crc, const void *bytes, size_t n)
{
    const struct crc *c = &crcs[kind];
    if (n < 64 || !can_fold())
        return crc_update_portable(kind, crc, bytes, n);
    return by_folding(c, crc ^ c->ones, bytes, n) ^ c->ones;
}

/* Product modulo the polynomial; x^0 is the highest bit. */
static uint64_t multiply(uint64_t poly, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (; a; a <<= 1) {
        product ^= a >> 63 ? b : 0;
        b = b >> 1 ^ (b & 1 ? poly : 0);
    }
    return product;
}

/* A followed by n zero bytes is A times x^8n. The conditioning cancels out, as it is the same
 * before and after. */
uint64_t crc_combine(enum crc_kind kind, uint64_t a, uint64_t b, uint64_t length_b)
{
    uint64_t poly = crcs[kind].poly, power = UINT64_C(1) << 55;
    for (; length_b; length_b >>= 1) {
        if (length_b & 1)
            a = multiply(poly, a, power);
        power = multiply(poly, power, power);
    }
    return a ^ b;
}
