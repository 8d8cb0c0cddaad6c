/* app/clock.h - what time it is. The only module that reads a clock; everything else gets instants
 * as arguments.
 *
 * Virtual time is real (the wall clock), offset (runs on from a moved instant) or frozen (moves
 * only when told). Signature dates are compared with the wall clock, all else with virtual time.
 * When the system's clock is set back, virtual time is offset from then on: what waits for an
 * instant, be it a message or who asks for one, would wait that much longer.
 *
 * Two reads within one request could disagree about what has expired, so callers read once and keep
 * it. */
#ifndef HEADRACE_APP_CLOCK_H
#define HEADRACE_APP_CLOCK_H

#include "base/ctx.h"

enum clock_mode { CLOCK_REAL, CLOCK_OFFSET, CLOCK_FROZEN };

struct clock {
    enum clock_mode mode;
    msec offset; /* CLOCK_OFFSET: virtual minus wall */
    msec frozen; /* CLOCK_FROZEN: the instant */
    msec seen;   /* the wall clock when it was looked at last; 0: not yet */
    int64_t seen_micros;
};

/* Wall clock, milliseconds since the epoch. */
msec clock_wall(void);
/* Microseconds from an arbitrary start, never backwards: for durations. */
int64_t clock_micros(void);

/* Virtual time while the wall clock shows `wall`. */
msec clock_at(const struct clock *clock, msec wall);
msec clock_now(struct clock *clock);
/* The wall clock, looked at for this clock. */
msec clock_look(struct clock *clock);
/* Of clock_look: the wall clock shows `wall`, `micros` being clock_micros(). True when it was set
 * back since the last look, by more than it might be on its own (a leap second). */
bool clock_follow(struct clock *clock, msec wall, int64_t micros);
/* Moves virtual time to `to`: a frozen clock stays frozen, others run on from there. */
void clock_set(struct clock *clock, msec to, msec wall);
void clock_freeze(struct clock *clock, msec at);
/* A frozen clock runs again, from where it stands. */
void clock_thaw(struct clock *clock, msec wall);
void clock_real(struct clock *clock);
/* Real milliseconds until virtual `due`, 0 when it is past, -1 when it never comes by itself
 * (frozen, or INT64_MAX). */
msec clock_wait(const struct clock *clock, msec due, msec wall);
/* "real", "offset", "frozen". */
str clock_mode_name(const struct clock *clock);

#endif
