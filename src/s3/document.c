/* s3/document.c - the table of configuration documents, and the way in and out of the store.
 * Documents are kept as canonical XML: what shape_to_xml makes of the struct, under the root that
 * AWS gives it. */
#include "s3/document.h"

#include "base/xml.h"
#include "s3/document_check.h"
#include "s3/engine.h"

static const struct s3_document documents[] = {
    {S3_CONFIG_PUBLIC_ACCESS_BLOCK, &s3_public_access_block_shape, &S3_NO_SUCH_PUBLIC_ACCESS_BLOCK,
     true, s3_check_public_access},
    {S3_CONFIG_TAGGING, &s3_tagging_shape, &S3_NO_SUCH_TAG_SET, true, s3_check_tagging},
    {S3_CONFIG_CORS, &s3_cors_shape, &S3_NO_SUCH_CORS, true, s3_check_cors},
    {S3_CONFIG_ENCRYPTION, &s3_encryption_shape, &S3_NO_SUCH_ENCRYPTION, true, s3_check_encryption},
    {S3_CONFIG_OWNERSHIP, &s3_ownership_controls_shape, &S3_NO_SUCH_OWNERSHIP, true,
     s3_check_ownership},
    {S3_CONFIG_OBJECT_LOCK, &s3_lock_shape, &S3_NO_SUCH_LOCK_CONFIGURATION, true, s3_check_lock},
    {S3_CONFIG_LIFECYCLE, &s3_lifecycle_shape, &S3_NO_SUCH_LIFECYCLE, true, s3_check_lifecycle},
    {S3_CONFIG_WEBSITE, &s3_website_shape, &S3_NO_SUCH_WEBSITE, true, s3_check_website},
    {S3_CONFIG_REQUEST_PAYMENT, &s3_request_payment_shape, NULL, false, NULL},
    {S3_CONFIG_ACCELERATE, &s3_accelerate_shape, NULL, false, s3_check_accelerate},
    {S3_CONFIG_ABAC, &s3_abac_shape, NULL, false, NULL},
    {S3_CONFIG_LOGGING, &s3_logging_shape, NULL, false, s3_check_logging},
    {S3_CONFIG_REPLICATION, &s3_replication_shape, &S3_NO_SUCH_REPLICATION, false,
     s3_replication_check},
    {S3_CONFIG_INVENTORY, &s3_inventory_shape, &S3_NO_SUCH_CONFIGURATION, false,
     s3_inventory_check},
    {S3_CONFIG_ANALYTICS, &s3_analytics_shape, &S3_NO_SUCH_CONFIGURATION, false,
     s3_analytics_check},
    {S3_CONFIG_METRICS, &s3_metrics_shape, &S3_NO_SUCH_CONFIGURATION, false, s3_metrics_check},
    {S3_CONFIG_INTELLIGENT_TIERING, &s3_tiering_shape, &S3_NO_SUCH_CONFIGURATION, false,
     s3_tiering_check},
};

const struct s3_document *s3_document_of(enum s3_config kind)
{
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        if (documents[i].kind == kind)
            return &documents[i];
    return NULL;
}

err s3_document_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                    str id, void *document)
{
    const struct s3_document *row = s3_document_of(kind);
    if (row->check)
        TRY(row->check(s3, ctx, bucket, document));
    struct buf b = buf_in(ctx->arena);
    xml_open(&b, row->shape->name);
    shape_to_xml(&b, row->shape, document);
    xml_close(&b, row->shape->name);
    return s3_config_put(s3, bucket, kind, id, buf_str(&b));
}

void s3_document_parse(struct ctx *ctx, enum s3_config kind, str document, void *out)
{
    const struct xml *root = xml_parse(ctx->arena, document);
    if (root)
        shape_from_xml(ctx->arena, s3_document_of(kind)->shape, root, false, out);
}

bool s3_document_load(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                      str id, void *out)
{
    str document = s3_config_get(s3, ctx, bucket, kind, id);
    if (document.p)
        s3_document_parse(ctx, kind, document, out);
    return document.p != NULL;
}

err s3_document_get(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_config kind,
                    str id, void *out)
{
    const struct s3_document *row = s3_document_of(kind);
    if (s3_document_load(s3, ctx, bucket, kind, id, out) || !row->missing)
        return OK;
    err e = {.fault = row->missing};
    return row->names_bucket ? err_with(ctx->arena, e, "BucketName", bucket->name) : e;
}
