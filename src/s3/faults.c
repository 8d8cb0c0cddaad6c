/* s3/faults.c - the rows of s3/faults.h made real. */
#include "s3/faults.h"

#define ROW(name, code_, status_, text_)                                                           \
    const struct fault S3_##name = {.type = code_, .code = code_, .status = status_, .text = text_};
S3_FAULTS(ROW)

err s3_argument(struct arena *arena, const char *name, str value, const char *text)
{
    err e = err_text(arena, &S3_INVALID_ARGUMENT, "%s", text);
    e = err_with(arena, e, "ArgumentName", str_of(name));
    return value.p ? err_with(arena, e, "ArgumentValue", value) : e;
}
