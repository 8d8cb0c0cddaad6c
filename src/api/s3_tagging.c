/* api/s3_tagging.c - the tags of objects. */
#include "api/s3_common.h"
#include "api/s3_upload.h"
#include "api/s3_tables.h"
#include "s3/tags.h"

#define TAGGING(F, T)                                                                              \
    F(T, LIST, tags, "TagSet", BODY, .of = &s3_tag_shape, .item = "Tag",                           \
      .flags = REQUIRED | KEEP_EMPTY)
SHAPE(tagging, "Tagging", TAGGING)

#define VERSION_IN(F, T)                                                                           \
    S3_OBJECT_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, version_id, "versionId", QUERY)
SHAPE(version_in, "ObjectTaggingRequest", VERSION_IN)

#define PUT_IN(F, T)                                                                               \
    VERSION_IN(F, T)                                                                               \
    S3_DOCUMENT_IN(F, T)                                                                           \
    F(T, STRUCT, tagging, "Tagging", PAYLOAD, .of = &tagging_shape, .flags = REQUIRED)
SHAPE(put_in, "PutObjectTaggingRequest", PUT_IN)

#define VERSION_OUT(F, T) F(T, STR, version_id, "x-amz-version-id", HEADER)
SHAPE(version_out, "ObjectTaggingOutput", VERSION_OUT)

#define GET_OUT(F, T)                                                                              \
    VERSION_OUT(F, T)                                                                              \
    F(T, LIST, tags, "TagSet", BODY, .of = &s3_tag_shape, .item = "Tag", .flags = KEEP_EMPTY)
SHAPE(get_out, "GetObjectTaggingOutput", GET_OUT)

static err find(struct call *call, const struct version_in *in, struct s3_bucket **bucket,
                struct s3_object *object)
{
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, bucket));
    return s3_find_for(call, *bucket, in->key, in->version_id, object);
}

static err put(struct call *call, const void *input, void *output)
{
    const struct put_in *in = input;
    struct version_out *out = output;
    const struct tagging *tagging = in->tagging;
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(s3_body_check(call, true));
    TRY(find(call, (const struct version_in *)in, &bucket, &object));
    TRY(s3_tags_check(&call->ctx, tagging->tags.at, tagging->tags.n, false));
    str packed = s3_tags_pack(call->ctx.arena, tagging->tags.at, tagging->tags.n);
    out->version_id = s3_object_version(bucket, &object);
    return s3_object_set_tags(call->api->s3, &call->ctx, bucket, &object, packed, S3_TAGGING_PUT);
}

static err delete (struct call *call, const void *input, void *output)
{
    struct version_out *out = output;
    struct s3_bucket *bucket;
    struct s3_object object;
    TRY(find(call, input, &bucket, &object));
    out->version_id = s3_object_version(bucket, &object);
    return s3_object_set_tags(call->api->s3, &call->ctx, bucket, &object, STR_NONE,
                              S3_TAGGING_DELETE);
}

/* Unlike other reads this one is refused behind a delete marker, and what isn't there is named
 * together with its bucket. */
static err find_to_read(struct call *call, const struct version_in *in, struct s3_bucket **bucket,
                        struct s3_object *object)
{
    err e = find(call, in, bucket, object);
    if (e.fault != &S3_NO_SUCH_KEY)
        return e;
    if (object->marker)
        return s3_marker_refused(call, object);
    return err_with(
        call->ctx.arena, FAIL(S3_NO_SUCH_KEY), "Key",
        arena_printf(call->ctx.arena, "%.*s/%.*s", STR_ARG(in->bucket), STR_ARG(in->key)));
}

static err get(struct call *call, const void *input, void *output)
{
    struct get_out *out = output;
    struct s3_bucket *bucket;
    struct s3_object object;
    struct s3_tag *tags;
    TRY(find_to_read(call, input, &bucket, &object));
    s3_tags_unpack(call->ctx.arena, object.tags, &tags, &out->tags.n);
    out->tags.at = tags;
    out->tags.set = true;
    out->version_id = s3_object_version(bucket, &object);
    return OK;
}

const struct op s3_tagging_ops[] = {
    {"PutObjectTagging", &put_in_shape, &version_out_shape, put,
     .rest = {"PUT", REST_OBJECT, "tagging"}},
    {"GetObjectTagging", &version_in_shape, &get_out_shape, get, .flags = OP_READ,
     .rest = {"GET", REST_OBJECT, "tagging"}, .out_root = "Tagging"},
    {"DeleteObjectTagging", &version_in_shape, &version_out_shape, delete,
     .rest = {"DELETE", REST_OBJECT, "tagging", .status = 204}},
    {0},
};
