/* A row that cannot be read is no row that is not there: the body's file stays. */
#include "unit.h"

#include "../crash/faulty_vfs.h"
#include "store/blob.h"
#include "store/db_internal.h"
#include "temp_dir.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LARGE 100000 /* bytes: a file */

__attribute__((constructor)) static void use_faulty_disk(void)
{
    faulty_install();
}

static struct db *open_db(const char *dir)
{
    char *message = NULL;
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    CHECK(db != NULL);
    return db;
}

/* NULL: refused. */
static struct blobs *open_blobs(struct db *db, const char *dir)
{
    char *message = NULL;
    struct blobs *blobs = blobs_open(db, dir, DURABLE_PROCESS, &message);
    CHECK(blobs || message);
    free(message);
    return blobs;
}

static void put(struct db *db, struct blobs *blobs, size_t size)
{
    int64_t id;
    char *bytes = xalloc(size);
    db_savepoint(db);
    CHECK_OK(blob_put(blobs, (str){bytes, size}, &id));
    db_release(db);
    free(bytes);
}

static void end_turn(struct db *db, struct blobs *blobs)
{
    CHECK_OK(db_turn_commit(db));
    blobs_turn_ended(blobs);
}

static bool kept(const char *dir)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/blobs/01/1", dir);
    return stat(path, &st) == 0 && st.st_size == LARGE;
}

TEST(the_end_of_a_turn_removes_no_file_whose_row_it_cannot_read)
{
    char *dir = temp_dir();
    struct db *db = open_db(dir);
    struct blobs *blobs = open_blobs(db, dir);
    put(db, blobs, LARGE);
    end_turn(db, blobs);
    CHECK(kept(dir));
    db_savepoint(db);
    blob_unref(blobs, 1);
    db_rollback(db);
    CHECK_OK(db_turn_commit(db));
    sqlite3_db_release_memory(db->handle);
    faulty_reads_fail_after(0);
    blobs_turn_ended(blobs);
    faulty_heal();
    CHECK(kept(dir));
    /* Nothing is forgotten: with its row gone, so is the file. */
    CHECK_FAULT(db_turn_commit(db), FAULT_INTERNAL);
    blobs_turn_ended(blobs);
    CHECK(kept(dir));
    blob_unref(blobs, 1);
    end_turn(db, blobs);
    CHECK(!kept(dir));
    blobs_close(blobs);
    db_close(db);
    free(dir);
}

/* Whether it would serve. In a process of its own, for a start without tables ends it. */
static bool starts_on_a_bad_disk(const char *dir, int reads)
{
    int status;
    bool *serves =
        mmap(NULL, sizeof *serves, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        struct db *db = open_db(dir);
        sqlite3_db_release_memory(db->handle);
        faulty_reads_fail_after(reads);
        *serves = open_blobs(db, dir) != NULL;
        _exit(0);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    bool served = *serves;
    munmap(serves, sizeof *serves);
    return served;
}

TEST(a_start_that_cannot_read_the_rows_removes_no_file)
{
    char *dir = temp_dir();
    struct db *db = open_db(dir);
    struct blobs *blobs = open_blobs(db, dir);
    put(db, blobs, LARGE);
    for (int i = 0; i < 20; i++)
        put(db, blobs, 3000); /* so that the row of the first is on a page of its own */
    end_turn(db, blobs);
    blobs_close(blobs);
    db_close(db);
    int served = 0;
    for (int reads = 0; reads < 40; reads++) {
        served += starts_on_a_bad_disk(dir, reads);
        CHECK(kept(dir));
    }
    CHECK(served > 0 && served < 40);
    free(dir);
}

UNIT_MAIN
