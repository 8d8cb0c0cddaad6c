/* app/nearest.h - what was meant by a word that is not known. */
#ifndef HEADRACE_APP_NEAREST_H
#define HEADRACE_APP_NEAREST_H

#include "base/str.h"

/* Letters to insert, remove, change or swap with their neighbour; 64 for words that long. */
size_t word_distance(str a, str b);
/* The candidate with the fewest mistakes, or NULL when none is near. NULLs are passed over. */
const char *nearest_word(str word, const char *const *candidates, size_t n);

#endif
