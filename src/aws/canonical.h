/* aws/canonical.h - the texts that signatures are made over, shared by the side that checks and the
 * side that signs. */
#ifndef HEADRACE_AWS_CANONICAL_H
#define HEADRACE_AWS_CANONICAL_H

#include "base/digest.h"
#include "http/message.h"

struct canonical_options {
    str signed_headers; /* "host;x-amz-date", lower case, sorted as sent */
    str payload;        /* last line: hash, UNSIGNED-PAYLOAD, STREAMING-... */
    bool s3;            /* S3 encodes the path once and never normalises it */
};

/* SigV4's canonical request. X-Amz-Signature is left out of the query. */
str canonical_request(struct arena *arena, const struct http_request *request,
                      const struct canonical_options *options);
/* "AWS4-HMAC-SHA256\nDATE\nSCOPE\nhash of canonical" */
str canonical_string_to_sign(struct arena *arena, str date, str scope, str canonical);
/* "20260101/us-east-1/s3/aws4_request" */
str canonical_scope(struct arena *arena, str day, str region, str service);
/* The signing key of a scope. */
digest canonical_key(struct arena *arena, str secret, str day, str region, str service);
/* Hex HMAC of `text` under the signing key. */
str canonical_signature(struct arena *arena, digest key, str text);

/* The query string's pairs decoded and encoded again, sorted, joined: of SigV4 and of the form of
 * SigV2. */
str canonical_query(struct arena *arena, str query, str leave_out);

#endif
