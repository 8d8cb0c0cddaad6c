/* pipeline/count.h - bytes, lines and words of a text as the first lab's JavaScript counts them,
 * streamed in any pieces and in constant memory. What JavaScript does, and this must too: text  =
 * Buffer.toString("utf-8"): each maximal ill-formed subpart (WHATWG) becomes one U+FFFD; a BOM
 * stays bytes = Buffer.byteLength(text): so an ill-formed subpart counts 3 lines = text.length ?
 * text.split(/\r?\n/).length : 0: so a final newline counts one more, and a lone CR none words =
 * runs of what \s is not; an empty text has 0 of everything */
#ifndef HEADRACE_PIPELINE_COUNT_H
#define HEADRACE_PIPELINE_COUNT_H

#include "base/str.h"

/* Start with the zero value. */
struct count {
    int64_t bytes, newlines, words;
    bool in_word;
    uint8_t missing;      /* continuation bytes that the open sequence still needs */
    uint8_t length;       /* bytes of the open sequence when complete */
    uint8_t lower, upper; /* range of its next byte */
    uint32_t point;       /* its code point so far */
};

struct count_report {
    int64_t bytes, lines, words;
};

void count_feed(struct count *count, str piece);
struct count_report count_end(const struct count *count);

#endif
