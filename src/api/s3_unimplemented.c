/* api/s3_unimplemented.c - the operations of S3 that are known here by name and route only. They
 * are refused with NotImplemented and their name, instead of falling through to an operation that
 * has fewer conditions. A row leaves when its operation comes. Left out: those of other endpoints
 * (ListDirectoryBuckets, WriteGetObjectResponse) and the four that newer names replaced. */
#include "api/s3_common.h"
#include "api/s3_tables.h"

#define UNIMPLEMENTED_OPS(X)                                                                       \
    X(CreateBucketMetadataConfiguration, "POST", BUCKET, "metadataConfiguration", NULL)            \
    X(CreateBucketMetadataTableConfiguration, "POST", BUCKET, "metadataTable", NULL)               \
    X(CreateSession, "GET", BUCKET, "session", NULL)                                               \
    X(DeleteBucketMetadataConfiguration, "DELETE", BUCKET, "metadataConfiguration", NULL)          \
    X(DeleteBucketMetadataTableConfiguration, "DELETE", BUCKET, "metadataTable", NULL)             \
    X(GetBucketMetadataConfiguration, "GET", BUCKET, "metadataConfiguration", NULL)                \
    X(GetBucketMetadataTableConfiguration, "GET", BUCKET, "metadataTable", NULL)                   \
    X(DeleteObjectAnnotation, "DELETE", OBJECT, "annotation", NULL)                                \
    X(GetObjectAnnotation, "GET", OBJECT, "annotation&annotationName", NULL)                       \
    X(ListObjectAnnotations, "GET", OBJECT, "annotation", NULL)                                    \
    X(PutObjectAnnotation, "PUT", OBJECT, "annotation", NULL)                                      \
    X(UpdateBucketMetadataAnnotationTableConfiguration, "PUT", BUCKET, "metadataAnnotationTable",  \
      NULL)                                                                                        \
    X(RenameObject, "PUT", OBJECT, "renameObject", "x-amz-rename-source")                          \
    X(SelectObjectContent, "POST", OBJECT, "select&select-type=2", NULL)                           \
    X(UpdateBucketMetadataInventoryTableConfiguration, "PUT", BUCKET, "metadataInventoryTable",    \
      NULL)                                                                                        \
    X(UpdateBucketMetadataJournalTableConfiguration, "PUT", BUCKET, "metadataJournalTable", NULL)  \
    X(UpdateObjectEncryption, "PUT", OBJECT, "encryption", NULL)

#define ROW(name_, method_, level_, query_, header_)                                               \
    {.name = #name_,                                                                               \
     .in = &empty_shape,                                                                           \
     .out = &empty_shape,                                                                          \
     .flags = OP_UNIMPLEMENTED,                                                                    \
     .rest = {method_, REST_##level_, query_, header_}},

#define TORRENT_IN(F, T) S3_OBJECT_IN(F, T) S3_PAYER_IN(F, T)
SHAPE(torrent_in, "GetObjectTorrentRequest", TORRENT_IN)

/* AWS has given up BitTorrent: no object has a torrent. */
static err torrent(struct call *call, const void *input, void *output)
{
    (void)output;
    const struct torrent_in *in = input;
    struct s3_bucket *bucket;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    return err_with(call->ctx.arena, FAIL(S3_NO_SUCH_KEY), "Key", in->key);
}

const struct op s3_unimplemented_ops[] = {{.name = "GetObjectTorrent",
                                           .in = &torrent_in_shape,
                                           .out = &empty_shape,
                                           .run = torrent,
                                           .flags = OP_READ,
                                           .rest = {"GET", REST_OBJECT, "torrent"}},
                                          UNIMPLEMENTED_OPS(ROW){0}};
