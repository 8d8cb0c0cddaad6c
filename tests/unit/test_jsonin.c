/* Rules of base/jsonin that depend on where in a string a byte stands: strings are read eight bytes
 * at a time. */
#include "unit.h"

#include "base/jsonin.h"
#include "base/text.h"

enum { LONGEST = 40 };

static bool read_string(struct arena *arena, str text, str *out)
{
    struct jsonin in = jsonin_of(arena, text);
    return jsonin_string(&in, out) && jsonin_end(&in);
}

/* "aaa<piece>aaa" with n bytes beside the piece, `at` of them before it. */
static str around(struct arena *arena, str piece, size_t at, size_t n)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < n; i++) {
        if (i == at)
            buf_put(&b, piece);
        buf_char(&b, 'a');
    }
    return buf_str(&b);
}

static void check_everywhere(str piece, bool taken, str means)
{
    struct arena *arena = arena_new();
    for (size_t n = 1; n <= LONGEST; n++)
        for (size_t at = 0; at < n; at++) {
            str inside = around(arena, piece, at, n), out;
            str text = arena_join(arena, S("\""), arena_join(arena, inside, S("\"")));
            CHECK(read_string(arena, text, &out) == taken);
            if (taken)
                CHECK_STR(out, around(arena, means, at, n));
        }
    arena_free(arena);
}

TEST(a_string_keeps_what_is_not_escaped_wherever_it_stands)
{
    check_everywhere(S(" "), true, S(" "));
    check_everywhere(S("!#[]~\x7f"), true, S("!#[]~\x7f"));
    check_everywhere(S("\xc3\xa9"), true, S("\xc3\xa9"));
}

TEST(escapes_mean_the_same_wherever_they_stand)
{
    check_everywhere(S("\\\""), true, S("\""));
    check_everywhere(S("\\\\"), true, S("\\"));
    check_everywhere(S("\\u0041\\n"), true, S("A\n"));
}

TEST(controls_quotes_and_broken_bytes_are_refused_wherever_they_stand)
{
    check_everywhere(S("\x1f"), false, STR_NONE);
    check_everywhere(S("\n"), false, STR_NONE);
    check_everywhere(S("\""), false, STR_NONE);
    check_everywhere(S("\xff"), false, STR_NONE);
    check_everywhere(S("\xc3"), false, STR_NONE);
}

TEST(a_string_that_does_not_end_is_refused)
{
    struct arena *arena = arena_new();
    for (size_t n = 1; n <= LONGEST; n++) {
        str out, text = arena_join(arena, S("\""), around(arena, S("b"), 0, n));
        CHECK(!read_string(arena, text, &out));
    }
    arena_free(arena);
}

TEST(characters_are_counted_wherever_they_stand)
{
    struct arena *arena = arena_new();
    for (size_t n = 1; n <= LONGEST; n++)
        for (size_t at = 0; at < n; at++)
            CHECK_INT((int)utf8_count(around(arena, S("\xf0\x9f\x98\x80"), at, n)), (int)n + 1);
    arena_free(arena);
}

UNIT_MAIN
