/* base/jsonin.c - see jsonin.h. Requests of the JSON protocol are read with this because a tree of
 * heap nodes costs more than all else that is done to a SendMessage in user space;
 * tests/fuzz/fuzz_jsonin.c holds it to jansson's verdicts. */
#include "base/jsonin.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct jsonin jsonin_of(struct arena *arena, str text)
{
    return (struct jsonin){.arena = arena, .p = text.p, .end = text.p + text.n};
}

static bool bad(struct jsonin *in)
{
    in->bad = true;
    in->p = in->end;
    return false;
}

/* The next character that is no blank, or 0 at the end. */
static char next(struct jsonin *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\n' || *in->p == '\r' || *in->p == '\t'))
        in->p++;
    return in->p < in->end ? *in->p : 0;
}

enum jsonin_kind jsonin_peek(struct jsonin *in)
{
    switch (next(in)) {
    case '{':
        return JSONIN_OBJECT;
    case '[':
        return JSONIN_ARRAY;
    case '"':
        return JSONIN_STRING;
    case 't':
        return JSONIN_TRUE;
    case 'f':
        return JSONIN_FALSE;
    case 'n':
        return JSONIN_NULL;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return JSONIN_NUMBER;
    default:
        bad(in);
        return JSONIN_BAD;
    }
}

/* --- strings --- */

/* Bytes of the text up to its closing quote. *escaped: it has a backslash; *wide: it has bytes
 * beyond ASCII. */
static bool raw_string(struct jsonin *in, str *raw, bool *escaped, bool *wide)
{
    const char *p = in->p + 1;
    p += text_json_plain((str){p, (size_t)(in->end - p)});
    uint8_t any = 0;
    *escaped = false;
    while (p < in->end && *p != '"') {
        uint8_t c = (uint8_t)*p++;
        any |= c;
        if (c < 0x20)
            return bad(in);
        if (c == '\\') {
            *escaped = true;
            p += p < in->end;
        }
    }
    if (p >= in->end)
        return bad(in);
    *raw = (str){in->p + 1, (size_t)(p - in->p - 1)};
    *wide = any & 0x80;
    in->p = p + 1;
    return true;
}

static bool hex4(const char *p, const char *end, uint32_t *out)
{
    uint8_t bytes[2];
    if (end - p < 4 || !hex_decode((str){p, 4}, bytes, 2))
        return false;
    *out = (uint32_t)bytes[0] << 8 | bytes[1];
    return true;
}

/* \uXXXX, or the pair of them that one character beyond the BMP takes; `p` is behind the 'u'. */
static const char *put_unicode(struct buf *b, const char *p, const char *end)
{
    uint32_t high, low;
    if (!hex4(p, end, &high))
        return NULL;
    p += 4;
    if (high >= 0xDC00 && high <= 0xDFFF)
        return NULL;
    if (high >= 0xD800 && high <= 0xDBFF) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u' || !hex4(p + 2, end, &low) || low < 0xDC00 ||
            low > 0xDFFF)
            return NULL;
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    }
    buf_utf8(b, high);
    return p;
}

static const char *put_escape(struct buf *b, const char *p, const char *end)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *at = p < end ? memchr(names, *p, sizeof names - 1) : NULL;
    if (at)
        buf_char(b, values[at - names]);
    else if (p >= end || *p != 'u')
        return NULL;
    return at ? p + 1 : put_unicode(b, p + 1, end);
}

static bool unescape(struct jsonin *in, str raw, str *out)
{
    struct buf b = buf_in(in->arena);
    const char *p = raw.p, *end = raw.p + raw.n;
    buf_room(&b, raw.n + 1);
    while (p && p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        const char *stop = slash ? slash : end;
        buf_put(&b, (str){p, (size_t)(stop - p)});
        p = slash ? put_escape(&b, slash + 1, end) : end;
    }
    *out = buf_str(&b);
    return p ? true : bad(in);
}

bool jsonin_string(struct jsonin *in, str *out)
{
    str raw;
    bool escaped, wide;
    if (jsonin_peek(in) != JSONIN_STRING)
        return bad(in);
    if (!raw_string(in, &raw, &escaped, &wide))
        return false;
    if (wide && !utf8_valid(raw))
        return bad(in);
    *out = raw;
    return escaped ? unescape(in, raw, out) : true;
}

/* --- numbers and words --- */

static size_t digits(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return (size_t)(p - start);
}

/* The end of the number at `p` as the grammar has it, NULL when it is none. */
static const char *number_end(const char *p, const char *end, bool *whole)
{
    *whole = true;
    p += p < end && *p == '-';
    size_t n = digits(p, end);
    if (!n || (n > 1 && *p == '0'))
        return NULL;
    p += n;
    if (p < end && *p == '.') {
        *whole = false;
        n = digits(p + 1, end);
        if (!n)
            return NULL;
        p += 1 + n;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *whole = false;
        p++;
        p += p < end && (*p == '+' || *p == '-');
        n = digits(p, end);
        return n ? p + n : NULL;
    }
    return p;
}

static double real_of(str text)
{
    char copy[400];
    size_t n = text.n < sizeof copy - 1 ? text.n : sizeof copy - 1;
    memcpy(copy, text.p, n);
    copy[n] = 0;
    return strtod(copy, NULL);
}

bool jsonin_number(struct jsonin *in, bool *whole, int64_t *integer, double *real)
{
    if (jsonin_peek(in) != JSONIN_NUMBER)
        return bad(in);
    const char *end = number_end(in->p, in->end, whole);
    if (!end)
        return bad(in);
    str text = {in->p, (size_t)(end - in->p)};
    *whole = *whole && str_to_int(text, integer);
    *real = *whole ? (double)*integer : real_of(text);
    in->p = end;
    return true;
}

static bool word(struct jsonin *in, str expected)
{
    next(in);
    if (!str_starts((str){in->p, (size_t)(in->end - in->p)}, expected))
        return bad(in);
    in->p += expected.n;
    return true;
}

bool jsonin_bool(struct jsonin *in, bool *out)
{
    *out = next(in) == 't';
    return word(in, *out ? S("true") : S("false"));
}

bool jsonin_null(struct jsonin *in)
{
    return word(in, S("null"));
}

/* --- structure --- */

bool jsonin_enter(struct jsonin *in, char bracket)
{
    if (next(in) != bracket || ++in->depth > DEPTH_MAX)
        return bad(in);
    in->p++;
    return true;
}

/* Steps over the comma before all but the first, or over the closing bracket: then false. */
static bool more(struct jsonin *in, bool *first, char close)
{
    char c = next(in);
    if (c == close) {
        in->p++;
        in->depth--;
        return false;
    }
    if (!*first && c != ',')
        return bad(in);
    in->p += !*first;
    *first = false;
    return !in->bad && in->p < in->end ? true : bad(in);
}

bool jsonin_item(struct jsonin *in, bool *first)
{
    return more(in, first, ']');
}

bool jsonin_member(struct jsonin *in, bool *first, str *name)
{
    if (!more(in, first, '}') || !jsonin_string(in, name))
        return false;
    if (next(in) != ':')
        return bad(in);
    in->p++;
    return true;
}

static bool skip_brackets(struct jsonin *in, bool object)
{
    str name;
    bool first = true;
    if (!jsonin_enter(in, object ? '{' : '['))
        return false;
    while (object ? jsonin_member(in, &first, &name) : jsonin_item(in, &first))
        jsonin_skip(in);
    return !in->bad;
}

bool jsonin_skip(struct jsonin *in)
{
    str text;
    bool truth;
    int64_t integer;
    double real;
    switch (jsonin_peek(in)) {
    case JSONIN_OBJECT:
        return skip_brackets(in, true);
    case JSONIN_ARRAY:
        return skip_brackets(in, false);
    case JSONIN_STRING:
        return jsonin_string(in, &text);
    case JSONIN_NUMBER:
        return jsonin_number(in, &truth, &integer, &real);
    case JSONIN_TRUE:
    case JSONIN_FALSE:
        return jsonin_bool(in, &truth);
    case JSONIN_NULL:
        return jsonin_null(in);
    default:
        return false;
    }
}

bool jsonin_end(struct jsonin *in)
{
    return !in->bad && !next(in) && in->p == in->end;
}
