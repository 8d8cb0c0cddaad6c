/* aws/codec_json.h - AWS JSON 1.0, read in one pass and written by hand. Unknown members are
 * ignored, as AWS's front end does; null means absent; a number where text belongs is WRONG_TYPE.
 */
#ifndef HEADRACE_AWS_CODEC_JSON_H
#define HEADRACE_AWS_CODEC_JSON_H

#include "base/buf.h"
#include "base/shape.h"

/* `body` -> `out` (zeroed). WRONG_SYNTAX when it is not one JSON object or nests deeper than 32.
 * Not checked further: shape_check. */
struct shape_issue json_decode(struct arena *arena, const struct shape *shape, str body, void *out);
/* The object with its braces; absent members are left out. */
void json_encode(struct buf *b, const struct shape *shape, const void *data);

#endif
