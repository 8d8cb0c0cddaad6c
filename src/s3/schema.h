/* s3/schema.h - the tables of S3, and their rows as structs. A struct and its column list come from
 * one X-macro, so that the SELECT, the INSERT and the reader cannot differ.
 *
 * A version of an object is a row of s3_object; a delete marker too. Within a key the row with the
 * greatest id is the current version; the one index (bucket, key, id DESC) serves every read and
 * every listing. Never-versioned buckets hold one row a key, with version NULL, the "null" version.
 *
 * The body of a version is `blob` (0: empty, or made of parts). A multipart body has rows in
 * s3_part, in order of `number`, each with slices in s3_slice: a copied part may be a range of
 * someone else's blob. Every reference holds a blob_ref. */
#ifndef HEADRACE_S3_SCHEMA_H
#define HEADRACE_S3_SCHEMA_H

#include "store/db.h"
#include "store/snapshot.h"

/* I: int64_t, S: str (NULL is absent). The first column, `id`, is not listed. */
#define S3_OBJECT_COLUMNS(I, S)                                                                    \
    I(bucket)                                                                                      \
    S(key)                                                                                         \
    S(version) /* absent: the null version */                                                      \
    I(marker)  /* 1: a delete marker */                                                            \
    S3_OBJECT_OTHERS(I, S)
#define S3_OBJECT_OTHERS(I, S)                                                                     \
    I(mtime) /* msec; what Last-Modified says */                                                   \
    I(size)                                                                                        \
    S(etag)         /* without quotes; "hex" or "hex-N" */                                         \
    I(blob)         /* 0: empty body, or `parts` > 0 */                                            \
    I(parts)        /* rows in s3_part; 0: the body is `blob` alone */                             \
    S(owner)        /* account of the owner */                                                     \
    S(content_type) /* absent: binary/octet-stream */                                              \
    S(cache_control)                                                                               \
    S(content_disposition)                                                                         \
    S(content_encoding)                                                                            \
    S(content_language)                                                                            \
    S(expires) /* text as sent */                                                                  \
    S(website_redirect)                                                                            \
    S(meta) /* user metadata: "name:value\n" each, names in lower case; see S3_META_UNSENDABLE */  \
    S(storage_class) /* absent: STANDARD */                                                        \
    I(checksum_kind) /* enum digest_kind + 1; 0: none */                                           \
    S(checksum)      /* base64, with "-N" when composite */                                        \
    I(composite)     /* 1: checksum type is COMPOSITE, else FULL_OBJECT */                         \
    S(sse)           /* absent: AES256 by S3; "aws:kms", "aws:kms:dsse" */                         \
    S(sse_key)       /* KMS key id, as ARN */                                                      \
    I(sse_bucket_key)                                                                              \
    S(ssec_md5)       /* base64 MD5 of the customer's key; absent: not SSE-C */                    \
    S(tags)           /* "k=v&k=v", percent-encoded; absent: none */                               \
    S(acl)            /* grants as stored by the acl module; absent: private */                    \
    S(lock_mode)      /* GOVERNANCE, COMPLIANCE; absent: none */                                   \
    I(lock_until)     /* msec */                                                                   \
    I(legal_hold)     /* 1: ON */                                                                  \
    I(legal_hold_set) /* 1: has a legal hold status at all */                                      \
    I(restore_due)    /* msec when a running restore completes; 0: none runs */                    \
    I(restore_until)  /* msec until when the restored copy stays; 0: not restored */

/* Begins an entry of `meta` that no header can carry: its name and value are percent-encoded. */
#define S3_META_UNSENDABLE '\x01'

#define S3_MEMBER_INT(name) int64_t name;
#define S3_MEMBER_STR(name) str name;
#define S3_COLUMN_NAME(name) ", " #name

struct s3_object {
    int64_t id;             /* 0: no such row */
    struct blob_sink *body; /* no column: what s3_object_put makes `blob` of; NULL: it is made */
    S3_OBJECT_COLUMNS(S3_MEMBER_INT, S3_MEMBER_STR)
};
/* For SQL literals: "SELECT " S3_OBJECT_SELECT " FROM s3_object WHERE ..." read by s3_object_read.
 */
#define S3_OBJECT_SELECT "id" S3_OBJECT_COLUMNS(S3_COLUMN_NAME, S3_COLUMN_NAME)

struct s3_part {
    int64_t id;
    int64_t object; /* 0 while it belongs to an upload */
    int64_t upload; /* 0 once it belongs to an object */
    int64_t number, size, mtime;
    str etag; /* hex MD5 */
    int64_t checksum_kind;
    str checksum; /* base64; absent: none */
};

/* The columns that refer to bodies: for snapshots, which renumber them. */
extern const struct blob_column s3_blob_columns[];
/* Creates and upgrades the tables. */
void s3_schema_make(struct db *db);
bool s3_schema_current(struct db *db);
/* Reads the row of a statement whose columns are S3_OBJECT_SELECT; strings are copied to the arena.
 */
void s3_object_read(struct stmt *stmt, struct arena *arena, struct s3_object *out);
/* Inserts the row (its id is ignored); the new id becomes object->id. */
err s3_object_insert(struct db *db, struct s3_object *object);
/* Writes all columns of the row object->id but those that name it: bucket, key, version. */
err s3_object_update(struct db *db, const struct s3_object *object);

#endif
