/* s3/multipart_row.h - the table of uploads, for the multipart*.c files only. */
#ifndef HEADRACE_S3_MULTIPART_ROW_H
#define HEADRACE_S3_MULTIPART_ROW_H

#include "s3/multipart.h"

#define S3_MULTIPART_SELECT S3_OBJECT_SELECT ", name, initiator, algorithm, disturbed, result"

/* Reads the row of a statement whose columns are S3_MULTIPART_SELECT. */
void s3_multipart_read(struct stmt *stmt, struct arena *arena, struct s3_multipart *out);
/* The upload of that name and key, open or completed; false when there is none. */
bool s3_multipart_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str name,
                        struct s3_multipart *out);
err s3_multipart_drop_parts(struct s3 *s3, int64_t upload);

#endif
