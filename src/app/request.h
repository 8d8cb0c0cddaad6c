/* app/request.h - one HTTP request on its way through dispatch, run and turn. Lives in the
 * request's arena. */
#ifndef HEADRACE_APP_REQUEST_H
#define HEADRACE_APP_REQUEST_H

#include "app/app.h"
#include "aws/chunked.h"
#include "aws/route.h"
#include "aws/sigv4.h"

struct admin_row;
struct delayed;

enum request_stage {
    STAGE_BODY,     /* the body is collected, then the operation runs */
    STAGE_UPLOAD,   /* the body streams into call.upload */
    STAGE_ANSWERED, /* an answer is decided (perhaps not yet sent) */
};

struct request {
    struct app *app;
    struct http_request *http;
    struct call call;
    struct route route;
    struct auth auth;
    const struct admin_row *admin; /* one of our own endpoints, else an AWS operation */
    void *admin_state; /* of an endpoint that answers later; while set, admin_forget is owed when
                          the request goes */
    void (*admin_forget)(struct request *request);
    enum request_stage stage;
    struct buf body;
    size_t body_max;
    int64_t received;        /* body bytes, as sent */
    int64_t held;            /* bytes taken from app->bodies */
    struct chunked *chunked; /* aws-chunked body; NULL: plain */
    void *in;                /* input of the operation, decoded */
    bool ended;              /* the body is complete */
    bool keeps_place;        /* parks again before the others, not behind them */
    struct parked parked;
    err outcome;              /* of the operation, for the count */
    int64_t began;            /* clock_micros when its headers came */
    int64_t waited;           /* of those, microseconds parked */
    int64_t parked_at;        /* clock_micros; 0: not parked */
    bool empty;               /* a receive that found nothing */
    bool probed;              /* fault rules were asked */
    bool cuts;                /* the answer is cut, as `cut` says */
    int cut;                  /* enum fault_cut */
    struct delayed *delayed;  /* owes a run; see chaos.c */
    struct http_reply *reply; /* waits for the turn's commit */
    struct request *next, **link;
};

/* The request around a parked element. */
struct request *request_of_parked(struct parked *parked);

/* Runs the operation (or the endpoint) on the complete body, and answers, parks, or fails. */
void request_run(struct request *request);
/* Answers with what `reply` holds: at once when nothing uncommitted was read or written, else after
 * the turn's commit. */
void request_answer(struct request *request, struct http_reply *reply);
/* The last step of every answer: counted, perhaps cut, sent. */
void request_send(struct request *request, struct http_reply *reply);
/* Answers at once with a fault in the request's own wire form; what was opened for it is dropped.
 */
void request_refuse(struct request *request, err e);
/* Takes back what was done for an answer that nobody got (call.undelivered). */
void request_undo(struct app *app, struct request *request);
/* Drops an open upload, a parked place, and a waiting answer. */
void request_drop(struct request *request);
/* A reply with the headers that all answers of this request carry. */
struct http_reply *request_reply(struct request *request);
/* Name of the queue that a decoded SQS request is about, the last part of its QueueUrl; absent
 * where its operation takes none. */
str request_queue(const struct request *request);

/* Who calls: fills auth and ctx (account, region, principal, ...), checks signature and expiry as
 * --auth says. `form` of a Query request, else NULL. For a signed chunked body *chunks is filled.
 */
err request_identify(struct request *request, const struct form *form,
                     struct auth_chunk_key *chunks);
/* What can be checked only with the whole body: hash of the payload, signatures over it. */
err request_check_body(struct request *request);

#endif
