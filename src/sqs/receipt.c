/* sqs/receipt.c - receipt handles: queue, sequence and number of the receive, and a keyed hash over
 * them, in URL-safe base64. Whether a handle is ours, of this queue, old, or its message gone, is
 * read off the handle: there is no table of handles. The hash guards against typing errors and
 * foreign handles, not against an attacker. */
#include <string.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "sqs/engine.h"

/* 4 bytes queue, 5 sequence, 4 receives, 8 hash: 21 bytes, 28 characters without padding, after
 * AWS's usual beginning. */
enum { PLAIN = 13, HASH = 8, TEXT = 28, PREFIX = 4 };
static const char prefix[] = "AQEB";
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void put_bytes(uint8_t *to, uint64_t value, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

static uint64_t take_bytes(const uint8_t *from, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | from[i];
    return value;
}

static uint64_t hash_of(const struct sqs *sqs, const uint8_t *plain)
{
    return XXH3_64bits_withSecret(plain, PLAIN, sqs->receipt_key, RECEIPT_KEY);
}

str receipt_make(const struct sqs *sqs, struct arena *arena, const struct receipt *receipt)
{
    uint8_t bytes[PLAIN + HASH];
    put_bytes(bytes, (uint64_t)receipt->queue, 4);
    put_bytes(bytes + 4, receipt->seq, 5);
    put_bytes(bytes + 9, receipt->receives, 4);
    put_bytes(bytes + PLAIN, hash_of(sqs, bytes), HASH);
    char *text = arena_alloc(arena, PREFIX + TEXT + 1);
    memcpy(text, prefix, PREFIX);
    for (int i = 0; i < TEXT / 4; i++) {
        uint64_t three = take_bytes(bytes + 3 * i, 3);
        for (int j = 0; j < 4; j++)
            text[PREFIX + 4 * i + j] = alphabet[three >> (18 - 6 * j) & 63];
    }
    return (str){text, PREFIX + TEXT};
}

static bool decode(str text, uint8_t *bytes)
{
    if (text.n != PREFIX + TEXT || memcmp(text.p, prefix, PREFIX))
        return false;
    for (int i = 0; i < TEXT / 4; i++) {
        uint64_t three = 0;
        for (int j = 0; j < 4; j++) {
            const char *at = memchr(alphabet, text.p[PREFIX + 4 * i + j], 64);
            if (!at)
                return false;
            three = three << 6 | (uint64_t)(at - alphabet);
        }
        put_bytes(bytes + 3 * i, three, 3);
    }
    return true;
}

bool receipt_read(const struct sqs *sqs, str text, struct receipt *receipt)
{
    uint8_t bytes[PLAIN + HASH];
    if (!decode(text, bytes) || take_bytes(bytes + PLAIN, HASH) != hash_of(sqs, bytes))
        return false;
    receipt->queue = (int64_t)take_bytes(bytes, 4);
    receipt->seq = take_bytes(bytes + 4, 5);
    receipt->receives = (uint32_t)take_bytes(bytes + 9, 4);
    return true;
}
