/* base/shape.h - the form of AWS data, written once. An X-macro lists the members of a structure;
 * SHAPE() makes from it the C struct and the table that codecs, validators, serialisers,
 * documentation and audits read.
 *
 *     #define TAG_SHAPE(F, T)                                                              \
 *         F(T, STR, key, "Key", BODY, .flags = REQUIRED, .min = 1, .max = 128)             \
 *         F(T, STR, value, "Value", BODY, .flags = REQUIRED, .max = 256)
 *     SHAPE(s3_tag, "Tag", TAG_SHAPE)
 *
 * makes `struct s3_tag { str key; str value; }` and `const struct shape s3_tag_shape`.
 * A member is one of the kinds below; absent members are zero: `str.p == NULL`, `.set == false`,
 * pointer NULL. `wire` is AWS's member name (JSON and XML element; header or query name for those
 * places). */
#ifndef HEADRACE_BASE_SHAPE_H
#define HEADRACE_BASE_SHAPE_H

#include "base/str.h"

enum shape_kind {
    SHAPE_STR,    /* str */
    SHAPE_INT,    /* opt_int */
    SHAPE_BOOL,   /* opt_bool */
    SHAPE_BLOB,   /* str: base64 on the wire, bytes in memory */
    SHAPE_TIME,   /* opt_int: msec since the epoch; ISO in XML bodies, HTTP date in headers, epoch
                     seconds in JSON */
    SHAPE_STRUCT, /* void *: a struct `of`, in the arena; NULL when absent */
    SHAPE_LIST,   /* list: items of `of`; a list of scalars uses one of the scalar_*_shape below */
    SHAPE_MAP,    /* list: entries of `of`, a shape whose first member is the key; the second is the
                     value */
};

enum shape_place {
    PLACE_BODY,    /* in the body document (JSON, Query or XML element) */
    PLACE_HEADER,  /* HTTP header `wire` */
    PLACE_QUERY,   /* query parameter `wire` */
    PLACE_META,    /* MAP: every header that starts with `wire` ("x-amz-meta-") */
    PLACE_BUCKET,  /* bucket of the address */
    PLACE_KEY,     /* key of the address */
    PLACE_PAYLOAD, /* STRUCT: the whole XML body is this structure; STR/BLOB: the raw body */
    PLACE_STATUS,  /* INT, output: HTTP status */
    PLACE_NONE,    /* not on the wire: set by the adapter */
};

enum shape_flag {
    REQUIRED = 1,
    FLAT = 2,      /* XML list without a wrapper element: repeated `wire` */
    ATTRIBUTE = 4, /* XML attribute of the parent element (xsi:type) */
    UNIMPLEMENTED =
        8, /* known to AWS, not to us: present input is refused with NotImplemented and its name */
    KEEP_EMPTY = 16, /* output: written even when absent, as an empty element (<Prefix/>) */
    LATER =
        64, /* REQUIRED members whose absence the handler words: an entry of a batch fails alone */
    MERGED = 32, /* output, two FLAT lists one after the other: their XML elements stand among each
                    other in the order of the items' first member, an INT off the wire */
};

typedef struct {
    int64_t v;
    bool set;
} opt_int;

typedef struct {
    bool v, set;
} opt_bool;

typedef struct {
    void *at; /* n structs of the member shape, in the arena */
    size_t n;
    bool set; /* the wire had it, perhaps empty */
} list;

/* An xs:int: what does not fit into 32 bits is malformed. */
#define INT_32 .min = INT32_MIN, .max = INT32_MAX
#define INT_OF(value) ((opt_int){.v = (value), .set = true})
#define BOOL_OF(value) ((opt_bool){.v = (value), .set = true})
/* The i-th item of a list, as `type *`. */
#define LIST_AT(items, type, i) (&((type *)(items).at)[i])
#define LIST_EACH(type, item, items)                                                               \
    for (type *item = (items).at; item && item < (type *)(items).at + (items).n; item++)

struct shape;

struct field {
    const char *wire;
    uint8_t kind, place;
    uint16_t flags;
    uint32_t offset;
    const struct shape *of; /* STRUCT, LIST, MAP */
    const char *item;       /* XML name of a list's items or a map's entries ("member"); the element
                               inside the wrapper */
    const char *query;  /* Query protocol: flattened name ("AttributeName", "Tag"); NULL: `wire` */
    const char *values; /* STR: allowed values, "A|B|C"; NULL: any */
    int64_t min, max;   /* INT: value; STR: characters; LIST: items; checked when max > 0 */
};

struct shape {
    const char *name; /* AWS's shape name, which is also the XML root where one is needed */
    size_t size;      /* of the C struct */
    const struct field *fields;
    size_t n;
};

#define SHAPE_CTYPE_STR str
#define SHAPE_CTYPE_INT opt_int
#define SHAPE_CTYPE_BOOL opt_bool
#define SHAPE_CTYPE_BLOB str
#define SHAPE_CTYPE_TIME opt_int
#define SHAPE_CTYPE_STRUCT void *
#define SHAPE_CTYPE_LIST list
#define SHAPE_CTYPE_MAP list

#define SHAPE_MEMBER(T, kind_, member_, wire_, place_, ...) SHAPE_CTYPE_##kind_ member_;
#define SHAPE_ROW(T, kind_, member_, wire_, place_, ...)                                           \
    {.wire = wire_,                                                                                \
     .kind = SHAPE_##kind_,                                                                        \
     .place = PLACE_##place_,                                                                      \
     .offset = (uint32_t)offsetof(struct T, member_),                                              \
     __VA_ARGS__},

/* Declares struct `name` and its shape (in a header). */
#define SHAPE_DECLARE(name, LIST_OF_MEMBERS)                                                       \
    struct name {                                                                                  \
        LIST_OF_MEMBERS(SHAPE_MEMBER, name)                                                        \
    };                                                                                             \
    extern const struct shape name##_shape;
/* Defines the table (in one .c). */
#define SHAPE_DEFINE(name, aws_name, LIST_OF_MEMBERS)                                              \
    static const struct field name##_fields[] = {LIST_OF_MEMBERS(SHAPE_ROW, name)};                \
    const struct shape name##_shape = {aws_name, sizeof(struct name), name##_fields,               \
                                       sizeof name##_fields / sizeof name##_fields[0]};
/* Both, private to one .c. */
#define SHAPE(name, aws_name, LIST_OF_MEMBERS)                                                     \
    struct name {                                                                                  \
        LIST_OF_MEMBERS(SHAPE_MEMBER, name)                                                        \
    };                                                                                             \
    static const struct field name##_fields[] = {LIST_OF_MEMBERS(SHAPE_ROW, name)};                \
    static const struct shape name##_shape = {aws_name, sizeof(struct name), name##_fields,        \
                                              sizeof name##_fields / sizeof name##_fields[0]};

/* Shapes of list items that are bare scalars: struct { T value; }. A codec sees the single field
 * with wire NULL and reads the item itself. */
struct scalar_str {
    str value;
};
struct scalar_int {
    opt_int value;
};
extern const struct shape scalar_str_shape; /* str items */
extern const struct shape scalar_int_shape; /* opt_int items */
/* Map entry str -> str. */
struct str_pair {
    str key, value;
};
extern const struct shape str_pair_shape; /* entries with wire names "key" and "value" */
/* No members: operations without input or output. */
extern const struct shape empty_shape;

/* What a codec or check found wrong with an input; which fault it becomes is the service's affair.
 */
enum shape_wrong {
    WRONG_NOTHING,
    WRONG_MISSING,       /* required member absent */
    WRONG_TYPE,          /* number expected, got text, ... */
    WRONG_RANGE,         /* outside min..max */
    WRONG_VALUE,         /* not one of `values` */
    WRONG_UNKNOWN,       /* a member that the shape doesn't have */
    WRONG_UNIMPLEMENTED, /* known, not implemented here */
    WRONG_SYNTAX,        /* not well-formed JSON / XML */
};

struct shape_issue {
    enum shape_wrong wrong;
    const struct field *field; /* NULL for SYNTAX and UNKNOWN */
    str name;                  /* wire name, dotted path for nested members */
    str value;                 /* offending text, where there is one */
};

struct arena;
struct buf;
struct xml;

/* The member's place in the struct. */
static inline void *shape_at(const struct field *field, const void *data)
{
    return (char *)data + field->offset;
}
/* True when the member is there: absent differs from empty. Asked of every member a structure may
 * have, hence inline. */
static inline bool shape_present(const struct field *field, const void *data)
{
    const void *at = shape_at(field, data);
    switch ((enum shape_kind)field->kind) {
    case SHAPE_STR:
    case SHAPE_BLOB:
        return ((const str *)at)->p != NULL;
    case SHAPE_INT:
    case SHAPE_TIME:
        return ((const opt_int *)at)->set;
    case SHAPE_BOOL:
        return ((const opt_bool *)at)->set;
    case SHAPE_STRUCT:
        return *(void *const *)at != NULL;
    case SHAPE_LIST:
    case SHAPE_MAP:
        return ((const list *)at)->set || ((const list *)at)->n;
    }
    return false;
}
/* True for the shape of list items that are bare scalars. */
static inline bool shape_is_scalar(const struct shape *shape)
{
    return shape->n == 1 && !shape->fields[0].wire;
}
/* `issue` found inside `field`: its name with the member's before it. */
struct shape_issue shape_issue_in(struct arena *arena, const struct field *field,
                                  struct shape_issue issue);

/* Checks required, min..max, values, UNIMPLEMENTED, recursively; the first issue found. */
struct shape_issue shape_check(struct arena *arena, const struct shape *shape, const void *data);
/* The same for what can be known before the body: members of address, query and headers. */
struct shape_issue shape_check_head(struct arena *arena, const struct shape *shape,
                                    const void *data);
/* XML element -> struct (PLACE_BODY members only); unknown elements, and members given twice, are
 * an issue when `strict`. */
struct shape_issue shape_from_xml(struct arena *arena, const struct shape *shape,
                                  const struct xml *node, bool strict, void *out);
/* Members of PLACE_BODY as child elements, without the enclosing element. */
void shape_to_xml(struct buf *b, const struct shape *shape, const void *data);
/* The text of one present scalar member, as it stands within its element. */
void shape_scalar_to_xml(struct buf *b, const struct field *field, const void *at);

#endif
