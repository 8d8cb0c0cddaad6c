/* sqs/move.h - message move tasks: taking messages out of a dead letter queue, so many a second,
 * also over a restart. A task moves what was waiting when it started; what arrives meanwhile stays.
 * One task runs per source queue. */
#ifndef HEADRACE_SQS_MOVE_H
#define HEADRACE_SQS_MOVE_H

#include "sqs/sqs.h"

struct sqs_move_task {
    str handle;                               /* only while RUNNING */
    const char *status;                       /* RUNNING COMPLETED CANCELLING CANCELLED FAILED */
    str source_arn, destination_arn, failure; /* absent where there is none */
    int64_t rate;                             /* messages a second; 0: not given */
    int64_t moved, to_move;
    msec started;
};

/* `destination` absent: each message goes back where it died. `rate` 0: AWS's choice (500).
 * SQS_UNKNOWN_RESOURCE, SQS_INVALID_PARAMETER, SQS_UNSUPPORTED_OPERATION. */
err sqs_move_start(struct sqs *sqs, struct ctx *ctx, str source_arn, str destination_arn,
                   int64_t rate, str *handle);
/* Newest first. SQS_UNKNOWN_RESOURCE. */
err sqs_move_list(struct sqs *sqs, struct ctx *ctx, str source_arn, int64_t max,
                  struct sqs_move_task **tasks, size_t *n);
/* SQS_INVALID_PARAMETER for what is no handle, SQS_UNKNOWN_RESOURCE for one without a running task.
 */
err sqs_move_cancel(struct sqs *sqs, struct ctx *ctx, str handle, int64_t *moved);

#endif
