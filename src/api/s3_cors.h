/* api/s3_cors.h - CORS on the wire: the headers that S3's answers carry for pages of other origins.
 * Preflights are rows of s3_cors_ops. */
#ifndef HEADRACE_API_S3_CORS_H
#define HEADRACE_API_S3_CORS_H

#include "api/call.h"

/* Adds what the bucket's rules grant to the request's Origin; nothing when it has none or no rule
 * allows it. For every answer of an S3 request, success or fault. */
void s3_cors_headers(struct s3 *s3, struct ctx *ctx, const struct http_request *request, str bucket,
                     struct http_reply *reply);
/* Whether a rule of the bucket allows the request. */
bool s3_cors_allows(struct s3 *s3, struct ctx *ctx, const struct http_request *request, str bucket);

#endif
