/* api/s3_range.c - see s3_range.h. Rules: RFC 9110 14.1.2, and recordings for what AWS ignores. */
#include "api/s3_range.h"

#include "s3/body.h"

/* "a-b", "a-" or "-n" -> first and last within a body of `size`; false: not a range at all.
 * *satisfiable tells the rest. */
static bool parse(str spec, int64_t size, int64_t *first, int64_t *last, bool *satisfiable)
{
    str rest = str_trim(spec), left = str_cut(&rest, '-');
    if (!rest.p || (!left.n && !rest.n))
        return false;
    if (!left.n) {
        int64_t n;
        if (!str_to_int(rest, &n) || n < 0)
            return false;
        *satisfiable = n > 0 && size > 0;
        *first = n < size ? size - n : 0;
        *last = size - 1;
        return true;
    }
    if (!str_to_int(left, first) || *first < 0)
        return false;
    *last = size - 1;
    if (rest.n && (!str_to_int(rest, last) || *last < *first))
        return false;
    if (*last >= size)
        *last = size - 1;
    *satisfiable = *first < size;
    return true;
}

static err span_of_range(struct call *call, const struct s3_object *object, str range,
                         struct s3_span *out)
{
    int64_t first, last;
    bool satisfiable = false;
    str spec = str_slice(range, 6, range.n);
    if (!str_starts_nocase(range, S("bytes=")) || str_find(spec, S(","), 0) >= 0 ||
        !parse(spec, object->size, &first, &last, &satisfiable))
        return OK;
    if (!satisfiable) {
        err e = err_with(call->ctx.arena, FAIL(S3_INVALID_RANGE), "RangeRequested", range);
        return err_with(call->ctx.arena, e, "ActualObjectSize",
                        arena_printf(call->ctx.arena, "%lld", (long long)object->size));
    }
    *out = (struct s3_span){.at = first,
                            .length = last - first + 1,
                            .partial = true,
                            .whole = last - first + 1 == object->size};
    return OK;
}

static err no_such_part(struct call *call, int64_t asked, int64_t count)
{
    err e = err_with(call->ctx.arena, FAIL(S3_INVALID_PART_NUMBER), "PartNumberRequested",
                     arena_printf(call->ctx.arena, "%lld", (long long)asked));
    return err_with(call->ctx.arena, e, "ActualPartCount",
                    arena_printf(call->ctx.arena, "%lld", (long long)count));
}

static err span_of_part(struct call *call, const struct s3_object *object, int64_t number,
                        struct s3_span *out)
{
    struct s3_part *parts;
    size_t n;
    if (!s3_object_multipart(object)) {
        *out = (struct s3_span){.length = object->size, .partial = object->size > 0, .whole = true};
        return number == 1 ? OK : no_such_part(call, number, 1);
    }
    s3_parts_read(call->api->s3, &call->ctx, object->id, 0, &parts, &n);
    int64_t at = 0;
    size_t i = 0;
    while (i < n && parts[i].number != number)
        at += parts[i++].size;
    if (i == n)
        return no_such_part(call, number, (int64_t)n);
    *out = (struct s3_span){.at = at,
                            .length = parts[i].size,
                            .partial = true,
                            .whole = !object->composite && parts[i].size == object->size,
                            .parts_count = (int64_t)n,
                            .part_checksum_kind = parts[i].checksum_kind,
                            .part_checksum = parts[i].checksum};
    return OK;
}

err s3_span_of(struct call *call, const struct s3_object *object, str range, opt_int part_number,
               struct s3_span *out)
{
    *out = (struct s3_span){.length = object->size, .whole = true};
    if (part_number.set && range.p)
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "Cannot specify both Range header and partNumber query parameter");
    if (part_number.set)
        return span_of_part(call, object, part_number.v, out);
    return range.p ? span_of_range(call, object, range, out) : OK;
}
