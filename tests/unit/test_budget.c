/* Rules of app/budget: how much memory bodies on their way may hold. */
#include "unit.h"

#include "app/budget.h"

TEST(what_is_taken_is_given_back_whole)
{
    struct budget budget = {.max = 100};
    int64_t mine = 0, other = 0;
    CHECK(budget_take(&budget, 60, &mine));
    CHECK(budget_take(&budget, 40, &other));
    CHECK(!budget_take(&budget, 1, &mine));
    CHECK_INT(mine, 60);
    budget_give(&budget, &mine);
    CHECK_INT(mine, 0);
    CHECK(budget_take(&budget, 60, &mine));
    budget_give(&budget, &mine);
    budget_give(&budget, &other);
    CHECK_INT(budget.held, 0);
}

TEST(more_than_there_is_is_refused_and_takes_nothing)
{
    struct budget budget = {.max = 100};
    int64_t mine = 0;
    CHECK(!budget_take(&budget, INT64_MAX, &mine));
    CHECK(budget_take(&budget, 100, &mine));
    CHECK(!budget_take(&budget, INT64_MAX, &mine));
    CHECK_INT(mine, 100);
}

TEST(the_process_has_a_budget_that_is_a_part_of_the_machine)
{
    struct budget budget = budget_of_process();
    CHECK(budget.max > 0 && budget.max < INT64_MAX / 2);
    CHECK_INT(budget.held, 0);
}

UNIT_MAIN
