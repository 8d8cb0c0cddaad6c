/* aws/route.h - which operation a request asks for. The protocols share one port and one path
 * space; this module alone knows how they are told apart:
 *  - an X-Amz-Target header: AWS JSON;
 *  - Action= in the query string or an urlencoded body: Query (on "/", on a queue URL, or where the
 *    scope says so);
 *  - everything else: S3's REST, by the scored rows of the tables.
 *
 * Two steps, because the Query protocol may carry its Action in the body: route_begin looks at the
 * headers; when it sets `needs_form` the body must be read (small: refuse more than ROUTE_FORM_MAX)
 * and handed to route_form. */
#ifndef HEADRACE_AWS_ROUTE_H
#define HEADRACE_AWS_ROUTE_H

#include "aws/form.h"
#include "aws/op.h"
#include "http/message.h"

/* A 1 MiB message can come as 3 MiB of percent signs, plus attributes and names. */
#define ROUTE_FORM_MAX ((size_t)5 * 1024 * 1024)

struct route {
    enum service_protocol
        protocol; /* always set, also when routing failed: it decides how the fault looks */
    const struct service *service; /* NULL: a service we don't have */
    const struct op *op;           /* set on success */
    str action;                    /* operation asked for, as far as known; for traces and logs */
    bool needs_form;               /* route_form must be called with the body before op is known */
    struct form form; /* Query: all parameters, with QueueUrl added from the path where none was
                         given; sorted */
    bool json_answer; /* Query with `Accept: application/json`: answers are JSON */
    bool query_mode;  /* JSON with x-amzn-query-mode: true */
    /* S3 */
    enum rest_level level;
    bool virtual_host; /* the bucket came from the Host header */
    bool website;      /* of that form with "s3-website": a page is asked for, not an operation */
    str bucket, key;   /* decoded; absent below their level */
    str allow; /* of a 405, what would have been allowed; absent where AWS's list is not known */
};

/* Fails with the faults of aws/fault.h (NotImplemented, MethodNotAllowed, InvalidAction,
 * UnknownOperationException); `route` is filled as far as known, enough for fault_reply. */
err route_begin(struct arena *arena, const struct service *const *services,
                const struct http_request *request, struct route *route);
err route_form(struct arena *arena, const struct service *const *services,
               const struct http_request *request, str body, struct route *route);

/* Splits Host and path into S3 bucket and key, decoded: "b.localhost:4566",
 * "b.s3.eu-west-1.localhost", "b.s3.amazonaws.com" are virtual hosts; "localhost", "s3.localhost",
 * IP addresses and one-label names are not. */
void route_address(struct arena *arena, const struct http_request *request, struct route *route);
/* A header's value; of a presigned request also where its signer moved an x-amz- header into the
 * query. Not so checksums and x-amz-content-sha256: AWS takes those for signed text only. Absent
 * when neither is there. */
str route_header(const struct http_request *request, const struct form *query, str name);
/* True for a query that carries a signature. */
bool route_is_presigned(const struct form *query);
/* The signing service that the request names: credential scope of header or query; absent when it
 * has none. */
str route_scope_service(const struct http_request *request);

#endif
