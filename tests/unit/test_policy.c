/* test_policy.c - who may do what: evaluation, the texts of refusals, and what counts as public. */
#include "aws/fault.h"
#include "aws/policy.h"

#include "unit.h"

static struct arena *arena;

static struct policy *parsed(const char *json)
{
    struct policy *policy = NULL;
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
    CHECK_OK(policy_parse(arena, str_of(json), &policy));
    return policy;
}

static str refusal(const char *json)
{
    struct policy *policy;
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
    err e = policy_parse(arena, str_of(json), &policy);
    if (!failed(e))
        e = policy_check_bucket(arena, policy, S("b"));
    return failed(e) ? err_message(e) : S("");
}

#define POLICY(statement) "{\"Version\":\"2012-10-17\",\"Statement\":[" statement "]}"
#define ALLOW(principal, action, resource, more)                                                   \
    "{\"Effect\":\"Allow\",\"Principal\":" principal ",\"Action\":" action                         \
    ",\"Resource\":" resource more "}"
#define DENY(principal, action, resource, more)                                                    \
    "{\"Effect\":\"Deny\",\"Principal\":" principal ",\"Action\":" action                          \
    ",\"Resource\":" resource more "}"
#define ANYONE "\"*\""
#define B_ALL "\"arn:aws:s3:::b/*\""

static enum policy_decision decide(const char *json, const char *account, const char *action,
                                   const char *resource)
{
    struct policy *policy = parsed(json);
    struct policy_request request = {
        .action = str_of(action), .resource = str_of(resource), .account = str_of(account)};
    if (account)
        request.principal = arena_printf(arena, "arn:aws:iam::%s:root", account);
    return policy_decide(policy, &request);
}

#define ALICE "111122223333"
#define BOB "444455556666"

TEST(nothing_said_is_implicit)
{
    const char *p = POLICY(ALLOW(ANYONE, "\"s3:GetObject\"", B_ALL, ""));
    CHECK_INT(decide(p, ALICE, "s3:GetObject", "arn:aws:s3:::b/k"), POLICY_ALLOW);
    CHECK_INT(decide(p, ALICE, "s3:PutObject", "arn:aws:s3:::b/k"), POLICY_IMPLICIT);
    CHECK_INT(decide(p, ALICE, "s3:GetObject", "arn:aws:s3:::c/k"), POLICY_IMPLICIT);
    CHECK_INT(decide(p, NULL, "s3:getobject", "arn:aws:s3:::b/k"), POLICY_ALLOW);
}

TEST(a_deny_wins_over_every_allow)
{
    const char *p = POLICY(
        ALLOW(ANYONE, "\"s3:*\"", "\"*\"", "") "," DENY(ANYONE, "[\"s3:Delete*\"]", B_ALL, ""));
    CHECK_INT(decide(p, ALICE, "s3:DeleteObject", "arn:aws:s3:::b/k"), POLICY_DENY);
    CHECK_INT(decide(p, ALICE, "s3:GetObject", "arn:aws:s3:::b/k"), POLICY_ALLOW);
}

TEST(principals_are_accounts_arns_canonical_ids_and_services)
{
    CHECK_INT(decide(POLICY(ALLOW("{\"AWS\":\"" ALICE "\"}", "\"sqs:*\"", "\"*\"", "")), ALICE,
                     "sqs:X", "r"),
              POLICY_ALLOW);
    CHECK_INT(decide(POLICY(ALLOW("{\"AWS\":[\"arn:aws:iam::" ALICE ":root\"]}", "\"sqs:*\"",
                                  "\"*\"", "")),
                     ALICE, "sqs:X", "r"),
              POLICY_ALLOW);
    CHECK_INT(decide(POLICY(ALLOW("{\"AWS\":\"" ALICE "\"}", "\"sqs:*\"", "\"*\"", "")), BOB,
                     "sqs:X", "r"),
              POLICY_IMPLICIT);
    CHECK_INT(decide(POLICY(ALLOW("{\"AWS\":\"" ALICE "\"}", "\"sqs:*\"", "\"*\"", "")), NULL,
                     "sqs:X", "r"),
              POLICY_IMPLICIT);
    struct policy *p = parsed(POLICY(ALLOW(
        "{\"Service\":\"s3.amazonaws.com\",\"CanonicalUser\":\"abc\"}", "\"*\"", "\"*\"", "")));
    struct policy_request service = {
        .service = S("s3.amazonaws.com"), .action = S("sqs:SendMessage"), .resource = S("q")};
    struct policy_request user = {.account = S(BOB),
                                  .canonical_id = S("abc"),
                                  .action = S("s3:GetObject"),
                                  .resource = S("q")};
    CHECK_INT(policy_decide(p, &service), POLICY_ALLOW);
    CHECK_INT(policy_decide(p, &user), POLICY_ALLOW);
}

TEST(the_not_forms_turn_a_match_around)
{
    const char *p =
        POLICY("{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"" ALICE
               "\"},\"NotAction\":\"s3:Get*\",\"NotResource\":\"arn:aws:s3:::b/free/*\"}");
    CHECK_INT(decide(p, BOB, "s3:PutObject", "arn:aws:s3:::b/k"), POLICY_DENY);
    CHECK_INT(decide(p, ALICE, "s3:PutObject", "arn:aws:s3:::b/k"), POLICY_IMPLICIT);
    CHECK_INT(decide(p, BOB, "s3:GetObject", "arn:aws:s3:::b/k"), POLICY_IMPLICIT);
    CHECK_INT(decide(p, BOB, "s3:PutObject", "arn:aws:s3:::b/free/k"), POLICY_IMPLICIT);
}

static bool holds(const char *condition, const struct policy_value *context, size_t n)
{
    struct buf b;
    struct policy *policy;
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
    b = buf_in(arena);
    buf_printf(&b, POLICY(ALLOW(ANYONE, "\"*\"", "\"*\"", ",\"Condition\":%s")), condition);
    CHECK_OK(policy_parse(arena, buf_str(&b), &policy));
    struct policy_request request = {
        .action = S("s3:GetObject"), .resource = S("r"), .context = context, .ncontext = n};
    return policy_decide(policy, &request) == POLICY_ALLOW;
}

static bool holds_for(const char *condition, const char *key, const char *value)
{
    struct policy_value one = {str_of(key), str_of(value)};
    return holds(condition, &one, 1);
}

TEST(string_conditions)
{
    CHECK(holds_for("{\"StringEquals\":{\"S3:Prefix\":[\"a\",\"b\"]}}", "s3:prefix", "b"));
    CHECK(!holds_for("{\"StringEquals\":{\"s3:prefix\":\"a\"}}", "s3:prefix", "A"));
    CHECK(holds_for("{\"StringEqualsIgnoreCase\":{\"s3:prefix\":\"a\"}}", "s3:prefix", "A"));
    CHECK(!holds_for("{\"StringNotEquals\":{\"s3:prefix\":[\"a\",\"b\"]}}", "s3:prefix", "b"));
    CHECK(holds_for("{\"StringNotEquals\":{\"s3:prefix\":[\"a\",\"b\"]}}", "s3:prefix", "c"));
    CHECK(holds_for("{\"StringLike\":{\"s3:prefix\":\"home/*/x?\"}}", "s3:prefix", "home/a/b/xy"));
    CHECK(!holds_for("{\"StringNotLike\":{\"s3:prefix\":\"home/*\"}}", "s3:prefix", "home/a"));
}

TEST(a_missing_key_fails_what_is_positive_and_passes_what_is_negated)
{
    CHECK(!holds("{\"StringEquals\":{\"s3:prefix\":\"a\"}}", NULL, 0));
    CHECK(holds("{\"StringNotEquals\":{\"s3:prefix\":\"a\"}}", NULL, 0));
    CHECK(holds("{\"StringEqualsIfExists\":{\"s3:prefix\":\"a\"}}", NULL, 0));
    CHECK(!holds_for("{\"StringEqualsIfExists\":{\"s3:prefix\":\"a\"}}", "s3:prefix", "b"));
    CHECK(holds("{\"Null\":{\"s3:prefix\":\"true\"}}", NULL, 0));
    CHECK(!holds_for("{\"Null\":{\"s3:prefix\":true}}", "s3:prefix", "b"));
    CHECK(holds_for("{\"Null\":{\"s3:prefix\":\"false\"}}", "s3:prefix", "b"));
}

TEST(numbers_dates_truths_addresses_and_arns)
{
    CHECK(holds_for("{\"NumericLessThanEquals\":{\"s3:max-keys\":10}}", "s3:max-keys", "10"));
    CHECK(!holds_for("{\"NumericLessThan\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys", "10"));
    CHECK(!holds_for("{\"NumericEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys", "ten"));
    CHECK(holds_for("{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"}}",
                    "aws:CurrentTime", "2026-01-01T00:00:01Z"));
    CHECK(holds_for("{\"Bool\":{\"aws:SecureTransport\":\"false\"}}", "aws:SecureTransport",
                    "false"));
    CHECK(holds_for("{\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/17\"}}", "aws:SourceIp",
                    "10.1.127.255"));
    CHECK(!holds_for("{\"IpAddress\":{\"aws:SourceIp\":\"10.1.0.0/17\"}}", "aws:SourceIp",
                     "10.1.128.0"));
    CHECK(holds_for("{\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}", "aws:SourceIp", "::1"));
    CHECK(holds_for("{\"IpAddress\":{\"aws:SourceIp\":\"::/0\"}}", "aws:SourceIp", "::1"));
    CHECK(holds_for("{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:s3:*:*:b*\"}}", "aws:SourceArn",
                    "arn:aws:s3:::bucket"));
    CHECK(!holds_for("{\"ArnEquals\":{\"aws:SourceArn\":\"arn:aws:*:bucket\"}}", "aws:SourceArn",
                     "arn:aws:s3:::bucket"));
}

TEST(all_conditions_and_all_keys_must_hold)
{
    struct policy_value two[] = {{S("a"), S("1")}, {S("b"), S("2")}};
    CHECK(holds("{\"StringEquals\":{\"a\":\"1\",\"b\":\"2\"}}", two, 2));
    CHECK(!holds("{\"StringEquals\":{\"a\":\"1\",\"b\":\"3\"}}", two, 2));
    CHECK(!holds("{\"StringEquals\":{\"a\":\"1\"},\"StringLike\":{\"b\":\"x*\"}}", two, 2));
}

TEST(sets_of_values)
{
    struct policy_value tags[] = {{S("s3:RequestObjectTagKeys"), S("a")},
                                  {S("s3:RequestObjectTagKeys"), S("b")}};
    CHECK(holds("{\"ForAllValues:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"a\",\"b\",\"c\"]}}",
                tags, 2));
    CHECK(!holds("{\"ForAllValues:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"a\"]}}", tags, 2));
    CHECK(holds("{\"ForAllValues:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"a\"]}}", NULL, 0));
    CHECK(holds("{\"ForAnyValue:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"b\"]}}", tags, 2));
    CHECK(!holds("{\"ForAnyValue:StringEquals\":{\"s3:RequestObjectTagKeys\":[\"b\"]}}", NULL, 0));
}

TEST(variables_stand_for_what_the_request_has)
{
    struct policy *p =
        parsed(POLICY(ALLOW(ANYONE, "\"*\"", "\"arn:aws:s3:::b/${aws:username}/${*}*\"", "")));
    struct policy_value name = {S("aws:username"), S("ann")};
    struct policy_request request = {.action = S("s3:GetObject"),
                                     .resource = S("arn:aws:s3:::b/ann/*x"),
                                     .context = &name,
                                     .ncontext = 1};
    CHECK_INT(policy_decide(p, &request), POLICY_ALLOW);
    request.ncontext = 0;
    CHECK_INT(policy_decide(p, &request), POLICY_IMPLICIT);
}

TEST(refusals_have_the_texts_of_s3)
{
    CHECK_STR(refusal(""), S("Policies must be valid JSON and the first byte must be '{'"));
    CHECK_STR(refusal(" {}"), S("Policies must be valid JSON and the first byte must be '{'"));
    CHECK_STR(refusal("{\"a\":"), S("This policy contains invalid Json"));
    CHECK_STR(refusal("{}"), S("Missing required field Statement"));
    CHECK_STR(refusal(POLICY("{\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\"}")),
              S("Missing required field Effect"));
    CHECK_STR(refusal(POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}")),
              S("Missing required field Principal"));
    CHECK_STR(refusal(POLICY("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}")),
              S("Missing required field Action"));
    CHECK_STR(refusal(POLICY("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\"}")),
              S("Missing required field Resource"));
    CHECK_STR(refusal(POLICY(ALLOW("{\"AWS\":\"who\"}", "\"s3:*\"", B_ALL, ""))),
              S("Invalid principal in policy"));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "\"s3:Fly\"", B_ALL, ""))),
              S("Policy has invalid action"));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "\"s3:*\"", "\"arn:aws:s3:::other/*\"", ""))),
              S("Policy has invalid resource"));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "\"s3:GetObject\"", "\"arn:aws:s3:::b\"", ""))),
              S("Action does not apply to any resource(s) in statement"));
    CHECK_STR(refusal(POLICY(
                  ALLOW(ANYONE, "\"s3:*\"", B_ALL, ",\"Condition\":{\"Sounds\":{\"a\":\"b\"}}"))),
              S("Invalid Condition type : Sounds"));
    CHECK_STR(refusal(POLICY("{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"" ALICE
                             "\"},\"Action\":\"s3:*\",\"Resource\":" B_ALL "}")),
              S("Allow with NotPrincipal is not allowed."));
    CHECK_STR(refusal("{\"Statement\":[],\"Version\":\"2012-10-17\"}"),
              S("Could not parse the policy: Statement is empty!"));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "[\"s3:GetObject\",\"s3:ListBucket\"]", B_ALL, ""))),
              S("Action does not apply to any resource(s) in statement"));
    CHECK_STR(refusal(POLICY(ALLOW("\"arn:aws:iam::" ALICE ":root\"", "\"s3:*\"", B_ALL, ""))),
              S("Invalid policy syntax."));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "\"s3:*\",\"NotAction\":\"s3:GetObject\"", B_ALL, ""))),
              S("Invalid policy syntax."));
    CHECK_STR(refusal("{\"Statement\":\"x\"}"), S("Invalid policy syntax."));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "[\"s3:GetObject\",\"s3:ListBucket\"]",
                                   "[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]", ""))),
              S(""));
    CHECK_STR(refusal(POLICY(ALLOW(ANYONE, "\"s3:ListBucket\"", "\"arn:aws:s3:::*\"", ""))), S(""));
}

TEST(principals_of_a_bucket_policy_have_a_form)
{
    static const char *const good[] = {
        "{\"AWS\":[\"*\",\"" ALICE "\",\"arn:aws:iam::" ALICE ":root\"]}",
        "{\"AWS\":\"arn:aws:sts::" ALICE ":assumed-role/r/s\"}",
        "{\"AWS\":\"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1\"}",
        "{\"Service\":\"logging.s3.amazonaws.com\"}"};
    static const char *const wrong[] = {"{\"AWS\":\"arn:aws:iam::" ALICE ":user/*\"}",
                                        "{\"AWS\":\"arn:aws:iam:us-east-1:" ALICE ":root\"}",
                                        "{\"AWS\":\"arn:aws:iam::" ALICE "\"}",
                                        "{\"AWS\":\"arn:aws:s3:::b\"}",
                                        "{\"Service\":\"nobody\"}",
                                        "{\"CanonicalUser\":\"a\"}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char json[400];
        snprintf(json, sizeof json, POLICY(ALLOW("%s", "\"s3:*\"", B_ALL, "")), good[i]);
        CHECK_STR(refusal(json), S(""));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char json[400];
        snprintf(json, sizeof json, POLICY(ALLOW("%s", "\"s3:*\"", B_ALL, "")), wrong[i]);
        CHECK_STR(refusal(json), S("Invalid principal in policy"));
    }
}

#define WHEN(condition) ",\"Condition\":{" condition "}"

TEST(conditions_of_a_bucket_policy_go_with_its_actions)
{
    const str none = S(""), key = S("Policy has an invalid condition key"),
              mix = S("Conditions do not apply to combination of actions and resources in "
                      "statement"),
              address = S("Invalid IP address in Conditions");
#define ONE(action, condition) refusal(POLICY(ALLOW(ANYONE, action, B_BOTH, WHEN(condition))))
#define B_BOTH "[\"arn:aws:s3:::b\",\"arn:aws:s3:::b/*\"]"
    CHECK_STR(ONE("\"s3:GetObject\"", "\"StringEquals\":{\"s3:nothing\":\"x\"}"), key);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"StringEquals\":{\"prefix\":\"x\"}"), key);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"StringEquals\":{\"s3:ExistingObjectTag/\":\"x\"}"), key);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"StringEquals\":{\"aws:Anything\":\"x\"}"), none);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"StringEquals\":{\"S3:EXISTINGOBJECTTAG/a\":\"x\"}"), none);
    CHECK_STR(ONE("\"s3:ListBucket\"", "\"StringEquals\":{\"s3:prefix\":\"x\"}"), none);
    CHECK_STR(ONE("\"s3:*\"", "\"StringEquals\":{\"s3:prefix\":\"x\"}"), none);
    CHECK_STR(ONE("[\"s3:ListBucket\",\"s3:GetObject\"]", "\"StringEquals\":{\"s3:prefix\":\"x\"}"),
              mix);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1/8\",\"::1\"]}"),
              none);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/33\"}"), address);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"NotIpAddress\":{\"aws:SourceIp\":\"123\"}"), address);
    CHECK_STR(ONE("\"s3:GetObject\"", "\"Null\":{\"aws:SourceIp\":\"true\"}"), none);
}

static bool is_public(const char *json)
{
    return policy_is_public(parsed(json));
}

TEST(public_is_what_lets_everyone_in)
{
    CHECK(is_public(POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL, ""))));
    CHECK(is_public(POLICY(ALLOW("{\"AWS\":[\"*\"]}", "\"s3:*\"", B_ALL, ""))));
    CHECK(!is_public(POLICY(ALLOW("{\"AWS\":\"" ALICE "\"}", "\"s3:*\"", B_ALL, ""))));
    CHECK(!is_public(POLICY(DENY(ANYONE, "\"s3:*\"", B_ALL, ""))));
    CHECK(!is_public(
        POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL,
                     ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}"))));
    CHECK(is_public(
        POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL,
                     ",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}"))));
    CHECK(!is_public(
        POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL,
                     ",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}"))));
    CHECK(
        is_public(POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL,
                               ",\"Condition\":{\"StringLike\":{\"aws:SourceVpc\":\"vpc-*\"}}"))));
    CHECK(is_public(POLICY(ALLOW(ANYONE, "\"s3:*\"", B_ALL,
                                 ",\"Condition\":{\"StringEquals\":{\"s3:prefix\":\"a\"}}"))));
    CHECK(is_public(POLICY("{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"" ALICE
                           "\"},\"Action\":\"s3:*\",\"Resource\":" B_ALL "}")));
}

UNIT_MAIN
