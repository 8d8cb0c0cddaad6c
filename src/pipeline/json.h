/* pipeline/json.h - the little that jobs, events and results share: a JSON text as a tree in an
 * arena, and members written as JSON.stringify does. */
#ifndef HEADRACE_PIPELINE_JSON_H
#define HEADRACE_PIPELINE_JSON_H

#include "base/buf.h"
#include "base/jsonin.h"

struct value {
    enum jsonin_kind kind;
    str name;                   /* of a member */
    str text;                   /* of a string: its bytes; of a number: as it was written */
    double number;              /* of a number */
    struct value *first, *next; /* members or items, in order; the next of them */
};

/* The parsed text; NULL when it is no JSON. Strings may be borrowed from `text`. */
struct value *value_read(struct arena *arena, str text);
/* A member of an object, the last one with the name; NULL when there is none, or no object. */
const struct value *value_member(const struct value *object, const char *name);
/* A string's bytes, copied; absent when the value is no string. */
str value_str(struct arena *arena, const struct value *value);
/* The value as compact JSON text; absent for NULL. */
str value_json(struct arena *arena, const struct value *value);

/* A writer of one flat run of members: puts the comma and the quoted name. */
void member_str(struct buf *b, const char *name, str value);
void member_int(struct buf *b, const char *name, int64_t value);
/* `json` is JSON text; an absent one (undefined) leaves the member out. */
void member_raw(struct buf *b, const char *name, str json);

#endif
