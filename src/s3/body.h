/* s3/body.h - the body of a version as slices of blobs, and its parts when it was uploaded in
 * parts. */
#ifndef HEADRACE_S3_BODY_H
#define HEADRACE_S3_BODY_H

#include "s3/s3.h"
#include "s3/schema.h"

/* All slices of the version's body, in order. */
void s3_body_slices(struct s3 *s3, struct ctx *ctx, const struct s3_object *object,
                    struct blob_slice **out, size_t *n);
/* Bytes [at, at+n) of a body given as slices. */
size_t s3_slices_cut(struct arena *arena, const struct blob_slice *slices, size_t n, int64_t at,
                     int64_t length, struct blob_slice **out);
/* Slices of one part, in order. */
void s3_part_slices(struct s3 *s3, struct ctx *ctx, int64_t part, struct blob_slice **out,
                    size_t *n);
/* Inserts the part row and its slices; takes a reference to each slice's blob unless `owned`. */
err s3_part_insert(struct s3 *s3, struct s3_part *part, const struct blob_slice *slices, size_t n,
                   bool owned);
/* Parts of an object in order of number; or of an upload (object 0). */
void s3_parts_read(struct s3 *s3, struct ctx *ctx, int64_t object, int64_t upload,
                   struct s3_part **out, size_t *n);
/* Removes the part with its slices and references. */
err s3_part_drop(struct s3 *s3, int64_t part);
/* All parts of an object. */
err s3_parts_drop(struct s3 *s3, int64_t object);

#endif
