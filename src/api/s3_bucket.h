/* api/s3_bucket.h - the input of all those that name a bucket and nothing else. */
#ifndef HEADRACE_API_S3_BUCKET_H
#define HEADRACE_API_S3_BUCKET_H

#include "api/s3_common.h"
#include "api/s3_tables.h"

SHAPE_DECLARE(s3_bucket_in, S3_BUCKET_IN)

#endif
