/* faulty_vfs.h - a disk for SQLite that fills up when told, and of which only what was synced
 * survives a power loss. For tests: one disk a process. Files are real ones; beside each the disk
 * remembers its content at the last sync. */
#ifndef HEADRACE_TESTS_FAULTY_VFS_H
#define HEADRACE_TESTS_FAULTY_VFS_H

/* Becomes SQLite's default VFS. */
void faulty_install(void);
/* After `writes` more writes each one fails with `rc` (SQLITE_FULL, SQLITE_IOERR_WRITE), until
 * faulty_heal. */
void faulty_writes_fail_after(int writes, int rc);
/* After `reads` more reads each one fails with SQLITE_IOERR_READ, until faulty_heal. */
void faulty_reads_fail_after(int reads);
/* From now on syncs fail with SQLITE_IOERR_FSYNC. */
void faulty_syncs_fail(void);
void faulty_heal(void);
/* Power loss: puts what was synced of the files in directory `from` into directory `to`. */
void faulty_survivors(const char *from, const char *to);
/* Syncs so far. */
int faulty_syncs(void);

#endif
