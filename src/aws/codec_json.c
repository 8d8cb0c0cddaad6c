/* aws/codec_json.c - see codec_json.h. One function a kind, in tables indexed by enum shape_kind; both directions walk the same
 * fields, so a member that can be read can be written.
 *
 * jansson's parser recurses, up to 2048 levels by its own limit. Legal requests nest 5 deep, so a scan refuses brackets beyond
 * MAX_DEPTH before it ever runs. */
#include "aws/codec_json.h"

#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#define MAX_DEPTH 32

static const struct shape_issue FINE = {WRONG_NOTHING, NULL, STR_NONE, STR_NONE};

/* --- decoding --- */

typedef struct shape_issue take(struct arena *arena, const struct field *field, json_t *value, void *at);

static struct shape_issue take_struct(struct arena *arena, const struct shape *shape, json_t *object, void *out);

/* How AWS's front end names what it found where something else belongs. */
static str found_name(const json_t *value)
{
    static const char *const names[] = {"START_OBJECT", "START_ARRAY", "STRING_VALUE", "NUMBER_VALUE", "DECIMAL_VALUE",
                                        "TRUE_VALUE", "FALSE_VALUE", "NULL_VALUE"};
    return str_of(names[json_typeof(value)]);
}

static struct shape_issue wrong_type(const struct field *field, const json_t *value)
{
    return (struct shape_issue){WRONG_TYPE, field, str_of(field->wire), found_name(value)};
}

static str text_of(struct arena *arena, const json_t *value)
{
    return arena_copy(arena, (str){json_string_value(value), json_string_length(value)});
}

static struct shape_issue take_str(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    if (!json_is_string(value))
        return wrong_type(field, value);
    *(str *)at = text_of(arena, value);
    return FINE;
}

static struct shape_issue take_int(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    (void)arena;
    double real = json_real_value(value);
    if (json_is_integer(value))
        *(opt_int *)at = INT_OF(json_integer_value(value));
    else if (json_is_real(value) && real == trunc(real) && fabs(real) < 9e15)
        *(opt_int *)at = INT_OF((int64_t)real);
    else
        return wrong_type(field, value);
    return FINE;
}

static struct shape_issue take_bool(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    (void)arena;
    if (!json_is_boolean(value))
        return wrong_type(field, value);
    *(opt_bool *)at = BOOL_OF(json_is_true(value));
    return FINE;
}

static struct shape_issue take_blob(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    if (!json_is_string(value))
        return wrong_type(field, value);
    str bytes = base64_decode(arena, (str){json_string_value(value), json_string_length(value)});
    if (!bytes.p)
        return wrong_type(field, value);
    *(str *)at = bytes;
    return FINE;
}

static struct shape_issue take_time(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    (void)arena;
    double seconds = json_number_value(value);
    if (!json_is_number(value) || fabs(seconds) > 9e12)
        return wrong_type(field, value);
    *(opt_int *)at = INT_OF((int64_t)llround(seconds * 1000));
    return FINE;
}

static struct shape_issue take_nested(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    if (!json_is_object(value))
        return wrong_type(field, value);
    void *inner = arena_alloc(arena, field->of->size);
    *(void **)at = inner;
    return shape_issue_in(arena, field, take_struct(arena, field->of, value, inner));
}

static take *const takers[];

/* A list of scalars has a shape of one nameless field: the item itself. */
static struct shape_issue take_item(struct arena *arena, const struct shape *of, json_t *value, char *at)
{
    if (shape_is_scalar(of))
        return takers[of->fields->kind](arena, of->fields, value, at + of->fields->offset);
    if (!json_is_object(value))
        return (struct shape_issue){WRONG_TYPE, NULL, STR_NONE, found_name(value)};
    return take_struct(arena, of, value, at);
}

static struct shape_issue below(struct arena *arena, const struct field *field, size_t index, struct shape_issue inner)
{
    inner.name = inner.name.p ? arena_printf(arena, "%s.%zu.%.*s", field->wire, index, STR_ARG(inner.name))
                              : arena_printf(arena, "%s.%zu", field->wire, index);
    if (!inner.field || !inner.field->wire)
        inner.field = field;
    return inner;
}

static struct shape_issue take_list(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    if (!json_is_array(value))
        return wrong_type(field, value);
    list items = {arena_array(arena, json_array_size(value) + 1, field->of->size), 0, true};
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        if (json_is_null(item))
            continue;
        struct shape_issue issue = take_item(arena, field->of, item, (char *)items.at + items.n * field->of->size);
        if (issue.wrong)
            return below(arena, field, i + 1, issue);
        items.n++;
    }
    *(list *)at = items;
    return FINE;
}

static struct shape_issue take_map(struct arena *arena, const struct field *field, json_t *value, void *at)
{
    if (!json_is_object(value))
        return wrong_type(field, value);
    const struct field *key = &field->of->fields[0], *inner = &field->of->fields[1];
    list items = {arena_array(arena, json_object_size(value) + 1, field->of->size), 0, true};
    for (void *it = json_object_iter(value); it; it = json_object_iter_next(value, it)) {
        if (json_is_null(json_object_iter_value(it)))
            continue;
        char *entry = (char *)items.at + items.n++ * field->of->size;
        str name = str_of(json_object_iter_key(it));
        *(str *)(void *)(entry + key->offset) = arena_copy(arena, name);
        struct shape_issue issue = takers[inner->kind](arena, inner, json_object_iter_value(it), entry + inner->offset);
        if (issue.wrong) {
            issue.name = arena_printf(arena, "%s.%.*s", field->wire, STR_ARG(name));
            return issue;
        }
    }
    *(list *)at = items;
    return FINE;
}

static take *const takers[] = {
    [SHAPE_STR] = take_str,   [SHAPE_INT] = take_int,       [SHAPE_BOOL] = take_bool, [SHAPE_BLOB] = take_blob,
    [SHAPE_TIME] = take_time, [SHAPE_STRUCT] = take_nested, [SHAPE_LIST] = take_list, [SHAPE_MAP] = take_map,
};

static struct shape_issue take_struct(struct arena *arena, const struct shape *shape, json_t *object, void *out)
{
    for (size_t i = 0; i < shape->n; i++) {
        const struct field *field = &shape->fields[i];
        json_t *value = field->place == PLACE_NONE ? NULL : json_object_get(object, field->wire);
        if (!value || json_is_null(value))
            continue;
        struct shape_issue issue = takers[field->kind](arena, field, value, shape_at(field, out));
        if (issue.wrong)
            return issue;
    }
    return FINE;
}

static bool shallow(str body)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > MAX_DEPTH)
            return false;
    }
    return true;
}

struct shape_issue json_decode(struct arena *arena, const struct shape *shape, str body, void *out)
{
    /* Old SDKs send no body at all for operations without members. */
    if (!str_trim(body).n)
        return FINE;
    json_t *root = shallow(body) ? json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL) : NULL;
    struct shape_issue issue = {.wrong = WRONG_SYNTAX};
    if (json_is_object(root))
        issue = take_struct(arena, shape, root, out);
    json_decref(root);
    return issue;
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
    [SHAPE_STR] = give_str,   [SHAPE_INT] = give_int,       [SHAPE_BOOL] = give_bool, [SHAPE_BLOB] = give_blob,
    [SHAPE_TIME] = give_time, [SHAPE_STRUCT] = give_nested, [SHAPE_LIST] = give_list, [SHAPE_MAP] = give_map,
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
