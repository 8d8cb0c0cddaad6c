/* s3/document_website.c - what AWS refuses in a website configuration. */
#include "s3/document_check.h"
#include "s3/engine.h"

#define RULES_MAX 50

static err request(struct ctx *ctx, const char *text)
{
    return err_text(ctx->arena, &S3_INVALID_REQUEST, "%s", text);
}

static err check_protocol(struct ctx *ctx, str protocol)
{
    if (!protocol.p || str_eq(protocol, S("http")) || str_eq(protocol, S("https")))
        return OK;
    return request(ctx, "Invalid protocol, protocol can be http or https. If not defined the "
                        "protocol will be selected automatically.");
}

/* A number of three digits in [low, high]. */
static bool code_in(str code, int64_t low, int64_t high)
{
    int64_t value;
    return str_to_int(code, &value) && value >= low && value <= high;
}

static err check_rule(struct ctx *ctx, const struct s3_routing_rule *rule)
{
    const struct s3_routing_condition *condition = rule->condition;
    const struct s3_redirect *redirect = rule->redirect;
    if (condition && !condition->error.p && !condition->prefix.p)
        return request(ctx, "Condition cannot be empty. To redirect all requests without a "
                            "condition, the condition element "
                            "shouldn't be present.");
    if (condition && condition->error.p && !code_in(condition->error, 400, 599))
        return err_text(
            ctx->arena, &S3_INVALID_REQUEST,
            "The provided HTTP error code (%.*s) is not valid. Valid codes are 4XX or 5XX.",
            STR_ARG(condition->error));
    TRY(check_protocol(ctx, redirect->protocol));
    if (redirect->replace_prefix.p && redirect->replace_key.p)
        return request(ctx, "You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
    if (redirect->code.p && !code_in(redirect->code, 301, 399))
        return err_text(
            ctx->arena, &S3_INVALID_REQUEST,
            "The provided HTTP redirect code (%.*s) is not valid. Valid codes are 3XX except 300.",
            STR_ARG(redirect->code));
    return OK;
}

static err check_redirect_all(struct ctx *ctx, const struct s3_website *config)
{
    const struct s3_redirect_all *all = config->redirect_all;
    if (config->index || config->error || config->rules.n)
        return s3_argument(
            ctx->arena, "RedirectAllRequestsTo", S("not null"),
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.");
    return check_protocol(ctx, all->protocol);
}

err s3_check_website(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_website *config = document;
    const struct s3_index_document *index = config->index;
    const struct s3_error_document *error = config->error;
    if (config->redirect_all)
        return check_redirect_all(ctx, config);
    if (!index)
        return s3_argument(
            ctx->arena, "IndexDocument", S("null"),
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty");
    if (!index->suffix.n || str_find(index->suffix, S("/"), 0) >= 0)
        return s3_argument(ctx->arena, "IndexDocument", index->suffix.n ? index->suffix : STR_NONE,
                           "The IndexDocument Suffix is not well formed");
    if (error && !error->key.n)
        return s3_argument(ctx->arena, "ErrorDocument", error->key,
                           "The ErrorDocument Key is not well formed");
    if (config->rules.set && !config->rules.n)
        return FAIL(S3_MALFORMED_XML);
    if (config->rules.n > RULES_MAX)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "%zu routing rules provided, the number of routing rules in a website "
                        "configuration is limited to %d.",
                        config->rules.n, RULES_MAX);
    LIST_EACH (const struct s3_routing_rule, rule, config->rules)
        TRY(check_rule(ctx, rule));
    return OK;
}
