/* base/xml.h - a small XML document in an arena. Parsing refuses DOCTYPE, more than 64 levels, and
 * what is not well-formed. Namespaces are dropped from element names. */
#ifndef HEADRACE_BASE_XML_H
#define HEADRACE_BASE_XML_H

#include "base/buf.h"

struct xml_attr {
    str name, value;
    struct xml_attr *next;
};

struct xml {
    str name; /* local name */
    str text; /* all character data directly inside, joined, untrimmed; present, may be empty */
    struct xml_attr *attrs;
    struct xml *child, *next; /* first child, next sibling */
};

#define XML_EACH(node, parent)                                                                     \
    for (const struct xml *node = (parent)->child; node; node = node->next)

/* The root element, or NULL when the bytes are not an acceptable document. */
struct xml *xml_parse(struct arena *arena, str bytes);
/* First child named `name`, or NULL. */
const struct xml *xml_child(const struct xml *node, str name);
/* Value of attribute `name` (local name), or absent. */
str xml_attr(const struct xml *node, str name);

/* Writing: <name>text</name>, text escaped. */
void xml_put(struct buf *b, const char *name, str text);
void xml_put_int(struct buf *b, const char *name, int64_t value);
void xml_open(struct buf *b, const char *name);
void xml_close(struct buf *b, const char *name);

#endif
