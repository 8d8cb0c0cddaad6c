/* api/s3_tables.h - the tables of S3's operations, one an api/s3_*.c file; s3_service.c lists them.
 */
#ifndef HEADRACE_API_S3_TABLES_H
#define HEADRACE_API_S3_TABLES_H

#include "aws/op.h"

extern const struct op s3_bucket_ops[], s3_object_ops[], s3_get_ops[], s3_copy_ops[],
    s3_tagging_ops[], s3_list_ops[], s3_attributes_ops[], s3_unimplemented_ops[], s3_acl_ops[],
    s3_post_ops[];
extern const struct op s3_multipart_ops[], s3_multipart_list_ops[], s3_notify_ops[],
    s3_config_ops[], s3_policy_ops[], s3_lock_ops[], s3_restore_ops[], s3_cors_ops[];

#endif
