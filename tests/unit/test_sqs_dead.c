/* Rules of dead letter queues and message move tasks. Numbers are those of docs/sqs-behaviour.md.
 */
#include "sqs_world.h"

#define ARN(name) "arn:aws:sqs:us-east-1:000000000000:" name
#define REDRIVE(name, count)                                                                       \
    "RedrivePolicy={\"deadLetterTargetArn\":\"" ARN(name) "\",\"maxReceiveCount\":" count "}"

static int64_t dead, source;

static struct world *two_queues(const char *max_receives)
{
    struct world *w = world_open(false);
    dead = make_queue(w, "dead", "");
    char text[200];
    snprintf(text, sizeof text,
             "VisibilityTimeout=1;RedrivePolicy={\"deadLetterTargetArn\":\"" ARN(
                 "dead") "\",\"maxReceiveCount\":%s}",
             max_receives);
    source = make_queue(w, "source", text);
    return w;
}

/* Sends n messages and lets them die. */
static void bury(struct world *w, int n)
{
    msec now = w->ctx.now - T0;
    for (int i = 0; i < n; i++) {
        char body[12];
        snprintf(body, sizeof body, "m%d", i);
        send(w, source, body);
    }
    for (int got = 0; got < n; got += (int)w->n)
        receive(w, source, 10);
    at(w, now + 1000);
    CHECK_INT(receive(w, source, 10), 0);
}

TEST(r51_the_receive_after_the_last_allowed_one_moves_the_message)
{
    struct world *w = two_queues("1");
    struct sqs_attribute attribute = {S("n"), S("String"), S("v")};
    struct sqs_send message = {.body = S("m"),
                               .delay = -1,
                               .attributes = &attribute,
                               .nattributes = 1,
                               .trace_header = S("Root=1-2-3")};
    CHECK_OK(try_send(w, source, &message));
    str id = w->sent.id;
    at(w, 100);
    CHECK_INT(receive(w, source, 1), 1);
    CHECK_STR(w->got[0].dead_letter_source, STR_NONE);
    at(w, 1100);
    w->woken = 0;
    CHECK_INT(receive(w, source, 1), 0);
    CHECK_INT(w->woken_queue, dead);
    CHECK_STR(counts(w, source), S("0/0/0"));
    CHECK_INT(receive(w, dead, 1), 1);
    const struct sqs_message *got = &w->got[0];
    CHECK_STR(got->id, id);
    CHECK_STR(got->body, S("m"));
    CHECK_INT(got->nattributes, 1);
    CHECK_STR(got->trace_header, S("Root=1-2-3"));
    CHECK_INT(got->sent_at, T0);
    CHECK_INT(got->first_received_at, T0 + 100);
    CHECK_INT(got->receive_count, 2);
    CHECK_STR(got->dead_letter_source, S(ARN("source")));
    world_close(w);
}

/* "Using DLQ for DLQ ... causes the message to go into the second DLQ immediately" was LocalStack's
 * bug 5225; AWS's limit is "the number of times a message is delivered to the source queue". */
TEST(r51_a_dead_letter_queue_with_a_policy_of_its_own_counts_anew)
{
    struct world *w = world_open(false);
    int64_t grave = make_queue(w, "grave", "");
    dead = make_queue(w, "dead", "VisibilityTimeout=1;" REDRIVE("grave", "2"));
    source = make_queue(w, "source", "VisibilityTimeout=1;" REDRIVE("dead", "2"));
    send(w, source, "m");
    for (int64_t count = 1; count <= 4; count++) {
        at(w, count * 2000);
        if (count == 3)
            CHECK_INT(receive(w, source, 1), 0);
        if (count == 4)
            sqs_reload(w->sqs);
        CHECK_INT(receive(w, count < 3 ? source : dead, 1), 1);
        CHECK_INT(w->got[0].receive_count, count);
    }
    at(w, 10000);
    CHECK_INT(receive(w, dead, 1), 0);
    CHECK_INT(receive(w, grave, 1), 1);
    CHECK_INT(w->got[0].receive_count, 5);
    CHECK_STR(w->got[0].dead_letter_source, S(ARN("dead")));
    world_close(w);
}

/* A retry queue that is a dead letter queue with a delay: "the delay is not working, it processes
 * the message right away" (spring-cloud-aws, issue 717, on AWS). */
TEST(r51_the_delay_of_a_dead_letter_queue_does_not_hold_the_dead)
{
    struct world *w = two_queues("1");
    CHECK_OK(try_set(w, dead, "DelaySeconds=900"));
    bury(w, 1);
    CHECK_STR(counts(w, dead), S("1/0/0"));
    CHECK_STR(bodies(w, dead, 1, -1), S("m0"));
    world_close(w);
}

TEST(r51_a_large_body_moves_too)
{
    struct world *w = two_queues("1");
    char *body = calloc(1, 100001);
    memset(body, 'x', 100000);
    send(w, source, body);
    receive(w, source, 1);
    at(w, 1000);
    receive(w, source, 1);
    CHECK_STR(bodies(w, dead, 1, -1), str_of(body));
    free(body);
    world_close(w);
}

TEST(r51_good_messages_behind_a_dying_one_are_given_by_the_same_receive)
{
    struct world *w = two_queues("1");
    send(w, source, "poison");
    receive(w, source, 1);
    send(w, source, "good");
    at(w, 1000);
    CHECK_STR(bodies(w, source, 10, -1), S("good"));
    CHECK_STR(counts(w, dead), S("1/0/0"));
    world_close(w);
}

TEST(a_message_is_given_on_when_its_dead_letter_queue_is_gone)
{
    struct world *w = two_queues("1");
    send(w, source, "m");
    receive(w, source, 1);
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, dead));
    at(w, 1000);
    CHECK_INT(receive(w, source, 1), 1);
    CHECK_INT(w->got[0].receive_count, 2);
    world_close(w);
}

TEST(retention_of_a_dead_message_counts_from_its_first_send)
{
    struct world *w = two_queues("1");
    CHECK_OK(try_set(w, dead, "MessageRetentionPeriod=60"));
    bury(w, 1);
    at(w, 59999);
    CHECK_STR(counts(w, dead), S("1/0/0"));
    at(w, 60000);
    CHECK_STR(counts(w, dead), S("0/0/0"));
    world_close(w);
}

TEST(r52_the_count_of_a_redrive_policy_may_be_a_text_and_comes_back_a_number)
{
    struct world *w = two_queues("\"7\"");
    CHECK_STR(attribute(w, source, "RedrivePolicy"),
              S("{\"deadLetterTargetArn\":\"" ARN("dead") "\",\"maxReceiveCount\":7}"));
    CHECK_OK(try_set(w, source, "RedrivePolicy="));
    CHECK_STR(attribute(w, source, "RedrivePolicy"), STR_NONE);
    world_close(w);
}

TEST(r52_a_bad_redrive_policy_is_refused)
{
    struct world *w = two_queues("1");
    CHECK_SAYS(try_set(w, source, REDRIVE("dead", "1001")), SQS_INVALID_PARAMETER,
               "Value {\"deadLetterTargetArn\":\"" ARN(
                   "dead") "\",\"maxReceiveCount\":1001} for parameter RedrivePolicy is invalid. "
                           "Reason: Invalid value for maxReceiveCount: 1001, valid values are from "
                           "1 to 1000 both inclusive.");
    CHECK_FAULT(try_set(w, source, REDRIVE("dead", "0")), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, source, REDRIVE("dead", "\"x\"")), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, source, "RedrivePolicy={}"), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, source, "RedrivePolicy=nothing"), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, source, REDRIVE("nowhere", "3")), SQS_INVALID_PARAMETER);
    make_queue(w, "dead.fifo", "FifoQueue=true");
    CHECK_FAULT(try_set(w, source, REDRIVE("dead.fifo", "3")), SQS_INVALID_PARAMETER);
    CHECK_STR(attribute(w, source, "RedrivePolicy"),
              S("{\"deadLetterTargetArn\":\"" ARN("dead") "\",\"maxReceiveCount\":1}"));
    world_close(w);
}

TEST(a_redrive_allow_policy_decides_which_queues_may_use_a_dead_letter_queue)
{
    struct world *w = two_queues("1");
    int64_t other = make_queue(w, "other", "");
    CHECK_OK(try_set(w, dead, "RedriveAllowPolicy={\"redrivePermission\":\"denyAll\"}"));
    CHECK_FAULT(try_set(w, other, REDRIVE("dead", "3")), SQS_INVALID_PARAMETER);
    CHECK_OK(
        try_set(w, dead,
                "RedriveAllowPolicy={\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"" ARN(
                    "other") "\"]}"));
    CHECK_OK(try_set(w, other, REDRIVE("dead", "3")));
    int64_t queue;
    CHECK_FAULT(try_queue(w, "third", REDRIVE("dead", "3"), &queue), SQS_INVALID_PARAMETER);
    /* The first queue had its policy before: its messages are not lost, they stay. */
    send(w, source, "m");
    receive(w, source, 1);
    at(w, 1000);
    CHECK_INT(receive(w, source, 1), 1);
    CHECK_STR(counts(w, dead), S("0/0/0"));
    world_close(w);
}

TEST(a_bad_redrive_allow_policy_is_refused)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_FAULT(try_set(w, q, "RedriveAllowPolicy=x"), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, q, "RedriveAllowPolicy={\"redrivePermission\":\"some\"}"),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, q, "RedriveAllowPolicy={\"redrivePermission\":\"byQueue\"}"),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(
        try_set(
            w, q,
            "RedriveAllowPolicy={\"redrivePermission\":\"allowAll\",\"sourceQueueArns\":[\"a\"]}"),
        SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, q,
                        "RedriveAllowPolicy={\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":"
                        "[\"1\",\"2\",\"3\",\"4\",\"5\","
                        "\"6\",\"7\",\"8\",\"9\",\"10\",\"11\"]}"),
                SQS_INVALID_PARAMETER);
    CHECK_OK(try_set(w, q, "RedriveAllowPolicy={\"redrivePermission\":\"allowAll\"}"));
    world_close(w);
}

TEST(the_sources_of_a_dead_letter_queue_are_listed_in_pages)
{
    struct world *w = two_queues("1");
    int64_t second = make_queue(w, "second", REDRIVE("dead", "3")), *sources;
    size_t n;
    str token = STR_NONE;
    CHECK_OK(sqs_queue_sources(w->sqs, &w->ctx, dead, 1, &token, &sources, &n));
    CHECK_INT(n, 1);
    CHECK_INT(sources[0], source);
    CHECK_OK(sqs_queue_sources(w->sqs, &w->ctx, dead, 1, &token, &sources, &n));
    CHECK_INT(sources[0], second);
    CHECK_STR(token, STR_NONE);
    world_close(w);
}

/* --- move tasks --- */

static struct sqs_move_task *tasks;
static size_t ntasks;

static err start(struct world *w, const char *from, const char *to, int64_t rate, str *handle)
{
    return sqs_move_start(w->sqs, &w->ctx, str_of(from), str_of(to), rate, handle);
}

static struct sqs_move_task newest(struct world *w)
{
    CHECK_OK(sqs_move_list(w->sqs, &w->ctx, S(ARN("dead")), 1, &tasks, &ntasks));
    CHECK_INT(ntasks, 1);
    return tasks[0];
}

TEST(r53_a_task_starts_at_a_dead_letter_queue_and_only_once)
{
    struct world *w = two_queues("1");
    str handle;
    CHECK_SAYS(start(w, ARN("source"), NULL, 0, &handle), SQS_INVALID_PARAMETER,
               "Source queue must be configured as a Dead Letter Queue.");
    CHECK_SAYS(start(w, ARN("nowhere"), NULL, 0, &handle), SQS_UNKNOWN_RESOURCE,
               "The resource that you specified for the SourceArn parameter doesn't exist.");
    CHECK_SAYS(start(w, ARN("dead"), ARN("nowhere"), 0, &handle), SQS_UNKNOWN_RESOURCE,
               "The resource that you specified for the DestinationArn parameter doesn't exist.");
    CHECK_FAULT(start(w, ARN("dead"), NULL, 501, &handle), SQS_INVALID_PARAMETER);
    CHECK_FAULT(start(w, ARN("dead"), ARN("dead"), 0, &handle), SQS_INVALID_PARAMETER);
    bury(w, 3);
    CHECK_OK(start(w, ARN("dead"), NULL, 1, &handle));
    CHECK_SAYS(start(w, ARN("dead"), NULL, 1, &handle), SQS_INVALID_PARAMETER,
               "There is already a task running. Only one active task is allowed for a source "
               "queue arn at a given time.");
    world_close(w);
}

TEST(r54_without_a_destination_messages_go_back_where_they_died)
{
    struct world *w = two_queues("1");
    int64_t second = make_queue(w, "second", "VisibilityTimeout=1;" REDRIVE("dead", "1"));
    str handle;
    bury(w, 1);
    send(w, second, "other");
    receive(w, second, 1);
    at(w, 2000);
    receive(w, second, 1);
    CHECK_STR(counts(w, dead), S("2/0/0"));
    CHECK_OK(start(w, ARN("dead"), NULL, 0, &handle));
    at(w, 2000);
    CHECK_STR(counts(w, dead), S("0/0/0"));
    CHECK_STR(bodies(w, second, 1, -1), S("other"));
    CHECK_STR(bodies(w, source, 1, -1), S("m0"));
    CHECK_INT(w->got[0].receive_count, 1); /* a new message with the old content */
    CHECK_INT(w->got[0].sent_at, T0 + 2000);
    CHECK_STR(w->got[0].dead_letter_source, STR_NONE);
    struct sqs_move_task task = newest(w);
    CHECK_STR(str_of(task.status), S("COMPLETED"));
    CHECK_STR(task.destination_arn, STR_NONE);
    CHECK_STR(task.handle, STR_NONE);
    CHECK_INT(task.moved, 2);
    CHECK_INT(task.to_move, 2);
    world_close(w);
}

TEST(r54_a_message_that_never_died_fails_the_task)
{
    struct world *w = two_queues("1");
    str handle;
    send(w, dead, "direct");
    CHECK_OK(start(w, ARN("dead"), NULL, 0, &handle));
    at(w, 0);
    CHECK_STR(str_of(newest(w).status), S("FAILED"));
    CHECK_STR(newest(w).failure, S("CouldNotDetermineMessageSource"));
    CHECK_OK(start(w, ARN("dead"), ARN("source"), 0, &handle));
    at(w, 0);
    CHECK_STR(str_of(newest(w).status), S("COMPLETED"));
    CHECK_STR(bodies(w, source, 1, -1), S("direct"));
    world_close(w);
}

TEST(r55_a_task_keeps_its_rate)
{
    struct world *w = two_queues("1");
    str handle;
    bury(w, 5);
    CHECK_OK(start(w, ARN("dead"), NULL, 2, &handle));
    CHECK_STR(newest(w).handle, handle);
    CHECK_INT(newest(w).rate, 2);
    CHECK_INT(newest(w).to_move, 5);
    at(w, 1000);
    CHECK_INT(newest(w).moved, 2);
    at(w, 1999);
    CHECK_INT(newest(w).moved, 2);
    at(w, 2000);
    CHECK_INT(newest(w).moved, 4);
    CHECK_STR(str_of(newest(w).status), S("RUNNING"));
    at(w, 3000);
    CHECK_INT(newest(w).moved, 5);
    CHECK_STR(str_of(newest(w).status), S("COMPLETED"));
    world_close(w);
}

TEST(r55_a_task_goes_on_after_a_restart)
{
    struct world *w = two_queues("1");
    str handle;
    bury(w, 4);
    CHECK_OK(start(w, ARN("dead"), NULL, 1, &handle));
    at(w, 2000);
    CHECK_INT(newest(w).moved, 2);
    sqs_reload(w->sqs);
    CHECK_STR(newest(w).handle, handle);
    at(w, 4000);
    CHECK_INT(newest(w).moved, 4);
    CHECK_STR(str_of(newest(w).status), S("COMPLETED"));
    world_close(w);
}

TEST(r55_a_destination_deleted_on_the_way_fails_the_task)
{
    struct world *w = two_queues("1");
    int64_t target = make_queue(w, "target", "");
    str handle;
    bury(w, 3);
    CHECK_OK(start(w, ARN("dead"), ARN("target"), 1, &handle));
    at(w, 1000);
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, target));
    at(w, 2000);
    CHECK_STR(str_of(newest(w).status), S("FAILED"));
    CHECK_STR(newest(w).failure, S("AWS.SimpleQueueService.NonExistentQueue"));
    CHECK_STR(newest(w).destination_arn, S(ARN("target")));
    CHECK_STR(counts(w, dead), S("2/0/0"));
    world_close(w);
}

TEST(r55_tasks_are_listed_newest_first)
{
    struct world *w = two_queues("1");
    str handle;
    for (int i = 0; i < 12; i++) {
        CHECK_OK(start(w, ARN("dead"), NULL, 0, &handle));
        at(w, 10 * (i + 1));
    }
    CHECK_OK(sqs_move_list(w->sqs, &w->ctx, S(ARN("dead")), 10, &tasks, &ntasks));
    CHECK_INT(ntasks, 10);
    CHECK_INT(tasks[0].started, T0 + 110);
    CHECK_INT(tasks[9].started, T0 + 20);
    CHECK_FAULT(sqs_move_list(w->sqs, &w->ctx, S(ARN("dead")), 11, &tasks, &ntasks),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(sqs_move_list(w->sqs, &w->ctx, S(ARN("nowhere")), 1, &tasks, &ntasks),
                SQS_UNKNOWN_RESOURCE);
    world_close(w);
}

TEST(r55_what_arrives_after_the_start_stays)
{
    struct world *w = two_queues("1");
    str handle;
    bury(w, 2);
    CHECK_OK(start(w, ARN("dead"), ARN("source"), 1, &handle));
    send(w, dead, "late");
    at(w, 10000);
    CHECK_STR(str_of(newest(w).status), S("COMPLETED"));
    CHECK_STR(bodies(w, dead, 10, -1), S("late"));
    world_close(w);
}

TEST(r56_a_task_can_be_cancelled_while_it_runs)
{
    struct world *w = two_queues("1");
    str handle;
    int64_t moved;
    bury(w, 3);
    CHECK_OK(start(w, ARN("dead"), NULL, 1, &handle));
    at(w, 1000);
    CHECK_OK(sqs_move_cancel(w->sqs, &w->ctx, handle, &moved));
    CHECK_INT(moved, 1);
    CHECK_STR(str_of(newest(w).status), S("CANCELLED"));
    at(w, 9000);
    CHECK_STR(counts(w, dead), S("2/0/0"));
    CHECK_SAYS(sqs_move_cancel(w->sqs, &w->ctx, handle, &moved), SQS_UNKNOWN_RESOURCE,
               "Task does not exist.");
    CHECK_SAYS(sqs_move_cancel(w->sqs, &w->ctx, S("garbage"), &moved), SQS_INVALID_PARAMETER,
               "Value for parameter TaskHandle is invalid.");
    str nowhere = S("{\"taskId\":\"x\",\"sourceArn\":\"" ARN("nowhere") "\"}");
    CHECK_SAYS(sqs_move_cancel(w->sqs, &w->ctx, base64_encode(w->ctx.arena, nowhere), &moved),
               SQS_UNKNOWN_RESOURCE,
               "The resource that you specified for the SourceArn parameter doesn't exist.");
    world_close(w);
}

TEST(a_fifo_move_keeps_the_order_of_groups)
{
    struct world *w = world_open(false);
    dead = make_queue(w, "dead.fifo", "FifoQueue=true");
    source = make_queue(w, "source.fifo",
                        "FifoQueue=true;VisibilityTimeout=1;" REDRIVE("dead.fifo", "1"));
    str handle;
    send_group(w, source, "g", "1");
    send_group(w, source, "h", "x");
    send_group(w, source, "g", "2");
    receive(w, source, 10);
    at(w, 1000);
    CHECK_INT(receive(w, source, 10), 0);
    CHECK_STR(bodies(w, dead, 10, 0), S("1 2 x"));
    CHECK_OK(start(w, ARN("dead.fifo"), NULL, 0, &handle));
    at(w, 1000);
    CHECK_STR(bodies(w, source, 10, -1), S("1 2 x"));
    world_close(w);
}

UNIT_MAIN
