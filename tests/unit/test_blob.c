/* Rules of store/blob. This file stands between the program and the kernel for the few calls that
 * decide whether a body survives: it writes down their order, and fails them when told. */
#include "unit.h"

#include "../crash/faulty_vfs.h"
#include "store/blob.h"
#include "temp_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct arena *arena;
static char events[4096];
static bool disk_full;

static void note(const char *event)
{
    if (strlen(events) + strlen(event) + 2 < sizeof events)
        strcat(strcat(events, event), " ");
}

static void note_fd(const char *call, int fd)
{
    char link[64], path[512] = "", line[600];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0)
        return;
    const char *what = strstr(path, "/blobs/new/") ? "body"
                       : strstr(path, "-wal")      ? "log"
                       : strstr(path, "/blobs")    ? "shelf"
                                                   : NULL;
    if (what) {
        snprintf(line, sizeof line, "%s:%s", call, what);
        note(line);
    }
}

int fdatasync(int fd)
{
    note_fd("sync", fd);
    if (disk_full)
        return errno = EIO, -1;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    note_fd("sync", fd);
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    int rc = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    if (rc == 0)
        note("rename");
    return rc;
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (disk_full && fd > 2)
        return errno = ENOSPC, -1;
    return syscall(SYS_write, fd, p, n);
}

static char *big_bytes;
#define BIG_SIZE 300000

__attribute__((constructor)) static void prepare(void)
{
    faulty_install();
    arena = arena_new();
    big_bytes = malloc(BIG_SIZE);
    for (int i = 0; big_bytes && i < BIG_SIZE; i++)
        big_bytes[i] = (char)(i * 7 + i / 251);
}

__attribute__((destructor)) static void clean(void)
{
    arena_free(arena);
    free(big_bytes);
}

static str big(void)
{
    return (str){big_bytes, BIG_SIZE};
}

struct store {
    char *dir;
    struct db *db;
    struct blobs *blobs;
};

static struct store store_at(char *dir, enum durability durability)
{
    char *message = NULL;
    struct store s = {.dir = dir};
    s.db = db_open(dir, durability, &message);
    CHECK(s.db != NULL);
    s.blobs = blobs_open(s.db, dir, durability, &message);
    CHECK(s.blobs != NULL);
    return s;
}

static void store_close(struct store *s)
{
    CHECK_OK(db_turn_commit(s->db));
    blobs_turn_ended(s->blobs);
    blobs_close(s->blobs);
    db_close(s->db);
    free(s->dir);
}

static err turn_end(struct store *s)
{
    err e = db_turn_commit(s->db);
    blobs_turn_ended(s->blobs);
    return e;
}

static int64_t put(struct store *s, str bytes)
{
    int64_t id = 0;
    db_savepoint(s->db);
    CHECK_OK(blob_put(s->blobs, bytes, &id));
    db_release(s->db);
    return id;
}

static str whole(struct store *s, int64_t id)
{
    str bytes = STR_NONE;
    CHECK_OK(blob_read(s->blobs, arena, id, 0, (size_t)blob_size(s->blobs, id), &bytes));
    return bytes;
}

static int files_below(const char *dir)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[1024];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        n += e->d_type == DT_DIR ? files_below(path) : 1;
    }
    if (d)
        closedir(d);
    return n;
}

static int files(const struct store *s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/blobs", s->dir);
    return files_below(path);
}

TEST(a_body_up_to_64_kib_is_a_row_and_a_larger_one_a_file)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    static const size_t sizes[] = {0, 1, 65536, 65537, BIG_SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        str bytes = str_slice(big(), 0, sizes[i]);
        int64_t id = put(&s, bytes);
        CHECK_STR(whole(&s, id), bytes);
        CHECK_INT(blob_size(s.blobs, id), sizes[i]);
        int fd = blob_fd(s.blobs, id);
        CHECK_INT(fd >= 0, sizes[i] > BLOB_INLINE_MAX);
        if (fd >= 0)
            close(fd);
    }
    CHECK_INT(files(&s), 2);
    store_close(&s);
}

TEST(a_sink_takes_a_body_in_pieces)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    for (size_t step = 1000; step <= 70000; step += 23000) {
        struct blob_sink *sink = blob_sink_open(s.blobs);
        int64_t id;
        for (size_t at = 0; at < BIG_SIZE; at += step) {
            str piece = str_slice(big(), at, at + step);
            CHECK_OK(blob_sink_write(sink, piece));
            CHECK_INT(blob_sink_size(sink), at + piece.n);
        }
        db_savepoint(s.db);
        CHECK_OK(blob_sink_keep(sink, &id));
        db_release(s.db);
        CHECK_STR(whole(&s, id), big());
    }
    store_close(&s);
}

TEST(a_dropped_sink_leaves_nothing)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    struct blob_sink *sink = blob_sink_open(s.blobs);
    CHECK_OK(blob_sink_write(sink, big()));
    CHECK_INT(files(&s), 1);
    blob_sink_drop(sink);
    CHECK_INT(files(&s), 0);
    blob_sink_drop(blob_sink_open(s.blobs));
    blob_sink_drop(NULL);
    CHECK(!db_dirty(s.db));
    store_close(&s);
}

TEST(ranges_are_read_from_rows_and_files_alike)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    static const size_t sizes[] = {1000, BIG_SIZE};
    for (size_t i = 0; i < 2; i++) {
        str out, all = str_slice(big(), 0, sizes[i]);
        int64_t id = put(&s, all);
        CHECK_OK(blob_read(s.blobs, arena, id, 10, 20, &out));
        CHECK_STR(out, str_slice(all, 10, 30));
        CHECK_OK(blob_read(s.blobs, arena, id, (int64_t)sizes[i] - 5, 50, &out));
        CHECK_STR(out, str_slice(all, sizes[i] - 5, sizes[i]));
        CHECK_OK(blob_read(s.blobs, arena, id, (int64_t)sizes[i], 1, &out));
        CHECK_STR(out, S(""));
        CHECK_OK(blob_read(s.blobs, arena, id, (int64_t)sizes[i] + 9, SIZE_MAX, &out));
        CHECK_STR(out, S(""));
        CHECK_OK(blob_read(s.blobs, arena, id, 0, SIZE_MAX, &out));
        CHECK_INT(out.n, sizes[i]);
    }
    store_close(&s);
}

TEST(a_file_that_is_gone_longer_or_shorter_than_its_row_says_is_an_internal_fault)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t id = put(&s, big());
    char path[512];
    int fd = -1;
    str out;
    snprintf(path, sizeof path, "%s/blobs/%02x/%lld", s.dir, (unsigned)(id & 255), (long long)id);
    for (int more = 1; more >= -1; more -= 2) {
        CHECK(truncate(path, (off_t)big().n + more) == 0);
        CHECK_FAULT(blob_open(s.blobs, id, &fd), FAULT_INTERNAL);
        CHECK_FAULT(blob_read(s.blobs, arena, id, 0, 1, &out), FAULT_INTERNAL);
        CHECK_INT(blob_fd(s.blobs, id), -1);
    }
    CHECK(unlink(path) == 0);
    CHECK_FAULT(blob_open(s.blobs, id, &fd), FAULT_INTERNAL);
    CHECK_INT(fd, -1);
    store_close(&s);
}

TEST(a_body_that_does_not_exist_is_an_internal_fault)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    str out;
    CHECK_FAULT(blob_read(s.blobs, arena, 77, 0, 1, &out), FAULT_INTERNAL);
    CHECK_INT(blob_size(s.blobs, 77), 0);
    CHECK_INT(blob_fd(s.blobs, 77), -1);
    blob_unref(s.blobs, 77);
    store_close(&s);
}

TEST(a_body_goes_with_its_last_reference_and_its_file_after_the_commit)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t id = put(&s, big()), small = put(&s, S("small"));
    blob_ref(s.blobs, id);
    CHECK_OK(turn_end(&s));
    blob_unref(s.blobs, id);
    blob_unref(s.blobs, small);
    CHECK_OK(turn_end(&s));
    CHECK_STR(whole(&s, id), big());
    CHECK_INT(blob_size(s.blobs, small), 0);
    int fd = blob_fd(s.blobs, id);
    blob_unref(s.blobs, id);
    CHECK_INT(files(&s), 1);
    CHECK_OK(turn_end(&s));
    CHECK_INT(files(&s), 0);
    char last;
    CHECK(pread(fd, &last, 1, BIG_SIZE - 1) == 1 && last == big_bytes[BIG_SIZE - 1]);
    close(fd);
    store_close(&s);
}

TEST(a_request_that_is_undone_leaves_bodies_as_they_were)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t kept = put(&s, big()), undone;
    CHECK_OK(turn_end(&s));
    db_savepoint(s.db);
    CHECK_OK(blob_put(s.blobs, big(), &undone));
    blob_unref(s.blobs, kept);
    db_rollback(s.db);
    int64_t other = put(&s, big());
    CHECK_OK(turn_end(&s));
    CHECK_INT(files(&s), 2);
    CHECK_STR(whole(&s, kept), big());
    CHECK_STR(whole(&s, other), big());
    CHECK(undone != other);
    store_close(&s);
}

TEST(a_turn_that_cannot_commit_leaves_bodies_as_they_were)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t kept = put(&s, big());
    CHECK_OK(turn_end(&s));
    put(&s, big());
    put(&s, S("small"));
    blob_unref(s.blobs, kept);
    faulty_writes_fail_after(0, SQLITE_FULL);
    CHECK_FAULT(turn_end(&s), FAULT_INTERNAL);
    faulty_heal();
    CHECK_INT(files(&s), 1);
    CHECK_STR(whole(&s, kept), big());
    store_close(&s);
}

TEST(a_full_disk_refuses_a_body_and_changes_nothing)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t kept = put(&s, big()), id = -1;
    CHECK_OK(turn_end(&s));
    struct blob_sink *sink = blob_sink_open(s.blobs);
    CHECK_OK(blob_sink_write(sink, str_slice(big(), 0, 70000)));
    disk_full = true;
    CHECK_FAULT(blob_sink_write(sink, S("more")), FAULT_INTERNAL);
    CHECK_FAULT(blob_sink_write(sink, S("more")), FAULT_INTERNAL);
    CHECK_FAULT(blob_sink_keep(sink, &id), FAULT_INTERNAL);
    CHECK_FAULT(blob_put(s.blobs, big(), &id), FAULT_INTERNAL);
    disk_full = false;
    CHECK_INT(id, -1);
    CHECK(!db_dirty(s.db));
    CHECK_INT(files(&s), 1);
    CHECK_STR(whole(&s, kept), big());
    store_close(&s);
}

/* What one large body costs, from its first byte to the end of its turn. */
static void check_order(enum durability durability, const char *expected)
{
    struct store s = store_at(temp_dir(), durability);
    put(&s, big());
    CHECK_OK(turn_end(&s));
    events[0] = 0;
    put(&s, big());
    CHECK_OK(turn_end(&s));
    CHECK_STR(str_of(events), str_of(expected));
    store_close(&s);
}

TEST(with_durability_power_a_body_is_on_disk_before_its_row_is)
{
    check_order(DURABLE_POWER, "sync:body sync:shelf rename sync:shelf sync:log ");
    check_order(DURABLE_PROCESS, "rename ");
}

TEST(a_body_that_was_synced_ahead_is_synced_again_only_when_it_grew)
{
    struct store s = store_at(temp_dir(), DURABLE_POWER);
    struct blob_sink *sink = blob_sink_open(s.blobs);
    int64_t id;
    CHECK_OK(blob_sink_write(sink, big()));
    events[0] = 0;
    CHECK_OK(blob_sink_sync(sink));
    CHECK_OK(blob_sink_write(sink, S("more")));
    CHECK_OK(blob_sink_sync(sink));
    CHECK_OK(blob_sink_keep(sink, &id));
    CHECK_STR(str_of(events), S("sync:body sync:body sync:shelf rename sync:shelf "));
    store_close(&s);
}

TEST(a_body_that_cannot_be_synced_is_not_kept)
{
    struct store s = store_at(temp_dir(), DURABLE_POWER);
    struct blob_sink *sink = blob_sink_open(s.blobs);
    int64_t id;
    CHECK_OK(blob_sink_write(sink, big()));
    disk_full = true;
    CHECK_FAULT(blob_sink_sync(sink), FAULT_INTERNAL);
    CHECK_FAULT(blob_sink_keep(sink, &id), FAULT_INTERNAL);
    disk_full = false;
    CHECK_INT(files(&s), 0);
    store_close(&s);
}

/* Runs `work` in a process that is then killed. */
static void killed(void (*work)(char *dir), char *dir)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        work(dir);
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void die_half_way(char *dir)
{
    struct store s = store_at(dir, DURABLE_PROCESS);
    put(&s, big());
    put(&s, S("small"));
    CHECK_OK(turn_end(&s));
    put(&s, big());
    blob_unref(s.blobs, 1);
    CHECK_OK(blob_sink_write(blob_sink_open(s.blobs), big()));
}

TEST(a_start_sweeps_files_without_a_row_and_no_others)
{
    char *dir = temp_dir();
    killed(die_half_way, dir);
    struct store s = {.dir = dir};
    CHECK_INT(files(&s), 3);
    s = store_at(dir, DURABLE_PROCESS);
    CHECK_INT(files(&s), 1);
    CHECK_STR(whole(&s, 1), big());
    CHECK_STR(whole(&s, 2), S("small"));
    int64_t id = put(&s, big());
    CHECK_STR(whole(&s, id), big());
    CHECK_STR(whole(&s, 1), big());
    store_close(&s);
}

static int private_dirs(const char *root)
{
    int n = 0;
    DIR *d = opendir(root);
    for (struct dirent *e; d && (e = readdir(d));)
        n += strncmp(e->d_name, "headrace-", 9) == 0;
    if (d)
        closedir(d);
    return n;
}

static void die_ephemeral(char *dir)
{
    (void)dir;
    struct store s = store_at(NULL, DURABLE_PROCESS);
    put(&s, big());
}

TEST(an_ephemeral_store_has_a_directory_of_its_own_that_ends_with_it)
{
    char *root = temp_dir();
    mkdir(root, 0700);
    setenv("TMPDIR", root, 1);
    struct store s = store_at(NULL, DURABLE_PROCESS);
    put(&s, S("small"));
    CHECK_INT(private_dirs(root), 0);
    int64_t id = put(&s, big());
    CHECK_INT(private_dirs(root), 1);
    CHECK_STR(whole(&s, id), big());
    /* Another one starts: what is in use stays, what a dead one left goes. */
    killed(die_ephemeral, NULL);
    CHECK_INT(private_dirs(root), 2);
    struct store t = store_at(NULL, DURABLE_PROCESS);
    CHECK_INT(private_dirs(root), 1);
    CHECK_STR(whole(&s, id), big());
    store_close(&t);
    store_close(&s);
    CHECK_INT(private_dirs(root), 0);
    unsetenv("TMPDIR");
    free(root);
}

TEST(strangers_in_the_temporary_directory_are_left_alone)
{
    char *root = temp_dir(), path[512];
    mkdir(root, 0700);
    snprintf(path, sizeof path, "%s/headrace-mine", root);
    mkdir(path, 0700);
    setenv("TMPDIR", root, 1);
    struct store s = store_at(NULL, DURABLE_PROCESS);
    CHECK_INT(private_dirs(root), 1);
    store_close(&s);
    unsetenv("TMPDIR");
    free(root);
}

TEST(a_directory_that_cannot_hold_bodies_is_refused)
{
    char *dir = temp_dir(), *message = NULL, path[512];
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    CHECK(db != NULL);
    snprintf(path, sizeof path, "%s/blobs", dir);
    CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(blobs_open(db, dir, DURABLE_PROCESS, &message) == NULL);
    CHECK(message && strstr(message, path));
    free(message);
    db_close(db);
    free(dir);
}

TEST(a_file_that_is_pinned_stays_until_the_last_pin_goes)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t id, other;
    CHECK_OK(blob_put(s.blobs, big(), &id));
    CHECK_OK(blob_put(s.blobs, big(), &other));
    CHECK_OK(turn_end(&s));
    struct blob_pin *one = blob_pin(s.blobs, (int64_t[]){other, id}, 2),
                    *two = blob_pin(s.blobs, &id, 1);
    blob_unref(s.blobs, id);
    int fd = blob_pin_fd(one, id); /* gone, but not committed */
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_OK(turn_end(&s));
    blob_pin_end(one);
    CHECK_OK(turn_end(&s));
    fd = blob_pin_fd(two, id);
    CHECK(fd >= 0 && close(fd) == 0);
    blob_pin_end(two);
    CHECK_OK(turn_end(&s));
    two = blob_pin(s.blobs, (int64_t[]){id, other}, 2);
    CHECK_INT(blob_pin_fd(two, id), -1);
    fd = blob_pin_fd(two, other);
    CHECK(fd >= 0 && close(fd) == 0);
    blob_pin_end(two);
    store_close(&s);
}

static void check_pinned_bytes(struct store *s, struct blob_pin *pin, int64_t id, str expected)
{
    char bytes[64] = {0};
    str row;
    int fd = blob_pin_fd(pin, id);
    if (fd < 0) {
        CHECK_OK(blob_read(s->blobs, arena, id, 0, sizeof bytes, &row));
        CHECK_STR(row, expected);
        return;
    }
    CHECK_INT(pread(fd, bytes, sizeof bytes, 0), expected.n);
    CHECK_STR(str_of(bytes), expected);
    CHECK(close(fd) == 0);
}

TEST(a_row_that_is_pinned_becomes_a_file_when_it_is_deleted)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    int64_t id, kept;
    CHECK_OK(blob_put(s.blobs, S("small"), &id));
    CHECK_OK(blob_put(s.blobs, S("other"), &kept));
    CHECK_OK(turn_end(&s));
    struct blob_pin *pin = blob_pin(s.blobs, (int64_t[]){kept, id}, 2);
    db_savepoint(s.db);
    blob_unref(s.blobs, id);
    check_pinned_bytes(&s, pin, id, S("small"));
    db_rollback(s.db);
    CHECK_OK(turn_end(&s));
    check_pinned_bytes(&s, pin, id, S("small"));
    CHECK_INT(files(&s), 0); /* for its row is there again */
    blob_unref(s.blobs, id);
    CHECK_OK(turn_end(&s));
    CHECK_INT(files(&s), 1);
    check_pinned_bytes(&s, pin, id, S("small"));
    check_pinned_bytes(&s, pin, kept, S("other"));
    blob_pin_end(pin);
    CHECK_OK(turn_end(&s));
    CHECK_INT(files(&s), 0);
    blob_unref(s.blobs, kept);
    CHECK_OK(turn_end(&s));
    CHECK_INT(files(&s), 0);
    store_close(&s);
}

static void take_file(void *user, int fd)
{
    *(int *)user = fd;
}

TEST(a_large_file_that_is_dropped_has_lost_its_name_when_its_descriptor_is_to_be_closed)
{
    struct store s = store_at(temp_dir(), DURABLE_PROCESS);
    struct stat st;
    int held = -1;
    static char zeros[9 << 20];
    int64_t large = put(&s, (str){zeros, sizeof zeros}), small = put(&s, (str){zeros, 100000});
    blobs_release_by(s.blobs, take_file, &held);
    CHECK_OK(turn_end(&s));
    blob_unref(s.blobs, large);
    blob_unref(s.blobs, small);
    CHECK_INT(held, -1);
    CHECK_OK(turn_end(&s));
    CHECK(fstat(held, &st) == 0 && st.st_nlink == 0 && st.st_size == 9 << 20);
    close(held);
    store_close(&s);
}

UNIT_MAIN
