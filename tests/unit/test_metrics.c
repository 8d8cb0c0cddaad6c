/* Counting requests, and what they would have cost. */
#include "unit.h"

#include "app/cost.h"

static void count(struct metrics *metrics, const char *service, const char *operation, int times,
                  int64_t bytes, bool empty)
{
    struct metrics_request request = {.service = str_of(service),
                                      .operation = str_of(operation),
                                      .us = 300,
                                      .bytes_in = bytes,
                                      .empty_receive = empty};
    for (int i = 0; i < times; i++)
        metrics_count(metrics, &request);
}

static bool has(str text, const char *part)
{
    return str_find(text, str_of(part), 0) >= 0;
}

TEST(requests_are_counted_by_operation_and_code)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    count(metrics, "sqs", "SendMessage", 3, 100, false);
    metrics_count(metrics, &(struct metrics_request){.service = S("sqs"),
                                                     .operation = S("SendMessage"),
                                                     .code = S("OverLimit")});
    metrics_prometheus(metrics, &b);
    CHECK(has(buf_str(&b),
              "headrace_requests_total{service=\"sqs\",operation=\"SendMessage\",code=\"\"} 3\n"));
    CHECK(has(buf_str(&b), "code=\"OverLimit\"} 1\n"));
    CHECK(has(
        buf_str(&b),
        "request_seconds_bucket{service=\"sqs\",operation=\"SendMessage\",le=\"0.00025\"} 1\n"));
    CHECK(
        has(buf_str(&b),
            "request_seconds_bucket{service=\"sqs\",operation=\"SendMessage\",le=\"0.0005\"} 4\n"));
    arena_free(arena);
    metrics_free(metrics);
}

TEST(a_million_sends_cost_forty_cents_and_a_large_one_counts_for_each_started_64_kib)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct cost_usage usage = {0};
    struct metrics_operation *operations;
    count(metrics, "sqs", "SendMessage", 999984, 65536, false);
    count(metrics, "sqs", "SendMessage", 1, 1048576, false);
    usage.n = metrics_operations(metrics, arena, &operations);
    usage.operations = operations;
    cost_json(&b, &usage);
    CHECK(has(buf_str(&b), "\"total\":0.400000000"));
    arena_free(arena);
    metrics_free(metrics);
}

TEST(the_share_of_empty_receives_is_told)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct metrics_operation *operations;
    count(metrics, "sqs", "ReceiveMessage", 30, 0, true);
    count(metrics, "sqs", "ReceiveMessage", 10, 0, false);
    struct cost_usage usage = {.n = metrics_operations(metrics, arena, &operations)};
    usage.operations = operations;
    cost_text(&b, &usage);
    CHECK(has(buf_str(&b), "75% of them empty receives"));
    CHECK(has(buf_str(&b), "of which empty receives  $0.000012000"));
    arena_free(arena);
    metrics_free(metrics);
}

TEST(deletes_are_free_and_puts_cost_more_than_gets)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct metrics_operation *operations;
    count(metrics, "s3", "PutObject", 1000, 10, false);
    count(metrics, "s3", "HeadObject", 1000, 0, false);
    count(metrics, "s3", "DeleteObject", 1000, 0, false);
    struct cost_usage usage = {.stored_bytes = 1073741824,
                               .n = metrics_operations(metrics, arena, &operations)};
    usage.operations = operations;
    cost_json(&b, &usage);
    CHECK(has(buf_str(&b), "\"operation\":\"DeleteObject\",\"requests\":1000,\"billedUnits\":1000,"
                           "\"requestCost\":0.000000000"));
    CHECK(has(buf_str(&b), "\"total\":0.005400000"));
    CHECK(has(buf_str(&b), "\"storagePerMonth\":0.023000000"));
    arena_free(arena);
    metrics_free(metrics);
}

UNIT_MAIN
