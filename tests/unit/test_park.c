/* Who waits for a message: first come first served on a queue, the earliest deadline over all. */
#include "unit.h"

#include "app/park.h"
#include "base/rng.h"

TEST(nobody_waits_at_first)
{
    struct parks *parks = parks_new();
    CHECK(park_first(parks, 1) == NULL);
    CHECK(park_earliest(parks) == NULL);
    CHECK(park_next_due(parks) == INT64_MAX);
    parks_free(parks);
}

TEST(a_queue_serves_its_waiters_in_the_order_they_came)
{
    struct parks *parks = parks_new();
    struct parked a = {0}, b = {0}, c = {0};
    park_add(parks, &a, 7, 300);
    park_add(parks, &b, 7, 100);
    park_add(parks, &c, 8, 200);
    CHECK(park_first(parks, 7) == &a);
    park_remove(parks, &a);
    CHECK(park_first(parks, 7) == &b);
    CHECK(park_first(parks, 8) == &c);
    parks_free(parks);
}

TEST(who_was_asked_in_vain_keeps_his_place)
{
    struct parks *parks = parks_new();
    struct parked a = {0}, b = {0};
    park_add(parks, &a, 7, 300);
    park_add(parks, &b, 7, 100);
    park_remove(parks, &a);
    park_add_first(parks, &a, 7, 300);
    CHECK(park_first(parks, 7) == &a);
    park_remove(parks, &a);
    CHECK(park_first(parks, 7) == &b);
    park_remove(parks, &b);
    CHECK(park_first(parks, 7) == NULL);
    parks_free(parks);
}

TEST(the_earliest_deadline_is_due_first_and_equal_ones_in_order)
{
    struct parks *parks = parks_new();
    struct parked a = {0}, b = {0}, c = {0};
    park_add(parks, &a, 1, 300);
    park_add(parks, &b, 2, 100);
    park_add(parks, &c, 3, 100);
    CHECK_INT(park_next_due(parks), 100);
    CHECK(park_earliest(parks) == &b);
    park_remove(parks, &b);
    CHECK(park_earliest(parks) == &c);
    park_remove(parks, &c);
    CHECK(park_earliest(parks) == &a);
    parks_free(parks);
}

TEST(removing_who_does_not_wait_changes_nothing)
{
    struct parks *parks = parks_new();
    struct parked a = {0}, b = {0};
    park_add(parks, &a, 1, 300);
    park_remove(parks, &b);
    CHECK_INT((int64_t)parks_count(parks), 1);
    parks_free(parks);
}

/* Against a plain array: random comings and goings. */
TEST(thousands_of_waiters_come_and_go_in_order)
{
    enum { N = 2000, QUEUES = 97 };
    struct parks *parks = parks_new();
    struct parked *all = xalloc(N * sizeof *all);
    struct rng rng;
    rng_seed(&rng, 1);
    for (int step = 0; step < 20000; step++) {
        struct parked *one = &all[rng_below(&rng, N)];
        if (one->queue)
            park_remove(parks, one);
        else
            park_add(parks, one, (int64_t)rng_below(&rng, QUEUES) + 1, (msec)rng_below(&rng, 1000));
    }
    msec least = INT64_MAX;
    size_t n = 0;
    for (int i = 0; i < N; i++)
        if (all[i].queue) {
            n++;
            least = all[i].until < least ? all[i].until : least;
        }
    CHECK_INT((int64_t)parks_count(parks), (int64_t)n);
    CHECK_INT(park_next_due(parks), least);
    for (int64_t queue = 1; queue <= QUEUES; queue++) {
        uint64_t order = 0;
        for (struct parked *at = park_first(parks, queue); at; at = at->next) {
            CHECK(at->queue == queue && at->order > order);
            order = at->order;
        }
    }
    for (msec last = 0; park_earliest(parks); n--) {
        CHECK(park_earliest(parks)->until >= last);
        last = park_earliest(parks)->until;
        park_remove(parks, park_earliest(parks));
    }
    CHECK_INT((int64_t)n, 0);
    parks_free(parks);
    free(all);
}

UNIT_MAIN
