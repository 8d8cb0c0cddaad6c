/* pipeline/options.c - the first lab's settings, and which settings would never come to rest. */
#include "pipeline/options.h"

#include "pipeline/record.h"

struct pipeline_options pipeline_options_default(void)
{
    return (struct pipeline_options){
        .enabled = true,
        .workers = -1,
        .dropzone = S("dropzone"),
        .processed = S("processed"),
        .ingest_queue = S("ingest-queue"),
        .jobs_queue = S("jobs-queue"),
        .results_queue = S("results-queue"),
        .dead_letter_queue = S("jobs-dlq"),
        .prefix = S("incoming/"),
        .suffix = S(".txt"),
        .output_prefix = S("processed/"),
        .max_bytes = 10485760,
        .visibility = 60,
        .max_receives = 4,
    };
}

/* A queue in two roles feeds its own consumers. */
static str shared_queue(const struct pipeline_options *options, struct arena *arena)
{
    const str names[] = {options->ingest_queue, options->jobs_queue, options->results_queue,
                         options->dead_letter_queue};
    static const char *const flags[] = {"ingest-queue", "jobs-queue", "results-queue",
                                        "dead-letter-queue"};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(names[i], names[j]))
                return arena_printf(arena,
                                    "--%s and --%s are both %.*s; each needs a queue of its own",
                                    flags[j], flags[i], STR_ARG(names[i]));
    return STR_NONE;
}

str pipeline_options_fault(const struct pipeline_options *options, struct arena *arena)
{
    if (!options->enabled)
        return STR_NONE;
    str fault = shared_queue(options, arena);
    if (fault.p || !str_eq(options->dropzone, options->processed) ||
        !record_endless(options, arena))
        return fault;
    return arena_printf(arena,
                        "--dropzone and --processed are both %.*s, where reports (--output-prefix "
                        "\"%.*s\") would be jobs again (--prefix \"%.*s\", --suffix \"%.*s\"), "
                        "without end; use two buckets or another output prefix",
                        STR_ARG(options->dropzone), STR_ARG(options->output_prefix),
                        STR_ARG(options->prefix), STR_ARG(options->suffix));
}
