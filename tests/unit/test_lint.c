/* What lint makes of what it was told. */
#include "unit.h"

#include "app/lint.h"
#include "s3/bucket.h"

struct world {
    struct lint *lint;
    struct arena *arena;
};

static struct world world(void)
{
    return (struct world){lint_new(), arena_new()};
}

static void end(struct world w)
{
    lint_free(w.lint);
    arena_free(w.arena);
}

static const struct lint_name work = {S("111122223333"), S("us-east-1"), S("work")};

static struct lint_message message(const char *id, msec at, int64_t attempt, msec until,
                                   const char *client)
{
    return (struct lint_message){work,    str_of(id), at,
                                 attempt, until,      client ? str_of(client) : STR_NONE};
}

/* Receives `times` times and gives nothing back. */
static void receive(struct world w, const char *id, int64_t times, const char *client)
{
    for (int64_t i = 1; i <= times; i++) {
        struct lint_message seen = message(id, i * 30000, i, i * 30000 + 30000, client);
        lint_saw_received(w.lint, &seen);
    }
}

static bool finds(struct world w, struct lint_queue_state state, enum lint_code code)
{
    struct lint_report report = {.arena = w.arena};
    state.name = work;
    lint_report_observed(&report, w.lint);
    lint_report_queue(&report, w.lint, &state);
    for (size_t i = 0; i < report.n; i++)
        if (report.at[i].code == code)
            return true;
    return false;
}

static const struct lint_queue_state plain, redriven = {.redrive = true};

TEST(a_queue_without_dead_letter_queue_is_found_when_a_message_came_a_third_time)
{
    struct world w = world();
    receive(w, "m", 2, "k");
    CHECK(!finds(w, plain, LINT_NO_DEAD_LETTER_QUEUE));
    receive(w, "m", 3, "k");
    CHECK(finds(w, plain, LINT_NO_DEAD_LETTER_QUEUE));
    CHECK(!finds(w, redriven, LINT_NO_DEAD_LETTER_QUEUE));
    CHECK(!finds(w, (struct lint_queue_state){.dead_letter = true}, LINT_NO_DEAD_LETTER_QUEUE));
    end(w);
}

TEST(a_dead_letter_queue_must_keep_messages_longer_than_its_source)
{
    struct world w = world();
    struct lint_queue_state state = {
        .redrive = true, .target = S("arn:d"), .retention = 345600, .target_retention = 345600};
    CHECK(finds(w, state, LINT_DEAD_LETTER_RETENTION));
    state.fifo = true;
    CHECK(!finds(w, state, LINT_DEAD_LETTER_RETENTION));
    state.fifo = false;
    state.target_retention = 1209600;
    CHECK(!finds(w, state, LINT_DEAD_LETTER_RETENTION));
    end(w);
}

TEST(a_delete_after_the_message_had_returned_finds_the_short_visibility_timeout)
{
    struct world w = world();
    struct lint_message took = message("m", 1000, 1, 31000, "k"),
                        in_time = message("m", 31000, 1, 0, "k"),
                        late = message("m", 31001, 1, 0, "k");
    lint_saw_received(w.lint, &took);
    lint_saw_deleted(w.lint, &in_time);
    CHECK(!finds(w, plain, LINT_VISIBILITY_TOO_SHORT));
    lint_saw_deleted(w.lint, &late);
    CHECK(finds(w, plain, LINT_VISIBILITY_TOO_SHORT));
    end(w);
}

TEST(a_consumer_that_extends_or_gives_back_the_message_has_no_short_timeout)
{
    struct world w = world();
    struct lint_message took = message("m", 1000, 1, 31000, "k"),
                        extends = message("m", 30000, 1, 90000, "k"),
                        done = message("m", 80000, 1, 0, "k"),
                        given = message("n", 2000, 1, 0, "k"),
                        other = message("n", 1000, 1, 31000, "k"),
                        later = message("n", 99000, 1, 0, "k");
    lint_saw_received(w.lint, &took);
    lint_saw_hidden(w.lint, &extends);
    lint_saw_deleted(w.lint, &done);
    lint_saw_received(w.lint, &other);
    lint_saw_hidden(w.lint, &given);
    lint_saw_deleted(w.lint, &later);
    CHECK(!finds(w, plain, LINT_VISIBILITY_TOO_SHORT));
    end(w);
}

TEST(an_event_that_processing_made_in_its_own_bucket_is_a_loop)
{
    struct world w = world();
    lint_saw_event(w.lint, S("b"), S("in/a.txt"), S("m1"), STR_NONE, false);
    lint_saw_event(w.lint, S("other"), S("a.txt"), S("m2"), S("m1"), false);
    CHECK(!finds(w, plain, LINT_TRIGGER_LOOP));
    lint_saw_event(w.lint, S("b"), S("in/z"), S("m3"), S("m1"), false);
    CHECK(finds(w, plain, LINT_TRIGGER_LOOP));
    end(w);
}

TEST(a_guessed_loop_needs_a_key_made_from_the_events_key)
{
    struct world w = world();
    lint_saw_event(w.lint, S("b"), S("in/a.txt"), S("m1"), STR_NONE, true);
    lint_saw_event(w.lint, S("b"), S("in/b.txt"), S("m2"), S("m1"), true);
    lint_saw_event(w.lint, S("b"), S("in/aa.txt"), S("m3"), S("m1"), true);
    lint_saw_event(w.lint, S("b"), S("in/a.txt"), S("m4"), S("m1"), true);
    CHECK(!finds(w, plain, LINT_TRIGGER_LOOP));
    lint_saw_event(w.lint, S("b"), S("in/thumb-a.txt"), S("m5"), S("m1"), true);
    CHECK(finds(w, plain, LINT_TRIGGER_LOOP));
    end(w);
}

TEST(a_client_works_on_a_message_only_while_it_holds_just_that_one)
{
    struct world w = world();
    struct lint_message one = message("m1", 1000, 1, 31000, "k"),
                        two = message("m2", 1000, 1, 31000, "k"),
                        gone = message("m1", 2000, 1, 0, "k");
    lint_saw_received(w.lint, &one);
    CHECK_STR(lint_working_on(w.lint, S("k"), 2000), S("m1"));
    CHECK(!lint_working_on(w.lint, S("k"), 31000).p);
    CHECK(!lint_working_on(w.lint, S("other"), 2000).p);
    lint_saw_deleted(w.lint, &gone);
    CHECK(!lint_working_on(w.lint, S("k"), 2000).p);
    lint_saw_received(w.lint, &one);
    lint_saw_received(w.lint, &two);
    CHECK(!lint_working_on(w.lint, S("k"), 2000).p);
    end(w);
}

static void ask(struct world w, int times, bool is_short, bool empty)
{
    while (times-- > 0)
        lint_saw_receive(w.lint, &work, is_short, empty);
}

TEST(short_polling_is_found_when_half_of_twenty_receives_came_back_empty)
{
    struct world w = world();
    ask(w, 10, true, false);
    ask(w, 9, true, true);
    CHECK(!finds(w, plain, LINT_SHORT_POLLING));
    ask(w, 1, true, true);
    CHECK(finds(w, plain, LINT_SHORT_POLLING));
    ask(w, 1, true, false);
    CHECK(!finds(w, plain, LINT_SHORT_POLLING));
    end(w);
}

TEST(long_polls_that_found_nothing_are_no_short_polling)
{
    struct world w = world();
    ask(w, 40, false, true);
    CHECK(!finds(w, plain, LINT_SHORT_POLLING));
    end(w);
}

TEST(a_queue_that_is_created_within_a_minute_of_its_deletion_is_found)
{
    struct world w = world();
    lint_saw_queue_created(w.lint, &work, 1000);
    lint_saw_queue_deleted(w.lint, &work, 2000);
    lint_saw_queue_created(w.lint, &work, 62000);
    CHECK(!finds(w, plain, LINT_QUEUE_RECREATED));
    lint_saw_queue_deleted(w.lint, &work, 70000);
    lint_saw_queue_created(w.lint, &work, 129999);
    CHECK(finds(w, plain, LINT_QUEUE_RECREATED));
    end(w);
}

TEST(two_purges_within_a_minute_are_found)
{
    struct world w = world();
    lint_saw_purge(w.lint, &work, 1000);
    lint_saw_purge(w.lint, &work, 61000);
    CHECK(!finds(w, plain, LINT_PURGE_TOO_SOON));
    lint_saw_purge(w.lint, &work, 120999);
    CHECK(finds(w, plain, LINT_PURGE_TOO_SOON));
    end(w);
}

TEST(a_consumer_that_never_deletes_is_found)
{
    struct world w = world();
    struct lint_message gone = message("x", 500000, 1, 0, "k");
    receive(w, "m", 3, "k");
    CHECK(finds(w, plain, LINT_NEVER_DELETED));
    CHECK(!finds(w, redriven, LINT_NEVER_DELETED));
    receive(w, "n", 3, "k");
    receive(w, "o", 3, "k");
    CHECK(finds(w, redriven, LINT_NEVER_DELETED));
    lint_saw_deleted(w.lint, &gone);
    CHECK(!finds(w, plain, LINT_NEVER_DELETED));
    end(w);
}

TEST(what_the_built_in_pipeline_tries_again_is_not_held_against_a_client)
{
    struct world w = world();
    receive(w, "m", 4, NULL);
    CHECK(!finds(w, plain, LINT_NEVER_DELETED));
    end(w);
}

TEST(a_second_delivery_that_writes_other_bytes_is_found)
{
    struct world w = world();
    receive(w, "m", 1, "k");
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 1);
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 2); /* one delivery may write twice */
    receive(w, "m", 1, "k");
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 2);
    CHECK(!finds(w, plain, LINT_NOT_IDEMPOTENT));
    receive(w, "m", 1, "k");
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 3);
    CHECK(finds(w, plain, LINT_NOT_IDEMPOTENT));
    end(w);
}

TEST(a_receive_that_was_taken_back_is_no_delivery_but_one_that_timed_out_is)
{
    struct world w = world();
    struct lint_message took = message("m", 1000, 1, 31000, "k"),
                        back = message("m", 1001, 1, 0, "k"),
                        timed_out = message("m", 31000, 1, 0, NULL);
    lint_saw_received(w.lint, &took);
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 1);
    lint_saw_returned(w.lint, &back);
    lint_saw_received(w.lint, &took);
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 2);
    CHECK(!finds(w, plain, LINT_NOT_IDEMPOTENT));
    lint_saw_returned(w.lint, &timed_out);
    lint_saw_received(w.lint, &took);
    lint_saw_write(w.lint, S("m"), S("s3://b/out"), 3);
    CHECK(finds(w, plain, LINT_NOT_IDEMPOTENT));
    end(w);
}

TEST(a_region_that_aws_does_not_have_is_found_and_test_credentials_are_a_note)
{
    struct world w = world();
    lint_saw_caller(w.lint, S("AKIAIOSFODNN7EXAMPLE"), S("us-east-1"), s3_region_known);
    CHECK(!finds(w, plain, LINT_TEST_CREDENTIALS) && !finds(w, plain, LINT_UNKNOWN_REGION));
    lint_saw_caller(w.lint, S("test"), S("moon-west-1"), s3_region_known);
    CHECK(finds(w, plain, LINT_TEST_CREDENTIALS) && finds(w, plain, LINT_UNKNOWN_REGION));
    struct lint_report report = {.arena = w.arena};
    lint_report_observed(&report, w.lint);
    CHECK_INT(report.n, 2);
    CHECK_INT(lint_report_count(&report), 1);
    lint_clear(w.lint);
    CHECK(!finds(w, plain, LINT_TEST_CREDENTIALS));
    end(w);
}

TEST(a_report_reads_as_json_with_findings_and_notes)
{
    struct world w = world();
    struct lint_report report = {.arena = w.arena};
    struct buf json = buf_in(w.arena), text = buf_in(w.arena);
    lint_report_add(&report, LINT_PUBLIC_BUCKET, S("s3://b"), S("its policy"), 2);
    lint_report_json(&report, &json);
    lint_report_text(&report, &text);
    CHECK(str_starts(buf_str(&json), S("{\"findings\":[{\"code\":\"public-bucket\",\"severity\":"
                                       "\"warning\",\"subject\":\"s3://b\",")));
    CHECK(str_ends(buf_str(&json), S("\"count\":2}],\"notes\":[]}")));
    CHECK(str_starts(buf_str(&text),
                     S("warning public-bucket: s3://b: its policy (2 times)\n  why: ")));
    end(w);
}

TEST(what_a_failed_request_was_seen_to_do_is_taken_back)
{
    struct world w = world();
    receive(w, "m", 2, "k");
    struct lint_mark mark = lint_mark(w.lint);
    receive(w, "m", 3, "k");
    lint_found(w.lint, LINT_PURGE_TOO_SOON, S("q"), S("seen"));
    lint_found(w.lint, LINT_PURGE_TOO_SOON, S("q"), S("seen"));
    CHECK(finds(w, plain, LINT_NO_DEAD_LETTER_QUEUE) && finds(w, plain, LINT_PURGE_TOO_SOON));
    lint_rewind(w.lint, mark);
    CHECK(!finds(w, plain, LINT_NO_DEAD_LETTER_QUEUE) && !finds(w, plain, LINT_PURGE_TOO_SOON));
    lint_found(w.lint, LINT_PURGE_TOO_SOON, S("q"), S("seen"));
    CHECK(finds(w, plain, LINT_PURGE_TOO_SOON));
    end(w);
}

TEST(a_turn_that_did_not_commit_was_not_seen_and_one_that_did_stays)
{
    struct world w = world();
    lint_found(w.lint, LINT_PURGE_TOO_SOON, S("q"), S("seen"));
    lint_settle(w.lint, true);
    receive(w, "m", 3, "k");
    lint_found(w.lint, LINT_PURGE_TOO_SOON, S("q"), S("seen"));
    lint_found(w.lint, LINT_QUEUE_RECREATED, S("q"), S("seen"));
    lint_settle(w.lint, false);
    struct lint_report report = {.arena = w.arena};
    lint_report_observed(&report, w.lint);
    CHECK_INT(report.n, 1);
    CHECK_INT(report.at[0].count, 1);
    CHECK(!finds(w, plain, LINT_NO_DEAD_LETTER_QUEUE));
    lint_settle(w.lint, false);
    CHECK(finds(w, plain, LINT_PURGE_TOO_SOON));
    end(w);
}

/* An event of s3://in/a.jpg that "k" receives; it writes before the delete when told so. */
static bool found_early(bool writes_first, const char *bucket, const char *key)
{
    struct world w = world();
    struct lint_message took = message("m", 1000, 1, 31000, "k"),
                        deleted = message("m", 2000, 1, 0, "k");
    lint_saw_event(w.lint, S("in"), S("in/a.jpg"), S("m"), STR_NONE, true);
    lint_saw_received(w.lint, &took);
    if (writes_first)
        lint_saw_put(w.lint, S("k"), S("out"), S("anything"), 1500);
    lint_saw_deleted(w.lint, &deleted);
    lint_saw_put(w.lint, S("k"), str_of(bucket), str_of(key), 3000);
    bool found = finds(w, plain, LINT_DELETED_EARLY);
    end(w);
    return found;
}

TEST(what_is_made_from_an_event_after_its_message_was_deleted_is_found)
{
    CHECK(found_early(false, "out", "thumb-a.jpg"));
}

TEST(an_early_delete_is_not_guessed_where_the_write_may_be_something_else)
{
    CHECK(!found_early(true, "out", "thumb-a.jpg"));
    CHECK(!found_early(false, "in", "in/a.jpg.meta"));
    CHECK(!found_early(false, "out", "b.jpg"));
    CHECK(!found_early(false, "out", "aa.jpg"));
}

UNIT_MAIN
