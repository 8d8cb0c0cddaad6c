/* base/buf.c - see buf.h. Capacity doubles; the arena extends the newest block in place. */
#include "base/buf.h"

#include <stdarg.h>
#include <string.h>

/* For buf_room alone. */
void buf_grow(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap * 2 : 256;
    while (cap - b->n < more)
        cap *= 2;
    b->p = arena_grow(b->arena, b->p, b->cap, cap);
    b->cap = cap;
}

void buf_int(struct buf *b, int64_t value)
{
    char digits[20];
    size_t n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        buf_char(b, '-');
    char *to = buf_room(b, n);
    for (size_t i = 0; i < n; i++)
        to[i] = digits[n - 1 - i];
    b->n += n;
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_put(b, arena_vprintf(b->arena, format, args));
    va_end(args);
}
