/* base/arena.h - memory that dies whole. A request owns one arena; its parts are never freed one by
 * one. Allocation never fails: out of memory ends the process, for the state on disk is right. */
#ifndef HEADRACE_BASE_ARENA_H
#define HEADRACE_BASE_ARENA_H

#include "base/str.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
/* Forgets everything allocated; keeps the first chunk for the next user. */
void arena_reset(struct arena *arena);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

/* `size` zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
/* `n` zeroed items of `size` bytes; an overflowing product ends the process. */
void *arena_array(struct arena *arena, size_t n, size_t size);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
/* Grows the block at `p` (old_size bytes) in place where it is the newest, else copies it. */
void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size);

/* A copy of `s`, NUL-terminated after its n bytes; absent stays absent. */
str arena_copy(struct arena *arena, str s);
/* A NUL-terminated copy; absent gives "". Bytes after an inner NUL are there but invisible to C. */
char *arena_cstr(struct arena *arena, str s);
str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
str arena_vprintf(struct arena *arena, const char *format, __builtin_va_list args);
/* The concatenation of a and b. */
str arena_join(struct arena *arena, str a, str b);

/* malloc that ends the process instead of failing; zeroed. Free with free(). */
void *xalloc(size_t size);
void *xrealloc(void *p, size_t size);
/* A malloc'ed NUL-terminated copy. */
char *xstrdup(str s);

#endif
