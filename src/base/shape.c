/* base/shape.c - the few shapes that belong to no service, and what all readers of shapes share. */
#include "base/shape.h"

#include "base/arena.h"

static const struct field scalar_str_fields[] = {{.kind = SHAPE_STR}};
static const struct field scalar_int_fields[] = {{.kind = SHAPE_INT}};
static const struct field str_pair_fields[] = {
    {.wire = "key", .kind = SHAPE_STR, .offset = offsetof(struct str_pair, key)},
    {.wire = "value", .kind = SHAPE_STR, .offset = offsetof(struct str_pair, value)},
};

const struct shape scalar_str_shape = {"String", sizeof(struct scalar_str), scalar_str_fields, 1};
const struct shape scalar_int_shape = {"Integer", sizeof(struct scalar_int), scalar_int_fields, 1};
const struct shape str_pair_shape = {"Entry", sizeof(struct str_pair), str_pair_fields, 2};
/* A place to point to: walking from NULL, even over nothing, is undefined. */
static const struct field no_fields[1];
const struct shape empty_shape = {"Unit", 0, no_fields, 0};

struct shape_issue shape_issue_in(struct arena *arena, const struct field *field,
                                  struct shape_issue issue)
{
    if (issue.wrong == WRONG_NOTHING || !field->wire)
        return issue;
    issue.name = issue.name.n ? arena_printf(arena, "%s.%.*s", field->wire, STR_ARG(issue.name))
                              : str_of(field->wire);
    return issue;
}
