/* s3/document_check.h - what AWS refuses in a configuration document although it fits the shape;
 * one function a kind, for the table in document.c. Texts are AWS's. */
#ifndef HEADRACE_S3_DOCUMENT_CHECK_H
#define HEADRACE_S3_DOCUMENT_CHECK_H

#include "s3/document.h"

typedef err s3_document_check(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                              void *document);

s3_document_check s3_check_public_access, s3_check_tagging, s3_check_cors, s3_check_encryption,
    s3_check_ownership, s3_check_lock, s3_check_lifecycle, s3_check_website, s3_check_accelerate,
    s3_check_logging;

#endif
