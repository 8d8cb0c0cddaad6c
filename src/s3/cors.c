/* s3/cors.c - see cors.h. */
#include "s3/cors.h"

#include <string.h>

/* Whether `text` is what `pattern` says; one '*' stands for any run of characters. */
static bool matches(str pattern, str text, bool nocase)
{
    ptrdiff_t star = str_find(pattern, S("*"), 0);
    if (star < 0)
        return nocase ? str_eq_nocase(pattern, text) : str_eq(pattern, text);
    str before = str_slice(pattern, 0, (size_t)star),
        after = str_slice(pattern, (size_t)star + 1, pattern.n);
    if (text.n < before.n + after.n)
        return false;
    return nocase ? str_starts_nocase(text, before) && str_ends_nocase(text, after)
                  : str_starts(text, before) && str_ends(text, after);
}

static bool any_matches(list patterns, str text, bool nocase)
{
    LIST_EACH (const struct scalar_str, pattern, patterns)
        if (matches(pattern->value, text, nocase))
            return true;
    return false;
}

static bool headers_allowed(list patterns, str headers)
{
    str rest = headers;
    while (rest.p) {
        str header = str_trim(str_cut(&rest, ','));
        if (header.n && !any_matches(patterns, header, true))
            return false;
    }
    return true;
}

const struct s3_cors_rule *s3_cors_rule_for(const struct s3_cors *cors,
                                            const struct s3_cors_request *request)
{
    LIST_EACH (const struct s3_cors_rule, rule, cors->rules)
        if (any_matches(rule->origins, request->origin, false) &&
            any_matches(rule->methods, request->method, false) &&
            headers_allowed(rule->headers, request->headers))
            return rule;
    return NULL;
}

bool s3_cors_header_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && !memchr("!#$%&'*+-.^_`|~", c, 15))
            return false;
    }
    return true;
}

bool s3_cors_any_origin(const struct s3_cors_rule *rule)
{
    LIST_EACH (const struct scalar_str, origin, rule->origins)
        if (str_eq(origin->value, S("*")))
            return true;
    return false;
}
