/* store/blob_internal.h - what blob.c (rows, references) and blob_file.c (files) share.
 *
 * Layout: DIR/blobs/xx/ID, xx being the low byte of the number in hexadecimal; DIR/blobs/new/N
 * while being written. */
#ifndef HEADRACE_STORE_BLOB_INTERNAL_H
#define HEADRACE_STORE_BLOB_INTERNAL_H

#include "store/blob.h"

struct blobs {
    struct db *db;
    char *root;        /* the directory "blobs"; NULL until an ephemeral store needs one */
    char *private_dir; /* ephemeral: parent of root, ours alone */
    int lock_fd;       /* ephemeral: held while private_dir is in use */
    enum durability durability;
    int64_t next_id;   /* of the next body: grows only */
    int64_t next_temp; /* name of the next file being written */
    int64_t *touched;  /* files created or dropped in this turn, or while `holds` */
    int holds;         /* who reads files that may have no row any more */
    size_t ntouched, cap;
    struct blob_pin *pins;               /* blob_pin.c */
    void (*release)(void *user, int fd); /* blobs_release_by; may be NULL */
    void *release_user;
    struct proved **proved; /* blob_proof.c: files that were compared with their sums, by number */
    size_t proved_slots, nproved;
};

struct blob_sink {
    struct blobs *blobs;
    char *buffer; /* the body while it is small */
    size_t n, cap;
    int64_t size;
    int fd;      /* once it is large */
    void *sum;   /* then: state of the XXH3 of all that was written */
    char *path;  /* of the file being written; NULL once it is in place */
    bool synced; /* all of the file */
    bool failed;
};

/* What the column `sum` of a body says: older rows have none. */
int64_t blob_sum(str data);

/* Prepares the directory and sweeps what an earlier process left. */
void blobs_schema_make(struct db *db); /* creates and upgrades the table */
bool blobs_schema_current(struct db *db);
bool blob_files_open(struct blobs *blobs, const char *dir, char **message);
void blob_files_close(struct blobs *blobs);
/* Calls `visit` for each name in the directory that does not begin with a dot; false when it cannot
 * be read, or is a link: what that leads to is somebody else's. */
bool blob_each_name(const char *path, void (*visit)(void *user, const char *dir, const char *name),
                    void *user);
/* Opens a file for the sink. These tell failure by false, after logging why. */
bool blob_file_create(struct blob_sink *sink);
bool blob_file_write(int fd, str bytes);
bool blob_file_sync(struct blob_sink *sink);
/* A file that is to be synced grew, from `before`: lets the disk begin, and promises nothing. */
void blob_file_sync_ahead(const struct blob_sink *sink, int64_t before);
/* Gives the sink's file its number: it survives what the durability asks for when this returns. */
bool blob_file_place(struct blob_sink *sink, int64_t id);
/* Closes the sink's file; removes it unless it was placed. */
void blob_file_discard(struct blob_sink *sink);
/* Where the body's file lies, malloc'ed. */
char *blob_file_path(const struct blobs *blobs, int64_t id);
void blob_file_unlink(struct blobs *blobs, int64_t id);
/* -1, after logging why, also when it has not `size` bytes (-1: of any size). */
int blob_file_open(struct blobs *blobs, int64_t id, int64_t size);
/* What a client is told of the call that has just failed: used-up descriptors pass, all else is
 * internal. Reads errno. */
err blob_file_fault(void);
/* blob.c: the file's fate is decided at the end of the turn. */
void blob_touch(struct blobs *blobs, int64_t id);
bool blob_has_row(struct blobs *blobs, int64_t id);
bool blob_has_pin(struct blobs *blobs, int64_t id);
/* blob_pin.c: whether someone still wants the file; whoever does touches it when done. */
bool blob_pinned(struct blobs *blobs, int64_t id);
/* blob_pin.c: makes a file of a body in the table that is about to be deleted, if someone has it
 * pinned. */
void blob_pin_rescue(struct blobs *blobs, int64_t id);
/* blob_proof.c: this process wrote the file; it is gone. */
void blob_proof_written(struct blobs *blobs, int64_t id, int fd);
void blob_proof_forget(struct blobs *blobs, int64_t id);
void blob_proofs_free(struct blobs *blobs);
/* Reads exactly n bytes. */
bool blob_file_read(int fd, char *out, size_t n, int64_t at);

#endif
