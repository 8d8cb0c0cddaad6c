/* base/date.c - instants and lengths of time as text. The proleptic Gregorian calendar by
 * arithmetic: no C locale, no time zone database, no clock. Day numbers count from 1970-01-01; the
 * year of the arithmetic begins in March, so that leap days come last (the days-from-civil method).
 *
 * Text that comes in is read by a cursor that remembers failure, so a form is written as the
 * sequence of its pieces. */
#include "base/text.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)
/* Years 0000 to 9999: what four digits can say. */
#define OLDEST (-719528 * DAY_MS)
#define NEWEST (2932897 * DAY_MS - 1)

struct civil {
    int64_t year;
    int month, day, hour, minute, second, ms, weekday; /* month 1-12, weekday 0 = Sunday */
};

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(msec t)
{
    /* Four digits are all that the forms have room for. */
    t = t < OLDEST ? OLDEST : t > NEWEST ? NEWEST : t;
    int64_t days = t / DAY_MS - (t % DAY_MS < 0), ms = t - days * DAY_MS;
    int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march = (5 * of_year + 2) / 153;
    int month = (int)(march < 10 ? march + 3 : march - 9);
    return (struct civil){
        .year = year_of_era + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(of_year - (153 * march + 2) / 5 + 1),
        .hour = (int)(ms / 3600000),
        .minute = (int)(ms / 60000 % 60),
        .second = (int)(ms / 1000 % 60),
        .ms = (int)(ms % 1000),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

static char *put_digits(char *to, int value, int width)
{
    for (int i = width; i--; value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + width;
}

/* Writes the instant by a pattern: y m d h n s f stand for digits (n: minutes, f: milliseconds), a
 * and b for the names of day and month; all else stands for itself. */
static str date_format(struct arena *arena, msec t, const char *pattern)
{
    struct civil c = civil_of(t);
    char text[40], *to = text;
    for (; *pattern; pattern++)
        switch (*pattern) {
        case 'y':
            to = put_digits(to, (int)c.year, 4);
            break;
        case 'm':
            to = put_digits(to, c.month, 2);
            break;
        case 'd':
            to = put_digits(to, c.day, 2);
            break;
        case 'h':
            to = put_digits(to, c.hour, 2);
            break;
        case 'n':
            to = put_digits(to, c.minute, 2);
            break;
        case 's':
            to = put_digits(to, c.second, 2);
            break;
        case 'f':
            to = put_digits(to, c.ms, 3);
            break;
        case 'a':
            to = mempcpy(to, day_names + c.weekday * 3, 3);
            break;
        case 'b':
            to = mempcpy(to, month_names + (c.month - 1) * 3, 3);
            break;
        default:
            *to++ = *pattern;
        }
    return arena_copy(arena, (str){text, (size_t)(to - text)});
}

str date_iso_ms(struct arena *arena, msec t)
{
    return date_format(arena, t, "y-m-dTh:n:s.fZ");
}

str date_iso(struct arena *arena, msec t)
{
    return date_format(arena, t, "y-m-dTh:n:sZ");
}

str date_http(struct arena *arena, msec t)
{
    return date_format(arena, t, "a, d b y h:n:s GMT");
}

str date_log(struct arena *arena, msec t)
{
    return date_format(arena, t, "d/b/y:h:n:s +0000");
}

/* The n-th Sunday of a month, at so many hours UTC. */
static msec sunday(int64_t year, int month, int nth, int hour)
{
    int64_t first = days_of(year, month, 1);
    int64_t day = first + (10 - first % 7) % 7; /* day 3 was a Sunday */
    return (day + (nth - 1) * 7) * DAY_MS + hour * INT64_C(3600000);
}

str date_pacific(struct arena *arena, msec t)
{
    /* Since 2007: from the second Sunday of March to the first of November, at 2:00 local time. */
    int64_t year = civil_of(t).year;
    bool summer = t >= sunday(year, 3, 2, 10) && t < sunday(year, 11, 1, 9);
    msec local = t - (summer ? 7 : 8) * INT64_C(3600000);
    return date_format(arena, local, summer ? "a b d h:n:s PDT y" : "a b d h:n:s PST y");
}

str date_basic(struct arena *arena, msec t)
{
    return date_format(arena, t, "ymdThnsZ");
}

/* What is left to read; `bad` once a piece did not fit. */
struct cursor {
    str rest;
    bool bad;
};

static bool peek(const struct cursor *c, char wanted)
{
    return c->rest.n && c->rest.p[0] == wanted;
}

static bool take(struct cursor *c, str literal)
{
    if (!str_starts_nocase(c->rest, literal))
        return false;
    c->rest = str_slice(c->rest, literal.n, c->rest.n);
    return true;
}

static void need(struct cursor *c, str literal)
{
    c->bad |= !take(c, literal);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `width` digits. */
static int digits(struct cursor *c, size_t width)
{
    int value = 0;
    if (c->rest.n < width) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        c->bad |= !is_digit(c->rest.p[i]);
        value = value * 10 + (c->rest.p[i] - '0');
    }
    c->rest = str_slice(c->rest, width, c->rest.n);
    return value;
}

/* Index of the three letters at the cursor in a row of names. */
static int name_of(struct cursor *c, const char *names)
{
    for (int i = 0; names[i * 3]; i++)
        if (take(c, (str){names + i * 3, 3}))
            return i;
    c->bad = true;
    return 0;
}

static int month_length(int64_t year, int month)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 ? 28 + leap : 30 + ((month + (month > 7)) & 1);
}

static bool finish(const struct cursor *c, const struct civil *d, int offset_minutes, msec *out)
{
    if (c->bad || c->rest.n || d->month < 1 || d->month > 12 || d->day < 1 ||
        d->day > month_length(d->year, d->month) || d->hour > 23 || d->minute > 59 ||
        d->second > 59)
        return false;
    *out = days_of(d->year, d->month, d->day) * DAY_MS + d->hour * INT64_C(3600000) +
           (d->minute - offset_minutes) * INT64_C(60000) + d->second * 1000 + d->ms;
    return true;
}

/* A fraction of a second of any length, cut to milliseconds. */
static int fraction(struct cursor *c)
{
    int ms = 0, scale = 100;
    if (!take(c, S(".")))
        return 0;
    c->bad |= !c->rest.n || !is_digit(c->rest.p[0]);
    while (c->rest.n && is_digit(c->rest.p[0])) {
        ms += (c->rest.p[0] - '0') * scale;
        scale /= 10;
        c->rest = str_slice(c->rest, 1, c->rest.n);
    }
    return ms;
}

/* "Z", "+hh:mm", "+hhmm", or nothing, which means UTC. */
static int offset(struct cursor *c)
{
    if (!c->rest.n || take(c, S("Z")))
        return 0;
    int sign = peek(c, '-') ? -1 : 1;
    c->bad |= !peek(c, '-') && !peek(c, '+');
    c->rest = str_slice(c->rest, 1, c->rest.n);
    int hours = digits(c, 2);
    take(c, S(":"));
    int minutes = digits(c, 2);
    c->bad |= hours > 23 || minutes > 59;
    return sign * (hours * 60 + minutes);
}

static bool parse_iso(str text, msec *out)
{
    struct cursor c = {.rest = text};
    struct civil d = {.year = digits(&c, 4)};
    int away = 0;
    need(&c, S("-"));
    d.month = digits(&c, 2);
    need(&c, S("-"));
    d.day = digits(&c, 2);
    if (c.rest.n) {
        if (!take(&c, S("T")))
            need(&c, S(" "));
        d.hour = digits(&c, 2);
        need(&c, S(":"));
        d.minute = digits(&c, 2);
        if (take(&c, S(":"))) {
            d.second = digits(&c, 2);
            d.ms = fraction(&c);
        }
        away = offset(&c);
    }
    return finish(&c, &d, away, out);
}

bool date_parse_basic(str text, msec *out)
{
    struct cursor c = {.rest = text};
    struct civil d = {.year = digits(&c, 4)};
    d.month = digits(&c, 2);
    d.day = digits(&c, 2);
    need(&c, S("T"));
    d.hour = digits(&c, 2);
    d.minute = digits(&c, 2);
    d.second = digits(&c, 2);
    need(&c, S("Z"));
    return finish(&c, &d, 0, out);
}

static void read_clock(struct cursor *c, struct civil *d)
{
    d->hour = digits(c, 2);
    need(c, S(":"));
    d->minute = digits(c, 2);
    need(c, S(":"));
    d->second = digits(c, 2);
}

/* RFC 9110's asctime form: "Sun Nov  6 08:49:37 1994". */
static bool parse_asctime(struct cursor c, msec *out)
{
    struct civil d = {0};
    need(&c, S(" "));
    d.month = name_of(&c, month_names) + 1;
    need(&c, S(" "));
    d.day = take(&c, S(" ")) ? digits(&c, 1) : digits(&c, 2);
    need(&c, S(" "));
    read_clock(&c, &d);
    need(&c, S(" "));
    d.year = digits(&c, 4);
    return finish(&c, &d, 0, out);
}

/* RFC 9110's own form, the two-digit year of RFC 850, and mail's zones ("+0000"), which signature
 * version 2 clients send. */
bool date_parse_http(str text, msec *out)
{
    struct cursor c = {.rest = text};
    struct civil d = {0};
    name_of(&c, day_names);
    if (peek(&c, ' '))
        return !c.bad && parse_asctime(c, out);
    while (c.rest.n && !peek(&c, ','))
        c.rest = str_slice(c.rest, 1, c.rest.n);
    need(&c, S(", "));
    d.day = digits(&c, 2);
    bool old = take(&c, S("-"));
    c.bad |= !old && !take(&c, S(" "));
    d.month = name_of(&c, month_names) + 1;
    need(&c, old ? S("-") : S(" "));
    d.year = digits(&c, old ? 2 : 4);
    d.year += !old ? 0 : d.year < 70 ? 2000 : 1900;
    need(&c, S(" "));
    read_clock(&c, &d);
    need(&c, S(" "));
    c.bad |= !c.rest.n;
    int away = take(&c, S("GMT")) || take(&c, S("UTC")) ? 0 : offset(&c);
    return finish(&c, &d, away, out);
}

bool date_parse(str text, msec *out)
{
    int64_t seconds;
    if (str_to_int(text, &seconds)) {
        if (seconds > NEWEST / 1000 || seconds < OLDEST / 1000)
            return false;
        *out = seconds * 1000;
        return true;
    }
    return date_parse_basic(text, out) || parse_iso(text, out) || date_parse_http(text, out);
}

struct unit {
    const char *name;
    msec length;
};

/* Longer names first where one begins another. */
static const struct unit plain_units[] = {{"ms", 1},      {"s", 1000},   {"m", 60000},
                                          {"h", 3600000}, {"d", DAY_MS}, {"w", 7 * DAY_MS},
                                          {NULL, 0}};
static const struct unit date_units[] = {{"W", 7 * DAY_MS}, {"D", DAY_MS}, {NULL, 0}};
static const struct unit clock_units[] = {{"H", 3600000}, {"M", 60000}, {"S", 1000}, {NULL, 0}};

static const struct unit *take_unit(struct cursor *c, const struct unit *units)
{
    for (; units->name; units++)
        if (take(c, str_of(units->name)))
            return units;
    c->bad = true;
    return units;
}

/* One "12.5h", added to the total. */
static void take_span(struct cursor *c, const struct unit *units, msec *total)
{
    size_t n = 0;
    int64_t count;
    while (n < c->rest.n && is_digit(c->rest.p[n]))
        n++;
    c->bad |= !str_to_int(str_slice(c->rest, 0, n), &count);
    c->rest = str_slice(c->rest, n, c->rest.n);
    int thousandths = fraction(c);
    const struct unit *unit = take_unit(c, units);
    if (c->bad || count > (INT64_MAX / 2 - *total) / unit->length - 1) {
        c->bad = true;
        return;
    }
    *total += count * unit->length + thousandths * unit->length / 1000;
}

bool duration_parse(str text, msec *out)
{
    struct cursor c = {.rest = text, .bad = text.n == 0};
    bool iso = take(&c, S("P"));
    const struct unit *units = iso ? date_units : plain_units;
    msec total = 0;
    do {
        if (iso && units == date_units && take(&c, S("T")))
            units = clock_units;
        take_span(&c, units, &total);
    } while (c.rest.n && !c.bad);
    if (c.bad)
        return false;
    *out = total;
    return true;
}
