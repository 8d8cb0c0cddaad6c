/* However the fuzzer's bytes are cut, the count is that of one byte at a time. */
#include "pipeline/count.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct count_report counted(const uint8_t *data, size_t n, size_t step)
{
    struct count count = {0};
    for (size_t at = 0; at < n; at += step)
        count_feed(&count, str_slice((str){(const char *)data, n}, at, at + step));
    return count_end(&count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct count_report slow = counted(data, n, 1);
    size_t steps[] = {n ? n : 1, 2, 3, n ? 1 + data[0] : 1};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct count_report fast = counted(data, n, steps[i]);
        if (fast.bytes != slow.bytes || fast.lines != slow.lines || fast.words != slow.words)
            abort();
    }
    return 0;
}
