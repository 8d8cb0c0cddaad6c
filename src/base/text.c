/* base/text.c - percent, base64, hex, UTF-8 and the escapes of JSON and XML. Dates are in date.c.
 *
 * Everything here works on bytes that a stranger sent: no function reads past its n bytes, none
 * trusts an encoding, and each answers for every input. Character classes are one table of flags,
 * because replies are made of these loops. */
#include "base/text.h"

#include <string.h>

enum class {
    KEEP_PATH = 1,  /* unreserved of RFC 3986, and '/' */
    KEEP_ALL = 2,   /* unreserved */
    KEEP_FORM = 4,  /* java.net.URLEncoder's set, and '/' */
    PLAIN_JSON = 8, /* ASCII that needs no escape in a JSON string */
    PLAIN_XML = 16, /* ASCII that needs no escape in XML text */
};

#define ALNUM (KEEP_PATH | KEEP_ALL | KEEP_FORM | PLAIN_JSON | PLAIN_XML)
#define PLAIN (PLAIN_JSON | PLAIN_XML)

static const uint8_t classes[256] = {
    ['\t'] = PLAIN_XML,
    ['\n'] = PLAIN_XML,
    [' '] = PLAIN,
    ['!'] = PLAIN,
    ['"'] = 0,
    ['#'] = PLAIN,
    ['$'] = PLAIN,
    ['%'] = PLAIN,
    ['&'] = PLAIN_JSON,
    ['\''] = PLAIN,
    ['('] = PLAIN,
    [')'] = PLAIN,
    ['*'] = PLAIN | KEEP_FORM,
    ['+'] = PLAIN,
    [','] = PLAIN,
    ['-'] = ALNUM,
    ['.'] = ALNUM,
    ['/'] = PLAIN | KEEP_PATH | KEEP_FORM,
    ['0' ... '9'] = ALNUM,
    [':'] = PLAIN,
    [';'] = PLAIN,
    ['<'] = PLAIN_JSON,
    ['='] = PLAIN,
    ['>'] = PLAIN_JSON,
    ['?'] = PLAIN,
    ['@'] = PLAIN,
    ['A' ... 'Z'] = ALNUM,
    ['['] = PLAIN,
    ['\\'] = PLAIN_XML,
    [']'] = PLAIN,
    ['^'] = PLAIN,
    ['_'] = ALNUM,
    ['`'] = PLAIN,
    ['a' ... 'z'] = ALNUM,
    ['{'] = PLAIN,
    ['|'] = PLAIN,
    ['}'] = PLAIN,
    ['~'] = PLAIN | KEEP_PATH | KEEP_ALL,
    ['\x7f'] = PLAIN_JSON,
};

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Length of the run of bytes from `at` on that carry the flag. */
static size_t run_of(str s, size_t at, enum class flag)
{
    size_t end = at;
    while (end < s.n && classes[(uint8_t)s.p[end]] & flag)
        end++;
    return end - at;
}

void buf_percent(struct buf *b, str s, enum percent how)
{
    static const enum class keeps[] = {KEEP_PATH, KEEP_ALL, KEEP_FORM};
    for (size_t i = 0; i < s.n;) {
        size_t kept = run_of(s, i, keeps[how]);
        buf_put(b, str_slice(s, i, i + kept));
        i += kept;
        if (i == s.n)
            return;
        uint8_t c = (uint8_t)s.p[i++];
        if (c == ' ' && how == PERCENT_FORM)
            buf_char(b, '+');
        else
            buf_put(b, (str){(char[]){'%', hex_upper[c >> 4], hex_upper[c & 15]}, 3});
    }
}

str percent_encode(struct arena *arena, str s, enum percent how)
{
    if (!s.p)
        return s;
    struct buf b = buf_in(arena);
    buf_percent(&b, s, how);
    return buf_str(&b);
}

str percent_decode(struct arena *arena, str s, bool plus)
{
    if (!s.p)
        return s;
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.p[i + 2]) : -1;
        if (low >= 0) {
            out[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[n++] = plus && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return (str){out, n};
}

#define HEX_ROW(h)                                                                                 \
    h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"

void hex_write(char *out, const void *bytes, size_t n)
{
    static const char pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4")
        HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
            HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");
    for (const uint8_t *in = bytes, *end = in + n; in < end; in++, out += 2)
        memcpy(out, pairs + 2 * (size_t)*in, 2);
}

str hex_encode(struct arena *arena, const void *bytes, size_t n)
{
    char *out = arena_alloc(arena, n * 2 + 1);
    hex_write(out, bytes, n);
    return (str){out, n * 2};
}

bool hex_decode(str hex, uint8_t *out, size_t n)
{
    if (hex.n != n * 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex.p[2 * i]), low = hex_value(hex.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_quad(char *to, unsigned word)
{
    to[0] = base64_digits[word >> 18];
    to[1] = base64_digits[word >> 12 & 63];
    to[2] = base64_digits[word >> 6 & 63];
    to[3] = base64_digits[word & 63];
}

str base64_encode(struct arena *arena, str bytes)
{
    if (!bytes.p)
        return bytes;
    char *out = arena_alloc(arena, (bytes.n + 2) / 3 * 4 + 1), *to = out;
    const uint8_t *in = (const uint8_t *)bytes.p;
    size_t left = bytes.n;
    for (; left >= 3; left -= 3, in += 3, to += 4)
        base64_quad(to, (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2]);
    if (left) {
        base64_quad(to, (unsigned)in[0] << 16 | (left > 1 ? (unsigned)in[1] << 8 : 0));
        memset(to + 1 + left, '=', 3 - left);
        to += 4;
    }
    return (str){out, (size_t)(to - out)};
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

str base64_decode(struct arena *arena, str text)
{
    if (!text.p || text.n % 4)
        return STR_NONE;
    size_t digits = text.n;
    while (digits && text.n - digits < 2 && text.p[digits - 1] == '=')
        digits--;
    char *out = arena_alloc(arena, text.n / 4 * 3 + 1);
    size_t n = 0;
    uint32_t word = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = base64_value(text.p[i]);
        if (value < 0)
            return STR_NONE;
        word = word << 6 | (uint32_t)value;
        if (i % 4)
            out[n++] = (char)(word >> (6 - i % 4 * 2) & 255);
    }
    /* Bits that the padding cuts off must be zero, else two texts would mean the same bytes. */
    unsigned unused = digits % 4 == 2 ? 15 : digits % 4 == 3 ? 3 : 0;
    return word & unused ? STR_NONE : (str){out, n};
}

/* Bytes of the sequence that a lead byte opens and the least code point of that length; 0 for a
 * byte that opens none. */
static size_t utf8_length(uint8_t lead, uint32_t *least)
{
    static const uint32_t leasts[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = lead < 0x80   ? 1
               : lead < 0xC2 ? 0
               : lead < 0xE0 ? 2
               : lead < 0xF0 ? 3
               : lead < 0xF5 ? 4
                             : 0;
    *least = leasts[n];
    return n;
}

int32_t utf8_next(str s, size_t *at)
{
    const uint8_t *p = (const uint8_t *)s.p + *at;
    size_t left = s.n - *at;
    uint32_t least, c = p[0];
    size_t n = utf8_length(p[0], &least);
    ++*at;
    if (n == 1)
        return (int32_t)c;
    if (n == 0 || n > left)
        return -1;
    c &= 0x7Fu >> n;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return -1;
    *at += n - 1;
    return (int32_t)c;
}

/* Index of the first byte at or after `at` that is not ASCII, eight at a time. */
static size_t skip_ascii(str s, size_t at)
{
    uint64_t word;
    for (; at + 8 <= s.n; at += 8) {
        memcpy(&word, s.p + at, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (at < s.n && (uint8_t)s.p[at] < 0x80)
        at++;
    return at;
}

/* Eight bytes at a time up to the first that is no plain ASCII: a subtraction borrows only above a
 * byte that ends this part anyway. */
static bool eight_plain(const char *p)
{
    const uint64_t each = 0x0101010101010101u, tops = each * 0x80;
    uint64_t word;
    memcpy(&word, p, 8);
    return !((word | (word - each * ' ') | ((word ^ each * 0x7f) - each)) & tops);
}

size_t text_controls_at(str s)
{
    size_t at = 0;
    while (at + 8 <= s.n && eight_plain(s.p + at))
        at += 8;
    if (s.n >= 8 && at + 8 > s.n && eight_plain(s.p + s.n - 8))
        return s.n; /* the last eight may overlap those before */
    while (at < s.n && (uint8_t)s.p[at] >= ' ' && s.p[at] != 0x7f)
        at++;
    return at;
}

str text_next(struct arena *arena, str s)
{
    char *next = arena_alloc(arena, s.n + 1);
    if (s.n)
        memcpy(next, s.p, s.n);
    return (str){next, s.n + 1};
}

str text_beyond(struct arena *arena, str s)
{
    while (s.n && (unsigned char)s.p[s.n - 1] == 0xFF)
        s.n--;
    if (!s.n)
        return STR_NONE;
    char *end = arena_cstr(arena, s);
    end[s.n - 1] = (char)((unsigned char)end[s.n - 1] + 1);
    return (str){end, s.n};
}

str text_lower(struct arena *arena, str s)
{
    str copy = arena_copy(arena, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 'a' - 'A');
    return copy;
}

size_t utf8_count(str s)
{
    size_t ascii = skip_ascii(s, 0), n = ascii;
    for (size_t i = ascii; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

bool utf8_valid(str s)
{
    for (size_t at = skip_ascii(s, 0); at < s.n; at = skip_ascii(s, at))
        if (utf8_next(s, &at) < 0)
            return false;
    return true;
}

void buf_utf8(struct buf *b, uint32_t c)
{
    char *to = buf_room(b, 4);
    if (c < 0x80) {
        to[0] = (char)c;
        b->n += 1;
        return;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; --i;) {
        to[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    to[0] = (char)((0xF00u >> n & 0xF0) | c);
    b->n += n;
}

static void json_escape(struct buf *b, uint8_t c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *pair = shorts; *pair; pair += 2)
        if (c == (uint8_t)pair[0]) {
            buf_put(b, (str){(char[]){'\\', pair[1]}, 2});
            return;
        }
    buf_put(b, (str){(char[]){'\\', 'u', '0', '0', hex_lower[c >> 4], hex_lower[c & 15]}, 6});
}

/* A subtraction borrows only above a byte that ends the run anyway. */
size_t text_json_plain(str s)
{
    const uint64_t each = 0x0101010101010101u, tops = each * 0x80;
    size_t at = 0;
    for (uint64_t word; at + 8 <= s.n; at += 8) {
        memcpy(&word, s.p + at, 8);
        uint64_t quote = word ^ each * '"', slash = word ^ each * '\\';
        if ((word | (word - each * ' ') | (quote - each) | (slash - each)) & tops)
            break;
    }
    return at;
}

void buf_json(struct buf *b, str s)
{
    size_t plain = text_json_plain(s);
    buf_room(b, s.n + 2);
    buf_char(b, '"');
    buf_put(b, str_slice(s, 0, plain));
    for (size_t at = plain; at < s.n;) {
        size_t run = run_of(s, at, PLAIN_JSON), from = at += run;
        buf_put(b, str_slice(s, at - run, at));
        if (at == s.n)
            break;
        if ((uint8_t)s.p[at] < 0x80)
            json_escape(b, (uint8_t)s.p[at++]);
        else if (utf8_next(s, &at) < 0)
            BUF_LIT(b, "\xEF\xBF\xBD");
        else
            buf_put(b, str_slice(s, from, at));
    }
    buf_char(b, '"');
}

/* What XML 1.0 cannot hold even as a reference is written as one all the same: AWS does, and its
 * SDKs expect it. */
static void xml_escape(struct buf *b, int32_t c)
{
    static const struct {
        int32_t c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\r', "&#xD;"}};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (c == entities[i].c) {
            buf_put(b, str_of(entities[i].entity));
            return;
        }
    buf_printf(b, "&#x%x;", (unsigned)c);
}

void buf_xml(struct buf *b, str s)
{
    for (size_t at = 0; at < s.n;) {
        size_t run = run_of(s, at, PLAIN_XML), from = at += run;
        buf_put(b, str_slice(s, at - run, at));
        if (at == s.n)
            return;
        int32_t c = utf8_next(s, &at);
        if (c < 0)
            BUF_LIT(b, "\xEF\xBF\xBD");
        else if (c < 0x80 || c == 0xFFFE || c == 0xFFFF)
            xml_escape(b, c);
        else
            buf_put(b, str_slice(s, from, at));
    }
}

/* ---- terminals ---- */

/* Bytes of the character at p that a terminal could obey; 0: it shows it. */
static size_t obeyed(const unsigned char *p, size_t n)
{
    if (p[0] < 32 || p[0] == 127)
        return 1;
    if (n > 1 && p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0)
        return 2; /* U+0080 to U+009F: controls, too */
    if (n < 3 || p[0] != 0xE2)
        return 0;
    /* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069. */
    bool turns = (p[1] == 0x80 && (p[2] == 0x8E || p[2] == 0x8F)) ||
                 (p[1] == 0x80 && p[2] >= 0xA8 && p[2] <= 0xAE) ||
                 (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
    return turns ? 3 : 0;
}

void buf_visible(struct buf *b, str s)
{
    for (size_t i = 0, skip; i < s.n; i += skip ? skip : 1) {
        skip = obeyed((const unsigned char *)s.p + i, s.n - i);
        buf_char(b, skip ? '?' : s.p[i]);
    }
}
