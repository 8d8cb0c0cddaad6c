/* s3/object.c - finding, putting and deleting objects: the rules that all of the API's ways into a
 * bucket share. */
#include "s3/object.h"

#include "base/text.h"
#include "s3/engine.h"

static err invalid_version(struct ctx *ctx, str version)
{
    return s3_argument(ctx->arena, "versionId", version,
                       version.n ? "Invalid version id specified"
                                 : "Version id cannot be the empty string");
}

/* Where versions were never kept there is but the null version. */
static bool version_ok(const struct s3_bucket *bucket, str version)
{
    return s3_version_id_ok(version) &&
           (bucket->versioning != S3_UNVERSIONED || str_eq(version, S("null")));
}

static err find_named(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                      str version, struct s3_object *out)
{
    if (!version_ok(bucket, version))
        return invalid_version(ctx, version);
    s3_version_named(s3, ctx, bucket, key, version, out);
    if (!out->id && bucket->versioning == S3_UNVERSIONED) /* its null version is the key itself */
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_KEY), "Key", key);
    if (!out->id) {
        err e = err_with(ctx->arena, FAIL(S3_NO_SUCH_VERSION), "Key", key);
        return err_with(ctx->arena, e, "VersionId", version);
    }
    return out->marker ? FAIL(S3_METHOD_NOT_ALLOWED) : OK;
}

err s3_object_find(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key, str version,
                   struct s3_object *out)
{
    if (version.p)
        return find_named(s3, ctx, bucket, key, version, out);
    s3_version_current(s3, ctx, bucket, key, out);
    if (!out->id || out->marker)
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_KEY), "Key", key);
    return OK;
}

err s3_object_may_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                      const struct s3_conditions *conditions, str key)
{
    if (!conditions->if_match.p && !conditions->if_none_match.p)
        return OK;
    TRY(s3_conditions_form(ctx, conditions));
    struct s3_object current;
    s3_version_current(s3, ctx, bucket, key, &current);
    return s3_conditions_write(ctx, conditions, key, &current);
}

void s3_object_put_sure(struct s3 *s3, const struct s3_bucket *bucket,
                        const struct s3_conditions *conditions)
{
    if (!conditions->if_match.p && !conditions->if_none_match.p &&
        !s3_bucket_has(bucket, S3_CONFIG_NOTIFICATION))
        db_sure(s3->db);
}

err s3_object_put(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                  const struct s3_conditions *conditions, struct s3_object *object,
                  enum s3_event event)
{
    err e = conditions ? s3_object_may_put(s3, ctx, bucket, conditions, object->key) : OK;
    if (failed(e)) {
        blob_sink_drop(object->body);
        object->body = NULL;
        return e;
    }
    TRY(s3_version_install(s3, ctx, bucket, object));
    return s3_changed(s3, ctx, bucket, event, object);
}

static err check_lock(struct ctx *ctx, const struct s3_object *object, bool bypass)
{
    if (object->legal_hold)
        return FAIL(S3_LOCKED);
    if (!object->lock_mode.p || object->lock_until <= ctx->now)
        return OK;
    return bypass && str_eq(object->lock_mode, S("GOVERNANCE")) ? OK : FAIL(S3_LOCKED);
}

static err check_match(struct ctx *ctx, str key, str if_match, const struct s3_object *current)
{
    if (!if_match.p)
        return OK;
    if (!current->id || current->marker)
        return err_with(ctx->arena, FAIL(S3_NO_SUCH_KEY), "Key", key);
    if (s3_etag_listed(if_match, current->etag))
        return OK;
    return err_with(ctx->arena, FAIL(S3_PRECONDITION_FAILED), "Condition", S("If-Match"));
}

/* A version id that was never given out: its number says so. AWS can tell, too. */
static bool made_up(const struct s3 *s3, str version)
{
    int64_t order = s3_version_order(version);
    return !str_eq(version, S("null")) && (order <= 0 || order > s3->sequence);
}

static bool key_there(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key)
{
    struct s3_object current;
    s3_version_current(s3, ctx, bucket, key, &current);
    return current.id != 0;
}

/* A named version goes for good. */
static err delete_version(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                          const struct s3_delete *request, struct s3_deleted *out)
{
    struct s3_object object;
    if (!version_ok(bucket, request->version))
        return invalid_version(ctx, request->version);
    s3_version_named(s3, ctx, bucket, request->key, request->version, &object);
    if (!object.id && made_up(s3, request->version) && key_there(s3, ctx, bucket, request->key))
        return invalid_version(ctx, request->version);
    if (!object.id) {
        *out = (struct s3_deleted){.version = request->version};
        return OK;
    }
    TRY(check_match(ctx, request->key, request->if_match, &object));
    TRY(check_lock(ctx, &object, request->bypass));
    TRY(s3_version_remove(s3, ctx, bucket, &object));
    struct s3_object gone = {.key = request->key, .version = object.version, .mtime = ctx->now};
    TRY(s3_changed(s3, ctx, bucket, S3_REMOVED, &gone));
    *out = (struct s3_deleted){.marker = object.marker != 0, .version = request->version};
    return OK;
}

/* Where versions are kept, a delete only hides the key behind a marker. */
static err insert_marker(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, str key,
                         struct s3_deleted *out)
{
    struct s3_object marker = {
        .key = key, .marker = 1, .etag = S("d41d8cd98f00b204e9800998ecf8427e")};
    TRY(s3_version_install(s3, ctx, bucket, &marker));
    TRY(s3_changed(s3, ctx, bucket, S3_REMOVED_MARKER, &marker));
    *out = (struct s3_deleted){.marker = true, .version = s3_object_version(bucket, &marker)};
    return OK;
}

err s3_object_delete(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                     const struct s3_delete *request, struct s3_deleted *out)
{
    if (request->version.p)
        return delete_version(s3, ctx, bucket, request, out);
    struct s3_object object = {0};
    if (request->if_match.p || bucket->versioning == S3_UNVERSIONED)
        s3_version_current(s3, ctx, bucket, request->key, &object);
    TRY(check_match(ctx, request->key, request->if_match, &object));
    if (bucket->versioning != S3_UNVERSIONED)
        return insert_marker(s3, ctx, bucket, request->key, out);
    if (object.id)
        TRY(s3_version_remove(s3, ctx, bucket, &object));
    if (object.id || request->tell_always) {
        struct s3_object gone = {.key = request->key, .mtime = ctx->now};
        TRY(s3_changed(s3, ctx, bucket, S3_REMOVED, &gone));
    }
    *out = (struct s3_deleted){0};
    return OK;
}

err s3_object_set_tags(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                       struct s3_object *object, str tags, enum s3_event event)
{
    struct stmt *stmt = db_sql(s3->db, "UPDATE s3_object SET tags = ? WHERE id = ?");
    bind_str(stmt, 1, tags);
    bind_int(stmt, 2, object->id);
    TRY(stmt_run(stmt));
    object->tags = tags;
    return s3_changed(s3, ctx, bucket, event, object);
}

str s3_object_version(const struct s3_bucket *bucket, const struct s3_object *object)
{
    if (object->version.p)
        return object->version;
    return bucket->versioning == S3_UNVERSIONED ? STR_NONE : S("null");
}

bool s3_object_multipart(const struct s3_object *object)
{
    return object->parts > 0 && str_find(object->etag, S("-"), 0) >= 0;
}

/* "Valid if, when parsed left-to-right, the cumulative count of relative path segments never
 * exceeds the number of non-relative path elements": userguide/object-keys.html. */
static bool climbs_out(str key)
{
    size_t down = 0, up = 0;
    for (str rest = key; rest.p && up <= down;) {
        bool parent = str_eq(str_cut(&rest, '/'), S(".."));
        up += parent;
        down += !parent;
    }
    return up > down;
}

err s3_key_check(struct ctx *ctx, str key)
{
    if (key.n > 1024) {
        err e = err_with(ctx->arena, FAIL(S3_KEY_TOO_LONG), "Size",
                         arena_printf(ctx->arena, "%zu", key.n));
        return err_with(ctx->arena, e, "MaxSizeAllowed", S("1024"));
    }
    return key.n && utf8_valid(key) && !climbs_out(key) ? OK : FAIL(S3_INVALID_URI);
}

bool s3_object_archived(struct ctx *ctx, const struct s3_object *object)
{
    bool cold = str_eq(object->storage_class, S("GLACIER")) ||
                str_eq(object->storage_class, S("DEEP_ARCHIVE"));
    return cold && (object->restore_due || object->restore_until <= ctx->now);
}
