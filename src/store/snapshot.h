/* store/snapshot.h - the whole state as one portable file, and back. A snapshot is a SQLite
 * database: a copy of ours, made at one instant between two turns, with the large bodies in it as
 * rows.
 *
 * Bodies get fresh numbers when a snapshot is loaded, so that no file of the state before is ever
 * written over: if the load fails, nothing has happened. */
#ifndef HEADRACE_STORE_SNAPSHOT_H
#define HEADRACE_STORE_SNAPSHOT_H

#include "store/blob.h"

/* A column that refers to bodies; 0 or NULL means none. The array ends with table NULL. */
struct blob_column {
    const char *table, *column;
};

/* Saving, in steps between which the state may change: the snapshot is of the moment at which
 * snapshot_step said that there is no more to do.
 *   snapshot_begin  NULL: *message (malloc'ed) says why
 *   snapshot_step   while it is true; copies so many pages; wants that no turn is open
 *   snapshot_finish adds the large bodies, and gives the file its name, under which it is whole at
 *                   any time; on any thread. From the last step until here the files must be
 *                   held (blobs_hold)
 *   snapshot_end    frees it; false: *message says why, and the file is gone again */
struct snapshot;
struct snapshot *snapshot_begin(struct db *db, struct blobs *blobs, const char *path,
                                char **message);
bool snapshot_step(struct snapshot *snapshot, int pages);
void snapshot_finish(struct snapshot *snapshot);
bool snapshot_end(struct snapshot *snapshot, char **message);
/* Replaces everything; wants that no turn is open. Engines must reload afterwards. False: *message
 * (malloc'ed) says why, and nothing has changed; *refused: it is the file that is wrong, not the
 * disk. */
bool snapshot_load(struct db *db, struct blobs *blobs, const char *path,
                   const struct blob_column *columns, bool *refused, char **message);

#endif
