/* base/shape_xml.c - structs from XML elements and back, by their rows. Used for REST-XML bodies
 * and for the documents that S3 stores, so it knows no protocol: the enclosing element, its
 * namespace and its faults are the caller's.
 *
 * A list is a wrapper element with `item` elements inside, or (FLAT) the element repeated among its
 * siblings. An XML attribute (xsi:type) belongs to the struct whose element carries it. */
#include "base/shape.h"

#include "base/text.h"
#include "base/xml.h"

#include <string.h>

struct reader {
    struct arena *arena;
    bool strict;
};

static struct shape_issue read_struct(const struct reader *r, const struct shape *shape,
                                      const struct xml *node, void *out);

static struct shape_issue issue_at(enum shape_wrong wrong, const struct field *field, str name,
                                   str value)
{
    return (struct shape_issue){.wrong = wrong, .field = field, .name = name, .value = value};
}

static str item_name(const struct field *field)
{
    const char *usual = field->kind == SHAPE_MAP ? "entry" : "member";
    return str_of(field->item ? field->item : usual);
}

static str local_wire(const struct field *field)
{
    const char *colon = strchr(field->wire, ':');
    return str_of(colon ? colon + 1 : field->wire);
}

static bool read_bool(str text, opt_bool *out)
{
    *out = BOOL_OF(str_eq(text, S("true")));
    return out->v || str_eq(text, S("false"));
}

static bool read_time(str text, opt_int *out)
{
    out->set = true;
    return date_parse(text, &out->v);
}

static bool read_int(str text, opt_int *out)
{
    out->set = true;
    return str_to_int(text, &out->v);
}

static bool read_blob(struct arena *arena, str text, str *out)
{
    *out = base64_decode(arena, text);
    return out->p != NULL;
}

/* Blanks around a number, a date or a truth are no part of it; those of a string are. */
static struct shape_issue read_scalar(const struct reader *r, const struct field *field, str text,
                                      void *at)
{
    bool good = true;
    switch ((enum shape_kind)field->kind) {
    case SHAPE_INT:
        good = read_int(str_trim(text), at);
        break;
    case SHAPE_BOOL:
        good = read_bool(str_trim(text), at);
        break;
    case SHAPE_TIME:
        good = read_time(str_trim(text), at);
        break;
    case SHAPE_BLOB:
        good = read_blob(r->arena, str_trim(text), at);
        break;
    default:
        *(str *)at = text;
    }
    if (good)
        return (struct shape_issue){0};
    return issue_at(WRONG_TYPE, field, str_of(field->wire), text);
}

static struct shape_issue read_item(const struct reader *r, const struct shape *of,
                                    const struct xml *node, void *out)
{
    if (shape_is_scalar(of))
        return read_scalar(r, of->fields, node->text, shape_at(of->fields, out));
    return read_struct(r, of, node, out);
}

static size_t count(const struct xml *first, str name)
{
    size_t n = 0;
    for (; first; first = first->next)
        n += str_eq(first->name, name);
    return n;
}

/* Every element called `name` from `first` on becomes an item. */
static struct shape_issue read_items(const struct reader *r, const struct field *field,
                                     const struct xml *first, str name, bool alone, list *out)
{
    struct shape_issue issue = {0};
    *out = (list){.set = true};
    out->at = arena_array(r->arena, count(first, name), field->of->size);
    for (; first && !issue.wrong; first = first->next)
        if (str_eq(first->name, name))
            issue = read_item(r, field->of, first, (char *)out->at + out->n++ * field->of->size);
        else if (alone && r->strict)
            issue = issue_at(WRONG_UNKNOWN, NULL, first->name, first->text);
    return shape_issue_in(r->arena, field, issue);
}

static struct shape_issue read_member(const struct reader *r, const struct field *field,
                                      const struct xml *node, void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STRUCT: {
        void *inner = *(void **)at = arena_alloc(r->arena, field->of->size);
        return shape_issue_in(r->arena, field, read_struct(r, field->of, node, inner));
    }
    case SHAPE_LIST:
    case SHAPE_MAP:
        if (field->flags & FLAT)
            return read_items(r, field, node, str_of(field->wire), false, at);
        return read_items(r, field, node->child, item_name(field), true, at);
    default:
        return read_scalar(r, field, node->text, at);
    }
}

static const struct field *field_of(const struct shape *shape, str wire)
{
    for (const struct field *field = shape->fields; field < shape->fields + shape->n; field++)
        if (field->place == PLACE_BODY && !(field->flags & ATTRIBUTE) &&
            str_eq(str_of(field->wire), wire))
            return field;
    return NULL;
}

static void read_attributes(const struct shape *shape, const struct xml *node, void *out)
{
    for (const struct field *field = shape->fields; field < shape->fields + shape->n; field++)
        if (field->flags & ATTRIBUTE)
            *(str *)shape_at(field, out) = xml_attr(node, local_wire(field));
}

/* A member given twice is malformed to S3's schema; without `strict` the last one counts. The
 * repeated elements of a flat list were all read at its first. */
static struct shape_issue read_child(const struct reader *r, const struct shape *shape,
                                     const struct xml *child, void *out)
{
    const struct field *field = field_of(shape, child->name);
    if (!field)
        return issue_at(r->strict ? WRONG_UNKNOWN : WRONG_NOTHING, NULL, child->name, child->text);
    if (shape_present(field, out)) {
        if (field->flags & FLAT)
            return (struct shape_issue){0};
        if (r->strict)
            return issue_at(WRONG_SYNTAX, NULL, child->name, child->text);
    }
    return read_member(r, field, child, shape_at(field, out));
}

static struct shape_issue read_struct(const struct reader *r, const struct shape *shape,
                                      const struct xml *node, void *out)
{
    read_attributes(shape, node, out);
    XML_EACH (child, node) {
        struct shape_issue issue = read_child(r, shape, child, out);
        if (issue.wrong)
            return issue;
    }
    return (struct shape_issue){0};
}

struct shape_issue shape_from_xml(struct arena *arena, const struct shape *shape,
                                  const struct xml *node, bool strict, void *out)
{
    struct reader reader = {arena, strict};
    return read_struct(&reader, shape, node, out);
}

void shape_scalar_to_xml(struct buf *b, const struct field *field, const void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_INT:
        buf_int(b, ((const opt_int *)at)->v);
        break;
    case SHAPE_BOOL:
        buf_put(b, ((const opt_bool *)at)->v ? S("true") : S("false"));
        break;
    case SHAPE_TIME:
        buf_put(b, date_iso_ms(b->arena, ((const opt_int *)at)->v));
        break;
    case SHAPE_BLOB:
        buf_put(b, base64_encode(b->arena, *(const str *)at));
        break;
    default:
        buf_xml(b, *(const str *)at);
    }
}

/* The start tag of a struct's element, with those members that are its attributes. */
static void write_start(struct buf *b, const char *name, const struct shape *shape,
                        const void *data)
{
    buf_char(b, '<');
    buf_put(b, str_of(name));
    for (const struct field *field = shape->fields; field < shape->fields + shape->n; field++) {
        if (!(field->flags & ATTRIBUTE) || !shape_present(field, data))
            continue;
        if (str_starts(str_of(field->wire), S("xsi:")))
            BUF_LIT(b, " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
        buf_char(b, ' ');
        buf_put(b, str_of(field->wire));
        BUF_LIT(b, "=\"");
        buf_xml(b, *(const str *)shape_at(field, data));
        buf_char(b, '"');
    }
    buf_char(b, '>');
}

static void write_element(struct buf *b, const char *name, const struct shape *shape,
                          const void *data)
{
    if (shape_is_scalar(shape)) {
        xml_open(b, name);
        shape_scalar_to_xml(b, shape->fields, shape_at(shape->fields, data));
    } else {
        write_start(b, name, shape, data);
        shape_to_xml(b, shape, data);
    }
    xml_close(b, name);
}

static void write_items(struct buf *b, const struct field *field, const list *items)
{
    bool flat = field->flags & FLAT;
    const char *name = flat ? field->wire : item_name(field).p;
    if (!flat)
        xml_open(b, field->wire);
    for (size_t i = 0; i < items->n; i++)
        write_element(b, name, field->of, (const char *)items->at + i * field->of->size);
    if (!flat)
        xml_close(b, field->wire);
}

static void write_member(struct buf *b, const struct field *field, const void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STRUCT:
        write_element(b, field->wire, field->of, *(void *const *)at);
        return;
    case SHAPE_LIST:
    case SHAPE_MAP:
        write_items(b, field, at);
        return;
    default:
        xml_open(b, field->wire);
        shape_scalar_to_xml(b, field, at);
        xml_close(b, field->wire);
    }
}

static int64_t rank_of(const struct field *field, const list *items, size_t i)
{
    const char *item = (const char *)items->at + i * field->of->size;
    return i < items->n ? ((const opt_int *)(const void *)item)->v : INT64_MAX;
}

static void write_merged(struct buf *b, const struct field *two, const void *data)
{
    const list *items[] = {shape_at(&two[0], data), shape_at(&two[1], data)};
    size_t at[] = {0, 0};
    while (at[0] < items[0]->n || at[1] < items[1]->n) {
        int which = rank_of(&two[1], items[1], at[1]) < rank_of(&two[0], items[0], at[0]);
        const struct shape *of = two[which].of;
        write_element(b, two[which].wire, of,
                      (const char *)items[which]->at + at[which]++ * of->size);
    }
}

void shape_to_xml(struct buf *b, const struct shape *shape, const void *data)
{
    for (const struct field *field = shape->fields; field < shape->fields + shape->n; field++) {
        if (field->flags & MERGED) {
            write_merged(b, field++, data);
            continue;
        }
        if (field->place != PLACE_BODY || field->flags & ATTRIBUTE)
            continue;
        if (shape_present(field, data))
            write_member(b, field, shape_at(field, data));
        else if (field->flags & KEEP_EMPTY)
            buf_put(b, arena_printf(b->arena, "<%s/>", field->wire));
    }
}
