/* s3/restore.c - see restore.h. How long a retrieval takes is what AWS promises at most:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html. */
#include "s3/restore.h"

#include "s3/engine.h"

#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)

static const struct tier {
    const char *storage_class, *name;
    msec takes;
} tiers[] = {
    {"GLACIER", "Expedited", 5 * MINUTE}, {"GLACIER", "Standard", 5 * HOUR},
    {"GLACIER", "Bulk", 12 * HOUR},       {"DEEP_ARCHIVE", "Standard", 12 * HOUR},
    {"DEEP_ARCHIVE", "Bulk", 48 * HOUR},
};

static err find_tier(struct ctx *ctx, const struct s3_object *object, str name,
                     const struct tier **out)
{
    bool archived = false;
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        if (!str_eq(object->storage_class, str_of(tiers[i].storage_class)))
            continue;
        archived = true;
        *out = &tiers[i];
        if (str_eq(name, str_of(tiers[i].name)))
            return OK;
    }
    if (archived)
        return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                        "Retrieval option is not supported by this storage class");
    err e = err_text(ctx->arena, &S3_INVALID_OBJECT_STATE,
                     "Restore is not allowed for the object's current storage class");
    return err_with(ctx->arena, e, "StorageClass",
                    object->storage_class.p ? object->storage_class : S("STANDARD"));
}

err s3_restore_begin(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     struct s3_object *object, const struct s3_restore *restore, bool *again)
{
    const struct tier *tier = NULL;
    TRY(find_tier(ctx, object, restore->tier.p ? restore->tier : S("Standard"), &tier));
    if (!restore->days.set || restore->days.v < 1)
        return FAIL(S3_MALFORMED_XML);
    if (object->restore_due)
        return FAIL(S3_RESTORE_IN_PROGRESS);
    *again = object->restore_until > ctx->now;
    if (!*again)
        object->restore_due = ctx->now + tier->takes;
    /* A restored copy goes at the first midnight after its days are over. */
    object->restore_until =
        s3_midnight_after(*again ? ctx->now : object->restore_due, restore->days.v);
    TRY(s3_object_update(s3->db, object));
    s3_due_changed(s3);
    return *again ? OK : s3_changed(s3, ctx, bucket, S3_RESTORE_POST, object);
}
