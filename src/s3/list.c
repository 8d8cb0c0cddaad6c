/* s3/list.c - pages of keys. One walk along the index (bucket, key, id DESC) serves all three
 * listings: within a key the newest row comes first, so it decides whether the key is there at all.
 * The walk seeks anew when it can jump: past a common prefix, past a key with many old versions,
 * past a run of keys that delete markers hide. Source of the rules: API_ListObjectsV2 and
 * API_ListObjectVersions. */
#include "s3/list.h"

#include "base/digest.h"
#include "base/text.h"
#include "s3/engine.h"
#include "s3/hidden.h"

#include <string.h>

#define OLD_VERSIONS_STEPPED 8 /* rows of one key that are stepped over before seeking past it */
#define HIDDEN_KEYS_STEPPED                                                                        \
    4 /* keys in a row, hidden by markers, before jumping over their run                           \
       */

struct walk {
    struct s3 *s3;
    struct ctx *ctx;
    struct s3_bucket *bucket;
    const struct s3_list *list;
    struct stmt *stmt;
    struct s3_page *page;
    size_t cap;
    str key;     /* of the last row */
    int repeats; /* rows of that key so far */
    int hidden;  /* keys in a row that delete markers hide */
};

#define LIST_COLUMNS                                                                               \
    "key, id, version, marker, mtime, size, etag, owner, storage_class, checksum_kind, "           \
    "composite, restore_due, restore_until"

static void read_row(struct stmt *stmt, struct arena *arena, str key, struct s3_object *out)
{
    *out = (struct s3_object){.key = key,
                              .id = col_int(stmt, 1),
                              .version = col_copy(stmt, 2, arena),
                              .marker = col_int(stmt, 3),
                              .mtime = col_int(stmt, 4),
                              .size = col_int(stmt, 5),
                              .etag = col_copy(stmt, 6, arena),
                              .owner = col_copy(stmt, 7, arena),
                              .storage_class = col_copy(stmt, 8, arena),
                              .checksum_kind = col_index(stmt, 9, DIGEST_KINDS + 1),
                              .composite = col_int(stmt, 10),
                              .restore_due = col_int(stmt, 11),
                              .restore_until = col_int(stmt, 12)};
}

/* From the first key at or above `from`. */
static void seek(struct walk *walk, str from)
{
    if (walk->stmt)
        stmt_done(walk->stmt);
    walk->stmt =
        db_sql(walk->s3->db, "SELECT " LIST_COLUMNS " FROM s3_object WHERE bucket = ? AND key >= ?"
                             " ORDER BY key, id DESC");
    bind_int(walk->stmt, 1, walk->bucket->id);
    bind_str(walk->stmt, 2, from);
    walk->key = STR_NONE;
    walk->repeats = 0;
}

str s3_list_group(str prefix, str delimiter, str key)
{
    if (!delimiter.n)
        return STR_NONE;
    ptrdiff_t at = str_find(key, delimiter, prefix.n);
    return at < 0 ? STR_NONE : str_slice(key, 0, (size_t)at + delimiter.n);
}

/* A place for one more item; NULL when the page is full, which is then truncated. */
static struct s3_list_item *add(struct walk *walk)
{
    struct s3_page *page = walk->page;
    if ((int64_t)page->n >= walk->list->max) {
        page->truncated = true;
        return NULL;
    }
    if (page->n == walk->cap) {
        size_t grown = walk->cap ? walk->cap * 2 : 32;
        page->items = arena_grow(walk->ctx->arena, page->items, walk->cap * sizeof *page->items,
                                 grown * sizeof *page->items);
        walk->cap = grown;
    }
    page->items[page->n] = (struct s3_list_item){0};
    return &page->items[page->n++];
}

/* Handles the row at hand; false ends the walk. */
static bool take(struct walk *walk, bool first_of_key)
{
    struct arena *arena = walk->ctx->arena;
    bool marker = col_int(walk->stmt, 3) != 0;
    if (first_of_key)
        walk->hidden = marker ? walk->hidden + 1 : 0;
    if (!walk->list->versions && (!first_of_key || marker))
        return true;
    str group = s3_list_group(walk->list->prefix, walk->list->delimiter, walk->key);
    struct s3_list_item *item = add(walk);
    if (!item)
        return false;
    if (!group.p) {
        read_row(walk->stmt, arena, walk->key, &item->object);
        item->latest = first_of_key;
        return true;
    }
    item->common_prefix = true;
    item->object.key = group;
    str from = text_beyond(arena, group);
    if (from.p)
        seek(walk, from);
    return from.p != NULL;
}

/* Over what a listing of current objects doesn't show, once there is much of it. */
static void jump(struct walk *walk)
{
    str past = STR_NONE;
    if (walk->hidden > HIDDEN_KEYS_STEPPED)
        past = s3_hidden_end(walk->s3, walk->ctx, walk->bucket, walk->key);
    if (!past.p && walk->repeats > OLD_VERSIONS_STEPPED)
        past = text_next(walk->ctx->arena, walk->key);
    if (past.p)
        seek(walk, past);
}

static void run(struct walk *walk)
{
    while (stmt_row(walk->stmt)) {
        str key = col_str(walk->stmt, 0);
        if (!str_starts(key, walk->list->prefix))
            break;
        bool first = !walk->key.p || !str_eq(key, walk->key);
        walk->repeats = first ? 0 : walk->repeats + 1;
        if (first)
            walk->key = arena_copy(walk->ctx->arena, key);
        if (!take(walk, first))
            break;
        if (!walk->list->versions)
            jump(walk);
    }
    stmt_done(walk->stmt);
}

/* Whether the row at hand is newer than the version named, which is gone: its number tells, and
 * the null version's date. */
static bool newer(struct stmt *row, int64_t order)
{
    str version = col_str(row, 2);
    int64_t its = version.p ? s3_version_order(version) : s3_sequence_at(col_int(row, 4));
    return its >= order;
}

/* The versions of `after` that are older than the one named. */
static bool rest_of_key(struct walk *walk)
{
    const struct s3_list *list = walk->list;
    struct s3_object at;
    s3_version_named(walk->s3, walk->ctx, walk->bucket, list->after, list->after_version, &at);
    int64_t order = at.id ? 0 : s3_version_order(list->after_version);
    struct stmt *stmt =
        db_sql(walk->s3->db,
               "SELECT " LIST_COLUMNS " FROM s3_object WHERE bucket = ? AND key = ? AND id < ?"
               " ORDER BY id DESC");
    bind_int(stmt, 1, walk->bucket->id);
    bind_str(stmt, 2, list->after);
    bind_int(stmt, 3, at.id ? at.id : INT64_MAX);
    bool first = at.id == 0, more = true;
    while (more && stmt_row(stmt)) {
        bool latest = first;
        first = false;
        if (order && newer(stmt, order))
            continue;
        struct s3_list_item *item = add(walk);
        more = item != NULL;
        if (!item)
            break;
        read_row(stmt, walk->ctx->arena, list->after, &item->object);
        item->latest = latest;
    }
    stmt_done(stmt);
    return more;
}

/* Where the walk starts; absent when nothing can follow. */
static str start_of(struct arena *arena, const struct s3_list *list)
{
    str from = list->prefix.p ? list->prefix : S("");
    if (!list->after.n)
        return from;
    str after =
        list->after_prefix ? text_beyond(arena, list->after) : text_next(arena, list->after);
    if (!after.p)
        return STR_NONE;
    return str_cmp(after, from) > 0 ? after : from;
}

void s3_list_page(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                  const struct s3_list *list, struct s3_page *out)
{
    *out = (struct s3_page){0};
    struct walk walk = {.s3 = s3, .ctx = ctx, .bucket = bucket, .list = list, .page = out};
    str from = start_of(ctx->arena, list);
    if (list->max <= 0 || !from.p)
        return;
    bool inside = list->versions && list->after.n && list->after_version.n &&
                  str_starts(list->after, list->prefix) &&
                  !s3_list_group(list->prefix, list->delimiter, list->after).p;
    if (inside && !rest_of_key(&walk))
        return;
    seek(&walk, from);
    run(&walk);
}
