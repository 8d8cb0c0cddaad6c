/* app/worker_options.c - one row an option; parsing and help are derived from it. */
#include "app/worker_options.h"

#include "app/options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { OPTION_STR, OPTION_INT, OPTION_FLAG };
enum option_of { OF_BOTH, OF_WORKER, OF_INGEST };

struct row {
    const char *flag, *variable, *value, *help;
    enum option_kind kind;
    enum option_of of;
    size_t offset;
    int64_t min, max;
};

#define AT(member) offsetof(struct worker_options, member)

static const struct row rows[] = {
    {"--jobs-queue-url", "JOBS_QUEUE_URL", "URL",
     "queue of jobs: the worker's input, ingest's output", OPTION_STR, OF_BOTH, AT(jobs_url), 0, 0},
    {"--results-queue-url", "RESULTS_QUEUE_URL", "URL", "queue for result messages", OPTION_STR,
     OF_WORKER, AT(results_url), 0, 0},
    {"--events-queue-url", "EVENTS_QUEUE_URL", "URL", "queue of S3 event messages: ingest's input",
     OPTION_STR, OF_INGEST, AT(events_url), 0, 0},
    {"--input", NULL, "jobs|s3-events",
     "what the jobs queue holds: jobs (default), or S3 event messages straight from a bucket",
     OPTION_STR, OF_WORKER, AT(input), 0, 0},
    {"--output-bucket", "OUTPUT_BUCKET", "NAME",
     "bucket for reports (ingest, and --input s3-events)", OPTION_STR, OF_BOTH, AT(output_bucket),
     0, 0},
    {"--prefix", "ALLOWED_PREFIX", "TEXT", "keys that are jobs (default incoming/)", OPTION_STR,
     OF_BOTH, AT(prefix), 0, 0},
    {"--suffix", "ALLOWED_SUFFIX", "TEXT", "their ending, in any case (default .txt)", OPTION_STR,
     OF_BOTH, AT(suffix), 0, 0},
    {"--output-prefix", NULL, "TEXT",
     "replaces the prefix in the report's key (default processed/)", OPTION_STR, OF_BOTH,
     AT(output_prefix), 0, 0},
    {"--max-bytes", "MAX_BYTES", "N", "larger objects are skipped (default 10485760)", OPTION_INT,
     OF_BOTH, AT(max_bytes), 0, INT64_MAX},
    {"--endpoint-url", NULL, "URL", "S3 and SQS endpoint (default: AWS_ENDPOINT_URL, else AWS)",
     OPTION_STR, OF_BOTH, AT(endpoint), 0, 0},
    {"--s3-endpoint-url", NULL, "URL", "S3 endpoint (default: AWS_ENDPOINT_URL_S3)", OPTION_STR,
     OF_BOTH, AT(s3_endpoint), 0, 0},
    {"--sqs-endpoint-url", NULL, "URL",
     "SQS endpoint (default: AWS_ENDPOINT_URL_SQS, else the host of the queue's URL)", OPTION_STR,
     OF_BOTH, AT(sqs_endpoint), 0, 0},
    {"--s3-addressing", NULL, "auto|path|virtual",
     "where the bucket stands (default auto: virtual on AWS, path elsewhere)", OPTION_STR, OF_BOTH,
     AT(addressing), 0, 0},
    {"--region", NULL, "NAME",
     "default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, the queue URL's, us-east-1",
     OPTION_STR, OF_BOTH, AT(region), 0, 0},
    {"--profile", NULL, "NAME", "profile of the shared files; beats keys in the environment",
     OPTION_STR, OF_BOTH, AT(profile), 0, 0},
    {"--ca-bundle", "AWS_CA_BUNDLE", "FILE", "certificates to trust (default: the system's)",
     OPTION_STR, OF_BOTH, AT(ca_bundle), 0, 0},
    {"--concurrency", "CONCURRENCY", "N", "messages in flight (default 8)", OPTION_INT, OF_BOTH,
     AT(concurrency), 1, 1000},
    {"--visibility-timeout", NULL, "SECONDS",
     "asked for at each receive and renewed half-way (default: the queue's)", OPTION_INT, OF_BOTH,
     AT(visibility), 1, 43200},
    {"--memory", NULL, "MIB", "bound of what messages in flight may hold (default 256)", OPTION_INT,
     OF_BOTH, AT(memory_mib), 1, 1048576},
    {"--max-attempts", "AWS_MAX_ATTEMPTS", "N", "of a call, the first included (default 3)",
     OPTION_INT, OF_BOTH, AT(max_attempts), 1, 100},
    {"--once", NULL, NULL, "do one message, then end", OPTION_FLAG, OF_BOTH, AT(once), 0, 0},
    {"--drain", NULL, NULL, "end when the queue is empty", OPTION_FLAG, OF_BOTH, AT(drain), 0, 0},
    {"--release-on-failure", NULL, NULL,
     "make a failed message visible at once, not after its timeout", OPTION_FLAG, OF_BOTH,
     AT(release), 0, 0},
    {"--metrics-port", "METRICS_PORT", "PORT", "serve /metrics and /health there", OPTION_INT,
     OF_BOTH, AT(metrics_port), 0, 65535},
    {"--metrics-host", NULL, "ADDRESS", "address to serve them on (default 127.0.0.1)", OPTION_STR,
     OF_BOTH, AT(metrics_host), 0, 0},
    {"--help", NULL, NULL, "print this", OPTION_FLAG, OF_BOTH, AT(help), 0, 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool applies(const struct row *row, bool ingest)
{
    return row->of == OF_BOTH || (row->of == OF_INGEST) == ingest;
}

static bool set(struct worker_options *options, struct arena *arena, const struct row *row,
                const char *name, str value, str *message)
{
    char *at = (char *)options + row->offset;
    int64_t number;
    if (row->kind == OPTION_FLAG) {
        *(bool *)(void *)at = true;
        return true;
    }
    if (row->kind == OPTION_STR) {
        *(str *)(void *)at = value;
        return true;
    }
    if (str_to_int(value, &number) && number >= row->min && number <= row->max) {
        *(int64_t *)(void *)at = number;
        return true;
    }
    *message = arena_printf(arena, "%s needs a number from %lld to %lld, not \"%.*s\"", name,
                            (long long)row->min, (long long)row->max, STR_ARG(value));
    return false;
}

static const struct row *row_of(str flag, bool ingest)
{
    for (size_t i = 0; i < ROWS; i++)
        if (applies(&rows[i], ingest) && str_eq(flag, str_of(rows[i].flag)))
            return &rows[i];
    return NULL;
}

static bool read_environment(struct worker_options *options, struct arena *arena, bool ingest,
                             str *message)
{
    for (size_t i = 0; i < ROWS; i++) {
        const char *value = rows[i].variable ? getenv(rows[i].variable) : NULL;
        if (value && *value && applies(&rows[i], ingest) &&
            !set(options, arena, &rows[i], rows[i].variable, str_of(value), message))
            return false;
    }
    return true;
}

static bool read_flags(struct worker_options *options, struct arena *arena, int argc, char **argv,
                       bool ingest, str *message)
{
    for (int i = 0; i < argc; i++) {
        str value = str_of(argv[i]), flag = str_cut(&value, '=');
        const struct row *row = row_of(flag, ingest);
        if (!row) {
            *message = arena_printf(arena, "unknown option %s (see headrace %s --help)", argv[i],
                                    ingest ? "ingest" : "worker");
            return false;
        }
        if (row->kind != OPTION_FLAG && !value.p && ++i < argc)
            value = str_of(argv[i]);
        if (row->kind == OPTION_FLAG ? value.p != NULL : !value.p) {
            *message = arena_printf(arena, "%s takes %s value", row->flag, value.p ? "no" : "a");
            return false;
        }
        if (!set(options, arena, row, row->flag, value, message))
            return false;
    }
    return true;
}

struct wanted {
    const char *flag;
    str value;
};

static bool complete(const struct worker_options *options, struct arena *arena, bool ingest,
                     str *message)
{
    bool direct = str_eq(options->input, S("s3-events"));
    struct wanted wanted[] = {
        {"--jobs-queue-url", options->jobs_url},
        {ingest ? "--events-queue-url" : "--results-queue-url",
         ingest ? options->events_url : options->results_url},
        {"--output-bucket", ingest || direct ? options->output_bucket : S("unused")},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!wanted[i].value.n) {
            *message = arena_printf(arena, "%s is missing (see headrace %s --help)", wanted[i].flag,
                                    ingest ? "ingest" : "worker");
            return false;
        }
    if (str_eq(wanted[0].value, wanted[1].value)) {
        *message = arena_printf(arena, "%s and %s are one queue; each needs its own",
                                wanted[0].flag, wanted[1].flag);
        return false;
    }
    if (!direct && !str_eq(options->input, S("jobs"))) {
        *message = S("--input is jobs or s3-events");
        return false;
    }
    if (!str_eq(options->addressing, S("auto")) && !str_eq(options->addressing, S("path")) &&
        !str_eq(options->addressing, S("virtual"))) {
        *message = S("--s3-addressing is auto, path or virtual");
        return false;
    }
    return true;
}

bool worker_options_read(struct worker_options *options, struct arena *arena, int argc, char **argv,
                         bool ingest, str *message)
{
    *options = (struct worker_options){
        .input = S("jobs"),
        .prefix = S("incoming/"),
        .suffix = S(".txt"),
        .output_prefix = S("processed/"),
        .addressing = S("auto"),
        .metrics_host = S("127.0.0.1"),
        .max_bytes = 10485760,
        .concurrency = 8,
        .memory_mib = 256,
        .max_attempts = 3,
        .metrics_port = -1,
    };
    if (!read_environment(options, arena, ingest, message) ||
        !read_flags(options, arena, argc, argv, ingest, message))
        return false;
    return options->help || complete(options, arena, ingest, message);
}

void worker_options_help(struct buf *b, bool ingest)
{
    buf_printf(
        b, "usage: headrace %s [OPTIONS]\n\n%s\n\noptions:\n", ingest ? "ingest" : "worker",
        ingest ? "Turns S3 event messages of a queue into jobs: the pipeline's first stage alone."
               : "Takes jobs from a queue, counts the objects, writes reports, sends results.");
    for (size_t i = 0; i < ROWS; i++) {
        if (!applies(&rows[i], ingest))
            continue;
        const char *variable = rows[i].variable;
        str left =
            arena_printf(b->arena, "%s %s", rows[i].flag, rows[i].value ? rows[i].value : "");
        str text = arena_printf(b->arena, "%s%s%s%s", rows[i].help, variable ? " [" : "",
                                variable ? variable : "", variable ? "]" : "");
        help_line(b, 37, left.p, text);
    }
    BUF_LIT(b,
            "\nCredentials come from the environment, ~/.aws, web identity, the container or the\n"
            "instance, as for every AWS SDK. Exit codes: 0 done, 1 broken, 2 wrong usage,\n"
            "3 --once or --drain ended with failed messages.\n");
}
