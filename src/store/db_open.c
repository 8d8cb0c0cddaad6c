/* store/db_open.c - the data directory: its lock, the files in it, the connection's settings,
 * checkpoints, the end.
 *
 * SQLite drops its locks when any descriptor of the database file is closed by this process, so
 * nobody may open(2) that file once the connection is up; the look at the header comes before, and
 * makes the file, readable by its owner alone: SQLite gives its logs the same mode. The
 * loop's connection never checkpoints (wal_autocheckpoint = 0): a checkpoint inside a commit would
 * stall every request of the turn for tens of milliseconds. app runs db_checkpoint on a pool thread
 * instead. */
#include "store/db_internal.h"

#include "base/log.h"
#include "store/image.h"
#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "Hdrc": tells our files from other SQLite databases. */
#define APPLICATION_ID 0x48647263
#define FRAME_HEADER 24
/* The log is copied back every 8 MiB; under constant load it is never quite done, so at 64 MiB it
 * is reset. */
#define COPY_BYTES (INT64_C(8) << 20)
#define RESET_BYTES (INT64_C(64) << 20)
#define LOG_KEPT "67108864"

static void sqlite_setup(void)
{
    /* Without its global memory statistics SQLite takes no global lock on malloc. Fails,
     * harmlessly, when SQLite is in use already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    /* What savepoints must remember stays in memory. */
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlite3_config(SQLITE_CONFIG_PCACHE2, pages_methods());
    sqlite3_initialize();
}

/* Makes `path` and puts it on disk with its parent's entry of it. */
static bool make_one(const char *path, bool durable)
{
    if (mkdir(path, 0700))
        return errno == EEXIST;
    if (!durable)
        return true;
    char *parent = NULL;
    int fd = asprintf(&parent, "%s/..", path) < 0
                 ? -1
                 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(parent);
    return good;
}

static bool make_directory(struct db *db, char **message)
{
    bool durable = db->durability == DURABLE_POWER, good = true;
    for (char *slash = strchr(db->dir + 1, '/'); slash && good; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        good = make_one(db->dir, durable);
        *slash = '/';
    }
    return (good && make_one(db->dir, durable)) ||
           db_say(message, "cannot create the data directory %s: %s", db->dir, strerror(errno));
}

/* Who owns the directory, or a link to it, can put what they like in the place of our files. Root
 * is left to know: containers run as root on volumes of other users. */
static bool check_owner(struct db *db, char **message)
{
    struct stat link, st;
    uid_t me = geteuid();
    if (lstat(db->dir, &link) || stat(db->dir, &st))
        return db_say(message, "cannot look at the data directory %s: %s", db->dir,
                      strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return db_say(message, "the data directory %s is not a directory", db->dir);
    bool strange = (st.st_uid && st.st_uid != me) || (link.st_uid && link.st_uid != me);
    if (me && strange)
        return db_say(message, "the data directory %s belongs to another user", db->dir);
    return true;
}

int db_open_own(const char *path, int flags, char **message)
{
    struct stat st;
    int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ELOOP)
        db_say(message, "%s is a symbolic link; remove it, or move it away", path);
    else if (fd < 0)
        db_say(message, "cannot open %s: %s", path, strerror(errno));
    else if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        db_say(message, "%s is no file", path);
    else if (!(st.st_mode & 077) || st.st_uid != geteuid() || fchmod(fd, 0600) == 0)
        return fd;
    else
        db_say(message, "cannot protect %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool lock_refused(struct db *db, char **message)
{
    char holder[32] = "";
    ssize_t n = pread(db->lock_fd, holder, sizeof holder - 1, 0);
    int pid = n > 0 ? atoi(holder) : 0;
    if (pid > 0)
        return db_say(message, "the data directory %s is in use by process %d", db->dir, pid);
    return db_say(message, "the data directory %s is in use by another process", db->dir);
}

static bool lock_directory(struct db *db, char **message)
{
    char *path = NULL, pid[32];
    if (asprintf(&path, "%s/headrace.lock", db->dir) < 0)
        return db_say(message, "out of memory");
    db->lock_fd = db_open_own(path, O_RDWR, message);
    free(path);
    if (db->lock_fd < 0)
        return false;
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB))
        return lock_refused(db, message);
    int n = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (ftruncate(db->lock_fd, 0) || pwrite(db->lock_fd, pid, (size_t)n, 0) != n)
        return db_say(message, "cannot write to the data directory %s: %s", db->dir,
                      strerror(errno));
    return true;
}

/* Another program may look into the database while we run, and the checkpointer resets the log:
 * both are short. */
static int wait_a_little(void *user, int tries)
{
    (void)user;
    if (tries > 20000)
        return 0;
    usleep(tries < 50 ? 100 : 500);
    return 1;
}

static int on_log_grown(void *user, sqlite3 *handle, const char *name, int frames)
{
    struct db *db = user;
    (void)handle, (void)name;
    atomic_store_explicit(&db->wal_frames, frames, memory_order_relaxed);
    if (frames < atomic_load_explicit(&db->wal_checked, memory_order_relaxed))
        atomic_store_explicit(&db->wal_checked, 0, memory_order_relaxed);
    return SQLITE_OK;
}

int64_t db_ask_number(sqlite3 *handle, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t value = -1;
    if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static bool execute(struct db *db, const char *sql, char **message)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return db_say(message, "cannot open %s: %s", db->file ? db->file : "the database",
                  db_reason(db->handle));
}

/* Debian builds SQLite to overwrite deleted content (secure_delete), which doubles the cost of a
 * delete. A larger cache costs memory and saves no time: pages that nobody touched lately are as
 * far from the processor in it as in the kernel's (docs/scaling.md has numbers). */
#define SETTINGS                                                                                   \
    "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF; PRAGMA cache_size=-16384; PRAGMA "        \
    "foreign_keys=OFF;"                                                                            \
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
#define FILE_SETTINGS                                                                              \
    "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=" LOG_KEPT ";"

static bool set_durability(struct db *db, char **message)
{
    if (!db->file)
        return true;
    return execute(db,
                   db->durability == DURABLE_POWER ? "PRAGMA synchronous=FULL"
                                                   : "PRAGMA synchronous=NORMAL",
                   message);
}

static bool settle(struct db *db, bool *fresh, char **message)
{
    sqlite3_busy_handler(db->handle, wait_a_little, NULL);
    if (!execute(db, SETTINGS, message))
        return false;
    /* A new database holds nothing that anyone was promised. Without syncs it is made in a
     * millisecond, wherever it is. */
    *fresh = db_ask_number(db->handle, "PRAGMA page_count") == 0;
    if (!db->file || (*fresh && db->durability == DURABLE_PROCESS)) {
        if (!execute(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY", message))
            return false;
    } else if (!set_durability(db, message)) {
        return false;
    }
    if (db->file && !execute(db, FILE_SETTINGS, message))
        return false;
    if (db->file)
        sqlite3_wal_hook(db->handle, on_log_grown, db);
    return true;
}

/* A database without a page becomes a copy of the image, in one transaction. */
static bool fill(struct db *db, char **message)
{
    sqlite3 *image = NULL;
    sqlite3_backup *copy = NULL;
    unsigned char *bytes = (unsigned char *)(uintptr_t)db_image.bytes; /* it is only read */
    sqlite3_int64 n = (sqlite3_int64)db_image.n;
    if (sqlite3_open(":memory:", &image) == SQLITE_OK &&
        sqlite3_deserialize(image, "main", bytes, n, n, SQLITE_DESERIALIZE_READONLY) == SQLITE_OK)
        copy = sqlite3_backup_init(db->handle, "main", image, "main");
    bool good = copy && sqlite3_backup_step(copy, -1) == SQLITE_DONE;
    good = sqlite3_backup_finish(copy) == SQLITE_OK && good;
    sqlite3_close(image);
    return good || db_say(message, "cannot create %s: %s", db->file ? db->file : "the database",
                          db_reason(db->handle));
}

static bool identify(struct db *db, char **message)
{
    char sql[64];
    int64_t id = db_ask_number(db->handle, "PRAGMA application_id");
    if (id == APPLICATION_ID)
        return true;
    if (id || db_ask_number(db->handle, "SELECT count(*) FROM sqlite_master"))
        return db_say(message, "%s is a database of another program", db->file);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d", APPLICATION_ID);
    return execute(db, sql, message);
}

#define CREATE_MIGRATION                                                                           \
    "CREATE TABLE IF NOT EXISTS migration(module TEXT PRIMARY KEY, version INTEGER NOT NULL) "     \
    "WITHOUT ROWID;"

/* The directory is locked and both connections are ours, so no lock need be visible to other
 * processes, and the log's index can live in memory: a read then costs no system call. Other file
 * systems (tests bring their own) are left alone. */
static const char *lone_process(void)
{
    sqlite3_vfs *preset = sqlite3_vfs_find(NULL);
    return preset && !strcmp(preset->zName, "unix") && sqlite3_vfs_find("unix-excl") ? "unix-excl"
                                                                                     : NULL;
}

static bool sound(struct db *db, char **message)
{
    return db_check_whole(db, message) && db_check_tables(db, message);
}

static bool open_handle(struct db *db, bool check, char **message)
{
    bool fresh;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (db->file)
        db->vfs = wal_vfs_new(lone_process());
    if (sqlite3_open_v2(db->file ? db->file : ":memory:", &db->handle, flags,
                        db->vfs ? wal_vfs_name(db->vfs) : NULL) != SQLITE_OK)
        return db_say(message, "cannot open %s: %s", db->file, db_reason(db->handle));
    if (!settle(db, &fresh, message) || (fresh && db_image.n && !fill(db, message)) ||
        !identify(db, message) || (db->file && check && !fresh && !sound(db, message)))
        return false;
    db->unmarked = db->file != NULL;
    db->page_bytes = db_ask_number(db->handle, "PRAGMA page_size");
    /* Without the check nothing is made: doctor tells that it is missing. */
    return (!(check || fresh) || execute(db, CREATE_MIGRATION, message)) &&
           set_durability(db, message);
}

static bool open_directory(struct db *db, const char *path, char **message)
{
    if (!*path)
        return db_say(message, "the data directory has no name");
    db->dir = db_absolute(path);
    for (size_t n = strlen(db->dir); n > 1 && db->dir[n - 1] == '/'; n--)
        db->dir[n - 1] = 0;
    if (asprintf(&db->file, "%s/headrace.db", db->dir) < 0 ||
        asprintf(&db->log_file, "%s-wal", db->file) < 0)
        return db_say(message, "out of memory");
    return make_directory(db, message) && check_owner(db, message) && lock_directory(db, message) &&
           db_check_header(db, message);
}

static void prepare_control(struct db *db)
{
    db->begin = db_sql(db, "BEGIN IMMEDIATE");
    db->begin_read = db_sql(db, "BEGIN");
    db->commit = db_sql(db, "COMMIT");
    db->rollback = db_sql(db, "ROLLBACK");
    db->savepoint = db_sql(db, "SAVEPOINT s");
    db->release = db_sql(db, "RELEASE s");
    db->rollback_to = db_sql(db, "ROLLBACK TO s");
}

/* Closes whatever of the handle is there. */
static void discard(struct db *db)
{
    for (size_t i = 0; i < db->cache.cap; i++)
        if (db->cache.slots[i]) {
            sqlite3_finalize(db->cache.slots[i]->handle);
            free(db->cache.slots[i]);
        }
    free(db->cache.slots);
    sqlite3_close(db->checkpointer);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        db_die(db, "the database is closed while in use", NULL);
    wal_vfs_free(db->vfs);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db->dir);
    free(db->file);
    free(db->log_file);
    free(db);
}

static struct db *open_db(const char *path, enum durability durability, bool check, char **message)
{
    sqlite_setup();
    struct db *db = xalloc(sizeof *db);
    db->durability = durability;
    db->lock_fd = -1;
    if ((path && !open_directory(db, path, message)) || !open_handle(db, check, message)) {
        discard(db);
        return NULL;
    }
    if (db->file)
        db_place_remember(db);
    prepare_control(db);
    return db;
}

struct db *db_open(const char *path, enum durability durability, char **message)
{
    struct db *db = open_db(path, durability, true, message);
    if (db && db->dir)
        db_warn_of_strangers(db->dir);
    return db;
}

struct db *db_open_unchecked(const char *path, char **message)
{
    return open_db(path, DURABLE_PROCESS, false, message);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    while (db->depth)
        db_rollback(db);
    if (failed(db_turn_commit(db)))
        log_error("the last changes could not be written");
    discard(db);
}

int64_t db_wal_size(struct db *db)
{
    int64_t frames = atomic_load_explicit(&db->wal_frames, memory_order_relaxed);
    return frames * (db->page_bytes + FRAME_HEADER);
}

/* A connection knows nothing of the log, and would checkpoint nothing, before it has read once. */
static sqlite3 *checkpointer_of(struct db *db)
{
    if (!db->checkpointer) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
        if (sqlite3_open_v2(db->file, &db->checkpointer, flags, wal_vfs_name(db->vfs)) !=
            SQLITE_OK) {
            log_error("cannot open %s for a checkpoint: %s", db->file,
                      sqlite3_errmsg(db->checkpointer));
            sqlite3_close(db->checkpointer);
            db->checkpointer = NULL;
            return NULL;
        }
        sqlite3_busy_handler(db->checkpointer, wait_a_little, NULL);
        sqlite3_exec(db->checkpointer,
                     "PRAGMA journal_size_limit=" LOG_KEPT "; PRAGMA cache_size=-64;", NULL, NULL,
                     NULL);
        if (db->durability == DURABLE_POWER)
            sqlite3_exec(db->checkpointer, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    }
    db_ask_number(db->checkpointer, "SELECT count(*) FROM sqlite_master");
    return db->checkpointer;
}

void db_checkpoint(struct db *db, bool truncate)
{
    int frames = 0, copied = 0;
    sqlite3 *handle = db->file ? checkpointer_of(db) : NULL;
    if (!handle)
        return;
    /* The passive pass copies without holding anyone up; what is left for the reset, which keeps
     * writers out, is little. The log is rewound but not cut off (RESTART): overwriting a file
     * syncs twice as fast as growing one. */
    int rc = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
    if (rc == SQLITE_OK && truncate)
        rc = sqlite3_wal_checkpoint_v2(handle, NULL, SQLITE_CHECKPOINT_RESTART, &frames, &copied);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY)
        log_warn("checkpoint of %s: %s", db->file, sqlite3_errmsg(handle));
    if (rc != SQLITE_OK)
        return;
    atomic_store_explicit(&db->wal_checked, truncate ? 0 : copied, memory_order_relaxed);
    if (truncate)
        atomic_store_explicit(&db->wal_frames, 0, memory_order_relaxed);
}

enum db_checkpoint_due db_checkpoint_due(struct db *db)
{
    int64_t frame = db->page_bytes + FRAME_HEADER, size = db_wal_size(db);
    int64_t checked = atomic_load_explicit(&db->wal_checked, memory_order_relaxed) * frame;
    if (size >= RESET_BYTES)
        return DB_CHECKPOINT_RESET;
    return size - checked >= COPY_BYTES ? DB_CHECKPOINT_COPY : DB_CHECKPOINT_NONE;
}

const char *db_dir(struct db *db)
{
    return db->dir;
}
