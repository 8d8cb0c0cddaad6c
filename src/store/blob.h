/* store/blob.h - bodies. None changes but where its only owner puts another in its place. Small
 * ones live in a table, large ones as files with generated names; an object refers to a body by
 * number, and several may (copies, parts). A file is in place before the row that names it commits;
 * files without a row are swept at start. Keys never touch the file system.
 *
 * Table blob(id INTEGER PRIMARY KEY, size, refs, data BLOB NULL, sum): data is NULL when the body
 * is a file; sum is the XXH3 of either, NULL in rows of older versions. */
#ifndef HEADRACE_STORE_BLOB_H
#define HEADRACE_STORE_BLOB_H

#include "store/db.h"

#define BLOB_INLINE_MAX 65536 /* bytes; larger bodies become files */

struct blobs;

/* Files go to dir/blobs/ (created); NULL: a private temporary directory, removed at close and swept
 * by later starts. */
struct blobs *blobs_open(struct db *db, const char *dir, enum durability durability,
                         char **message);
/* The directory of the large bodies, made when an ephemeral store has none yet; NULL when that
 * fails. */
const char *blobs_root(struct blobs *blobs);
void blobs_close(struct blobs *blobs);

/* A body being written. Not part of any transaction until blob_sink_keep. */
struct blob_sink;
struct blob_sink *blob_sink_open(struct blobs *blobs);
/* FAULT_INTERNAL when the disk is full or failing, FAULT_UNAVAILABLE when descriptors are used up;
 * the sink then only takes blob_sink_drop. Once more than BLOB_INLINE_MAX bytes were written it may
 * be called on a pool thread, one at a time. */
err blob_sink_write(struct blob_sink *sink, str chunk);
/* With DURABLE_POWER, what blob_sink_keep would else wait for: the body is complete, and its file
 * is synced here, on a pool thread. Fails as blob_sink_write. */
err blob_sink_sync(struct blob_sink *sink);
int64_t blob_sink_size(const struct blob_sink *sink);
/* Makes the body permanent inside the caller's open savepoint, with one reference; frees the sink.
 */
err blob_sink_keep(struct blob_sink *sink, int64_t *id);
/* blob_sink_keep, and blob_unref of the body `old` (0: none) whose place the new one takes. Where
 * both are rows and nobody else has the old one, its row is rewritten and *id is `old`: half the
 * pages that one row less and one row more would change. */
err blob_sink_replace(struct blob_sink *sink, int64_t old, int64_t *id);
void blob_sink_drop(struct blob_sink *sink);

/* A whole body at once. */
err blob_put(struct blobs *blobs, str bytes, int64_t *id);
void blob_ref(struct blobs *blobs, int64_t id);
/* Drops a reference inside the caller's savepoint; at zero the row goes, and the file after the
 * turn has committed. */
void blob_unref(struct blobs *blobs, int64_t id);
/* Who takes the descriptor of a large file whose name has gone, to close it elsewhere: the last
 * close frees the blocks, 50 us a MiB, and would hold up a turn. Without, it is closed at once. */
void blobs_release_by(struct blobs *blobs, void (*release)(void *user, int fd), void *user);
/* Call after every turn, committed or not: unlinks the files of bodies that the turn dropped, or
 * made and then undid. What the database cannot tell now is asked again after the next turn. */
void blobs_turn_ended(struct blobs *blobs);
/* From blobs_hold to blobs_let_go no file of a body goes away, though its row may: somebody reads
 * the files of a moment. Between two turns. */
void blobs_hold(struct blobs *blobs);
void blobs_let_go(struct blobs *blobs);

/* Reads bytes [at, at+n) of body `id` into the arena. Short only at the end of the body. */
err blob_read(struct blobs *blobs, struct arena *arena, int64_t id, int64_t at, size_t n, str *out);
int64_t blob_size(struct blobs *blobs, int64_t id);
/* An open descriptor (the caller closes it) when the body is a file, else -1. A deleted body stays
 * readable through it. FAULT_UNAVAILABLE when descriptors are used up; FAULT_INTERNAL when the file
 * is gone, or longer or shorter than its row says. */
err blob_open(struct blobs *blobs, int64_t id, int *fd);
/* The same for who reads on by blob_read, which will tell why: -1 also on failure. */
int blob_fd(struct blobs *blobs, int64_t id);

/* Files are compared with their sums before they are first read; small bodies at every read. NULL:
 * there is nothing to compare, since it was done or the body is no file (or one that cannot be
 * read, and its reader will tell why). */
struct blob_proof;
struct blob_proof *blob_proof_begin(struct blobs *blobs, int64_t id);
/* Reads all of it, on any thread. */
void blob_proof_run(struct blob_proof *proof);
/* False: the body is not what was stored. Frees the proof. */
bool blob_proof_end(struct blob_proof *proof);
/* For a doctor who has compared what is left of each body with what its owners know of it: files
 * that differ from their sums lose the sums. Reads all of them; inside a savepoint. */
err blobs_give_up_sums(struct blobs *blobs);

/* A promise that these bodies can be read until it is given up, whatever happens to them meanwhile:
 * for an answer that opens one after the other over many turns. */
struct blob_pin;
struct blob_pin *blob_pin(struct blobs *blobs, const int64_t *ids, size_t n);
/* As blob_fd, also for a body that has been deleted since, which then is a file in any case. */
int blob_pin_fd(struct blob_pin *pin, int64_t id);
void blob_pin_end(struct blob_pin *pin);

/* A slice of a body: how objects made of parts are described to whoever sends them. */
struct blob_slice {
    int64_t id, at, n;
};

#endif
