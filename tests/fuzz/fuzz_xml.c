/* Whatever bytes come, xml_parse gives NULL or a tree, and a tree written out and parsed again is
 * the same tree. */
#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void write_node(struct buf *b, const struct xml *node)
{
    char *name = arena_cstr(b->arena, node->name);
    buf_char(b, '<');
    buf_put(b, node->name);
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next) {
        /* Two prefixes may have told two attributes apart. */
        if (xml_attr(node, attr->name).p != attr->value.p)
            continue;
        buf_char(b, ' ');
        buf_put(b, attr->name);
        BUF_LIT(b, "=\"");
        buf_xml(b, attr->value);
        buf_char(b, '"');
    }
    buf_char(b, '>');
    buf_xml(b, node->text);
    XML_EACH (child, node)
        write_node(b, child);
    xml_close(b, name);
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void same(const struct xml *a, const struct xml *b)
{
    must(a && b && str_eq(a->name, b->name) && str_eq(a->text, b->text));
    must(utf8_valid(a->text) && utf8_valid(a->name));
    const struct xml *x = a->child, *y = b->child;
    for (; x && y; x = x->next, y = y->next)
        same(x, y);
    must(!x && !y);
}

/* After a prefix is cut off, what is left need not be a name: "a:1". And expat takes letters in a
 * name of Latin-1 (U+00AA) that it refuses in UTF-8. */
static bool is_name(str s)
{
    char c = s.n ? s.p[0] : 0;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool all_names(const struct xml *node)
{
    bool good = is_name(node->name);
    for (const struct xml_attr *attr = node->attrs; attr; attr = attr->next)
        good = good && is_name(attr->name);
    XML_EACH (child, node)
        good = good && all_names(child);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    const struct xml *root = xml_parse(arena, (str){(const char *)data, n});
    if (root && all_names(root)) {
        struct buf b = buf_in(arena);
        write_node(&b, root);
        same(root, xml_parse(arena, buf_str(&b)));
    }
    arena_free(arena);
    return 0;
}
