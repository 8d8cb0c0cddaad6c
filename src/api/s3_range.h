/* api/s3_range.h - which bytes a read asks for: all, a Range, or a part. */
#ifndef HEADRACE_API_S3_RANGE_H
#define HEADRACE_API_S3_RANGE_H

#include "api/s3_common.h"

struct s3_span {
    int64_t at, length;
    bool partial;               /* 206 with Content-Range */
    bool whole;                 /* all of the body: the checksum of the object applies */
    int64_t parts_count;        /* x-amz-mp-parts-count; 0: not to be sent */
    int64_t part_checksum_kind; /* as in struct s3_part */
    str part_checksum;          /* of the part asked for; absent when it has none */
};

/* Malformed and reversed ranges are ignored, several ranges too. InvalidRange, InvalidPartNumber,
 * InvalidRequest (both asked). */
err s3_span_of(struct call *call, const struct s3_object *object, str range, opt_int part_number,
               struct s3_span *out);

#endif
