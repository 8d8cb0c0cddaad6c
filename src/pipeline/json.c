/* pipeline/json.c - see json.h. */
#include "pipeline/json.h"

#include "base/text.h"

#include <stdlib.h>

json_t *value_read(str text)
{
    return json_loadb(text.p ? text.p : "", text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

str value_str(struct arena *arena, const json_t *value)
{
    if (!json_is_string(value))
        return STR_NONE;
    return arena_copy(arena, (str){json_string_value(value), json_string_length(value)});
}

static str dumped(struct arena *arena, const json_t *value)
{
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    str text = dump ? arena_copy(arena, str_of(dump)) : S("null");
    free(dump);
    return text;
}

str value_json(struct arena *arena, const json_t *value)
{
    if (!value)
        return STR_NONE;
    if (!json_is_string(value))
        return dumped(arena, value);
    struct buf b = buf_in(arena);
    buf_json(&b, (str){json_string_value(value), json_string_length(value)});
    return buf_str(&b);
}

static void name(struct buf *b, const char *text)
{
    if (b->n && b->p[b->n - 1] != '{')
        buf_char(b, ',');
    buf_char(b, '"');
    buf_put(b, str_of(text));
    BUF_LIT(b, "\":");
}

void member_str(struct buf *b, const char *member, str value)
{
    name(b, member);
    buf_json(b, value);
}

void member_int(struct buf *b, const char *member, int64_t value)
{
    name(b, member);
    buf_int(b, value);
}

void member_raw(struct buf *b, const char *member, str json)
{
    if (!json.p)
        return;
    name(b, member);
    buf_put(b, json);
}
