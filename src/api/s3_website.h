/* api/s3_website.h - static websites: buckets as browsers see them at BUCKET.s3-website.localhost
 * (or .s3-website.REGION.localhost, .s3-website-REGION..., or under AWS's own domain): index and
 * error documents, redirects, pages of HTML instead of XML. */
#ifndef HEADRACE_API_S3_WEBSITE_H
#define HEADRACE_API_S3_WEBSITE_H

#include "aws/op.h"

/* Whether the Host header names a website, and of which bucket. */
bool s3_website_host(str host, str *bucket);
/* The one operation there; its input has bucket and key. */
extern const struct op s3_website_op;

#endif
