/* base/buf.h - a growing byte string in an arena: how replies are written. `buf_str` is valid until
 * the next put. */
#ifndef HEADRACE_BASE_BUF_H
#define HEADRACE_BASE_BUF_H

#include "base/arena.h"

struct buf {
    struct arena *arena;
    char *p;
    size_t n, cap;
};

static inline struct buf buf_in(struct arena *arena)
{
    return (struct buf){.arena = arena};
}

static inline str buf_str(const struct buf *b)
{
    return (str){b->p ? b->p : "", b->n};
}

/* Room for `more` bytes beyond n; the returned place may be written, then add to b->n. */
char *buf_room(struct buf *b, size_t more);
void buf_put(struct buf *b, str s);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define BUF_LIT(b, literal) buf_put((b), S(literal))

#endif
