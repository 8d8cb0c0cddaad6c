/* aws/auth_internal.h - between the files that check signatures (sigv4.c, sigv2.c). Everyone else
 * includes aws/sigv4.h. */
#ifndef HEADRACE_AWS_AUTH_INTERNAL_H
#define HEADRACE_AWS_AUTH_INTERNAL_H

#include "aws/sigv4.h"

struct auth_run {
    struct arena *arena;
    const struct http_request *request;
    const struct form *form; /* Query protocol; else NULL */
    const struct auth *auth;
    const struct auth_check *check;
    struct identity identity;
};

/* SigV2 in header, query and form. */
err sigv2_verify(struct auth_run *run);
/* SignatureDoesNotMatch as S3 words it; `canonical` absent for SigV2. */
err auth_mismatch(struct auth_run *run, str string_to_sign, str canonical);
/* RequestTimeTooSkewed when the date of the signature is further than 15 minutes from real time. */
err auth_check_skew(struct auth_run *run);

#endif
