/* remote/remote.h - AWS over HTTP as the pipeline needs it: signed calls with AWS's standard
 * retries, to AWS or to whatever speaks S3 and SQS. One `struct remote` a process; everything on
 * the loop thread. */
#ifndef HEADRACE_REMOTE_REMOTE_H
#define HEADRACE_REMOTE_REMOTE_H

#include "http/client.h"
#include "remote/credentials.h"
#include "remote/retry.h"

enum addressing { ADDRESS_AUTO, ADDRESS_PATH, ADDRESS_VIRTUAL };

struct remote_settings {
    str region;
    str s3_endpoint, sqs_endpoint; /* "https://host[:port]"; absent: AWS's own */
    enum addressing addressing;    /* auto: virtual on AWS, path elsewhere */
    int64_t max_attempts;          /* 3 */
};

struct remote_region; /* where a bucket turned out to be */

struct remote {
    uv_loop_t *loop;
    struct http_client *http;
    struct credentials *credentials;
    struct rng *rng;
    msec (*now)(void *user); /* wall clock */
    void *user;
    struct remote_settings settings;
    struct retry_budget budget;
    msec skew;       /* the service's clock minus ours */
    msec calm_until; /* a service asked to slow down: take no new work before this instant */
    struct remote_region *regions;
    struct arena *region_arena;
    size_t open;                       /* calls begun and not over */
    int64_t calls, retries, throttles; /* counted, for /metrics */
};

/* Borrowed for the life of the process. */
void remote_init(struct remote *remote);
void remote_free(struct remote *remote);

struct remote_answer {
    int status;        /* 0: no answer */
    str code, message; /* of a failure */
    struct http_fetched http;
};
static inline bool remote_ok(const struct remote_answer *answer)
{
    return answer->status / 100 == 2;
}

typedef void remote_done(void *user, const struct remote_answer *answer);

/* One call, however many attempts it takes. Strings are borrowed until done. */
struct remote_request {
    struct arena *arena;
    str service; /* "s3", "sqs" */
    str method;
    str bucket, key; /* S3, raw */
    str endpoint;    /* SQS: origin of the queue's URL, where no endpoint is set */
    const struct http_header *headers;
    size_t nheaders;
    str body;
    int64_t timeout;                      /* milliseconds an attempt may take; 0: until it stalls */
    int64_t attempts;                     /* 0: settings.max_attempts */
    bool (*piece)(void *user, str piece); /* streams a 2xx body */
    void (*restart)(void *user);          /* before each attempt: forget the pieces */
    size_t body_max;                      /* of the answer; 0: 1 MiB */
    remote_done *done;
    void *user;
};

struct remote_call;
struct remote_call *remote_start(struct remote *remote, const struct remote_request *request);
/* `done` is not called. */
void remote_cancel(struct remote_call *call);

#endif
