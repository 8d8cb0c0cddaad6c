/* Any message is read by ingest, worker and result reader, or refused; a job that is read and
 * written is read as the same job. */
#include "pipeline/job.h"
#include "pipeline/record.h"

#include "base/jsonin.h"
#include "base/rng.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must_be_json(struct arena *arena, str text)
{
    struct jsonin in = jsonin_of(arena, text);
    if (!jsonin_skip(&in) || !jsonin_end(&in))
        abort();
}

static void check_job(struct arena *arena, str body)
{
    struct job job, again;
    str missing = STR_NONE;
    if (job_read(arena, body, &job, &missing) != JOB_GOOD)
        return;
    str message = job_message(arena, &job, 1);
    must_be_json(arena, message);
    must_be_json(arena, job_log_processed(arena, &job, 1));
    must_be_json(arena, job_log_failed(arena, &job, body));
    must_be_json(arena, job_report(arena, &job, (struct count_report){0}, 1));
    if (job_read(arena, message, &again, &missing) != JOB_GOOD || !str_eq(job.key, again.key) ||
        !str_eq(job.bucket, again.bucket) || !str_eq(job.id_json, again.id_json))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rng rng;
    rng_seed(&rng, 1);
    struct ctx ctx = {.arena = arena_new(), .rng = &rng, .now = 1};
    struct pipeline_options options = pipeline_options_default();
    str body = {(const char *)data, n};
    struct record *records;
    size_t count = 0;
    check_job(ctx.arena, body);
    if (records_read(ctx.arena, body, &records, &count))
        for (size_t i = 0; i < count; i++)
            if (!records[i].broken.p && !record_skip(&options, &records[i]).p) {
                struct job job = record_job(&ctx, &options, &records[i], S("e"));
                check_job(ctx.arena, job_message(ctx.arena, &job, 1));
            }
    (void)result_log(ctx.arena, body);
    struct job any = {.id_json = S("\"x\"")};
    (void)job_owns_report(ctx.arena, &any, body);
    arena_free(ctx.arena);
    return 0;
}
