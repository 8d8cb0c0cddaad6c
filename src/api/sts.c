/* api/sts.c - STS, as far as every SDK's first line of a script needs it: who am I? The answer is
 * what the access key means here (aws/keys.h); nothing is stored. There are no roles and no
 * sessions: the rest is refused by name. */
#include "api/call.h"
#include "api/ops.h"
#include "aws/fault.h"

#include <string.h>

#define IDENTITY(F, T)                                                                             \
    F(T, STR, arn, "Arn", BODY)                                                                    \
    F(T, STR, user_id, "UserId", BODY)                                                             \
    F(T, STR, account, "Account", BODY)
SHAPE(sts_identity, "GetCallerIdentityResponse", IDENTITY)

/* A root identity's user id is the account; a user's id is made from its name, so that it is always
 * the same. */
static str user_id(struct call *call)
{
    ptrdiff_t at = str_find(call->ctx.principal, S(":user/"), 0);
    if (at < 0)
        return call->ctx.account;
    str name = str_slice(call->ctx.principal, (size_t)at + 6, call->ctx.principal.n);
    return arena_printf(call->ctx.arena, "AIDA%016llX", (unsigned long long)str_hash(name));
}

static err get_caller_identity(struct call *call, const void *in, void *out)
{
    struct sts_identity *identity = out;
    (void)in;
    if (call->ctx.anonymous)
        return FAIL(AWS_MISSING_TOKEN);
    identity->arn = call->ctx.principal;
    identity->account = call->ctx.account;
    identity->user_id = user_id(call);
    return OK;
}

#define NOT_HERE(name_)                                                                            \
    {                                                                                              \
        .name = name_, .in = &empty_shape, .out = &empty_shape, .flags = OP_UNIMPLEMENTED          \
    }
static const struct op operations[] = {
    {.name = "GetCallerIdentity",
     .in = &empty_shape,
     .out = &sts_identity_shape,
     .run = get_caller_identity,
     .flags = OP_READ},
    NOT_HERE("AssumeRole"),
    NOT_HERE("AssumeRoleWithSAML"),
    NOT_HERE("AssumeRoleWithWebIdentity"),
    NOT_HERE("AssumeRoot"),
    NOT_HERE("DecodeAuthorizationMessage"),
    NOT_HERE("GetAccessKeyInfo"),
    NOT_HERE("GetDelegatedAccessToken"),
    NOT_HERE("GetFederationToken"),
    NOT_HERE("GetSessionToken"),
    NOT_HERE("GetWebIdentityToken"),
    {.name = NULL},
};

static const struct op *const tables[] = {operations, NULL};

static err refuse(struct call *call, const struct op *op, const struct shape_issue *issue)
{
    (void)op;
    return err_text(call->ctx.arena, &AWS_INVALID_PARAMETER, "Invalid value for %.*s.",
                    STR_ARG(issue->name));
}

const struct service sts_service = {
    .name = "sts",
    .xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
    .version = "2011-06-15",
    .ops = tables,
    .refuse = refuse,
};
