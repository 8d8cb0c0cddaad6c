/* Large bodies are compared with their sums before they are first read, and when they were touched.
 */
#include "unit.h"

#include "store/blob_internal.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <sys/stat.h>

#define LARGE 700000 /* bytes: a file */

struct store {
    char *dir;
    struct db *db;
    struct blobs *blobs;
};

static void open_store(struct store *s)
{
    char *message = NULL;
    s->db = db_open(s->dir, DURABLE_PROCESS, &message);
    s->blobs = blobs_open(s->db, s->dir, DURABLE_PROCESS, &message);
    CHECK(s->db && s->blobs);
}

static void close_store(struct store *s)
{
    blobs_close(s->blobs);
    db_close(s->db);
}

static int64_t put(struct store *s, size_t size)
{
    int64_t id;
    char *bytes = calloc(1, size);
    CHECK_OK(blob_put(s->blobs, (str){bytes, size}, &id));
    CHECK_OK(db_turn_commit(s->db));
    blobs_turn_ended(s->blobs);
    free(bytes);
    return id;
}

static void flip(struct store *s, int64_t id, int64_t at)
{
    char byte, *path = blob_file_path(s->blobs, id);
    int fd = open(path, O_RDWR);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000 + at}};
    CHECK(pread(fd, &byte, 1, at) == 1);
    byte ^= 16;
    CHECK(pwrite(fd, &byte, 1, at) == 1 && futimens(fd, times) == 0);
    close(fd);
    free(path);
}

/* -1: nothing to compare. */
static int prove(struct store *s, int64_t id)
{
    struct blob_proof *proof = blob_proof_begin(s->blobs, id);
    if (!proof)
        return -1;
    blob_proof_run(proof);
    return blob_proof_end(proof);
}

static bool has_sum(struct store *s, int64_t id)
{
    struct stmt *stmt = db_sql(s->db, "SELECT 1 FROM blob WHERE id = ? AND sum IS NOT NULL");
    bind_int(stmt, 1, id);
    bool there = stmt_row(stmt);
    stmt_done(stmt);
    return there;
}

TEST(a_file_is_compared_once_in_a_process_that_did_not_write_it)
{
    struct store s = {.dir = temp_dir()};
    open_store(&s);
    int64_t small = put(&s, 100), large = put(&s, LARGE);
    CHECK_INT(prove(&s, small), -1);
    CHECK_INT(prove(&s, large), -1);
    close_store(&s);
    open_store(&s);
    CHECK_INT(prove(&s, small), -1);
    CHECK_INT(prove(&s, large), 1);
    CHECK_INT(prove(&s, large), -1);
    CHECK_INT(prove(&s, 4711), -1);
    close_store(&s);
    free(s.dir);
}

TEST(a_bit_that_flips_is_found_at_every_attempt_until_it_is_as_it_was)
{
    struct store s = {.dir = temp_dir()};
    open_store(&s);
    int64_t large = put(&s, LARGE);
    flip(&s, large, LARGE - 1);
    CHECK_INT(prove(&s, large), 0);
    CHECK_INT(prove(&s, large), 0);
    flip(&s, large, LARGE - 1);
    CHECK_INT(prove(&s, large), 1);
    close_store(&s);
    free(s.dir);
}

TEST(many_files_are_remembered_and_those_that_go_are_forgotten)
{
    enum { MANY = 200 };
    struct store s = {.dir = temp_dir()};
    int64_t ids[MANY];
    open_store(&s);
    for (int i = 0; i < MANY; i++)
        ids[i] = put(&s, BLOB_INLINE_MAX + 1);
    CHECK_INT(s.blobs->nproved, MANY);
    for (int i = 0; i < MANY; i++)
        CHECK_INT(prove(&s, ids[i]), -1);
    for (int i = 0; i < MANY; i += 2)
        blob_unref(s.blobs, ids[i]);
    CHECK_OK(db_turn_commit(s.db));
    blobs_turn_ended(s.blobs);
    CHECK_INT(s.blobs->nproved, MANY / 2);
    for (int i = 1; i < MANY; i += 2)
        CHECK_INT(prove(&s, ids[i]), -1);
    close_store(&s);
    free(s.dir);
}

TEST(only_a_file_that_differs_loses_its_sum)
{
    struct store s = {.dir = temp_dir()};
    open_store(&s);
    int64_t sound = put(&s, LARGE), damaged = put(&s, LARGE), small = put(&s, 10);
    flip(&s, damaged, 0);
    db_savepoint(s.db);
    CHECK_OK(blobs_give_up_sums(s.blobs));
    db_release(s.db);
    CHECK_OK(db_turn_commit(s.db));
    CHECK(has_sum(&s, sound) && has_sum(&s, small) && !has_sum(&s, damaged));
    CHECK_INT(prove(&s, damaged), -1);
    close_store(&s);
    free(s.dir);
}

UNIT_MAIN
