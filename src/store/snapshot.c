/* store/snapshot.c - see snapshot.h. These are the only statements that run outside a turn: they
 * have transactions of their own. */
#include "store/snapshot.h"

#include "store/blob_internal.h"
#include "store/db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define BODIES "CREATE TABLE snapshot_body(id INTEGER PRIMARY KEY, data BLOB NOT NULL)"

static bool complain(char **message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *message = xstrdup(str_of(text));
    return false;
}

static bool run(sqlite3 *handle, char **message, const char *sql)
{
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return complain(message, "%s", sqlite3_errmsg(handle));
}

/* SQLite's own formats: %Q is a quoted text, %w the inside of a quoted name. */
static bool run_f(sqlite3 *handle, char **message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = sqlite3_vmprintf(format, args);
    va_end(args);
    bool done = run(handle, message, sql);
    sqlite3_free(sql);
    return done;
}

/* ---- saving ---- */

static bool copy_body(struct blobs *blobs, sqlite3 *to, int64_t id, int64_t size, char **message)
{
    sqlite3_stmt *add;
    int fd = blob_file_open(blobs, id, size);
    char *bytes = malloc(size ? (size_t)size : 1);
    bool good = fd >= 0 && bytes && blob_file_read(fd, bytes, (size_t)size, 0);
    if (fd >= 0)
        close(fd);
    if (!good) {
        free(bytes);
        return complain(message, "cannot read body %lld", (long long)id);
    }
    sqlite3_prepare_v2(to, "INSERT INTO snapshot_body(id, data) VALUES(?, ?)", -1, &add, NULL);
    sqlite3_bind_int64(add, 1, id);
    sqlite3_bind_blob64(add, 2, bytes, (sqlite3_uint64)size, free);
    good = sqlite3_step(add) == SQLITE_DONE;
    sqlite3_finalize(add);
    return good || complain(message, "%s", sqlite3_errmsg(to));
}

/* Rows of the statement, one after the other: false when there are no more, or *good is no longer
 * true. A walk that ends for another reason than its end makes it false, too. */
static bool next_row(sqlite3_stmt *rows, bool *good, char **message)
{
    if (!*good)
        return false;
    int rc = rows ? sqlite3_step(rows) : SQLITE_ERROR;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        *good = complain(message, "%s",
                         rows ? sqlite3_errmsg(sqlite3_db_handle(rows)) : "a table cannot be read");
    return rc == SQLITE_ROW;
}

static bool copy_bodies(struct blobs *blobs, sqlite3 *to, char **message)
{
    sqlite3_stmt *files;
    bool good = run(to, message, "BEGIN; " BODIES);
    sqlite3_prepare_v2(to, "SELECT id, size FROM blob WHERE data IS NULL", -1, &files, NULL);
    while (next_row(files, &good, message))
        good = copy_body(blobs, to, sqlite3_column_int64(files, 0), sqlite3_column_int64(files, 1),
                         message);
    sqlite3_finalize(files);
    return good && run(to, message, "COMMIT");
}

struct snapshot {
    struct db *db;
    struct blobs *blobs;
    char *path, *fresh; /* its name, and the one it has until it is whole */
    char *message;
    sqlite3 *to;
    sqlite3_backup *backup;
    int64_t steps;
    bool copied, failed;
};

static void fail(struct snapshot *snapshot, const char *what)
{
    snapshot->failed = true;
    if (!snapshot->message)
        complain(&snapshot->message, "%s: %s", what, sqlite3_errmsg(snapshot->to));
}

/* A snapshot that a crash cuts short is no loss, so nothing of it is synced or journalled. */
static bool open_copy(struct snapshot *snapshot)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    return sqlite3_open_v2(snapshot->fresh, &snapshot->to, flags, NULL) == SQLITE_OK &&
           run(snapshot->to, &snapshot->message, "PRAGMA synchronous=OFF");
}

/* An empty file beside `path`, under a name that no snapshot has; its name, malloc'ed, or NULL.
 * Made here, so that nobody else can read it at any time, nor choose where it goes. */
static char *make_unfinished(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = NULL;
    for (int n = 0; n < 100; n++) {
        int length = slash ? (int)(slash + 1 - path) : 0;
        if (asprintf(&name, "%.*s.unfinished-%d", length, path, n) < 0)
            abort();
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            close(fd);
            return name;
        }
        free(name);
        if (errno != EEXIST)
            break;
    }
    return NULL;
}

struct snapshot *snapshot_begin(struct db *db, struct blobs *blobs, const char *path,
                                char **message)
{
    char *fresh = make_unfinished(path);
    if (!fresh) {
        complain(message, "cannot create %s: %s", path, strerror(errno));
        return NULL;
    }
    struct snapshot *snapshot = xalloc(sizeof *snapshot);
    *snapshot =
        (struct snapshot){.db = db, .blobs = blobs, .path = xstrdup(str_of(path)), .fresh = fresh};
    if (open_copy(snapshot) && run(snapshot->to, &snapshot->message, "PRAGMA journal_mode=OFF"))
        snapshot->backup = sqlite3_backup_init(snapshot->to, "main", db->handle, "main");
    if (!snapshot->backup)
        fail(snapshot, "cannot begin");
    return snapshot;
}

/* What the same connection writes meanwhile SQLite writes to the copy too, so the copy is of the
 * moment of the last step. Not so in memory, where each commit starts the copy over: there, and
 * where somehow it never ends, it is made in one step. */
bool snapshot_step(struct snapshot *snapshot, int pages)
{
    if (snapshot->failed || snapshot->copied)
        return false;
    bool patient = snapshot->db->file && snapshot->steps++ < 100000;
    int rc = sqlite3_backup_step(snapshot->backup, patient ? pages : -1);
    if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return true;
    sqlite3_backup_finish(snapshot->backup);
    snapshot->backup = NULL;
    if (rc != SQLITE_DONE)
        fail(snapshot, "cannot copy");
    snapshot->copied = rc == SQLITE_DONE;
    return false;
}

/* Free pages of a state that was larger once are not worth keeping. */
static bool compact(sqlite3 *to, char **message)
{
    sqlite3_stmt *free_pages;
    static const char sql[] =
        "SELECT f.freelist_count * 4 > p.page_count FROM pragma_freelist_count f, "
        "pragma_page_count p";
    bool many = sqlite3_prepare_v2(to, sql, -1, &free_pages, NULL) == SQLITE_OK &&
                sqlite3_step(free_pages) == SQLITE_ROW && sqlite3_column_int(free_pages, 0);
    sqlite3_finalize(free_pages);
    return !many || run(to, message, "VACUUM");
}

static bool sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* SQLite notices little of what changes in a file by itself, and nothing inside of a value: a sum
 * of all of it stands in the place of the user's version, which counts as zero. */

#define SUM_AT 60

static uint32_t big_endian(const unsigned char p[4])
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* What stands there, and what should; 0 is no sum. */
static bool sums(int fd, uint32_t *stated, uint32_t *right)
{
    static const unsigned char none[4];
    unsigned char chunk[32768];
    XXH3_state_t *state = XXH3_createState();
    off_t at = 0;
    ssize_t n;
    XXH3_64bits_reset(state);
    *stated = 0;
    while ((n = pread(fd, chunk, sizeof chunk, at)) > 0) {
        if (at == 0 && n >= SUM_AT + 4) {
            *stated = big_endian(chunk + SUM_AT);
            memcpy(chunk + SUM_AT, none, sizeof none);
        }
        XXH3_64bits_update(state, chunk, (size_t)n);
        at += n;
    }
    *right = (uint32_t)XXH3_64bits_digest(state) | 1;
    XXH3_freeState(state);
    return n == 0;
}

static bool seal(const char *path, char **message)
{
    uint32_t stated, sum;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && sums(fd, &stated, &sum);
    if (good) {
        unsigned char bytes[4] = {(unsigned char)(sum >> 24), (unsigned char)(sum >> 16),
                                  (unsigned char)(sum >> 8), (unsigned char)sum};
        good = pwrite(fd, bytes, sizeof bytes, SUM_AT) == sizeof bytes;
    }
    if (fd >= 0)
        close(fd);
    return good || complain(message, "cannot write %s: %s", path, strerror(errno));
}

/* One without a sum is taken as it is: it was made by an older version, or by hand. */
static bool unchanged(const char *path, char **message)
{
    uint32_t stated = 0, sum = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool good = fd >= 0 && sums(fd, &stated, &sum) && (!stated || stated == sum);
    if (fd >= 0)
        close(fd);
    return good || complain(message, "this snapshot is damaged: it is not what was saved");
}

/* A snapshot of that name is whole at any time: the old one or the new one. */
static bool put_in_place(struct db *db, const char *from, const char *path, char **message)
{
    bool durable = db->durability == DURABLE_POWER;
    const char *slash = strrchr(path, '/');
    char *dir = xstrdup(slash ? (str){path, (size_t)(slash + 1 - path)} : S("."));
    bool good = (!durable || sync_path(from, O_RDWR | O_NOFOLLOW)) && rename(from, path) == 0 &&
                (!durable || sync_path(dir, O_RDONLY | O_DIRECTORY));
    free(dir);
    return good || complain(message, "cannot write %s: %s", path, strerror(errno));
}

void snapshot_finish(struct snapshot *snapshot)
{
    char **message = &snapshot->message;
    /* The copy says of itself that it has a log, as its source has; one file must do. */
    sqlite3_close(snapshot->to);
    snapshot->to = NULL;
    if (snapshot->failed)
        return;
    if (!open_copy(snapshot) || !run(snapshot->to, message, "PRAGMA journal_mode=DELETE") ||
        !run(snapshot->to, message, "PRAGMA journal_mode=OFF") || !compact(snapshot->to, message) ||
        !copy_bodies(snapshot->blobs, snapshot->to, message)) {
        fail(snapshot, "cannot finish");
        return;
    }
    snapshot->failed = sqlite3_close(snapshot->to) != SQLITE_OK ||
                       !seal(snapshot->fresh, message) ||
                       !put_in_place(snapshot->db, snapshot->fresh, snapshot->path, message);
    snapshot->to = NULL;
}

bool snapshot_end(struct snapshot *snapshot, char **message)
{
    bool good = snapshot->copied && !snapshot->failed;
    if (snapshot->backup)
        sqlite3_backup_finish(snapshot->backup);
    if (snapshot->to)
        sqlite3_close(snapshot->to);
    if (!good)
        unlink(snapshot->fresh);
    if (!good && !snapshot->message)
        complain(&snapshot->message, "it was broken off");
    *message = good ? NULL : snapshot->message;
    if (good)
        free(snapshot->message);
    free(snapshot->path);
    free(snapshot->fresh);
    free(snapshot);
    return good;
}

/* ---- loading ---- */

/* Every body that is a file is written anew under its future number. */
static bool place_body(struct blobs *blobs, int64_t id, str bytes)
{
    struct blob_sink *sink = blob_sink_open(blobs);
    bool good =
        blob_file_create(sink) && blob_file_write(sink->fd, bytes) && blob_file_place(sink, id);
    blob_file_discard(sink);
    free(sink->buffer);
    free(sink);
    return good;
}

static bool place_bodies(struct db *db, struct blobs *blobs, int64_t offset, char **message)
{
    sqlite3_stmt *bodies;
    bool good = true;
    static const char sql[] = "SELECT f.id, f.data FROM snap.snapshot_body f JOIN snap.blob b ON "
                              "b.id = f.id WHERE b.data IS NULL";
    if (sqlite3_prepare_v2(db->handle, sql, -1, &bodies, NULL) != SQLITE_OK)
        return complain(message, "this is not a snapshot of Headrace");
    while (next_row(bodies, &good, message)) {
        str bytes = {sqlite3_column_blob(bodies, 1), (size_t)sqlite3_column_bytes(bodies, 1)};
        good = place_body(blobs, sqlite3_column_int64(bodies, 0) + offset, bytes) ||
               complain(message, "cannot write the bodies: is the disk full?");
    }
    sqlite3_finalize(bodies);
    return good;
}

/* Numbers of the bodies in `schema` that are files. */
static int64_t *file_numbers(struct db *db, const char *schema, size_t *n)
{
    sqlite3_stmt *rows;
    char *sql = sqlite3_mprintf("SELECT id FROM %s.blob WHERE data IS NULL", schema);
    int64_t *ids = NULL;
    *n = 0;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &rows, NULL) == SQLITE_OK)
        while (sqlite3_step(rows) == SQLITE_ROW) {
            ids = xrealloc(ids, (*n + 1) * sizeof *ids);
            ids[(*n)++] = sqlite3_column_int64(rows, 0);
        }
    sqlite3_finalize(rows);
    sqlite3_free(sql);
    return ids;
}

static void unlink_all(struct blobs *blobs, const int64_t *ids, size_t n, int64_t offset)
{
    for (size_t i = 0; i < n; i++)
        blob_file_unlink(blobs, ids[i] + offset);
}

static bool same_version(struct db *db, char **message)
{
    sqlite3_stmt *differs;
    static const char sql[] =
        "SELECT count(*) FROM (SELECT * FROM main.migration EXCEPT SELECT * FROM snap.migration "
        "UNION ALL "
        "SELECT * FROM (SELECT * FROM snap.migration EXCEPT SELECT * FROM main.migration))";
    if (sqlite3_prepare_v2(db->handle, sql, -1, &differs, NULL) != SQLITE_OK)
        return complain(message, "this is not a snapshot of Headrace");
    bool same = sqlite3_step(differs) == SQLITE_ROW && sqlite3_column_int64(differs, 0) == 0;
    sqlite3_finalize(differs);
    return same || complain(message, "this snapshot was saved by another version of Headrace");
}

/* A file that someone made or changed may say anything: what is read of a body later, and how much,
 * goes by these numbers. */
static bool sound_bodies(struct db *db, char **message)
{
    sqlite3_stmt *wrong;
    static const char sql[] =
        "SELECT count(*) FROM snap.blob b LEFT JOIN snap.snapshot_body f ON f.id = b.id "
        "WHERE typeof(b.id) <> 'integer' OR b.id NOT BETWEEN 1 AND 1 << 53 OR "
        "typeof(b.size) <> 'integer' OR typeof(b.refs) <> 'integer' OR "
        "CASE WHEN b.data IS NULL THEN typeof(f.data) <> 'blob' OR length(f.data) <> b.size "
        "ELSE typeof(b.data) <> 'blob' OR length(b.data) <> b.size END";
    if (sqlite3_prepare_v2(db->handle, sql, -1, &wrong, NULL) != SQLITE_OK)
        return complain(message, "this is not a snapshot of Headrace");
    bool sound = sqlite3_step(wrong) == SQLITE_ROW && sqlite3_column_int64(wrong, 0) == 0;
    sqlite3_finalize(wrong);
    return sound || complain(message, "this snapshot is damaged: its bodies are not what it says");
}

/* The condition keeps SQLite from taking over the pages of an index as they are: in a file that
 * someone made they need not fit the table, and would damage ours. */
static bool copy_table(struct db *db, const char *table, char **message)
{
    return run_f(db->handle, message,
                 "DELETE FROM main.\"%w\"; "
                 "INSERT INTO main.\"%w\" SELECT * FROM snap.\"%w\" WHERE 1",
                 table, table, table);
}

static bool copy_tables(struct db *db, char **message)
{
    sqlite3_stmt *tables;
    bool good = true;
    sqlite3_prepare_v2(
        db->handle,
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT IN ('migration', 'blob')",
        -1, &tables, NULL);
    while (next_row(tables, &good, message))
        good = copy_table(db, (const char *)sqlite3_column_text(tables, 0), message);
    sqlite3_finalize(tables);
    return good;
}

/* The bodies under their new numbers, and all that refers to them. */
static bool renumber(struct db *db, int64_t offset, const struct blob_column *columns,
                     char **message)
{
    bool good = run_f(db->handle, message,
                      "DELETE FROM main.blob; INSERT INTO main.blob(id, size, refs, data, sum) "
                      "SELECT id + %lld, size, refs, data, sum FROM snap.blob",
                      (long long)offset);
    for (; good && columns->table; columns++)
        good = run_f(db->handle, message,
                     "UPDATE \"%w\" SET \"%w\" = \"%w\" + %lld WHERE \"%w\" > 0", columns->table,
                     columns->column, columns->column, (long long)offset, columns->column);
    return good;
}

static bool replace(struct db *db, int64_t offset, const struct blob_column *columns,
                    char **message)
{
    if (!db_in_place(db))
        return complain(message, "the data directory was removed or moved");
    bool good = run(db->handle, message, "BEGIN IMMEDIATE") && copy_tables(db, message) &&
                renumber(db, offset, columns, message) && run(db->handle, message, "COMMIT");
    if (!good)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return good;
}

static int64_t highest_number(struct db *db)
{
    sqlite3_stmt *row;
    int64_t id = 0;
    if (sqlite3_prepare_v2(db->handle, "SELECT max(id) FROM main.blob", -1, &row, NULL) ==
            SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        id = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return id;
}

static bool load_attached(struct db *db, struct blobs *blobs, const struct blob_column *columns,
                          bool *refused, char **message)
{
    size_t nold, nnew;
    int64_t offset = blobs->next_id, *old, *fresh;
    if (!same_version(db, message) || !sound_bodies(db, message))
        return false;
    *refused = false;
    old = file_numbers(db, "main", &nold);
    fresh = file_numbers(db, "snap", &nnew);
    bool good = place_bodies(db, blobs, offset, message) && replace(db, offset, columns, message);
    if (good)
        unlink_all(blobs, old, nold, 0);
    else
        unlink_all(blobs, fresh, nnew, offset);
    int64_t highest = highest_number(db);
    blobs->next_id = highest >= blobs->next_id ? highest + 1 : blobs->next_id;
    free(old);
    free(fresh);
    return good;
}

bool snapshot_load(struct db *db, struct blobs *blobs, const char *path,
                   const struct blob_column *columns, bool *refused, char **message)
{
    struct stat st;
    *refused = true;
    if (lstat(path, &st) || access(path, R_OK))
        return complain(message, "there is no snapshot %s", path);
    if (!S_ISREG(st.st_mode))
        return complain(message, "%s is no file", path);
    if (!unchanged(path, message))
        return false;
    if (!run_f(db->handle, message, "ATTACH %Q AS snap", path))
        return false;
    bool good = load_attached(db, blobs, columns, refused, message);
    sqlite3_exec(db->handle, "DETACH snap", NULL, NULL, NULL);
    return good;
}
