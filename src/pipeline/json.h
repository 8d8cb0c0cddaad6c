/* pipeline/json.h - the little that jobs, events and results share: reading with jansson, copying
 * out into an arena, and writing members as JSON.stringify does. */
#ifndef HEADRACE_PIPELINE_JSON_H
#define HEADRACE_PIPELINE_JSON_H

#include "base/buf.h"

#include <jansson.h>

/* The parsed text, to be given to json_decref; NULL when it is no JSON. */
json_t *value_read(str text);
/* A string's bytes in the arena; absent when the value is no string. */
str value_str(struct arena *arena, const json_t *value);
/* The value as compact JSON text; absent for NULL. */
str value_json(struct arena *arena, const json_t *value);

/* A writer of one flat run of members: puts the comma and the quoted name. */
void member_str(struct buf *b, const char *name, str value);
void member_int(struct buf *b, const char *name, int64_t value);
/* `json` is JSON text; an absent one (undefined) leaves the member out. */
void member_raw(struct buf *b, const char *name, str json);

#endif
