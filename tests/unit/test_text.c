/* Rules of base/text. */
#include "unit.h"

#include "base/rng.h"
#include "base/text.h"

static struct arena *arena;

__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

static str json(str s)
{
    struct buf b = buf_in(arena);
    buf_json(&b, s);
    return buf_str(&b);
}

static str xml(str s)
{
    struct buf b = buf_in(arena);
    buf_xml(&b, s);
    return buf_str(&b);
}

TEST(the_canonical_path_keeps_unreserved_characters_and_slashes)
{
    CHECK_STR(percent_encode(arena, S("/a b/~x-._9?&=+@"), PERCENT_PATH),
              S("/a%20b/~x-._9%3F%26%3D%2B%40"));
    CHECK_STR(percent_encode(arena, S("/a b"), PERCENT_ALL), S("%2Fa%20b"));
    CHECK_STR(percent_encode(arena, S("\xC3\xA9\n\0z"), PERCENT_ALL), S("%C3%A9%0A%00z"));
    CHECK_STR(percent_encode(arena, S(""), PERCENT_ALL), S(""));
    CHECK_STR(percent_encode(arena, STR_NONE, PERCENT_ALL), STR_NONE);
}

/* aws-s3.md: "testupload/dir1/testfile.txt", "a%40b", "red+flower.jpg"; java.net.URLEncoder for the
 * rest. */
TEST(the_form_encoding_of_events_keeps_slashes_and_turns_blanks_to_plus)
{
    CHECK_STR(percent_encode(arena, S("dir/red flower.jpg"), PERCENT_FORM),
              S("dir/red+flower.jpg"));
    CHECK_STR(percent_encode(arena, S("a@b+c=d*e~f"), PERCENT_FORM), S("a%40b%2Bc%3Dd*e%7Ef"));
}

TEST(a_malformed_escape_stays_as_it_is)
{
    CHECK_STR(percent_decode(arena, S("a%20b%2fc%2F"), false), S("a b/c/"));
    CHECK_STR(percent_decode(arena, S("%"), false), S("%"));
    CHECK_STR(percent_decode(arena, S("%4"), false), S("%4"));
    CHECK_STR(percent_decode(arena, S("%zz%4g%41"), false), S("%zz%4gA"));
    CHECK_STR(percent_decode(arena, S("%00x"), false), S("\0x"));
    CHECK_STR(percent_decode(arena, S("%2520"), false), S("%20"));
}

TEST(plus_is_a_blank_only_where_it_is_said_to_be)
{
    CHECK_STR(percent_decode(arena, S("a+b%2B"), true), S("a b+"));
    CHECK_STR(percent_decode(arena, S("a+b%2B"), false), S("a+b+"));
    CHECK_STR(percent_decode(arena, STR_NONE, true), STR_NONE);
}

TEST(hex_is_lower_case_and_read_in_any_case)
{
    uint8_t bytes[3];
    CHECK_STR(hex_encode(arena, "\x00\xAB\xff", 3), S("00abff"));
    CHECK(hex_decode(S("00ABfF"), bytes, 3));
    CHECK(memcmp(bytes, "\x00\xAB\xff", 3) == 0);
    CHECK(!hex_decode(S("00ab"), bytes, 3));
    CHECK(!hex_decode(S("00abfg"), bytes, 3));
    CHECK(!hex_decode(S("00abff0"), bytes, 3));
}

/* RFC 4648, section 10. */
TEST(base64_vectors)
{
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff\xbf", "+/+/"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_STR(base64_encode(arena, str_of(rows[i].plain)), str_of(rows[i].text));
        CHECK_STR(base64_decode(arena, str_of(rows[i].text)), str_of(rows[i].plain));
    }
    CHECK_STR(base64_encode(arena, STR_NONE), STR_NONE);
}

TEST(base64_that_is_not_canonical_is_refused)
{
    static const char *const bad[] = {"Z",      "Zg", "Zg=",  "Zg===", "Zh==",     "Zm9=", "Zm 9",
                                      "Zm9v\n", "=",  "====", "Z=g=",  "Zg==Zg==", "Zm9-", "Zm9_"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_STR(base64_decode(arena, str_of(bad[i])), STR_NONE);
    CHECK_STR(base64_decode(arena, STR_NONE), STR_NONE);
}

TEST(utf8_is_strict)
{
    static const char *const good[] = {"",
                                       "plain ascii, longer than eight",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2x",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "12345678\x80",
                                      "\xF8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(utf8_valid(str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!utf8_valid(str_of(bad[i])));
    CHECK(utf8_valid(S("a\0b")));
}

TEST(every_code_point_is_read_as_it_was_written)
{
    struct buf b = buf_in(arena);
    for (uint32_t c = 1; c < 0x110000; c += c < 0x3000 ? 1 : 997) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        size_t at = 0;
        b.n = 0;
        buf_utf8(&b, c);
        CHECK_INT(utf8_next(buf_str(&b), &at), c);
        CHECK_INT(at, b.n);
    }
}

TEST(an_invalid_byte_is_stepped_over_alone)
{
    size_t at = 0;
    str s = S("\xE2\x82xy");
    CHECK_INT(utf8_next(s, &at), -1);
    CHECK_INT(at, 1);
    CHECK_INT(utf8_next(s, &at), -1);
    CHECK_INT(utf8_next(s, &at), 'x');
    CHECK_INT(at, 3);
}

TEST(json_escapes_what_json_must)
{
    CHECK_STR(json(S("plain")), S("\"plain\""));
    CHECK_STR(json(S("")), S("\"\""));
    CHECK_STR(json(STR_NONE), S("\"\""));
    CHECK_STR(json(S("a\"b\\c/d\b\f\n\r\t\x01\x1f\0")),
              S("\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000\""));
    CHECK_STR(json(S("\x7f \xC3\xA9 \xF0\x9F\x98\x80 <&>'")),
              S("\"\x7f \xC3\xA9 \xF0\x9F\x98\x80 <&>'\""));
    CHECK_STR(json(S("\xff"
                     "a\xC3")),
              S("\"\xEF\xBF\xBD"
                "a\xEF\xBF\xBD\""));
}

TEST(xml_escapes_markup_carriage_returns_and_what_xml_cannot_hold)
{
    CHECK_STR(xml(S("a<b>&\"c'd")), S("a&lt;b&gt;&amp;&quot;c'd"));
    CHECK_STR(xml(S("l1\r\nl2\t")), S("l1&#xD;\nl2\t"));
    CHECK_STR(xml(S("\x01\x0b\x1f\0")), S("&#x1;&#xb;&#x1f;&#x0;"));
    CHECK_STR(xml(S("\xC3\xA9\xEF\xBF\xBE\xff")), S("\xC3\xA9&#xfffe;\xEF\xBF\xBD"));
    CHECK_STR(xml(STR_NONE), S(""));
}

TEST(a_seed_gives_the_same_sequence_again)
{
    struct rng a, b, c;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    rng_seed(&c, 43);
    for (int i = 0; i < 100; i++)
        CHECK(rng_next(&a) == rng_next(&b));
    CHECK(rng_next(&a) != rng_next(&c));
}

TEST(a_bound_is_never_reached)
{
    struct rng rng;
    int seen[7] = {0};
    rng_seed(&rng, 1);
    for (int i = 0; i < 7000; i++)
        seen[rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        CHECK(seen[i] > 800 && seen[i] < 1200);
    CHECK_INT(rng_below(&rng, 1), 0);
    CHECK(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
}

TEST(a_uuid_is_of_version_4)
{
    struct rng rng;
    rng_seed_system(&rng);
    for (int i = 0; i < 100; i++) {
        str id = rng_uuid(&rng, arena);
        CHECK_INT(id.n, 36);
        CHECK(id.p[14] == '4' && strchr("89ab", id.p[19]));
        for (size_t k = 0; k < id.n; k++)
            CHECK(k == 8 || k == 13 || k == 18 || k == 23
                      ? id.p[k] == '-'
                      : strchr("0123456789abcdef", id.p[k]) != NULL);
    }
    CHECK(!str_eq(rng_uuid(&rng, arena), rng_uuid(&rng, arena)));
}

TEST(random_text_and_bytes_have_the_wanted_length)
{
    struct rng rng;
    uint8_t bytes[16] = {0}, secret[2][32];
    rng_seed(&rng, 9);
    CHECK_STR(rng_text(&rng, arena, S("x"), 4), S("xxxx"));
    rng_bytes(&rng, bytes, 13);
    CHECK(bytes[13] == 0 && bytes[14] == 0 && bytes[15] == 0);
    rng_secret(secret[0], 32);
    rng_secret(secret[1], 32);
    CHECK(memcmp(secret[0], secret[1], 32) != 0);
}

TEST(the_first_control_is_found_wherever_it_stands)
{
    for (size_t n = 0; n < 20; n++)
        for (size_t at = 0; at <= n; at++)
            for (int c = 0; c < 256; c++) {
                char text[20], before = (char)(c ^ 0x80);
                bool found = at < n && (c < ' ' || c == 0x7f);
                memset(text, 'x', sizeof text);
                if (at && (unsigned char)before >= ' ' && before != 0x7f)
                    text[at - 1] = before;
                if (at < n)
                    text[at] = (char)c;
                CHECK_INT(text_controls_at((str){text, n}), found ? at : n);
            }
}

TEST(json_strings_are_the_same_whatever_stands_around_a_byte)
{
    for (size_t at = 0; at < 20; at++)
        for (int c = 0; c < 0x80; c++) {
            char text[20], one = (char)c;
            struct buf whole = buf_in(arena), alone = buf_in(arena);
            memset(text, 'x', sizeof text);
            text[at] = one;
            buf_json(&whole, (str){text, sizeof text});
            buf_json(&alone, (str){&one, 1});
            str middle = str_slice(buf_str(&alone), 1, alone.n - 1);
            CHECK_INT(whole.n, sizeof text - 1 + middle.n + 2);
            CHECK_STR(str_slice(buf_str(&whole), 1 + at, 1 + at + middle.n), middle);
        }
}

TEST(a_terminal_is_given_nothing_to_obey)
{
    struct buf b = buf_in(arena);
    buf_visible(&b, S("a\x1b[31m\n\r\t\x7f\xc2\x9b"
                      "1m\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8"
                      "\xe2\x80\x8f|\xc3\xa9 \xe2\x82\xac \xc2\xa0\xe2\x80\x94\xe2\x80"));
    CHECK_STR(buf_str(&b),
              S("a?[31m?????1m????|\xc3\xa9 \xe2\x82\xac \xc2\xa0\xe2\x80\x94\xe2\x80"));
}

TEST(every_byte_is_two_hex_digits)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        CHECK_STR(hex_encode(arena, &byte, 1), arena_printf(arena, "%02x", c));
    }
}

UNIT_MAIN
