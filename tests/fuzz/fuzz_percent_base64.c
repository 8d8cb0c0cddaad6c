/* What is encoded is decoded to itself; what base64_decode and hex_decode accept has one spelling.
 */
#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str s = {n ? (const char *)data : "", n};
    for (enum percent how = PERCENT_PATH; how <= PERCENT_FORM; how++)
        must(str_eq(percent_decode(arena, percent_encode(arena, s, how), how == PERCENT_FORM), s));
    must(percent_decode(arena, s, true).n <= s.n);
    must(str_eq(base64_decode(arena, base64_encode(arena, s)), s));
    str bytes = base64_decode(arena, s);
    if (bytes.p)
        must(str_eq(base64_encode(arena, bytes), s));
    uint8_t *raw = arena_alloc(arena, n + 1);
    must(hex_decode(hex_encode(arena, s.p, s.n), raw, n) && str_eq((str){(const char *)raw, n}, s));
    if (hex_decode(s, raw, n / 2))
        must(str_eq_nocase(hex_encode(arena, raw, n / 2), s));
    arena_free(arena);
    return 0;
}
