/* s3/multipart_list.c - ListMultipartUploads: open uploads by key, and by age within a key. Open
 * uploads are few, so a page simply walks the index from its marker. Source of the rules:
 * API_ListMultipartUploads. */
#include "s3/engine.h"
#include "s3/list.h"
#include "s3/multipart_row.h"

struct walk {
    struct ctx *ctx;
    const struct s3_multipart_list *ask;
    struct s3_multipart_page *page;
    size_t cap;
    str last_key, last_upload; /* where the page ends so far */
};

static bool page_full(const struct walk *w)
{
    return (int64_t)(w->page->nuploads + w->page->nprefixes) >= w->ask->max;
}

static bool group_known(const struct walk *w, str group)
{
    return (w->page->nprefixes && str_eq(w->page->prefixes[w->page->nprefixes - 1], group)) ||
           str_eq(group, w->ask->key_marker);
}

static void grow(struct walk *w)
{
    struct s3_multipart_page *page = w->page;
    if (page->nuploads < w->cap && page->nprefixes < w->cap)
        return;
    size_t cap = w->cap ? 2 * w->cap : 16;
    page->uploads = arena_grow(w->ctx->arena, page->uploads, w->cap * sizeof *page->uploads,
                               cap * sizeof *page->uploads);
    page->prefixes = arena_grow(w->ctx->arena, page->prefixes, w->cap * sizeof *page->prefixes,
                                cap * sizeof *page->prefixes);
    w->cap = cap;
}

/* False when the page was full before this row. */
static bool take(struct walk *w, const struct s3_multipart *upload)
{
    str key = upload->object.key;
    str group = s3_list_group(w->ask->prefix, w->ask->delimiter, key);
    if (!str_starts(key, w->ask->prefix) || (group.p && group_known(w, group)))
        return true;
    if (page_full(w)) {
        w->page->truncated = w->ask->max > 0; /* a page of none is whole, as ListObjects has it */
        return false;
    }
    grow(w);
    if (group.p)
        w->page->prefixes[w->page->nprefixes++] = group;
    else
        w->page->uploads[w->page->nuploads++] = *upload;
    w->last_key = group.p ? group : key;
    w->last_upload = group.p ? S("") : upload->name;
    return true;
}

/* The row id of the marker's upload: those of its key that are older are skipped. */
static err marker_row(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_multipart_list *ask, int64_t *out)
{
    struct s3_multipart upload;
    *out = INT64_MAX; /* no upload marker: all of the marker's key are skipped */
    if (!ask->key_marker.n || !ask->upload_marker.n)
        return OK;
    if (!s3_multipart_named(s3, ctx, bucket, ask->key_marker, ask->upload_marker, &upload))
        return s3_argument(ctx->arena, "upload-id-marker", ask->upload_marker,
                           "Invalid uploadId marker");
    *out = upload.id;
    return OK;
}

err s3_multipart_list(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_multipart_list *ask, struct s3_multipart_page *out)
{
    int64_t after;
    TRY(marker_row(s3, ctx, bucket, ask, &after));
    struct walk w = {.ctx = ctx, .ask = ask, .page = out};
    *out = (struct s3_multipart_page){0};
    struct stmt *stmt = db_sql(
        s3->db, "SELECT " S3_MULTIPART_SELECT " FROM s3_upload WHERE bucket = ?1 AND key >= ?2"
                " AND (key > ?2 OR id > ?3) AND result = 0 ORDER BY key, id");
    bind_int(stmt, 1, bucket->id);
    bind_str(stmt, 2, ask->key_marker.p ? ask->key_marker : S(""));
    bind_int(stmt, 3, ask->key_marker.n ? after : 0);
    while (stmt_row(stmt)) {
        struct s3_multipart upload;
        s3_multipart_read(stmt, ctx->arena, &upload);
        if (!take(&w, &upload)) {
            stmt_done(stmt);
            break;
        }
    }
    /* AWS says where the page ends even when nothing follows. */
    out->next_key = w.last_key;
    out->next_upload = w.last_upload;
    return OK;
}
