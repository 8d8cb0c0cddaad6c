/* Rules of base/date. */
#include "unit.h"

#include "base/text.h"

#include <time.h>

#define YEAR_2026 INT64_C(1767225600000)

static struct arena *arena;

__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

TEST(the_four_forms_of_an_instant)
{
    CHECK_STR(date_iso_ms(arena, YEAR_2026), S("2026-01-01T00:00:00.000Z"));
    CHECK_STR(date_iso(arena, YEAR_2026), S("2026-01-01T00:00:00Z"));
    CHECK_STR(date_http(arena, YEAR_2026), S("Thu, 01 Jan 2026 00:00:00 GMT"));
    CHECK_STR(date_basic(arena, YEAR_2026), S("20260101T000000Z"));
    CHECK_STR(date_iso_ms(arena, 0), S("1970-01-01T00:00:00.000Z"));
    CHECK_STR(date_iso_ms(arena, -1), S("1969-12-31T23:59:59.999Z"));
    CHECK_STR(date_http(arena, -1), S("Wed, 31 Dec 1969 23:59:59 GMT"));
    CHECK_STR(date_iso_ms(arena, 951782399999), S("2000-02-28T23:59:59.999Z"));
    CHECK_STR(date_iso(arena, 951782400000), S("2000-02-29T00:00:00Z"));
}

/* The POSIX library's calendar is the other opinion. */
TEST(the_calendar_agrees_with_the_system)
{
    for (int64_t day = -800000; day < 3000000; day += 37) {
        int64_t seconds = day * 86400 + (day & 0xFFFF);
        struct tm tm;
        char expected[64];
        gmtime_r(&(time_t){seconds}, &tm);
        if (tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999)
            continue;
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        CHECK_STR(date_iso(arena, seconds * 1000), str_of(expected));
        arena_reset(arena);
    }
}

TEST(what_is_written_is_read_back)
{
    static const msec instants[] = {
        0, -1, 1, YEAR_2026, 951782399999, 253402300799999, -62167219200000, 4102444799123};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        msec whole = instants[i] - ((instants[i] % 1000) + 1000) % 1000, t = 7;
        CHECK(date_parse(date_iso_ms(arena, instants[i]), &t) && t == instants[i]);
        CHECK(date_parse(date_iso(arena, instants[i]), &t) && t == whole);
        CHECK(date_parse(date_basic(arena, instants[i]), &t) && t == whole);
        CHECK(date_parse(date_http(arena, instants[i]), &t) && t == whole);
        CHECK(date_parse_basic(date_basic(arena, instants[i]), &t) && t == whole);
        CHECK(date_parse_http(date_http(arena, instants[i]), &t) && t == whole);
    }
}

TEST(instants_beyond_four_digit_years_are_held_at_the_edge)
{
    CHECK_STR(date_iso_ms(arena, INT64_MAX), S("9999-12-31T23:59:59.999Z"));
    CHECK_STR(date_iso_ms(arena, INT64_MIN), S("0000-01-01T00:00:00.000Z"));
}

TEST(every_spelling_of_the_first_of_january)
{
    static const char *const texts[] = {"2026-01-01T00:00:00Z",
                                        "2026-01-01T00:00:00.000Z",
                                        "2026-01-01T00:00:00.0Z",
                                        "2026-01-01T00:00:00.000000Z",
                                        "2026-01-01T00:00:00",
                                        "2026-01-01t00:00:00z",
                                        "2026-01-01 00:00:00Z",
                                        "2026-01-01T00:00Z",
                                        "2026-01-01",
                                        "2026-01-01T02:00:00+02:00",
                                        "2026-01-01T02:30:00+0230",
                                        "2025-12-31T19:00:00-05:00",
                                        "20260101T000000Z",
                                        "1767225600",
                                        "Thu, 01 Jan 2026 00:00:00 GMT",
                                        "Thursday, 01-Jan-26 00:00:00 GMT",
                                        "Thu Jan  1 00:00:00 2026",
                                        "Thu, 01 Jan 2026 00:00:00 +0000",
                                        "Thu, 01 Jan 2026 00:00:00 UTC"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        msec t = -7;
        CHECK(date_parse(str_of(texts[i]), &t));
        CHECK_INT(t, YEAR_2026);
    }
}

TEST(malformed_dates_are_refused_and_change_nothing)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "x",
                                        "-",
                                        "2026-13-01",
                                        "2026-00-01",
                                        "2026-02-29",
                                        "2024-02-30",
                                        "2026-04-31",
                                        "2026-01-00",
                                        "2026-1-1",
                                        "2026-01-01T",
                                        "2026-01-01T24:00:00Z",
                                        "2026-01-01T00:60:00Z",
                                        "2026-01-01T00:00:60Z",
                                        "2026-01-01T00:00:00.Z",
                                        "2026-01-01T00:00:00+24:00",
                                        "2026-01-01T00:00:00+1",
                                        "2026-01-01T00:00:00Zx",
                                        "2026-01-01T00:00:00 Z",
                                        "20260101T000000",
                                        "20260101T0000Z",
                                        "99999999999999999999",
                                        "99999999999999",
                                        "Thu, 32 Jan 2026 00:00:00 GMT",
                                        "Thu, 01 Foo 2026 00:00:00 GMT",
                                        "Thu, 01 Jan 2026 00:00:00",
                                        "Thu",
                                        "Thu,",
                                        "+2026-01-01",
                                        "1767225600.5"};
    msec t = 42;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (date_parse(str_of(texts[i]), &t))
            print_error("taken for a date: \"%s\"\n", texts[i]), fail();
    CHECK_INT(t, 42);
    CHECK(!date_parse(STR_NONE, &t));
    CHECK(!date_parse_basic(S("2026-01-01T00:00:00Z"), &t));
    CHECK(!date_parse_http(S("2026-01-01T00:00:00Z"), &t));
}

TEST(a_date_that_is_cut_anywhere_is_refused_or_another_form)
{
    str text = S("Thu, 01 Jan 2026 00:00:00 GMT");
    msec t;
    for (size_t n = 0; n < text.n; n++)
        CHECK(!date_parse_http(str_slice(text, 0, n), &t));
}

TEST(bare_numbers_are_epoch_seconds)
{
    msec t;
    CHECK(date_parse(S("2026"), &t) && t == 2026000);
    CHECK(date_parse(S("-1"), &t) && t == -1000);
    CHECK(!date_parse(S("253402300800"), &t));
}

TEST(durations_in_both_spellings)
{
    static const struct {
        const char *text;
        msec length;
    } rows[] = {{"90s", 90000},     {"1h30m", 5400000},        {"250ms", 250},
                {"2d", 172800000},  {"PT12H", 43200000},       {"P1DT2H", 93600000},
                {"0s", 0},          {"1.5h", 5400000},         {"P1W", 604800000},
                {"PT1M30S", 90000}, {"1d2h3m4s5ms", 93784005}, {"PT0.5S", 500},
                {"pt5m", 300000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        msec length = -1;
        CHECK(duration_parse(str_of(rows[i].text), &length));
        CHECK_INT(length, rows[i].length);
    }
}

TEST(malformed_durations_are_refused)
{
    static const char *const texts[] = {"",
                                        "5",
                                        "-5s",
                                        "s",
                                        "1x",
                                        "P",
                                        "PT",
                                        "P1H",
                                        "PT1D",
                                        "1h ",
                                        " 1h",
                                        "1h30",
                                        "P1M",
                                        "P1Y",
                                        "9223372036854775807d",
                                        "99999999999999999999s",
                                        "P1DT",
                                        "1.h",
                                        "PT1H1D"};
    msec length = 42;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (duration_parse(str_of(texts[i]), &length))
            print_error("taken for a duration: \"%s\"\n", texts[i]), fail();
    CHECK_INT(length, 42);
    CHECK(!duration_parse(STR_NONE, &length));
}

UNIT_MAIN
