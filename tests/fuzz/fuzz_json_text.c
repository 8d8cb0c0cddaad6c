/* buf_json writes what another JSON parser accepts and reads as the same text; utf8_valid agrees
 * with that parser. */
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The text with U+FFFD in place of each invalid byte. */
static str repaired(struct arena *arena, str s)
{
    struct buf b = buf_in(arena);
    for (size_t at = 0; at < s.n;) {
        int32_t c = utf8_next(s, &at);
        buf_utf8(&b, c < 0 ? 0xFFFD : (uint32_t)c);
    }
    return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str s = {(const char *)data, n};
    struct buf b = buf_in(arena);
    buf_json(&b, s);
    json_t *read = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    must(read && json_is_string(read));
    str got = {json_string_value(read), json_string_length(read)};
    must(str_eq(got, repaired(arena, s)));
    must(utf8_valid(s) == str_eq(got, s));
    json_decref(read);
    json_t *plain = json_stringn(s.p ? s.p : "", s.n);
    must((plain != NULL) == utf8_valid(s));
    json_decref(plain);
    struct buf x = buf_in(arena);
    buf_xml(&x, s);
    must(utf8_valid(buf_str(&x)));
    arena_free(arena);
    return 0;
}
