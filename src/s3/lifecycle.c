/* s3/lifecycle.c - see lifecycle.h.
 *
 * A run walks the keys of each bucket that has rules, KEYS_STEP keys a call, so that a large bucket
 * does not hold up the loop; where it is stands in struct s3. All conditions are of the form "the
 * midnight after N days is not later than now", hence a run that is late, or repeated, does the
 * same. What is locked stays, as it does on AWS. */
#include "s3/lifecycle.h"

#include "s3/document.h"
#include "s3/engine.h"
#include "s3/multipart.h"
#include "s3/object.h"
#include "s3/tags.h"

#include <stdlib.h>

#define KEYS_STEP 500
#define SMALL 131072 /* bytes below which objects are not worth a transition */

/* ---- filters ---- */

struct s3_lifecycle_limits s3_lifecycle_limits(const struct s3_lifecycle_rule *rule)
{
    const struct s3_lifecycle_filter *filter = rule->filter;
    const struct s3_lifecycle_and *and = filter ? filter->and : NULL;
    if (and)
        return (struct s3_lifecycle_limits){ and->prefix, and->tags, and->greater, and->less};
    if (!filter)
        return (struct s3_lifecycle_limits){.prefix = rule->prefix};
    list tag = {.at = filter->tag, .n = filter->tag != NULL};
    return (struct s3_lifecycle_limits){filter->prefix, tag, filter->greater, filter->less};
}

static bool has_tag(const struct s3_tag *tags, size_t n, const struct s3_tag *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(tags[i].key, wanted->key) && str_eq(tags[i].value, wanted->value))
            return true;
    return false;
}

static bool applies(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                    const struct s3_object *object)
{
    struct s3_lifecycle_limits limits = s3_lifecycle_limits(rule);
    struct s3_tag *tags;
    size_t n;
    if (!str_eq(rule->status, S("Enabled")) || !str_starts(object->key, limits.prefix))
        return false;
    if ((limits.greater.set && object->size <= limits.greater.v) ||
        (limits.less.set && object->size >= limits.less.v))
        return false;
    s3_tags_unpack(ctx->arena, object->tags, &tags, &n);
    LIST_EACH (const struct s3_tag, wanted, limits.tags)
        if (!has_tag(tags, n, wanted))
            return false;
    return true;
}

/* ---- one version ---- */

static bool locked(struct ctx *ctx, const struct s3_object *object)
{
    return object->legal_hold || (object->lock_mode.p && object->lock_until > ctx->now);
}

/* When a rule's expiration takes the current version; INT64_MAX: never. */
static msec expiry_of(const struct s3_lifecycle_rule *rule, const struct s3_object *object)
{
    const struct s3_expiration *expiration = rule->expiration;
    if (!expiration || (!expiration->days.set && !expiration->date.set))
        return INT64_MAX;
    return expiration->days.set ? s3_midnight_after(object->mtime, expiration->days.v)
                                : expiration->date.v;
}

bool s3_lifecycle_expiry(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                         const struct s3_object *object, msec *when, str *rule_id)
{
    struct s3_lifecycle config = {0};
    *when = INT64_MAX;
    if (!s3_document_load(s3, ctx, bucket, S3_CONFIG_LIFECYCLE, S(""), &config))
        return false;
    LIST_EACH (const struct s3_lifecycle_rule, rule, config.rules) {
        msec expiry = expiry_of(rule, object);
        if (expiry >= *when || !applies(ctx, rule, object))
            continue;
        *when = expiry;
        *rule_id = rule->id;
    }
    return *when != INT64_MAX;
}

/* When a rule aborts the upload; INT64_MAX: never. */
static msec abort_of(const struct s3_lifecycle_rule *rule, const struct s3_object *upload)
{
    const struct s3_abort_uploads *abort = rule->abort;
    bool meant = abort && str_eq(rule->status, S("Enabled")) &&
                 str_starts(upload->key, s3_lifecycle_limits(rule).prefix);
    return meant ? s3_midnight_after(upload->mtime, abort->days.v) : INT64_MAX;
}

bool s3_lifecycle_abort(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                        const struct s3_object *upload, msec *when, str *rule_id)
{
    struct s3_lifecycle config = {0};
    *when = INT64_MAX;
    if (!s3_bucket_has(bucket, S3_CONFIG_LIFECYCLE) ||
        !s3_document_load(s3, ctx, bucket, S3_CONFIG_LIFECYCLE, S(""), &config))
        return false;
    LIST_EACH (const struct s3_lifecycle_rule, rule, config.rules) {
        msec due = abort_of(rule, upload);
        if (due >= *when)
            continue;
        *when = due;
        *rule_id = rule->id;
    }
    return *when != INT64_MAX;
}

/* One bucket's rules at work. */
struct work {
    struct s3 *s3;
    struct ctx *ctx;
    struct s3_bucket *bucket;
    struct s3_lifecycle config;
    bool small_stay; /* objects under 128 KB don't transition unless a rule speaks of sizes */
};

static err drop(struct work *w, const struct s3_object *object)
{
    struct s3_object gone = {.key = object->key, .version = object->version, .mtime = w->ctx->now};
    TRY(s3_version_remove(w->s3, w->ctx, w->bucket, object));
    return s3_changed(w->s3, w->ctx, w->bucket, S3_EXPIRED, &gone);
}

static err expire(struct work *w, const struct s3_object *object)
{
    if (w->bucket->versioning == S3_UNVERSIONED)
        return drop(w, object);
    struct s3_object marker = {
        .key = object->key, .marker = 1, .etag = S("d41d8cd98f00b204e9800998ecf8427e")};
    TRY(s3_version_install(w->s3, w->ctx, w->bucket, &marker));
    return s3_changed(w->s3, w->ctx, w->bucket, S3_EXPIRED_MARKER, &marker);
}

/* Objects only ever get colder. */
int s3_lifecycle_rank(str storage_class)
{
    static const char *const classes[] = {"STANDARD",    "STANDARD_IA", "INTELLIGENT_TIERING",
                                          "ONEZONE_IA",  "GLACIER_IR",  "GLACIER",
                                          "DEEP_ARCHIVE"};
    for (int i = 0; i < (int)(sizeof classes / sizeof classes[0]); i++)
        if (str_eq(storage_class, str_of(classes[i])))
            return i;
    return 0;
}

static bool too_small(const struct work *w, const struct s3_lifecycle_rule *rule,
                      const struct s3_object *object)
{
    struct s3_lifecycle_limits limits = s3_lifecycle_limits(rule);
    return w->small_stay && object->size < SMALL && !limits.greater.set && !limits.less.set;
}

static err move_to(struct work *w, struct s3_object *object, str storage_class)
{
    if (!storage_class.p ||
        s3_lifecycle_rank(storage_class) <= s3_lifecycle_rank(object->storage_class))
        return OK;
    object->storage_class = storage_class;
    TRY(s3_object_update(w->s3->db, object));
    return s3_changed(w->s3, w->ctx, w->bucket, S3_TRANSITION, object);
}

static err transition_current(struct work *w, struct s3_object *object)
{
    str target = STR_NONE;
    LIST_EACH (const struct s3_lifecycle_rule, rule, w->config.rules) {
        if (!applies(w->ctx, rule, object) || too_small(w, rule, object))
            continue;
        LIST_EACH (const struct s3_transition, transition, rule->transitions) {
            msec due = transition->days.set ? s3_midnight_after(object->mtime, transition->days.v)
                                            : transition->date.v;
            if (due <= w->ctx->now &&
                s3_lifecycle_rank(transition->storage_class) > s3_lifecycle_rank(target))
                target = transition->storage_class;
        }
    }
    return move_to(w, object, target);
}

static err tend_current(struct work *w, struct s3_object *object)
{
    LIST_EACH (const struct s3_lifecycle_rule, rule, w->config.rules)
        if (expiry_of(rule, object) <= w->ctx->now && applies(w->ctx, rule, object)) {
            bool kept = w->bucket->versioning == S3_UNVERSIONED && locked(w->ctx, object);
            return kept ? OK : expire(w, object);
        }
    return transition_current(w, object);
}

/* A delete marker that hides nothing any more. */
static err tend_lone_marker(struct work *w, const struct s3_object *marker)
{
    LIST_EACH (const struct s3_lifecycle_rule, rule, w->config.rules) {
        const struct s3_expiration *expiration = rule->expiration;
        bool due = expiration && (expiration->marker.v || expiry_of(rule, marker) <= w->ctx->now);
        if (due && applies(w->ctx, rule, marker))
            return drop(w, marker);
    }
    return OK;
}

/* `since`: when it was replaced; `newer`: how many noncurrent versions came after it. */
static err tend_old(struct work *w, struct s3_object *object, msec since, int64_t newer)
{
    str target = STR_NONE;
    LIST_EACH (const struct s3_lifecycle_rule, rule, w->config.rules) {
        if (!applies(w->ctx, rule, object))
            continue;
        const struct s3_old_expiration *expiration = rule->old_expiration;
        if (expiration && newer >= expiration->keep.v &&
            s3_midnight_after(since, expiration->days.v) <= w->ctx->now)
            return locked(w->ctx, object) ? OK : drop(w, object);
        LIST_EACH (const struct s3_old_transition, transition, rule->old_transitions)
            if (!object->marker && !too_small(w, rule, object) && newer >= transition->keep.v &&
                s3_midnight_after(since, transition->days.v) <= w->ctx->now &&
                s3_lifecycle_rank(transition->storage_class) > s3_lifecycle_rank(target))
                target = transition->storage_class;
    }
    return move_to(w, object, target);
}

/* ---- one key, one bucket ---- */

static size_t versions_of(struct work *w, str key, struct s3_object **out)
{
    size_t n = 0, cap = 4;
    struct s3_object *rows = arena_array(w->ctx->arena, cap, sizeof *rows);
    struct stmt *stmt =
        db_sql(w->s3->db, "SELECT " S3_OBJECT_SELECT
                          " FROM s3_object WHERE bucket = ? AND key = ? ORDER BY id DESC");
    bind_int(stmt, 1, w->bucket->id);
    bind_str(stmt, 2, key);
    while (stmt_row(stmt)) {
        if (n == cap) {
            rows = arena_grow(w->ctx->arena, rows, cap * sizeof *rows, 2 * cap * sizeof *rows);
            cap *= 2;
        }
        s3_object_read(stmt, w->ctx->arena, &rows[n++]);
    }
    *out = rows;
    return n;
}

static err tend_key(struct work *w, str key)
{
    struct s3_object *rows;
    size_t n = versions_of(w, key, &rows);
    for (size_t i = n; i-- > 1;)
        TRY(tend_old(w, &rows[i], rows[i - 1].mtime, (int64_t)i - 1));
    if (!n)
        return OK;
    if (!rows[0].marker)
        return tend_current(w, &rows[0]);
    return n == 1 ? tend_lone_marker(w, &rows[0]) : OK;
}

static err abort_uploads(struct work *w)
{
    struct s3_multipart_list ask = {.max = INT64_MAX};
    struct s3_multipart_page page;
    TRY(s3_multipart_list(w->s3, w->ctx, w->bucket, &ask, &page));
    for (size_t i = 0; i < page.nuploads; i++)
        LIST_EACH (const struct s3_lifecycle_rule, rule, w->config.rules) {
            if (abort_of(rule, &page.uploads[i].object) > w->ctx->now)
                continue;
            TRY(s3_multipart_abort(w->s3, &page.uploads[i]));
            break;
        }
    return OK;
}

static size_t keys_after(struct work *w, str after, str keys[KEYS_STEP])
{
    size_t n = 0;
    struct stmt *stmt = db_sql(
        w->s3->db,
        "SELECT DISTINCT key FROM s3_object WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?");
    bind_int(stmt, 1, w->bucket->id);
    bind_str(stmt, 2, after.p ? after : S(""));
    bind_int(stmt, 3, KEYS_STEP);
    while (stmt_row(stmt))
        keys[n++] = col_copy(stmt, 0, w->ctx->arena);
    return n;
}

/* Tends the next keys of the bucket; *last is where to go on, absent at its end. */
static err tend_some(struct work *w, str after, str *last)
{
    str *keys = arena_array(w->ctx->arena, KEYS_STEP, sizeof *keys);
    if (!after.p)
        TRY(abort_uploads(w));
    size_t n = keys_after(w, after, keys);
    for (size_t i = 0; i < n; i++)
        TRY(tend_key(w, keys[i]));
    *last = n == KEYS_STEP ? keys[n - 1] : STR_NONE;
    return OK;
}

/* ---- the round ---- */

/* The bucket with rules that has the least id > after; NULL at the end of the round. */
static struct s3_bucket *next_bucket(struct s3 *s3, int64_t after)
{
    struct s3_bucket *best = NULL;
    for (size_t i = 0; i < s3->nslots; i++)
        for (struct s3_bucket *bucket = s3->slots[i]; bucket; bucket = bucket->next)
            if (bucket->id > after && s3_bucket_has(bucket, S3_CONFIG_LIFECYCLE) &&
                (!best || bucket->id < best->id))
                best = bucket;
    return best;
}

msec s3_lifecycle_due(const struct s3 *s3)
{
    return s3->lifecycle.due;
}

void s3_lifecycle_changed(struct s3 *s3, struct ctx *ctx)
{
    msec due = next_bucket(s3, 0) ? s3_midnight_after(ctx->now + 1, 0) : INT64_MAX;
    if (!s3->lifecycle.bucket)
        s3->lifecycle.due = due;
    s3_due_changed(s3);
}

static void remember(struct s3 *s3, int64_t bucket, str key)
{
    free((char *)(uintptr_t)s3->lifecycle.key.p);
    s3->lifecycle.key = key.p ? (str){xstrdup(key), key.n} : STR_NONE;
    s3->lifecycle.bucket = bucket;
}

void s3_lifecycle_load(struct s3 *s3)
{
    remember(s3, 0, STR_NONE);
    s3->lifecycle.due = next_bucket(s3, 0) ? 0 : INT64_MAX;
}

err s3_lifecycle_run(struct s3 *s3, struct ctx *ctx)
{
    /* A half-done bucket goes on at its key, else the next one begins. */
    int64_t from = s3->lifecycle.key.p ? s3->lifecycle.bucket - 1 : s3->lifecycle.bucket;
    struct work w = {.s3 = s3, .ctx = ctx, .bucket = next_bucket(s3, from)};
    if (!w.bucket) {
        remember(s3, 0, STR_NONE);
        s3->lifecycle.due = next_bucket(s3, 0) ? s3_midnight_after(ctx->now + 1, 0) : INT64_MAX;
        return OK;
    }
    str after = w.bucket->id == s3->lifecycle.bucket ? arena_copy(ctx->arena, s3->lifecycle.key)
                                                     : STR_NONE,
        last = STR_NONE;
    s3_document_load(s3, ctx, w.bucket, S3_CONFIG_LIFECYCLE, S(""), &w.config);
    w.small_stay = !str_eq(s3_config_get(s3, ctx, w.bucket, S3_CONFIG_LIFECYCLE, S("minimum")),
                           S("varies_by_storage_class"));
    /* Should the disk fail now, tomorrow is another day. */
    s3->lifecycle.due = s3_midnight_after(ctx->now + 1, 0);
    TRY(tend_some(&w, after, &last));
    s3->lifecycle.due = ctx->now;
    remember(s3, w.bucket->id, last);
    return OK;
}
