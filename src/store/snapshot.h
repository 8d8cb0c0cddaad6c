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

/* Both want that no turn is open. False: *message (malloc'ed) says why; a file that was begun is
 * gone again. */
bool snapshot_save(struct db *db, struct blobs *blobs, const char *path, char **message);
/* Replaces everything. Engines must reload afterwards. *refused: it is the file that is wrong, not
 * the disk. */
bool snapshot_load(struct db *db, struct blobs *blobs, const char *path,
                   const struct blob_column *columns, bool *refused, char **message);

#endif
