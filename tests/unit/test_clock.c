/* Virtual time: real, offset, frozen. The wall clock is an argument. */
#include "unit.h"

#include "app/clock.h"

TEST(a_real_clock_shows_the_wall)
{
    struct clock clock = {0};
    CHECK_INT(clock_at(&clock, 5000), 5000);
    CHECK_STR(clock_mode_name(&clock), S("real"));
}

TEST(a_moved_clock_runs_on_from_there)
{
    struct clock clock = {0};
    clock_set(&clock, 100000, 5000);
    CHECK_INT(clock_at(&clock, 5000), 100000);
    CHECK_INT(clock_at(&clock, 5250), 100250);
    CHECK_STR(clock_mode_name(&clock), S("offset"));
}

TEST(a_frozen_clock_moves_only_when_told)
{
    struct clock clock = {0};
    clock_freeze(&clock, 777);
    CHECK_INT(clock_at(&clock, 5000), 777);
    CHECK_INT(clock_at(&clock, 9000), 777);
    clock_set(&clock, 888, 9000);
    CHECK_INT(clock_at(&clock, 10000), 888);
}

TEST(a_thawed_clock_runs_from_where_it_stood)
{
    struct clock clock = {0};
    clock_freeze(&clock, 777);
    clock_thaw(&clock, 9000);
    CHECK_INT(clock_at(&clock, 9010), 787);
}

TEST(thawing_a_clock_that_runs_changes_nothing)
{
    struct clock clock = {0};
    clock_set(&clock, 100, 50);
    clock_thaw(&clock, 60);
    CHECK_INT(clock_at(&clock, 60), 110);
}

TEST(a_real_clock_again_shows_the_wall)
{
    struct clock clock = {0};
    clock_set(&clock, 100000, 5000);
    clock_real(&clock);
    CHECK_INT(clock_at(&clock, 6000), 6000);
}

TEST(waiting_is_as_long_as_the_instant_is_away)
{
    struct clock clock = {0};
    CHECK_INT(clock_wait(&clock, 5300, 5000), 300);
    CHECK_INT(clock_wait(&clock, 5000, 5000), 0);
    CHECK_INT(clock_wait(&clock, 4000, 5000), 0);
    clock_set(&clock, 100000, 5000);
    CHECK_INT(clock_wait(&clock, 100300, 5000), 300);
}

TEST(nothing_due_and_a_frozen_clock_wait_for_ever)
{
    struct clock clock = {0};
    CHECK_INT(clock_wait(&clock, INT64_MAX, 5000), -1);
    clock_freeze(&clock, 777);
    CHECK_INT(clock_wait(&clock, 778, 5000), -1);
    CHECK_INT(clock_wait(&clock, 777, 5000), 0);
}

TEST(a_wall_that_is_set_back_takes_virtual_time_along_no_more)
{
    struct clock clock = {0};
    CHECK(!clock_follow(&clock, 5000000, 0));
    CHECK(!clock_follow(&clock, 5001000, 1000000));
    CHECK(clock_follow(&clock, 1401500, 1500000)); /* an hour, half a second later */
    CHECK_INT(clock_at(&clock, 1401500), 5001500);
    CHECK_INT(clock_wait(&clock, 5001800, 1401500), 300);
    CHECK(!clock_follow(&clock, 1402500, 2500000));
    clock_set(&clock, 9000000, 1402500);
    CHECK(clock_follow(&clock, 2500, 2500000));
    CHECK_INT(clock_at(&clock, 2500), 9000000);
}

TEST(a_wall_that_goes_on_or_is_set_forward_is_followed)
{
    struct clock clock = {0};
    CHECK(!clock_follow(&clock, 5000000, 0));
    CHECK(!clock_follow(&clock, 5000000 - 1000, 0)); /* a leap second */
    CHECK(!clock_follow(&clock, 9000000, 1000));
    CHECK(!clock_follow(&clock, 9000000, 1000));
    CHECK_INT(clock_at(&clock, 9000000), 9000000);
}

TEST(a_frozen_clock_does_not_mind_the_wall)
{
    struct clock clock = {0};
    clock_freeze(&clock, 777);
    CHECK(!clock_follow(&clock, 5000000, 0));
    CHECK(!clock_follow(&clock, 1000000, 0));
    clock_thaw(&clock, 1000000);
    CHECK(!clock_follow(&clock, 500000, 0));
    CHECK_INT(clock_at(&clock, 1000100), 877);
}

UNIT_MAIN
