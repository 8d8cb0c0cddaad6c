/* api/s3_list.c - ListObjects, ListObjectsV2, ListObjectVersions: three forms of one page of keys.
 *
 * encoding-type=url percent-encodes every key-like element. A continuation token is the last item
 * of the page, marked as a key or as a common prefix, in base64: clients must not read it, and
 * nothing is kept for it here. */
#include "s3/list.h"

#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "base/digest.h"
#include "base/text.h"
#include "s3/engine.h"

#define PAGE_MAX 1000

#define RESTORE_STATUS(F, T)                                                                       \
    F(T, BOOL, ongoing, "IsRestoreInProgress", BODY)                                               \
    F(T, TIME, expires, "RestoreExpiryDate", BODY)
SHAPE(restore_status, "RestoreStatus", RESTORE_STATUS)

#define ENTRY(F, T)                                                                                \
    F(T, INT, rank, "", NONE)                                                                      \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, version_id, "VersionId", BODY)                                                       \
    F(T, BOOL, latest, "IsLatest", BODY)                                                           \
    F(T, TIME, last_modified, "LastModified", BODY)                                                \
    F(T, STR, etag, "ETag", BODY)                                                                  \
    F(T, LIST, checksum_algorithms, "ChecksumAlgorithm", BODY, .of = &scalar_str_shape,            \
      .flags = FLAT)                                                                               \
    F(T, STR, checksum_type, "ChecksumType", BODY)                                                 \
    F(T, INT, size, "Size", BODY)                                                                  \
    F(T, STRUCT, owner, "Owner", BODY, .of = &s3_owner_shape)                                      \
    F(T, STR, storage_class, "StorageClass", BODY)                                                 \
    F(T, STRUCT, restore, "RestoreStatus", BODY, .of = &restore_status_shape)
SHAPE(entry, "Object", ENTRY)

#define COMMON_PREFIX(F, T) F(T, STR, prefix, "Prefix", BODY)
SHAPE(common_prefix, "CommonPrefix", COMMON_PREFIX)

#define PAGE_IN(F, T)                                                                              \
    S3_BUCKET_IN(F, T)                                                                             \
    S3_PAYER_IN(F, T)                                                                              \
    F(T, STR, prefix, "prefix", QUERY)                                                             \
    F(T, STR, delimiter, "delimiter", QUERY)                                                       \
    F(T, STR, encoding, "encoding-type", QUERY, .values = "url")                                   \
    F(T, INT, max, "max-keys", QUERY, .min = 0, .max = INT32_MAX)                                  \
    F(T, LIST, optional, "x-amz-optional-object-attributes", HEADER, .of = &scalar_str_shape)
struct page_in {
    PAGE_IN(SHAPE_MEMBER, page_in)
};

#define LIST_IN(F, T)                                                                              \
    PAGE_IN(F, T)                                                                                  \
    F(T, STR, marker, "marker", QUERY)
SHAPE(list_in, "ListObjectsRequest", LIST_IN)

#define LIST2_IN(F, T)                                                                             \
    PAGE_IN(F, T)                                                                                  \
    F(T, STR, token, "continuation-token", QUERY)                                                  \
    F(T, STR, start_after, "start-after", QUERY)                                                   \
    F(T, BOOL, fetch_owner, "fetch-owner", QUERY)
SHAPE(list2_in, "ListObjectsV2Request", LIST2_IN)

#define VERSIONS_IN(F, T)                                                                          \
    PAGE_IN(F, T)                                                                                  \
    F(T, STR, key_marker, "key-marker", QUERY)                                                     \
    F(T, STR, version_marker, "version-id-marker", QUERY)
SHAPE(versions_in, "ListObjectVersionsRequest", VERSIONS_IN)

/* What all three answers have, around their markers: elements stand in AWS's order. */
#define PAGE_HEAD(F, T)                                                                            \
    F(T, STR, name, "Name", BODY)                                                                  \
    F(T, STR, prefix, "Prefix", BODY, .flags = KEEP_EMPTY)
struct page_head {
    PAGE_HEAD(SHAPE_MEMBER, page_head)
};
#define PAGE_TAIL(F, T)                                                                            \
    F(T, INT, max, "MaxKeys", BODY)                                                                \
    F(T, STR, delimiter, "Delimiter", BODY)                                                        \
    F(T, STR, encoding, "EncodingType", BODY)                                                      \
    F(T, BOOL, truncated, "IsTruncated", BODY)
struct page_tail {
    PAGE_TAIL(SHAPE_MEMBER, page_tail)
};

#define LIST_OUT(F, T)                                                                             \
    PAGE_HEAD(F, T)                                                                                \
    F(T, STR, marker, "Marker", BODY, .flags = KEEP_EMPTY)                                         \
    F(T, STR, next_marker, "NextMarker", BODY)                                                     \
    PAGE_TAIL(F, T)                                                                                \
    F(T, LIST, contents, "Contents", BODY, .of = &entry_shape, .flags = FLAT)                      \
    F(T, LIST, prefixes, "CommonPrefixes", BODY, .of = &common_prefix_shape, .flags = FLAT)
SHAPE(list_out, "ListObjectsOutput", LIST_OUT)

#define LIST2_OUT(F, T)                                                                            \
    PAGE_HEAD(F, T)                                                                                \
    F(T, STR, start_after, "StartAfter", BODY)                                                     \
    F(T, STR, token, "ContinuationToken", BODY)                                                    \
    F(T, STR, next_token, "NextContinuationToken", BODY)                                           \
    F(T, INT, count, "KeyCount", BODY)                                                             \
    PAGE_TAIL(F, T)                                                                                \
    F(T, LIST, contents, "Contents", BODY, .of = &entry_shape, .flags = FLAT)                      \
    F(T, LIST, prefixes, "CommonPrefixes", BODY, .of = &common_prefix_shape, .flags = FLAT)
SHAPE(list2_out, "ListObjectsV2Output", LIST2_OUT)

#define VERSIONS_OUT(F, T)                                                                         \
    PAGE_HEAD(F, T)                                                                                \
    F(T, STR, key_marker, "KeyMarker", BODY, .flags = KEEP_EMPTY)                                  \
    F(T, STR, version_marker, "VersionIdMarker", BODY, .flags = KEEP_EMPTY)                        \
    F(T, STR, next_key, "NextKeyMarker", BODY)                                                     \
    F(T, STR, next_version, "NextVersionIdMarker", BODY)                                           \
    PAGE_TAIL(F, T)                                                                                \
    F(T, LIST, versions, "Version", BODY, .of = &entry_shape, .flags = FLAT | MERGED)              \
    F(T, LIST, markers, "DeleteMarker", BODY, .of = &entry_shape, .flags = FLAT | MERGED)          \
    F(T, LIST, prefixes, "CommonPrefixes", BODY, .of = &common_prefix_shape, .flags = FLAT)
SHAPE(versions_out, "ListObjectVersionsOutput", VERSIONS_OUT)

/* --- one page --- */
struct view {
    struct call *call;
    bool url; /* encoding-type=url */
    bool owners, restores, versions;
    str owner_account; /* the last one asked for: mostly they are all the same */
    struct s3_owner *owner;
};

static str shown(const struct view *view, str key)
{
    return view->url && key.p ? percent_encode(view->call->ctx.arena, key, PERCENT_PATH) : key;
}

static struct s3_owner *owner_of(struct view *view, str account)
{
    if (view->owner && str_eq(view->owner_account, account))
        return view->owner;
    view->owner = ARENA_NEW(view->call->ctx.arena, struct s3_owner);
    *view->owner = s3_owner_of(view->call, account);
    view->owner_account = account;
    return view->owner;
}

static void fill_checksum(struct view *view, const struct s3_object *object, struct entry *entry)
{
    struct scalar_str *name = ARENA_NEW(view->call->ctx.arena, struct scalar_str);
    name->value = str_of(digest_infos[object->checksum_kind - 1].name);
    entry->checksum_algorithms = (list){.at = name, .n = 1, .set = true};
    entry->checksum_type = object->composite ? S("COMPOSITE") : S("FULL_OBJECT");
}

static void fill_restore(struct view *view, const struct s3_object *object, struct entry *entry)
{
    if (!object->restore_due && object->restore_until <= view->call->ctx.now)
        return;
    struct restore_status *status = ARENA_NEW(view->call->ctx.arena, struct restore_status);
    status->ongoing = BOOL_OF(object->restore_due != 0);
    if (!object->restore_due)
        status->expires = INT_OF(object->restore_until);
    entry->restore = status;
}

static void fill_entry(struct view *view, const struct s3_list_item *item, struct entry *entry)
{
    const struct s3_object *object = &item->object;
    entry->key = shown(view, object->key);
    entry->last_modified = INT_OF(object->mtime / 1000 * 1000);
    if (view->versions) {
        entry->version_id = object->version.p ? object->version : S("null");
        entry->latest = BOOL_OF(item->latest);
    }
    if (view->owners)
        entry->owner = owner_of(view, object->owner);
    if (object->marker)
        return;
    entry->etag = s3_quoted(view->call, object->etag);
    entry->size = INT_OF(object->size);
    entry->storage_class = object->storage_class.p ? object->storage_class : S("STANDARD");
    if (object->checksum_kind)
        fill_checksum(view, object, entry);
    if (view->restores)
        fill_restore(view, object, entry);
}

static struct view view_of(struct call *call, const struct page_in *in, bool versions, bool owners)
{
    struct view view = {
        .call = call, .url = in->encoding.p != NULL, .versions = versions, .owners = owners};
    LIST_EACH (struct scalar_str, name, in->optional)
        view.restores |= str_eq(name->value, S("RestoreStatus"));
    return view;
}

static struct s3_list list_of(const struct page_in *in)
{
    int64_t max = in->max.set ? in->max.v : PAGE_MAX;
    return (struct s3_list){
        .prefix = in->prefix, .delimiter = in->delimiter, .max = max < PAGE_MAX ? max : PAGE_MAX};
}

static void fill_head(struct view *view, const struct page_in *in, const struct s3_list *asked,
                      bool truncated, void *output, void *max)
{
    struct page_head *head = output;
    struct page_tail *tail = max;
    head->name = in->bucket;
    head->prefix = shown(view, in->prefix);
    tail->max = INT_OF(asked->max);
    tail->delimiter = in->delimiter.n ? shown(view, in->delimiter) : STR_NONE;
    tail->encoding = in->encoding;
    tail->truncated = BOOL_OF(truncated);
}

/* Room for as many as the page has. */
static list room(struct view *view, const struct s3_page *page, size_t size)
{
    return (list){.at = arena_array(view->call->ctx.arena, page->n, size), .set = true};
}

/* Deals the items out to the answer's lists; `markers` may be NULL where none can come. */
static void fill_items(struct view *view, const struct s3_page *page, list *prefixes, list *entries,
                       list *markers)
{
    *prefixes = room(view, page, sizeof(struct common_prefix));
    *entries = room(view, page, sizeof(struct entry));
    if (markers)
        *markers = room(view, page, sizeof(struct entry));
    for (size_t i = 0; i < page->n; i++) {
        const struct s3_list_item *item = &page->items[i];
        list *to = markers && item->object.marker ? markers : entries;
        if (item->common_prefix) {
            LIST_AT(*prefixes, struct common_prefix, prefixes->n++)->prefix =
                shown(view, item->object.key);
            continue;
        }
        struct entry *entry = LIST_AT(*to, struct entry, to->n++);
        entry->rank = INT_OF((int64_t)i);
        fill_entry(view, item, entry);
    }
}

static const struct s3_list_item *last_of(const struct s3_page *page)
{
    return page->truncated && page->n ? &page->items[page->n - 1] : NULL;
}

/* --- ListObjects --- */
/* A marker inside a common prefix, or equal to one, stands for all of it. */
static void start_at(struct s3_list *asked, str marker)
{
    asked->after = marker;
    if (!marker.n || !asked->delimiter.n || !str_starts(marker, asked->prefix))
        return;
    ptrdiff_t at = str_find(marker, asked->delimiter, asked->prefix.n);
    if (at < 0)
        return;
    asked->after = str_slice(marker, 0, (size_t)at + asked->delimiter.n);
    asked->after_prefix = true;
}

/* Each of the two forms refuses the markers of the other, empty ones too. */
static err foreign(struct call *call, const char *name, const char *text)
{
    str value = call->request ? http_query(call->request, str_of(name)) : STR_NONE;
    return value.p ? s3_argument_invalid(call, text, name, STR_NONE) : OK;
}

/* AWS says where the bucket is, though its model doesn't. */
static void tell_region(struct call *call, const struct s3_bucket *bucket)
{
    http_reply_set(call->ctx.arena, call->reply, S("x-amz-bucket-region"), bucket->region);
}

static err list_objects(struct call *call, const void *input, void *output)
{
    const struct list_in *in = input;
    const struct page_in *page_in = input;
    struct list_out *out = output;
    struct s3_bucket *bucket;
    struct s3_page page;
    TRY(foreign(call, "continuation-token",
                "continuation-token only supported in REST.GET.BUCKET with list-type=2"));
    TRY(foreign(call, "start-after",
                "startAfter only supported in REST.GET.BUCKET with list-type=2"));
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    tell_region(call, bucket);
    struct view view = view_of(call, page_in, false, true);
    struct s3_list asked = list_of(page_in);
    start_at(&asked, in->marker);
    s3_list_page(call->api->s3, &call->ctx, bucket, &asked, &page);
    fill_head(&view, page_in, &asked, page.truncated, output, &out->max);
    out->prefix = in->prefix; /* the one that AWS sends as it is, and botocore doesn't decode */
    fill_items(&view, &page, &out->prefixes, &out->contents, NULL);
    out->marker = shown(&view, in->marker);
    if (last_of(&page) && in->delimiter.n)
        out->next_marker = shown(&view, last_of(&page)->object.key);
    return OK;
}

/* --- ListObjectsV2 --- */
static str token_of(struct arena *arena, const struct s3_list_item *item)
{
    return base64_encode(
        arena, arena_join(arena, item->common_prefix ? S("p") : S("k"), item->object.key));
}

static err take_token(struct call *call, str token, struct s3_list *asked)
{
    str text = base64_decode(call->ctx.arena, token);
    if (text.n < 2 || (text.p[0] != 'k' && text.p[0] != 'p'))
        return s3_argument_invalid(call, "The continuation token provided is incorrect",
                                   "continuation-token", STR_NONE);
    asked->after = str_slice(text, 1, text.n);
    asked->after_prefix = text.p[0] == 'p';
    return OK;
}

static err list_objects_v2(struct call *call, const void *input, void *output)
{
    const struct list2_in *in = input;
    const struct page_in *page_in = input;
    struct list2_out *out = output;
    struct s3_bucket *bucket;
    struct s3_page page;
    TRY(foreign(call, "marker", "Marker unsupported with REST.GET.BUCKET in list-type=2"));
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    tell_region(call, bucket);
    struct view view = view_of(call, page_in, false, in->fetch_owner.v);
    struct s3_list asked = list_of(page_in);
    asked.after = in->start_after;
    if (in->token.p)
        TRY(take_token(call, in->token, &asked));
    s3_list_page(call->api->s3, &call->ctx, bucket, &asked, &page);
    fill_head(&view, page_in, &asked, page.truncated, output, &out->max);
    fill_items(&view, &page, &out->prefixes, &out->contents, NULL);
    if (!in->token.p)
        out->start_after = shown(&view, in->start_after);
    out->token = in->token;
    out->count = INT_OF((int64_t)page.n);
    if (last_of(&page))
        out->next_token = token_of(call->ctx.arena, last_of(&page));
    return OK;
}

/* --- ListObjectVersions --- */
static err take_markers(struct call *call, const struct versions_in *in, struct s3_list *asked)
{
    if (in->version_marker.p && !in->version_marker.n)
        return s3_argument_invalid(call, "A version-id marker cannot be empty.",
                                   "version-id-marker", in->version_marker);
    if (in->version_marker.n && !in->key_marker.n)
        return s3_argument_invalid(call,
                                   "A version-id marker cannot be specified without a key marker.",
                                   "version-id-marker", in->version_marker);
    if (in->version_marker.n && !s3_version_id_ok(in->version_marker))
        return s3_argument_invalid(call, "Invalid version id specified", "version-id-marker",
                                   in->version_marker);
    asked->versions = true;
    if (in->version_marker.n) {
        asked->after = in->key_marker;
        asked->after_version = in->version_marker;
    } else {
        start_at(asked, in->key_marker);
    }
    return OK;
}

static err list_versions(struct call *call, const void *input, void *output)
{
    const struct versions_in *in = input;
    const struct page_in *page_in = input;
    struct versions_out *out = output;
    struct s3_bucket *bucket;
    struct s3_page page;
    TRY(s3_bucket_of(call, in->bucket, in->expected_owner, &bucket));
    struct view view = view_of(call, page_in, true, true);
    struct s3_list asked = list_of(page_in);
    TRY(take_markers(call, in, &asked));
    s3_list_page(call->api->s3, &call->ctx, bucket, &asked, &page);
    fill_head(&view, page_in, &asked, page.truncated, output, &out->max);
    fill_items(&view, &page, &out->prefixes, &out->versions, &out->markers);
    out->key_marker = shown(&view, in->key_marker);
    out->version_marker = in->version_marker;
    const struct s3_list_item *last = last_of(&page);
    if (last)
        out->next_key = shown(&view, last->object.key);
    if (last && !last->common_prefix)
        out->next_version = last->object.version.p ? last->object.version : S("null");
    return OK;
}

const struct op s3_list_ops[] = {
    {"ListObjects", &list_in_shape, &list_out_shape, list_objects, .flags = OP_READ,
     .rest = {"GET", REST_BUCKET}, .action = "s3:ListBucket", .out_root = "ListBucketResult"},
    {"ListObjectsV2", &list2_in_shape, &list2_out_shape, list_objects_v2, .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "list-type=2"}, .action = "s3:ListBucket",
     .out_root = "ListBucketResult"},
    {"ListObjectVersions", &versions_in_shape, &versions_out_shape, list_versions, .flags = OP_READ,
     .rest = {"GET", REST_BUCKET, "versions"}, .action = "s3:ListBucketVersions",
     .out_root = "ListVersionsResult"},
    {0},
};
