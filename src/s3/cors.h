/* s3/cors.h - which pages of other origins a bucket lets read its answers.
 * Facts: docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html. */
#ifndef HEADRACE_S3_CORS_H
#define HEADRACE_S3_CORS_H

#include "s3/document.h"

struct s3_cors_request {
    str origin;  /* Origin */
    str method;  /* Access-Control-Request-Method, else the request's own */
    str headers; /* Access-Control-Request-Headers, a list; absent: none */
};

/* The first rule that allows the request, or NULL. */
const struct s3_cors_rule *s3_cors_rule_for(const struct s3_cors *cors,
                                            const struct s3_cors_request *request);
/* True when the rule is for any origin: it then answers with "*". */
bool s3_cors_any_origin(const struct s3_cors_rule *rule);
/* Whether a header can be called so, or match a pattern so: RFC 9110's tokens. */
bool s3_cors_header_name(str name);

#endif
