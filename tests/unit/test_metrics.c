/* Counting requests, and what they would have cost. */
#include "unit.h"

#include "app/cost.h"
#include "app/exposition.h"

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

TEST(a_million_sends_to_a_fifo_queue_cost_fifty_cents)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct metrics_operation *operations;
    struct metrics_request request = {
        .service = S("sqs"), .operation = S("SendMessage"), .bytes_in = 300, .fifo = true};
    for (int i = 0; i < 1000000; i++)
        metrics_count(metrics, &request);
    struct cost_usage usage = {.n = metrics_operations(metrics, arena, &operations)};
    usage.operations = operations;
    cost_json(&b, &usage);
    CHECK(has(buf_str(&b), "\"total\":0.500000000"));
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

TEST(label_values_are_escaped_and_what_is_no_text_is_not_shown)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    struct label labels[] = {{"a", S("q\"b\\n\nend")}, {"b", S("\xff\xfe")}};
    expose_int(&b, "x", labels, 2, 7);
    CHECK_STR(buf_str(&b), S("headrace_x{a=\"q\\\"b\\\\n\\nend\",b=\"?\"} 7\n"));
    arena_free(arena);
}

TEST(buckets_of_a_histogram_hold_all_below_and_the_last_one_all)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    static const int64_t bounds[] = {100, 2500000}, counts[] = {3, 0, 4};
    expose_histogram(&b, "x_seconds", NULL, 0,
                     &(struct histogram){bounds, counts, 2, 1000000, 1500000});
    CHECK_STR(buf_str(&b), S("headrace_x_seconds_bucket{le=\"0.0001\"} 3\n"
                             "headrace_x_seconds_bucket{le=\"2.5\"} 3\n"
                             "headrace_x_seconds_bucket{le=\"+Inf\"} 7\n"
                             "headrace_x_seconds_sum 1.500000\n"
                             "headrace_x_seconds_count 7\n"));
    arena_free(arena);
}

TEST(commits_are_counted_by_duration_and_by_the_requests_that_shared_them)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    metrics_commit(metrics, 90, 0, true);
    metrics_commit(metrics, 700, 3, true);
    metrics_commit(metrics, 20000000, 1000, false);
    metrics_prometheus(metrics, &b);
    CHECK(has(buf_str(&b), "headrace_commit_seconds_bucket{le=\"0.0001\"} 1\n"));
    CHECK(has(buf_str(&b), "headrace_commit_seconds_bucket{le=\"0.001\"} 2\n"));
    CHECK(has(buf_str(&b), "headrace_commit_seconds_bucket{le=\"10\"} 2\n"));
    CHECK(has(buf_str(&b), "headrace_commit_seconds_count 3\n"));
    CHECK(has(buf_str(&b), "headrace_commit_requests_bucket{le=\"2\"} 1\n"));
    CHECK(has(buf_str(&b), "headrace_commit_requests_bucket{le=\"4\"} 2\n"));
    CHECK(has(buf_str(&b), "headrace_commit_requests_sum 1003\n"));
    CHECK(has(buf_str(&b), "headrace_commit_failures_total 1\n"));
    metrics_clear(metrics);
    b.n = 0;
    metrics_prometheus(metrics, &b);
    CHECK(has(buf_str(&b), "headrace_commit_seconds_count 0\n"));
    arena_free(arena);
    metrics_free(metrics);
}

TEST(the_rate_is_that_of_the_last_five_whole_seconds)
{
    struct metrics *metrics = metrics_new();
    struct arena *arena = arena_new();
    struct metrics_operation *operations;
    for (int64_t second = 100; second < 112; second++) /* 2 a second, then 4 */
        for (int i = 0; i < (second < 108 ? 2 : 4); i++)
            metrics_count(metrics, &(struct metrics_request){.service = S("sqs"),
                                                             .operation = S("SendMessage"),
                                                             .at = second * 1000000 + 999999});
    metrics_operations(metrics, arena, &operations);
    CHECK_INT(metrics_per_second(&operations->rate, 111500000) * 10, 32); /* 106..110 */
    CHECK_INT(metrics_per_second(&operations->rate, 112000000) * 10, 36);
    CHECK_INT(metrics_per_second(&operations->rate, 116999999) * 10, 8); /* 111 alone */
    CHECK_INT(metrics_per_second(&operations->rate, 200000000) * 10, 0);
    arena_free(arena);
    metrics_free(metrics);
}

UNIT_MAIN
