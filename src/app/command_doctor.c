/* app/command_doctor.c - `headrace doctor`: is the data directory sound? Prints a line a finding
 * and a summary. With --repair the store mends what costs nothing; then what can never be read
 * again, because its body is gone, is taken out of S3, and named. */
#include "app/command.h"
#include "app/options.h"

#include "base/log.h"
#include "s3/lost.h"
#include "store/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lost { /* numbers of bodies that cannot be read */
    int64_t *at;
    size_t n;
};

static void on_finding(void *user, const struct doctor_finding *finding)
{
    struct lost *lost = user;
    printf("%s%s\n", finding->text, finding->repaired ? ": removed" : "");
    if (finding->kind != DOCTOR_MISSING_FILE && finding->kind != DOCTOR_WRONG_SIZE &&
        finding->kind != DOCTOR_WRONG_CONTENT)
        return;
    lost->at = xrealloc(lost->at, (lost->n + 1) * sizeof *lost->at);
    lost->at[lost->n++] = finding->id;
}

static void print_summary(const struct doctor_summary *s)
{
    int64_t left = s->findings - s->repaired;
    printf("database %lld bytes, log %lld bytes; %lld bodies of %lld bytes, %lld of them files of "
           "%lld bytes\n",
           (long long)s->database_bytes, (long long)s->log_bytes, (long long)s->bodies,
           (long long)s->body_bytes, (long long)s->files, (long long)s->file_bytes);
    if (s->findings == 0)
        puts("nothing is wrong");
    else if (left == 0)
        printf("%lld findings, all mended\n", (long long)s->findings);
    else
        printf("%lld findings, %lld mended\n", (long long)s->findings, (long long)s->repaired);
}

static void on_lost(void *user, str what)
{
    (void)user;
    printf("%.*s: its body is lost: removed\n", STR_ARG(what));
}

static bool drop(struct db *db, struct blobs *blobs, const struct lost *lost)
{
    struct s3_hooks none = {0};
    struct s3 *s3 = s3_open(db, blobs, &none);
    struct arena *arena = arena_new();
    struct ctx ctx = {.arena = arena};
    err e = OK;
    size_t n;
    db_savepoint(db);
    for (size_t i = 0; i < lost->n && !failed(e); i++)
        e = s3_lost_drop(s3, &ctx, lost->at[i], on_lost, NULL, &n);
    db_release(db);
    if (failed(db_turn_commit(db)))
        e = FAIL(FAULT_INTERNAL);
    blobs_turn_ended(blobs, !failed(e));
    arena_free(arena);
    s3_close(s3);
    return !failed(e);
}

static void drop_lost(const char *dir, const struct lost *lost, struct doctor_summary *summary)
{
    char *message = NULL;
    struct db *db = db_open(dir, DURABLE_POWER, &message);
    struct blobs *blobs = db ? blobs_open(db, dir, DURABLE_POWER, &message) : NULL;
    if (blobs && drop(db, blobs, lost))
        summary->repaired += (int64_t)lost->n;
    else
        command_fail("%s", message ? message : "the directory cannot be written");
    free(message);
    blobs_close(blobs);
    db_close(db);
}

static int examine(str dir, bool repair)
{
    struct doctor_summary summary;
    struct lost lost = {0};
    char *message = NULL, *path = xstrdup(dir);
    int code = 2;
    if (doctor_examine(path, repair, on_finding, &lost, &summary, &message)) {
        if (repair && lost.n)
            drop_lost(path, &lost, &summary);
        print_summary(&summary);
        code = summary.findings > summary.repaired;
    } else {
        command_fail("%s", message);
    }
    free(lost.at);
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
