/* s3/condition.c - preconditions. Dates compare in whole seconds, as HTTP carries no more;
 * If-Modified-Since in the future is ignored (RFC 9110 13.1.3). Which header wins when several are
 * sent: docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html. */
#include "s3/condition.h"

#include "s3/faults.h"

bool s3_etag_listed(str header, str etag)
{
    str rest = header;
    while (rest.p) {
        str item = str_trim(str_cut(&rest, ','));
        if (str_eq(item, S("*")))
            return true;
        if (str_starts(item, S("W/")))
            item = str_slice(item, 2, item.n);
        if (item.n >= 2 && item.p[0] == '"' && item.p[item.n - 1] == '"')
            item = str_slice(item, 1, item.n - 1);
        if (str_eq(item, etag))
            return true;
    }
    return false;
}

static err unmet(struct ctx *ctx, const char *condition)
{
    return err_with(ctx->arena, FAIL(S3_PRECONDITION_FAILED), "Condition", str_of(condition));
}

static bool modified_since(struct ctx *ctx, const struct s3_object *object, msec when)
{
    return when > ctx->now || object->mtime / 1000 > when / 1000;
}

static bool unmodified_since(const struct s3_object *object, msec when)
{
    return object->mtime / 1000 <= when / 1000;
}

err s3_conditions_read(struct ctx *ctx, const struct s3_conditions *conditions,
                       const struct s3_object *object)
{
    const struct s3_conditions *c = conditions;
    if (c->if_match.p) {
        if (!s3_etag_listed(c->if_match, object->etag))
            return unmet(ctx, "If-Match");
    } else if (c->if_unmodified_since.set && !unmodified_since(object, c->if_unmodified_since.v)) {
        return unmet(ctx, "If-Unmodified-Since");
    }
    if (c->if_none_match.p)
        return s3_etag_listed(c->if_none_match, object->etag) ? FAIL(S3_NOT_MODIFIED) : OK;
    if (c->if_modified_since.set && !modified_since(ctx, object, c->if_modified_since.v))
        return FAIL(S3_NOT_MODIFIED);
    return OK;
}

err s3_conditions_source(struct ctx *ctx, const struct s3_conditions *conditions,
                         const struct s3_object *object)
{
    const struct s3_conditions *c = conditions;
    if (c->if_match.p) {
        if (!s3_etag_listed(c->if_match, object->etag))
            return unmet(ctx, "x-amz-copy-source-If-Match");
    } else if (c->if_unmodified_since.set && !unmodified_since(object, c->if_unmodified_since.v)) {
        return unmet(ctx, "x-amz-copy-source-If-Unmodified-Since");
    }
    if (c->if_none_match.p)
        return s3_etag_listed(c->if_none_match, object->etag)
                   ? unmet(ctx, "x-amz-copy-source-If-None-Match")
                   : OK;
    if (c->if_modified_since.set && !modified_since(ctx, object, c->if_modified_since.v))
        return unmet(ctx, "x-amz-copy-source-If-Modified-Since");
    return OK;
}

static err unsupported(struct ctx *ctx, const char *header, str additional)
{
    err e = err_with(ctx->arena, FAIL(S3_NOT_IMPLEMENTED), "Header", str_of(header));
    return err_with(ctx->arena, e, "additionalMessage", additional);
}

err s3_conditions_form(struct ctx *ctx, const struct s3_conditions *conditions)
{
    const struct s3_conditions *c = conditions;
    if (c->if_match.p && c->if_none_match.p)
        return unsupported(ctx, "If-Match,If-None-Match",
                           S("Multiple conditional request headers present in the request"));
    if (c->if_none_match.p && !str_eq(c->if_none_match, S("*")))
        return unsupported(
            ctx, "If-None-Match",
            S("We don't accept the provided value of If-None-Match header for this API"));
    if (c->if_match.p && str_eq(c->if_match, S("*")))
        return unsupported(ctx, "If-Match",
                           S("We don't accept the provided value of If-Match header for this API"));
    return OK;
}

err s3_conditions_write(struct ctx *ctx, const struct s3_conditions *conditions, str key,
                        const struct s3_object *current)
{
    bool there = current->id && !current->marker;
    if (conditions->if_none_match.p && there)
        return unmet(ctx, "If-None-Match");
    if (!conditions->if_match.p)
        return OK;
    if (!there)
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_KEY), "Key", key);
    return s3_etag_listed(conditions->if_match, current->etag) ? OK : unmet(ctx, "If-Match");
}
