/* pipeline/count.c - three speeds, one meaning. `step` is the definition: a UTF-8 decoder, one byte
 * at a time, that can stop anywhere. `whole` takes a complete multi-byte character at once,
 * `ascii_blocks` 64 bytes of ASCII at once; both leave the state as step would. Whatever is odd
 * falls through to step, so only step knows about malformed text. */
#include "pipeline/count.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2_PATH 1
#endif

#define BLOCK 64
#define REPLACEMENT_BYTES 3

/* ECMAScript WhiteSpace and LineTerminator beyond ASCII. U+0085, U+180E and U+200B are not among
 * them. */
static bool is_wide_space(uint32_t point)
{
    return point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
           point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
           point == 0x3000 || point == 0xFEFF;
}

static void character(struct count *count, int length, bool space)
{
    count->bytes += length;
    count->words += !space && !count->in_word;
    count->in_word = !space;
}

static void ascii(struct count *count, uint8_t byte)
{
    count->newlines += byte == '\n';
    character(count, 1, byte == ' ' || (byte >= '\t' && byte <= '\r'));
}

static void open_sequence(struct count *count, uint8_t lead)
{
    uint8_t missing = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    count->missing = missing;
    count->length = (uint8_t)(missing + 1);
    count->point = lead & (0x3Fu >> missing);
    /* The ranges that keep overlong forms, surrogates and values past U+10FFFF out. */
    count->lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    count->upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
}

static void step(struct count *count, uint8_t byte)
{
    if (count->missing && byte >= count->lower && byte <= count->upper) {
        count->point = count->point << 6 | (byte & 0x3Fu);
        count->lower = 0x80, count->upper = 0xBF;
        if (--count->missing == 0)
            character(count, count->length, is_wide_space(count->point));
        return;
    }
    if (count->missing) {
        count->missing = 0;
        character(count, REPLACEMENT_BYTES, false);
    }
    if (byte < 0x80)
        ascii(count, byte);
    else if (byte >= 0xC2 && byte <= 0xF4)
        open_sequence(count, byte);
    else
        character(count, REPLACEMENT_BYTES, false);
}

/* Bytes of the well-formed character of 2 or 3 bytes at p, and whether it is white space; 0 when
 * there is none. */
static size_t whole(const uint8_t *p, size_t n, bool *space)
{
    if (n < 3 || (p[1] & 0xC0) != 0x80)
        return 0;
    if (p[0] >= 0xC2 && p[0] < 0xE0) {
        *space = p[0] == 0xC2 && p[1] == 0xA0;
        return 2;
    }
    bool plain = p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED;
    if (!plain || (p[2] & 0xC0) != 0x80)
        return 0;
    /* All wide white space begins with one of these. */
    *space = (p[0] == 0xE1 || p[0] == 0xE2 || p[0] == 0xE3 || p[0] == 0xEF) &&
             is_wide_space((p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu));
    return 3;
}

/* ASCII and whole characters from the start of p, in registers; returns the bytes taken. No
 * sequence is open. */
static size_t plain_text(struct count *count, const uint8_t *p, size_t n)
{
    int64_t words = 0, newlines = 0;
    bool in_word = count->in_word;
    size_t i = 0;
    while (i < n) {
        bool space = p[i] == ' ' || (uint8_t)(p[i] - '\t') <= 4;
        size_t length = p[i] < 0x80 ? 1 : whole(p + i, n - i, &space);
        if (!length)
            break;
        newlines += p[i] == '\n';
        words += !space & !in_word;
        in_word = !space;
        i += length;
    }
    count->bytes += (int64_t)i;
    count->words += words;
    count->newlines += newlines;
    count->in_word = in_word;
    return i;
}

static void scalar(struct count *count, const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        if (!count->missing)
            i += plain_text(count, p + i, n - i);
        if (i < n)
            step(count, p[i++]);
    }
}

#ifdef HAVE_AVX2_PATH
__attribute__((target("avx2"))) static uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

__attribute__((target("avx2"))) static __m256i spaces_in(__m256i bytes)
{
    /* '\t'..'\r' are five values: b - 9 <= 4 as unsigned bytes. */
    __m256i shifted = _mm256_sub_epi8(bytes, _mm256_set1_epi8('\t'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(shifted, _mm256_set1_epi8(4)), shifted);
    return _mm256_or_si256(control, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')));
}

/* Whole blocks of ASCII from the start of p; returns the bytes taken. */
__attribute__((target("avx2,popcnt"))) static size_t ascii_blocks(struct count *count,
                                                                  const uint8_t *p, size_t n)
{
    const __m256i newline = _mm256_set1_epi8('\n');
    uint64_t after_space = !count->in_word;
    size_t i = 0;
    for (; n - i >= BLOCK; i += BLOCK) {
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32));
        if (mask_of(low, high))
            break;
        uint64_t space = mask_of(spaces_in(low), spaces_in(high));
        uint64_t starts = ~space & (space << 1 | after_space);
        count->words += __builtin_popcountll(starts);
        count->newlines += __builtin_popcountll(
            mask_of(_mm256_cmpeq_epi8(low, newline), _mm256_cmpeq_epi8(high, newline)));
        after_space = space >> 63;
    }
    count->bytes += (int64_t)i;
    count->in_word = !after_space;
    return i;
}
#endif

void count_feed(struct count *count, str piece)
{
    const uint8_t *p = (const uint8_t *)piece.p;
    size_t n = piece.n, i = 0;
#ifdef HAVE_AVX2_PATH
    bool wide = __builtin_cpu_supports("avx2");
    while (wide && n - i >= BLOCK) {
        if (!count->missing)
            i += ascii_blocks(count, p + i, n - i);
        if (n - i >= BLOCK) {
            scalar(count, p + i, BLOCK);
            i += BLOCK;
        }
    }
#endif
    if (i < n)
        scalar(count, p + i, n - i);
}

struct count_report count_end(const struct count *count)
{
    struct count last = *count;
    if (last.missing)
        character(&last, REPLACEMENT_BYTES, false);
    int64_t lines = last.bytes ? last.newlines + 1 : 0;
    return (struct count_report){.bytes = last.bytes, .lines = lines, .words = last.words};
}
