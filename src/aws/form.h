/* aws/form.h - parameters of the Query protocol: the query string and an urlencoded body as one
 * list of decoded pairs. Order and duplicates are kept; the first of a name counts, as on AWS. */
#ifndef HEADRACE_AWS_FORM_H
#define HEADRACE_AWS_FORM_H

#include "base/arena.h"
#include "base/shape.h"

/* More than any legal request has: ten entries of ten attributes are under 400. */
#define FORM_MAX_PAIRS 4096

struct form {
    struct str_pair *at; /* decoded: '+' is a blank */
    size_t n;
};

/* Pairs of `query`, then of `body`; either may be absent. False when there are more than
 * FORM_MAX_PAIRS. */
bool form_parse(struct arena *arena, str query, str body, struct form *out);
/* First value of that exact name, or absent. */
str form_get(const struct form *form, str name);
/* Sorts by name, bytewise, keeping the order of equal names: so that codecs find prefixes by
 * bisection. */
void form_sort(struct form *form);
/* In a sorted form: the index of the first pair whose name is not below `name`. */
size_t form_lower(const struct form *form, str name);

#endif
