/* s3/change.c - what every change of an object ends with: those who asked to know are told, in the
 * change's own savepoint. */
#include "s3/engine.h"
#include "s3/multipart.h"
#include "s3/notify.h"

err s3_changed(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_event event,
               const struct s3_object *object)
{
    if (event == S3_REMOVED || event == S3_REMOVED_MARKER || event == S3_EXPIRED ||
        event == S3_EXPIRED_MARKER)
        TRY(s3_multipart_disturb(s3, bucket, object->key));
    return s3_bucket_has(bucket, S3_CONFIG_NOTIFICATION) ? s3_notify(s3, ctx, bucket, event, object)
                                                         : OK;
}
