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

void buf_grow(struct buf *b, size_t more);

/* Room for `more` bytes beyond n; the returned place may be written, then add to b->n. */
static inline char *buf_room(struct buf *b, size_t more)
{
    if (b->cap - b->n < more)
        buf_grow(b, more);
    return b->p + b->n;
}

static inline void buf_put(struct buf *b, str s)
{
    if (!s.n)
        return;
    memcpy(buf_room(b, s.n), s.p, s.n);
    b->n += s.n;
}

static inline void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
    b->n++;
}

void buf_int(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define BUF_LIT(b, literal) buf_put((b), S(literal))

#endif
