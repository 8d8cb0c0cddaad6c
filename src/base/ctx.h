/* base/ctx.h - the world as an engine sees it: time, chance, memory and caller come in as
 * arguments. Engines call no clock, no getrandom and no socket; a test fills this struct with
 * numbers. */
#ifndef HEADRACE_BASE_CTX_H
#define HEADRACE_BASE_CTX_H

#include "base/err.h"

typedef int64_t msec; /* milliseconds; instants are since the Unix epoch, in UTC */

struct rng;

/* Misfortune that a fault rule ordered for one call; chance comes in as an argument too. */
enum chaos {
    CHAOS_DUPLICATE =
        1, /* SendMessage to a standard queue: the message is there twice, under one MessageId */
    CHAOS_REORDER = 2,     /* ReceiveMessage from a standard queue: not the oldest first */
    CHAOS_LOSE_DELETE = 4, /* DeleteMessage: acknowledged, not done */
};

struct ctx {
    msec now;            /* virtual time, frozen for the request */
    struct arena *arena; /* results live here and die with the request */
    struct rng *rng;
    str account;      /* 12 digits: whose resources an unqualified name means, and who calls */
    str region;       /* region of the request, from the credential scope */
    str access_key;   /* access key id; absent when anonymous */
    str principal;    /* ARN of the caller; absent when anonymous */
    str canonical_id; /* S3 canonical id of the caller (aws/keys); absent when anonymous */
    str display_name; /* that the key file gives the caller's account; absent: none */
    bool anonymous;   /* request carried no credentials and is treated as nobody */
    str request_id;   /* x-amz-request-id */
    str host_id;      /* x-amz-id-2; S3 only */
    str source_ip;    /* peer's address as text */
    str trace_header; /* X-Amzn-Trace-Id; absent when none came */
    str host;         /* Host header: the authority that queue URLs must carry */
    unsigned chaos;   /* bits of enum chaos; 0 in a well-behaved world */
    str cause;        /* trace id of what caused this call; absent at the edge (see app/trace) */
};

#endif
