/* base/err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>

const struct fault FAULT_INTERNAL = {"InternalError", "InternalError", 500,
                                     "We encountered an internal error. Please try again.", NULL};
const struct fault FAULT_UNAVAILABLE = {"ServiceUnavailable", "ServiceUnavailable", 503,
                                        "Service is unable to handle request.", NULL};

static struct fault_detail *detail_of(struct arena *arena, err e)
{
    return e.detail ? e.detail : ARENA_NEW(arena, struct fault_detail);
}

err err_text(struct arena *arena, const struct fault *fault, const char *format, ...)
{
    err e = {.fault = fault, .detail = ARENA_NEW(arena, struct fault_detail)};
    va_list args;
    va_start(args, format);
    e.detail->text = arena_vprintf(arena, format, args);
    va_end(args);
    return e;
}

err err_with(struct arena *arena, err e, const char *name, str value)
{
    e.detail = detail_of(arena, e);
    struct fault_extra **end = &e.detail->extras;
    while (*end)
        end = &(*end)->next;
    *end = ARENA_NEW(arena, struct fault_extra);
    **end = (struct fault_extra){.name = str_of(name), .value = value};
    return e;
}

str err_message(err e)
{
    return e.detail && e.detail->text.p ? e.detail->text : str_of(e.fault->text);
}
