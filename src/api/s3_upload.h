/* api/s3_upload.h - the streamed body of PutObject, UploadPart and the POST form: bytes go to a
 * blob sink while every digest that was announced is computed, and nothing is committed before all
 * of them agree.
 *
 * An operation of flag OP_UPLOAD calls s3_upload_begin in its `begin` (once everything else that
 * can be refused was), app feeds call->upload, and `run` calls s3_upload_finish inside its
 * savepoint. Whoever fails before that leaves the drop to app. Facts:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html. */
#ifndef HEADRACE_API_S3_UPLOAD_H
#define HEADRACE_API_S3_UPLOAD_H

#include "api/call.h"
#include "base/digest.h"

#define S3_UPLOAD_MAX (5LL << 30) /* bytes of one PutObject or UploadPart */

/* What the sender claims about the body, as text; absent where nothing is claimed. */
struct s3_upload_claims {
    str content_md5;    /* Content-MD5 */
    str content_sha256; /* x-amz-content-sha256: 64 hex digits, UNSIGNED-PAYLOAD or STREAMING-... */
    str checksum[DIGEST_KINDS];     /* x-amz-checksum-ALGORITHM, base64 */
    str algorithm;                  /* x-amz-sdk-checksum-algorithm (or x-amz-checksum-algorithm) */
    str trailer;                    /* x-amz-trailer: name of the header that follows the body */
    int64_t length;                 /* decoded bytes announced, -1 when unknown */
    int64_t max;                    /* bytes allowed; 0: S3_UPLOAD_MAX, -1: none */
    bool sdk_algorithm_needs_value; /* x-amz-sdk-checksum-algorithm without its value is refused */
};

/* A verified body. Strings are in the request's arena. */
struct s3_uploaded {
    struct blob_sink *body; /* the caller's: to be kept, or dropped */
    int64_t size;
    digest md5;                 /* raw; the ETag is its hex form */
    str etag;                   /* 32 hex digits, no quotes */
    enum digest_kind algorithm; /* of `checksum` */
    str checksum;               /* base64 */
    bool claimed; /* the request named the algorithm; else it is `fallback` and S3's own */
    str also;     /* base64, of s3_upload_also's algorithm; absent when none was asked for */
};

/* Opens call->upload from the request's headers. `fallback` is computed when the request names no
 * checksum: CRC64NVME, or the algorithm of a multipart upload. Faults: InvalidDigest,
 * InvalidRequest (header rules), EntityTooLarge, MissingContentLength. */
err s3_upload_begin(struct call *call, enum digest_kind fallback);
/* The same from explicit claims: the POST form. */
err s3_upload_open(struct call *call, const struct s3_upload_claims *claims,
                   enum digest_kind fallback);
/* Computes one more digest, whatever the request names; before the first byte. */
void s3_upload_also(struct call *call, enum digest_kind kind);
/* The claims in the request's headers, checked for form: which algorithm the request names (*named
 * false: none). For UploadPart, which must refuse an algorithm that is not its upload's before the
 * body is sent. */
err s3_upload_claims(struct call *call, struct s3_upload_claims *claims, bool *named,
                     enum digest_kind *algorithm);
/* Compares a body that came whole (call->body: a document) with the MD5 and the checksum that came
 * with it, in headers or in the trailer. `algorithm_needs_value`: as in the claims. Faults:
 * InvalidDigest, BadDigest, InvalidRequest, MalformedTrailerError. */
err s3_body_check(struct call *call, bool algorithm_needs_value);
/* Compares every digest with its claim and hands the body over; call->upload is gone afterwards,
 * also on failure. Faults: BadDigest, XAmzContentSHA256Mismatch,
 * IncompleteBody, InvalidRequest. */
err s3_upload_finish(struct call *call, struct s3_uploaded *out);

#endif
