/* Rules of receiving, hiding and deleting on standard queues. Numbers are those of
 * docs/sqs-behaviour.md. */
#include "sqs_world.h"

TEST(r28_one_to_ten_messages_may_be_asked_for)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_SAYS(try_receive(w, q, 11, -1), SQS_INVALID_PARAMETER,
               "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 "
               "and 10, if provided.");
    CHECK_FAULT(try_receive(w, q, 0, -1), SQS_INVALID_PARAMETER);
    for (int i = 0; i < 12; i++)
        send(w, q, "m");
    CHECK_INT(receive(w, q, 10), 10);
    CHECK_INT(receive(w, q, 10), 2);
    world_close(w);
}

TEST(r29_one_may_wait_0_to_20_seconds)
{
    struct world *w = world_open(false);
    CHECK_SAYS(sqs_check_wait(&w->ctx, 21), SQS_INVALID_PARAMETER,
               "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, "
               "if provided.");
    CHECK_FAULT(sqs_check_wait(&w->ctx, -1), SQS_INVALID_PARAMETER);
    CHECK_OK(sqs_check_wait(&w->ctx, 20));
    world_close(w);
}

TEST(r30_whatever_becomes_receivable_wakes_those_who_wait)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=10");
    send_delayed(w, q, "m", 5);
    CHECK_INT(w->woken, 0);
    at(w, 5000);
    CHECK_INT(w->woken, 1);
    CHECK_INT(w->woken_queue, q);
    receive(w, q, 1);
    w->woken = 0;
    at(w, 14999);
    CHECK_INT(w->woken, 0);
    at(w, 15000);
    CHECK_INT(w->woken, 1);
    receive(w, q, 1);
    w->woken = 0;
    CHECK_OK(hide(w, q, w->got[0].receipt, 0));
    CHECK_INT(w->woken, 1);
    send(w, q, "other");
    CHECK_INT(w->woken, 2);
    world_close(w);
}

TEST(r31_a_timeout_of_zero_leaves_the_message_visible_and_counts_the_receive)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    CHECK_OK(try_receive(w, q, 10, 0));
    CHECK_INT(w->n, 1); /* not given twice in one call */
    str first = w->got[0].receipt;
    CHECK_OK(try_receive(w, q, 1, 0));
    CHECK_INT(w->got[0].receive_count, 2);
    CHECK(!str_eq(first, w->got[0].receipt));
    CHECK_STR(counts(w, q), S("1/0/0"));
    world_close(w);
}

TEST(r31_the_timeout_of_one_receive_is_not_remembered_for_the_next)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=30");
    send(w, q, "m");
    CHECK_OK(try_receive(w, q, 1, 2));
    at(w, 2000);
    CHECK_INT(receive(w, q, 1), 1);
    at(w, 31999);
    CHECK_INT(receive(w, q, 1), 0);
    at(w, 32000);
    CHECK_INT(receive(w, q, 1), 1);
    world_close(w);
}

TEST(r32_old_handles_of_a_standard_queue_still_delete)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=1");
    send(w, q, "m");
    receive(w, q, 1);
    str old = w->got[0].receipt;
    at(w, 5000);
    receive(w, q, 1);
    CHECK_OK(delete (w, q, old));
    at(w, 60000);
    CHECK_INT(receive(w, q, 1), 0);
    world_close(w);
}

TEST(r32_an_expired_handle_deletes_a_message_that_waits_again)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=1");
    send(w, q, "m");
    receive(w, q, 1);
    at(w, 5000);
    CHECK_STR(counts(w, q), S("1/0/0"));
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_STR(counts(w, q), S("0/0/0"));
    world_close(w);
}

TEST(r32_an_old_handle_changes_the_timeout_while_the_message_is_in_flight)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=10");
    send(w, q, "m");
    CHECK_OK(try_receive(w, q, 1, 0));
    str old = w->got[0].receipt;
    receive(w, q, 1);
    CHECK_OK(hide(w, q, old, 60));
    at(w, 59999);
    CHECK_INT(receive(w, q, 1), 0);
    at(w, 60000);
    CHECK_INT(receive(w, q, 1), 1);
    world_close(w);
}

TEST(r34_a_delete_may_be_repeated)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    receive(w, q, 1);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_OK(delete (w, q, w->got[0].receipt));
    world_close(w);
}

TEST(r34_garbage_and_handles_of_other_queues_are_refused)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), other = make_queue(w, "other", "");
    send(w, q, "m");
    receive(w, q, 1);
    str good = w->got[0].receipt;
    CHECK_SAYS(delete (w, q, S("garbage")), SQS_RECEIPT_INVALID,
               "The input receipt handle \"garbage\" is not a valid receipt handle.");
    CHECK_FAULT(hide(w, q, S("garbage"), 1), SQS_RECEIPT_INVALID);
    err e = delete (w, other, good);
    CHECK_FAULT(e, SQS_RECEIPT_INVALID);
    CHECK_STR(err_message(e),
              arena_printf(w->ctx.arena, "The receipt handle \"%.*s\" is not valid for this queue.",
                           STR_ARG(good)));
    char *bent = arena_cstr(w->ctx.arena, good);
    for (size_t i = 0; i < good.n; i++) { /* no letter of a handle may change */
        char before = bent[i];
        bent[i] = before == 'x' ? 'y' : 'x';
        CHECK_FAULT(delete (w, q, (str){bent, good.n}), SQS_RECEIPT_INVALID);
        bent[i] = before;
    }
    CHECK_OK(delete (w, q, good));
    world_close(w);
}

TEST(r35_a_deleted_message_cannot_be_hidden)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    receive(w, q, 1);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    err e = hide(w, q, w->got[0].receipt, 1);
    CHECK_FAULT(e, SQS_INVALID_PARAMETER);
    CHECK_STR(
        err_message(e),
        arena_printf(
            w->ctx.arena,
            "Value %.*s for parameter ReceiptHandle is invalid. Reason: Message does not exist or "
            "is not available for visibility timeout change.",
            STR_ARG(w->got[0].receipt)));
    world_close(w);
}

TEST(r36_a_message_that_is_visible_again_is_not_hidden_by_its_old_handle)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=1");
    send(w, q, "m");
    receive(w, q, 1);
    at(w, 2000);
    CHECK_OK(hide(w, q, w->got[0].receipt, 100));
    CHECK_INT(receive(w, q, 1), 1);
    world_close(w);
}

TEST(r37_a_change_to_zero_is_immediate_and_not_permanent)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    receive(w, q, 1);
    CHECK_OK(hide(w, q, w->got[0].receipt, 0));
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_INT(receive(w, q, 1), 0); /* hidden for the queue's 30 seconds */
    world_close(w);
}

TEST(r37_twelve_hours_from_the_receive_are_the_most)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    receive(w, q, 1);
    CHECK_OK(hide(w, q, w->got[0].receipt, 43200));
    at(w, 1);
    CHECK_FAULT(hide(w, q, w->got[0].receipt, 43200), SQS_INVALID_PARAMETER);
    CHECK_OK(hide(w, q, w->got[0].receipt, 43199));
    at(w, 3600000);
    CHECK_SAYS(hide(w, q, w->got[0].receipt, 43200), SQS_INVALID_PARAMETER,
               "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total "
               "VisibilityTimeout for the message is beyond "
               "the limit [43200 seconds]");
    CHECK_OK(hide(w, q, w->got[0].receipt, 39600));
    CHECK_FAULT(hide(w, q, w->got[0].receipt, 43201), SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r38_retention_ends_waiting_and_in_flight_messages_alike)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "MessageRetentionPeriod=60;VisibilityTimeout=300");
    send(w, q, "flying");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    at(w, 1000);
    send(w, q, "waiting");
    at(w, 59999);
    CHECK_STR(counts(w, q), S("1/1/0"));
    at(w, 60000);
    CHECK_STR(counts(w, q), S("1/0/0"));
    CHECK_OK(delete (w, q, receipt));
    CHECK_FAULT(hide(w, q, receipt, 5), SQS_INVALID_PARAMETER);
    at(w, 61000);
    CHECK_STR(counts(w, q), S("0/0/0"));
    world_close(w);
}

TEST(r38_an_expired_message_is_not_given_even_before_the_tick)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "MessageRetentionPeriod=60");
    send(w, q, "m");
    w->ctx.now = T0 + 60000;
    CHECK_INT(receive(w, q, 1), 0);
    world_close(w);
}

TEST(r38_a_shorter_retention_holds_for_what_is_there)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    at(w, 100000);
    CHECK_OK(try_set(w, q, "MessageRetentionPeriod=60"));
    at(w, 100001);
    CHECK_STR(counts(w, q), S("0/0/0"));
    world_close(w);
}

TEST(r39_a_message_delay_of_zero_overrides_the_queues)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "DelaySeconds=10");
    send_delayed(w, q, "now", 0);
    send(w, q, "later");
    CHECK_STR(counts(w, q), S("1/0/1"));
    CHECK_STR(bodies(w, q, 10, -1), S("now"));
    at(w, 10000);
    CHECK_STR(bodies(w, q, 10, -1), S("later"));
    world_close(w);
}

TEST(r39_a_new_queue_delay_is_retroactive_on_fifo_queues_only)
{
    struct world *w = world_open(false);
    int64_t s = make_queue(w, "q", "DelaySeconds=10"),
            f = make_queue(w, "q.fifo", "FifoQueue=true;DelaySeconds=10");
    send(w, s, "m");
    send_group(w, f, "g", "m");
    CHECK_OK(try_set(w, s, "DelaySeconds=0"));
    CHECK_OK(try_set(w, f, "DelaySeconds=0"));
    CHECK_STR(counts(w, s), S("0/0/1"));
    CHECK_STR(counts(w, f), S("1/0/0"));
    CHECK_OK(try_set(w, f, "DelaySeconds=20"));
    CHECK_STR(counts(w, f), S("0/0/1"));
    at(w, 20000);
    CHECK_STR(counts(w, f), S("1/0/0"));
    world_close(w);
}

TEST(r40_what_timed_out_comes_back_ahead_of_later_sends)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=5");
    send(w, q, "1");
    send(w, q, "2");
    receive(w, q, 1);
    at(w, 1000);
    send(w, q, "3");
    at(w, 5000);
    CHECK_STR(bodies(w, q, 10, -1), S("1 2 3"));
    world_close(w);
}

TEST(r41_a_standard_queue_has_120000_in_flight_at_most)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""),
            f = make_queue(w, "f.fifo", "FifoQueue=true;ContentBasedDeduplication=true");
    struct arena *kept = w->ctx.arena;
    w->ctx.arena = arena_new();
    for (int i = 0; i < 120001; i++) {
        struct sqs_send message = {.body = arena_printf(w->ctx.arena, "%d", i), .delay = -1};
        CHECK_OK(try_send(w, q, &message));
        message.group = message.body;
        if (i < 120001)
            CHECK_OK(try_send(w, f, &message));
        arena_reset(w->ctx.arena);
    }
    for (int i = 0; i < 12000; i++) {
        CHECK_INT(receive(w, q, 10), 10);
        CHECK_INT(receive(w, f, 10), 10);
        arena_reset(w->ctx.arena);
    }
    CHECK_FAULT(try_receive(w, q, 1, -1), SQS_OVER_LIMIT);
    CHECK_INT(receive(w, f, 1), 0);
    CHECK_STR(counts(w, q), S("1/120000/0"));
    arena_free(w->ctx.arena);
    w->ctx.arena = kept;
    world_close(w);
}

TEST(counts_and_times_of_receives_are_told)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=1");
    send(w, q, "m");
    at(w, 500);
    receive(w, q, 1);
    CHECK_INT(w->got[0].sent_at, T0);
    CHECK_INT(w->got[0].first_received_at, T0 + 500);
    CHECK_INT(w->got[0].receive_count, 1);
    at(w, 9000);
    receive(w, q, 1);
    CHECK_INT(w->got[0].first_received_at, T0 + 500);
    CHECK_INT(w->got[0].receive_count, 2);
    CHECK_STR(w->got[0].sender, S("000000000000"));
    world_close(w);
}

TEST(a_receive_whose_answer_was_lost_is_taken_back)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    w->woken = 0;
    CHECK_OK(sqs_message_return(w->sqs, &w->ctx, q, receipt));
    CHECK_INT(w->woken, 1);
    CHECK_STR(counts(w, q), S("1/0/0"));
    at(w, 5000);
    receive(w, q, 1);
    CHECK_INT(w->got[0].receive_count, 1);
    CHECK_INT(w->got[0].first_received_at, T0 + 5000);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_OK(sqs_message_return(w->sqs, &w->ctx, q, receipt));
    CHECK_STR(counts(w, q), S("0/0/0"));
    world_close(w);
}

TEST(receive_attempts_are_for_fifo_queues)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_receive ask = {.max = 1, .visibility = -1, .attempt = S("a")};
    CHECK_FAULT(sqs_message_receive(w->sqs, &w->ctx, q, &ask, &w->got, &w->n),
                SQS_INVALID_PARAMETER);
    world_close(w);
}

/* --- restarts --- */

TEST(a_restart_forgets_nothing)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "VisibilityTimeout=30");
    send(w, q, "flying");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    send(w, q, "waiting");
    send_delayed(w, q, "delayed", 60);
    str before = sqs_dump(w->sqs, w->ctx.arena);
    sqs_reload(w->sqs);
    CHECK_STR(sqs_dump(w->sqs, w->ctx.arena), before);
    CHECK_STR(counts(w, q), S("1/1/1"));
    CHECK_OK(delete (w, q, receipt));
    CHECK_STR(counts(w, q), S("1/0/1"));
    world_close(w);
}

TEST(a_handle_of_before_a_restart_never_meets_another_message)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "old");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    CHECK_OK(delete (w, q, receipt));
    sqs_reload(w->sqs);
    send(w, q, "new");
    receive(w, q, 1);
    CHECK_OK(delete (w, q, receipt));
    CHECK_STR(counts(w, q), S("0/1/0"));
    world_close(w);
}

static int64_t body_rows(struct world *w)
{
    struct stmt *rows = db_sql(w->db, "SELECT count(*) FROM sqs_body");
    CHECK(stmt_row(rows));
    int64_t n = col_int(rows, 0);
    stmt_done(rows);
    return n;
}

TEST(a_large_body_goes_with_its_message)
{
    struct world *w = world_open(false);
    int64_t dead = make_queue(w, "dead", "");
    int64_t q = make_queue(
        w, "q",
        "MessageRetentionPeriod=60;VisibilityTimeout=1;RedrivePolicy={\"deadLetterTargetArn\":"
        "\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":1}");
    char *body = calloc(1, 20001);
    memset(body, 'x', 20000);
    for (int i = 0; i < 3; i++)
        send(w, q, body);
    CHECK_INT(body_rows(w), 3);
    sqs_reload(w->sqs);
    receive(w, q, 1);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_INT(body_rows(w), 2);
    receive(w, q, 1);
    at(w, 1000);
    CHECK_INT(receive(w, q, 2), 1); /* one moves, one is given */
    at(w, 60000);
    CHECK_INT(body_rows(w), 1);
    CHECK_STR(bodies(w, dead, 1, -1), str_of(body));
    CHECK_OK(delete (w, dead, w->got[0].receipt));
    CHECK_INT(body_rows(w), 0);
    free(body);
    world_close(w);
}

TEST(looking_at_messages_changes_nothing)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "flying");
    receive(w, q, 1);
    send(w, q, "waiting");
    send_delayed(w, q, "delayed", 60);
    str before = sqs_dump(w->sqs, w->ctx.arena);
    struct sqs_peek peek = {.limit = 100};
    struct sqs_peeked *seen;
    size_t n;
    CHECK_OK(sqs_messages_peek(w->sqs, &w->ctx, q, &peek, &seen, &n));
    CHECK_INT(n, 1);
    CHECK_STR(seen[0].message.body, S("waiting"));
    CHECK_INT(peek.after, -1);
    peek = (struct sqs_peek){.limit = 2, .invisible = true, .delayed = true};
    CHECK_OK(sqs_messages_peek(w->sqs, &w->ctx, q, &peek, &seen, &n));
    CHECK_INT(n, 2);
    CHECK_INT(seen[0].state, SQS_IN_FLIGHT);
    CHECK_INT(seen[0].visible_at, T0 + 30000);
    CHECK_INT(seen[0].message.receive_count, 1);
    CHECK_OK(sqs_messages_peek(w->sqs, &w->ctx, q, &peek, &seen, &n));
    CHECK_INT(n, 1);
    CHECK_INT(seen[0].state, SQS_DELAYED);
    CHECK_STR(sqs_dump(w->sqs, w->ctx.arena), before);
    world_close(w);
}

/* A snapshot that someone made may hold such rows. */
TEST(columns_of_the_wrong_length_are_read_no_further_than_they_go)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    CHECK_OK(stmt_run(db_sql(w->db, "UPDATE sqs_message SET message_id = x'01', md5 = x'', "
                                    "attributes = x'ffffffffffffffffffff7f0161'")));
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_STR(w->got[0].body, S("m"));
    CHECK_STR(w->got[0].id, S("01000000-0000-0000-0000-000000000000"));
    world_close(w);
}

UNIT_MAIN
