/* s3/document_lifecycle.c - what AWS refuses in a lifecycle configuration.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html and recordings.
 */
#include "base/rng.h"
#include "base/text.h"
#include "s3/document_check.h"
#include "s3/engine.h"

#define DAY INT64_C(86400000)
#define RULES_MAX 1000

static err argument(struct ctx *ctx, const char *text)
{
    return err_text(ctx->arena, &S3_INVALID_ARGUMENT, "%s", text);
}

static err positive(struct ctx *ctx, opt_int days, const char *text)
{
    return days.set && days.v <= 0 ? argument(ctx, text) : OK;
}

static err check_date(struct ctx *ctx, opt_int date)
{
    if (!date.set || date.v % DAY == 0)
        return OK;
    err e = argument(ctx, "'Date' must be at midnight GMT");
    e = err_with(ctx->arena, e, "ArgumentName", S("Date"));
    return err_with(ctx->arena, e, "ArgumentValue", date_pacific(ctx->arena, date.v));
}

static err check_distinct(struct ctx *ctx, list tags)
{
    LIST_EACH (const struct s3_tag, tag, tags)
        LIST_EACH (const struct s3_tag, other, tags)
            if (other < tag && str_eq(other->key, tag->key))
                return err_text(ctx->arena, &S3_INVALID_REQUEST,
                                "Duplicate Tag Keys are not allowed.");
    return OK;
}

static err check_filter(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_lifecycle_filter *filter = rule->filter;
    if (!filter)
        return rule->prefix.p ? OK : FAIL(S3_MALFORMED_XML);
    if (rule->prefix.p)
        return FAIL(S3_MALFORMED_XML);
    int members = (filter->prefix.p != NULL) + (filter->tag != NULL) + filter->greater.set +
                  filter->less.set + (filter->and != NULL);
    if (members > 1)
        return FAIL(S3_MALFORMED_XML);
    const struct s3_lifecycle_and *and = filter->and;
    if (and&&(and->prefix.p != NULL) + (int)and->tags.n + and->greater.set + and->less.set < 2)
        return FAIL(S3_MALFORMED_XML);
    return and? check_distinct(ctx, and->tags) : OK;
}

static err check_expiration(struct ctx *ctx, const struct s3_expiration *expiration)
{
    if (!expiration)
        return OK;
    if (expiration->date.set + expiration->days.set + expiration->marker.set != 1)
        return FAIL(S3_MALFORMED_XML);
    TRY(positive(ctx, expiration->days, "'Days' for Expiration action must be a positive integer"));
    return check_date(ctx, expiration->date);
}

static bool infrequent(str storage_class)
{
    return str_eq(storage_class, S("STANDARD_IA")) || str_eq(storage_class, S("ONEZONE_IA"));
}

static err check_transition(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                            const struct s3_transition *transition)
{
    const struct s3_expiration *expiration = rule->expiration;
    if (transition->date.set == transition->days.set)
        return FAIL(S3_MALFORMED_XML);
    if (transition->days.set && transition->days.v < 0)
        return argument(ctx, "'Days' for Transition action must be nonnegative");
    if (transition->days.set && infrequent(transition->storage_class) && transition->days.v < 30)
        return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                        "'Days' in Transition action must be greater than or equal to 30 for "
                        "storageClass '%.*s'",
                        STR_ARG(transition->storage_class));
    if (expiration && expiration->days.set && transition->days.set &&
        expiration->days.v <= transition->days.v)
        return argument(ctx, "'Days' in the Expiration action for filter must be greater than "
                             "'Days' in the Transition action");
    if (expiration && expiration->days.set != transition->days.set &&
        (expiration->days.set || expiration->date.set))
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "Found mixed 'Date' and 'Days' based Expiration and Transition actions in "
                        "lifecycle rule for filter");
    return check_date(ctx, transition->date);
}

static err check_old(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_old_expiration *expiration = rule->old_expiration;
    if (expiration && !expiration->days.set)
        return FAIL(S3_MALFORMED_XML);
    if (expiration)
        TRY(positive(
            ctx, expiration->days,
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"));
    LIST_EACH (const struct s3_old_transition, transition, rule->old_transitions) {
        if (!transition->days.set)
            return FAIL(S3_MALFORMED_XML);
        if (infrequent(transition->storage_class) && transition->days.v < 30)
            return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                            "'NoncurrentDays' in NoncurrentVersionTransition action must be "
                            "greater than or equal to 30 for "
                            "storageClass '%.*s'",
                            STR_ARG(transition->storage_class));
    }
    return OK;
}

static err check_abort(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_abort_uploads *abort = rule->abort;
    if (!abort)
        return OK;
    if (!abort->days.set)
        return FAIL(S3_MALFORMED_XML);
    const struct s3_lifecycle_filter *filter = rule->filter;
    const struct s3_lifecycle_and *and = filter ? filter->and : NULL;
    if (filter && (filter->tag || (and&&and->tags.n)))
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "AbortIncompleteMultipartUpload cannot be specified with Tags.");
    return positive(ctx, abort->days,
                    "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a "
                    "positive integer");
}

static err check_rule(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    if (rule->id.n > 255)
        return argument(ctx, "ID length should not exceed allowed limit of 255");
    TRY(check_filter(ctx, rule));
    if (!rule->expiration && !rule->transitions.n && !rule->old_transitions.n &&
        !rule->old_expiration && !rule->abort)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "At least one action needs to be specified in a rule");
    TRY(check_expiration(ctx, rule->expiration));
    LIST_EACH (const struct s3_transition, transition, rule->transitions)
        TRY(check_transition(ctx, rule, transition));
    TRY(check_old(ctx, rule));
    return check_abort(ctx, rule);
}

err s3_check_lifecycle(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_lifecycle *config = document;
    if (!config->rules.n || config->rules.n > RULES_MAX)
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (struct s3_lifecycle_rule, rule, config->rules) {
        TRY(check_rule(ctx, rule));
        LIST_EACH (const struct s3_lifecycle_rule, other, config->rules)
            if (other < rule && rule->id.n && str_eq(other->id, rule->id))
                return argument(ctx,
                                "Rule ID must be unique. Found same ID for more than one rule");
        if (!rule->id.n)
            rule->id =
                rng_text(ctx->rng, ctx->arena,
                         S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"), 48);
    }
    return OK;
}
