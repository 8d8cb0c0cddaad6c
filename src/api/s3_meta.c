/* api/s3_meta.c - see s3_meta.h. */
#include "api/s3_meta.h"

#include "base/buf.h"
#include "base/text.h"

#include <string.h>

static bool is_ascii(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static void put_latin(struct buf *b, str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        buf_utf8(b, (unsigned char)bytes.p[i]);
}

/* --- decoding --- */

static str decode_q(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t byte;
        if (text.p[i] == '=' && hex_decode(str_slice(text, i + 1, i + 3), &byte, 1)) {
            buf_char(&b, (char)byte);
            i += 2;
        } else {
            buf_char(&b, text.p[i] == '_' ? ' ' : text.p[i]);
        }
    }
    return buf_str(&b);
}

static bool put_decoded(struct buf *b, str charset, str bytes)
{
    bool utf8 = str_eq_nocase(charset, S("utf-8")) || str_eq_nocase(charset, S("us-ascii"));
    if (!utf8 && !str_eq_nocase(charset, S("iso-8859-1")))
        return false;
    if (utf8 && !utf8_valid(bytes))
        return false;
    if (utf8)
        buf_put(b, bytes);
    else
        put_latin(b, bytes);
    return true;
}

/* "=?charset?Q|B?text?=" at the start of `rest`, which moves past it; false: no such word. */
static bool take_word(struct buf *b, str *rest)
{
    if (!str_starts(*rest, S("=?")))
        return false;
    str left = str_slice(*rest, 2, rest->n);
    str charset = str_cut(&left, '?');
    str form = left.p ? str_cut(&left, '?') : STR_NONE;
    ptrdiff_t end = left.p ? str_find(left, S("?="), 0) : -1;
    if (end < 0 || form.n != 1)
        return false;
    str text = str_slice(left, 0, (size_t)end), bytes = STR_NONE;
    if (str_eq_nocase(form, S("q")))
        bytes = decode_q(b->arena, text);
    else if (str_eq_nocase(form, S("b")))
        bytes = base64_decode(b->arena, text);
    if (!bytes.p || (text.n && !bytes.n) || !put_decoded(b, charset, bytes))
        return false;
    *rest = str_slice(left, (size_t)end + 2, left.n);
    return true;
}

/* Blanks between two words are no part of the text. */
static str skip_gap(str rest)
{
    size_t n = 0;
    while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t'))
        n++;
    str after = str_slice(rest, n, rest.n);
    return str_starts(after, S("=?")) ? after : rest;
}

str s3_meta_decode(struct arena *arena, str value)
{
    if (str_find(value, S("=?"), 0) < 0 && is_ascii(value))
        return value;
    struct buf b = buf_in(arena);
    str rest = value;
    while (rest.n) {
        if (take_word(&b, &rest)) {
            rest = skip_gap(rest);
            continue;
        }
        put_latin(&b, str_slice(rest, 0, 1));
        rest = str_slice(rest, 1, rest.n);
    }
    return buf_str(&b);
}

/* --- encoding --- */

/* Unicode's category C, but for what is not assigned yet. */
static bool is_unprintable(int32_t c)
{
    static const struct {
        int32_t from, to;
    } ranges[] = {{0x00, 0x08},       {0x0A, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},
                  {0x600, 0x605},     {0x61C, 0x61C},   {0x6DD, 0x6DD},   {0x70F, 0x70F},
                  {0x180E, 0x180E},   {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F},
                  {0xD800, 0xF8FF},   {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFD, 0xFFFF},
                  {0xE0000, 0x10FFFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

static bool all_printable(str text)
{
    for (size_t at = 0; at < text.n;) {
        int32_t c = utf8_next(text, &at);
        if (c < 0 || is_unprintable(c))
            return false;
    }
    return true;
}

static str encode_q(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "=?UTF-8?Q?");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == ' ')
            buf_char(&b, '_');
        else if (c >= 0x7F || (c < 0x20 && c != '\t') || strchr("=?_", c))
            buf_printf(&b, "=%02X", c);
        else
            buf_char(&b, (char)c);
    }
    BUF_LIT(&b, "?=");
    return buf_str(&b);
}

str s3_meta_encode(struct arena *arena, str text)
{
    bool printable = all_printable(text);
    if (printable && is_ascii(text))
        return text;
    if (printable)
        return encode_q(arena, text);
    return arena_printf(arena, "=?UTF-8?B?%.*s?=", STR_ARG(base64_encode(arena, text)));
}
