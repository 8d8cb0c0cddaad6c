/* sqs/policy.c - what SQS accepts as the Policy of a queue: its form, its size, and which actions
 * its statements may name. Whether a call is allowed by it is decided elsewhere (aws/policy.h). */
#include "sqs/policy.h"

#include <jansson.h>
#include <string.h>

#include "sqs/engine.h"

#define BYTES_MAX 8192

static bool in_list(const char *words, str name)
{
    for (str rest = str_of(words); rest.p;)
        if (str_eq_nocase(str_cut(&rest, '|'), name))
            return true;
    return false;
}

enum policy_action policy_action_of(str action)
{
    if (in_list("AddPermission|RemovePermission|CreateQueue|DeleteQueue|SetQueueAttributes|"
                "ListQueues|TagQueue|UntagQueue|ListQueueTags|StartMessageMoveTask|"
                "CancelMessageMoveTask|ListMessageMoveTasks",
                action))
        return POLICY_ACTION_OWNERS;
    if (in_list("*|SendMessage|ReceiveMessage|DeleteMessage|ChangeMessageVisibility|"
                "GetQueueAttributes|GetQueueUrl|PurgeQueue|ListDeadLetterSourceQueues",
                action))
        return POLICY_ACTION_SHARED;
    return POLICY_ACTION_UNKNOWN;
}

err policy_unknown_action(struct ctx *ctx, str shown)
{
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter ActionName is invalid. Reason: Please refer to the "
                    "appropriate WSDL for a list of valid actions. ",
                    STR_ARG(shown));
}

/* A list, or the one item that stands for it; 0 when it is neither. */
static size_t count_of(const json_t *one_or_many)
{
    return json_is_string(one_or_many) ? 1 : json_array_size(one_or_many);
}

static str action_at(const json_t *actions, size_t i)
{
    const json_t *item = json_is_string(actions) ? actions : json_array_get(actions, i);
    return str_of(json_string_value(item));
}

static bool well_formed(const json_t *statement)
{
    const char *effect = json_string_value(json_object_get(statement, "Effect"));
    const json_t *action = json_object_get(statement, "Action");
    const json_t *not_action = json_object_get(statement, "NotAction");
    return effect && (!strcmp(effect, "Allow") || !strcmp(effect, "Deny")) &&
           !action != !not_action && count_of(action ? action : not_action) > 0;
}

/* The batches are no actions of their own, and what holds a wildcard may mean anything. */
static err check_actions(struct ctx *ctx, const json_t *actions)
{
    size_t n = count_of(actions);
    if (n > ACTIONS_MAX)
        return err_text(
            ctx->arena, &SQS_OVER_LIMIT,
            "%zu actions were found in a statement from the submitted policy, max allowed is %d", n,
            ACTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        str action = action_at(actions, i), name = action;
        bool ours = str_eq_nocase(str_cut(&name, ':'), S("sqs")) && name.p;
        bool wild = str_find(action, S("*"), 0) >= 0 || str_find(action, S("?"), 0) >= 0;
        if (ours && !wild && policy_action_of(name) == POLICY_ACTION_UNKNOWN)
            return policy_unknown_action(ctx, action);
    }
    return OK;
}

static err check_statement(struct ctx *ctx, const json_t *statement)
{
    if (!well_formed(statement))
        return FAIL(SQS_INVALID_ATTRIBUTE_VALUE);
    const json_t *actions = json_object_get(statement, "Action");
    return check_actions(ctx, actions ? actions : json_object_get(statement, "NotAction"));
}

static err check_statements(struct ctx *ctx, const json_t *statements)
{
    size_t i, n = json_array_size(statements);
    const json_t *statement;
    if (json_is_object(statements))
        return check_statement(ctx, statements);
    if (!n)
        return FAIL(SQS_INVALID_ATTRIBUTE_VALUE);
    if (n > STATEMENTS_MAX)
        return err_text(ctx->arena, &SQS_OVER_LIMIT,
                        "%zu statements were found in the submitted policy, max allowed is %d", n,
                        STATEMENTS_MAX);
    json_array_foreach(statements, i, statement) TRY(check_statement(ctx, statement));
    return OK;
}

/* What AWS adds to a document that does not say it; the rest stays as it was written. */
static str with_version(struct arena *arena, str text)
{
    ptrdiff_t brace = str_find(text, S("{"), 0);
    str rest = str_slice(text, (size_t)brace + 1, text.n);
    return arena_printf(arena, "{\"Version\":\"2008-10-17\",%.*s", STR_ARG(rest));
}

err policy_take(struct ctx *ctx, str text, str *stored)
{
    json_t *policy =
        text.n > BYTES_MAX ? NULL : json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    err e = check_statements(ctx, json_object_get(policy, "Statement"));
    bool versioned = json_object_get(policy, "Version") != NULL;
    json_decref(policy);
    if (failed(e) && e.fault == &SQS_INVALID_ATTRIBUTE_VALUE)
        return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_VALUE,
                        "Invalid value for the parameter Policy.");
    if (!failed(e) && !versioned)
        *stored = with_version(ctx->arena, text);
    return e;
}
