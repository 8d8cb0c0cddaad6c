/* Event notifications: which configurations AWS takes, which rules a change meets, and the record
 * to the letter. */
#include "s3.h"
#include "s3/notify.h"

#define QUEUE "arn:aws:sqs:us-east-1:111122223333:q"

struct heard {
    struct arena *arena;
    str last;
    int delivered, observed;
    const char *missed;
    enum s3_destination answer;
};

static enum s3_destination check(void *user, struct ctx *ctx, str arn, str bucket)
{
    (void)ctx, (void)arn, (void)bucket;
    return ((struct heard *)user)->answer;
}

static err deliver(void *user, struct ctx *ctx, str arn, str bucket, str body)
{
    (void)bucket;
    struct heard *heard = user;
    (void)ctx;
    CHECK_STR(arn, S(QUEUE));
    heard->delivered++;
    heard->last = arena_copy(heard->arena, body);
    return OK;
}

static void observe(void *user, struct ctx *ctx, const struct s3_observation *seen)
{
    struct heard *heard = user;
    (void)ctx;
    heard->observed++;
    heard->missed = seen->missed;
}

#define EAR(lab, heard)                                                                            \
    LAB(lab);                                                                                      \
    struct heard heard = {.arena = lab.ctx.arena};                                                 \
    lab.s3->hooks = (struct s3_hooks){&heard, check, deliver, observe};                            \
    lab.ctx.request_id = S("REQ1");                                                                \
    lab.ctx.host_id = S("HOST1");                                                                  \
    lab.ctx.source_ip = S("127.0.0.1")

static struct s3_notify_rule rule_of(struct lab *lab, str arn, str event, str prefix, str suffix)
{
    struct scalar_str *events = ARENA_NEW(lab->ctx.arena, struct scalar_str);
    struct s3_filter_rule *rules = arena_array(lab->ctx.arena, 2, sizeof *rules);
    struct s3_key_filter *key = ARENA_NEW(lab->ctx.arena, struct s3_key_filter);
    struct s3_event_filter *filter = ARENA_NEW(lab->ctx.arena, struct s3_event_filter);
    events->value = event;
    key->rules = (list){.at = rules, .set = true};
    if (prefix.p)
        rules[key->rules.n++] = (struct s3_filter_rule){S("prefix"), prefix};
    if (suffix.p)
        rules[key->rules.n++] = (struct s3_filter_rule){S("SUFFIX"), suffix};
    filter->key = key;
    return (struct s3_notify_rule){.arn = arn,
                                   .events = {.at = events, .n = 1, .set = true},
                                   .filter = prefix.p || suffix.p ? filter : NULL};
}

static err put(struct lab *lab, struct s3_notify_rule *rules, size_t n)
{
    struct s3_notification config = {.queues = {.at = rules, .n = n, .set = true}};
    return s3_notification_put(lab->s3, &lab->ctx, S("bucket"), &config, false);
}

TEST(putting_a_configuration_sends_the_test_event)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), STR_NONE, STR_NONE);
    CHECK_OK(put(&lab, &rule, 1));
    CHECK_STR(heard.last,
              S("{\"Service\":\"Amazon "
                "S3\",\"Event\":\"s3:TestEvent\",\"Time\":\"2023-11-14T22:13:20.000Z\",\"Bucket\":"
                "\"bucket\",\"RequestId\":\"REQ1\",\"HostId\":\"HOST1\"}"));
    lab_end(&lab);
}

TEST(the_record_of_a_put_is_written_as_aws_writes_it)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), STR_NONE, STR_NONE);
    rule.id = S("cfg");
    CHECK_OK(put(&lab, &rule, 1));
    lab_put(&lab, S("dir/red flower+@.jpg"), S("hello"));
    str want = S("{\"Records\":[{\"eventVersion\":\"2.1\",\"eventSource\":\"aws:s3\",\"awsRegion\":"
                 "\"us-east-1\",\"eventTime\":"
                 "\"2023-11-14T22:13:20.000Z\",\"eventName\":\"ObjectCreated:Put\","
                 "\"userIdentity\":{\"principalId\":\"AWS:AIDA");
    CHECK_STR(str_slice(heard.last, 0, want.n), want);
    CHECK(str_find(
              heard.last,
              S("\"requestParameters\":{\"sourceIPAddress\":\"127.0.0.1\"},\"responseElements\":{"
                "\"x-amz-request-id\":\"REQ1\",\"x-amz-id-2\":\"HOST1\"},\"s3\":{"
                "\"s3SchemaVersion\":\"1.0\","
                "\"configurationId\":\"cfg\",\"bucket\":{\"name\":\"bucket\",\"ownerIdentity\":{"
                "\"principalId\":\"A"),
              0) > 0);
    CHECK(str_find(heard.last,
                   S("\"arn\":\"arn:aws:s3:::bucket\"},\"object\":{\"key\":\"dir/"
                     "red+flower%2B%40.jpg\",\"size\":5,\"eTag\":"
                     "\"5d41402abc4b2a76b9719d911017c592\",\"sequencer\":\"00"),
                   0) > 0);
    CHECK(str_ends(heard.last, S("\"}}}]}")));
    lab_end(&lab);
}

TEST(sequencers_of_one_instant_grow)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), STR_NONE, STR_NONE);
    CHECK_OK(put(&lab, &rule, 1));
    lab_put(&lab, S("k"), S("x"));
    str first = heard.last;
    lab_put(&lab, S("k"), S("x"));
    ptrdiff_t at = str_find(first, S("sequencer"), 0);
    CHECK(str_cmp(str_slice(first, (size_t)at, first.n),
                  str_slice(heard.last, (size_t)at, heard.last.n)) < 0);
    lab_end(&lab);
}

TEST(a_delete_tells_key_and_sequencer_only)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectRemoved:*"), STR_NONE, STR_NONE);
    CHECK_OK(put(&lab, &rule, 1));
    lab_put(&lab, S("k"), S("x"));
    CHECK_INT(heard.delivered, 1);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK(str_find(heard.last, S("\"eventName\":\"ObjectRemoved:Delete\""), 0) > 0);
    CHECK(str_find(heard.last, S("\"object\":{\"key\":\"k\",\"sequencer\":\""), 0) > 0);
    lab_end(&lab);
}

TEST(prefix_and_suffix_must_both_match_the_raw_key)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:Put"), S("a b/"), S(".txt"));
    CHECK_OK(put(&lab, &rule, 1));
    heard.delivered = heard.observed = 0;
    lab_put(&lab, S("a b/x.txt"), S("x"));
    CHECK_INT(heard.delivered, 1);
    lab_put(&lab, S("a+b/x.txt"), S("x"));
    CHECK_STR(str_of(heard.missed), S("prefix"));
    lab_put(&lab, S("a b/x.TXT"), S("x"));
    CHECK_STR(str_of(heard.missed), S("suffix"));
    lab_delete(&lab, S("a b/x.txt"), STR_NONE);
    CHECK_STR(str_of(heard.missed), S("event"));
    CHECK_INT(heard.delivered, 1);
    CHECK_INT(heard.observed, 4);
    lab_end(&lab);
}

TEST(a_wildcard_means_its_family_only)
{
    CHECK(s3_event_mask(S("s3:ObjectCreated:*")) & s3_event_mask(S("s3:ObjectCreated:Copy")));
    CHECK(!(s3_event_mask(S("s3:ObjectCreated:*")) & s3_event_mask(S("s3:ObjectRemoved:*"))));
    CHECK_INT(s3_event_mask(S("s3:*")), 0);
    CHECK_INT(s3_event_mask(S("s3:ObjectCreated")), 0);
    CHECK_INT(s3_event_mask(S("ObjectCreated:Put")), 0);
    CHECK(s3_event_mask(S("s3:LifecycleTransition")));
}

TEST(a_bad_arn_comes_before_a_missing_queue)
{
    EAR(lab, heard);
    heard.answer = S3_DESTINATION_MISSING;
    struct s3_notify_rule rules[] = {
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), STR_NONE, STR_NONE),
        rule_of(&lab, S("arn:aws:sns:us-east-1:1:t"), S("s3:ObjectRemoved:*"), STR_NONE, STR_NONE)};
    err e = put(&lab, rules, 2);
    CHECK_FAULT(e, S3_INVALID_ARGUMENT);
    CHECK_STR(err_message(e), S("The ARN could not be parsed"));
    e = put(&lab, rules, 1);
    CHECK_STR(err_message(e), S("Unable to validate the following destination configurations"));
    CHECK_STR(e.detail->extras->value, S(QUEUE));
    CHECK_STR(e.detail->extras->next->value, S("The destination queue does not exist"));
    CHECK_INT(lab_count(&lab, "s3_config"), 0);
    lab_end(&lab);
}

TEST(rules_may_not_overlap)
{
    EAR(lab, heard);
    struct s3_notify_rule rules[] = {
        rule_of(&lab, S(QUEUE), S("s3:ObjectRemoved:*"), STR_NONE, STR_NONE),
        rule_of(&lab, S(QUEUE), S("s3:ObjectRemoved:*"), STR_NONE, STR_NONE)};
    err e = put(&lab, rules, 2);
    CHECK_FAULT(e, S3_INVALID_ARGUMENT);
    CHECK_STR(e.detail->extras->next->value, S("s3:ObjectRemoved:*, s3:ObjectRemoved:*"));
    rules[0] = rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), S("a"), S(".txt"));
    rules[1] = rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:Put"), S("ab"), S("t"));
    CHECK_FAULT(put(&lab, rules, 2), S3_INVALID_ARGUMENT);
    rules[1] = rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:Put"), S("ab"), S(".csv"));
    CHECK_OK(put(&lab, rules, 2));
    lab_end(&lab);
}

TEST(filter_names_are_checked_and_come_back_capitalised)
{
    EAR(lab, heard);
    struct s3_notify_rule rule = rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), S("a"), S("b"));
    struct s3_notification out = {0};
    CHECK_OK(put(&lab, &rule, 1));
    CHECK_OK(s3_notification_get(lab.s3, &lab.ctx, S("bucket"), &out));
    struct s3_notify_rule *back = out.queues.at;
    CHECK_INT(back->id.n, 36);
    struct s3_filter_rule *filter =
        ((struct s3_key_filter *)((struct s3_event_filter *)back->filter)->key)->rules.at;
    CHECK_STR(filter[0].name, S("Prefix"));
    CHECK_STR(filter[1].name, S("Suffix"));
    filter[0].name = S("infix");
    err e = s3_notification_put(lab.s3, &lab.ctx, S("bucket"), &out, false);
    CHECK_STR(err_message(e), S("filter rule name must be either prefix or suffix"));
    lab_end(&lab);
}

/* The members are those of LifecycleEventData in the event library of AWS's SDK for Java. */
TEST(a_transition_tells_the_new_storage_class)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:LifecycleTransition"), STR_NONE, STR_NONE);
    CHECK_OK(put(&lab, &rule, 1));
    struct s3_object object = lab_put(&lab, S("k"), S("x"));
    object.storage_class = S("GLACIER");
    CHECK_OK(s3_notify(lab.s3, &lab.ctx, lab.bucket, S3_TRANSITION, &object));
    CHECK(str_find(heard.last, S("\"eventName\":\"LifecycleTransition\""), 0) > 0);
    CHECK(str_ends(heard.last, S("\"}},\"lifecycleEventData\":{\"transitionEventData\":{"
                                 "\"destinationStorageClass\":\"GLACIER\"}}}]}")));
    lab_end(&lab);
}

TEST(an_empty_configuration_deletes)
{
    EAR(lab, heard);
    struct s3_notify_rule rule =
        rule_of(&lab, S(QUEUE), S("s3:ObjectCreated:*"), STR_NONE, STR_NONE);
    CHECK_OK(put(&lab, &rule, 1));
    CHECK_OK(put(&lab, NULL, 0));
    heard.delivered = 0;
    lab_put(&lab, S("k"), S("x"));
    CHECK_INT(heard.delivered, 0);
    lab_end(&lab);
}

UNIT_MAIN
