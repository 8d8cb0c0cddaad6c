/* A document that a shape accepts is written as one that it accepts, and from then on reading and
 * writing change nothing. The first time may: an absent member that is kept comes back as an empty
 * one. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/shape.h"
#include "base/xml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define TAG_MEMBERS(F, T)                                                                          \
    F(T, STR, key, "Key", BODY, .flags = REQUIRED, .min = 1, .max = 5)                             \
    F(T, STR, value, "Value", BODY, .max = 3)
SHAPE(tag, "Tag", TAG_MEMBERS)

#define GRANTEE_MEMBERS(F, T)                                                                      \
    F(T, STR, type, "xsi:type", BODY, .flags = ATTRIBUTE)                                          \
    F(T, STR, id, "ID", BODY)
SHAPE(grantee, "Grantee", GRANTEE_MEMBERS)

#define THING_MEMBERS(F, T)                                                                        \
    F(T, STR, name, "Name", BODY, .values = "On|Off")                                              \
    F(T, INT, days, "Days", BODY, .min = -5, .max = 10)                                            \
    F(T, BOOL, quiet, "Quiet", BODY)                                                               \
    F(T, TIME, date, "Date", BODY)                                                                 \
    F(T, BLOB, data, "Data", BODY)                                                                 \
    F(T, STRUCT, grantee, "Grantee", BODY, .of = &grantee_shape)                                   \
    F(T, LIST, tags, "TagSet", BODY, .of = &tag_shape, .item = "Tag", .max = 2)                    \
    F(T, LIST, events, "Event", BODY, .of = &scalar_str_shape, .flags = FLAT)                      \
    F(T, LIST, numbers, "Numbers", BODY, .of = &scalar_int_shape)                                  \
    F(T, MAP, meta, "Meta", BODY, .of = &str_pair_shape)                                           \
    F(T, STR, prefix, "Prefix", BODY, .flags = KEEP_EMPTY)
SHAPE(thing, "Thing", THING_MEMBERS)

static str written(struct arena *arena, const struct thing *thing)
{
    struct buf b = buf_in(arena);
    xml_open(&b, "Thing");
    shape_to_xml(&b, &thing_shape, thing);
    xml_close(&b, "Thing");
    return buf_str(&b);
}

static bool read_thing(struct arena *arena, str text, bool strict, struct thing *thing)
{
    const struct xml *root = xml_parse(arena, text);
    *thing = (struct thing){0};
    return root && shape_from_xml(arena, &thing_shape, root, strict, thing).wrong == WRONG_NOTHING;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    struct thing first, second, third;
    if (read_thing(arena, (str){(const char *)data, n}, data && n % 2, &first)) {
        if (!read_thing(arena, written(arena, &first), true, &second))
            abort();
        str text = written(arena, &second);
        if (!read_thing(arena, text, true, &third) || !str_eq(written(arena, &third), text))
            abort();
        if (shape_check(arena, &thing_shape, &first).wrong !=
            shape_check(arena, &thing_shape, &second).wrong)
            abort();
    }
    arena_free(arena);
    return 0;
}
