/* sqs/queue.h - queues: their life, attributes, tags, names and URLs. Numbers of queues are never
 * reused. */
#ifndef HEADRACE_SQS_QUEUE_H
#define HEADRACE_SQS_QUEUE_H

#include "sqs/sqs.h"

struct sqs_pair {
    str name, value;
};

/* Creates the queue, or finds the one that is there when no given attribute differs (#57).
 * SQS_QUEUE_NAME_EXISTS, SQS_QUEUE_DELETED_RECENTLY (strict), SQS_INVALID_ATTRIBUTE_NAME,
 * SQS_INVALID_ATTRIBUTE_VALUE, SQS_INVALID_PARAMETER. */
err sqs_queue_create(struct sqs *sqs, struct ctx *ctx, str name, const struct sqs_pair *attributes,
                     size_t n, const struct sqs_pair *tags, size_t ntags, int64_t *queue);
err sqs_queue_delete(struct sqs *sqs, struct ctx *ctx, int64_t queue);
/* Drops all messages, also hidden ones, and the dedupe cache. SQS_PURGE_IN_PROGRESS (strict). */
err sqs_queue_purge(struct sqs *sqs, struct ctx *ctx, int64_t queue);

/* The named attributes ("All": every one), in AWS's order, without those that have no value.
 * SQS_INVALID_ATTRIBUTE_NAME. */
err sqs_queue_get(struct sqs *sqs, struct ctx *ctx, int64_t queue, const str *names, size_t n,
                  struct sqs_pair **out, size_t *nout);
/* All or nothing. Faults as of sqs_queue_create. */
err sqs_queue_set(struct sqs *sqs, struct ctx *ctx, int64_t queue,
                  const struct sqs_pair *attributes, size_t n);

/* Names of the caller's queues in the ctx's region that start with `prefix`, by name. `max` -1: up
 * to 1000 and no token. *token: where to go on (in: absent at the start; out: absent at the end).
 * SQS_INVALID_PARAMETER for a foreign token. */
err sqs_queue_list(struct sqs *sqs, struct ctx *ctx, str prefix, int64_t max, str *token,
                   str **names, size_t *n);
/* Queues whose RedrivePolicy names this one, paged likewise. */
err sqs_queue_sources(struct sqs *sqs, struct ctx *ctx, int64_t queue, int64_t max, str *token,
                      int64_t **sources, size_t *n);

err sqs_queue_tag(struct sqs *sqs, struct ctx *ctx, int64_t queue, const struct sqs_pair *tags,
                  size_t n);
err sqs_queue_untag(struct sqs *sqs, struct ctx *ctx, int64_t queue, const str *keys, size_t n);
err sqs_queue_tags(struct sqs *sqs, struct ctx *ctx, int64_t queue, struct sqs_pair **tags,
                   size_t *n);

/* What others may know about a queue; borrowed until the queue changes. */
struct sqs_queue_facts {
    str account, region, name, arn;
    str policy; /* JSON text; absent when none is set */
    bool fifo;
    str dead_letter;          /* ARN that the RedrivePolicy names; absent when there is none */
    int64_t wait, visibility; /* seconds: ReceiveMessageWaitTimeSeconds, VisibilityTimeout */
    int64_t retention;        /* seconds */
    int64_t visible, hidden, delayed; /* messages: the Approximate* numbers, exact */
    msec oldest; /* when its oldest message was sent (as retention counts); 0: it is empty */
};
/* False when there is no such queue. */
bool sqs_queue_facts(struct sqs *sqs, int64_t queue, struct sqs_queue_facts *out);
/* Some queue's RedrivePolicy names this one. */
bool sqs_queue_is_dead_letter(struct sqs *sqs, int64_t queue);
/* The next queue by number after `queue` (0: the first); 0 at the end. */
int64_t sqs_queue_next(struct sqs *sqs, int64_t queue);

/* A QueueUrl of any form that ever was (#URL) or a bare name: account and region come from the ctx
 * where the text has none. SQS_QUEUE_DOES_NOT_EXIST; SQS_INVALID_ADDRESS for one without a name,
 * SQS_MISSING_PARAMETER for nothing. */
err sqs_queue_at(struct sqs *sqs, struct ctx *ctx, str url, int64_t *queue);
/* "http://HOST/ACCOUNT/NAME" with the host that the client spoke to. */
str sqs_queue_url(struct sqs *sqs, struct ctx *ctx, int64_t queue);
/* By "arn:aws:sqs:REGION:ACCOUNT:NAME"; SQS_QUEUE_DOES_NOT_EXIST. */
err sqs_queue_by_arn(struct sqs *sqs, str arn, int64_t *queue);

#endif
