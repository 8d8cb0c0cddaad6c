/* base/rng.c - xoshiro256** (Blackman and Vigna, public domain), seeded by splitmix64 as its
 * authors advise. */
#include "base/rng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void rng_secret(void *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = getrandom((char *)out + done, n - done, 0);
        if (got < 0 && errno != EINTR) {
            fprintf(stderr, "headrace: the kernel gives no randomness: %s\n", strerror(errno));
            abort();
        }
        done += got > 0 ? (size_t)got : 0;
    }
}

void rng_seed_system(struct rng *rng)
{
    do
        rng_secret(rng->state, sizeof rng->state);
    while (!(rng->state[0] | rng->state[1] | rng->state[2] | rng->state[3]));
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        rng->state[i] = z ^ z >> 31;
    }
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    /* The high half of value * bound (Lemire, "Fast random integer generation in an interval"). Low
     * halves under 2^64 mod bound would make some results likelier: drawn again. The division is
     * only for low halves under bound itself, which hardly ever come. */
    __uint128_t product = (__uint128_t)rng_next(rng) * bound;
    if ((uint64_t)product < bound)
        for (uint64_t least = (0 - bound) % bound; (uint64_t)product < least;)
            product = (__uint128_t)rng_next(rng) * bound;
    return (uint64_t)(product >> 64);
}

void rng_bytes(struct rng *rng, void *out, size_t n)
{
    char *to = out;
    for (size_t done = 0; done < n; done += 8) {
        uint64_t word = rng_next(rng);
        memcpy(to + done, &word, n - done < 8 ? n - done : 8);
    }
}

str rng_uuid(struct rng *rng, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    rng_bytes(rng, bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    char *text = arena_alloc(arena, 37), *to = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    return (str){text, 36};
}

str rng_text(struct rng *rng, struct arena *arena, str alphabet, size_t n)
{
    char *text = arena_alloc(arena, n + 1);
    uint64_t rest = 0;
    /* The low half of the product is as random as the value was, but for the bits that are spent:
     * after eight letters enough are left for the next to be even to one in 65,536. */
    for (size_t i = 0; i < n; i++) {
        __uint128_t product = (__uint128_t)(i % 8 ? rest : rng_next(rng)) * alphabet.n;
        text[i] = alphabet.p[(size_t)(product >> 64)];
        rest = (uint64_t)product;
    }
    return (str){text, n};
}
