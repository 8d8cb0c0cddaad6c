/* faulty_vfs.c - a layer over SQLite's own VFS; see faulty_vfs.h. What a directory entry needs to
 * survive is not modelled: a file exists from its first sync on. */
#include "faulty_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct image {
    char *path;
    char *bytes;
    size_t n;
    struct image *next;
};

struct file {
    sqlite3_file base;
    char *path;
    sqlite3_file *real;
};

static struct {
    sqlite3_vfs vfs, *real;
    struct image *images;
    int writes_left, reads_left, rc, syncs;
    bool failing, reads_fail, syncs_fail;
} disk;

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

static struct image *image_of(const char *path)
{
    for (struct image *i = disk.images; i; i = i->next)
        if (strcmp(i->path, path) == 0)
            return i;
    struct image *i = calloc(1, sizeof *i);
    if (!i || !(i->path = strdup(path)))
        abort();
    i->next = disk.images;
    disk.images = i;
    return i;
}

static void remember(struct file *f)
{
    sqlite3_int64 n = 0;
    struct image *image = image_of(f->path);
    f->real->pMethods->xFileSize(f->real, &n);
    free(image->bytes);
    image->bytes = malloc((size_t)n + 1);
    image->n = (size_t)n;
    if (!image->bytes ||
        (n && f->real->pMethods->xRead(f->real, image->bytes, (int)n, 0) != SQLITE_OK))
        abort();
}

static void forget(const char *path)
{
    for (struct image **at = &disk.images; *at; at = &(*at)->next)
        if (strcmp((*at)->path, path) == 0) {
            struct image *gone = *at;
            *at = gone->next;
            free(gone->path);
            free(gone->bytes);
            free(gone);
            return;
        }
}

static int on_close(sqlite3_file *f)
{
    struct file *file = (struct file *)f;
    int rc = file->real->pMethods ? file->real->pMethods->xClose(file->real) : SQLITE_OK;
    free(file->path);
    return rc;
}

static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    if (disk.reads_fail && disk.reads_left-- <= 0)
        return SQLITE_IOERR_READ;
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}

static int on_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (disk.failing && disk.writes_left-- <= 0)
        return disk.rc;
    return real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    return real_of(f)->pMethods->xTruncate(real_of(f), n);
}

static int on_sync(sqlite3_file *f, int flags)
{
    if (disk.syncs_fail)
        return SQLITE_IOERR_FSYNC;
    int rc = real_of(f)->pMethods->xSync(real_of(f), flags);
    disk.syncs++;
    if (rc == SQLITE_OK)
        remember((struct file *)f);
    return rc;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *n)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), n);
}

static int on_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int on_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int on_check_lock(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int on_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int on_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int on_shm_unmap(sqlite3_file *f, int delete)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), delete);
}

static const sqlite3_io_methods methods = {
    2,           on_close,       on_read,       on_write,   on_truncate, on_sync,   on_size,
    on_lock,     on_unlock,      on_check_lock, on_control, on_sector,   on_traits, on_shm_map,
    on_shm_lock, on_shm_barrier, on_shm_unmap,  NULL,       NULL};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out)
{
    struct file *file = (struct file *)f;
    (void)vfs;
    *file = (struct file){.real = (sqlite3_file *)(file + 1), .path = strdup(path ? path : "")};
    int rc = disk.real->xOpen(disk.real, path, file->real, flags, out);
    if (rc == SQLITE_OK)
        file->base.pMethods = &methods;
    else
        free(file->path);
    return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    (void)vfs;
    int rc = disk.real->xDelete(disk.real, path, sync);
    if (rc == SQLITE_OK)
        forget(path);
    return rc;
}

void faulty_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "faulty";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
    disk.vfs.xOpen = on_open;
    disk.vfs.xDelete = on_delete;
    if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK)
        abort();
}

void faulty_writes_fail_after(int writes, int rc)
{
    disk.failing = true;
    disk.writes_left = writes;
    disk.rc = rc;
}

void faulty_reads_fail_after(int reads)
{
    disk.reads_fail = true;
    disk.reads_left = reads;
}

void faulty_syncs_fail(void)
{
    disk.syncs_fail = true;
}

void faulty_heal(void)
{
    disk.failing = disk.reads_fail = disk.syncs_fail = false;
}

void faulty_survivors(const char *from, const char *to)
{
    size_t n = strlen(from);
    for (struct image *i = disk.images; i; i = i->next) {
        char path[4096];
        if (strncmp(i->path, from, n) != 0 || i->path[n] != '/')
            continue;
        snprintf(path, sizeof path, "%s%s", to, i->path + n);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(i->bytes, 1, i->n, file) != i->n || fclose(file))
            abort();
    }
}

int faulty_syncs(void)
{
    return disk.syncs;
}
