/* base/crc.h - the cyclic redundancy checks of S3, used by digest.c. Values are as S3 shows them
 * (conditioned before and after); 0 is the value of no bytes. */
#ifndef HEADRACE_BASE_CRC_H
#define HEADRACE_BASE_CRC_H

#include "base/str.h"

enum crc_kind { CRC_32, CRC_32C, CRC_64NVME };

/* The value of the bytes before followed by these. */
uint64_t crc_update(enum crc_kind kind, uint64_t crc, const void *bytes, size_t n);
/* The same without the processor's carry-less multiplication. */
uint64_t crc_update_portable(enum crc_kind kind, uint64_t crc, const void *bytes, size_t n);
/* The value of A followed by B, from those of A and B. */
uint64_t crc_combine(enum crc_kind kind, uint64_t a, uint64_t b, uint64_t length_b);

#endif
