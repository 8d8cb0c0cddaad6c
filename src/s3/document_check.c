/* s3/document_check.c - see document_check.h. Lifecycle and website, which have the most rules,
 * have files of their own. */
#include "s3/document_check.h"

#include "s3/cors.h"

#include "s3/engine.h"

err s3_check_public_access(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    struct s3_public_access_block *config = document;
    opt_bool *bits[] = {&config->block_public_acls, &config->ignore_public_acls,
                        &config->block_public_policy, &config->restrict_public_buckets};
    int set = 0;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        set += bits[i]->set;
        bits[i]->set = true;
    }
    return set ? OK
               : err_text(ctx->arena, &S3_INVALID_REQUEST,
                          "Must specify at least one configuration.");
}

err s3_check_tagging(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_tagging *config = document;
    return s3_tags_check(ctx, config->tags.at, config->tags.n, true);
}

/* --- CORS --- */

static err check_method(struct ctx *ctx, str method)
{
    static const char *const known[] = {"GET", "PUT", "HEAD", "POST", "DELETE"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(method, str_of(known[i])))
            return OK;
    return err_text(ctx->arena, &S3_INVALID_REQUEST,
                    "Found unsupported HTTP method in CORS config. Unsupported method is %.*s",
                    STR_ARG(method));
}

static err check_wildcards(struct ctx *ctx, const char *name, list values)
{
    LIST_EACH (const struct scalar_str, item, values)
        if (str_count(item->value, '*') > 1)
            return err_text(ctx->arena, &S3_INVALID_REQUEST,
                            "%s \"%.*s\" can not have more than one wildcard.", name,
                            STR_ARG(item->value));
    return OK;
}

/* "AllowedHeader" for those to expose, too, as AWS says it. */
static err check_header_names(struct ctx *ctx, list names)
{
    LIST_EACH (const struct scalar_str, name, names)
        if (!s3_cors_header_name(name->value))
            return err_text(ctx->arena, &S3_INVALID_REQUEST,
                            "AllowedHeader \"%.*s\" contains invalid character.",
                            STR_ARG(name->value));
    return OK;
}

static err check_cors_rule(struct ctx *ctx, const struct s3_cors_rule *rule)
{
    if (!rule->methods.n || !rule->origins.n)
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (const struct scalar_str, method, rule->methods)
        TRY(check_method(ctx, method->value));
    TRY(check_wildcards(ctx, "AllowedOrigin", rule->origins));
    TRY(check_wildcards(ctx, "AllowedHeader", rule->headers));
    LIST_EACH (const struct scalar_str, header, rule->expose)
        if (str_count(header->value, '*'))
            return err_text(ctx->arena, &S3_INVALID_REQUEST,
                            "ExposeHeader \"%.*s\" contains wildcard. We currently do not support "
                            "wildcard for ExposeHeader.",
                            STR_ARG(header->value));
    TRY(check_header_names(ctx, rule->headers));
    return check_header_names(ctx, rule->expose);
}

err s3_check_cors(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_cors *config = document;
    if (!config->rules.n)
        return FAIL(S3_MALFORMED_XML);
    if (config->rules.n > 100)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "The number of CORS rules should not exceed allowed limit of 100 rules.");
    LIST_EACH (const struct s3_cors_rule, rule, config->rules)
        TRY(check_cors_rule(ctx, rule));
    return OK;
}

/* --- encryption, ownership --- */

err s3_check_encryption(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_encryption *config = document;
    if (config->rules.n != 1)
        return FAIL(S3_MALFORMED_XML);
    struct s3_sse_rule *rule = LIST_AT(config->rules, struct s3_sse_rule, 0);
    const struct s3_sse_default *apply = rule->apply;
    const struct s3_sse_blocked *blocked = rule->blocked;
    if (!apply && !blocked)
        return FAIL(S3_MALFORMED_XML);
    if (apply && apply->key.p && str_eq(apply->algorithm, S("AES256")))
        return err_with(ctx->arena,
                        err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                                 "a KMSMasterKeyID is not applicable if the default sse algorithm "
                                 "is not aws:kms or aws:kms:dsse"),
                        "ArgumentName", S("ApplyServerSideEncryptionByDefault"));
    if (blocked)
        LIST_EACH (const struct scalar_str, type, blocked->types)
            if (!str_eq(type->value, S("NONE")) && !str_eq(type->value, S("SSE-C")))
                return FAIL(S3_MALFORMED_XML);
    rule->bucket_key.set = true;
    return OK;
}

err s3_check_ownership(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)ctx, (void)bucket;
    const struct s3_ownership_controls *config = document;
    return config->rules.n == 1 ? OK : FAIL(S3_MALFORMED_XML);
}

/* --- object lock --- */

err s3_check_lock(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3;
    const struct s3_lock *config = document;
    const struct s3_lock_rule *rule = config->rule;
    const struct s3_default_retention *retention = rule ? rule->retention : NULL;
    if (bucket->versioning != S3_VERSIONED)
        return err_text(
            ctx->arena, &S3_INVALID_BUCKET_STATE,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
    if (!config->enabled.p || (rule && (!retention || !retention->mode.p)))
        return FAIL(S3_MALFORMED_XML);
    if (retention && retention->days.set == retention->years.set)
        return FAIL(S3_MALFORMED_XML);
    if (!retention)
        return OK;
    int64_t length = retention->days.set ? retention->days.v : retention->years.v;
    if (length <= 0)
        return FAIL(S3_INVALID_RETENTION);
    if (length > (retention->days.set ? 36500 : 100))
        return s3_argument(ctx->arena, retention->days.set ? "Days" : "Years",
                           arena_printf(ctx->arena, "%lld", (long long)length),
                           "Default retention period too large.");
    return OK;
}

/* --- acceleration, logging --- */

err s3_check_accelerate(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3;
    const struct s3_accelerate *config = document;
    if (!config->status.p)
        return FAIL(S3_MALFORMED_XML);
    if (str_find(bucket->name, S("."), 0) >= 0)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "S3 Transfer Acceleration is not supported for buckets with periods (.) in "
                        "their names");
    return OK;
}

static err bad_target(struct ctx *ctx, const struct s3_log_target *target, const char *text)
{
    err e = err_text(ctx->arena, &S3_INVALID_TARGET_BUCKET, "%s", text);
    return err_with(ctx->arena, e, "TargetBucket", target->bucket);
}

err s3_check_logging(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    const struct s3_logging *config = document;
    const struct s3_log_target *target = config->target;
    if (!target)
        return OK;
    const struct s3_log_format *format = target->format;
    if (format && !format->simple == !format->partitioned)
        return FAIL(S3_MALFORMED_XML);
    struct s3_bucket *to = s3_bucket_get(s3, target->bucket);
    if (!to)
        return bad_target(ctx, target, "The target bucket for logging does not exist");
    if (!str_eq(to->account, bucket->account))
        return bad_target(
            ctx, target,
            "The owner for the bucket to be logged and the target bucket must be the same.");
    if (str_eq(to->region, bucket->region))
        return OK;
    err e =
        err_with(ctx->arena, FAIL(S3_CROSS_LOCATION_LOGGING), "TargetBucketLocation", to->region);
    if (str_eq(bucket->region, S("us-east-1")))
        return e; /* which AWS leaves unsaid */
    return err_with(ctx->arena, e, "SourceBucketLocation", bucket->region);
}
