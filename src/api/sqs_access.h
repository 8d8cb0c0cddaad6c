/* api/sqs_access.h - who may do what on a queue. Under --auth enforce the queue's policy decides:
 * an explicit deny wins, the account that owns the queue may, everybody else needs an allow.
 * Accounts act as their root user, for there is no IAM here. */
#ifndef HEADRACE_API_SQS_ACCESS_H
#define HEADRACE_API_SQS_ACCESS_H

#include "api/call.h"

/* SQS_ACCESS_DENIED when the caller may not run call->op on the queue of its input; OK when there
 * is no such queue, for the operation will say so, and always without --auth enforce. */
err sqs_authorize(struct call *call, const void *in);
/* Does the queue's policy let a service send to it on behalf of `source_arn` (aws:SourceArn) of
 * `account`? What S3 asks before it delivers events; in default mode the answer is worth a line in
 * the log and nothing more. */
bool sqs_service_may_send(struct sqs *sqs, struct ctx *ctx, int64_t queue, str service,
                          str source_arn, str account);

#endif
