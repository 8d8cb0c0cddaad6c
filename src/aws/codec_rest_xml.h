/* aws/codec_rest_xml.h - S3's protocol: members travel in the address, the query, headers and an XML body. */
#ifndef HEADRACE_AWS_CODEC_REST_XML_H
#define HEADRACE_AWS_CODEC_REST_XML_H

#include "aws/op.h"
#include "http/message.h"

/* Members of PLACE_BUCKET, KEY, QUERY, HEADER and META. */
struct shape_issue rest_decode_head(struct arena *arena, const struct op *op, const struct http_request *request, str bucket, str key,
                                    void *out);
/* Members of PLACE_PAYLOAD, or PLACE_BODY. An empty body leaves them absent. WRONG_SYNTAX for XML that is not well-formed or whose root
 * is not the shape's (where the shape is named). */
struct shape_issue rest_decode_body(struct arena *arena, const struct op *op, str body, void *out);
/* Status, headers and body of success. Headers already in the reply win; a FILE or PULL body stays. */
void rest_encode(struct arena *arena, const struct service *service, const struct op *op, const void *data, struct http_reply *reply);

#endif
