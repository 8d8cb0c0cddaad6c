/* store/blob_file.c - large bodies as files: written under new/, renamed to their number, swept
 * when no row names them.
 *
 * Keys and bucket names never reach this file: names are numbers. With DURABLE_POWER a file and its
 * directory entry are synced before the row that names them can commit. An ephemeral store makes a
 * directory of its own under $TMPDIR with the first large body; it holds a lock in there, by which
 * a later start tells what a killed process left behind. */
#include "store/blob_internal.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE_PREFIX "headrace-"
#define SYNC_AHEAD ((off_t)8 << 20) /* bytes */
#define LARGE ((off_t)8 << 20) /* bytes: closing the last descriptor takes half a millisecond */

/* Leaves errno as it was. */
static bool complain(const char *what, const char *path)
{
    int error = errno;
    log_error("cannot %s %s: %s", what, path, strerror(error));
    errno = error;
    return false;
}

/* DIR/NAME, malloc'ed. */
static char *join(const char *dir, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        abort();
    return path;
}

char *blob_file_path(const struct blobs *blobs, int64_t id)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%02x/%lld", blobs->root, (unsigned)(id & 255), (long long)id) < 0)
        abort();
    return path;
}

static char *file_directory(const struct blobs *blobs, int64_t id)
{
    char name[8];
    snprintf(name, sizeof name, "%02x", (unsigned)(id & 255));
    return join(blobs->root, name);
}

static char *temp_path(struct blobs *blobs)
{
    char *path = NULL;
    if (asprintf(&path, "%s/new/%lld", blobs->root, (long long)blobs->next_temp++) < 0)
        abort();
    return path;
}

/* A link is no directory of ours: what we sweep and write would be somebody else's. */
static bool make(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST || lstat(path, &st))
        return false;
    errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
    return S_ISDIR(st.st_mode);
}

static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (!good)
        complain("sync", path);
    if (fd >= 0)
        close(fd);
    return good;
}

bool blob_each_name(const char *path, void (*visit)(void *user, const char *dir, const char *name),
                    void *user)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            visit(user, path, entry->d_name);
    closedir(dir);
    return true;
}

static void remove_tree(void *user, const char *dir, const char *name)
{
    char *path = join(dir, name);
    if (unlink(path) && blob_each_name(path, remove_tree, user))
        rmdir(path);
    free(path);
}

/* The private directory of an ephemeral store. */

/* malloc'ed, and no link any more. */
static char *temp_root(void)
{
    const char *root = getenv("TMPDIR");
    root = root && root[0] == '/' ? root : "/tmp";
    char *real = realpath(root, NULL);
    return real ? real : xstrdup(str_of(root));
}

static int lock_private(const char *dir, int flags)
{
    char *path = join(dir, "lock");
    int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    free(path);
    if (fd < 0)
        return -1;
    /* A sweeper may have taken the directory for a dead one between its making and its locking. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink &&
        st.st_uid == geteuid())
        return fd;
    close(fd);
    return -1;
}

static void sweep_private(void *user, const char *root, const char *name)
{
    (void)user;
    if (strncmp(name, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) != 0)
        return;
    char *dir = join(root, name);
    int fd = lock_private(dir, 0);
    if (fd >= 0) {
        remove_tree(NULL, root, name);
        close(fd);
    }
    free(dir);
}

static bool make_private(struct blobs *blobs)
{
    for (int tries = 0; tries < 100; tries++) {
        char *root = temp_root(), *dir = join(root, PRIVATE_PREFIX "XXXXXX");
        free(root);
        if (!mkdtemp(dir)) {
            complain("create", dir);
            free(dir);
            return false;
        }
        blobs->lock_fd = lock_private(dir, O_CREAT);
        if (blobs->lock_fd >= 0) {
            blobs->private_dir = dir;
            return true;
        }
        free(dir);
    }
    return false;
}

static bool make_root(struct blobs *blobs, const char *dir)
{
    char *root = join(dir, "blobs"), *fresh = join(root, "new");
    bool good = make(root) && make(fresh);
    if (!good)
        complain("create", root);
    if (good && blobs->durability == DURABLE_POWER)
        good = sync_directory(dir) && sync_directory(root);
    free(fresh);
    if (good)
        blobs->root = root;
    else
        free(root);
    return good;
}

/* Sweeping. */

struct sweep {
    struct blobs *blobs;
    int64_t whole; /* files as long as their rows say */
};

/* Bytes that the file of body `id` must have; -1: it has no file. */
static int64_t expected_size(struct blobs *blobs, int64_t id)
{
    struct stmt *stmt =
        db_sql(blobs->db, "SELECT CASE WHEN data IS NULL THEN size ELSE -1 END FROM blob "
                          "WHERE id = ?");
    bind_int(stmt, 1, id);
    int64_t size = stmt_row(stmt) ? col_int(stmt, 0) : -1;
    stmt_done(stmt);
    return size;
}

static void sweep_file(void *user, const char *dir, const char *name)
{
    struct sweep *sweep = user;
    struct stat st;
    int64_t id;
    char *path = join(dir, name);
    int64_t size = str_to_int(str_of(name), &id) ? expected_size(sweep->blobs, id) : -1;
    bool unknown = db_failed(sweep->blobs->db); /* a row that cannot be read may be there */
    if (size < 0 && !unknown && unlink(path))
        complain("remove", path);
    if (size >= 0 && stat(path, &st) == 0 && (int64_t)st.st_size == size)
        sweep->whole++;
    free(path);
}

/* Power lost under DURABLE_PROCESS, or someone's hand. The rest is sound and is served. */
static void tell_lost(struct sweep *sweep, const char *dir)
{
    struct stmt *stmt = db_sql(sweep->blobs->db, "SELECT count(*) FROM blob WHERE data IS NULL");
    int64_t lost = (stmt_row(stmt) ? col_int(stmt, 0) : 0) - sweep->whole;
    stmt_done(stmt);
    if (lost > 0)
        log_error("%lld bodies in %s have lost their files; what they belong to cannot be read. "
                  "Stop, and run: headrace doctor --repair --data-dir %s",
                  (long long)lost, dir, dir);
}

/* What was being written when the process died, and bodies whose turn never committed, have no row.
 */
static void sweep_directory(void *user, const char *dir, const char *name)
{
    char *path = join(dir, name);
    if (!blob_each_name(path, strcmp(name, "new") == 0 ? remove_tree : sweep_file, user)) {
        bool strange = errno == ENOTDIR || errno == ELOOP;
        if (!strange && errno != ENOENT)
            complain("look into", path);
        if (strange && unlink(path))
            complain("remove", path);
    }
    free(path);
}

bool blob_files_open(struct blobs *blobs, const char *dir, char **message)
{
    if (!dir) {
        char *root = temp_root();
        blob_each_name(root, sweep_private, NULL);
        free(root);
        return true;
    }
    if (!make_root(blobs, dir)) {
        if (asprintf(message, "cannot create %s/blobs: %s", dir, strerror(errno)) < 0)
            abort();
        return false;
    }
    struct sweep sweep = {.blobs = blobs};
    blob_each_name(blobs->root, sweep_directory, &sweep);
    tell_lost(&sweep, dir);
    return true;
}

void blob_files_close(struct blobs *blobs)
{
    if (blobs->private_dir) {
        blob_each_name(blobs->private_dir, remove_tree, NULL);
        rmdir(blobs->private_dir);
        close(blobs->lock_fd);
    }
    free(blobs->private_dir);
    free(blobs->root);
}

/* One file. */

/* Else the files of these names are somebody else's. */
static bool in_place(struct blobs *blobs)
{
    errno = EIO;
    return blobs->private_dir || db_in_place(blobs->db);
}

const char *blobs_root(struct blobs *blobs)
{
    if (!blobs->root && (blobs->private_dir || make_private(blobs)))
        make_root(blobs, blobs->private_dir);
    return blobs->root;
}

bool blob_file_create(struct blob_sink *sink)
{
    struct blobs *blobs = sink->blobs;
    if (!blobs_root(blobs) || !in_place(blobs))
        return false;
    char *path = temp_path(blobs);
    sink->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (sink->fd < 0) {
        int error = errno;
        complain("create", path);
        free(path);
        errno = error;
        return false;
    }
    sink->path = path;
    return true;
}

bool blob_file_write(int fd, str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return complain("write", "a body");
        bytes = str_slice(bytes, (size_t)n, bytes.n);
    }
    return true;
}

bool blob_file_read(int fd, char *out, size_t n, int64_t at)
{
    while (n) {
        ssize_t got = pread(fd, out, n, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            log_error("a body ends early: %s", got ? strerror(errno) : "its file was cut");
            return false;
        }
        out += got;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

void blob_file_sync_ahead(const struct blob_sink *sink, int64_t before)
{
    off_t from = before / SYNC_AHEAD * SYNC_AHEAD;
    if (sink->blobs->durability == DURABLE_POWER && sink->size - from >= SYNC_AHEAD)
        sync_file_range(sink->fd, from, SYNC_AHEAD, SYNC_FILE_RANGE_WRITE);
}

bool blob_file_sync(struct blob_sink *sink)
{
    if (sink->synced || sink->blobs->durability != DURABLE_POWER)
        return true;
    sink->synced = fdatasync(sink->fd) == 0;
    return sink->synced || complain("sync", sink->path);
}

/* Directories are made as they are first needed. */
static bool move_into(const char *from, const char *to, const char *dir, const char *root,
                      bool durable)
{
    if (rename(from, to) == 0)
        return true;
    return errno == ENOENT && make(dir) && (!durable || sync_directory(root)) &&
           rename(from, to) == 0;
}

bool blob_file_place(struct blob_sink *sink, int64_t id)
{
    struct blobs *blobs = sink->blobs;
    bool durable = blobs->durability == DURABLE_POWER;
    if (!in_place(blobs) || !blob_file_sync(sink))
        return false;
    char *path = blob_file_path(blobs, id), *dir = file_directory(blobs, id);
    bool good = move_into(sink->path, path, dir, blobs->root, durable);
    if (!good)
        complain("create", path);
    if (good) {
        free(sink->path);
        sink->path = NULL;
        good = !durable || sync_directory(dir);
    }
    free(dir);
    free(path);
    return good;
}

void blob_file_discard(struct blob_sink *sink)
{
    close(sink->fd);
    if (sink->path && in_place(sink->blobs) && unlink(sink->path))
        complain("remove", sink->path);
    free(sink->path);
}

/* A descriptor of a large file that somebody is there to release; else -1. */
static int hold_large(const struct blobs *blobs, const char *path)
{
    struct stat st;
    if (!blobs->release || lstat(path, &st) || st.st_size < LARGE)
        return -1;
    return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

void blob_file_unlink(struct blobs *blobs, int64_t id)
{
    blob_proof_forget(blobs, id);
    if (!in_place(blobs))
        return;
    char *path = blob_file_path(blobs, id);
    int fd = hold_large(blobs, path);
    if (unlink(path) && errno != ENOENT)
        complain("remove", path);
    if (fd >= 0)
        blobs->release(blobs->release_user, fd);
    free(path);
}

static bool has_size(int fd, int64_t size)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (int64_t)st.st_size == size)
        return true;
    errno = EIO;
    return false;
}

int blob_file_open(struct blobs *blobs, int64_t id, int64_t size)
{
    if (!in_place(blobs))
        return -1;
    char *path = blob_file_path(blobs, id);
    /* A pipe in its place would be waited for. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        complain("open", path);
    } else if (size >= 0 && !has_size(fd, size)) {
        log_error("%s has not the %lld bytes that it should have; see headrace doctor", path,
                  (long long)size);
        close(fd);
        errno = EIO;
        fd = -1;
    }
    int error = errno;
    free(path);
    errno = error;
    return fd;
}

err blob_file_fault(void)
{
    return errno == EMFILE || errno == ENFILE ? FAIL(FAULT_UNAVAILABLE) : FAIL(FAULT_INTERNAL);
}
