/* aws/codec_rest_xml.h - S3's protocol: members travel in the address, the query, headers and an
 * XML body. */
#ifndef HEADRACE_AWS_CODEC_REST_XML_H
#define HEADRACE_AWS_CODEC_REST_XML_H

#include "aws/route.h"
#include "http/message.h"

/* Members of PLACE_BUCKET, KEY, QUERY, HEADER and META. Presigned requests may carry x-amz- headers
 * in their query; those count as headers, but checksums and x-amz-content-sha256 do not (AWS takes
 * them for signed text only). */
struct shape_issue rest_decode_head(struct arena *arena, const struct route *route,
                                    const struct http_request *request, void *out);
/* The member that a header of this text makes; absent text leaves it alone. */
struct shape_issue rest_take_text(struct arena *arena, const struct field *field, str text,
                                  void *at);
/* Members of PLACE_PAYLOAD, or PLACE_BODY. An empty body leaves them absent. WRONG_SYNTAX for XML
 * that is not well-formed, whose root is not the payload member's `wire`, or that has unknown or
 * repeated members. */
struct shape_issue rest_decode_body(struct arena *arena, const struct op *op, str body, void *out);
/* Status, headers and body of success. Headers already in the reply win, and so does a status other
 * than 200; a body that the handler set stays unless the shape has BODY or PAYLOAD members. Where
 * op->out_root equals the wire name of the one BODY member, the member itself is the root
 * (<LocationConstraint>). */
void rest_encode(struct arena *arena, const struct service *service, const struct op *op,
                 const void *data, struct http_reply *reply);

#endif
