/* disk.c - a disk that remembers and fails when told, loaded in front of the C library
 * (LD_PRELOAD). It watches the files below HEADRACE_DISK_ROOT in an unchanged program:
 *
 *  - every change goes into a journal (HEADRACE_DISK_JOURNAL) in the order in which it happened,
 *    with what was written, every sync, and the first bytes of every answer sent on a socket.
 *    powerloss.py builds from it what a disk may hold after power was lost at any instant;
 *  - a control block (HEADRACE_DISK_CONTROL, mapped, written by the test while the program runs)
 *    makes calls fail: all of some kinds from the n-th on, or that one only.
 *
 * One lock around each call and its record keeps the journal in the true order. What the journal
 * cannot express (copy_file_range, writing through a mapping) is refused, so that nothing escapes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 65536, SENT_MAX = 1024 };

/* Kinds of calls, as the control block's mask names them. */
enum {
    KIND_CREATE = 1,
    KIND_WRITE = 2,
    KIND_TRUNCATE = 4,
    KIND_SYNC = 8,
    KIND_RENAME = 16,
    KIND_MKDIR = 32,
    KIND_OPEN = 64,  /* for reading; and sockets accepted */
    KIND_READ = 128, /* at an offset, of what is also written */
};

struct control {
    int32_t left;   /* calls of these kinds until one fails; 0: none does */
    int32_t error;  /* errno of the failure */
    int32_t once;   /* 0: all later ones fail, too, until `left` is 0 again */
    int32_t kinds;  /* mask */
    int32_t seen;   /* calls of these kinds so far */
    int32_t struck; /* failures so far */
};

/* A record: this, then the path or the bytes. `file` counts openings, from 1. */
struct record {
    char kind; /* o open, w write, t truncate, s sync, r rename (two paths), u unlink, m mkdir,
                  d rmdir, a answer */
    char pad[3];
    uint32_t file;
    int64_t at; /* offset; new size; O_ flags */
    uint32_t n;
    uint32_t pad2;
};

static struct {
    pthread_mutex_t lock;
    char root[PATH_MAX];
    size_t root_n;
    int journal;
    struct control *control, none;
    uint32_t opened, file_of[FILES];
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .journal = -1};

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        abort();
    return symbol;
}

static void map_control(const char *path)
{
    int fd = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    disk.control = &disk.none;
    if (fd < 0)
        return;
    void *block = mmap(NULL, sizeof *disk.control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (block != MAP_FAILED)
        disk.control = block;
    close(fd);
}

__attribute__((constructor)) static void begin(void)
{
    const char *root = getenv("HEADRACE_DISK_ROOT"), *journal = getenv("HEADRACE_DISK_JOURNAL");
    map_control(getenv("HEADRACE_DISK_CONTROL"));
    if (!root || strlen(root) >= sizeof disk.root)
        return;
    strcpy(disk.root, root);
    disk.root_n = strlen(root);
    if (journal)
        disk.journal = REAL(open)(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void take(void)
{
    pthread_mutex_lock(&disk.lock);
}

static void give(void)
{
    int error = errno;
    pthread_mutex_unlock(&disk.lock);
    errno = error;
}

static void record(char kind, uint32_t file, int64_t at, const void *p, size_t n)
{
    struct record head = {.kind = kind, .file = file, .at = at, .n = (uint32_t)n};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)(uintptr_t)p, n}};
    int error = errno;
    if (disk.journal >= 0 && REAL(writev)(disk.journal, parts, 2) != (ssize_t)(sizeof head + n))
        abort();
    errno = error;
}

/* The path without dots and doubled slashes when it lies below the root; NULL: not our affair. */
static const char *below(const char *path, char out[PATH_MAX])
{
    char *to = out;
    if (!disk.root_n || strncmp(path, disk.root, disk.root_n) != 0 ||
        (path[disk.root_n] && path[disk.root_n] != '/') || strlen(path) >= PATH_MAX)
        return NULL;
    for (const char *from = path + disk.root_n; *from;) {
        size_t n = strcspn(++from, "/");
        if (n == 2 && !memcmp(from, "..", 2)) {
            while (to > out && *--to != '/')
                ;
        } else if (n && !(n == 1 && *from == '.')) {
            if (to > out)
                *to++ = '/';
            memcpy(to, from, n);
            to += n;
        }
        from += n;
    }
    *to = 0;
    return out;
}

/* True: this call is to fail, with errno set. */
static bool strikes(int kind)
{
    struct control *c = disk.control;
    if (!(c->kinds & kind))
        return false;
    c->seen++;
    if (c->left <= 0 || --c->left > 0)
        return false;
    c->left = c->once ? 0 : 1;
    c->struck++;
    errno = c->error;
    return true;
}

static uint32_t file_at(int fd)
{
    return fd >= 0 && fd < FILES ? disk.file_of[fd] : 0;
}

static bool is_directory(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static int open_watched(const char *path, const char *name, int flags, mode_t mode)
{
    take();
    int fd =
        strikes(flags & O_CREAT ? KIND_CREATE : KIND_OPEN) ? -1 : REAL(open)(path, flags, mode);
    if (fd >= 0 && fd < FILES) {
        bool directory = is_directory(fd), watched = directory || (flags & O_ACCMODE) != O_RDONLY;
        disk.file_of[fd] = watched ? ++disk.opened : 0;
        if (watched)
            record('o', disk.opened, flags | (directory ? O_DIRECTORY : 0), name, strlen(name));
    }
    give();
    return fd;
}

int open(const char *path, int flags, ...)
{
    char name[PATH_MAX];
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (!below(path, name))
        return REAL(open)(path, flags, mode);
    return open_watched(path, name, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open(path, flags | O_LARGEFILE, mode);
}

int close(int fd)
{
    take();
    if (fd >= 0 && fd < FILES)
        disk.file_of[fd] = 0;
    int rc = REAL(close)(fd);
    give();
    return rc;
}

/* A disk that fills up takes a part of the last write. */
static ssize_t write_watched(int fd, uint32_t file, const void *p, size_t n, int64_t at)
{
    if (strikes(KIND_WRITE)) {
        if (errno != ENOSPC || n < 2 || disk.control->struck > 1)
            return -1;
        n /= 2;
    }
    ssize_t done = REAL(pwrite)(fd, p, n, at);
    if (done > 0)
        record('w', file, at, p, (size_t)done);
    return done;
}

ssize_t write(int fd, const void *p, size_t n)
{
    uint32_t file = file_at(fd);
    if (!file)
        return REAL(write)(fd, p, n);
    take();
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = write_watched(fd, file, p, n, at);
    if (done > 0)
        lseek(fd, at + done, SEEK_SET);
    give();
    return done;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    uint32_t file = file_at(fd);
    if (!file)
        return REAL(pwrite)(fd, p, n, at);
    take();
    ssize_t done = write_watched(fd, file, p, n, at);
    give();
    return done;
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    if (!file_at(fd))
        return REAL(pread)(fd, p, n, at);
    take();
    ssize_t done = strikes(KIND_READ) ? -1 : REAL(pread)(fd, p, n, at);
    give();
    return done;
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    return pread(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return pwrite(fd, p, n, at);
}

/* A caller copes with less than it gave: the first part alone is written. */
ssize_t writev(int fd, const struct iovec *parts, int n)
{
    return file_at(fd) && n > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len)
                                : REAL(writev)(fd, parts, n);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
    return file_at(fd) && n > 0 ? pwrite(fd, parts[0].iov_base, parts[0].iov_len, at)
                                : REAL(pwritev)(fd, parts, n, at);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags)
{
    if (!file_at(out))
        return REAL(copy_file_range)(in, in_at, out, out_at, n, flags);
    errno = EOPNOTSUPP;
    return -1;
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
    if (!file_at(fd))
        return REAL(fallocate)(fd, mode, at, n);
    errno = EOPNOTSUPP;
    return -1;
}

int ftruncate(int fd, off_t size)
{
    uint32_t file = file_at(fd);
    take();
    int rc = file && strikes(KIND_TRUNCATE) ? -1 : REAL(ftruncate)(fd, size);
    if (file && rc == 0)
        record('t', file, size, NULL, 0);
    give();
    return rc;
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

static int sync_watched(int fd, bool data)
{
    uint32_t file = file_at(fd);
    take();
    int rc = file && strikes(KIND_SYNC) ? -1 : data ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
    if (file && rc == 0)
        record('s', file, 0, NULL, 0);
    give();
    return rc;
}

int fsync(int fd)
{
    return sync_watched(fd, false);
}

int fdatasync(int fd)
{
    return sync_watched(fd, true);
}

int rename(const char *from, const char *to)
{
    char names[2 * PATH_MAX], name[PATH_MAX];
    if (!below(from, names) || !below(to, name))
        return REAL(rename)(from, to);
    size_t n = strlen(names) + 1;
    memcpy(names + n, name, strlen(name));
    take();
    int rc = strikes(KIND_RENAME) ? -1 : REAL(rename)(from, to);
    if (rc == 0)
        record('r', 0, 0, names, n + strlen(name));
    give();
    return rc;
}

int unlink(const char *path)
{
    char name[PATH_MAX];
    if (!below(path, name))
        return REAL(unlink)(path);
    take();
    int rc = REAL(unlink)(path);
    if (rc == 0)
        record('u', 0, 0, name, strlen(name));
    give();
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    char name[PATH_MAX];
    if (!below(path, name))
        return REAL(mkdir)(path, mode);
    take();
    int rc = strikes(KIND_MKDIR) ? -1 : REAL(mkdir)(path, mode);
    if (rc == 0)
        record('m', 0, 0, name, strlen(name));
    give();
    return rc;
}

int rmdir(const char *path)
{
    char name[PATH_MAX];
    if (!below(path, name))
        return REAL(rmdir)(path);
    take();
    int rc = REAL(rmdir)(path);
    if (rc == 0)
        record('d', 0, 0, name, strlen(name));
    give();
    return rc;
}

/* An answer is recorded before it leaves: what it promises must have been on the disk by then. */
static void answered(int fd, const void *p, size_t n)
{
    if (disk.journal < 0)
        return;
    take();
    record('a', (uint32_t)fd, 0, p, n < SENT_MAX ? n : SENT_MAX);
    give();
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    answered(fd, p, n);
    return REAL(send)(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (message->msg_iovlen)
        answered(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    return REAL(sendmsg)(fd, message, flags);
}

int accept4(int fd, struct sockaddr *peer, socklen_t *n, int flags)
{
    take();
    bool fails = strikes(KIND_OPEN);
    give();
    return fails ? -1 : REAL(accept4)(fd, peer, n, flags);
}
