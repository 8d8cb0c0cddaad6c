/* app/clock.c - see clock.h. Functions that reason about time take the wall clock as an argument,
 * so that tests need none. */
#include "app/clock.h"

#include "base/log.h"

#include <time.h>

#define SET_BACK_MS 2000

msec clock_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (msec)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_micros(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

msec clock_at(const struct clock *clock, msec wall)
{
    if (clock->mode == CLOCK_FROZEN)
        return clock->frozen;
    return clock->mode == CLOCK_OFFSET ? wall + clock->offset : wall;
}

bool clock_follow(struct clock *clock, msec wall, int64_t micros)
{
    msec expected = clock->seen + (micros - clock->seen_micros) / 1000;
    bool set_back = clock->seen && clock->mode != CLOCK_FROZEN && expected - wall > SET_BACK_MS;
    if (set_back) {
        clock->mode = CLOCK_OFFSET;
        clock->offset += expected - wall;
    }
    clock->seen = wall;
    clock->seen_micros = micros;
    return set_back;
}

msec clock_look(struct clock *clock)
{
    int64_t micros = clock_micros(); /* first: a pause between the two is no step back */
    msec wall = clock_wall();
    if (clock_follow(clock, wall, micros))
        log_warn("the system's clock was set back: virtual time goes on from where it was, %lld s "
                 "ahead (headrace clock real: goes back as well)",
                 (long long)clock->offset / 1000);
    return wall;
}

msec clock_now(struct clock *clock)
{
    return clock->mode == CLOCK_FROZEN ? clock->frozen : clock_at(clock, clock_look(clock));
}

void clock_set(struct clock *clock, msec to, msec wall)
{
    if (clock->mode == CLOCK_FROZEN) {
        clock->frozen = to;
        return;
    }
    clock->mode = CLOCK_OFFSET;
    clock->offset = to - wall;
}

void clock_freeze(struct clock *clock, msec at)
{
    *clock = (struct clock){.mode = CLOCK_FROZEN, .frozen = at};
}

void clock_thaw(struct clock *clock, msec wall)
{
    if (clock->mode == CLOCK_FROZEN)
        *clock = (struct clock){.mode = CLOCK_OFFSET, .offset = clock->frozen - wall};
}

void clock_real(struct clock *clock)
{
    *clock = (struct clock){.mode = CLOCK_REAL};
}

msec clock_wait(const struct clock *clock, msec due, msec wall)
{
    msec now = clock_at(clock, wall);
    if (due == INT64_MAX)
        return -1;
    if (due <= now)
        return 0;
    return clock->mode == CLOCK_FROZEN ? -1 : due - now;
}

str clock_mode_name(const struct clock *clock)
{
    static const char *const names[] = {"real", "offset", "frozen"};
    return str_of(names[clock->mode]);
}
