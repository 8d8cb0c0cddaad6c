/* Rules of queues: creation, names, URLs, attributes, lists, tags, permissions. Numbers are those
 * of docs/sqs-behaviour.md. */
#include "sqs_world.h"

TEST(r57_creating_a_queue_again_with_equal_attributes_finds_it)
{
    struct world *w = world_open(false);
    int64_t again, q = make_queue(w, "q", "DelaySeconds=5");
    CHECK_OK(try_queue(w, "q", "", &again));
    CHECK_INT(again, q);
    CHECK_OK(try_queue(w, "q", "DelaySeconds=5;VisibilityTimeout=30", &again));
    CHECK_INT(again, q);
    CHECK_SAYS(try_queue(w, "q", "DelaySeconds=6", &again), SQS_QUEUE_NAME_EXISTS,
               "A queue already exists with the same name and a different value for attribute "
               "DelaySeconds");
    CHECK_OK(try_set(w, q, "DelaySeconds=6"));
    CHECK_OK(try_queue(w, "q", "DelaySeconds=6;ApproximateNumberOfMessages=9", &again));
    world_close(w);
}

/* That SSE-SQS ends a key is a consequence, not an attribute of the request. */
TEST(r57_a_refusal_names_an_attribute_of_the_request)
{
    struct world *w = world_open(false);
    int64_t again;
    make_queue(w, "q", "KmsMasterKeyId=alias/k");
    CHECK_SAYS(try_queue(w, "q", "SqsManagedSseEnabled=true", &again), SQS_QUEUE_NAME_EXISTS,
               "A queue already exists with the same name and a different value for attribute "
               "SqsManagedSseEnabled");
    CHECK_OK(try_queue(w, "q", "SqsManagedSseEnabled=false", &again));
    make_queue(w, "q.fifo",
               "FifoQueue=true;DeduplicationScope=messageGroup;"
               "FifoThroughputLimit=perMessageGroupId");
    CHECK_SAYS(try_queue(w, "q.fifo", "FifoQueue=true;DeduplicationScope=queue", &again),
               SQS_QUEUE_NAME_EXISTS,
               "A queue already exists with the same name and a different value for attribute "
               "DeduplicationScope");
    CHECK_OK(try_queue(w, "q.fifo", "FifoThroughputLimit=perMessageGroupId", &again));
    world_close(w);
}

TEST(queues_belong_to_an_account_and_a_region)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), other;
    w->ctx.region = S("eu-west-1");
    other = make_queue(w, "q", "");
    CHECK(other != q);
    CHECK_FAULT(sqs_queue_find(w->sqs, S("000000000000"), S("eu-west-2"), S("q"), &other),
                SQS_QUEUE_DOES_NOT_EXIST);
    CHECK_OK(sqs_queue_find(w->sqs, S("000000000000"), S("us-east-1"), S("q"), &other));
    CHECK_INT(other, q);
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, q));
    CHECK_STR(sqs_queue_elsewhere(w->sqs, S("000000000000"), S("us-east-1"), S("q")),
              S("eu-west-1"));
    CHECK_STR(sqs_queue_elsewhere(w->sqs, S("111111111111"), S("us-east-1"), S("q")), STR_NONE);
    world_close(w);
}

TEST(r58_strict_waits_60_seconds_before_a_name_is_used_again)
{
    struct world *w = world_open(true), *lax = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, q));
    at(w, 59999);
    CHECK_SAYS(try_queue(w, "q", "", &q), SQS_QUEUE_DELETED_RECENTLY,
               "You must wait 60 seconds after deleting a queue before you can create another with "
               "the same name.");
    at(w, 60000);
    CHECK_OK(try_queue(w, "q", "", &q));
    q = make_queue(lax, "q", "");
    CHECK_OK(sqs_queue_delete(lax->sqs, &lax->ctx, q));
    CHECK_OK(try_queue(lax, "q", "", &q));
    world_close(w);
    world_close(lax);
}

TEST(r58_strict_allows_one_purge_a_minute)
{
    struct world *w = world_open(true), *lax = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_OK(sqs_queue_purge(w->sqs, &w->ctx, q));
    at(w, 59999);
    CHECK_SAYS(sqs_queue_purge(w->sqs, &w->ctx, q), SQS_PURGE_IN_PROGRESS,
               "Only one PurgeQueue operation on q is allowed every 60 seconds.");
    at(w, 60000);
    CHECK_OK(sqs_queue_purge(w->sqs, &w->ctx, q));
    q = make_queue(lax, "q", "");
    CHECK_OK(sqs_queue_purge(lax->sqs, &lax->ctx, q));
    CHECK_OK(sqs_queue_purge(lax->sqs, &lax->ctx, q));
    world_close(w);
    world_close(lax);
}

TEST(r58_a_purge_drops_waiting_hidden_and_delayed_messages)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), other = make_queue(w, "other", "");
    send(w, other, "kept");
    send(w, q, "flying");
    receive(w, q, 1);
    str receipt = w->got[0].receipt;
    send(w, q, "waiting");
    send_delayed(w, q, "delayed", 5);
    CHECK_OK(sqs_queue_purge(w->sqs, &w->ctx, q));
    CHECK_STR(counts(w, q), S("0/0/0"));
    CHECK_STR(counts(w, other), S("1/0/0"));
    CHECK_OK(delete (w, q, receipt));
    at(w, 60000);
    CHECK_INT(receive(w, q, 1), 0);
    world_close(w);
}

TEST(r58_a_large_purge_is_over_at_once_and_its_rows_go_later)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), gone = make_queue(w, "gone", "");
    for (int i = 0; i < 5000; i++) {
        send(w, q, "old");
        send(w, gone, "old");
    }
    CHECK_OK(sqs_queue_purge(w->sqs, &w->ctx, q));
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, gone));
    CHECK_STR(counts(w, q), S("0/0/0"));
    send(w, q, "new");
    sqs_reload(w->sqs); /* before the rows are gone */
    CHECK_STR(counts(w, q), S("1/0/0"));
    at(w, 1000);
    struct stmt *rows = db_sql(w->db, "SELECT count(*) FROM sqs_message");
    CHECK(stmt_row(rows));
    CHECK_INT(col_int(rows, 0), 1);
    stmt_done(rows);
    CHECK_STR(bodies(w, q, 10, -1), S("new"));
    CHECK_INT(sqs_next_due(w->sqs), T0 + 31000);
    world_close(w);
}

TEST(a_deleted_queue_is_gone_with_its_messages_and_its_number_is_not_used_again)
{
    struct world *w = world_open(false);
    int64_t again, q = make_queue(w, "q", "DelaySeconds=1");
    send(w, q, "m");
    CHECK_OK(sqs_queue_delete(w->sqs, &w->ctx, q));
    CHECK_FAULT(sqs_queue_delete(w->sqs, &w->ctx, q), SQS_QUEUE_DOES_NOT_EXIST);
    CHECK_OK(try_queue(w, "q", "", &again));
    CHECK(again != q);
    CHECK_STR(counts(w, again), S("0/0/0"));
    CHECK_STR(attribute(w, again, "DelaySeconds"), S("0"));
    world_close(w);
}

TEST(r59_fifo_attributes_are_unknown_on_standard_queues)
{
    struct world *w = world_open(false);
    int64_t q;
    CHECK_SAYS(try_queue(w, "q", "FifoQueue=false", &q), SQS_INVALID_ATTRIBUTE_NAME,
               "Unknown Attribute FifoQueue.");
    CHECK_SAYS(try_queue(w, "q", "ContentBasedDeduplication=true", &q), SQS_INVALID_ATTRIBUTE_NAME,
               "Unknown Attribute ContentBasedDeduplication.");
    q = make_queue(w, "q", "");
    CHECK_SAYS(try_set(w, q, "FifoQueue=true"), SQS_INVALID_ATTRIBUTE_NAME,
               "Unknown Attribute FifoQueue.");
    CHECK_SAYS(try_set(w, q, "DeduplicationScope=queue"), SQS_INVALID_ATTRIBUTE_NAME,
               "You can specify the DeduplicationScope only when FifoQueue is set to true.");
    CHECK_SAYS(try_set(w, q, "FifoThroughputLimit=perQueue"), SQS_INVALID_ATTRIBUTE_NAME,
               "You can specify the FifoThroughputLimit only when FifoQueue is set to true.");
    CHECK_SAYS(try_set(w, q, "Foobar=1"), SQS_INVALID_ATTRIBUTE_NAME, "Unknown Attribute Foobar.");
    CHECK_SAYS(try_set(w, q, "QueueArn=1"), SQS_INVALID_ATTRIBUTE_NAME,
               "Unknown Attribute QueueArn.");
    str names[] = {S("Foobar")};
    struct sqs_pair *pairs;
    size_t n;
    CHECK_SAYS(sqs_queue_get(w->sqs, &w->ctx, q, names, 1, &pairs, &n), SQS_INVALID_ATTRIBUTE_NAME,
               "Unknown Attribute Foobar.");
    world_close(w);
}

TEST(r59_the_type_of_a_queue_cannot_change)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", "FifoQueue=true;ContentBasedDeduplication=TRUE");
    CHECK_SAYS(try_set(w, q, "FifoQueue=false"), SQS_INVALID_ATTRIBUTE_VALUE,
               "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not "
               "supported.");
    CHECK_OK(try_set(w, q, "FifoQueue=true"));
    CHECK_STR(attribute(w, q, "ContentBasedDeduplication"), S("true"));
    CHECK_FAULT(try_set(w, q, "FifoThroughputLimit=perMessageGroupId"),
                SQS_INVALID_ATTRIBUTE_VALUE);
    CHECK_OK(
        try_set(w, q, "DeduplicationScope=messageGroup;FifoThroughputLimit=perMessageGroupId"));
    world_close(w);
}

TEST(attribute_values_outside_their_range_are_refused_and_nothing_changes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    static const char *const bad[] = {"DelaySeconds=901",
                                      "DelaySeconds=-1",
                                      "DelaySeconds=",
                                      "DelaySeconds=5x",
                                      "MaximumMessageSize=1023",
                                      "MaximumMessageSize=1048577",
                                      "MessageRetentionPeriod=59",
                                      "MessageRetentionPeriod=1209601",
                                      "ReceiveMessageWaitTimeSeconds=21",
                                      "VisibilityTimeout=43201",
                                      "VisibilityTimeout=8000000000000000000000",
                                      "SqsManagedSseEnabled=yes",
                                      "KmsDataKeyReusePeriodSeconds=59",
                                      "Policy={}",
                                      "Policy=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char both[100];
        snprintf(both, sizeof both, "VisibilityTimeout=7;%s", bad[i]);
        CHECK_FAULT(try_set(w, q, both), SQS_INVALID_ATTRIBUTE_VALUE);
    }
    CHECK_STR(attribute(w, q, "VisibilityTimeout"), S("30"));
    CHECK_SAYS(try_set(w, q, "DelaySeconds=901"), SQS_INVALID_ATTRIBUTE_VALUE,
               "Invalid value for the parameter DelaySeconds.");
    world_close(w);
}

TEST(r60_names_are_1_to_80_letters_digits_hyphens_underscores)
{
    struct world *w = world_open(false);
    int64_t q;
    char name[82];
    memset(name, 'n', sizeof name);
    name[81] = 0;
    CHECK_SAYS(
        try_queue(w, name, "", &q), SQS_INVALID_PARAMETER,
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    name[80] = 0;
    CHECK_OK(try_queue(w, name, "", &q));
    CHECK_FAULT(try_queue(w, "", "", &q), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_queue(w, "a b", "", &q), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_queue(w, "q.fifo", "", &q), SQS_INVALID_PARAMETER);
    CHECK_SAYS(try_queue(w, "q", "FifoQueue=true", &q), SQS_INVALID_PARAMETER,
               "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
               "underscores, must end with .fifo suffix "
               "and be 1 to 80 in length");
    memcpy(name + 75, ".fifo", 6);
    CHECK_OK(try_queue(w, name, "FifoQueue=true", &q));
    world_close(w);
}

static size_t all_of(struct world *w, int64_t q, struct sqs_pair **pairs)
{
    size_t n;
    str names[] = {S("All")};
    CHECK_OK(sqs_queue_get(w->sqs, &w->ctx, q, names, 1, pairs, &n));
    return n;
}

TEST(r62_a_new_queue_has_twelve_attributes_and_a_fifo_queue_sixteen)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), f = make_queue(w, "q.fifo", "FifoQueue=true");
    struct sqs_pair *pairs;
    CHECK_INT(all_of(w, q, &pairs), 12);
    CHECK_INT(all_of(w, f, &pairs), 16);
    CHECK_STR(attribute(w, q, "SqsManagedSseEnabled"), S("true"));
    CHECK_STR(attribute(w, q, "QueueArn"), S("arn:aws:sqs:us-east-1:000000000000:q"));
    CHECK_STR(attribute(w, q, "MaximumMessageSize"), S("1048576"));
    CHECK_STR(attribute(w, q, "CreatedTimestamp"), S("1700000000"));
    CHECK_STR(attribute(w, f, "DeduplicationScope"), S("queue"));
    CHECK_STR(attribute(w, f, "FifoThroughputLimit"), S("perQueue"));
    CHECK_STR(attribute(w, f, "ContentBasedDeduplication"), S("false"));
    CHECK_STR(attribute(w, q, "FifoQueue"), STR_NONE);
    CHECK_STR(attribute(w, q, "Policy"), STR_NONE);
    at(w, 5000);
    CHECK_OK(try_set(w, q, "DelaySeconds=1"));
    CHECK_STR(attribute(w, q, "LastModifiedTimestamp"), S("1700000005"));
    CHECK_STR(attribute(w, q, "CreatedTimestamp"), S("1700000000"));
    world_close(w);
}

TEST(r62_one_kind_of_encryption_at_a_time)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_SAYS(try_set(w, q, "KmsMasterKeyId=alias/k;SqsManagedSseEnabled=true"),
               SQS_INVALID_ATTRIBUTE_NAME,
               "You can use one type of server-side encryption (SSE) at one time. You can either "
               "enable KMS SSE or SQS SSE.");
    CHECK_STR(attribute(w, q, "KmsDataKeyReusePeriodSeconds"), STR_NONE);
    CHECK_OK(try_set(w, q, "KmsMasterKeyId=alias/k"));
    CHECK_STR(attribute(w, q, "SqsManagedSseEnabled"), S("false"));
    CHECK_STR(attribute(w, q, "KmsDataKeyReusePeriodSeconds"), S("300"));
    CHECK_OK(try_set(w, q, "SqsManagedSseEnabled=true"));
    CHECK_STR(attribute(w, q, "KmsMasterKeyId"), STR_NONE);
    world_close(w);
}

TEST(strict_knows_no_key_but_awss_own)
{
    struct world *w = world_open(true);
    int64_t q = make_queue(w, "q", "KmsMasterKeyId=alias/mine"),
            aws = make_queue(w, "aws", "KmsMasterKeyId=alias/aws/sqs");
    struct sqs_send message = {.body = S("m"), .delay = -1};
    CHECK_FAULT(try_send(w, q, &message), SQS_KMS_NOT_FOUND);
    CHECK_STR(str_of(SQS_KMS_NOT_FOUND.code), S("KMS.NotFoundException"));
    CHECK_FAULT(try_receive(w, q, 1, -1), SQS_KMS_NOT_FOUND);
    CHECK_OK(try_send(w, aws, &message));
    world_close(w);
}

TEST(attributes_survive_a_restart)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(
        w, "q.fifo",
        "FifoQueue=true;DelaySeconds=3;KmsMasterKeyId=alias/k;DeduplicationScope=messageGroup");
    str before = sqs_dump(w->sqs, w->ctx.arena);
    sqs_reload(w->sqs);
    CHECK_STR(sqs_dump(w->sqs, w->ctx.arena), before);
    CHECK_STR(attribute(w, q, "DelaySeconds"), S("3"));
    CHECK_STR(attribute(w, q, "SqsManagedSseEnabled"), S("false"));
    world_close(w);
}

TEST(r63_queues_are_listed_by_name_and_prefix_in_pages)
{
    struct world *w = world_open(false);
    make_queue(w, "b2", "");
    make_queue(w, "a1", "");
    make_queue(w, "b1", "");
    w->ctx.account = S("111111111111");
    make_queue(w, "b3", "");
    w->ctx.account = S("000000000000");
    str token = STR_NONE, *names;
    size_t n;
    CHECK_OK(sqs_queue_list(w->sqs, &w->ctx, STR_NONE, -1, &token, &names, &n));
    CHECK_INT(n, 3);
    CHECK_STR(names[0], S("a1"));
    CHECK_STR(token, STR_NONE);
    CHECK_OK(sqs_queue_list(w->sqs, &w->ctx, S("b"), 1, &token, &names, &n));
    CHECK_INT(n, 1);
    CHECK_STR(names[0], S("b1"));
    CHECK(token.p != NULL);
    CHECK_OK(sqs_queue_list(w->sqs, &w->ctx, S("b"), 1, &token, &names, &n));
    CHECK_STR(names[0], S("b2"));
    CHECK_STR(token, STR_NONE);
    CHECK_FAULT(sqs_queue_list(w->sqs, &w->ctx, STR_NONE, 0, &token, &names, &n),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(sqs_queue_list(w->sqs, &w->ctx, STR_NONE, 1001, &token, &names, &n),
                SQS_INVALID_PARAMETER);
    token = S("***");
    CHECK_FAULT(sqs_queue_list(w->sqs, &w->ctx, STR_NONE, 5, &token, &names, &n),
                SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r64_tags_are_overwritten_kept_empty_and_removed)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_pair set[] = {{S("a"), S("1")}, {S("A"), S("")}}, again = {S("a"), S("2")}, *tags;
    str gone[] = {S("a"), S("never")};
    size_t n;
    CHECK_OK(sqs_queue_tag(w->sqs, &w->ctx, q, set, 2));
    CHECK_OK(sqs_queue_tag(w->sqs, &w->ctx, q, &again, 1));
    CHECK_OK(sqs_queue_tags(w->sqs, &w->ctx, q, &tags, &n));
    CHECK_INT(n, 2);
    CHECK_STR(tags[0].name, S("A"));
    CHECK_STR(tags[0].value, S(""));
    CHECK_STR(tags[1].value, S("2"));
    CHECK_OK(sqs_queue_untag(w->sqs, &w->ctx, q, gone, 2));
    CHECK_OK(sqs_queue_tags(w->sqs, &w->ctx, q, &tags, &n));
    CHECK_INT(n, 1);
    CHECK_SAYS(sqs_queue_tag(w->sqs, &w->ctx, q, NULL, 0), SQS_MISSING_PARAMETER,
               "The request must contain the parameter Tags.");
    for (int i = 0; i < 49; i++) {
        struct sqs_pair more = {arena_printf(w->ctx.arena, "t%d", i), S("v")};
        CHECK_OK(sqs_queue_tag(w->sqs, &w->ctx, q, &more, 1));
    }
    CHECK_FAULT(sqs_queue_tag(w->sqs, &w->ctx, q, &again, 1), SQS_INVALID_PARAMETER); /* the 51st */
    world_close(w);
}

TEST(r65_permissions_write_the_policy)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    str one[] = {S("111111111111")}, two[] = {S("111111111111"), S("222222222222")},
        send_only[] = {S("SendMessage")}, both[] = {S("SendMessage"), S("ReceiveMessage")};
    CHECK_OK(sqs_permission_add(w->sqs, &w->ctx, q, S("first"), one, 1, send_only, 1));
    CHECK_STR(attribute(w, q, "Policy"),
              S("{\"Version\":\"2008-10-17\",\"Id\":\"arn:aws:sqs:us-east-1:000000000000:q/"
                "SQSDefaultPolicy\",\"Statement\":[{\"Sid\":"
                "\"first\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111111111111:"
                "root\"},\"Action\":\"SQS:SendMessage\","
                "\"Resource\":\"arn:aws:sqs:us-east-1:000000000000:q\"}]}"));
    CHECK_SAYS(sqs_permission_add(w->sqs, &w->ctx, q, S("first"), one, 1, send_only, 1),
               SQS_INVALID_PARAMETER,
               "Value first for parameter Label is invalid. Reason: Already exists.");
    CHECK_OK(sqs_permission_add(w->sqs, &w->ctx, q, S("second"), two, 2, both, 2));
    CHECK(str_find(attribute(w, q, "Policy"),
                   S("[\"arn:aws:iam::111111111111:root\",\"arn:aws:iam::222222222222:root\"]"),
                   0) > 0);
    CHECK(str_find(attribute(w, q, "Policy"), S("[\"SQS:SendMessage\",\"SQS:ReceiveMessage\"]"),
                   0) > 0);
    CHECK_SAYS(sqs_permission_remove(w->sqs, &w->ctx, q, S("third")), SQS_INVALID_PARAMETER,
               "Value third for parameter Label is invalid. Reason: can't find label on existing "
               "policy.");
    CHECK_OK(sqs_permission_remove(w->sqs, &w->ctx, q, S("first")));
    CHECK_OK(sqs_permission_remove(w->sqs, &w->ctx, q, S("second")));
    CHECK_STR(attribute(w, q, "Policy"), STR_NONE);
    world_close(w);
}

TEST(r65_a_statement_has_seven_actions_at_most_and_real_principals)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    str accounts[] = {S("111111111111"), S("x")}, actions[8], owner[] = {S("DeleteQueue")},
        odd[] = {S("Fly")};
    for (int i = 0; i < 8; i++)
        actions[i] = S("SendMessage");
    CHECK_SAYS(sqs_permission_add(w->sqs, &w->ctx, q, S("l"), accounts, 1, actions, 8),
               SQS_OVER_LIMIT, "8 Actions were found, maximum allowed is 7.");
    CHECK_OK(sqs_permission_add(w->sqs, &w->ctx, q, S("l"), accounts, 1, actions, 7));
    CHECK_SAYS(sqs_permission_add(w->sqs, &w->ctx, q, S("m"), accounts, 0, actions, 1),
               SQS_INVALID_PARAMETER,
               "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify.");
    CHECK_FAULT(sqs_permission_add(w->sqs, &w->ctx, q, S("m"), accounts, 2, actions, 1),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(sqs_permission_add(w->sqs, &w->ctx, q, S("m"), accounts, 1, owner, 1),
                SQS_INVALID_PARAMETER);
    CHECK_FAULT(sqs_permission_add(w->sqs, &w->ctx, q, S("m"), accounts, 1, odd, 1),
                SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(queue_urls_of_every_form_are_understood)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", ""), found;
    static const char *const urls[] = {
        "http://localhost:4566/000000000000/q",
        "https://sqs.us-east-1.amazonaws.com/000000000000/q",
        "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/q",
        "https://queue.amazonaws.com/000000000000/q",
        "http://us-east-1.queue.localhost:4566/000000000000/q",
        "http://localhost:4566/queue/us-east-1/000000000000/q",
        "http://elsewhere:9324/queue/q",
        "http://10.0.0.1:4100/000000000000/q/",
        "/000000000000/q",
        "q",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        found = 0;
        CHECK_OK(sqs_queue_at(w->sqs, &w->ctx, str_of(urls[i]), &found));
        CHECK_INT(found, q);
    }
    w->ctx.region = S("eu-west-1"); /* a URL that says its region means it */
    CHECK_OK(sqs_queue_at(w->sqs, &w->ctx, str_of(urls[2]), &found));
    CHECK_OK(sqs_queue_at(w->sqs, &w->ctx, str_of(urls[5]), &found));
    CHECK_FAULT(sqs_queue_at(w->sqs, &w->ctx, str_of(urls[0]), &found), SQS_QUEUE_DOES_NOT_EXIST);
    CHECK_FAULT(sqs_queue_at(w->sqs, &w->ctx, S("http://localhost:4566/111111111111/q"), &found),
                SQS_QUEUE_DOES_NOT_EXIST);
    CHECK_FAULT(sqs_queue_at(w->sqs, &w->ctx, S(""), &found), SQS_MISSING_PARAMETER);
    CHECK_SAYS(sqs_queue_at(w->sqs, &w->ctx, S("https://queue.amazonaws.com/"), &found),
               SQS_INVALID_ADDRESS,
               "The address https://queue.amazonaws.com/ is not valid for this endpoint.");
    w->ctx.host = S("queues.test:8080");
    CHECK_STR(sqs_queue_url(w->sqs, &w->ctx, q), S("http://queues.test:8080/000000000000/q"));
    world_close(w);
}

TEST(a_reset_empties_an_account_or_everything)
{
    struct world *w = world_open(true);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "m");
    w->ctx.account = S("111111111111");
    int64_t other = make_queue(w, "q", "");
    send(w, other, "m");
    CHECK_OK(sqs_reset(w->sqs, S("111111111111")));
    CHECK_STR(counts(w, q), S("1/0/0"));
    CHECK_FAULT(sqs_queue_delete(w->sqs, &w->ctx, other), SQS_QUEUE_DOES_NOT_EXIST);
    make_queue(w, "q", ""); /* even in strict mode */
    CHECK_OK(sqs_reset(w->sqs, STR_NONE));
    CHECK_INT(sqs_queue_next(w->sqs, 0), 0);
    CHECK_INT(sqs_next_due(w->sqs), INT64_MAX);
    world_close(w);
}

TEST(a_refused_call_changes_nothing)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    uint64_t before = sqs_changes(w->sqs);
    struct sqs_send message = {.body = S("m"), .delay = 901};
    CHECK_FAULT(try_send(w, q, &message), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_receive(w, q, 11, -1), SQS_INVALID_PARAMETER);
    CHECK_FAULT(try_set(w, q, "DelaySeconds=7;Foobar=1"), SQS_INVALID_ATTRIBUTE_NAME);
    CHECK_FAULT(delete (w, q, S("garbage")), SQS_RECEIPT_INVALID);
    CHECK_INT(sqs_changes(w->sqs), before);
    send(w, q, "m");
    CHECK(sqs_changes(w->sqs) > before);
    world_close(w);
}

UNIT_MAIN
