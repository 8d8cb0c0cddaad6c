/* aws/formdata.h - multipart/form-data, streamed: how a browser posts a file to S3. Fields come
 * first and are kept whole, the part named `file` is passed on as it arrives, and what follows it
 * is swallowed. Frames never line up with anything, so every byte may be the last one of a call.
 * (RFC 7578; docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html) */
#ifndef HEADRACE_AWS_FORMDATA_H
#define HEADRACE_AWS_FORMDATA_H

#include "base/err.h"

/* Bytes. AWS: all that precedes the file, without it, is at most 20 KB. */
#define FORMDATA_MAX_FIELDS ((size_t)20 * 1024)

struct formdata_sink {
    void *user;
    /* A whole field; strings live in the parser's arena. */
    err (*field)(void *user, str name, str value);
    /* The file begins. `filename` and `content_type` are absent when the part has none. */
    err (*file)(void *user, str filename, str content_type);
    err (*data)(void *user, str chunk);
};

struct formdata;

/* The boundary of a Content-Type "multipart/form-data; boundary=...", unquoted; absent when it is
 * something else. */
str formdata_boundary(str content_type);
struct formdata *formdata_new(struct arena *arena, str boundary, const struct formdata_sink *sink);
/* Faults: MalformedPOSTRequest, MaxPostPreDataLengthExceeded, or what the sink refuses; stays
 * failed. */
err formdata_feed(struct formdata *form, str bytes);
/* The body is over: MalformedPOSTRequest unless the closing boundary was seen, and a file came
 * (else: InvalidArgument). */
err formdata_end(struct formdata *form);

extern const struct fault FORMDATA_MALFORMED; /* MalformedPOSTRequest 400 */
extern const struct fault FORMDATA_TOO_LONG;  /* MaxPostPreDataLengthExceeded 400 */
extern const struct fault FORMDATA_NO_FILE;   /* InvalidArgument 400 */

#endif
