/* store/blob.c - bodies as values: references, inline rows, reads. Where the large ones lie as
 * files is blob_file.c's affair.
 *
 * The one rule that keeps rows and files together: a file whose number this turn touched (created
 * or dropped) is unlinked at the turn's end if no row says then that it is one, nor a pin wants it
 * for a row that has gone (whose end touches it again). It holds after a commit, after a failed
 * commit and after a savepoint was undone. Numbers are never used twice in one process, so no file
 * can be mistaken for an older one.
 */
#include "store/blob_internal.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>
#ifdef HEADRACE_XXH3_DISPATCHES
#include <xxh_x86dispatch.h>
#endif

static const char *const migrations[] = {
    ("CREATE TABLE blob(id INTEGER PRIMARY KEY, size INTEGER NOT NULL, refs INTEGER NOT NULL, data "
     "BLOB);"),
    /* Which bodies are files, without a walk over those that are not. */
    "CREATE INDEX blob_file ON blob(id) WHERE data IS NULL;",
    /* XXH3 of `data`: SQLite does not notice a bit that flips inside a value. */
    "ALTER TABLE blob ADD COLUMN sum INTEGER;",
    /* snapshot.c names the columns when it loads: a new one belongs there, too. */
};

static int64_t highest_id(struct db *db)
{
    struct stmt *stmt = db_sql(db, "SELECT max(id) FROM blob");
    int64_t id = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return id;
}

void blobs_schema_make(struct db *db)
{
    db_migrate(db, "blob", migrations, sizeof migrations / sizeof migrations[0]);
}

bool blobs_schema_current(struct db *db)
{
    return db_migrated(db, "blob", sizeof migrations / sizeof migrations[0]);
}

struct blobs *blobs_open(struct db *db, const char *dir, enum durability durability, char **message)
{
    struct blobs *blobs = xalloc(sizeof *blobs);
    *blobs = (struct blobs){.db = db, .durability = durability, .lock_fd = -1};
    blobs_schema_make(db);
    blobs->next_id = highest_id(db) + 1;
    bool good =
        !db_failed(db) && blob_files_open(blobs, dir && db_dir(db) ? db_dir(db) : dir, message);
    if (good && !db_failed(db))
        return blobs;
    if (db_failed(db))
        *message = xstrdup(S("the table of bodies cannot be read"));
    blobs_close(blobs);
    return NULL;
}

void blobs_release_by(struct blobs *blobs, void (*release)(void *user, int fd), void *user)
{
    blobs->release = release;
    blobs->release_user = user;
}

void blobs_close(struct blobs *blobs)
{
    if (!blobs)
        return;
    blob_files_close(blobs);
    blob_proofs_free(blobs);
    free(blobs->touched);
    free(blobs);
}

void blob_touch(struct blobs *blobs, int64_t id)
{
    if (blobs->ntouched == blobs->cap) {
        blobs->cap = blobs->cap ? blobs->cap * 2 : 64;
        blobs->touched = xrealloc(blobs->touched, blobs->cap * sizeof *blobs->touched);
    }
    blobs->touched[blobs->ntouched++] = id;
}

bool blob_has_row(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT 1 FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    bool there = stmt_row(stmt);
    stmt_done(stmt);
    return there;
}

static bool file_wanted(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT data IS NULL FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    bool there = stmt_row(stmt), is_file = there && col_int(stmt, 0);
    stmt_done(stmt);
    return there ? is_file : blob_pinned(blobs, id);
}

void blobs_turn_ended(struct blobs *blobs)
{
    size_t unknown = 0;
    if (blobs->holds)
        return;
    for (size_t i = 0; i < blobs->ntouched; i++) {
        int64_t id = blobs->touched[i];
        bool wanted = file_wanted(blobs, id);
        if (db_failed(blobs->db))
            blobs->touched[unknown++] = id; /* a row that cannot be read may be there */
        else if (!wanted)
            blob_file_unlink(blobs, id);
    }
    blobs->ntouched = unknown;
}

int64_t blob_sum(str data)
{
    return (int64_t)XXH3_64bits(data.p, data.n);
}

void blobs_hold(struct blobs *blobs)
{
    blobs->holds++;
}

void blobs_let_go(struct blobs *blobs)
{
    blobs->holds--;
    blobs_turn_ended(blobs);
}

/* `data` absent: the body is a file. */
static err insert(struct blobs *blobs, int64_t id, int64_t size, str data, int64_t sum)
{
    struct stmt *stmt =
        db_sql(blobs->db, "INSERT INTO blob(id, size, refs, data, sum) VALUES(?, ?, 1, ?, ?)");
    bind_int(stmt, 1, id);
    bind_int(stmt, 2, size);
    bind_blob(stmt, 3, data);
    bind_int(stmt, 4, sum);
    return stmt_run(stmt);
}

static err put_inline(struct blobs *blobs, str bytes, int64_t *id)
{
    int64_t fresh = blobs->next_id++;
    TRY(insert(blobs, fresh, (int64_t)bytes.n, bytes.p ? bytes : S(""), blob_sum(bytes)));
    *id = fresh;
    return OK;
}

/* Sinks. */

static err sink_fail(struct blob_sink *sink)
{
    sink->failed = true;
    return blob_file_fault();
}

struct blob_sink *blob_sink_open(struct blobs *blobs)
{
    struct blob_sink *sink = xalloc(sizeof *sink);
    *sink = (struct blob_sink){.blobs = blobs, .fd = -1};
    return sink;
}

static void buffer(struct blob_sink *sink, str chunk)
{
    size_t need = sink->n + chunk.n;
    if (need > sink->cap) {
        size_t cap = sink->cap ? sink->cap * 2 : 4096;
        while (cap < need)
            cap *= 2;
        sink->buffer = xrealloc(sink->buffer, cap);
        sink->cap = cap;
    }
    if (chunk.n)
        memcpy(sink->buffer + sink->n, chunk.p, chunk.n);
    sink->n = need;
}

static bool write_file(struct blob_sink *sink, str bytes)
{
    return XXH3_64bits_update(sink->sum, bytes.p, bytes.n) == XXH_OK &&
           blob_file_write(sink->fd, bytes);
}

static bool spill(struct blob_sink *sink)
{
    sink->sum = XXH3_createState();
    if (!sink->sum || XXH3_64bits_reset(sink->sum) != XXH_OK || !blob_file_create(sink) ||
        !write_file(sink, (str){sink->buffer, sink->n}))
        return false;
    free(sink->buffer);
    sink->buffer = NULL;
    sink->n = sink->cap = 0;
    return true;
}

err blob_sink_write(struct blob_sink *sink, str chunk)
{
    if (sink->failed)
        return FAIL(FAULT_INTERNAL);
    if (sink->fd < 0 && sink->n + chunk.n <= BLOB_INLINE_MAX) {
        buffer(sink, chunk);
    } else {
        if (sink->fd < 0 && !spill(sink))
            return sink_fail(sink);
        if (!write_file(sink, chunk))
            return sink_fail(sink);
    }
    sink->size += (int64_t)chunk.n;
    sink->synced = false;
    if (sink->fd >= 0)
        blob_file_sync_ahead(sink, sink->size - (int64_t)chunk.n);
    return OK;
}

err blob_sink_sync(struct blob_sink *sink)
{
    return sink->fd < 0 || blob_file_sync(sink) ? OK : sink_fail(sink);
}

int64_t blob_sink_size(const struct blob_sink *sink)
{
    return sink->size;
}

err blob_sink_keep(struct blob_sink *sink, int64_t *id)
{
    struct blobs *blobs = sink->blobs;
    err e = OK;
    if (sink->failed) {
        e = FAIL(FAULT_INTERNAL);
    } else if (sink->fd < 0) {
        e = put_inline(blobs, (str){sink->buffer, sink->n}, id);
    } else {
        int64_t fresh = blobs->next_id++;
        blob_touch(blobs, fresh);
        e = blob_file_place(sink, fresh)
                ? insert(blobs, fresh, sink->size, STR_NONE, (int64_t)XXH3_64bits_digest(sink->sum))
                : FAIL(FAULT_INTERNAL);
        if (!failed(e)) {
            blob_proof_written(blobs, fresh, sink->fd);
            *id = fresh;
        }
    }
    blob_sink_drop(sink);
    return e;
}

/* Whether there was such a row, of one reference. */
static err rewrite(struct blobs *blobs, int64_t id, str data, bool *done)
{
    struct stmt *stmt = db_sql(blobs->db, "UPDATE blob SET size = ?2, data = ?3, sum = ?4"
                                          " WHERE id = ?1 AND refs = 1 AND data IS NOT NULL");
    bind_int(stmt, 1, id);
    bind_int(stmt, 2, (int64_t)data.n);
    bind_blob(stmt, 3, data.p ? data : S(""));
    bind_int(stmt, 4, blob_sum(data));
    TRY(stmt_run(stmt));
    *done = db_changes(blobs->db) > 0;
    return OK;
}

err blob_sink_replace(struct blob_sink *sink, int64_t old, int64_t *id)
{
    struct blobs *blobs = sink->blobs;
    bool done = false;
    err e = OK;
    if (old && !sink->failed && sink->fd < 0 && !blob_has_pin(blobs, old))
        e = rewrite(blobs, old, (str){sink->buffer, sink->n}, &done);
    if (!failed(e) && !done) {
        TRY(blob_sink_keep(sink, id));
        if (old)
            blob_unref(blobs, old);
        return OK;
    }
    blob_sink_drop(sink);
    *id = old;
    return e;
}

void blob_sink_drop(struct blob_sink *sink)
{
    if (!sink)
        return;
    if (sink->fd >= 0)
        blob_file_discard(sink);
    XXH3_freeState(sink->sum);
    free(sink->buffer);
    free(sink);
}

err blob_put(struct blobs *blobs, str bytes, int64_t *id)
{
    if (bytes.n <= BLOB_INLINE_MAX)
        return put_inline(blobs, bytes, id);
    struct blob_sink *sink = blob_sink_open(blobs);
    err e = blob_sink_write(sink, bytes);
    if (!failed(e))
        return blob_sink_keep(sink, id);
    blob_sink_drop(sink);
    return e;
}

/* References. A failure of the disk below is told by db_failed, and undoes the turn. */

void blob_ref(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "UPDATE blob SET refs = refs + 1 WHERE id = ?");
    bind_int(stmt, 1, id);
    (void)stmt_run(stmt);
}

static void drop_row(struct blobs *blobs, int64_t id, bool is_file)
{
    if (is_file)
        blob_touch(blobs, id);
    else
        blob_pin_rescue(blobs, id);
    struct stmt *stmt = db_sql(blobs->db, "DELETE FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    (void)stmt_run(stmt);
}

void blob_unref(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT refs, data IS NULL FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    bool there = stmt_row(stmt);
    int64_t refs = there ? col_int(stmt, 0) : 0;
    bool is_file = there && col_int(stmt, 1);
    stmt_done(stmt);
    if (refs == 1) {
        drop_row(blobs, id, is_file);
    } else if (there) {
        stmt = db_sql(blobs->db, "UPDATE blob SET refs = refs - 1 WHERE id = ?");
        bind_int(stmt, 1, id);
        (void)stmt_run(stmt);
    }
}

/* Reading. */

static err read_file(struct blobs *blobs, struct arena *arena, int64_t id, int64_t size, int64_t at,
                     size_t n, str *out)
{
    int fd = blob_file_open(blobs, id, size);
    if (fd < 0)
        return blob_file_fault();
    char *bytes = arena_alloc(arena, n + 1);
    bool good = blob_file_read(fd, bytes, n, at);
    close(fd);
    if (!good)
        return FAIL(FAULT_INTERNAL);
    *out = (str){bytes, n};
    return OK;
}

err blob_read(struct blobs *blobs, struct arena *arena, int64_t id, int64_t at, size_t n, str *out)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT size, data, sum FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    if (!stmt_row(stmt)) {
        log_error("body %lld is missing", (long long)id);
        return FAIL(FAULT_INTERNAL);
    }
    int64_t size = col_int(stmt, 0), left = at < 0 || at > size ? 0 : size - at;
    bool is_file = col_null(stmt, 1);
    if ((int64_t)n < 0 || (int64_t)n > left)
        n = (size_t)left;
    if (!is_file && !col_null(stmt, 2) && blob_sum(col_str(stmt, 1)) != col_int(stmt, 2)) {
        log_error("body %lld is damaged; see headrace doctor", (long long)id);
        stmt_done(stmt);
        return FAIL(FAULT_INTERNAL);
    }
    if (!is_file)
        *out = arena_copy(arena, str_slice(col_str(stmt, 1), (size_t)at, (size_t)at + n));
    stmt_done(stmt);
    if (is_file)
        return read_file(blobs, arena, id, size, at, n, out);
    return OK;
}

int64_t blob_size(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT size FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    int64_t size = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    return size;
}

err blob_open(struct blobs *blobs, int64_t id, int *fd)
{
    struct stmt *stmt = db_sql(blobs->db, "SELECT size, data IS NULL FROM blob WHERE id = ?");
    bind_int(stmt, 1, id);
    bool is_file = stmt_row(stmt) && col_int(stmt, 1);
    int64_t size = is_file ? col_int(stmt, 0) : 0;
    stmt_done(stmt);
    int opened = is_file ? blob_file_open(blobs, id, size) : -1;
    if (is_file && opened < 0)
        return blob_file_fault();
    *fd = opened;
    return OK;
}

int blob_fd(struct blobs *blobs, int64_t id)
{
    int fd = -1;
    return failed(blob_open(blobs, id, &fd)) ? -1 : fd;
}
