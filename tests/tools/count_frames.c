/* count_frames - the word count for tests in other languages. Reads frames (u32 little-endian
 * length, u32 size of the pieces to feed, then the bytes) from stdin and answers each with one
 * line: "bytes lines words". */
#include "base/arena.h"
#include "pipeline/count.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    uint32_t head[2];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        char *bytes = xalloc(head[0]);
        if (head[0] && fread(bytes, head[0], 1, stdin) != 1)
            return 1;
        struct count count = {0};
        size_t step = head[1] ? head[1] : 1;
        for (size_t at = 0; at < head[0]; at += step)
            count_feed(&count, str_slice((str){bytes, head[0]}, at, at + step));
        struct count_report report = count_end(&count);
        printf("%lld %lld %lld\n", (long long)report.bytes, (long long)report.lines,
               (long long)report.words);
        free(bytes);
    }
    return 0;
}
