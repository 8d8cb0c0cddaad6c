/* What our reader takes for JSON, jansson takes for JSON, and the other way round; and a string is
 * the same string to both. */
#include "base/jsonin.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int depth_of(str s)
{
    int depth = 0, most = 0;
    for (size_t i = 0; i < s.n; i++) {
        depth += (s.p[i] == '{' || s.p[i] == '[') - (s.p[i] == '}' || s.p[i] == ']');
        most = depth > most ? depth : most;
    }
    return most;
}

/* Limits of jansson's own: numbers beyond its types, and names with NUL. */
static bool is_its_own_limit(const json_error_t *error)
{
    return strstr(error->text, "too big") || strstr(error->text, "overflow") ||
           strstr(error->text, "NUL") || strstr(error->text, "maximum parsing depth");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str text = {(const char *)data, n}, string;
    struct jsonin in = jsonin_of(arena, text);
    json_error_t error = {0};
    bool ours = jsonin_skip(&in) && jsonin_end(&in);
    json_t *theirs = json_loadb(text.p ? text.p : "", n, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (ours && !theirs && !is_its_own_limit(&error))
        abort();
    /* jansson takes a NUL outside a string for the end of the text. */
    if (!ours && theirs && depth_of(text) <= 32 && !memchr(data, 0, n))
        abort();
    if (ours && json_is_string(theirs)) {
        in = jsonin_of(arena, text);
        if (!jsonin_string(&in, &string) || string.n != json_string_length(theirs) ||
            memcmp(string.p, json_string_value(theirs), string.n))
            abort();
    }
    json_decref(theirs);
    arena_free(arena);
    return 0;
}
