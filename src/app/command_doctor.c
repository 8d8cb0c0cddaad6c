/* app/command_doctor.c - `headrace doctor`: is the data directory sound? The store examines pages,
 * bodies and files; where the pages are sound S3 and SQS then compare every body with what their
 * tables say of it. Prints a line a finding and a summary. With --repair the store mends what costs
 * nothing; then what can never be read again as it was stored is taken away, and named. */
#include "app/command.h"
#include "app/doctor_mend.h"
#include "app/options.h"

#include "base/log.h"
#include "s3/examine.h"
#include "sqs/examine.h"
#include "store/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_STEP (64LL << 20) /* bytes between two looks at the progress: about 0.1 s */

struct examination {
    struct doctor_summary summary;
    struct doctor_damage damage;
    struct examine_sum sum;
    struct doctor_numbers *rows; /* where findings of the engine that is at work belong */
    bool damaged_pages, compared;
    int64_t bytes, told, total; /* compared; when last shown; to be compared */
};

static void on_finding(void *user, const struct doctor_finding *finding)
{
    struct examination *x = user;
    printf("%s%s\n", finding->text, finding->repaired ? ": removed" : "");
    x->damaged_pages |= finding->kind == DOCTOR_DAMAGED_PAGE;
    if (finding->kind == DOCTOR_MISSING_FILE || finding->kind == DOCTOR_WRONG_SIZE ||
        finding->kind == DOCTOR_WRONG_CONTENT)
        doctor_numbers_add(&x->damage.bodies, finding->id);
}

/* ---- what the engines keep ---- */

/* The store tells of bodies in the order of their numbers. */
static bool lost(void *user, int64_t blob)
{
    const struct doctor_numbers *bodies = &((struct examination *)user)->damage.bodies;
    size_t low = 0, high = bodies->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bodies->at[middle] < blob)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bodies->n && bodies->at[low] == blob;
}

static bool shows_progress(const struct examination *x)
{
    return x->total >= PROGRESS_STEP && isatty(STDERR_FILENO);
}

static void clear_progress(const struct examination *x)
{
    if (shows_progress(x))
        fputs("\r\x1b[K", stderr);
}

static void on_progress(void *user, int64_t bytes)
{
    struct examination *x = user;
    x->bytes += bytes;
    if (x->bytes - x->told < PROGRESS_STEP || !shows_progress(x))
        return;
    x->told = x->bytes;
    fprintf(stderr, "\r%.1f of %.1f GB compared\x1b[K", (double)x->bytes / 1e9,
            (double)x->total / 1e9);
}

static void on_damage(void *user, const struct examine_finding *finding)
{
    struct examination *x = user;
    clear_progress(x);
    printf("%s", finding->known ? "  " : "");
    doctor_print(finding->what, finding->trouble);
    if (finding->known)
        return;
    x->summary.findings++;
    if (finding->row)
        doctor_numbers_add(x->rows, finding->row);
}

static void compare(struct examination *x, const char *dir)
{
    struct doctor_store store;
    char *message = NULL;
    struct examine_ask ask = {x, lost, on_damage, on_progress};
    if (!doctor_open(dir, &store, &message)) {
        printf("%s: its bodies are not compared\n", message);
        free(message);
        return;
    }
    x->total = s3_examine_size(store.db) + sqs_examine_size(store.db);
    x->rows = &x->damage.s3;
    x->compared = s3_examine(store.db, store.blobs, &ask, &x->sum);
    x->rows = &x->damage.sqs;
    x->compared = sqs_examine(store.db, &ask, &x->sum) && x->compared;
    clear_progress(x);
    if (!x->compared)
        printf("%s: not all of its bodies could be compared\n", dir);
    doctor_close(&store);
}

static void print_summary(const struct examination *x)
{
    const struct doctor_summary *s = &x->summary;
    int64_t left = s->findings - s->repaired;
    printf("database %lld bytes, log %lld bytes; %lld bodies of %lld bytes, %lld of them files of "
           "%lld bytes\n",
           (long long)s->database_bytes, (long long)s->log_bytes, (long long)s->bodies,
           (long long)s->body_bytes, (long long)s->files, (long long)s->file_bytes);
    if (x->compared)
        printf("%lld objects, parts and messages of %lld bytes compared with their digests, %lld "
               "have none\n",
               (long long)x->sum.compared, (long long)x->bytes, (long long)x->sum.uncompared);
    if (s->findings == 0)
        puts("nothing is wrong");
    else if (left == 0)
        printf("%lld findings, all mended\n", (long long)s->findings);
    else
        printf("%lld findings, %lld mended\n", (long long)s->findings, (long long)s->repaired);
}

static void mend(struct examination *x, const char *dir)
{
    int64_t n = (int64_t)(x->damage.bodies.n + x->damage.s3.n + x->damage.sqs.n);
    if (n && doctor_mend(dir, &x->damage))
        x->summary.repaired += n;
}

static int examine(str dir, bool repair)
{
    struct examination x = {0};
    char *message = NULL, *path = xstrdup(dir);
    int code = 2;
    if (doctor_examine(path, repair, on_finding, &x, &x.summary, &message)) {
        if (!x.damaged_pages)
            compare(&x, path);
        if (repair)
            mend(&x, path);
        print_summary(&x);
        code = x.summary.findings > x.summary.repaired;
    } else {
        command_fail("%s", message);
    }
    doctor_damage_free(&x.damage);
    free(message);
    free(path);
    return code;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

int command_doctor(int argc, char **argv)
{
    struct options options;
    str message = STR_NONE;
    bool repair = false;
    int n = 0;
    char **rest = xalloc(((size_t)argc + 1) * sizeof *rest);
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--repair") == 0)
            repair = true;
        else
            rest[n++] = argv[i];
    int code = options_read(&options, n, rest, environment, &message)
                   ? examine(options.data_dir, repair)
                   : command_fail("%.*s", STR_ARG(message));
    options_free(&options);
    free(rest);
    return code;
}
