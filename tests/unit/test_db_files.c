/* Rules of store/db about its files: opening, refusing, migrating, surviving, checkpointing. */
#include "unit.h"

#include "notes.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* The message with which opening fails; free() it. */
static char *refusal(const char *dir)
{
    char *message = NULL;
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    CHECK(db == NULL);
    CHECK(message != NULL);
    return message;
}

static void check_refused(const char *dir, const char *part)
{
    char *message = refusal(dir);
    if (!strstr(message, part))
        print_error("  message: %s\n", message);
    CHECK(strstr(message, part) != NULL);
    CHECK(strstr(message, dir) != NULL);
    free(message);
}

TEST(the_directory_is_private_and_committed_rows_are_there_after_a_restart)
{
    char *dir = temp_dir(), *deep = NULL;
    struct stat st;
    CHECK(asprintf(&deep, "%s/a/b/", dir) > 0);
    struct db *db = open_ok(deep, DURABLE_PROCESS);
    CHECK(stat(deep, &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(db_dir(db)[strlen(db_dir(db)) - 1] == 'b');
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    add_in_savepoint(db, 2, true);
    db_close(db);
    db = open_ok(deep, DURABLE_POWER);
    CHECK_INT(count(db), 2);
    db_close(db);
    free(deep);
    free(dir);
}

TEST(a_second_process_is_refused_and_told_who_holds_the_directory)
{
    char *dir = temp_dir(), holder[64];
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    snprintf(holder, sizeof holder, "in use by process %d", (int)getpid());
    check_refused(dir, holder);
    db_close(db);
    db_close(open_ok(dir, DURABLE_PROCESS));
    free(dir);
}

static void overwrite(const char *dir, off_t at, const char *bytes, size_t n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/headrace.db", dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n);
    close(fd);
}

static char *filled_directory(void)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    for (int i = 1; i <= 400; i++)
        CHECK_OK(
            add(db, i,
                S("a text of some length, so that there are several pages of rows in the table")));
    db_close(db);
    return dir;
}

TEST(a_file_that_is_no_database_is_refused)
{
    char *dir = temp_dir();
    mkdir(dir, 0700);
    overwrite(dir, 0, "this is a text and not a database, and it is long enough", 56);
    check_refused(dir, "not a database");
    free(dir);
}

TEST(a_database_whose_first_page_never_reached_the_disk_is_made_anew)
{
    char *dir = temp_dir(), zeros[4096] = {0};
    mkdir(dir, 0700);
    overwrite(dir, 0, zeros, sizeof zeros);
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    db_close(db);
    db = open_ok(dir, DURABLE_PROCESS);
    CHECK_INT(count(db), 1);
    db_close(db);
    free(dir);
}

TEST(a_truncated_database_is_refused)
{
    char *dir = filled_directory(), path[512];
    snprintf(path, sizeof path, "%s/headrace.db", dir);
    CHECK(truncate(path, 8192) == 0);
    check_refused(dir, "truncated");
    CHECK(truncate(path, 50) == 0);
    check_refused(dir, "truncated");
    free(dir);
}

TEST(a_damaged_page_is_noticed_at_the_start)
{
    char *dir = filled_directory(), noise[512];
    memset(noise, 0xA5, sizeof noise);
    overwrite(dir, 3 * 4096, noise, sizeof noise);
    check_refused(dir, "damaged");
    free(dir);
}

TEST(a_database_of_another_program_is_refused)
{
    char *dir = temp_dir(), path[512];
    sqlite3 *other;
    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/headrace.db", dir);
    CHECK(sqlite3_open(path, &other) == SQLITE_OK);
    CHECK(sqlite3_exec(other, "CREATE TABLE t(x)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(other);
    check_refused(dir, "another program");
    free(dir);
}

TEST(a_directory_that_cannot_be_made_is_refused)
{
    char *message = refusal("/proc/no/such/place");
    CHECK(strstr(message, "cannot create the data directory /proc/no") != NULL);
    free(message);
}

TEST(migrations_run_once_each_and_go_on_from_where_they_were)
{
    static const char *const steps[] = {"CREATE TABLE a(x)",
                                        "CREATE TABLE b(x); INSERT INTO b VALUES(1)",
                                        "INSERT INTO b VALUES(2)"};
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    db_migrate(db, "m", steps, 2);
    db_migrate(db, "m", steps, 2);
    db_close(db);
    db = open_ok(dir, DURABLE_PROCESS);
    db_migrate(db, "m", steps, 3);
    struct stmt *stmt = db_sql(db, "SELECT count(*), sum(x) FROM b");
    CHECK(stmt_row(stmt));
    CHECK_INT(col_int(stmt, 0), 2);
    CHECK_INT(col_int(stmt, 1), 3);
    stmt_done(stmt);
    db_close(db);
    free(dir);
}

/* What a child process does with a directory, and how it ended. */
static int in_child(void (*work)(const char *dir), const char *dir)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "w", stderr);
        work(dir);
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static void migrate_back(const char *dir)
{
    char *message;
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    db_migrate(db, "test", notes, 0);
}

TEST(tables_of_a_newer_version_end_the_program_with_a_message)
{
    char *dir = filled_directory();
    int status = in_child(migrate_back, dir);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    free(dir);
}

/* Too large to be checked whole at the start. */
static char *large_directory(void)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    for (int i = 1; i <= 3000; i++) {
        struct stmt *stmt = db_sql(db, "INSERT INTO note(id, bytes) VALUES(?, zeroblob(2000))");
        bind_int(stmt, 1, i);
        CHECK_OK(stmt_run(stmt));
    }
    db_close(db);
    return dir;
}

static void read_all(const char *dir)
{
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    struct stmt *stmt = db_sql(db, "SELECT sum(length(bytes) + id) FROM note");
    stmt_row(stmt);
}

TEST(damage_met_later_stops_the_program_with_a_message)
{
    char *dir = large_directory(), noise[4096];
    memset(noise, 0x77, sizeof noise);
    overwrite(dir, 700 * 4096, noise, sizeof noise);
    int status = in_child(read_all, dir);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    free(dir);
}

static void commit_one_leave_one(const char *dir)
{
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    add_in_savepoint(db, 2, true);
}

TEST(a_killed_process_keeps_what_it_committed_and_no_more)
{
    char *dir = temp_dir();
    int status = in_child(commit_one_leave_one, dir);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    CHECK_INT(count(db), 1);
    db_close(db);
    free(dir);
}

static int64_t rows_after_power_loss(const char *dir)
{
    char *copy = temp_dir();
    mkdir(copy, 0700);
    faulty_survivors(dir, copy);
    struct db *db = open_ok(copy, DURABLE_PROCESS);
    int64_t n = count(db);
    db_close(db);
    free(copy);
    return n;
}

TEST(with_durability_power_a_power_loss_takes_nothing_that_was_committed)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_POWER);
    for (int i = 1; i <= 20; i++) {
        add_in_savepoint(db, i, true);
        CHECK_OK(db_turn_commit(db));
        if (i % 7 == 0)
            db_checkpoint(db, i == 14);
        CHECK_INT(rows_after_power_loss(dir), i);
    }
    db_close(db);
    free(dir);
}

/* The other half of the promise: without it recent turns may go, but never a part of one, and never
 * the database. */
TEST(with_durability_process_a_power_loss_leaves_an_earlier_state_that_is_whole)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    int64_t before = 0;
    for (int i = 1; i <= 40; i += 2) {
        int syncs = faulty_syncs();
        add_in_savepoint(db, i, true);
        add_in_savepoint(db, i + 1, true);
        CHECK_OK(db_turn_commit(db));
        /* The log's header is synced when a log begins, at the start and after a checkpoint; else
         * nothing is. */
        if (i % 13 != 2 && i != 1)
            CHECK_INT(faulty_syncs(), syncs);
        if (i % 13 == 0)
            db_checkpoint(db, true);
        int64_t left = rows_after_power_loss(dir);
        CHECK(left % 2 == 0 && left <= i + 1 && left >= before);
        before = left;
    }
    db_close(db);
    free(dir);
}

TEST(a_checkpoint_empties_the_log_and_says_when_it_is_due)
{
    char *dir = temp_dir();
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    CHECK_INT(db_checkpoint_due(db), DB_CHECKPOINT_NONE);
    struct stmt *stmt = db_sql(db, "INSERT INTO note(bytes) VALUES(zeroblob(9000000))");
    CHECK_OK(stmt_run(stmt));
    CHECK_OK(db_turn_commit(db));
    CHECK(db_wal_size(db) > 9000000);
    CHECK_INT(db_checkpoint_due(db), DB_CHECKPOINT_COPY);
    db_checkpoint(db, false);
    CHECK_INT(db_checkpoint_due(db), DB_CHECKPOINT_NONE);
    add_in_savepoint(db, 100, true);
    CHECK_OK(db_turn_commit(db));
    CHECK(db_wal_size(db) < 100000);
    for (int i = 0; i < 8; i++)
        CHECK_OK(stmt_run(db_sql(db, "INSERT INTO note(bytes) VALUES(zeroblob(9000000))")));
    CHECK_OK(db_turn_commit(db));
    CHECK_INT(db_checkpoint_due(db), DB_CHECKPOINT_RESET);
    db_checkpoint(db, true);
    CHECK_INT(db_checkpoint_due(db), DB_CHECKPOINT_NONE);
    CHECK_INT(count(db), 10);
    db_close(db);
    free(dir);
}

struct checkpoints {
    struct db *db;
    _Atomic bool stop;
    _Atomic int done;
};

static void *checkpoint_again_and_again(void *arg)
{
    struct checkpoints *c = arg;
    for (; !c->stop; c->done++)
        db_checkpoint(c->db, c->done % 2);
    return NULL;
}

TEST(commits_and_checkpoints_of_another_thread_do_not_disturb_each_other)
{
    char *dir = temp_dir();
    struct checkpoints c = {.db = open_ok(dir, DURABLE_PROCESS)};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, checkpoint_again_and_again, &c) == 0);
    while (!c.done) /* on a busy machine the commits may be over before it begins */
        sched_yield();
    for (int i = 1; i <= 2000; i++) {
        add_in_savepoint(c.db, i, true);
        CHECK_OK(db_turn_commit(c.db));
        CHECK_INT(count(c.db), i);
    }
    c.stop = true;
    pthread_join(thread, NULL);
    db_close(c.db);
    struct db *db = open_ok(dir, DURABLE_PROCESS);
    CHECK_INT(count(db), 2000);
    db_close(db);
    free(dir);
}

TEST(in_memory_there_is_no_log_and_nothing_to_checkpoint)
{
    struct db *db = open_ok(NULL, DURABLE_POWER);
    add_in_savepoint(db, 1, true);
    CHECK_OK(db_turn_commit(db));
    db_checkpoint(db, true);
    CHECK_INT(db_wal_size(db), 0);
    CHECK(db_dir(db) == NULL);
    db_close(db);
    db_close(NULL);
}

UNIT_MAIN
