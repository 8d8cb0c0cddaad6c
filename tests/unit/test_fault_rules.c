/* Which requests go wrong: matching, counting, chance, and refusal of rules that say nothing clear.
 */
#include "unit.h"

#include "app/fault_rules.h"

static const struct fault_probe receive = {
    .service = {"sqs", 3}, .operation = {"ReceiveMessage", 14}, .queue = {"jobs-queue", 10}};

static size_t fire(struct fault_rules *rules, const struct fault_probe *probe,
                   struct fault_hit *hits)
{
    return fault_rules_fire(rules, ~0u, probe, hits);
}

static struct fault_rules *rules_of(struct arena *arena, const char *json)
{
    struct fault_rules *rules = fault_rules_new();
    str message = STR_NONE;
    if (!fault_rules_add(rules, arena, str_of(json), NULL, &message))
        printf("refused: %.*s\n", STR_ARG(message));
    return rules;
}

/* "0110": which of the first four probes fire. */
static void check_pattern(const char *json, const char *expected)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules = rules_of(arena, json);
    struct fault_hit hits[EFFECTS];
    char got[32] = {0};
    for (size_t i = 0; expected[i]; i++)
        got[i] = fire(rules, &receive, hits) ? '1' : '0';
    CHECK_STR(str_of(got), str_of(expected));
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(a_rule_without_a_count_fires_always)
{
    check_pattern("{\"effect\":\"error\"}", "111");
}

TEST(the_nth_match_fires_once)
{
    check_pattern("{\"operation\":\"ReceiveMessage\",\"nth\":3,\"effect\":\"error\"}", "00100");
}

TEST(the_next_two_fire_then_none)
{
    check_pattern("{\"next\":2,\"effect\":\"error\"}", "1100");
}

TEST(every_third_fires)
{
    check_pattern("{\"every\":3,\"effect\":\"error\"}", "001001");
}

TEST(another_operation_or_queue_does_not_count)
{
    check_pattern("{\"operation\":\"SendMessage\",\"effect\":\"error\"}", "000");
    check_pattern("{\"queue\":\"results-*\",\"effect\":\"error\"}", "000");
    check_pattern("{\"queue\":\"jobs-*\",\"effect\":\"error\"}", "111");
    check_pattern("{\"bucket\":\"b\",\"effect\":\"error\"}", "000");
}

TEST(chance_repeats_with_its_seed_and_stays_near_its_probability)
{
    struct arena *arena = arena_new();
    struct fault_rules *a =
        rules_of(arena, "{\"probability\":0.25,\"seed\":7,\"effect\":\"error\"}");
    struct fault_rules *b =
        rules_of(arena, "{\"probability\":0.25,\"seed\":7,\"effect\":\"error\"}");
    struct fault_hit hits[EFFECTS];
    int fired = 0;
    for (int i = 0; i < 4000; i++) {
        size_t n = fire(a, &receive, hits);
        CHECK_INT(fire(b, &receive, hits), n);
        fired += (int)n;
    }
    CHECK(fired > 850 && fired < 1150);
    fault_rules_free(a);
    fault_rules_free(b);
    arena_free(arena);
}

TEST(localstacks_chaos_rule_is_an_error)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules = rules_of(
        arena, "[{\"service\":\"sqs\",\"error\":{\"statusCode\":500,\"code\":\"InternalError\"}}]");
    struct fault_hit hits[EFFECTS];
    CHECK_INT(fire(rules, &receive, hits), 1);
    CHECK_INT(hits[0].effect, EFFECT_ERROR);
    CHECK_INT(hits[0].status, 500);
    CHECK_STR(hits[0].code, S("InternalError"));
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(two_effects_hit_one_request_and_a_mask_hides_the_others)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules = rules_of(
        arena,
        "[{\"effect\":\"latency\",\"delay\":\"250ms\"},{\"effect\":\"cut\",\"at\":\"within\"}]");
    struct fault_hit hits[EFFECTS];
    CHECK_INT(fire(rules, &receive, hits), 2);
    CHECK_INT(hits[0].delay, 250);
    CHECK_INT(hits[1].cut, CUT_WITHIN);
    CHECK_INT(fault_rules_fire(rules, EFFECT_BIT(EFFECT_CUT), &receive, hits), 1);
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(a_rule_that_says_nothing_clear_is_refused_and_none_of_its_batch_stays)
{
    static const char *const wrong[] = {
        "{",
        "[]",
        "{\"effect\":\"explode\"}",
        "{\"effect\":\"latency\"}",
        "{\"effect\":\"cut\",\"at\":\"sometimes\"}",
        "{\"effect\":\"error\",\"colour\":\"red\"}",
        "{\"effect\":\"error\",\"nth\":1,\"next\":2}",
        "{\"effect\":\"error\",\"probability\":1.5}",
        "{\"effect\":\"error\",\"probability\":-1}",
        "{\"effect\":\"error\",\"nth\":0}",
        "{\"effect\":\"error\",\"next\":-9223372036854775807}",
        "{\"effect\":\"error\",\"status\":200}",
        "{\"effect\":\"error\",\"status\":0}",
        "{\"effect\":\"error\",\"code\":\"two words\"}",
        "{\"effect\":\"error\",\"code\":\"\"}",
        "[{\"effect\":\"error\"},{\"effect\":\"none\"}]",
    };
    struct arena *arena = arena_new();
    struct fault_rules *rules = fault_rules_new();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        str message = STR_NONE;
        CHECK(!fault_rules_add(rules, arena, str_of(wrong[i]), NULL, &message));
        CHECK(message.n > 0);
        CHECK(fault_rules_empty(rules));
    }
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(rules_are_listed_with_their_counts_and_removed_by_id)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules =
        rules_of(arena, "[{\"effect\":\"reorder\"},{\"effect\":\"duplicate\"}]");
    struct fault_hit hits[EFFECTS];
    fire(rules, &receive, hits);
    CHECK_INT(fault_rules_remove(rules, S("fault-1")), 1);
    struct buf out = buf_in(arena);
    fault_rules_list(rules, &out);
    CHECK_STR(
        buf_str(&out),
        S("{\"rules\":[{\"id\":\"fault-2\",\"matched\":1,\"fired\":1,\"effect\":\"duplicate\"}]}"));
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(a_pattern_takes_stars_and_question_marks)
{
    CHECK(glob_matches(S("*"), S("")));
    CHECK(glob_matches(S("incoming/*.txt"), S("incoming/a/b.txt")));
    CHECK(!glob_matches(S("incoming/*.txt"), S("incoming/a.txt.gz")));
    CHECK(glob_matches(S("a?c"), S("abc")));
    CHECK(!glob_matches(S("a?c"), S("ac")));
    CHECK(glob_matches(STR_NONE, S("anything")));
    CHECK(!glob_matches(S("x"), STR_NONE));
}

TEST(a_rule_without_an_effect_is_an_error_of_503)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules = rules_of(arena, "{\"service\":\"sqs\"}");
    struct fault_hit hits[EFFECTS];
    CHECK_INT(fire(rules, &receive, hits), 1);
    CHECK_INT(hits[0].effect, EFFECT_ERROR);
    CHECK_INT(hits[0].status, 503);
    CHECK_STR(hits[0].code, S("ServiceUnavailable"));
    fault_rules_free(rules);
    arena_free(arena);
}

TEST(rules_are_removed_by_what_they_say)
{
    struct arena *arena = arena_new();
    struct fault_rules *rules =
        rules_of(arena, "[{\"service\":\"s3\"},{\"service\":\"sqs\",\"region\":\"*\"}]");
    struct buf b = buf_in(arena);
    CHECK(!fault_rules_remove_same(rules, S("7")));
    CHECK(fault_rules_remove_same(rules, S("[{\"service\":\"s3\"},{\"service\":\"kms\"}]")));
    fault_rules_given(rules, &b);
    CHECK_STR(buf_str(&b), S("[{\"service\":\"sqs\",\"region\":\"*\"}]"));
    fault_rules_free(rules);
    arena_free(arena);
}

UNIT_MAIN
