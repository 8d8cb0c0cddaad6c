/* base/digest.c - one interface over libcrypto, libxxhash and crc.c.
 *
 * libcrypto's old interface of one function family a digest is used on purpose: it keeps its state
 * in our struct. EVP allocates and looks methods up for each digest, which costs as much as the MD5
 * of a small message itself, and needs a cache that is global to the process. HMAC is built from
 * the same pieces: libcrypto's costs several times the hashing. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include "base/crc.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define HEADER "x-amz-checksum-"
/* Only CRCs of parts can be combined to that of the whole, and S3 offers the 64-bit one in no other
 * way. */
const struct digest_info digest_infos[DIGEST_KINDS] = {
    [DIGEST_MD5] = {"MD5", HEADER "md5", 16, false, true},
    [DIGEST_SHA1] = {"SHA1", HEADER "sha1", 20, false, true},
    [DIGEST_SHA256] = {"SHA256", HEADER "sha256", 32, false, true},
    [DIGEST_SHA512] = {"SHA512", HEADER "sha512", 64, false, true},
    [DIGEST_CRC32] = {"CRC32", HEADER "crc32", 4, true, true},
    [DIGEST_CRC32C] = {"CRC32C", HEADER "crc32c", 4, true, true},
    [DIGEST_CRC64NVME] = {"CRC64NVME", HEADER "crc64nvme", 8, true, false},
    [DIGEST_XXHASH64] = {"XXHASH64", HEADER "xxhash64", 8, false, true},
    [DIGEST_XXHASH3] = {"XXHASH3", HEADER "xxhash3", 8, false, true},
    [DIGEST_XXHASH128] = {"XXHASH128", HEADER "xxhash128", 16, false, true},
};

const char *digest_lower_name(enum digest_kind kind)
{
    return digest_infos[kind].header + sizeof HEADER - 1;
}

bool digest_kind_of(str name, enum digest_kind *out)
{
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        if (str_eq_nocase(name, str_of(digest_infos[kind].name))) {
            *out = (enum digest_kind)kind;
            return true;
        }
    return false;
}

struct digest_state {
    enum digest_kind kind;
    union {
        MD5_CTX md5;
        SHA_CTX sha1;
        SHA256_CTX sha256;
        SHA512_CTX sha512;
        uint64_t crc;
        XXH64_state_t *xxh64; /* opaque */
        XXH3_state_t *xxh3;
    } of;
};

static void *owned(void *p)
{
    if (!p)
        abort();
    return p;
}

static void start(struct digest_state *state, enum digest_kind kind)
{
    state->kind = kind;
    switch (kind) {
    case DIGEST_MD5:
        MD5_Init(&state->of.md5);
        break;
    case DIGEST_SHA1:
        SHA1_Init(&state->of.sha1);
        break;
    case DIGEST_SHA256:
        SHA256_Init(&state->of.sha256);
        break;
    case DIGEST_SHA512:
        SHA512_Init(&state->of.sha512);
        break;
    case DIGEST_XXHASH64:
        state->of.xxh64 = owned(XXH64_createState());
        XXH64_reset(state->of.xxh64, 0);
        break;
    case DIGEST_XXHASH3:
    case DIGEST_XXHASH128:
        state->of.xxh3 = owned(XXH3_createState());
        XXH3_64bits_reset(state->of.xxh3);
        break;
    default:
        state->of.crc = 0;
    }
}

static void update(struct digest_state *state, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    switch (state->kind) {
    case DIGEST_MD5:
        MD5_Update(&state->of.md5, bytes, n);
        break;
    case DIGEST_SHA1:
        SHA1_Update(&state->of.sha1, bytes, n);
        break;
    case DIGEST_SHA256:
        SHA256_Update(&state->of.sha256, bytes, n);
        break;
    case DIGEST_SHA512:
        SHA512_Update(&state->of.sha512, bytes, n);
        break;
    case DIGEST_XXHASH64:
        XXH64_update(state->of.xxh64, bytes, n);
        break;
    case DIGEST_XXHASH3:
        XXH3_64bits_update(state->of.xxh3, bytes, n);
        break;
    case DIGEST_XXHASH128:
        XXH3_128bits_update(state->of.xxh3, bytes, n);
        break;
    case DIGEST_CRC32:
        state->of.crc = crc_update(CRC_32, state->of.crc, bytes, n);
        break;
    case DIGEST_CRC32C:
        state->of.crc = crc_update(CRC_32C, state->of.crc, bytes, n);
        break;
    case DIGEST_CRC64NVME:
        state->of.crc = crc_update(CRC_64NVME, state->of.crc, bytes, n);
        break;
    case DIGEST_KINDS:
        break;
    }
}

static void store_big(digest *d, uint64_t value)
{
    for (size_t i = 0; i < d->n; i++)
        d->bytes[i] = (uint8_t)(value >> (d->n - 1 - i) * 8);
}

/* Releases what a state holds beside itself. */
static void release(struct digest_state *state)
{
    if (state->kind == DIGEST_XXHASH64)
        XXH64_freeState(state->of.xxh64);
    if (state->kind == DIGEST_XXHASH3 || state->kind == DIGEST_XXHASH128)
        XXH3_freeState(state->of.xxh3);
}

static digest finish(struct digest_state *state)
{
    digest d = {.n = digest_infos[state->kind].size};
    switch (state->kind) {
    case DIGEST_MD5:
        MD5_Final(d.bytes, &state->of.md5);
        break;
    case DIGEST_SHA1:
        SHA1_Final(d.bytes, &state->of.sha1);
        break;
    case DIGEST_SHA256:
        SHA256_Final(d.bytes, &state->of.sha256);
        break;
    case DIGEST_SHA512:
        SHA512_Final(d.bytes, &state->of.sha512);
        break;
    case DIGEST_XXHASH64:
        store_big(&d, XXH64_digest(state->of.xxh64));
        break;
    case DIGEST_XXHASH3:
        store_big(&d, XXH3_64bits_digest(state->of.xxh3));
        break;
    case DIGEST_XXHASH128:
        XXH128_canonicalFromHash((XXH128_canonical_t *)d.bytes,
                                 XXH3_128bits_digest(state->of.xxh3));
        break;
    default:
        store_big(&d, state->of.crc);
    }
    release(state);
    return d;
}

struct digest_state *digest_begin(enum digest_kind kind)
{
    struct digest_state *state = xalloc(sizeof *state);
    start(state, kind);
    return state;
}

void digest_update(struct digest_state *state, const void *bytes, size_t n)
{
    update(state, bytes, n);
}

digest digest_end(struct digest_state *state)
{
    digest d = finish(state);
    free(state);
    return d;
}

void digest_drop(struct digest_state *state)
{
    if (!state)
        return;
    release(state);
    free(state);
}

digest digest_of(enum digest_kind kind, str bytes)
{
    struct digest_state state;
    start(&state, kind);
    update(&state, bytes.p, bytes.n);
    return finish(&state);
}

str digest_hex(struct arena *arena, digest d)
{
    return hex_encode(arena, d.bytes, d.n);
}

str digest_base64(struct arena *arena, digest d)
{
    return base64_encode(arena, (str){(const char *)d.bytes, d.n});
}

digest digest_combine(enum digest_kind kind, digest a, digest b, int64_t length_b)
{
    enum crc_kind crc = kind == DIGEST_CRC32    ? CRC_32
                        : kind == DIGEST_CRC32C ? CRC_32C
                                                : CRC_64NVME;
    uint64_t va = 0, vb = 0;
    for (size_t i = 0; i < a.n; i++) {
        va = va << 8 | a.bytes[i];
        vb = vb << 8 | b.bytes[i];
    }
    digest d = {.n = digest_infos[kind].size};
    store_big(&d, crc_combine(crc, va, vb, (uint64_t)length_b));
    return d;
}

/* RFC 2104 for the digests whose block is 64 bytes. */
static digest hmac(enum digest_kind kind, str key, str message)
{
    uint8_t pad[64] = {0};
    if (key.n > sizeof pad) {
        digest short_key = digest_of(kind, key);
        memcpy(pad, short_key.bytes, short_key.n);
    } else if (key.n) {
        memcpy(pad, key.p, key.n);
    }
    struct digest_state state;
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    start(&state, kind);
    update(&state, pad, sizeof pad);
    update(&state, message.p, message.n);
    digest inner = finish(&state);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5C;
    start(&state, kind);
    update(&state, pad, sizeof pad);
    update(&state, inner.bytes, inner.n);
    OPENSSL_cleanse(pad, sizeof pad);
    return finish(&state);
}

digest hmac_sha256(str key, str message)
{
    return hmac(DIGEST_SHA256, key, message);
}

digest hmac_sha1(str key, str message)
{
    return hmac(DIGEST_SHA1, key, message);
}

bool secret_equal(str a, str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
