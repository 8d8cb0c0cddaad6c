/* Rules of store/doctor. */
#include "unit.h"

#include "store/blob.h"
#include "store/doctor.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct {
    int n[DOCTOR_LEFTOVER + 1];
    int64_t id;
    char text[512];
} seen;

static void on_found(void *user, const struct doctor_finding *finding)
{
    CHECK(user == &seen);
    seen.n[finding->kind]++;
    seen.id = finding->id;
    snprintf(seen.text, sizeof seen.text, "%s", finding->text);
}

static struct doctor_summary examine(const char *dir, bool repair)
{
    struct doctor_summary summary;
    char *message = NULL;
    memset(&seen, 0, sizeof seen);
    CHECK(doctor_examine(dir, repair, on_found, &seen, &summary, &message));
    return summary;
}

/* Bodies 1 (300,000 bytes, a file), 2 ("small") and 3 (a file). */
static char *directory(void)
{
    char *dir = temp_dir(), *message = NULL, *big = calloc(1, 300000);
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    CHECK(db && big);
    struct blobs *blobs = blobs_open(db, dir, DURABLE_PROCESS, &message);
    int64_t id;
    CHECK_OK(blob_put(blobs, (str){big, 300000}, &id));
    CHECK_OK(blob_put(blobs, S("small"), &id));
    CHECK_OK(blob_put(blobs, (str){big, 100000}, &id));
    CHECK_OK(db_turn_commit(db));
    blobs_close(blobs);
    db_close(db);
    free(big);
    return dir;
}

static void file_of(const char *dir, const char *name, char *out, size_t n)
{
    snprintf(out, n, "%s/blobs/%s", dir, name);
}

static void create(const char *dir, const char *name)
{
    char path[512];
    file_of(dir, name, path, sizeof path);
    CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
}

static bool there(const char *dir, const char *name)
{
    char path[512];
    file_of(dir, name, path, sizeof path);
    return access(path, F_OK) == 0;
}

TEST(a_sound_directory_has_no_findings)
{
    char *dir = directory();
    struct doctor_summary s = examine(dir, true);
    CHECK_INT(s.findings, 0);
    CHECK_INT(s.bodies, 3);
    CHECK_INT(s.body_bytes, 400005);
    CHECK_INT(s.files, 2);
    CHECK_INT(s.file_bytes, 400000);
    CHECK(s.database_bytes > 0);
    free(dir);
}

TEST(missing_and_cut_files_are_told_and_not_mended)
{
    char *dir = directory(), path[512];
    file_of(dir, "01/1", path, sizeof path);
    CHECK(unlink(path) == 0);
    struct doctor_summary s = examine(dir, true);
    CHECK_INT(s.findings, 1);
    CHECK_INT(s.repaired, 0);
    CHECK_INT(seen.n[DOCTOR_MISSING_FILE], 1);
    CHECK_INT(seen.id, 1);
    CHECK(strstr(seen.text, path) != NULL);
    create(dir, "01/1");
    s = examine(dir, true);
    CHECK_INT(seen.n[DOCTOR_WRONG_SIZE], 1);
    CHECK(there(dir, "01/1"));
    free(dir);
}

TEST(files_without_a_row_are_told_and_removed_only_on_repair)
{
    char *dir = directory(), path[512];
    create(dir, "new/0");
    create(dir, "01/257");
    create(dir, "01/3");
    create(dir, "03/text");
    file_of(dir, "02", path, sizeof path);
    mkdir(path, 0700);
    create(dir, "02/2");
    struct doctor_summary s = examine(dir, false);
    CHECK_INT(s.findings, 5);
    CHECK_INT(s.repaired, 0);
    CHECK_INT(seen.n[DOCTOR_LEFTOVER], 1);
    CHECK_INT(seen.n[DOCTOR_ORPHAN_FILE], 4);
    CHECK(there(dir, "new/0") && there(dir, "01/257"));
    s = examine(dir, true);
    CHECK_INT(s.repaired, 5);
    CHECK(!there(dir, "new/0") && !there(dir, "01/257") && !there(dir, "01/3") &&
          there(dir, "01/1") && there(dir, "03/3"));
    CHECK_INT(examine(dir, false).findings, 0);
    free(dir);
}

TEST(what_a_link_leads_to_is_left_alone)
{
    char *dir = directory(), path[512], *elsewhere = temp_dir();
    CHECK(mkdir(elsewhere, 0700) == 0);
    char theirs[600];
    snprintf(theirs, sizeof theirs, "%s/theirs", elsewhere);
    CHECK(close(open(theirs, O_CREAT | O_WRONLY, 0600)) == 0);
    file_of(dir, "ab", path, sizeof path);
    CHECK(symlink(elsewhere, path) == 0);
    struct doctor_summary s = examine(dir, true);
    CHECK_INT(s.repaired, 1);
    CHECK_INT(seen.n[DOCTOR_ORPHAN_FILE], 1);
    CHECK(!there(dir, "ab"));
    CHECK(access(theirs, F_OK) == 0);
    free(elsewhere);
    free(dir);
}

TEST(damage_is_told_and_then_nothing_is_touched)
{
    char *dir = directory(), path[512], noise[2048];
    create(dir, "01/257");
    snprintf(path, sizeof path, "%s/headrace.db", dir);
    memset(noise, 0x5A, sizeof noise);
    int fd = open(path, O_WRONLY);
    CHECK(pwrite(fd, noise, sizeof noise, 2 * 4096) == sizeof noise);
    close(fd);
    struct doctor_summary s = examine(dir, true);
    CHECK(s.findings > 0 && seen.n[DOCTOR_DAMAGED_PAGE] == s.findings);
    CHECK_INT(s.repaired, 0);
    CHECK(there(dir, "01/257"));
    free(dir);
}

TEST(what_is_no_data_directory_is_refused_and_not_made)
{
    char *dir = temp_dir(), *message = NULL;
    struct doctor_summary s;
    CHECK(!doctor_examine(dir, true, NULL, NULL, &s, &message));
    CHECK(message && strstr(message, dir));
    CHECK(access(dir, F_OK) != 0);
    free(message);
    free(dir);
}

TEST(a_directory_in_use_is_refused)
{
    char *dir = directory(), *message = NULL;
    struct doctor_summary s;
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    CHECK(!doctor_examine(dir, true, NULL, NULL, &s, &message));
    CHECK(message && strstr(message, "in use"));
    free(message);
    db_close(db);
    free(dir);
}

UNIT_MAIN
