/* pipeline/json.c - see json.h. Three of these texts are read for each file of the pipeline, so
 * they are read without a library's tree of counted references. */
#include "pipeline/json.h"

#include "base/text.h"

static struct value *read_any(struct jsonin *in);

static void read_object(struct jsonin *in, struct value *object)
{
    struct value **end = &object->first;
    str name;
    bool first = true;
    jsonin_enter(in, '{');
    while (!in->bad && jsonin_member(in, &first, &name)) {
        *end = read_any(in);
        (*end)->name = name;
        end = &(*end)->next;
    }
}

static void read_array(struct jsonin *in, struct value *array)
{
    struct value **end = &array->first;
    bool first = true;
    jsonin_enter(in, '[');
    while (!in->bad && jsonin_item(in, &first)) {
        *end = read_any(in);
        end = &(*end)->next;
    }
}

static void read_number(struct jsonin *in, struct value *value)
{
    bool whole;
    int64_t integer;
    const char *from = in->p;
    if (jsonin_number(in, &whole, &integer, &value->number))
        value->text = (str){from, (size_t)(in->p - from)};
}

static struct value *read_any(struct jsonin *in)
{
    struct value *value = ARENA_NEW(in->arena, struct value);
    value->kind = jsonin_peek(in);
    switch (value->kind) {
    case JSONIN_OBJECT:
        read_object(in, value);
        break;
    case JSONIN_ARRAY:
        read_array(in, value);
        break;
    case JSONIN_STRING:
        jsonin_string(in, &value->text);
        break;
    case JSONIN_NUMBER:
        read_number(in, value);
        break;
    default:
        jsonin_skip(in);
    }
    return value;
}

struct value *value_read(struct arena *arena, str text)
{
    struct jsonin in = jsonin_of(arena, text);
    struct value *value = read_any(&in);
    return jsonin_end(&in) ? value : NULL;
}

const struct value *value_member(const struct value *object, const char *name)
{
    const struct value *last = NULL;
    str wanted = str_of(name);
    for (const struct value *member = object ? object->first : NULL; member; member = member->next)
        if (str_eq(member->name, wanted))
            last = member;
    return object && object->kind == JSONIN_OBJECT ? last : NULL;
}

str value_str(struct arena *arena, const struct value *value)
{
    return value && value->kind == JSONIN_STRING ? arena_copy(arena, value->text) : STR_NONE;
}

static void put(struct buf *b, const struct value *value);

static void put_all(struct buf *b, const struct value *value, bool named)
{
    for (const struct value *inner = value->first; inner; inner = inner->next) {
        if (inner != value->first)
            buf_char(b, ',');
        if (named) {
            buf_json(b, inner->name);
            buf_char(b, ':');
        }
        put(b, inner);
    }
}

static void put(struct buf *b, const struct value *value)
{
    switch (value->kind) {
    case JSONIN_OBJECT:
        buf_char(b, '{');
        put_all(b, value, true);
        buf_char(b, '}');
        break;
    case JSONIN_ARRAY:
        buf_char(b, '[');
        put_all(b, value, false);
        buf_char(b, ']');
        break;
    case JSONIN_STRING:
        buf_json(b, value->text);
        break;
    case JSONIN_NUMBER:
        buf_put(b, value->text);
        break;
    case JSONIN_TRUE:
        BUF_LIT(b, "true");
        break;
    case JSONIN_FALSE:
        BUF_LIT(b, "false");
        break;
    default:
        BUF_LIT(b, "null");
    }
}

str value_json(struct arena *arena, const struct value *value)
{
    if (!value)
        return STR_NONE;
    struct buf b = buf_in(arena);
    put(&b, value);
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
