/* aws/post_policy.h - the policy of a browser's POST upload: a signed JSON document that says which
 * form fields, with which values, may come, until when, and how large the file may be.
 * (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html) */
#ifndef HEADRACE_AWS_POST_POLICY_H
#define HEADRACE_AWS_POST_POLICY_H

#include "base/ctx.h"
#include "base/shape.h"

/* A form field; names compare without case. */
struct post_field {
    str name, value;
};

struct post_policy_check {
    const struct post_field
        *fields; /* all that came before the file, with bucket and key as they will be used */
    size_t n;
    msec now; /* virtual */
};

struct post_limits {
    int64_t min, max; /* of the file's bytes; max -1: none given */
};

/* Checks everything but the size, which *limits then says. Faults: InvalidPolicyDocument 400 (not
 * JSON, members missing or ill-formed), AccessDenied 403 "Invalid according to Policy: ..."
 * (expired, a condition failed, extra fields). */
err post_policy_check(struct arena *arena, str json, const struct post_policy_check *check,
                      struct post_limits *limits);

extern const struct fault POST_POLICY_INVALID; /* InvalidPolicyDocument 400 */

#endif
