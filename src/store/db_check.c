/* store/db_check.c - is what lies in the data directory a sound database of ours? Some of it is
 * told before SQLite touches a file: SQLite makes a new database of an empty one, removing its log,
 * and the first sweep would then remove every body. */
#include "store/db_internal.h"

#include "base/log.h"
#include "store/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_PAGE 4096
#define LOG_HEADER 32
#define MARK_AT 60 /* PRAGMA user_version */
/* A whole check of more than this would be felt at start; doctor does it for any size. */
#define CHECKED_PAGES 512

bool db_say(char **message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(message, format, args) < 0)
        *message = xstrdup(S("out of memory"));
    va_end(args);
    return false;
}

static int64_t file_size(const char *path, const char *suffix)
{
    char *whole = NULL;
    struct stat st = {0};
    if (asprintf(&whole, "%s%s", path, suffix) < 0 || stat(whole, &st))
        st.st_size = -1;
    free(whole);
    return st.st_size;
}

static int64_t big_endian(const uint8_t *p, int n)
{
    int64_t value = 0;
    while (n--)
        value = value << 8 | *p++;
    return value;
}

static bool any_name(const char *path, bool (*fits)(const char *path, const char *name))
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = entry->d_name[0] != '.' && fits(path, entry->d_name);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return found;
}

static bool any(const char *path, const char *name)
{
    (void)path, (void)name;
    return true;
}

/* What lies under "new" was never finished. */
static bool shelf_has_bodies(const char *root, const char *name)
{
    char *shelf = NULL;
    if (asprintf(&shelf, "%s/%s", root, name) < 0)
        abort();
    bool found = strcmp(name, "new") != 0 && any_name(shelf, any);
    free(shelf);
    return found;
}

static bool check_lost(struct db *db, bool empty, char **message)
{
    char *bodies = NULL;
    if (asprintf(&bodies, "%s/blobs", db->dir) < 0)
        abort();
    /* It is made after the tables. Who removes the database and has no bodies may mean it. */
    bool lost = empty ? file_size(bodies, "") >= 0 : any_name(bodies, shelf_has_bodies);
    if (lost)
        db_say(message,
               "%s is %s, but what belongs to it is there. Restore it from a copy, or move %s away",
               db->file, empty ? "empty" : "missing", bodies);
    free(bodies);
    return !lost;
}

/* An empty file (size 0), or none (-1), becomes a new database. Where there was one, that would
 * lose without a word what a copy, or its log, could bring back. */
static bool check_empty(struct db *db, int64_t size, char **message)
{
    if (size <= 0 && file_size(db->log_file, "") > LOG_HEADER)
        return db_say(message,
                      "%s is %s, but its log is there. Restore it from a copy, or move %s away",
                      db->file, size == 0 ? "empty" : "missing", db->log_file);
    return size > 0 || check_lost(db, size == 0, message);
}

/* What the first 100 bytes tell without SQLite: is it a database, and is it all there? While a log
 * exists the file may rightly be shorter than its header says. */
static bool header_right(struct db *db, int64_t size, const uint8_t *h, char **message)
{
    const char *file = db->file;
    static const uint8_t never_written[100];
    bool has_log = file_size(file, "-wal") > 0;
    if (size == 0)
        return true;
    /* The power failed just after the database was made, or within its first checkpoint: what there
     * is, is in the log. */
    if (memcmp(h, never_written, sizeof never_written) == 0 && (has_log || size <= FIRST_PAGE))
        return has_log || (check_empty(db, 0, message) && truncate(file, 0) == 0);
    if (memcmp(h, "SQLite format 3", 16) != 0)
        return db_say(
            message,
            "%s is damaged or not a database: its header is wrong. Restore it from a copy, "
            "or move it away",
            file);
    int64_t page = big_endian(h + 16, 2), pages = big_endian(h + 28, 4);
    page = page == 1 ? 65536 : page;
    pages = size < page ? 1 : pages;
    bool count_valid = big_endian(h + 24, 4) == big_endian(h + 92, 4);
    if ((count_valid || size < page) && size < page * pages && !has_log)
        return db_say(
            message,
            "%s is truncated: %lld bytes of %lld are there. Restore it from a copy, or move "
            "it away",
            file, (long long)size, (long long)(page * pages));
    return true;
}

bool db_check_header(struct db *db, char **message)
{
    const char *file = db->file;
    uint8_t header[100] = {0};
    if (!check_empty(db, file_size(file, ""), message))
        return false;
    int fd = db_open_own(file, O_RDONLY, message);
    if (fd < 0)
        return false;
    int64_t size = file_size(file, "");
    ssize_t n = pread(fd, header, sizeof header, 0);
    close(fd);
    if (n < 0)
        return db_say(message, "cannot read %s: %s", file, strerror(errno));
    return header_right(db, size, header, message) &&
           db_log_belongs(file, (uint32_t)big_endian(header + MARK_AT, 4), message);
}

bool db_check_whole(struct db *db, char **message)
{
    sqlite3_stmt *stmt = NULL;
    bool sound = false;
    if (db_ask_number(db->handle, "PRAGMA page_count") > CHECKED_PAGES)
        return true;
    if (sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        sound = strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    if (!sound)
        db_say(message, "%s is damaged: %s. Restore it from a copy, or move it away", db->file,
               sqlite3_data_count(stmt) ? (const char *)sqlite3_column_text(stmt, 0)
                                        : sqlite3_errmsg(db->handle));
    sqlite3_finalize(stmt);
    return sound;
}

/* ---- the tables ---- */

static sqlite3 *open_image(void)
{
    sqlite3 *image = NULL;
    unsigned char *bytes = (unsigned char *)(uintptr_t)db_image.bytes; /* it is only read */
    sqlite3_int64 n = (sqlite3_int64)db_image.n;
    if (n && sqlite3_open(":memory:", &image) == SQLITE_OK &&
        sqlite3_deserialize(image, "main", bytes, n, n, SQLITE_DESERIALIZE_READONLY) == SQLITE_OK)
        return image;
    sqlite3_close(image);
    return NULL;
}

static sqlite3_stmt *prepared(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    return sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK ? stmt : NULL;
}

/* The one value that `sql` gives for `name`; malloc'ed, NULL for none. */
static char *value_of(sqlite3 *handle, const char *sql, const char *name)
{
    sqlite3_stmt *stmt = prepared(handle, sql);
    char *value = NULL;
    if (stmt && sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        value = xstrdup(str_of((const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_finalize(stmt);
    return value;
}

/* Whether both give something, and the same, for `name`. */
static bool agree(sqlite3 *one, sqlite3 *other, const char *sql, const char *name)
{
    char *a = value_of(one, sql, name), *b = value_of(other, sql, name);
    bool same = a && b && !strcmp(a, b);
    free(a);
    free(b);
    return same;
}

/* Tables that were upgraded have other texts than those that were made so. */
static bool same_table(sqlite3 *one, sqlite3 *other, const char *name)
{
    return agree(one, other, "SELECT sql FROM sqlite_master WHERE name = ?", name) ||
           agree(one, other,
                 "SELECT group_concat(name, ' ') FROM (SELECT name FROM pragma_table_info(?)"
                 " ORDER BY name)",
                 name);
}

/* All at once: what most directories are, in a tenth of the time that one table after the other
 * takes. */
static bool same_tables(sqlite3 *one, sqlite3 *other)
{
    return agree(one, other,
                 "SELECT group_concat(name || ' ' || sql, ';') FROM (SELECT name, sql FROM"
                 " sqlite_master WHERE sql IS NOT NULL ORDER BY name) WHERE ? IS NOT NULL",
                 "");
}

/* What a start has yet to bring up to date cannot be compared. */
static bool same_versions(sqlite3 *one, sqlite3 *other)
{
    return agree(one, other,
                 "SELECT group_concat(module || version, ' ') FROM (SELECT module, version FROM"
                 " migration ORDER BY module) WHERE ? IS NOT NULL",
                 "");
}

char *db_strange_table(struct db *db)
{
    sqlite3 *image = open_image();
    char *strange = NULL;
    sqlite3_stmt *each =
        image ? prepared(image, "SELECT name FROM sqlite_master WHERE sql IS NOT NULL") : NULL;
    bool differ = each && !same_tables(image, db->handle);
    if (differ && !same_table(image, db->handle, "migration"))
        strange = xstrdup(S("migration"));
    bool comparable = differ && !strange && same_versions(image, db->handle);
    while (comparable && !strange && sqlite3_step(each) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(each, 0);
        if (!same_table(image, db->handle, name))
            strange = xstrdup(str_of(name));
    }
    sqlite3_finalize(each);
    sqlite3_close(image);
    return strange;
}

bool db_check_tables(struct db *db, char **message)
{
    /* Killed before the first tables were there. */
    if (db_ask_number(db->handle, "SELECT count(*) FROM sqlite_master") == 0)
        return check_lost(db, true, message);
    char *strange = db_strange_table(db);
    if (strange)
        db_say(message,
               "the table %s in %s is not what it should be. Restore it from a copy, or move it "
               "away; headrace doctor --data-dir %s tells what else is wrong",
               strange, db->file, db->dir);
    free(strange);
    return !strange;
}

void db_warn_of_strangers(const char *dir)
{
    struct stat st;
    if (stat(dir, &st) == 0 && st.st_mode & S_IWOTH)
        log_warn("every user of this machine may write to the data directory %s", dir);
}
