/* api/sqs_access.c - see sqs_access.h. */
#include "api/sqs_access.h"

#include <string.h>

#include "api/sqs_common.h"
#include "aws/policy.h"
#include "base/text.h"

/* The member of the input with that wire name; absent when it has none. */
static str member(const struct op *op, const void *in, const char *wire)
{
    for (size_t i = 0; i < op->in->n; i++)
        if (op->in->fields[i].kind == SHAPE_STR && !strcmp(op->in->fields[i].wire, wire))
            return *(const str *)shape_at(&op->in->fields[i], in);
    return STR_NONE;
}

/* 0: the operation is not about one queue, or about one that does not exist. */
static int64_t queue_of(struct call *call, const void *in)
{
    int64_t queue = 0;
    str url = member(call->op, in, "QueueUrl"), arn = member(call->op, in, "SourceArn");
    str owner = member(call->op, in, "QueueOwnerAWSAccountId");
    if (owner.n)
        url = arena_printf(call->ctx.arena, "/%.*s/%.*s", STR_ARG(owner),
                           STR_ARG(member(call->op, in, "QueueName")));
    err e = url.n   ? sqs_queue_at(call->api->sqs, &call->ctx, url, &queue)
            : arn.n ? sqs_queue_by_arn(call->api->sqs, arn, &queue)
                    : OK;
    return failed(e) ? 0 : queue;
}

static enum policy_decision decide(struct arena *arena, const struct sqs_queue_facts *queue,
                                   struct policy_request *request)
{
    struct policy *policy;
    if (!queue->policy.n || failed(policy_parse(arena, queue->policy, &policy)))
        return POLICY_IMPLICIT;
    request->resource = queue->arn;
    return policy_decide(policy, request);
}

/* The batches count as what they are batches of. */
static str action_of(struct call *call)
{
    return call->op->action ? str_of(call->op->action)
                            : arena_printf(call->ctx.arena, "sqs:%s", call->op->name);
}

static enum policy_decision decide_for_caller(struct call *call,
                                              const struct sqs_queue_facts *queue)
{
    const struct ctx *ctx = &call->ctx;
    struct policy_value context[] = {
        {S("aws:SourceIp"), ctx->source_ip},
        {S("aws:SecureTransport"), S("false")},
        {S("aws:CurrentTime"), date_iso(ctx->arena, ctx->now)},
        {S("aws:EpochTime"), arena_printf(ctx->arena, "%lld", (long long)ctx->now / 1000)},
        {S("aws:PrincipalAccount"), ctx->account},
        {S("aws:PrincipalArn"), ctx->principal},
    };
    struct policy_request request = {.principal = ctx->anonymous ? STR_NONE : ctx->principal,
                                     .account = ctx->anonymous ? STR_NONE : ctx->account,
                                     .action = action_of(call),
                                     .context = context,
                                     .ncontext = ctx->anonymous ? 4 : 6};
    return decide(ctx->arena, queue, &request);
}

/* SQS names the action in lower case, and why it is refused. */
static err refusal(struct call *call, str arn, enum policy_decision decision)
{
    struct arena *arena = call->ctx.arena;
    str who = call->ctx.anonymous ? S("anonymous") : call->ctx.principal;
    str action = text_lower(arena, action_of(call));
    str why = decision == POLICY_DENY
                  ? S("with an explicit deny in a resource-based policy")
                  : arena_printf(arena, "because no resource-based policy allows the %.*s action",
                                 STR_ARG(action));
    return err_text(arena, &SQS_ACCESS_DENIED,
                    "User: %.*s is not authorized to perform: %.*s on resource: %.*s %.*s",
                    STR_ARG(who), STR_ARG(action), STR_ARG(arn), STR_ARG(why));
}

err sqs_authorize(struct call *call, const void *in)
{
    struct sqs_queue_facts queue;
    if (!call->api->enforce)
        return OK;
    int64_t id = queue_of(call, in);
    if (!id || !sqs_queue_facts(call->api->sqs, id, &queue))
        return call->ctx.anonymous ? FAIL(SQS_ACCESS_DENIED) : OK;
    enum policy_decision decision = decide_for_caller(call, &queue);
    bool owner = !call->ctx.anonymous && str_eq(call->ctx.account, queue.account);
    if (decision == POLICY_ALLOW || (owner && decision != POLICY_DENY))
        return OK;
    return refusal(call, queue.arn, decision);
}

bool sqs_service_may_send(struct sqs *sqs, struct ctx *ctx, int64_t id, str service, str source_arn,
                          str account)
{
    struct sqs_queue_facts queue;
    struct policy_value context[] = {{S("aws:SourceArn"), source_arn},
                                     {S("aws:SourceAccount"), account}};
    struct policy_request request = {
        .service = service, .action = S("sqs:SendMessage"), .context = context, .ncontext = 2};
    return sqs_queue_facts(sqs, id, &queue) && decide(ctx->arena, &queue, &request) == POLICY_ALLOW;
}
