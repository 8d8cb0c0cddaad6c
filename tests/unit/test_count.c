/* The word count against rules stated in words, and against itself: however a text is cut into
 * pieces, the count is the same. tests/sdk/count_node.mjs compares the same code with JavaScript
 * itself. */
#include "unit.h"

#include "pipeline/count.h"

static struct count_report counted(str text)
{
    struct count count = {0};
    count_feed(&count, text);
    return count_end(&count);
}

/* One byte at a time: the decoder's slow and certain path. */
static struct count_report counted_slowly(str text)
{
    struct count count = {0};
    for (size_t i = 0; i < text.n; i++)
        count_feed(&count, str_slice(text, i, i + 1));
    return count_end(&count);
}

static void check(str text, int64_t bytes, int64_t lines, int64_t words)
{
    struct count_report got = counted(text);
    CHECK_INT(got.bytes, bytes);
    CHECK_INT(got.lines, lines);
    CHECK_INT(got.words, words);
}

static bool same(struct count_report a, struct count_report b)
{
    return a.bytes == b.bytes && a.lines == b.lines && a.words == b.words;
}

TEST(an_empty_text_has_nothing)
{
    check(S(""), 0, 0, 0);
}

TEST(the_labs_sample_has_four_lines_and_eight_words)
{
    check(S("hello world\nthis is a test\nline three\n"), 38, 4, 8);
}

TEST(white_space_alone_has_lines_but_no_words)
{
    check(S(" \t\r\n\v\f "), 7, 2, 0);
}

TEST(a_lone_carriage_return_ends_no_line)
{
    check(S("a\rb\r\nc\r\r\n"), 9, 3, 3);
}

TEST(javascripts_wide_white_space_parts_words)
{
    static const char *const spaces[] = {"\u00A0", "\u1680", "\u2000", "\u200A", "\u2028",
                                         "\u2029", "\u202F", "\u205F", "\u3000", "\uFEFF"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        char text[16];
        snprintf(text, sizeof text, "a%sb", spaces[i]);
        check(str_of(text), (int64_t)strlen(text), 1, 2);
    }
}

TEST(what_only_looks_like_white_space_parts_nothing)
{
    check(S("a\u200Bb"), 5, 1, 1);
    check(S("a\u180Eb"), 5, 1, 1);
    check(S("a\xC2\x85"
            "b"),
          4, 1, 1);
    check(S("a\x1C"
            "b"),
          3, 1, 1);
}

TEST(a_byte_order_mark_counts_but_is_no_word)
{
    check(S("\xEF\xBB\xBF"), 3, 1, 0);
}

TEST(each_maximal_ill_formed_part_counts_three_bytes)
{
    check(S("\xFF"), 3, 1, 1);
    check(S("\x80\x80"), 6, 1, 1);
    check(S("\xE2\x82"), 3, 1, 1);   /* cut short: one part */
    check(S("\xE2\x82 x"), 5, 1, 2); /* a blank ends it */
    check(S("\xF0\x9F\x98"), 3, 1, 1);
    check(S("\xC0\xAF"), 6, 1, 1); /* overlong: two parts */
    check(S("\xE0\x80\x80"), 9, 1, 1);
    check(S("\xED\xA0\x80"), 9, 1, 1); /* a surrogate: three */
    check(S("\xF4\x90\x80\x80"), 12, 1, 1);
    check(S("\xF0\x9F\x98\x80"), 4, 1, 1);
}

static const char *const PIECES[] = {
    "word",     " ",        "\n",
    "\r\n",     "\r",       "\t",
    "\u00e9",   "\u3000",   "\U0001F600",
    "\xE2\x82", "\xF0\x9F", "\xFF",
    "\xED\xA0", "\u2028",   "\x80",
    "\xC3",     "\u200b",   "\uFEFF",
    "\xE0",     "\xF4\x90", "abcdefghijklmnopqrstuvwxyz",
};

static uint64_t below(uint64_t *state, uint64_t bound)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % bound;
}

static size_t hostile_text(uint64_t *rng, char *out, size_t cap)
{
    size_t n = 0;
    for (uint64_t left = below(rng, 60); left; left--) {
        const char *piece = PIECES[below(rng, sizeof PIECES / sizeof *PIECES)];
        uint64_t times = 1 + (below(rng, 8) ? 0 : below(rng, 20));
        for (; times && n + strlen(piece) < cap; times--) {
            memcpy(out + n, piece, strlen(piece));
            n += strlen(piece);
        }
    }
    return n;
}

TEST(a_text_cut_anywhere_counts_the_same)
{
    uint64_t rng = 7;
    for (int round = 0; round < 300; round++) {
        char text[4096];
        str all = {text, hostile_text(&rng, text, sizeof text)};
        struct count_report whole = counted(all);
        CHECK(same(whole, counted_slowly(all)));
        for (size_t cut = 0; cut <= all.n; cut++) {
            struct count count = {0};
            count_feed(&count, str_slice(all, 0, cut));
            count_feed(&count, str_slice(all, cut, all.n));
            CHECK(same(whole, count_end(&count)));
        }
    }
}

TEST(a_word_may_run_across_blocks)
{
    char text[1000];
    memset(text, 'x', sizeof text);
    check((str){text, 1000}, 1000, 1, 1);
    text[63] = ' ', text[128] = '\n', text[512] = '\t';
    check((str){text, 1000}, 1000, 2, 4);
}

UNIT_MAIN
