/* sqs/rules.h - what single values of requests may be, and AWS's words for what they may not. */
#ifndef HEADRACE_SQS_RULES_H
#define HEADRACE_SQS_RULES_H

#include "sqs/sqs.h"

/* Characters of XML 1.0 only, in valid UTF-8 (#13). */
bool sqs_text_valid(str text);
/* MessageGroupId, MessageDeduplicationId, ReceiveRequestAttemptId: 1-128 alphanumerics and
 * punctuation; `parameter` is named in the fault (#16). */
err sqs_check_token(struct ctx *ctx, const char *parameter, str value);
err sqs_check_attributes(struct ctx *ctx, const struct sqs_attribute *attributes, size_t n);
/* DelaySeconds 0-900, VisibilityTimeout 0-43200, WaitTimeSeconds 0-20, MaxNumberOfMessages 1-10. */
err sqs_check_delay(struct ctx *ctx, int64_t seconds);
/* AWS words the same range in three ways: of a receive, of a change, of a change in a batch. */
enum sqs_visibility_of { SQS_OF_RECEIVE, SQS_OF_CHANGE, SQS_OF_BATCH };
err sqs_check_visibility(struct ctx *ctx, enum sqs_visibility_of whose, int64_t seconds);
err sqs_check_wait(struct ctx *ctx, int64_t seconds);
err sqs_check_max(struct ctx *ctx, int64_t messages);

#endif
