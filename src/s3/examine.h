/* s3/examine.h - is each body what was uploaded? For doctor: reads every version and every part of
 * an upload under way, and compares the bytes with all that the tables say of them: size, ETag,
 * checksum. What it finds damaged s3_lost_drop_row takes away. */
#ifndef HEADRACE_S3_EXAMINE_H
#define HEADRACE_S3_EXAMINE_H

#include "base/arena.h"
#include "store/blob.h"
#include "store/examine.h"

/* Bytes that s3_examine will compare. */
int64_t s3_examine_size(struct db *db);
/* Changes nothing. False when the tables are not those of this version. Rows of findings: a
 * version's number, or a part's, negative. */
bool s3_examine(struct db *db, struct blobs *blobs, const struct examine_ask *ask,
                struct examine_sum *sum);

/* What people call them: "s3://BUCKET/KEY, version ID", "part N of upload NAME of s3://...". */
str s3_version_text(struct arena *arena, str bucket, str key, str version);
str s3_part_text(struct arena *arena, int64_t number, str upload, str bucket, str key);

#endif
