/* store/doctor.h - is a data directory sound? Looks at what the store alone knows: pages of the
 * database, bodies and their files. What engines keep in their tables is theirs to judge. */
#ifndef HEADRACE_STORE_DOCTOR_H
#define HEADRACE_STORE_DOCTOR_H

#include "store/blob.h"

enum doctor_kind {
    DOCTOR_DAMAGED_PAGE,  /* SQLite's own integrity check complains; restore the directory from a
                             copy */
    DOCTOR_MISSING_FILE,  /* a body's file is gone */
    DOCTOR_WRONG_SIZE,    /* a body is longer or shorter than its row says */
    DOCTOR_WRONG_CONTENT, /* a body in the table is not what its sum says */
    DOCTOR_UNREFERENCED,  /* a body that nothing refers to */
    DOCTOR_ORPHAN_FILE,   /* a file that no row names; repairable: removed */
    DOCTOR_LEFTOVER,      /* a file whose writing was never finished; repairable: removed */
};

struct doctor_finding {
    enum doctor_kind kind;
    const char *text; /* one line for people; valid during the callback */
    int64_t id;       /* of the body, or 0 */
    bool repaired;
};

struct doctor_summary {
    int64_t database_bytes, log_bytes; /* of the files */
    int64_t bodies, body_bytes;        /* all of them */
    int64_t files, file_bytes;         /* those that are files */
    int64_t findings, repaired;
};

/* Examines `dir`, and with `repair` mends what can be mended without loss. Needs the directory for
 * itself. False, with *message (malloc'ed), when it cannot be opened at all. `found` may be NULL.
 */
bool doctor_examine(const char *dir, bool repair,
                    void (*found)(void *user, const struct doctor_finding *finding), void *user,
                    struct doctor_summary *summary, char **message);

/* A directory whose pages are sound, for engines to examine what they keep: nothing is swept or
 * upgraded. False, with *message, when it cannot be opened, or is of another version. */
struct doctor_store {
    struct db *db;
    struct blobs *blobs;
};
bool doctor_open(const char *dir, struct doctor_store *store, char **message);
void doctor_close(struct doctor_store *store);

#endif
