/* base/text.h - text forms that several layers share: percent, base64, hex, dates, UTF-8, JSON and
 * XML escapes. */
#ifndef HEADRACE_BASE_TEXT_H
#define HEADRACE_BASE_TEXT_H

#include "base/buf.h"
#include "base/ctx.h"

enum percent {
    PERCENT_PATH, /* AWS canonical: keeps A-Za-z0-9-._~ and '/' */
    PERCENT_ALL,  /* as PATH but encodes '/' too */
    PERCENT_FORM, /* application/x-www-form-urlencoded with '/' kept: ' ' -> '+' (S3 events,
                     encoding-type=url) */
};
void buf_percent(struct buf *b, str s, enum percent how);
str percent_encode(struct arena *arena, str s, enum percent how);
/* Undoes %XX; a malformed escape stays as it is. `plus`: '+' becomes a blank. */
str percent_decode(struct arena *arena, str s, bool plus);

str hex_encode(struct arena *arena, const void *bytes, size_t n);
void hex_write(char *out, const void *bytes, size_t n); /* 2 n digits, no NUL */
bool hex_decode(str hex, uint8_t *out, size_t n);       /* exactly n bytes, any case */
str base64_encode(struct arena *arena, str bytes);
/* Strict: padding required, no white space. Absent on malformed input. */
str base64_decode(struct arena *arena, str text);

/* A copy with ASCII capitals made small; absent stays absent. */
str text_lower(struct arena *arena, str s);
/* In the order of bytes: the first text after `s`, and the first after all that begin with `s`
 * (absent: there is none). */
str text_next(struct arena *arena, str s);
str text_beyond(struct arena *arena, str s);
/* Length of the start of `s` that is ASCII and needs no escape in a JSON string, exactly or some
 * bytes less. */
size_t text_json_plain(str s);
/* Where the first control character of ASCII stands (below a blank, or DEL); s.n: there is none. */
size_t text_controls_at(str s);
/* Strictly valid UTF-8 (no surrogates, no overlong forms). */
bool utf8_valid(str s);
/* Characters of UTF-8 text: every byte but those that continue one. */
size_t utf8_count(str s);
/* Next code point at *at, advancing it; -1 for an invalid byte (advances by one). */
int32_t utf8_next(str s, size_t *at);
/* Appends code point c. */
void buf_utf8(struct buf *b, uint32_t c);

/* "2026-01-01T00:00:00.000Z" */
str date_iso_ms(struct arena *arena, msec t);
/* "2026-01-01T00:00:00Z" */
str date_iso(struct arena *arena, msec t);
/* "Thu, 01 Jan 2026 00:00:00 GMT" */
str date_http(struct arena *arena, msec t);
/* "01/Jan/2026:00:00:00 +0000": of access logs */
str date_log(struct arena *arena, msec t);
/* "20260101T000000Z" */
str date_basic(struct arena *arena, msec t);
/* "Tue Dec 31 16:00:00 PST 2019": how AWS prints some dates in faults, of any region. */
str date_pacific(struct arena *arena, msec t);
/* Each returns false on malformed text. date_parse takes any of ISO 8601 (with ms or offset),
 * basic, HTTP and integer epoch seconds. */
bool date_parse(str text, msec *out);
bool date_parse_basic(str text, msec *out);
bool date_parse_http(str text, msec *out);
/* "90s", "1h30m", "250ms", "2d", "PT12H", "P1DT2H": a length of time >= 0. */
bool duration_parse(str text, msec *out);

/* A JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void buf_json(struct buf *b, str s);
/* UTF-8 text for a terminal, on one line: what it could obey instead of showing it (controls, ends
 * of lines, turns of direction) is a '?' each. */
void buf_visible(struct buf *b, str s);
/* XML text: & < > " -> entities, CR -> &#xD;, other characters illegal in XML 1.0 -> &#x..; (AWS
 * does so too). */
void buf_xml(struct buf *b, str s);

#endif
