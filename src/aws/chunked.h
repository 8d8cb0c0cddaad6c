/* aws/chunked.h - the aws-chunked framing inside a request body: `HEX[;chunk-signature=SIG]CRLF
 * data CRLF ... 0...CRLF trailers CRLF`. A byte-wise resumable machine, because HTTP frames never
 * line up with it. The last CRLF may be missing. */
#ifndef HEADRACE_AWS_CHUNKED_H
#define HEADRACE_AWS_CHUNKED_H

#include "aws/sigv4.h"

struct chunked;

struct chunked_options {
    int64_t decoded_length; /* x-amz-decoded-content-length; -1: unknown */
    bool trailer; /* a ...-TRAILER payload: trailers are expected (they are read in any case) */
    /* Verify chunk signatures with this; NULL: signatures are skipped. */
    const struct auth_chunk_key *key;
};

typedef err chunked_sink(void *user, str data);

struct chunked *chunked_new(struct arena *arena, const struct chunked_options *options);
/* Decodes `bytes`, passing data on in order; what the sink refuses is returned. Fails with
 * IncompleteBody, InvalidRequest or SignatureDoesNotMatch and stays failed. */
err chunked_feed(struct chunked *chunked, str bytes, chunked_sink *sink, void *user);
/* The body is over: IncompleteBody when the last chunk or announced bytes are missing. */
err chunked_end(struct chunked *chunked);
/* When the request ends before chunked_end was called: frees what is not in the arena. Harmless
 * otherwise. */
void chunked_drop(struct chunked *chunked);
/* After chunked_end: trailers with lower-case names and trimmed values. */
void chunked_trailers(const struct chunked *chunked, struct http_header **trailers, size_t *n);

#endif
