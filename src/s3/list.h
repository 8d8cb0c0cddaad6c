/* s3/list.h - pages of a bucket in the order of its keys' bytes. A page costs the same in a bucket
 * of a thousand keys and of a million, and with as many delete markers: it seeks to where it
 * starts, past each common prefix, and past each run of hidden keys (hidden.h). */
#ifndef HEADRACE_S3_LIST_H
#define HEADRACE_S3_LIST_H

#include "s3/bucket.h"
#include "s3/schema.h"

struct s3_list {
    str prefix, delimiter; /* absent or empty: none */
    str after;             /* keys > after; absent: from the start */
    bool after_prefix;     /* `after` is a common prefix already given: skip all that it covers */
    str after_version; /* versions: go on after this version of `after`, as clients name it; absent:
                          after the key */
    int64_t max;       /* items of a page: entries and common prefixes together */
    bool versions; /* every version and delete marker, newest first; else current objects only */
};

struct s3_list_item {
    bool common_prefix; /* then only object.key is set */
    bool latest;        /* of versions */
    /* Of the row: id, key, version, marker, mtime, size, etag, owner, storage_class, checksum_kind,
     * composite, restore_*. */
    struct s3_object object;
};

struct s3_page {
    struct s3_list_item *items;
    size_t n;
    bool truncated;
};

/* The common prefix that stands for `key` in a listing; absent when it stands for itself. */
str s3_list_group(str prefix, str delimiter, str key);
void s3_list_page(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                  const struct s3_list *list, struct s3_page *out);

#endif
