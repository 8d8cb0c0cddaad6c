/* store/db_internal.h - the handle behind db.h, shared by db.c (turns and statements), db_open.c
 * (files and settings), db_check.c (is what is there sound?), db_log.c (is the log its own?). */
#ifndef HEADRACE_STORE_DB_INTERNAL_H
#define HEADRACE_STORE_DB_INTERNAL_H

#include "store/db.h"
#include "store/wal.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

struct stmt {
    struct db *db;
    sqlite3_stmt *handle;
    const char *sql; /* the literal: cache key */
    bool writes;
    bool reading; /* gave a row, and is neither done nor reset */
};

struct stmt_cache {
    struct stmt **slots; /* open addressing by the literal's address */
    size_t cap, n;
};

struct db_file_id { /* zero: not looked at */
    dev_t device;
    ino_t inode;
};

struct db {
    sqlite3 *handle;
    char *dir, *file, *log_file;       /* NULL when in memory */
    struct db_file_id file_id, log_id; /* what was opened */
    _Atomic bool displaced; /* they lie there no more, and that was told; pool threads look, too */
    int lock_fd;
    struct wal_vfs *vfs; /* of both connections; NULL when in memory */
    enum durability durability;
    struct stmt_cache cache;
    struct stmt *begin, *begin_read, *commit, *rollback, *savepoint, *release, *rollback_to;
    bool unmarked; /* nothing in the log says whose it is (db_log.c) */
    bool turn;     /* a transaction is open */
    bool whole;    /* the outermost savepoint is that transaction: it was opened for it */
    bool sure;     /* the outermost savepoint need not be opened */
    bool undone;   /* such a one was rolled back: nothing is open, but the turn is to be ended */
    bool shares;   /* reads of this turn share a transaction */
    bool shared;   /* it is open; never while `turn` is */
    bool failed;   /* the disk failed in this turn; everything of it has been rolled back */
    int depth;     /* savepoints that callers hold */
    int opened;    /* of those, how many SQLite knows: one is opened by the first write inside it */
    int reading;   /* statements with rows left to read */
    int64_t page_bytes;
    _Atomic int64_t wal_frames;  /* in the log now */
    _Atomic int64_t wal_checked; /* of those, copied into the database by the last checkpoint */
    sqlite3 *checkpointer;       /* the pool thread's own connection */
};

/* The path from the root, malloc'ed: a program that we are part of may change its directory. As it
 * is when that cannot be told. */
char *db_absolute(const char *path);
/* Once all files are open. */
void db_place_remember(struct db *db);
/* Opens a file of the directory itself, made if need be, readable by its owner alone: a link could
 * lead to a file of somebody else's choice. -1 after saying why not. */
int db_open_own(const char *path, int flags, char **message);
/* The number that a statement gives; -1 when it fails. */
int64_t db_ask_number(sqlite3 *handle, const char *sql);
/* Formats *message (malloc'ed) and gives false. */
bool db_say(char **message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False after saying what is wrong: before SQLite opens the file, and its log ... */
bool db_check_header(struct db *db, char **message);
/* ... with the first pages' content ... */
bool db_check_whole(struct db *db, char **message);
/* ... and with tables that are of this version, but lack a column or are not there. */
bool db_check_tables(struct db *db, char **message);
/* The first such table's name, malloc'ed, or NULL. */
char *db_strange_table(struct db *db);
void db_warn_of_strangers(const char *dir);
/* The log that lies beside `file` was written for it; `mark` is what the file itself says. */
bool db_log_belongs(const char *file, uint32_t mark, char **message);
/* Writes into the open transaction whose log this is. An SQLite result. */
int db_log_mark(struct db *db);

/* db_open without the look at every page: for doctor, which reports what it finds. */
struct db *db_open_unchecked(const char *path, char **message);
/* Ends the process: something is wrong that no reply can mend. A damaged file gives exit code 1,
 * all else an abort. */
_Noreturn void db_die(struct db *db, const char *what, const char *sql);
/* True for results that say that the disk is full, failing, or held by another program. */
bool db_disk_failed(int rc);
/* Why the last call failed: the system's reason where SQLite's own words hide it. */
const char *db_reason(sqlite3 *handle);

#endif
