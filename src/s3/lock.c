/* s3/lock.c - see lock.h. */
#include "s3/lock.h"

#include "base/text.h"
#include "s3/document.h"
#include "s3/engine.h"

#include <time.h>

#define DAY INT64_C(86400000)

err s3_lock_required(struct ctx *ctx, const struct s3_bucket *bucket)
{
    if (bucket->object_lock)
        return OK;
    return err_text(ctx->arena, &S3_INVALID_REQUEST, "Bucket is missing Object Lock Configuration");
}

static err check_change(struct ctx *ctx, const struct s3_object *object, str mode, msec until,
                        bool bypass)
{
    if (!object->lock_mode.p || object->lock_until <= ctx->now)
        return OK;
    bool longer = str_eq(mode, object->lock_mode) && until >= object->lock_until;
    if (longer || (bypass && str_eq(object->lock_mode, S("GOVERNANCE"))))
        return OK;
    return FAIL(S3_LOCKED);
}

err s3_lock_retain(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                   struct s3_object *object, str mode, msec until, bool bypass)
{
    if (mode.p && until <= ctx->now)
        return s3_argument(ctx->arena, "RetainUntilDate", date_pacific(ctx->arena, until),
                           "The retain until date must be in the future!");
    TRY(check_change(ctx, object, mode, until, bypass));
    object->lock_mode = mode;
    object->lock_until = mode.p ? until : 0;
    TRY(s3_object_update(s3->db, object));
    return s3_changed(s3, ctx, bucket, S3_RETENTION_PUT, object);
}

err s3_lock_hold(struct s3 *s3, struct s3_object *object, bool on)
{
    object->legal_hold = on;
    object->legal_hold_set = 1;
    return s3_object_update(s3->db, object);
}

/* The same day and time so many years on; 29 February becomes 1 March where there is none. */
static msec years_later(msec now, int64_t years)
{
    time_t seconds = (time_t)(now / 1000);
    struct tm date;
    gmtime_r(&seconds, &date);
    date.tm_year += (int)years;
    return (msec)timegm(&date) * 1000 + now % 1000;
}

void s3_lock_default(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     struct s3_object *object)
{
    struct s3_lock config = {0};
    if (object->lock_mode.p ||
        !s3_document_load(s3, ctx, bucket, S3_CONFIG_OBJECT_LOCK, S(""), &config))
        return;
    const struct s3_lock_rule *rule = config.rule;
    const struct s3_default_retention *retention = rule ? rule->retention : NULL;
    if (!retention)
        return;
    object->lock_mode = retention->mode;
    object->lock_until = retention->days.set ? ctx->now + retention->days.v * DAY
                                             : years_later(ctx->now, retention->years.v);
}
