/* aws/codec.h - wire <-> shapes, for all protocols: what dispatch calls. The three codecs behind it
 * read the same shapes. */
#ifndef HEADRACE_AWS_CODEC_H
#define HEADRACE_AWS_CODEC_H

#include "aws/route.h"

/* Fills `in` (zeroed, of route->op->in->size) and checks it (required, ranges, values,
 * UNIMPLEMENTED). Without a body yet (OP_UPLOAD, or to refuse early) pass STR_NONE: only address,
 * headers and query are read, and PAYLOAD and BODY members stay absent and unchecked. A finding
 * goes to route->service->refuse, which makes the service's fault of it. */
struct shape_issue codec_decode(struct arena *arena, const struct route *route,
                                const struct http_request *request, str body, void *in);
/* Writes `out` (of route->op->out) into `reply`: status, headers, Content-Type, body. Headers that
 * are already in the reply stay and win. A handler that set reply->kind to FILE or PULL itself
 * (GetObject) keeps its body; headers are added. */
void codec_encode(struct arena *arena, const struct route *route, str request_id, const void *out,
                  struct http_reply *reply);
/* The headers that every answer carries, success or fault: x-amz-request-id and x-amz-id-2 (S3),
 * x-amzn-RequestId (others), Server. */
void codec_reply_ids(struct arena *arena, const struct route *route, str request_id, str host_id,
                     struct http_reply *reply);

#endif
