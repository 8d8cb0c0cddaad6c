/* aws/form.c - see form.h. The limit on pairs bounds what a hostile body can make of our arena: 5
 * MiB of "&" are five million pairs. */
#include "aws/form.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static size_t count_pairs(str s)
{
    return s.n ? str_count(s, '&') + 1 : 0;
}

/* Most names and many values need no decoding: those are borrowed. */
static str decoded(struct arena *arena, str s)
{
    if (!memchr(s.p, '%', s.n) && !memchr(s.p, '+', s.n))
        return s;
    return percent_decode(arena, s, true);
}

static void parse_into(struct arena *arena, struct form *form, str text)
{
    str rest = text.n ? text : STR_NONE;
    while (rest.p) {
        str pair = str_cut(&rest, '&');
        if (!pair.n)
            continue;
        str value = pair;
        str name = str_cut(&value, '=');
        form->at[form->n++] = (struct str_pair){
            .key = decoded(arena, name),
            .value = value.p ? decoded(arena, value) : S(""),
        };
    }
}

bool form_parse(struct arena *arena, str query, str body, struct form *out)
{
    size_t most = count_pairs(query) + count_pairs(body);
    if (most > FORM_MAX_PAIRS)
        return false;
    *out = (struct form){.at = arena_array(arena, most + 1, sizeof *out->at)};
    parse_into(arena, out, query);
    parse_into(arena, out, body);
    return true;
}

str form_get(const struct form *form, str name)
{
    for (size_t i = 0; i < form->n; i++)
        if (str_eq(form->at[i].key, name))
            return form->at[i].value;
    return STR_NONE;
}

/* qsort need not be stable, and the first of a name must stay first: the place is part of the
 * order. */
struct placed {
    struct str_pair pair;
    size_t place;
};

static int compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = str_cmp(x->pair.key, y->pair.key);
    return order ? order : x->place < y->place ? -1 : 1;
}

void form_sort(struct form *form)
{
    if (!form->n)
        return;
    struct placed *all = xalloc(form->n * sizeof *all);
    for (size_t i = 0; i < form->n; i++)
        all[i] = (struct placed){form->at[i], i};
    qsort(all, form->n, sizeof *all, compare);
    for (size_t i = 0; i < form->n; i++)
        form->at[i] = all[i].pair;
    free(all);
}

size_t form_lower(const struct form *form, str name)
{
    size_t low = 0, high = form->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (str_cmp(form->at[mid].key, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
