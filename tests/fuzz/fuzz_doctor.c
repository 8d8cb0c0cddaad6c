/* However a data directory is damaged, the doctor tells and returns; it mends nothing while pages
 * are damaged, and whatever it mends stays mended. How many faults SQLite counts in one damaged
 * page is no rule: it stops at the first cell that leads nowhere, and that may lie past the page.
 * The input damages (damage.h) the database file of a good directory; after 's' it is SQL that is
 * run in it. */
#include "store/blob.h"
#include "store/doctor.h"

#include "base/log.h"
#include "damage.h"

#include <ftw.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[] = "/dev/shm/headrace-doctor-XXXXXX", file[64];
static struct image good, body;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_all(void)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *body_path(void)
{
    static char path[80];
    snprintf(path, sizeof path, "%s/blobs/01/1", dir);
    return path;
}

static void make_good(void)
{
    static char large[70000];
    char *message = NULL;
    int64_t id;
    if (!mkdtemp(dir) || atexit(remove_all))
        abort();
    snprintf(file, sizeof file, "%s/headrace.db", dir);
    struct db *db = db_open(dir, DURABLE_PROCESS, &message);
    struct blobs *blobs = db ? blobs_open(db, dir, DURABLE_PROCESS, &message) : NULL;
    if (!blobs || failed(blob_put(blobs, (str){large, sizeof large}, &id)) ||
        failed(blob_put(blobs, S("small"), &id)) || failed(db_turn_commit(db)))
        abort();
    blobs_close(blobs);
    db_close(db);
    good = image_read(file);
    body = image_read(body_path());
}

/* As it was, whatever the last input did to it. */
static void restore(const uint8_t *data, size_t n)
{
    static const char *const beside[] = {"-wal", "-shm", "-journal"};
    char path[80];
    struct image image = image_copy(&good);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        snprintf(path, sizeof path, "%s%s", file, beside[i]);
        unlink(path);
    }
    if (access(body_path(), F_OK))
        image_write(&body, body_path());
    if (!n || data[0] != 's')
        image_damage(&image, data, n);
    image_write(&image, file);
    free(image.at);
}

static void on_found(void *user, const struct doctor_finding *finding)
{
    bool *damaged = user;
    *damaged = *damaged || finding->kind == DOCTOR_DAMAGED_PAGE;
}

static bool examine(bool repair, struct doctor_summary *summary, bool *damaged)
{
    char *message = NULL;
    *damaged = false;
    bool opened = doctor_examine(dir, repair, on_found, damaged, summary, &message);
    if (!opened && !(message && *message))
        abort();
    free(message);
    return opened;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct doctor_summary first, second;
    bool damaged, still;
    log_set_level(LOG_ERROR);
    if (!good.at)
        make_good();
    restore(data, n);
    if (n && data[0] == 's')
        script_run(file, (str){(const char *)data + 1, n - 1});
    if (!examine(true, &first, &damaged))
        return 0;
    if (damaged ? first.repaired > 0
                : examine(false, &second, &still) &&
                      (still || second.findings > first.findings - first.repaired))
        abort();
    return 0;
}
