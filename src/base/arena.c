/* base/arena.c - a list of chunks, newest first. Chunks double up to CHUNK_MAX; a larger request
 * gets a chunk of its own size. Under AddressSanitizer free space is poisoned, so that an overrun
 * inside the arena is seen. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) /* gcc */
#define POISONS
#elif defined(__has_feature) /* clang */
#if __has_feature(address_sanitizer)
#define POISONS
#endif
#endif

#if defined(POISONS)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#define REDZONE 16
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define REDZONE 0
#endif

#define ALIGN 16
#define CHUNK_MIN 8192
#define CHUNK_MAX 1048576

struct chunk {
    struct chunk *older;
    size_t used, size;
    _Alignas(ALIGN) char bytes[];
};

struct arena {
    struct chunk *newest;
    size_t used;
};

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "headrace: out of memory (%zu bytes)\n", size);
    abort();
}

void *xalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    void *grown = realloc(p, size ? size : 1);
    if (!grown)
        out_of_memory(size);
    return grown;
}

char *xstrdup(str s)
{
    char *copy = xalloc(s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

static struct chunk *chunk_new(size_t size, struct chunk *older)
{
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        out_of_memory(size);
    *chunk = (struct chunk){.older = older, .size = size};
    POISON(chunk->bytes, size);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    UNPOISON(chunk->bytes, chunk->size);
    free(chunk);
}

struct arena *arena_new(void)
{
    struct arena *arena = xalloc(sizeof *arena);
    arena->newest = chunk_new(CHUNK_MIN, NULL);
    return arena;
}

void arena_reset(struct arena *arena)
{
    while (arena->newest->older) {
        struct chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        chunk_free(chunk);
    }
    arena->newest->used = 0;
    arena->used = 0;
    POISON(arena->newest->bytes, arena->newest->size);
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    arena_reset(arena);
    chunk_free(arena->newest);
    free(arena);
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

static size_t aligned(size_t size)
{
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    return (size + REDZONE + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static void *take(struct arena *arena, size_t size)
{
    size_t step = aligned(size);
    struct chunk *chunk = arena->newest;
    if (chunk->size - chunk->used < step) {
        size_t next = chunk->size * 2 > CHUNK_MAX ? CHUNK_MAX : chunk->size * 2;
        chunk = arena->newest = chunk_new(step > next ? step : next, chunk);
    }
    char *p = chunk->bytes + chunk->used;
    chunk->used += step;
    arena->used += step;
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        out_of_memory(n);
    return arena_alloc(arena, n * size);
}

void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size)
{
    struct chunk *chunk = arena->newest;
    size_t old_step = aligned(old_size), new_step = aligned(new_size);
    if (p && (char *)p + old_step == chunk->bytes + chunk->used &&
        chunk->size - chunk->used >= new_step - old_step) {
        chunk->used += new_step - old_step;
        arena->used += new_step - old_step;
        UNPOISON(p, new_size);
        return p;
    }
    void *grown = take(arena, new_size);
    if (p)
        memcpy(grown, p, old_size);
    return grown;
}

str arena_copy(struct arena *arena, str s)
{
    return s.p ? (str){arena_cstr(arena, s), s.n} : s;
}

char *arena_cstr(struct arena *arena, str s)
{
    char *copy = take(arena, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = 0;
    return copy;
}

str arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    if (n < 0)
        out_of_memory(0);
    char *text = take(arena, (size_t)n + 1);
    if ((size_t)n < sizeof small)
        memcpy(text, small, (size_t)n + 1);
    else
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return (str){text, (size_t)n};
}

str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

str arena_join(struct arena *arena, str a, str b)
{
    char *text = take(arena, a.n + b.n + 1);
    if (a.n)
        memcpy(text, a.p, a.n);
    if (b.n)
        memcpy(text + a.n, b.p, b.n);
    text[a.n + b.n] = 0;
    return (str){text, a.n + b.n};
}
