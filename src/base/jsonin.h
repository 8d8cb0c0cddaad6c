/* base/jsonin.h - JSON read as it stands, without a tree: the caller asks for what it expects, in
 * order. Strings without escapes are borrowed from the text. Strict (RFC 8259, valid UTF-8, no lone
 * surrogates, 32 levels). Once something is wrong every question answers "no", so a caller may
 * check `bad` at the end.
 *
 *     struct jsonin in = jsonin_of(arena, text);
 *     jsonin_enter(&in, '{');
 *     for (bool first = true; jsonin_member(&in, &first, &name);)
 *         ...read or jsonin_skip the value...
 *     ok = jsonin_end(&in); */
#ifndef HEADRACE_BASE_JSONIN_H
#define HEADRACE_BASE_JSONIN_H

#include "base/arena.h"

enum jsonin_kind {
    JSONIN_OBJECT,
    JSONIN_ARRAY,
    JSONIN_STRING,
    JSONIN_NUMBER,
    JSONIN_TRUE,
    JSONIN_FALSE,
    JSONIN_NULL,
    JSONIN_BAD
};

struct jsonin {
    struct arena *arena; /* for strings that have escapes */
    const char *p, *end;
    int depth;
    bool bad;
};

struct jsonin jsonin_of(struct arena *arena, str text);
/* What comes next, told by its first character. */
enum jsonin_kind jsonin_peek(struct jsonin *in);
/* Each reads one value of its kind; false, and the reader bad, when another one comes. */
bool jsonin_string(struct jsonin *in, str *out);
bool jsonin_bool(struct jsonin *in, bool *out);
bool jsonin_null(struct jsonin *in);
/* *whole: written without fraction or exponent and fits *integer; *real is always set. */
bool jsonin_number(struct jsonin *in, bool *whole, int64_t *integer, double *real);
/* Opens an object '{' or an array '['. */
bool jsonin_enter(struct jsonin *in, char bracket);
/* The next member's name, or item; false after the last, which also closes the bracket. *first is
 * true before the first. */
bool jsonin_member(struct jsonin *in, bool *first, str *name);
bool jsonin_item(struct jsonin *in, bool *first);
/* Any value, checked and dropped. */
bool jsonin_skip(struct jsonin *in);
/* True when nothing but blanks is left and nothing was wrong. */
bool jsonin_end(struct jsonin *in);

#endif
