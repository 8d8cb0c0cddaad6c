/* app/nearest.c - see nearest.h. The distance of Damerau and Levenshtein, where no letter is
 * touched twice: three rows of its table are enough. */
#include "app/nearest.h"

#include <string.h>

#define LONGEST 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool swapped(str a, str b, size_t i, size_t j)
{
    return i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
}

size_t word_distance(str a, str b)
{
    size_t rows[3][LONGEST], *older = rows[0], *old = rows[1], *row = rows[2];
    if (a.n >= LONGEST || b.n >= LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *spare = older;
        older = old;
        old = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            row[j] = least(old[j - 1] + (a.p[i - 1] != b.p[j - 1]), least(old[j], row[j - 1]) + 1);
            if (swapped(a, b, i, j))
                row[j] = least(row[j], older[j - 2] + 1);
        }
    }
    return row[b.n];
}

const char *nearest_word(str word, const char *const *candidates, size_t n)
{
    const char *best = NULL;
    size_t fewest = word.n / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = candidates[i] ? word_distance(word, str_of(candidates[i])) : fewest;
        if (d < fewest) {
            fewest = d;
            best = candidates[i];
        }
    }
    return best;
}
