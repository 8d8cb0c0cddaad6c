/* store/wal.c - see wal.h. A VFS that hands out the files of the one below as they are, but for the
 * log's, whose writes go through a buffer.
 *
 * What makes this safe:
 *  - The header of a commit's last frame says so (a number of pages that is not zero), and with
 * that frame's page the buffer is written before xWrite returns. SQLite shows the commit to readers
 * and to the checkpointer only afterwards, so nobody needs what is in the buffer.
 *  - Frames without that mark are a transaction's that outgrew the page cache. They may stay here:
 * they count for nothing before the commit, which comes after them.
 *  - Gathered is only what grows the log, frame by frame. All else (the log's header, what is
 * rewritten in place) first empties the buffer and then goes straight through, as does every other
 * call.
 *  - When the buffer cannot be written its frames are lost though SQLite was told otherwise of
 * some: from there on all that would follow them is refused, until SQLite, having rolled back,
 * begins again before the gap. */
#include "store/wal.h"

#include "base/arena.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_HEADER = 24,
    COMMIT_MARK = 4, /* where in it the number of pages stands */
    GATHERED = 16 * (FRAME_HEADER + 4096),
};

struct wal_vfs {
    sqlite3_vfs base; /* first */
    sqlite3_vfs *under;
    char name[32];
    _Atomic bool began;
};

struct log_file {
    sqlite3_file base; /* first */
    struct wal_vfs *vfs;
    char *bytes;       /* GATHERED of them, made with the first frame */
    int n;             /* gathered */
    sqlite3_int64 at;  /* where in the file they belong */
    sqlite3_int64 end; /* of what was ever written since the log began anew */
    bool headed;       /* the last of them is a frame's header */
    bool commits;      /* which has the mark of a commit */
    int failed;        /* why what begins at `lost` could not be written, or SQLITE_OK */
    sqlite3_int64 lost;
    _Alignas(8) char real[]; /* the file below */
};

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)log_of(file)->real;
}

static int write_through(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int rc = real_of(file)->pMethods->xWrite(real_of(file), from, n, at);
    if (rc == SQLITE_OK && (at == 0 || at + n > log->end))
        log->end = at + n;
    return rc;
}

static int empty(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int n = log->n;
    if (n == 0)
        return SQLITE_OK;
    log->n = 0;
    log->headed = false;
    log->failed = write_through(file, log->bytes, n, log->at);
    log->lost = log->at;
    return log->failed;
}

static void gather(struct log_file *log, const void *from, int n, sqlite3_int64 at)
{
    if (!log->bytes)
        log->bytes = xalloc(GATHERED);
    if (!log->n)
        log->at = at;
    memcpy(log->bytes + log->n, from, (size_t)n);
    log->n += n;
}

static bool is_header(const struct log_file *log, int n, sqlite3_int64 at)
{
    if (n != FRAME_HEADER || log->headed || log->n + n > GATHERED)
        return false;
    return log->n ? at == log->at + log->n : at > 0 && at >= log->end;
}

static bool is_page(const struct log_file *log, int n, sqlite3_int64 at)
{
    return log->headed && at == log->at + log->n && log->n + n <= GATHERED;
}

static int on_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    static const char no_mark[4];
    struct log_file *log = log_of(file);
    if (log->failed && at > log->lost)
        return log->failed;
    log->failed = SQLITE_OK;
    if (at == 0)
        atomic_store_explicit(&log->vfs->began, true, memory_order_relaxed);
    if (is_header(log, n, at)) {
        gather(log, from, n, at);
        log->headed = true;
        log->commits = memcmp((const char *)from + COMMIT_MARK, no_mark, sizeof no_mark) != 0;
        return SQLITE_OK;
    }
    if (is_page(log, n, at)) {
        gather(log, from, n, at);
        log->headed = false;
        bool full = log->n + FRAME_HEADER + n > GATHERED;
        return log->commits || full ? empty(file) : SQLITE_OK;
    }
    int rc = empty(file);
    return rc == SQLITE_OK ? write_through(file, from, n, at) : rc;
}

/* ---- everything else, after what was gathered ---- */

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    int rc = empty(file);
    if (log_of(file)->failed && at >= log_of(file)->lost)
        rc = log_of(file)->failed;
    return rc == SQLITE_OK ? real_of(file)->pMethods->xRead(real_of(file), to, n, at) : rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int rc = empty(file);
    if (rc == SQLITE_OK)
        rc = real_of(file)->pMethods->xTruncate(real_of(file), size);
    if (rc == SQLITE_OK && log->end > size)
        log->end = size;
    return rc;
}

static int on_sync(sqlite3_file *file, int flags)
{
    int rc = empty(file);
    return rc == SQLITE_OK ? real_of(file)->pMethods->xSync(real_of(file), flags) : rc;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *out)
{
    int rc = empty(file);
    return rc == SQLITE_OK ? real_of(file)->pMethods->xFileSize(real_of(file), out) : rc;
}

static int on_close(sqlite3_file *file)
{
    (void)empty(file); /* a commit is never left in there */
    free(log_of(file)->bytes);
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_reserved(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_traits,
};

/* ---- the VFS ---- */

static int on_open(sqlite3_vfs *base, const char *path, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *under = ((struct wal_vfs *)(void *)base)->under;
    if (!(flags & SQLITE_OPEN_WAL))
        return under->xOpen(under, path, file, flags, out);
    memset(file, 0, sizeof(struct log_file));
    log_of(file)->vfs = (struct wal_vfs *)(void *)base;
    int rc = under->xOpen(under, path, real_of(file), flags, out);
    if (rc == SQLITE_OK)
        file->pMethods = &log_methods;
    return rc;
}

struct wal_vfs *wal_vfs_new(const char *under)
{
    sqlite3_vfs *found = sqlite3_vfs_find(under);
    if (!found)
        return NULL;
    struct wal_vfs *vfs = xalloc(sizeof *vfs);
    snprintf(vfs->name, sizeof vfs->name, "headrace-%p", (void *)vfs);
    /* Of their handle the methods of the VFS below use what is copied here. */
    vfs->under = found;
    vfs->base = *found;
    vfs->base.pNext = NULL;
    vfs->base.zName = vfs->name;
    vfs->base.szOsFile += (int)sizeof(struct log_file);
    vfs->base.xOpen = on_open;
    if (sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK)
        return vfs;
    free(vfs);
    return NULL;
}

const char *wal_vfs_name(const struct wal_vfs *vfs)
{
    return vfs->name;
}

bool wal_vfs_began(struct wal_vfs *vfs)
{
    return atomic_exchange_explicit(&vfs->began, false, memory_order_relaxed);
}

void wal_vfs_free(struct wal_vfs *vfs)
{
    if (vfs)
        sqlite3_vfs_unregister(&vfs->base);
    free(vfs);
}
