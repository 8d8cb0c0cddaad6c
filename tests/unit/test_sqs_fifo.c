/* Rules of FIFO queues: groups, order, deduplication, attempts. Numbers are those of
 * docs/sqs-behaviour.md. */
#include "sqs_world.h"

#define FIFO "FifoQueue=true"

static str receipt_of(struct world *w, const char *body)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->got[i].body, str_of(body)))
            return w->got[i].receipt;
    return STR_NONE;
}

TEST(r33_an_expired_handle_of_a_fifo_queue_is_refused)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=5");
    send_group(w, q, "g", "m");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    at(w, 5000);
    err e = delete (w, q, receipt);
    CHECK_FAULT(e, SQS_INVALID_PARAMETER);
    CHECK_STR(err_message(e), arena_printf(w->ctx.arena,
                                           "Value %.*s for parameter ReceiptHandle is invalid. "
                                           "Reason: The receipt handle has expired.",
                                           STR_ARG(receipt)));
    receive(w, q, 1);
    CHECK_FAULT(delete (w, q, receipt), SQS_INVALID_PARAMETER); /* another holds it now */
    e = hide(w, q, receipt, 100);
    CHECK_FAULT(e, SQS_INVALID_PARAMETER);
    CHECK(str_ends(err_message(e), S("is not available for visibility timeout change.")));
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_OK(delete (w, q, receipt)); /* gone: no harm in asking */
    world_close(w);
}

TEST(r33_a_handle_extended_in_time_deletes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=5");
    send_group(w, q, "g", "m");
    receive(w, q, 1);
    at(w, 4000);
    CHECK_OK(hide(w, q, w->got[0].receipt, 10));
    at(w, 13000);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    world_close(w);
}

TEST(r42_one_receive_empties_the_first_group_before_the_next)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g1", "g1-m1");
    send_group(w, q, "g2", "g2-m1");
    send_group(w, q, "g1", "g1-m2");
    send_group(w, q, "g1", "g1-m3");
    CHECK_STR(bodies(w, q, 10, -1), S("g1-m1 g1-m2 g1-m3 g2-m1"));
    world_close(w);
}

TEST(r43_a_group_in_flight_is_closed_to_new_sends)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    receive(w, q, 1);
    send_group(w, q, "g", "2");
    CHECK_INT(receive(w, q, 10), 0);
    send_group(w, q, "h", "other");
    CHECK_STR(bodies(w, q, 10, -1), S("other"));
    world_close(w);
}

TEST(r43_deleting_all_in_flight_opens_the_group_and_wakes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    send_group(w, q, "g", "3");
    receive(w, q, 2);
    w->woken = 0;
    CHECK_OK(delete (w, q, receipt_of(w, "1")));
    CHECK_INT(w->woken, 0);
    CHECK_OK(delete (w, q, receipt_of(w, "2")));
    CHECK_INT(w->woken, 1);
    CHECK_STR(bodies(w, q, 10, -1), S("3"));
    world_close(w);
}

TEST(r43_an_expiry_opens_the_group_and_wakes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=5");
    send_group(w, q, "g", "1");
    receive(w, q, 1);
    send_group(w, q, "g", "2");
    w->woken = 0;
    at(w, 5000);
    CHECK(w->woken > 0);
    CHECK_STR(bodies(w, q, 10, -1), S("1 2"));
    world_close(w);
}

TEST(r44_what_is_still_hidden_holds_back_all_behind_it)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=5");
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    send_group(w, q, "g", "3");
    receive(w, q, 10);
    CHECK_OK(hide(w, q, receipt_of(w, "2"), 60));
    at(w, 5000);
    CHECK_STR(counts(w, q), S("2/1/0"));
    CHECK_STR(bodies(w, q, 10, -1), S("1"));
    CHECK_INT(receive(w, q, 10), 0);
    world_close(w);
}

TEST(r44_one_message_shown_early_opens_the_group_for_itself)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    send_group(w, q, "g", "3");
    receive(w, q, 2);
    CHECK_OK(hide(w, q, receipt_of(w, "1"), 0));
    CHECK_STR(bodies(w, q, 10, -1), S("1"));
    world_close(w);
}

TEST(r44_a_reopened_group_goes_behind_the_others)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "a", "a1");
    send_group(w, q, "b", "b1");
    send_group(w, q, "c", "c1");
    CHECK_STR(bodies(w, q, 1, 0), S("a1"));
    CHECK_STR(bodies(w, q, 1, -1), S("b1"));
    CHECK_OK(hide(w, q, w->got[0].receipt, 0));
    CHECK_STR(bodies(w, q, 10, -1), S("c1 a1 b1"));
    world_close(w);
}

TEST(r45_a_timeout_of_zero_keeps_the_order_of_a_group)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    CHECK_STR(bodies(w, q, 1, 0), S("1"));
    CHECK_STR(bodies(w, q, 10, 0), S("1 2"));
    CHECK_STR(bodies(w, q, 10, -1), S("1 2"));
    world_close(w);
}

TEST(r45_order_survives_timeouts)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=5");
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    send_group(w, q, "g", "3");
    CHECK_STR(bodies(w, q, 2, -1), S("1 2"));
    at(w, 5000);
    CHECK_STR(bodies(w, q, 10, -1), S("1 2 3"));
    world_close(w);
}

TEST(r46_a_duplicate_within_five_minutes_of_the_first_send_is_answered_and_dropped)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "m");
    str id = w->sent.id, sequence = w->sent.sequence;
    receive(w, q, 1);
    CHECK_OK(delete (w, q, w->got[0].receipt));
    at(w, 299999);
    send_group(w, q, "g", "m");
    CHECK_STR(w->sent.id, id);
    CHECK_STR(w->sent.sequence, sequence);
    CHECK_STR(counts(w, q), S("0/0/0"));
    at(w, 300000);
    send_group(w, q, "g", "m");
    CHECK(!str_eq(w->sent.id, id));
    CHECK_STR(counts(w, q), S("1/0/0"));
    world_close(w);
}

TEST(r46_the_window_survives_a_restart)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "m");
    sqs_reload(w->sqs);
    send_group(w, q, "g", "m");
    CHECK_STR(counts(w, q), S("1/0/0"));
    world_close(w);
}

TEST(r46_content_makes_the_id_without_the_attributes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";ContentBasedDeduplication=true");
    struct sqs_attribute attribute = {S("n"), S("String"), S("v")};
    struct sqs_send message = {.body = S("test"), .delay = -1, .group = S("g")};
    CHECK_OK(try_send(w, q, &message));
    str id = w->sent.id;
    message.attributes = &attribute;
    message.nattributes = 1;
    CHECK_OK(try_send(w, q, &message));
    CHECK_STR(w->sent.id, id);
    message.dedup = S("explicit");
    CHECK_OK(try_send(w, q, &message));
    CHECK(!str_eq(w->sent.id, id));
    CHECK_INT(receive(w, q, 10), 2);
    CHECK_STR(w->got[0].dedup,
              S("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    CHECK_STR(w->got[1].dedup, S("explicit"));
    world_close(w);
}

TEST(r46_an_id_sent_explicitly_meets_the_one_made_of_content)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";ContentBasedDeduplication=true");
    struct sqs_send message = {.body = S("test"), .delay = -1, .group = S("g")};
    CHECK_OK(try_send(w, q, &message));
    message.body = S("another");
    message.dedup = S("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    CHECK_OK(try_send(w, q, &message));
    CHECK_STR(counts(w, q), S("1/0/0"));
    world_close(w);
}

TEST(r47_the_scope_of_deduplication_is_fixed_at_creation)
{
    struct world *w = world_open(false);
    int64_t wide = make_queue(w, "wide.fifo", FIFO),
            narrow = make_queue(w, "narrow.fifo", FIFO ";DeduplicationScope=messageGroup");
    for (int i = 0; i < 2; i++) {
        const char *group = i ? "b" : "a";
        send_group(w, wide, group, "m");
        send_group(w, narrow, group, "m");
    }
    CHECK_STR(counts(w, wide), S("1/0/0"));
    CHECK_STR(counts(w, narrow), S("2/0/0"));
    CHECK_OK(try_set(w, wide, "DeduplicationScope=messageGroup"));
    CHECK_STR(attribute(w, wide, "DeduplicationScope"), S("messageGroup"));
    send_group(w, wide, "c", "m");
    CHECK_STR(counts(w, wide), S("1/0/0"));
    world_close(w);
}

TEST(r48_a_purge_forgets_deduplication)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "m");
    CHECK_OK(sqs_queue_purge(w->sqs, &w->ctx, q));
    send_group(w, q, "g", "m");
    CHECK_STR(counts(w, q), S("1/0/0"));
    world_close(w);
}

TEST(r48_a_move_to_the_dead_letter_queue_frees_the_group)
{
    struct world *w = world_open(false);
    make_queue(w, "dead.fifo", FIFO);
    int64_t q = make_queue(w, "q.fifo",
                           FIFO ";VisibilityTimeout=1;RedrivePolicy={\"deadLetterTargetArn\":\"arn:"
                                "aws:sqs:us-east-1:000000000000:dead.fifo\""
                                ",\"maxReceiveCount\":1}");
    send_group(w, q, "g", "poison");
    send_group(w, q, "g", "good");
    CHECK_STR(bodies(w, q, 1, -1), S("poison"));
    at(w, 1000);
    CHECK_STR(bodies(w, q, 10, -1), S("good"));
    world_close(w);
}

TEST(r49_messages_of_closed_groups_count_as_visible)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    for (int i = 0; i < 6; i++) {
        char group[] = {(char)('a' + i / 2), 0}, body[] = {(char)('0' + i), 0};
        send_group(w, q, group, body);
    }
    CHECK_INT(receive(w, q, 2), 2);
    CHECK_STR(counts(w, q), S("4/2/0"));
    world_close(w);
}

TEST(r50_an_empty_group_can_be_used_again)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    for (int i = 0; i < 5; i++) {
        char body[] = {(char)('0' + i), 0};
        send_group(w, q, "g", body);
        CHECK_STR(bodies(w, q, 1, -1), str_of(body));
        CHECK_OK(delete (w, q, w->got[0].receipt));
    }
    world_close(w);
}

TEST(r50_a_delayed_message_does_not_block_those_before_it)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    at(w, 60000);
    CHECK_OK(try_set(w, q, "DelaySeconds=30"));
    send_group(w, q, "g", "2");
    CHECK_STR(counts(w, q), S("1/0/1"));
    CHECK_STR(bodies(w, q, 10, -1), S("1"));
    world_close(w);
}

static err receive_attempt(struct world *w, int64_t q, const char *attempt)
{
    struct sqs_receive ask = {.max = 10, .visibility = -1, .attempt = str_of(attempt)};
    return sqs_message_receive(w->sqs, &w->ctx, q, &ask, &w->got, &w->n);
}

TEST(an_attempt_made_again_gives_the_same_messages_and_handles)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO ";VisibilityTimeout=10");
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_INT(w->n, 2);
    str receipt = w->got[1].receipt;
    at(w, 8000);
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_INT(w->n, 2);
    CHECK_STR(w->got[1].receipt, receipt);
    CHECK_INT(w->got[1].receive_count, 1);
    at(w, 17999); /* the timeout began anew */
    CHECK_INT(receive(w, q, 10), 0);
    CHECK_OK(receive_attempt(w, q, "b"));
    CHECK_INT(w->n, 0);
    world_close(w);
}

TEST(an_attempt_whose_messages_were_deleted_cannot_be_made_again)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "h", "2");
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_OK(delete (w, q, w->got[0].receipt));
    CHECK_SAYS(receive_attempt(w, q, "a"), SQS_INVALID_PARAMETER,
               "Value a for parameter ReceiveRequestAttemptId is invalid. Reason: The "
               "receiveRequestAttemptId is not valid anymore since the receive call is not "
               "retryable.");
    CHECK_OK(receive_attempt(w, q, "b"));
    CHECK_INT(w->n, 0);
    world_close(w);
}

/* "It is possible to retry ... if none of the messages have been modified (deleted or had their
 * visibility changes)" (API reference, ReceiveMessage). A retry does not modify. */
TEST(an_attempt_whose_messages_were_hidden_or_shown_cannot_be_made_again)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "h", "2");
    for (int64_t seconds = 0; seconds <= 60; seconds += 60) {
        at(w, seconds * 1000 + 1);
        const char *name = seconds ? "a" : "b";
        CHECK_OK(receive_attempt(w, q, name));
        at(w, seconds * 1000 + 1000);
        CHECK_OK(receive_attempt(w, q, name));
        at(w, seconds * 1000 + 2000);
        CHECK_OK(receive_attempt(w, q, name));
        CHECK_INT(w->n, 2);
        CHECK_OK(sqs_message_hide(w->sqs, &w->ctx, q, w->got[1].receipt, seconds));
        CHECK_FAULT(receive_attempt(w, q, name), SQS_INVALID_PARAMETER);
    }
    world_close(w);
}

/* The very case that attempts are for: the answer did not arrive. */
TEST(an_attempt_whose_receive_was_taken_back_is_a_new_one)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_OK(sqs_message_return(w->sqs, &w->ctx, q, w->got[0].receipt));
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_INT(w->n, 1);
    CHECK_INT(w->got[0].receive_count, 1);
    CHECK_OK(sqs_message_return(w->sqs, &w->ctx, q, w->got[0].receipt));
    CHECK_INT(receive(w, q, 1), 1); /* by another consumer, with the same count */
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_INT(w->n, 0);
    world_close(w);
}

TEST(an_attempt_whose_messages_came_back_is_a_new_one)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    CHECK_OK(receive_attempt(w, q, "a"));
    at(w, 30000);
    CHECK_OK(receive_attempt(w, q, "a"));
    CHECK_INT(w->n, 1);
    CHECK_INT(w->got[0].receive_count, 2);
    world_close(w);
}

TEST(the_group_lock_survives_a_restart)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    send_group(w, q, "g", "1");
    send_group(w, q, "g", "2");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    sqs_reload(w->sqs);
    CHECK_INT(receive(w, q, 10), 0);
    CHECK_OK(delete (w, q, receipt));
    CHECK_STR(bodies(w, q, 10, -1), S("2"));
    world_close(w);
}

TEST(strict_throttles_fifo_queues_at_300_calls_a_second)
{
    struct world *w = world_open(true);
    int64_t q = make_queue(w, "q.fifo", FIFO);
    int64_t fast =
        make_queue(w, "fast.fifo",
                   FIFO ";DeduplicationScope=messageGroup;FifoThroughputLimit=perMessageGroupId");
    struct sqs_send message = {.body = S("b"), .delay = -1, .group = S("g"), .dedup = S("d")};
    for (int i = 0; i < 300; i++)
        CHECK_OK(try_send(w, q, &message));
    CHECK_SAYS(try_send(w, q, &message), SQS_THROTTLED, "Request is throttled.");
    CHECK_INT(SQS_THROTTLED.status, 403);
    for (int i = 0; i < 400; i++)
        CHECK_OK(try_send(w, fast, &message));
    at(w, 1000);
    CHECK_OK(try_send(w, q, &message));
    world_close(w);
}

UNIT_MAIN
