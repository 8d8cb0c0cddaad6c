/* A text that is taken for a date gives an instant that is written and read back as itself; lengths
 * of time are not negative. */
#include "base/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_instant(struct arena *arena, msec t)
{
    msec again = 0, second = t - (t % 1000 + 1000) % 1000;
    /* An offset from UTC may lead just outside of the years that four digits can tell. */
    if (t < INT64_C(-62167219200000) || t > INT64_C(253402300799999))
        return;
    must(date_parse(date_iso_ms(arena, t), &again) && again == t);
    must(date_parse_basic(date_basic(arena, t), &again) && again == second);
    must(date_parse_http(date_http(arena, t), &again) && again == second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str text = {(const char *)data, n};
    msec t;
    if (date_parse(text, &t))
        check_instant(arena, t);
    if (date_parse_basic(text, &t))
        check_instant(arena, t);
    if (date_parse_http(text, &t))
        check_instant(arena, t);
    if (duration_parse(text, &t))
        must(t >= 0);
    arena_free(arena);
    return 0;
}
