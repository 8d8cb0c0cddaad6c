/* api/s3_hash.h - digests of bodies that are already stored, computed on pool threads: what a copy
 * of a large body waits for. It poses as the request's upload, so the request runs once the digests
 * are there, and a client that goes away stops it. */
#ifndef HEADRACE_API_S3_HASH_H
#define HEADRACE_API_S3_HASH_H

#include "api/call.h"
#include "s3/copy.h"

/* For `begin` of an operation of flag OP_UPLOAD whose own body is empty. Nothing happens where
 * there is little or nothing to read: `run` reads that itself. */
void s3_hash_begin(struct call *call, const struct s3_reading *reading);
/* For `run`: the digests, in the request's arena; *out is zero when none were computed, or when the
 * body went away meanwhile. */
void s3_hash_finish(struct call *call, struct s3_read_digests *out);

#endif
