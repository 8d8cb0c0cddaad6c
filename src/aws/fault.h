/* aws/fault.h - how a fault looks on each wire, and the faults that belong to no engine: routing,
 * parsing, authentication.
 *
 *  - JSON: {"__type":"com.amazonaws.sqs#X","message":"..."} with x-amzn-query-error, and no
 *    X-Amzn-Errortype: the Java SDK would take that whole for the code and not know it.
 *  - Query: <ErrorResponse><Error><Type>Sender|Receiver</Type><Code/><Message/><Detail/></Error>
 *    <RequestId/></ErrorResponse>, without white space between the elements.
 *  - S3: <Error><Code/><Message/>extras<RequestId/><HostId/></Error>; nothing for HEAD and 304. */
#ifndef HEADRACE_AWS_FAULT_H
#define HEADRACE_AWS_FAULT_H

#include "aws/route.h"

/* Fills `reply` with `e` as `route` says; the ids go into the body, codec_reply_ids puts them into
 * headers. Headers already in the reply stay (x-amz-delete-marker, ETag of a 304, ...). */
void fault_reply(struct arena *arena, const struct route *route, const struct http_request *request,
                 str request_id, str host_id, err e, struct http_reply *reply);

/* type and code are equal in all of these; rows live in fault.c. */
#define AWS_FAULTS(X)                                                                              \
    X(AWS_NOT_IMPLEMENTED, "NotImplemented", 501,                                                  \
      "A header you provided implies functionality that is not implemented")                       \
    X(AWS_METHOD_NOT_ALLOWED, "MethodNotAllowed", 405,                                             \
      "The specified method is not allowed against this resource.")                                \
    X(AWS_INVALID_ACTION, "InvalidAction", 400, "The action or operation requested is invalid.")   \
    X(AWS_UNKNOWN_OPERATION, "UnknownOperationException", 400, "")                                 \
    X(AWS_UNKNOWN_PATH, "UnknownOperationException", 404, "")                                      \
    X(AWS_ENTITY_TOO_LARGE, "RequestEntityTooLarge", 413, "The request is too large.")             \
    X(AWS_ACCESS_DENIED, "AccessDenied", 403, "Access Denied")                                     \
    X(AWS_INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument")                            \
    X(AWS_INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request")                               \
    X(AWS_INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                     \
    X(AWS_SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403,                                        \
      "The request signature we calculated does not match the signature you provided. Check your " \
      "key and signing method.")                                                                   \
    X(AWS_INVALID_ACCESS_KEY, "InvalidAccessKeyId", 403,                                           \
      "The AWS Access Key Id you provided does not exist in our records.")                         \
    X(AWS_TIME_SKEWED, "RequestTimeTooSkewed", 403,                                                \
      "The difference between the request time and the current time is too large.")                \
    X(AWS_AUTH_HEADER_MALFORMED, "AuthorizationHeaderMalformed", 400,                              \
      "The authorization header is malformed.")                                                    \
    X(AWS_AUTH_QUERY_ERROR, "AuthorizationQueryParametersError", 400,                              \
      "Error parsing the X-Amz-Credential parameter.")                                             \
    X(AWS_SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400,                                       \
      "The provided 'x-amz-content-sha256' header does not match what was computed.")              \
    X(AWS_INCOMPLETE_BODY, "IncompleteBody", 400, "The request body terminated unexpectedly")      \
    X(AWS_INVALID_CHUNK_SIZE, "InvalidChunkSizeError", 403,                                        \
      "Only the last chunk is allowed to have a size less than 8192 bytes")                        \
    X(AWS_MALFORMED_TRAILER, "MalformedTrailerError", 400,                                         \
      "The request contained trailing data that was not well-formed or did not conform to our "    \
      "published schema.")                                                                         \
    X(AWS_MALFORMED_POLICY, "MalformedPolicy", 400,                                                \
      "Policies must be valid JSON and the first byte must be '{'")
#define AWS_FAULT_DECLARE(row, code_, status_, text_) extern const struct fault row;
AWS_FAULTS(AWS_FAULT_DECLARE)
/* Of the services other than S3, whose type and code differ: an input that the front end refuses,
 * and a request without credentials. */
extern const struct fault AWS_INVALID_PARAMETER, AWS_MISSING_TOKEN;

#endif
