/* pipeline/options.c - the first lab's settings. */
#include "pipeline/options.h"

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
