/* aws/codec_json.c - see codec_json.h. One function a kind, in tables indexed by enum shape_kind;
 * both directions walk the same fields, so a member that can be read can be written. Decoding goes
 * once over the text, straight into the structs; strings without escapes are borrowed from the
 * body, which lives as long as the request. */
#include "aws/codec_json.h"

#include "base/jsonin.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* More entries than any legal map has (50 tags); a map's names are compared with each other. */
#define MAP_MAX 1024

static const struct shape_issue FINE = {WRONG_NOTHING, NULL, STR_NONE, STR_NONE};

/* --- decoding --- */

typedef struct shape_issue take(struct jsonin *in, const struct field *field, void *at);

static struct shape_issue take_members(struct jsonin *in, const struct shape *shape, void *out);

/* How AWS's front end names what it found where something else belongs. */
static str found_name(struct jsonin *in, enum jsonin_kind kind)
{
    static const char *const names[] = {
        "START_OBJECT", "START_ARRAY", "STRING_VALUE", "NUMBER_VALUE",
        "TRUE_VALUE",   "FALSE_VALUE", "NULL_VALUE",   ""};
    bool whole;
    int64_t integer;
    double real;
    if (kind == JSONIN_NUMBER && jsonin_number(in, &whole, &integer, &real) && !whole)
        return S("DECIMAL_VALUE");
    return str_of(names[kind]);
}

/* What comes next is not of the wanted kind, or was not JSON at all. */
static struct shape_issue wrong_type(struct jsonin *in, const struct field *field)
{
    enum jsonin_kind kind = in->bad ? JSONIN_BAD : jsonin_peek(in);
    if (kind == JSONIN_BAD)
        return (struct shape_issue){.wrong = WRONG_SYNTAX};
    return (struct shape_issue){WRONG_TYPE, field, str_of(field ? field->wire : NULL),
                                found_name(in, kind)};
}

static struct shape_issue syntax_unless(bool good)
{
    return good ? FINE : (struct shape_issue){.wrong = WRONG_SYNTAX};
}

static struct shape_issue take_str(struct jsonin *in, const struct field *field, void *at)
{
    if (jsonin_peek(in) != JSONIN_STRING)
        return wrong_type(in, field);
    return syntax_unless(jsonin_string(in, at));
}

static struct shape_issue take_int(struct jsonin *in, const struct field *field, void *at)
{
    bool whole;
    int64_t integer = 0;
    double real;
    if (jsonin_peek(in) != JSONIN_NUMBER)
        return wrong_type(in, field);
    if (!jsonin_number(in, &whole, &integer, &real))
        return syntax_unless(false);
    if (!whole && (real != trunc(real) || !(fabs(real) < 9e15)))
        return (struct shape_issue){WRONG_TYPE, field, str_of(field->wire), S("DECIMAL_VALUE")};
    *(opt_int *)at = INT_OF(whole ? integer : (int64_t)real);
    return FINE;
}

static struct shape_issue take_bool(struct jsonin *in, const struct field *field, void *at)
{
    enum jsonin_kind kind = jsonin_peek(in);
    bool truth;
    if (kind != JSONIN_TRUE && kind != JSONIN_FALSE)
        return wrong_type(in, field);
    if (!jsonin_bool(in, &truth))
        return syntax_unless(false);
    *(opt_bool *)at = BOOL_OF(truth);
    return FINE;
}

static struct shape_issue take_blob(struct jsonin *in, const struct field *field, void *at)
{
    str text, bytes;
    struct shape_issue issue = take_str(in, field, &text);
    if (issue.wrong)
        return issue;
    bytes = base64_decode(in->arena, text);
    if (!bytes.p)
        return (struct shape_issue){WRONG_TYPE, field, str_of(field->wire), S("STRING_VALUE")};
    *(str *)at = bytes;
    return FINE;
}

static struct shape_issue take_time(struct jsonin *in, const struct field *field, void *at)
{
    bool whole;
    int64_t integer;
    double seconds;
    if (jsonin_peek(in) != JSONIN_NUMBER)
        return wrong_type(in, field);
    if (!jsonin_number(in, &whole, &integer, &seconds))
        return syntax_unless(false);
    if (!(fabs(seconds) < 9e12))
        return (struct shape_issue){WRONG_TYPE, field, str_of(field->wire), S("NUMBER_VALUE")};
    *(opt_int *)at = INT_OF((int64_t)llround(seconds * 1000));
    return FINE;
}

static struct shape_issue take_nested(struct jsonin *in, const struct field *field, void *at)
{
    if (jsonin_peek(in) != JSONIN_OBJECT)
        return wrong_type(in, field);
    void *inner = arena_alloc(in->arena, field->of->size);
    *(void **)at = inner;
    return shape_issue_in(in->arena, field, take_members(in, field->of, inner));
}

static take *const takers[];

static struct shape_issue take_item(struct jsonin *in, const struct shape *of, char *at)
{
    if (shape_is_scalar(of))
        return takers[of->fields->kind](in, of->fields, at + of->fields->offset);
    if (jsonin_peek(in) != JSONIN_OBJECT)
        return wrong_type(in, NULL);
    return take_members(in, of, at);
}

/* The issue of one item; its field stays that of the item, for what was wanted there. */
static struct shape_issue below(struct arena *arena, const struct field *field, size_t index,
                                struct shape_issue inner)
{
    inner.name = inner.name.p
                     ? arena_printf(arena, "%s.%zu.%.*s", field->wire, index, STR_ARG(inner.name))
                     : arena_printf(arena, "%s.%zu", field->wire, index);
    return inner;
}

/* A zeroed place for one more item: room doubles, the arena extends its newest block in place. */
static char *one_more(struct jsonin *in, list *items, size_t size, size_t *cap)
{
    if (items->n == *cap) {
        size_t grown = *cap ? *cap * 2 : 4;
        items->at = arena_grow(in->arena, items->at, *cap * size, grown * size);
        memset((char *)items->at + *cap * size, 0, (grown - *cap) * size);
        *cap = grown;
    }
    return (char *)items->at + items->n++ * size;
}

static struct shape_issue take_list(struct jsonin *in, const struct field *field, void *at)
{
    list items = {.set = true};
    size_t cap = 0, index = 0;
    bool first = true;
    if (jsonin_peek(in) != JSONIN_ARRAY)
        return wrong_type(in, field);
    jsonin_enter(in, '[');
    while (jsonin_item(in, &first)) {
        index++;
        if (jsonin_peek(in) == JSONIN_NULL && jsonin_null(in))
            continue;
        struct shape_issue issue =
            take_item(in, field->of, one_more(in, &items, field->of->size, &cap));
        if (issue.wrong == WRONG_SYNTAX)
            return issue;
        if (issue.wrong)
            return below(in->arena, field, index, issue);
    }
    *(list *)at = items;
    return syntax_unless(!in->bad);
}

/* The entry of that name, for the last of two counts, or a new one. */
static char *entry_of(struct jsonin *in, const struct shape *of, list *items, size_t *cap, str name)
{
    const struct field *key = &of->fields[0];
    for (size_t i = 0; i < items->n; i++) {
        char *entry = (char *)items->at + i * of->size;
        if (str_eq(*(str *)shape_at(key, entry), name)) {
            memset(entry, 0, of->size);
            *(str *)shape_at(key, entry) = name;
            return entry;
        }
    }
    char *entry = one_more(in, items, of->size, cap);
    *(str *)shape_at(key, entry) = name;
    return entry;
}

static struct shape_issue take_map(struct jsonin *in, const struct field *field, void *at)
{
    const struct field *value = &field->of->fields[1];
    list items = {.set = true};
    size_t cap = 0;
    bool first = true;
    str name;
    if (jsonin_peek(in) != JSONIN_OBJECT)
        return wrong_type(in, field);
    jsonin_enter(in, '{');
    while (jsonin_member(in, &first, &name)) {
        if (jsonin_peek(in) == JSONIN_NULL && jsonin_null(in))
            continue;
        if (items.n == MAP_MAX)
            return syntax_unless(false);
        char *entry = entry_of(in, field->of, &items, &cap, name);
        struct shape_issue issue = takers[value->kind](in, value, shape_at(value, entry));
        if (issue.wrong == WRONG_TYPE)
            issue.name = arena_printf(in->arena, "%s.%.*s", field->wire, STR_ARG(name));
        if (issue.wrong)
            return issue;
    }
    *(list *)at = items;
    return syntax_unless(!in->bad);
}

static take *const takers[] = {
    [SHAPE_STR] = take_str,   [SHAPE_INT] = take_int,   [SHAPE_BOOL] = take_bool,
    [SHAPE_BLOB] = take_blob, [SHAPE_TIME] = take_time, [SHAPE_STRUCT] = take_nested,
    [SHAPE_LIST] = take_list, [SHAPE_MAP] = take_map,
};

static const struct field *field_of(const struct shape *shape, str name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].place != PLACE_NONE && str_eq(name, str_of(shape->fields[i].wire)))
            return &shape->fields[i];
    return NULL;
}

static struct shape_issue take_members(struct jsonin *in, const struct shape *shape, void *out)
{
    bool first = true;
    str name;
    jsonin_enter(in, '{');
    while (jsonin_member(in, &first, &name)) {
        const struct field *field = field_of(shape, name);
        if (!field || jsonin_peek(in) == JSONIN_NULL) {
            jsonin_skip(in);
            continue;
        }
        struct shape_issue issue = takers[field->kind](in, field, shape_at(field, out));
        if (issue.wrong)
            return issue;
    }
    return syntax_unless(!in->bad);
}

struct shape_issue json_decode(struct arena *arena, const struct shape *shape, str body, void *out)
{
    /* Old SDKs send no body at all for operations without members. */
    if (!str_trim(body).n)
        return FINE;
    struct jsonin in = jsonin_of(arena, body);
    if (jsonin_peek(&in) == JSONIN_ARRAY)
        return wrong_type(&in, NULL);
    if (jsonin_peek(&in) != JSONIN_OBJECT)
        return syntax_unless(false);
    struct shape_issue issue = take_members(&in, shape, out);
    return issue.wrong ? issue : syntax_unless(jsonin_end(&in));
}

/* --- encoding --- */

typedef void give(struct buf *b, const struct field *field, const void *at);

static void give_str(struct buf *b, const struct field *field, const void *at)
{
    (void)field;
    buf_json(b, *(const str *)at);
}

static void give_int(struct buf *b, const struct field *field, const void *at)
{
    (void)field;
    buf_int(b, ((const opt_int *)at)->v);
}

static void give_bool(struct buf *b, const struct field *field, const void *at)
{
    (void)field;
    buf_put(b, ((const opt_bool *)at)->v ? S("true") : S("false"));
}

static void give_blob(struct buf *b, const struct field *field, const void *at)
{
    (void)field;
    buf_char(b, '"');
    buf_put(b, base64_encode(b->arena, *(const str *)at));
    buf_char(b, '"');
}

static void give_time(struct buf *b, const struct field *field, const void *at)
{
    (void)field;
    int64_t t = ((const opt_int *)at)->v;
    buf_int(b, t / 1000);
    if (t % 1000)
        buf_printf(b, ".%03d", (int)(t % 1000 < 0 ? -(t % 1000) : t % 1000));
}

static void give_nested(struct buf *b, const struct field *field, const void *at)
{
    json_encode(b, field->of, *(void *const *)at);
}

static give *const givers[];

static void give_item(struct buf *b, const struct shape *of, const char *at)
{
    if (shape_is_scalar(of))
        givers[of->fields->kind](b, of->fields, at + of->fields->offset);
    else
        json_encode(b, of, at);
}

static void give_list(struct buf *b, const struct field *field, const void *at)
{
    const list *items = at;
    buf_char(b, '[');
    for (size_t i = 0; i < items->n; i++) {
        if (i)
            buf_char(b, ',');
        give_item(b, field->of, (const char *)items->at + i * field->of->size);
    }
    buf_char(b, ']');
}

static void give_map(struct buf *b, const struct field *field, const void *at)
{
    const list *items = at;
    const struct field *key = &field->of->fields[0], *value = &field->of->fields[1];
    buf_char(b, '{');
    for (size_t i = 0; i < items->n; i++) {
        const char *entry = (const char *)items->at + i * field->of->size;
        if (i)
            buf_char(b, ',');
        buf_json(b, *(const str *)(const void *)(entry + key->offset));
        buf_char(b, ':');
        givers[value->kind](b, value, entry + value->offset);
    }
    buf_char(b, '}');
}

static give *const givers[] = {
    [SHAPE_STR] = give_str,   [SHAPE_INT] = give_int,   [SHAPE_BOOL] = give_bool,
    [SHAPE_BLOB] = give_blob, [SHAPE_TIME] = give_time, [SHAPE_STRUCT] = give_nested,
    [SHAPE_LIST] = give_list, [SHAPE_MAP] = give_map,
};

void json_encode(struct buf *b, const struct shape *shape, const void *data)
{
    char between = '{';
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *field = &shape->fields[i];
        if (field->place == PLACE_NONE || !shape_present(field, data))
            continue;
        buf_char(b, between);
        between = ',';
        buf_char(b, '"');
        buf_put(b, str_of(field->wire));
        BUF_LIT(b, "\":");
        givers[field->kind](b, field, shape_at(field, data));
    }
    if (between == '{')
        buf_char(b, '{');
    buf_char(b, '}');
}
