/* base/str.h - a string is a pointer and a length: a borrowed view, never owned, not
 * NUL-terminated. `p == NULL` means absent, which differs from present and empty (`p != NULL, n ==
 * 0`). What every request does a hundred times is inline: with a literal most of it folds away. */
#ifndef HEADRACE_BASE_STR_H
#define HEADRACE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const char *p;
    size_t n;
} str;

#define S(literal) ((str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((str){NULL, 0})
/* The two arguments of a "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

/* A view of a C string; NULL gives STR_NONE. */
static inline str str_of(const char *text)
{
    return text ? (str){text, strlen(text)} : STR_NONE;
}

static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_same_nocase(const char *a, const char *b, size_t n);

/* Equal but for the case of ASCII letters. */
static inline bool str_eq_nocase(str a, str b)
{
    return a.n == b.n && str_same_nocase(a.p, b.p, a.n);
}

/* Order of the bytes, as memcmp: <0, 0, >0; a prefix sorts before the longer string. */
int str_cmp(str a, str b);

static inline bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

bool str_starts_nocase(str s, str prefix);
bool str_ends_nocase(str s, str suffix);
/* Index of the first `needle` at or after `from`, or -1. */
ptrdiff_t str_find(str s, str needle, size_t from);
/* Bytes [from, to) of s, clipped to it. */
static inline str str_slice(str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return s.p ? (str){s.p + from, to - from} : s;
}

/* How many times the byte stands in s. */
size_t str_count(str s, char c);

/* The text before the first `separator`; *rest is what follows it, or absent when there was none.
 * Walk with: while (rest.p) { str item = str_cut(&rest, ','); ... } */
str str_cut(str *rest, char separator);
/* Without ASCII white space at both ends. */
str str_trim(str s);
/* A whole decimal integer with optional '-', no spaces, in range of int64: true and *out; else
 * false. */
bool str_to_int(str s, int64_t *out);
/* True for 12 digits, the form of an AWS account's id. */
bool str_is_account(str s);
/* FNV-1a, for hash tables of trusted size. */
uint64_t str_hash(str s);

#endif
