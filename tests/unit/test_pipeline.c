/* The stages of the pipeline against a list of answers: what they ask for, in which order, with
 * which words. */
#include "unit.h"

#include "base/rng.h"
#include "base/text.h"
#include "pipeline/job.h"
#include "pipeline/task.h"

#define NOW 1767225600000 /* 2026-01-01T00:00:00Z */

static const char *const KINDS[] = {"STAT", "COUNT",  "FETCH", "PUT",
                                    "SEND", "DELETE", "LOG",   "END"};

/* One run of a task: each ask is written down as a line, and answered with the next scripted answer
 * of its kind. */
struct play {
    struct arena *arena;
    struct rng rng;
    struct pipeline_options options;
    struct buf script; /* what was asked */
    bool missing_input, existing_output, put_taken, send_fails, delete_fails, put_fails;
    str report; /* answer to FETCH */
    int64_t receive_count;
    msec step; /* milliseconds that pass with each ask */
};

static struct play play_new(void)
{
    struct play play = {.arena = arena_new(), .options = pipeline_options_default()};
    rng_seed(&play.rng, 1);
    play.script = buf_in(play.arena);
    play.receive_count = 1;
    return play;
}

static void write_down(struct play *play, const struct ask *ask)
{
    struct buf *b = &play->script;
    buf_put(b, str_of(KINDS[ask->kind]));
    if (ask->kind == ASK_SEND)
        buf_put(b, ask->queue == ASK_JOBS ? S(" jobs") : S(" results"));
    if (ask->bucket.p)
        buf_char(b, ' '), buf_put(b, ask->bucket), buf_char(b, '/'), buf_put(b, ask->key);
    if (ask->body.p)
        buf_char(b, ' '), buf_put(b, ask->body);
    if (ask->kind == ASK_SEND)
        BUF_LIT(b, " ["), buf_put(b, ask->trace_id), buf_char(b, ']');
    if (ask->kind == ASK_END && ask->failed)
        BUF_LIT(b, " failed");
    buf_char(b, '\n');
}

static struct answer reply(const struct play *play, const struct ask *ask)
{
    bool output = str_eq(ask->bucket, S("processed"));
    switch (ask->kind) {
    case ASK_STAT:
        if (output ? play->existing_output : !play->missing_input)
            return (struct answer){.ok = true, .etag = S("\"head\"")};
        return (struct answer){.error = S("NotFound: UnknownError")};
    case ASK_COUNT:
        if (play->missing_input)
            return (struct answer){.error = S("NoSuchKey: The specified key does not exist.")};
        return (struct answer){.ok = true, .report = {38, 4, 8}};
    case ASK_FETCH:
        return (struct answer){.ok = true, .body = play->report};
    case ASK_PUT:
        return (struct answer){.ok = !play->put_fails && !play->put_taken,
                               .taken = play->put_taken,
                               .error = S("SlowDown: slower")};
    case ASK_SEND:
        return (struct answer){.ok = !play->send_fails, .message_id = S("m-2"), .error = S("Down")};
    case ASK_DELETE:
        return (struct answer){.ok = !play->delete_fails, .error = S("Down")};
    default:
        return (struct answer){.ok = true};
    }
}

typedef struct task *task_maker(struct arena *arena, const struct pipeline_options *options,
                                struct pipeline_message message, msec now);

static str run(struct play *play, task_maker *make, str body)
{
    struct ctx ctx = {.now = NOW, .arena = play->arena, .rng = &play->rng};
    struct pipeline_message message = {S("m-1"), S("r-1"), body, play->receive_count};
    struct task *task = make(play->arena, &play->options, message, NOW);
    struct answer answer = {.ok = true};
    struct ask ask = task_next(task, &ctx, NULL);
    for (int turns = 0; turns < 100; turns++) {
        write_down(play, &ask);
        if (ask.kind == ASK_END)
            break;
        answer = reply(play, &ask);
        ctx.now += play->step;
        ask = task_next(task, &ctx, &answer);
    }
    return buf_str(&play->script);
}

#define EVENT(key, size)                                                                           \
    S("{\"Records\":[{\"s3\":{\"bucket\":{\"name\":\"dropzone\"},\"object\":{\"key\":\"" key       \
      "\",\"size\":" size ",\"eTag\":\"e1\"}}}]}")
#define JOB_HEAD                                                                                   \
    "\"jobId\":\"dropzone:incoming/a.txt:e1\",\"bucket\":\"dropzone\",\"key\":\"incoming/a.txt\","
#define JOB_OUTPUT "\"outputBucket\":\"processed\",\"outputKey\":\"processed/a.txt.report.json\","
#define JOB                                                                                        \
    S("{" JOB_HEAD JOB_OUTPUT "\"submittedAt\":\"2026-01-01T00:00:00.000Z\",\"traceId\":\"t-1\"}")

static void check_run(struct play play, task_maker *make, str body, str want)
{
    CHECK_STR(run(&play, make, body), want);
    arena_free(play.arena);
}

static str trace_of(str script)
{
    ptrdiff_t from = str_find(script, S(" ["), 0), to = str_find(script, S("]\n"), 0);
    CHECK(from >= 0 && to > from);
    return str_slice(script, (size_t)from + 2, (size_t)to);
}

TEST(an_upload_becomes_a_job_with_the_labs_members)
{
    struct play play = play_new();
    str got = run(&play, ingest_new, EVENT("incoming/a.txt", "38"));
    str trace = trace_of(got);
    CHECK(str_starts(trace, S("mjuohs00-"))); /* the instant in base 36 */
    CHECK_INT(trace.n, 8 + 1 + 8);
    str want = arena_printf(
        play.arena,
        "STAT dropzone/incoming/a.txt\n"
        "SEND jobs {" JOB_HEAD JOB_OUTPUT
        "\"submittedAt\":\"2026-01-01T00:00:00.000Z\",\"traceId\":\"%.*s\"} [%.*s]\n"
        "LOG "
        "{\"action\":\"ENQUEUED\",\"jobId\":\"dropzone:incoming/a.txt:e1\",\"messageId\":\"m-2\","
        "\"bucket\":\"dropzone\",\"key\":\"incoming/a.txt\"}\nDELETE\nEND\n",
        STR_ARG(trace), STR_ARG(trace));
    CHECK_STR(got, want);
    arena_free(play.arena);
}

TEST(a_key_outside_the_prefix_is_skipped)
{
    check_run(play_new(), ingest_new, EVENT("other/a.txt", "1"),
              S("LOG {\"action\":\"SKIPPED\",\"bucket\":\"dropzone\",\"key\":\"other/a.txt\","
                "\"reason\":\"not_in_incoming_prefix\"}\nDELETE\nEND\n"));
}

TEST(another_suffix_is_skipped_and_its_case_does_not_matter)
{
    check_run(play_new(), ingest_new, EVENT("incoming/a.bin", "1"),
              S("LOG {\"action\":\"SKIPPED\",\"bucket\":\"dropzone\",\"key\":\"incoming/a.bin\","
                "\"reason\":\"unsupported_type\"}\nDELETE\nEND\n"));
    struct play play = play_new();
    CHECK(str_starts(run(&play, ingest_new, EVENT("incoming/A.TXT", "1")), S("STAT ")));
    arena_free(play.arena);
}

TEST(ten_mebibytes_pass_and_one_byte_more_does_not)
{
    struct play play = play_new();
    CHECK(str_starts(run(&play, ingest_new, EVENT("incoming/a.txt", "10485760")), S("STAT ")));
    arena_free(play.arena);
    check_run(play_new(), ingest_new, EVENT("incoming/a.txt", "10485761"),
              S("LOG {\"action\":\"SKIPPED\",\"bucket\":\"dropzone\",\"key\":\"incoming/a.txt\","
                "\"reason\":\"too_large\"}\nDELETE\nEND\n"));
}

TEST(the_key_of_an_event_is_decoded)
{
    struct play play = play_new();
    str got = run(&play, ingest_new, EVENT("incoming/red+flower%2B%C3%A9.txt", "1"));
    CHECK(str_starts(got, S("STAT dropzone/incoming/red flower+\u00e9.txt\n")));
    arena_free(play.arena);
}

TEST(a_key_that_javascript_cannot_decode_fails_the_message)
{
    check_run(play_new(), ingest_new, EVENT("incoming/%zz.txt", "1"),
              S("LOG "
                "{\"action\":\"FAILED\",\"level\":\"error\",\"bucket\":\"dropzone\",\"error\":"
                "\"URIError: URI "
                "malformed\"}\nEND failed\n"));
    check_run(play_new(), ingest_new, EVENT("incoming/%ff.txt", "1"),
              S("LOG "
                "{\"action\":\"FAILED\",\"level\":\"error\",\"bucket\":\"dropzone\",\"error\":"
                "\"URIError: URI "
                "malformed\"}\nEND failed\n"));
}

TEST(a_test_event_is_dropped_without_a_word)
{
    check_run(play_new(), ingest_new, S("{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\"}"),
              S("DELETE\nEND\n"));
}

TEST(what_is_no_event_is_deleted_with_an_error_line)
{
    check_run(play_new(), ingest_new, S("hello"),
              S("LOG "
                "{\"action\":\"POISON_MESSAGE\",\"level\":\"error\",\"messageId\":\"m-1\","
                "\"error\":\"the message is "
                "no S3 event\"}\nDELETE\nEND\n"));
}

TEST(an_upload_that_is_gone_leaves_its_event)
{
    struct play play = play_new();
    play.missing_input = true;
    check_run(play, ingest_new, EVENT("incoming/a.txt", "38"),
              S("STAT dropzone/incoming/a.txt\n"
                "LOG "
                "{\"action\":\"FAILED\",\"level\":\"error\",\"bucket\":\"dropzone\",\"key\":"
                "\"incoming/a.txt\","
                "\"error\":\"NotFound: UnknownError\"}\nEND failed\n"));
}

TEST(without_an_etag_in_the_event_the_job_id_takes_the_one_of_the_object)
{
    struct play play = play_new();
    str got = run(&play, ingest_new,
                  S("{\"Records\":[{\"s3\":{\"bucket\":{\"name\":\"b\"},\"object\":{\"key\":"
                    "\"incoming/a.txt\"}}}]}"));
    CHECK(str_find(got, S("\"jobId\":\"b:incoming/a.txt:\\\"head\\\"\""), 0) > 0);
    arena_free(play.arena);
}

#define REPORT                                                                                     \
    "{" JOB_HEAD JOB_OUTPUT "\"traceId\":\"t-1\",\"status\":\"PROCESSED\",\"processedAt\":"        \
    "\"2026-01-01T00:00:00.004Z\",\"report\":{\"bytes\":38,\"lines\":4,\"words\":8}}"
#define RESULT(duration)                                                                           \
    "{" JOB_HEAD JOB_OUTPUT                                                                        \
    "\"traceId\":\"t-1\",\"status\":\"PROCESSED\",\"durationMs\":" duration "}"
#define DUPLICATE                                                                                  \
    "LOG {\"action\":\"SKIP_DUPLICATE\",\"jobId\":\"dropzone:incoming/a.txt:e1\","                 \
    "\"outputBucket\":\"processed\",\"outputKey\":\"processed/a.txt.report.json\",\"traceId\":"    \
    "\"t-1\"}\n"
#define LOOK "STAT processed/processed/a.txt.report.json\n"
#define COUNT_IT LOOK "COUNT dropzone/incoming/a.txt\n"
#define FAILED_BECAUSE(error)                                                                      \
    "LOG "                                                                                         \
    "{\"action\":\"FAILED\",\"level\":\"error\",\"jobId\":\"dropzone:incoming/"                    \
    "a.txt:e1\",\"bucket\":\"dropzone\","                                                          \
    "\"key\":\"incoming/a.txt\",\"error\":\"" error "\"}\nEND failed\n"

TEST(a_job_becomes_report_result_log_line_and_then_is_deleted)
{
    struct play play = play_new();
    play.step = 2;
    check_run(play, worker_new, JOB,
              S(COUNT_IT
                "PUT processed/processed/a.txt.report.json " REPORT "\n"
                "SEND results " RESULT(
                    "6") " [t-1]\n"
                         "LOG {\"action\":\"PROCESSED\",\"jobId\":\"dropzone:incoming/a.txt:e1\","
                         "\"durationMs\":6,\"traceId\":\"t-1\"}\nDELETE\nEND\n"));
}

TEST(a_job_whose_report_exists_is_skipped)
{
    struct play play = play_new();
    play.existing_output = true;
    check_run(play, worker_new, JOB, S(LOOK DUPLICATE "DELETE\nEND\n"));
}

TEST(a_redelivered_job_whose_own_report_exists_sends_its_result_again)
{
    struct play play = play_new();
    play.existing_output = true, play.receive_count = 2, play.report = S(REPORT);
    check_run(play, worker_new, JOB,
              S(LOOK DUPLICATE "FETCH processed/processed/a.txt.report.json\n"
                               "SEND results " RESULT("0") " [t-1]\nDELETE\nEND\n"));
}

TEST(a_redelivered_job_whose_report_is_anothers_sends_nothing)
{
    struct play play = play_new();
    play.existing_output = true, play.receive_count = 2, play.report = S("{\"jobId\":\"x\"}");
    check_run(play, worker_new, JOB,
              S(LOOK DUPLICATE "FETCH processed/processed/a.txt.report.json\nDELETE\nEND\n"));
}

TEST(the_loser_of_a_race_for_the_report_is_a_duplicate)
{
    struct play play = play_new();
    play.put_taken = true, play.step = 2;
    check_run(play, worker_new, JOB,
              S(COUNT_IT "PUT processed/processed/a.txt.report.json " REPORT "\n" DUPLICATE
                         "DELETE\nEND\n"));
}

TEST(a_failing_call_leaves_the_job_to_its_visibility_timeout)
{
    struct play play = play_new();
    play.missing_input = true;
    check_run(play, worker_new, JOB,
              S(COUNT_IT FAILED_BECAUSE("NoSuchKey: The specified key does not exist.")));
    play = play_new();
    play.put_fails = true, play.step = 2;
    check_run(play, worker_new, JOB,
              S(COUNT_IT "PUT processed/processed/a.txt.report.json " REPORT
                         "\n" FAILED_BECAUSE("SlowDown: slower")));
    play = play_new();
    play.existing_output = play.delete_fails = true;
    check_run(play, worker_new, JOB, S(LOOK DUPLICATE "DELETE\n" FAILED_BECAUSE("Down")));
}

TEST(a_result_that_cannot_be_sent_leaves_the_job)
{
    struct play play = play_new();
    play.send_fails = true;
    str got = run(&play, worker_new, JOB);
    CHECK(str_find(got, S("SEND results "), 0) > 0);
    CHECK(str_ends(got, S(FAILED_BECAUSE("Down"))));
    arena_free(play.arena);
}

TEST(poison_is_deleted)
{
    check_run(play_new(), worker_new, S("{nope"),
              S("LOG "
                "{\"action\":\"POISON_MESSAGE\",\"level\":\"error\",\"messageId\":\"m-1\","
                "\"error\":\"the message is "
                "no JSON\"}\nDELETE\nEND\n"));
}

TEST(a_job_that_lacks_members_is_deleted)
{
    check_run(play_new(), worker_new,
              S("{\"jobId\":0,\"bucket\":\"b\",\"key\":\"\",\"outputBucket\":null}"),
              S("LOG "
                "{\"action\":\"INVALID_JOB\",\"level\":\"error\",\"messageId\":\"m-1\",\"error\":"
                "\"missing required "
                "fields: jobId, key, outputBucket, outputKey\"}\nDELETE\nEND\n"));
    struct play play = play_new();
    CHECK(str_ends(run(&play, worker_new, S("5")), S("DELETE\nEND\n")));
    arena_free(play.arena);
}

TEST(a_null_job_is_left_for_javascript_throws_on_it)
{
    struct play play = play_new();
    CHECK(str_ends(run(&play, worker_new, S("null")), S("END failed\n")));
    arena_free(play.arena);
}

TEST(a_job_without_a_trace_id_leaves_the_member_out_and_sends_an_empty_attribute)
{
    struct play play = play_new();
    str got = run(&play, worker_new, S("{" JOB_HEAD JOB_OUTPUT "\"x\":1}"));
    CHECK(str_find(got, S("\"status\":\"PROCESSED\",\"durationMs\":0} []\n"), 0) > 0);
    CHECK(str_find(got, S("traceId"), 0) < 0);
    arena_free(play.arena);
}

TEST(a_worker_fed_with_events_applies_the_rules_and_does_the_work)
{
    struct play play = play_new();
    str got = run(&play, direct_new, EVENT("incoming/a.txt", "38"));
    CHECK(str_starts(got, S("STAT dropzone/incoming/a.txt\n" COUNT_IT "PUT ")));
    CHECK(str_ends(got, S("DELETE\nEND\n")));
    arena_free(play.arena);
    check_run(play_new(), direct_new, EVENT("incoming/a.bin", "1"),
              S("LOG {\"action\":\"SKIPPED\",\"bucket\":\"dropzone\",\"key\":\"incoming/a.bin\","
                "\"reason\":\"unsupported_type\"}\nDELETE\nEND\n"));
}

TEST(a_result_is_logged_with_what_it_has)
{
    struct arena *arena = arena_new();
    CHECK_STR(result_log(arena, S(RESULT("7"))),
              S("{\"action\":\"RESULT\",\"jobId\":\"dropzone:incoming/a.txt:e1\",\"status\":"
                "\"PROCESSED\",\"input\":{\"bucket\":\"dropzone\",\"key\":\"incoming/a.txt\"},"
                "\"output\":{\"bucket\":\"processed\",\"key\":\"processed/a.txt.report.json\"},"
                "\"durationMs\":7,\"traceId\":\"t-1\"}"));
    CHECK_STR(result_log(arena, S("nonsense")),
              S("{\"action\":\"RESULT\",\"input\":{},\"output\":{}}"));
    arena_free(arena);
}

TEST(members_of_any_kind_pass_through_compact_and_the_last_of_a_name_counts)
{
    struct arena *arena = arena_new();
    CHECK_STR(result_log(arena, S(" { \"jobId\" : 1, \"status\":{ \"a\" : [ 1.5e3 , true,null , "
                                  "\"\\u0041\\n\"] }, \"jobId\":\"two\",\"durationMs\":[ ],"
                                  "\"traceId\":{ } } ")),
              S("{\"action\":\"RESULT\",\"jobId\":\"two\",\"status\":{\"a\":[1.5e3,true,null,"
                "\"A\\n\"]},\"input\":{},\"output\":{},\"durationMs\":[],\"traceId\":{}}"));
    CHECK_STR(result_log(arena, S("{\"jobId\":1}}")),
              S("{\"action\":\"RESULT\",\"input\":{},\"output\":{}}"));
    CHECK_STR(result_log(arena, S("[{\"jobId\":1}]")),
              S("{\"action\":\"RESULT\",\"input\":{},\"output\":{}}"));
    arena_free(arena);
}

UNIT_MAIN
