/* api/s3_log.h - the line that an answered request leaves in its bucket's access log. */
#ifndef HEADRACE_API_S3_LOG_H
#define HEADRACE_API_S3_LOG_H

#include "api/call.h"

/* Writes the line where the bucket has logging, into the turn's transaction: before the answer
 * goes out. `e`: how the request ended; `micros`: how long it took. */
void s3_log_request(struct call *call, const struct http_reply *reply, err e, int64_t micros);

#endif
