/* Any JSON is a POST policy or is refused, and one policy always judges one form alike. Fields are
 * "name=value" lines up to an empty one, the policy follows. */
#include "aws/post_policy.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_FIELDS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str rest = {(const char *)data, n};
    struct post_field fields[MAX_FIELDS];
    struct post_policy_check check = {.fields = fields, .now = 1767225600000};
    while (rest.p && check.n < MAX_FIELDS) {
        str value = str_cut(&rest, '\n'), name = str_cut(&value, '=');
        if (!name.n)
            break;
        fields[check.n++] = (struct post_field){name, value.p ? value : S("")};
    }
    struct post_limits first = {0}, second = {0};
    str json = rest.p ? rest : S("");
    bool refused = failed(post_policy_check(arena, json, &check, &first));
    if (failed(post_policy_check(arena, json, &check, &second)) != refused ||
        (!refused && (first.min != second.min || first.max != second.max)))
        abort();
    arena_free(arena);
    return 0;
}
