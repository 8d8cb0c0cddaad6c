/* sqs/permission.c - see permission.h. The policy's form is the one that AWS writes (#65): a lone
 * principal or action is a string, several are a list. */
#include "sqs/permission.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sqs/engine.h"
#include "sqs/policy.h"

#define LABEL_MAX 80

static err invalid(struct ctx *ctx, str value, const char *parameter, const char *reason)
{
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter %s is invalid. Reason: %s", STR_ARG(value), parameter,
                    reason);
}

static err check_actions(struct ctx *ctx, const str *actions, size_t n)
{
    if (!n)
        return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter Actions.");
    if (n > ACTIONS_MAX)
        return err_text(ctx->arena, &SQS_OVER_LIMIT,
                        "%zu Actions were found, maximum allowed is %d.", n, ACTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        str shown = arena_join(ctx->arena, S("SQS:"), actions[i]);
        enum policy_action kind = policy_action_of(actions[i]);
        if (kind == POLICY_ACTION_OWNERS)
            return invalid(ctx, shown, "ActionName",
                           "Only the queue owner is allowed to invoke this action.");
        if (kind == POLICY_ACTION_UNKNOWN)
            return policy_unknown_action(ctx, shown);
    }
    return OK;
}

static err check_label(struct ctx *ctx, str label)
{
    if (!label.n)
        return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter Label.");
    bool valid = label.n <= LABEL_MAX;
    for (size_t i = 0; i < label.n; i++)
        valid = valid && queue_name_char(label.p[i]);
    return valid ? OK
                 : err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                            "Label can only include alphanumeric characters, hyphens, or "
                            "underscores. 1 to 80 in length");
}

static str shown_list(struct arena *arena, const str *items, size_t n)
{
    struct buf b = buf_in(arena);
    buf_char(&b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            BUF_LIT(&b, ", ");
        buf_put(&b, items[i]);
    }
    buf_char(&b, ']');
    return buf_str(&b);
}

static err check_accounts(struct ctx *ctx, const str *accounts, size_t n)
{
    bool valid = n > 0;
    for (size_t i = 0; i < n; i++)
        valid = valid && str_is_account(accounts[i]);
    return valid ? OK
                 : invalid(ctx, shown_list(ctx->arena, accounts, n), "PrincipalId",
                           "Unable to verify.");
}

static json_t *read_policy(const struct queue *queue)
{
    str text = queue->attributes->text[SQS_POLICY];
    json_t *policy = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    if (policy && json_is_object(json_object_get(policy, "Statement"))) {
        json_t *one = json_array();
        json_array_append(one, json_object_get(policy, "Statement"));
        json_object_set_new(policy, "Statement", one);
    }
    return policy;
}

static ptrdiff_t find_statement(const json_t *statements, str label)
{
    size_t i;
    const json_t *statement;
    json_array_foreach(statements, i, statement)
    {
        if (str_eq(str_of(json_string_value(json_object_get(statement, "Sid"))), label))
            return (ptrdiff_t)i;
    }
    return -1;
}

/* One item as itself, several as a list. */
static json_t *one_or_many(json_t *list)
{
    if (json_array_size(list) != 1)
        return list;
    json_t *one = json_incref(json_array_get(list, 0));
    json_decref(list);
    return one;
}

static json_t *texts(struct arena *arena, const char *before, const str *items, size_t n,
                     const char *after)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        str text = arena_printf(arena, "%s%.*s%s", before, STR_ARG(items[i]), after);
        json_array_append_new(list, json_stringn_nocheck(text.p, text.n));
    }
    return one_or_many(list);
}

static json_t *new_policy(struct arena *arena, const struct queue *queue)
{
    json_t *policy = json_object();
    str id = arena_printf(arena, "%.*s/SQSDefaultPolicy", STR_ARG(queue->arn));
    json_object_set_new(policy, "Version", json_string("2008-10-17"));
    json_object_set_new(policy, "Id", json_stringn_nocheck(id.p, id.n));
    json_object_set_new(policy, "Statement", json_array());
    return policy;
}

static err store_policy(struct sqs *sqs, struct ctx *ctx, struct queue *queue, const json_t *policy)
{
    struct attribute_change change = {.next = *queue->attributes};
    char *text = policy ? json_dumps(policy, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    change.given[SQS_POLICY] = true;
    change.next.text[SQS_POLICY] = arena_copy(ctx->arena, str_of(text));
    free(text);
    return queue_apply(sqs, ctx, queue, &change);
}

static json_t *new_statement(struct arena *arena, const struct queue *queue, str label,
                             const str *accounts, size_t naccounts, const str *actions,
                             size_t nactions)
{
    json_t *statement = json_object(), *principal = json_object();
    str rest = queue->arn, arn = str_cut(&rest, ':'), partition = str_cut(&rest, ':');
    char *before =
        arena_cstr(arena, arena_printf(arena, "%.*s:%.*s:iam::", STR_ARG(arn), STR_ARG(partition)));
    json_object_set_new(principal, "AWS", texts(arena, before, accounts, naccounts, ":root"));
    json_object_set_new(statement, "Sid", json_stringn_nocheck(label.p, label.n));
    json_object_set_new(statement, "Effect", json_string("Allow"));
    json_object_set_new(statement, "Principal", principal);
    json_object_set_new(statement, "Action", texts(arena, "SQS:", actions, nactions, ""));
    json_object_set_new(statement, "Resource", json_stringn_nocheck(queue->arn.p, queue->arn.n));
    return statement;
}

err sqs_permission_add(struct sqs *sqs, struct ctx *ctx, int64_t id, str label, const str *accounts,
                       size_t naccounts, const str *actions, size_t nactions)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(check_label(ctx, label));
    TRY(check_actions(ctx, actions, nactions));
    TRY(check_accounts(ctx, accounts, naccounts));
    json_t *policy = read_policy(queue);
    if (!policy)
        policy = new_policy(ctx->arena, queue);
    json_t *statements = json_object_get(policy, "Statement");
    err e = invalid(ctx, label, "Label", "Already exists.");
    if (json_array_size(statements) >= STATEMENTS_MAX) {
        e = err_text(ctx->arena, &SQS_OVER_LIMIT,
                     "%zu Statements were found, maximum allowed is %d.",
                     json_array_size(statements) + 1, STATEMENTS_MAX);
    } else if (find_statement(statements, label) < 0) {
        json_array_append_new(statements, new_statement(ctx->arena, queue, label, accounts,
                                                        naccounts, actions, nactions));
        e = store_policy(sqs, ctx, queue, policy);
    }
    json_decref(policy);
    return e;
}

err sqs_permission_remove(struct sqs *sqs, struct ctx *ctx, int64_t id, str label)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(check_label(ctx, label));
    json_t *policy = read_policy(queue), *statements = json_object_get(policy, "Statement");
    ptrdiff_t at = find_statement(statements, label);
    err e = invalid(ctx, label, "Label",
                    policy ? "can't find label on existing policy." : "can't find label.");
    if (at >= 0) {
        json_array_remove(statements, (size_t)at);
        e = store_policy(sqs, ctx, queue, json_array_size(statements) ? policy : NULL);
    }
    json_decref(policy);
    return e;
}
