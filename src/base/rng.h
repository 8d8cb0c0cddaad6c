/* base/rng.h - randomness as an argument. Seeded from the kernel in production, from a number in
 * tests. Not for secrets other than identifiers: request ids, message ids, version ids, receipt
 * handle keys come from rng_secret. */
#ifndef HEADRACE_BASE_RNG_H
#define HEADRACE_BASE_RNG_H

#include "base/arena.h"

struct rng {
    uint64_t state[4]; /* xoshiro256** */
};

/* Seeds from getrandom(2). */
void rng_seed_system(struct rng *rng);
/* Seeds from a number: the same number, the same sequence. */
void rng_seed(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
void rng_bytes(struct rng *rng, void *out, size_t n);
/* A lower-case UUID, version 4 (36 characters). */
str rng_uuid(struct rng *rng, struct arena *arena);
/* `n` characters out of `alphabet`. */
str rng_text(struct rng *rng, struct arena *arena, str alphabet, size_t n);
/* `n` bytes of getrandom(2): for keys. */
void rng_secret(void *out, size_t n);

#endif
