/* store/wal.h - the file of SQLite's write-ahead log, written a commit at a time.
 *
 * SQLite writes each frame of its log by two system calls, header and page. Here the frames of a
 * commit are gathered and written by one. Nothing else changes: what a commit wrote is with the
 * system before the commit returns, and a failure is that commit's. */
#ifndef HEADRACE_STORE_WAL_H
#define HEADRACE_STORE_WAL_H

#include <stdbool.h>

/* A VFS over another, registered with SQLite under a name of its own. */
struct wal_vfs;

/* `under`: name of the VFS that does the work, NULL for the default one. NULL when SQLite does not
 * know it. */
struct wal_vfs *wal_vfs_new(const char *under);
/* For sqlite3_open_v2; lives as long as the VFS. */
const char *wal_vfs_name(const struct wal_vfs *vfs);
/* Whether a log began, its header written, since this was last asked. */
bool wal_vfs_began(struct wal_vfs *vfs);
/* After the last connection was closed; NULL is fine. */
void wal_vfs_free(struct wal_vfs *vfs);

#endif
