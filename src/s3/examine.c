/* s3/examine.c - see examine.h. A body is digested once for all that is claimed of it: its MD5 (the
 * ETag of what came in one piece, and of each part), the checksum that was stored with it, and for
 * an object of parts the checksum of the whole. Where one of two claims holds, the body is what
 * was uploaded and the row is not: that is told, and nothing is to be taken away for it.
 *
 * Versions are walked in the order of their bodies, so that copies, which share one, cost one
 * reading. Numbers in the tables are not trusted: someone may have made them. */
#include "s3/examine.h"

#include "base/digest.h"
#include "base/text.h"
#include "s3/engine.h"
#include "s3/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP (1U << 20) /* bytes read at once */

struct claim {
    str etag;     /* absent, or not the MD5 of anything: none */
    int64_t kind; /* of the checksum: enum digest_kind + 1 */
    str checksum; /* base64; absent: none */
};

struct values { /* of a body */
    bool readable;
    digest md5, sum;
};

struct work {
    struct s3 s3; /* of which only db and blobs are used */
    struct ctx ctx;
    const struct examine_ask *ask;
    struct examine_sum *done;
    char *buffer;
    bool known; /* the last body that could not be read is one the store has told of */
    struct {
        struct blob_slice slice; /* id 0: none yet */
        int64_t kind;
        struct values values;
    } last;
};

static const char UNREADABLE[] = "its body cannot be read";
static const char DAMAGED[] = "its body is not what was stored";
static const char WRONG_ETAG[] = "its ETag is not that of its body";
static const char WRONG_CHECKSUM[] = "its checksum is not that of its body";
static const char WRONG_SIZE[] = "its size is not that of its body";

str s3_version_text(struct arena *arena, str bucket, str key, str version)
{
    return arena_printf(arena, "s3://%.*s/%.*s%s%.*s", STR_ARG(bucket), STR_ARG(key),
                        version.p ? ", version " : "", STR_ARG(version));
}

str s3_part_text(struct arena *arena, int64_t number, str upload, str bucket, str key)
{
    return arena_printf(arena, "part %lld of upload %.*s of s3://%.*s/%.*s", (long long)number,
                        STR_ARG(upload), STR_ARG(bucket), STR_ARG(key));
}

/* ---- reading ---- */

struct digests {
    struct digest_state *md5, *sum, *whole; /* the last two may be NULL */
};

static void feed(struct work *w, const struct digests *to, const char *bytes, size_t n)
{
    digest_update(to->md5, bytes, n);
    if (to->sum)
        digest_update(to->sum, bytes, n);
    if (to->whole)
        digest_update(to->whole, bytes, n);
    w->ask->progress(w->ask->user, (int64_t)n);
}

static bool feed_file(struct work *w, const struct digests *to, int fd,
                      const struct blob_slice *slice)
{
    posix_fadvise(fd, slice->at, slice->n, POSIX_FADV_SEQUENTIAL);
    for (int64_t at = 0; at < slice->n;) {
        int64_t left = slice->n - at;
        ssize_t n =
            pread(fd, w->buffer, left < (int64_t)STEP ? (size_t)left : STEP, slice->at + at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        feed(w, to, w->buffer, (size_t)n);
        at += n;
    }
    return true;
}

static bool feed_slice(struct work *w, const struct digests *to, const struct blob_slice *slice)
{
    int fd;
    str bytes;
    w->known = w->ask->lost(w->ask->user, slice->id);
    if (w->known || slice->at < 0 || slice->n < 0 ||
        slice->n > blob_size(w->s3.blobs, slice->id) - slice->at ||
        failed(blob_open(w->s3.blobs, slice->id, &fd)))
        return false;
    if (fd >= 0) {
        bool good = feed_file(w, to, fd, slice);
        close(fd);
        return good;
    }
    if (failed(
            blob_read(w->s3.blobs, w->ctx.arena, slice->id, slice->at, (size_t)slice->n, &bytes)) ||
        (int64_t)bytes.n != slice->n)
        return false;
    feed(w, to, bytes.p, bytes.n);
    return true;
}

static bool same_slice(const struct blob_slice *a, const struct blob_slice *b)
{
    return a->id == b->id && a->at == b->at && a->n == b->n;
}

/* Digests of the slices, `kind` 0: without a checksum; `whole`, unless NULL, goes on with them. */
static struct values digest_slices(struct work *w, const struct blob_slice *slices, size_t n,
                                   int64_t kind, struct digest_state *whole)
{
    if (n == 1 && !whole && w->last.kind == kind && same_slice(slices, &w->last.slice)) {
        w->ask->progress(w->ask->user, slices->n);
        return w->last.values;
    }
    struct digests to = {digest_begin(DIGEST_MD5),
                         kind ? digest_begin((enum digest_kind)(kind - 1)) : NULL, whole};
    struct values values = {.readable = true};
    for (size_t i = 0; i < n && values.readable; i++)
        values.readable = feed_slice(w, &to, &slices[i]);
    values.md5 = digest_end(to.md5);
    if (to.sum)
        values.sum = digest_end(to.sum);
    if (n == 1 && values.readable) {
        w->last.slice = *slices;
        w->last.kind = kind;
        w->last.values = values;
    }
    return values;
}

/* ---- claims ---- */

static bool is_md5(str etag)
{
    digest ignored;
    return etag.n == 32 && hex_decode(etag, ignored.bytes, 16);
}

/* NULL: what is claimed of the body holds. */
static const char *judge(struct work *w, const struct claim *claim, const struct blob_slice *slices,
                         size_t n, int64_t size, struct digest_state *whole)
{
    bool etag = is_md5(claim->etag), checksum = claim->kind && claim->checksum.p;
    uint64_t there = 0;
    struct values values = digest_slices(w, slices, n, checksum ? claim->kind : 0, whole);
    if (!values.readable)
        return UNREADABLE;
    bool etag_right = etag && str_eq_nocase(claim->etag, digest_hex(w->ctx.arena, values.md5));
    bool checksum_right =
        checksum && str_eq(claim->checksum, digest_base64(w->ctx.arena, values.sum));
    *(etag || checksum ? &w->done->compared : &w->done->uncompared) += 1;
    if ((etag || checksum) && !etag_right && !checksum_right)
        return DAMAGED;
    if (etag && !etag_right)
        return WRONG_ETAG;
    if (checksum && !checksum_right)
        return WRONG_CHECKSUM;
    for (size_t i = 0; i < n; i++)
        there += (uint64_t)slices[i].n;
    return there == (uint64_t)size ? NULL : WRONG_SIZE;
}

/* `row`: of what goes when the body is gone. */
static void tell(struct work *w, str what, const char *trouble, int64_t row)
{
    bool gone = trouble == UNREADABLE || trouble == DAMAGED;
    struct examine_finding finding = {what, trouble, gone ? row : 0,
                                      trouble == UNREADABLE && w->known};
    w->ask->found(w->ask->user, &finding);
}

/* ---- versions ---- */

/* What is claimed of an object of parts by the digests of its parts. */
static bool composed(struct work *w, enum digest_kind kind, const struct buf *raw, size_t n,
                     bool hex, str claimed)
{
    digest d = digest_of(kind, buf_str(raw));
    str text = hex ? digest_hex(w->ctx.arena, d) : digest_base64(w->ctx.arena, d);
    return str_eq(claimed, arena_printf(w->ctx.arena, "%.*s-%zu", STR_ARG(text), n));
}

static const char *judge_composed(struct work *w, const struct s3_object *object,
                                  const struct s3_part *parts, size_t n)
{
    struct buf md5s = buf_in(w->ctx.arena), sums = buf_in(w->ctx.arena);
    for (size_t i = 0; i < n; i++) {
        uint8_t md5[16] = {0};
        hex_decode(parts[i].etag, md5, sizeof md5);
        buf_put(&md5s, (str){(const char *)md5, sizeof md5});
        if (object->composite && parts[i].checksum.p)
            buf_put(&sums, base64_decode(w->ctx.arena, parts[i].checksum));
    }
    if (!composed(w, DIGEST_MD5, &md5s, n, true, object->etag))
        return WRONG_ETAG;
    if (object->composite && object->checksum_kind && object->checksum.p &&
        !composed(w, (enum digest_kind)(object->checksum_kind - 1), &sums, n, false,
                  object->checksum))
        return WRONG_CHECKSUM;
    return NULL;
}

/* True when all parts are what was uploaded. */
static bool judge_parts(struct work *w, str what, const struct s3_object *object,
                        const struct s3_part *parts, size_t n, struct digest_state *whole)
{
    bool sound = true;
    for (size_t i = 0; i < n; i++) {
        struct claim claim = {parts[i].etag, parts[i].checksum_kind, parts[i].checksum};
        struct blob_slice *slices;
        size_t nslices;
        s3_part_slices(&w->s3, &w->ctx, parts[i].id, &slices, &nslices);
        const char *trouble = judge(w, &claim, slices, nslices, parts[i].size, whole);
        if (trouble)
            tell(w,
                 arena_printf(w->ctx.arena, "%.*s, part %lld", STR_ARG(what),
                              (long long)parts[i].number),
                 trouble, object->id);
        sound = sound && !trouble;
    }
    return sound;
}

static void examine_parts(struct work *w, str what, const struct s3_object *object)
{
    bool full = object->checksum_kind && object->checksum.p && !object->composite;
    struct digest_state *whole =
        full ? digest_begin((enum digest_kind)(object->checksum_kind - 1)) : NULL;
    struct s3_part *parts;
    size_t n;
    s3_parts_read(&w->s3, &w->ctx, object->id, 0, &parts, &n);
    bool sound = judge_parts(w, what, object, parts, n, whole);
    const char *trouble = sound ? judge_composed(w, object, parts, n) : NULL;
    uint64_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += (uint64_t)parts[i].size;
    if (full) {
        str sum = digest_base64(w->ctx.arena, digest_end(whole));
        if (sound && !trouble && !str_eq(sum, object->checksum))
            trouble = WRONG_CHECKSUM;
    }
    if (sound && !trouble && size != (uint64_t)object->size)
        trouble = WRONG_SIZE;
    if (trouble)
        tell(w, what, trouble, object->id);
}

static void examine_whole(struct work *w, str what, const struct s3_object *object)
{
    struct claim claim = {object->etag, object->composite ? 0 : object->checksum_kind,
                          object->checksum};
    struct blob_slice *slices;
    size_t n;
    s3_body_slices(&w->s3, &w->ctx, object, &slices, &n);
    if (!object->parts && n) /* all of it, whatever the row says */
        slices->n = blob_size(w->s3.blobs, slices->id);
    const char *trouble = judge(w, &claim, slices, n, object->size, NULL);
    if (trouble)
        tell(w, what, trouble, object->id);
}

static void examine_version(struct work *w, int64_t id)
{
    struct s3_object object = {0};
    struct stmt *find = db_sql(w->s3.db, "SELECT " S3_OBJECT_SELECT " FROM s3_object WHERE id = ?");
    bind_int(find, 1, id);
    if (stmt_row(find))
        s3_object_read(find, w->ctx.arena, &object);
    stmt_done(find);
    find = db_sql(w->s3.db, "SELECT name FROM s3_bucket WHERE id = ?");
    bind_int(find, 1, object.bucket);
    str bucket = stmt_row(find) ? col_copy(find, 0, w->ctx.arena) : STR_NONE;
    stmt_done(find);
    str what = s3_version_text(w->ctx.arena, bucket, object.key, object.version);
    if (s3_object_multipart(&object))
        examine_parts(w, what, &object);
    else
        examine_whole(w, what, &object);
}

static void examine_versions(struct work *w)
{
    struct stmt *walk =
        db_sql(w->s3.db, "SELECT id FROM s3_object WHERE marker = 0 ORDER BY blob, id");
    while (stmt_row(walk)) {
        arena_reset(w->ctx.arena);
        examine_version(w, col_int(walk, 0));
    }
}

/* ---- parts of uploads under way ---- */

static void examine_uploads(struct work *w)
{
    struct stmt *walk = db_sql(
        w->s3.db, "SELECT p.id, p.number, p.size, p.etag, p.checksum_kind, p.checksum, u.name,"
                  " b.name, u.key FROM s3_part p LEFT JOIN s3_upload u ON u.id = p.upload"
                  " LEFT JOIN s3_bucket b ON b.id = u.bucket WHERE p.upload > 0 ORDER BY p.id");
    while (stmt_row(walk)) {
        arena_reset(w->ctx.arena);
        struct arena *arena = w->ctx.arena;
        struct claim claim = {col_copy(walk, 3, arena), col_index(walk, 4, DIGEST_KINDS + 1),
                              col_copy(walk, 5, arena)};
        str what = s3_part_text(arena, col_int(walk, 1), col_str(walk, 6), col_str(walk, 7),
                                col_str(walk, 8));
        struct blob_slice *slices;
        size_t n;
        s3_part_slices(&w->s3, &w->ctx, col_int(walk, 0), &slices, &n);
        const char *trouble = judge(w, &claim, slices, n, col_int(walk, 2), NULL);
        if (trouble)
            tell(w, what, trouble, -col_int(walk, 0));
    }
}

int64_t s3_examine_size(struct db *db)
{
    if (!s3_schema_current(db))
        return 0;
    struct stmt *stmt =
        db_sql(db, "SELECT cast((SELECT total(size) FROM s3_object WHERE marker = 0) + (SELECT"
                   " total(size) FROM s3_part WHERE upload > 0) AS INTEGER)");
    int64_t size = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return size;
}

bool s3_examine(struct db *db, struct blobs *blobs, const struct examine_ask *ask,
                struct examine_sum *sum)
{
    if (!s3_schema_current(db))
        return false;
    struct work w = {.s3 = {.db = db, .blobs = blobs}, .ask = ask, .done = sum};
    w.ctx.arena = arena_new();
    w.buffer = xalloc(STEP);
    examine_versions(&w);
    examine_uploads(&w);
    free(w.buffer);
    arena_free(w.ctx.arena);
    return true;
}
