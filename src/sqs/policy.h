/* sqs/policy.h - the Policy attribute of a queue, as far as SQS looks at it when it is stored. */
#ifndef HEADRACE_SQS_POLICY_H
#define HEADRACE_SQS_POLICY_H

#include "sqs/sqs.h"

/* AWS: "Amazon SQS policy quotas". Actions are counted in each statement, and in AddPermission. */
enum { STATEMENTS_MAX = 20, ACTIONS_MAX = 7 };

enum policy_action { POLICY_ACTION_UNKNOWN, POLICY_ACTION_SHARED, POLICY_ACTION_OWNERS };

/* What others may be let do ("SendMessage", "*"), and what only the owner of a queue ever may. The
 * case of letters does not matter. */
enum policy_action policy_action_of(str action);
/* The refusal of an action that there is not; `shown`: as the caller's, "SQS:Foo". */
err policy_unknown_action(struct ctx *ctx, str shown);
/* Changes *stored, which is what will be shown, where AWS changes it: a policy without Version gets
 * the old one. SQS_INVALID_ATTRIBUTE_VALUE, SQS_INVALID_PARAMETER (an action), SQS_OVER_LIMIT. */
err policy_take(struct ctx *ctx, str text, str *stored);

#endif
