/* base/xml.c - expat does the parsing; this file builds the tree and sets the limits.
 *
 * A request body is a stranger's: a DOCTYPE (and with it every entity but the five of XML) stops
 * the parse, as do more than 64 levels and more elements than any S3 document can hold. Text of one
 * element may come in many pieces, with children between them: it is gathered in a growing block of
 * the element while the element is open. */
#include "base/xml.h"

#include "base/text.h"

#include <expat.h>
#include <string.h>

#define DEPTH_MAX 64
/* DeleteObjects has 1,000 objects of 5 members, CompleteMultipartUpload 10,000 parts of 8: neither
 * comes near. */
#define NODES_MAX 200000

struct open_node {
    struct xml *node;
    struct xml **end; /* where the next child goes */
    struct buf text;
};

struct parse {
    XML_Parser parser;
    struct arena *arena;
    struct xml *root;
    struct open_node open[DEPTH_MAX];
    size_t depth, nodes;
    bool refused;
};

static void refuse(struct parse *parse)
{
    parse->refused = true;
    XML_StopParser(parse->parser, XML_FALSE);
}

static str local_name(struct arena *arena, const char *name)
{
    const char *colon = strrchr(name, ':');
    return arena_copy(arena, str_of(colon && colon[1] ? colon + 1 : name));
}

static struct xml_attr *attrs_of(struct arena *arena, const XML_Char **pairs)
{
    struct xml_attr *first = NULL, **end = &first;
    for (; *pairs; pairs += 2) {
        *end = ARENA_NEW(arena, struct xml_attr);
        **end = (struct xml_attr){.name = local_name(arena, pairs[0]),
                                  .value = arena_copy(arena, str_of(pairs[1]))};
        end = &(*end)->next;
    }
    return first;
}

static void on_start(void *user, const XML_Char *name, const XML_Char **attrs)
{
    struct parse *parse = user;
    if (parse->refused || parse->depth == DEPTH_MAX || ++parse->nodes > NODES_MAX) {
        refuse(parse);
        return;
    }
    struct xml *node = ARENA_NEW(parse->arena, struct xml);
    node->name = local_name(parse->arena, name);
    node->attrs = attrs_of(parse->arena, attrs);
    if (parse->depth) {
        struct open_node *parent = &parse->open[parse->depth - 1];
        *parent->end = node;
        parent->end = &node->next;
    } else {
        parse->root = node;
    }
    parse->open[parse->depth++] = (struct open_node){node, &node->child, buf_in(parse->arena)};
}

static void on_end(void *user, const XML_Char *name)
{
    struct parse *parse = user;
    (void)name;
    if (parse->refused)
        return;
    struct open_node *top = &parse->open[--parse->depth];
    top->node->text = buf_str(&top->text);
}

static void on_text(void *user, const XML_Char *text, int n)
{
    struct parse *parse = user;
    if (!parse->refused && parse->depth)
        buf_put(&parse->open[parse->depth - 1].text, (str){text, (size_t)n});
}

static void on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(user);
}

static bool feed(XML_Parser parser, str bytes)
{
    const size_t step = 1 << 30;
    for (; bytes.n > step; bytes = str_slice(bytes, step, bytes.n))
        if (XML_Parse(parser, bytes.p, (int)step, 0) != XML_STATUS_OK)
            return false;
    return XML_Parse(parser, bytes.p ? bytes.p : "", (int)bytes.n, 1) == XML_STATUS_OK;
}

struct xml *xml_parse(struct arena *arena, str bytes)
{
    struct parse parse = {.parser = XML_ParserCreate(NULL), .arena = arena};
    if (!parse.parser)
        return NULL;
    XML_SetUserData(parse.parser, &parse);
    XML_SetElementHandler(parse.parser, on_start, on_end);
    XML_SetCharacterDataHandler(parse.parser, on_text);
    XML_SetStartDoctypeDeclHandler(parse.parser, on_doctype);
    bool good = feed(parse.parser, bytes) && !parse.refused;
    XML_ParserFree(parse.parser);
    return good ? parse.root : NULL;
}

const struct xml *xml_child(const struct xml *node, str name)
{
    XML_EACH (child, node)
        if (str_eq(child->name, name))
            return child;
    return NULL;
}

str xml_attr(const struct xml *node, str name)
{
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        if (str_eq(attr->name, name))
            return attr->value;
    return STR_NONE;
}

void xml_open(struct buf *b, const char *name)
{
    size_t n = strlen(name);
    char *to = buf_room(b, n + 2);
    *to = '<';
    memcpy(to + 1, name, n);
    to[n + 1] = '>';
    b->n += n + 2;
}

void xml_close(struct buf *b, const char *name)
{
    size_t n = strlen(name);
    char *to = buf_room(b, n + 3);
    memcpy(to, "</", 2);
    memcpy(to + 2, name, n);
    to[n + 2] = '>';
    b->n += n + 3;
}

void xml_put(struct buf *b, const char *name, str text)
{
    xml_open(b, name);
    buf_xml(b, text);
    xml_close(b, name);
}

void xml_put_int(struct buf *b, const char *name, int64_t value)
{
    xml_open(b, name);
    buf_int(b, value);
    xml_close(b, name);
}
