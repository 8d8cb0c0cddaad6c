/* An emulator inside this process: several at once, their clocks, their errors. */
#include "unit.h"

#include "headrace.h"

static const char *const bare[] = {"--no-pipeline", NULL};

static struct headrace *start(void)
{
    char *error = NULL;
    struct headrace *headrace = headrace_start(bare, &error);
    if (!headrace)
        printf("%s\n", error);
    CHECK(headrace != NULL);
    return headrace;
}

static void call(struct headrace *headrace, const char *path, char **answer)
{
    CHECK_INT(headrace_call(headrace, "GET", path, NULL, answer), 0);
}

TEST(two_instances_share_nothing)
{
    struct headrace *a = start(), *b = start();
    char *answer;
    CHECK(headrace_port(a) != headrace_port(b));
    CHECK_INT(headrace_call(a, "GET", "/?Action=CreateQueue&QueueName=only-in-a", NULL, NULL), 0);
    call(a, "/_headrace/status", &answer);
    CHECK(strstr(answer, "only-in-a") != NULL);
    free(answer);
    call(b, "/_headrace/status", &answer);
    CHECK(strstr(answer, "only-in-a") == NULL);
    free(answer);
    headrace_stop(a);
    headrace_stop(b);
}

TEST(twelve_hours_pass_at_once)
{
    struct headrace *headrace = start();
    char *answer;
    CHECK_INT(headrace_freeze(headrace, "2026-01-01T00:00:00Z"), 0);
    CHECK_INT(headrace_advance(headrace, "12h"), 0);
    call(headrace, "/_headrace/clock", &answer);
    CHECK(strstr(answer, "\"frozen\"") && strstr(answer, "2026-01-01T12:00:00.000Z"));
    free(answer);
    headrace_stop(headrace);
}

TEST(a_state_is_saved_changed_and_brought_back)
{
    struct headrace *headrace = start();
    char *answer;
    CHECK_INT(headrace_call(headrace, "GET", "/?Action=CreateQueue&QueueName=kept", NULL, NULL), 0);
    CHECK_INT(headrace_save(headrace, "before"), 0);
    CHECK_INT(headrace_reset(headrace), 0);
    call(headrace, "/_headrace/status", &answer);
    CHECK(strstr(answer, "kept") == NULL);
    free(answer);
    CHECK_INT(headrace_load(headrace, "before"), 0);
    call(headrace, "/_headrace/status", &answer);
    CHECK(strstr(answer, "kept") != NULL);
    free(answer);
    headrace_stop(headrace);
}

TEST(what_cannot_be_done_has_a_reason)
{
    static const char *const wrong[] = {"--colour=red", NULL};
    char *error = NULL;
    CHECK(headrace_start(wrong, &error) == NULL);
    CHECK(error && strstr(error, "colour"));
    free(error);
    struct headrace *headrace = start();
    CHECK_INT(headrace_advance(headrace, "soon"), -1);
    CHECK(strlen(headrace_error(headrace)) > 0);
    CHECK_INT(headrace_add_fault(headrace, "{\"effect\":\"explode\"}"), -1);
    CHECK_INT(headrace_add_fault(headrace, "{\"effect\":\"reorder\"}"), 0);
    CHECK_INT(headrace_clear_faults(headrace), 0);
    CHECK_INT(headrace_load(headrace, "nowhere"), -1);
    headrace_stop(headrace);
    headrace_stop(NULL);
}

UNIT_MAIN
