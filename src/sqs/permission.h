/* sqs/permission.h - AddPermission and RemovePermission: the two calls that write the Policy
 * attribute for the user. */
#ifndef HEADRACE_SQS_PERMISSION_H
#define HEADRACE_SQS_PERMISSION_H

#include "sqs/sqs.h"

/* Adds a statement labelled `label` that lets the accounts (12 digits each) do the actions
 * ("SendMessage", "*"). SQS_INVALID_PARAMETER, SQS_MISSING_PARAMETER; SQS_OVER_LIMIT for more than
 * seven actions. */
err sqs_permission_add(struct sqs *sqs, struct ctx *ctx, int64_t queue, str label,
                       const str *accounts, size_t naccounts, const str *actions, size_t nactions);
/* Removes it; the last one takes the Policy attribute with it. SQS_INVALID_PARAMETER when there is
 * no such label. */
err sqs_permission_remove(struct sqs *sqs, struct ctx *ctx, int64_t queue, str label);

#endif
