/* store/doctor.c - see doctor.h. A start sweeps orphans by itself; here they are told before they
 * go. */
#include "store/doctor.h"

#include "store/blob_internal.h"
#include "store/db_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct doctor {
    struct blobs blobs; /* of which only db and root are used */
    bool repair;
    void (*found)(void *user, const struct doctor_finding *finding);
    void *user;
    struct doctor_summary *summary;
};

static void tell(struct doctor *d, struct doctor_finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void tell(struct doctor *d, struct doctor_finding finding, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    finding.text = text;
    d->summary->findings++;
    d->summary->repaired += finding.repaired;
    if (d->found)
        d->found(d->user, &finding);
    free(text);
}

static int64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : (int64_t)st.st_size;
}

/* Pages are read by SQLite's own check; its statements are used by themselves, as db_sql ends the
 * program on damage. */
static bool examine_pages(struct doctor *d)
{
    sqlite3_stmt *stmt = NULL;
    int64_t before = d->summary->findings;
    int rc =
        sqlite3_prepare_v2(d->blobs.db->handle, "PRAGMA integrity_check(100)", -1, &stmt, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        const char *line = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
        if (line && strcmp(line, "ok") != 0)
            tell(d, (struct doctor_finding){.kind = DOCTOR_DAMAGED_PAGE}, "%s", line);
    }
    if (rc != SQLITE_DONE)
        tell(d, (struct doctor_finding){.kind = DOCTOR_DAMAGED_PAGE}, "%s",
             sqlite3_errmsg(d->blobs.db->handle));
    sqlite3_finalize(stmt);
    return d->summary->findings == before;
}

/* A statement of the doctor's own; NULL after telling what is wrong with the tables. */
static sqlite3_stmt *prepare(struct doctor *d, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(d->blobs.db->handle, sql, -1, &stmt, NULL) != SQLITE_OK)
        tell(d, (struct doctor_finding){.kind = DOCTOR_DAMAGED_PAGE}, "%s",
             sqlite3_errmsg(d->blobs.db->handle));
    return stmt;
}

static bool examine_tables(struct doctor *d)
{
    char *strange = db_strange_table(d->blobs.db);
    if (strange)
        tell(d, (struct doctor_finding){.kind = DOCTOR_DAMAGED_PAGE},
             "the table %s is not what it should be", strange);
    free(strange);
    return !strange;
}

static bool has_bodies(struct doctor *d)
{
    sqlite3_stmt *stmt = prepare(d, "SELECT 1 FROM sqlite_master WHERE name = 'blob'");
    bool there = stmt && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return there;
}

/* Not before an older directory was opened by a start. */
static bool has_sums(struct doctor *d)
{
    sqlite3_stmt *stmt = prepare(d, "SELECT 1 FROM pragma_table_info('blob') WHERE name = 'sum'");
    bool there = stmt && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return there;
}

static void examine_file(struct doctor *d, int64_t id, int64_t size)
{
    char *path = blob_file_path(&d->blobs, id);
    int64_t there = size_of(path);
    d->summary->files++;
    d->summary->file_bytes = (int64_t)((uint64_t)d->summary->file_bytes + (uint64_t)size);
    if (there < 0)
        tell(d, (struct doctor_finding){DOCTOR_MISSING_FILE, .id = id},
             "body %lld: its file %s is missing", (long long)id, path);
    else if (there != size)
        tell(d, (struct doctor_finding){DOCTOR_WRONG_SIZE, .id = id},
             "body %lld: its file %s has %lld bytes instead of %lld", (long long)id, path,
             (long long)there, (long long)size);
    free(path);
}

static bool sum_right(sqlite3_stmt *row)
{
    const char *data = sqlite3_column_blob(row, 5);
    str bytes = {data ? data : "", (size_t)sqlite3_column_bytes(row, 5)};
    return blob_sum(bytes) == sqlite3_column_int64(row, 4);
}

static void examine_row(struct doctor *d, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0), size = sqlite3_column_int64(row, 1);
    int64_t length = sqlite3_column_int64(row, 3);
    d->summary->bodies++;
    d->summary->body_bytes = (int64_t)((uint64_t)d->summary->body_bytes + (uint64_t)size);
    if (sqlite3_column_int64(row, 2) < 1)
        tell(d, (struct doctor_finding){DOCTOR_UNREFERENCED, .id = id},
             "body %lld: nothing refers to it", (long long)id);
    if (sqlite3_column_type(row, 3) == SQLITE_NULL)
        examine_file(d, id, size);
    else if (length != size)
        tell(d, (struct doctor_finding){DOCTOR_WRONG_SIZE, .id = id},
             "body %lld: has %lld bytes instead of %lld", (long long)id, (long long)length,
             (long long)size);
    else if (sqlite3_column_type(row, 4) == SQLITE_INTEGER && !sum_right(row))
        tell(d, (struct doctor_finding){DOCTOR_WRONG_CONTENT, .id = id},
             "body %lld: is not what was stored", (long long)id);
}

/* False when rows could not all be read. */
static bool examine_rows(struct doctor *d)
{
    sqlite3_stmt *stmt =
        prepare(d, has_sums(d) ? "SELECT id, size, refs, length(data), sum, data FROM blob "
                                 "ORDER BY id"
                               : "SELECT id, size, refs, length(data), NULL FROM blob ORDER BY id");
    int rc = SQLITE_DONE;
    while (stmt && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
        examine_row(d, stmt);
    if (rc != SQLITE_DONE)
        tell(d, (struct doctor_finding){.kind = DOCTOR_DAMAGED_PAGE}, "%s",
             sqlite3_errmsg(d->blobs.db->handle));
    sqlite3_finalize(stmt);
    return stmt && rc == SQLITE_DONE;
}

static bool row_names(struct doctor *d, int64_t id)
{
    sqlite3_stmt *stmt = prepare(d, "SELECT 1 FROM blob WHERE id = ? AND data IS NULL");
    sqlite3_bind_int64(stmt, 1, id);
    /* A row that cannot be read may well name it. */
    bool named = !stmt || sqlite3_step(stmt) != SQLITE_DONE;
    sqlite3_finalize(stmt);
    return named;
}

static char *join(const char *dir, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        abort();
    return path;
}

static bool in_place(struct doctor *d, const char *path, const char *name)
{
    int64_t id;
    if (!str_to_int(str_of(name), &id) || !row_names(d, id))
        return false;
    char *right = blob_file_path(&d->blobs, id);
    bool same = strcmp(right, path) == 0;
    free(right);
    return same;
}

/* What is not where a body's file lies goes with `repair`. */
static void tell_file(struct doctor *d, const char *path, enum doctor_kind kind)
{
    struct doctor_finding finding = {kind};
    int64_t size = size_of(path);
    finding.repaired = d->repair && unlink(path) == 0;
    tell(d, finding, "%s (%lld bytes): %s", path, (long long)size,
         kind == DOCTOR_LEFTOVER ? "was never finished" : "no body has this file");
}

static void examine_unfinished(void *user, const char *dir, const char *name)
{
    char *path = join(dir, name);
    tell_file(user, path, DOCTOR_LEFTOVER);
    free(path);
}

static void examine_placed(void *user, const char *dir, const char *name)
{
    char *path = join(dir, name);
    if (!in_place(user, path, name))
        tell_file(user, path, DOCTOR_ORPHAN_FILE);
    free(path);
}

/* A start takes what is no directory for an orphan, too: a file, or a link, which is not followed.
 */
static void examine_shelf(void *user, const char *dir, const char *name)
{
    char *shelf = join(dir, name);
    bool unfinished = strcmp(name, "new") == 0;
    if (!blob_each_name(shelf, unfinished ? examine_unfinished : examine_placed, user) &&
        (errno == ENOTDIR || errno == ELOOP))
        tell_file(user, shelf, DOCTOR_ORPHAN_FILE);
    free(shelf);
}

static void measure(const char *file, struct doctor_summary *summary)
{
    char *log = NULL;
    if (asprintf(&log, "%s-wal", file) < 0)
        abort();
    int64_t n = size_of(log);
    summary->log_bytes = n < 0 ? 0 : n;
    summary->database_bytes = size_of(file);
    free(log);
}

/* Opening would make a directory that is not there. */
static bool exists(const char *dir, struct doctor_summary *summary, char **message)
{
    char *file = NULL;
    if (asprintf(&file, "%s/headrace.db", dir) < 0)
        abort();
    struct stat st;
    int error = stat(file, &st) ? errno : 0;
    bool missing = error == ENOENT || error == ENOTDIR;
    if (!error)
        measure(file, summary);
    free(file);
    if (!error)
        return true;
    int n =
        missing
            ? asprintf(message, "%s is no data directory: there is no headrace.db in it", dir)
            : asprintf(message, "cannot look at the data directory %s: %s", dir, strerror(error));
    if (n < 0)
        abort();
    return false;
}

bool doctor_examine(const char *dir, bool repair,
                    void (*found)(void *user, const struct doctor_finding *finding), void *user,
                    struct doctor_summary *summary, char **message)
{
    struct doctor d = {.repair = repair, .found = found, .user = user, .summary = summary};
    *summary = (struct doctor_summary){0};
    if (!exists(dir, summary, message))
        return false;
    struct db *db = d.blobs.db = db_open_unchecked(dir, message);
    if (!db)
        return false;
    if (asprintf(&d.blobs.root, "%s/blobs", db_dir(db)) < 0)
        abort();
    db_warn_of_strangers(db_dir(db));
    /* Rows of damaged pages cannot be trusted, and to remove a file because its row cannot be read
     * would be a loss. */
    if (examine_pages(&d) && examine_tables(&d) && has_bodies(&d) && examine_rows(&d))
        blob_each_name(d.blobs.root, examine_shelf, &d);
    free(d.blobs.root);
    db_close(db);
    return true;
}

bool doctor_open(const char *dir, struct doctor_store *store, char **message)
{
    *store = (struct doctor_store){.db = db_open_unchecked(dir, message)};
    if (!store->db)
        return false;
    if (!blobs_schema_current(store->db)) {
        doctor_close(store);
        if (asprintf(message, "%s is of another version", dir) < 0)
            abort();
        return false;
    }
    store->blobs = xalloc(sizeof *store->blobs);
    *store->blobs = (struct blobs){.db = store->db, .lock_fd = -1};
    if (asprintf(&store->blobs->root, "%s/blobs", db_dir(store->db)) < 0)
        abort();
    return true;
}

void doctor_close(struct doctor_store *store)
{
    blobs_close(store->blobs);
    db_close(store->db);
    *store = (struct doctor_store){0};
}
