/* What the client side of AWS decides without a socket: retries and their budget, profiles of the
 * shared files. */
#include "unit.h"

#include "base/rng.h"
#include "remote/profile.h"
#include "remote/queue.h"
#include "remote/retry.h"

TEST(throttling_codes_are_told_from_failures_that_stand)
{
    CHECK_INT(retry_kind_of(503, S("SlowDown")), RETRY_THROTTLED);
    CHECK_INT(retry_kind_of(400, S("RequestThrottled")), RETRY_THROTTLED);
    CHECK_INT(retry_kind_of(429, STR_NONE), RETRY_THROTTLED);
    CHECK_INT(retry_kind_of(404, S("NoSuchKey")), RETRY_NO);
    CHECK_INT(retry_kind_of(412, S("PreconditionFailed")), RETRY_NO);
    CHECK_INT(retry_kind_of(501, S("NotImplemented")), RETRY_NO);
}

TEST(no_answer_and_gateway_errors_are_transient)
{
    CHECK_INT(retry_kind_of(0, S("NoAnswer")), RETRY_TRANSIENT);
    CHECK_INT(retry_kind_of(500, S("Whatever")), RETRY_TRANSIENT);
    CHECK_INT(retry_kind_of(502, STR_NONE), RETRY_TRANSIENT);
    CHECK_INT(retry_kind_of(504, STR_NONE), RETRY_TRANSIENT);
}

TEST(clock_and_token_have_their_own_remedies)
{
    CHECK_INT(retry_kind_of(403, S("RequestTimeTooSkewed")), RETRY_SKEWED);
    CHECK_INT(retry_kind_of(403, S("SignatureDoesNotMatch")), RETRY_SKEWED);
    CHECK_INT(retry_kind_of(400, S("ExpiredToken")), RETRY_EXPIRED);
}

TEST(the_budget_ends_retries_of_a_service_that_is_down)
{
    struct retry_budget budget = {0};
    int64_t cost, retries = 0;
    while (retry_spend(&budget, RETRY_TRANSIENT, &cost))
        retries++;
    CHECK_INT(retries, 50);
    retry_refund(&budget, cost);
    CHECK(retry_spend(&budget, RETRY_TRANSIENT, &cost));
    CHECK(!retry_spend(&budget, RETRY_THROTTLED, &cost));
}

TEST(successes_refill_the_budget_by_one_and_never_beyond_it)
{
    struct retry_budget budget = {.spent = 1};
    retry_refund(&budget, 0);
    retry_refund(&budget, 0);
    CHECK_INT(budget.spent, 0);
}

TEST(the_pause_grows_with_the_attempts_up_to_twenty_seconds)
{
    struct rng rng;
    rng_seed(&rng, 3);
    msec longest[8] = {0};
    for (int attempt = 1; attempt < 8; attempt++)
        for (int i = 0; i < 2000; i++) {
            msec delay = retry_delay(&rng, attempt);
            CHECK(delay >= 0 && delay <= 20000);
            if (delay > longest[attempt])
                longest[attempt] = delay;
        }
    CHECK(longest[1] > 900 && longest[1] <= 1000);
    CHECK(longest[2] > 1800 && longest[2] <= 2000);
    CHECK(longest[7] > 19000);
}

#define CONFIG                                                                                     \
    S("# comment\n[default]\nregion = eu-west-1\ns3 =\n  addressing_style = path\n"                \
      "[profile work]\nrole_arn=arn:aws:iam::1:role/x ; who\nsource_profile = base\n"              \
      "[sso-session work]\nregion = xx\n[profile base]\naws_access_key_id = from-config\n")
#define CREDENTIALS                                                                                \
    S("[default]\naws_access_key_id = AK\n[base]\naws_access_key_id = from-file\r\n")

TEST(profiles_come_from_both_files_and_the_credentials_file_wins)
{
    struct arena *arena = arena_new();
    struct profiles *profiles = profiles_parse(arena, CONFIG, CREDENTIALS);
    CHECK_STR(profile_get(profiles, S("default"), S("region")), S("eu-west-1"));
    CHECK_STR(profile_get(profiles, S("default"), S("aws_access_key_id")), S("AK"));
    CHECK_STR(profile_get(profiles, S("base"), S("aws_access_key_id")), S("from-file"));
    CHECK_STR(profile_get(profiles, S("work"), S("role_arn")), S("arn:aws:iam::1:role/x"));
    arena_free(arena);
}

TEST(what_is_no_profile_and_what_is_indented_is_passed_over)
{
    struct arena *arena = arena_new();
    struct profiles *profiles = profiles_parse(arena, CONFIG, CREDENTIALS);
    CHECK_STR(profile_get(profiles, S("work"), S("region")), STR_NONE);
    CHECK_STR(profile_get(profiles, S("default"), S("addressing_style")), STR_NONE);
    CHECK(profile_exists(profiles, S("work")));
    CHECK(!profile_exists(profiles, S("sso-session work")));
    arena_free(arena);
}

TEST(the_endpoint_of_a_queue_is_the_origin_of_its_url)
{
    CHECK_STR(queue_origin(S("https://sqs.eu-west-1.amazonaws.com/123456789012/jobs")),
              S("https://sqs.eu-west-1.amazonaws.com"));
    CHECK_STR(queue_origin(S("http://127.0.0.1:4566/000000000000/jobs")),
              S("http://127.0.0.1:4566"));
    CHECK_STR(queue_origin(S("jobs")), STR_NONE);
}

UNIT_MAIN
