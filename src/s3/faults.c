/* s3/faults.c - the rows of s3/faults.h made real. */
#include "s3/faults.h"

#define ROW(name, code_, status_, text_)                                                           \
    const struct fault S3_##name = {.type = code_, .code = code_, .status = status_, .text = text_};
S3_FAULTS(ROW)
