/* aws/sigv4.h - who signed a request, whether the signature holds, and how to sign one. Reading and
 * checking are apart: the default mode only reads. Signature dates compare with the real time,
 * presigned expiry with the virtual time; both are arguments. */
#ifndef HEADRACE_AWS_SIGV4_H
#define HEADRACE_AWS_SIGV4_H

#include "aws/form.h"
#include "aws/keys.h"
#include "base/ctx.h"
#include "base/digest.h"
#include "http/message.h"

enum auth_scheme {
    AUTH_NONE, /* anonymous */
    AUTH_V4_HEADER,
    AUTH_V4_QUERY, /* presigned */
    AUTH_V2_HEADER,
    AUTH_V2_QUERY, /* presigned, S3: AWSAccessKeyId, Signature, Expires */
    AUTH_V2_FORM, /* Query protocol: AWSAccessKeyId, Signature, SignatureMethod among the parameters
                   */
};

/* How the body is announced (x-amz-content-sha256). */
enum auth_payload {
    PAYLOAD_ABSENT,                   /* no header */
    PAYLOAD_HASH,                     /* 64 hex digits: must equal the body's */
    PAYLOAD_UNSIGNED,                 /* UNSIGNED-PAYLOAD */
    PAYLOAD_CHUNKED_UNSIGNED_TRAILER, /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
    PAYLOAD_CHUNKED_SIGNED,           /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
    PAYLOAD_CHUNKED_SIGNED_TRAILER,   /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER */
    PAYLOAD_UNKNOWN,                  /* something else: refused under verify */
};

struct auth {
    enum auth_scheme scheme;
    str access_key; /* absent when anonymous or unreadable */
    str day, region,
        service; /* of a V4 credential scope: "20260101", "us-east-1", "s3"; absent otherwise */
    str signed_headers, signature; /* as sent */
    str date;                      /* x-amz-date or Date, as sent */
    msec signed_at;                /* 0 when unreadable */
    int64_t expires_in;            /* V4 query: seconds; -1 otherwise */
    msec expires_at;               /* presigned: instant; 0 otherwise */
    str token;                     /* session token; absent when none */
    enum auth_payload payload;
    str payload_hash;      /* x-amz-content-sha256 as sent */
    const char *malformed; /* why the credentials could not be read; NULL when they could */
};

/* What the request says of its caller; never fails. `form`: parameters of a Query request, or NULL.
 */
void auth_read(struct arena *arena, const struct http_request *request, const struct form *form,
               struct auth *auth);
/* True when the body is aws-chunked (by x-amz-content-sha256 or Content-Encoding; not when the body
 * as it is has a hash). */
bool auth_body_chunked(const struct http_request *request, const struct auth *auth);
/* A presigned request whose time is over at `now` (virtual): AccessDenied "Request has expired".
 * Applies in every mode. */
err auth_check_expiry(struct arena *arena, const struct auth *auth, msec now);

/* What the chunk decoder needs to follow a signed body. */
struct auth_chunk_key {
    digest key;      /* signing key of the scope */
    str date, scope; /* "20260101T000000Z", "20260101/us-east-1/s3/aws4_request" */
    str seed;        /* signature of the headers: the first chunk's previous signature */
};

struct auth_check {
    const struct keys *keys;
    msec real_now, now; /* wall time for signature dates, virtual time for expiry */
    bool s3;            /* S3's rules and error texts, else those of the Query and JSON services */
    str service;        /* signing name that the scope must carry */
    str region;         /* region that the scope must carry; absent: any */
    str bucket; /* S3 virtual host: the bucket, part of the SigV2 resource; absent for path style */
    str body_sha256; /* hex; for services without x-amz-content-sha256; absent: taken from the
                        header */
};
/* Checks key, scope, dates, signed headers and signature. For PAYLOAD_CHUNKED_SIGNED* fills
 * `chunks` (may be NULL otherwise). Anonymous requests are fine here: who may be anonymous is
 * dispatch's affair. */
err auth_verify(struct arena *arena, const struct http_request *request, const struct form *form,
                const struct auth *auth, const struct auth_check *check,
                struct auth_chunk_key *chunks);
/* After a PAYLOAD_HASH body: XAmzContentSHA256Mismatch unless its digest (hex) is the announced
 * one. */
err auth_check_body(struct arena *arena, const struct auth *auth, str body_sha256);
/* The signature of an S3 POST form policy (V4: key of date/region/s3; V2: HMAC-SHA1), to compare
 * with secret_equal. */
str auth_form_signature_v4(struct arena *arena, str secret, str day, str region, str policy_base64);
str auth_form_signature_v2(struct arena *arena, str secret, str policy_base64);

/* --- the client's side --- */
struct sign {
    str access_key, secret, token; /* token absent when none */
    str region, service;
    msec now;
    str payload_hash; /* hex, or "UNSIGNED-PAYLOAD"; S3 sends it as x-amz-content-sha256 */
};
/* Adds X-Amz-Date, X-Amz-Security-Token, x-amz-content-sha256 (S3) and Authorization to `request`
 * (headers may be reallocated in `arena`). Host must be among the headers; all headers present are
 * signed but User-Agent, Expect, Connection and the like. */
void sign_request(struct arena *arena, struct http_request *request, const struct sign *sign);
/* The query string of a presigned URL for `request` (path, query and Host set), valid `seconds`. */
str sign_query(struct arena *arena, const struct http_request *request, const struct sign *sign,
               int64_t seconds);

#endif
