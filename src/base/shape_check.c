/* base/shape_check.c - the rules that a row states about a member, checked on the struct that a
 * codec filled, whichever protocol it came by. The first issue in the order of the rows is the one
 * that the client hears of. */
#include "base/shape.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

static struct shape_issue check_struct(struct arena *arena, const struct shape *shape,
                                       const void *data);

static struct shape_issue issue_of(enum shape_wrong wrong, const struct field *field, str value)
{
    return (struct shape_issue){
        .wrong = wrong, .field = field, .name = str_of(field->wire), .value = value};
}

static bool in_range(const struct field *field, int64_t value)
{
    return field->max <= 0 || (value >= field->min && value <= field->max);
}

static bool in_values(const char *values, str value)
{
    str rest = str_of(values);
    while (rest.p)
        if (str_eq(str_cut(&rest, '|'), value))
            return true;
    return false;
}

static struct shape_issue check_text(const struct field *field, str text)
{
    if (!in_range(field, (int64_t)(field->kind == SHAPE_BLOB ? text.n : utf8_count(text))))
        return issue_of(WRONG_RANGE, field, text);
    if (field->values && !in_values(field->values, text))
        return issue_of(WRONG_VALUE, field, text);
    return (struct shape_issue){0};
}

static struct shape_issue check_int(struct arena *arena, const struct field *field, int64_t value)
{
    if (in_range(field, value))
        return (struct shape_issue){0};
    return issue_of(WRONG_RANGE, field, arena_printf(arena, "%lld", (long long)value));
}

static struct shape_issue check_items(struct arena *arena, const struct field *field,
                                      const list *items)
{
    if (!in_range(field, (int64_t)items->n))
        return issue_of(WRONG_RANGE, field, arena_printf(arena, "%zu", items->n));
    struct shape_issue issue = {0};
    for (size_t i = 0; i < items->n && !issue.wrong; i++)
        issue = check_struct(arena, field->of, (const char *)items->at + i * field->of->size);
    return shape_issue_in(arena, field, issue);
}

static struct shape_issue check_present(struct arena *arena, const struct field *field,
                                        const void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STR:
    case SHAPE_BLOB:
        return check_text(field, *(const str *)at);
    case SHAPE_INT:
        return check_int(arena, field, ((const opt_int *)at)->v);
    case SHAPE_STRUCT:
        return shape_issue_in(arena, field, check_struct(arena, field->of, *(void *const *)at));
    case SHAPE_LIST:
    case SHAPE_MAP:
        return check_items(arena, field, at);
    case SHAPE_BOOL:
    case SHAPE_TIME:
        break;
    }
    return (struct shape_issue){0};
}

static struct shape_issue check_field(struct arena *arena, const struct field *field,
                                      const void *data)
{
    bool present = shape_present(field, data);
    bool needed = field->flags & REQUIRED && !(field->flags & LATER);
    if (field->place == PLACE_NONE || (!present && !needed))
        return (struct shape_issue){0};
    if (!present)
        return issue_of(WRONG_MISSING, field, STR_NONE);
    if (field->flags & UNIMPLEMENTED)
        return issue_of(WRONG_UNIMPLEMENTED, field, STR_NONE);
    return check_present(arena, field, shape_at(field, data));
}

static struct shape_issue check_struct(struct arena *arena, const struct shape *shape,
                                       const void *data)
{
    struct shape_issue issue = {0};
    for (const struct field *field = shape->fields;
         field < shape->fields + shape->n && !issue.wrong; field++)
        issue = check_field(arena, field, data);
    return issue;
}

struct shape_issue shape_check(struct arena *arena, const struct shape *shape, const void *data)
{
    return check_struct(arena, shape, data);
}

struct shape_issue shape_check_head(struct arena *arena, const struct shape *shape,
                                    const void *data)
{
    struct shape_issue issue = {0};
    for (const struct field *field = shape->fields;
         field < shape->fields + shape->n && !issue.wrong; field++)
        if (field->place != PLACE_BODY && field->place != PLACE_PAYLOAD)
            issue = check_field(arena, field, data);
    return issue;
}
