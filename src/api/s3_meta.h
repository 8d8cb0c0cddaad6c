/* api/s3_meta.h - user metadata between a header and the row, which keeps Unicode text.
 * Facts: docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html, and recordings. */
#ifndef HEADRACE_API_S3_META_H
#define HEADRACE_API_S3_META_H

#include "base/arena.h"

/* What a header's value says: words of RFC 2047 decoded, other bytes taken for characters of
 * ISO 8859-1. A word that is none is left as it stands. */
str s3_meta_decode(struct arena *arena, str value);
/* How it goes out: as it is when it is printable ASCII, else as one word of RFC 2047, in the Q form
 * or, with characters that cannot be printed, in the B form. */
str s3_meta_encode(struct arena *arena, str text);

#endif
