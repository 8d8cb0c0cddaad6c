/* base/digest.h - every digest and checksum that S3 and SQS speak of, streamed. libcrypto does MD5
 * and SHA, zlib-style and NVME CRCs are ours (combinable), libxxhash the rest. Values are the raw
 * big-endian bytes that go into base64. */
#ifndef HEADRACE_BASE_DIGEST_H
#define HEADRACE_BASE_DIGEST_H

#include "base/arena.h"

#define DIGEST_MAX 64

enum digest_kind {
    DIGEST_MD5,
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA512,
    DIGEST_CRC32,
    DIGEST_CRC32C,
    DIGEST_CRC64NVME,
    DIGEST_XXHASH64,
    DIGEST_XXHASH3,
    DIGEST_XXHASH128,
    DIGEST_KINDS
};

/* Facts of a kind: its S3 name ("CRC32"), header ("x-amz-checksum-crc32"), bytes, and which
 * multipart types it may have. */
struct digest_info {
    const char *name, *header;
    size_t size;
    bool full_object, composite; /* allowed x-amz-checksum-type for multipart uploads */
};
extern const struct digest_info digest_infos[DIGEST_KINDS];
/* The kind's name as it ends its header: "crc32c". */
const char *digest_lower_name(enum digest_kind kind);
/* Kind by S3 name, any case; false when unknown. */
bool digest_kind_of(str name, enum digest_kind *out);

typedef struct {
    uint8_t bytes[DIGEST_MAX];
    size_t n;
} digest;

struct digest_state; /* heap: free with digest_end or digest_drop */
struct digest_state *digest_begin(enum digest_kind kind);
void digest_update(struct digest_state *state, const void *bytes, size_t n);
/* The value; frees the state. */
digest digest_end(struct digest_state *state);
void digest_drop(struct digest_state *state);

digest digest_of(enum digest_kind kind, str bytes);
str digest_hex(struct arena *arena, digest d);
str digest_base64(struct arena *arena, digest d);
/* CRC of A||B from those of A and B; only for CRC32, CRC32C, CRC64NVME. */
digest digest_combine(enum digest_kind kind, digest a, digest b, int64_t length_b);

digest hmac_sha256(str key, str message);
digest hmac_sha1(str key, str message);
/* Equal, in time that depends on n alone. */
bool secret_equal(str a, str b);

#endif
