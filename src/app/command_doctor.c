/* app/command_doctor.c - `headrace doctor`: is the data directory sound? Prints a line a finding
 * and a summary. */
#include "app/command.h"
#include "app/options.h"

#include "store/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_finding(void *user, const struct doctor_finding *finding)
{
    (void)user;
    printf("%s%s\n", finding->text, finding->repaired ? ": removed" : "");
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

static int examine(str dir, bool repair)
{
    struct doctor_summary summary;
    char *message = NULL, *path = xstrdup(dir);
    int code = 2;
    if (doctor_examine(path, repair, print_finding, NULL, &summary, &message)) {
        print_summary(&summary);
        code = summary.findings > summary.repaired;
    } else {
        command_fail("%s", message);
    }
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
