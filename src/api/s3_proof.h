/* api/s3_proof.h - an answer's large bodies are what was stored: compared on a pool thread with
 * their sums before they are first sent (store/blob.h). It poses as the request's upload: `run`
 * returns with it busy, and is called again when it rests. */
#ifndef HEADRACE_API_S3_PROOF_H
#define HEADRACE_API_S3_PROOF_H

#include "api/call.h"
#include "store/blob.h"

/* Whether `run` must return now and will be called again: call->upload is busy. Fails with
 * FAULT_INTERNAL when a body was found damaged. */
err s3_proof(struct call *call, const struct blob_slice *slices, size_t n, bool *waits);

#endif
