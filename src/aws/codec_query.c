/* aws/codec_query.c - see codec_query.h. The form is sorted, so a member's parameters are one run
 * of it, found by bisection; a list of ten entries costs its own parameters, not ten walks over all
 * of them.
 *
 * JSON answers to Query requests have AWS's own old form, known from API Gateway's SQS
 * integrations: every member in order of names, null where absent, maps as lists of Name and Value.
 */
#include "aws/codec_query.h"

#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

static const char *query_name(const struct field *field)
{
    return field->query ? field->query : field->wire;
}

/* --- decoding --- */

struct reader {
    struct arena *arena;
    const struct form *form;
};

static struct shape_issue read_struct(const struct reader *r, str prefix, const struct shape *shape,
                                      void *out);

static str dotted(const struct reader *r, str prefix, str name)
{
    return prefix.n ? arena_printf(r->arena, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(name)) : name;
}

static str value_of(const struct reader *r, str name)
{
    size_t i = form_lower(r->form, name);
    return i < r->form->n && str_eq(r->form->at[i].key, name) ? r->form->at[i].value : STR_NONE;
}

static bool any_below(const struct reader *r, str name)
{
    str prefix = dotted(r, name, S(""));
    size_t i = form_lower(r->form, prefix);
    return i < r->form->n && str_starts(r->form->at[i].key, prefix);
}

static bool read_bool(str text, opt_bool *out)
{
    *out = BOOL_OF(str_eq_nocase(text, S("true")) || str_eq(text, S("1")));
    return out->v || str_eq_nocase(text, S("false")) || str_eq(text, S("0"));
}

static bool read_int(str text, opt_int *out)
{
    out->set = true;
    return str_to_int(text, &out->v);
}

static bool read_time(str text, opt_int *out)
{
    out->set = true;
    return date_parse(text, &out->v);
}

static bool read_blob(const struct reader *r, str text, str *out)
{
    *out = base64_decode(r->arena, text);
    return out->p != NULL;
}

static struct shape_issue read_scalar(const struct reader *r, const struct field *field, str name,
                                      void *at)
{
    str text = value_of(r, name);
    bool good = true;
    if (!text.p)
        return (struct shape_issue){0};
    switch ((enum shape_kind)field->kind) {
    case SHAPE_INT:
        good = read_int(text, at);
        break;
    case SHAPE_BOOL:
        good = read_bool(text, at);
        break;
    case SHAPE_TIME:
        good = read_time(text, at);
        break;
    case SHAPE_BLOB:
        good = read_blob(r, text, at);
        break;
    default:
        *(str *)at = text;
    }
    return good ? (struct shape_issue){0} : (struct shape_issue){WRONG_TYPE, field, name, text};
}

/* The numbers N of "prefix.N" and "prefix.N.more", ascending. */
struct numbers {
    int64_t *at;
    size_t n;
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static struct numbers numbers_below(const struct reader *r, str name)
{
    str prefix = dotted(r, name, S(""));
    size_t first = form_lower(r->form, prefix), last = first;
    while (last < r->form->n && str_starts(r->form->at[last].key, prefix))
        last++;
    struct numbers found = {arena_array(r->arena, last - first + 1, sizeof(int64_t)), 0};
    for (size_t i = first; i < last; i++) {
        str rest = str_slice(r->form->at[i].key, prefix.n, r->form->at[i].key.n);
        int64_t number;
        if (str_to_int(str_cut(&rest, '.'), &number) && number >= 0 &&
            !(found.n && found.at[found.n - 1] == number))
            found.at[found.n++] = number;
    }
    qsort(found.at, found.n, sizeof(int64_t), by_value);
    return found;
}

/* A lone item may come without its number: AWS's own examples have AttributeName=All, and
 * Attribute.Name with Attribute.Value. */
static bool bare_item(const struct reader *r, const struct shape *of, str name)
{
    if (!shape_is_scalar(of))
        name = dotted(r, name, str_of(query_name(of->fields)));
    return value_of(r, name).p != NULL;
}

static struct shape_issue read_item(const struct reader *r, const struct shape *of, str name,
                                    void *at)
{
    return shape_is_scalar(of) ? read_scalar(r, of->fields, name, at)
                               : read_struct(r, name, of, at);
}

static struct shape_issue read_items(const struct reader *r, const struct field *field, str name,
                                     list *out)
{
    struct numbers numbers = numbers_below(r, name);
    const struct shape *of = field->of;
    bool bare = bare_item(r, of, name);
    struct shape_issue issue = {0};
    if (!numbers.n && !bare)
        return issue;
    *out = (list){arena_array(r->arena, numbers.n + bare, of->size), 0, true};
    if (bare)
        issue = read_item(r, of, name, out->at), out->n = 1;
    for (size_t i = 0; i < numbers.n && !issue.wrong; i++) {
        if (i && numbers.at[i] == numbers.at[i - 1])
            continue; /* "01" beside "1" */
        str item = arena_printf(r->arena, "%.*s.%lld", STR_ARG(name), (long long)numbers.at[i]);
        void *at = (char *)out->at + out->n++ * of->size;
        issue = read_item(r, of, item, at);
        if (issue.wrong && !issue.field->wire)
            issue.field = field;
    }
    return issue;
}

static struct shape_issue read_member(const struct reader *r, str name, const struct field *field,
                                      void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STRUCT:
        if (!any_below(r, name))
            return (struct shape_issue){0};
        *(void **)at = arena_alloc(r->arena, field->of->size);
        return read_struct(r, name, field->of, *(void **)at);
    case SHAPE_LIST:
    case SHAPE_MAP:
        return read_items(r, field, name, at);
    default:
        return read_scalar(r, field, name, at);
    }
}

static struct shape_issue read_struct(const struct reader *r, str prefix, const struct shape *shape,
                                      void *out)
{
    struct shape_issue issue = {0};
    for (size_t i = 0; i < shape->n && !issue.wrong; i++) {
        const struct field *field = &shape->fields[i];
        if (field->place != PLACE_NONE)
            issue = read_member(r, dotted(r, prefix, str_of(query_name(field))), field,
                                shape_at(field, out));
    }
    return issue;
}

struct shape_issue query_decode(struct arena *arena, const struct shape *shape,
                                const struct form *form, void *out)
{
    struct reader reader = {arena, form};
    return read_struct(&reader, STR_NONE, shape, out);
}

/* --- XML --- */

static void write_struct(struct buf *b, const struct shape *shape, const void *data);

static void write_element(struct buf *b, const char *name, const struct shape *of, const void *data)
{
    xml_open(b, name);
    if (shape_is_scalar(of))
        shape_scalar_to_xml(b, of->fields, shape_at(of->fields, data));
    else
        write_struct(b, of, data);
    xml_close(b, name);
}

static void write_member(struct buf *b, const struct field *field, const void *at)
{
    const char *name = query_name(field);
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STRUCT:
        write_element(b, name, field->of, *(void *const *)at);
        return;
    case SHAPE_LIST:
    case SHAPE_MAP:
        for (size_t i = 0; i < ((const list *)at)->n; i++)
            write_element(b, name, field->of,
                          (const char *)((const list *)at)->at + i * field->of->size);
        return;
    default:
        xml_open(b, name);
        shape_scalar_to_xml(b, field, at);
        xml_close(b, name);
    }
}

static void write_struct(struct buf *b, const struct shape *shape, const void *data)
{
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].place != PLACE_NONE && shape_present(&shape->fields[i], data))
            write_member(b, &shape->fields[i], shape_at(&shape->fields[i], data));
}

void query_encode(struct buf *b, const struct service *service, const struct op *op,
                  const void *data, str request_id)
{
    buf_printf(b, "<?xml version=\"1.0\"?><%sResponse xmlns=\"%s\">", op->name, service->xmlns);
    if (!(op->flags & OP_NO_RESULT)) {
        buf_printf(b, "<%sResult>", op->name);
        size_t before = b->n;
        write_struct(b, op->out, data);
        if (b->n == before) {
            b->n--;
            BUF_LIT(b, "/>");
        } else {
            buf_printf(b, "</%sResult>", op->name);
        }
    }
    BUF_LIT(b, "<ResponseMetadata>");
    xml_put(b, "RequestId", request_id);
    buf_printf(b, "</ResponseMetadata></%sResponse>", op->name);
}

/* --- JSON --- */

static void json_struct(struct buf *b, const struct shape *shape, const void *data);

static void json_items(struct buf *b, const struct field *field, const list *items)
{
    const struct shape *of = field->of;
    buf_char(b, '[');
    for (size_t i = 0; i < items->n; i++) {
        const char *at = (const char *)items->at + i * of->size;
        if (i)
            buf_char(b, ',');
        if (shape_is_scalar(of))
            buf_json(b, *(const str *)shape_at(of->fields, at));
        else
            json_struct(b, of, at);
    }
    buf_char(b, ']');
}

static void json_value(struct buf *b, const struct field *field, const void *data)
{
    const void *at = shape_at(field, data);
    if (!shape_present(field, data)) {
        BUF_LIT(b, "null");
        return;
    }
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STR:
        buf_json(b, *(const str *)at);
        break;
    case SHAPE_BLOB:
        buf_json(b, base64_encode(b->arena, *(const str *)at));
        break;
    case SHAPE_BOOL:
        buf_put(b, ((const opt_bool *)at)->v ? S("true") : S("false"));
        break;
    case SHAPE_STRUCT:
        json_struct(b, field->of, *(void *const *)at);
        break;
    case SHAPE_LIST:
    case SHAPE_MAP:
        json_items(b, field, at);
        break;
    default:
        buf_int(b, ((const opt_int *)at)->v);
    }
}

/* The two lists that AWS names with a small letter here. */
static const char *json_name(const struct field *field)
{
    static const char *const small[][2] = {{"Messages", "messages"}, {"QueueUrls", "queueUrls"}};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        if (!strcmp(field->wire, small[i][0]))
            return small[i][1];
    return field->wire;
}

static int by_name(const void *a, const void *b)
{
    const struct field *const *x = a, *const *y = b;
    return strcmp((*x)->wire, (*y)->wire);
}

static void json_struct(struct buf *b, const struct shape *shape, const void *data)
{
    const struct field **fields = arena_array(b->arena, shape->n + 1, sizeof *fields);
    size_t n = 0;
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].place != PLACE_NONE)
            fields[n++] = &shape->fields[i];
    qsort(fields, n, sizeof *fields, by_name);
    buf_char(b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s\"%s\":", i ? "," : "", json_name(fields[i]));
        json_value(b, fields[i], data);
    }
    buf_char(b, '}');
}

void query_encode_json(struct buf *b, const struct op *op, const void *data, str request_id)
{
    buf_printf(b, "{\"%sResponse\":{", op->name);
    if (!(op->flags & OP_NO_RESULT)) {
        buf_printf(b, "\"%sResult\":", op->name);
        json_struct(b, op->out, data);
        buf_char(b, ',');
    }
    BUF_LIT(b, "\"ResponseMetadata\":{\"RequestId\":");
    buf_json(b, request_id);
    BUF_LIT(b, "}}}");
}
