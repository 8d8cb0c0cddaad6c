/* Rules of base/xml. */
#include "unit.h"

#include "base/xml.h"

static struct arena *arena;

__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

static str text_of(const struct xml *node, const char *name)
{
    const struct xml *child = node ? xml_child(node, str_of(name)) : NULL;
    return child ? child->text : STR_NONE;
}

TEST(a_document_becomes_a_tree)
{
    struct xml *root = xml_parse(
        arena,
        S("<?xml version=\"1.0\"?><Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key></Object>"
          "<Object><Key> c </Key></Object></Delete>"));
    CHECK(root != NULL);
    CHECK_STR(root->name, S("Delete"));
    CHECK_STR(text_of(root, "Quiet"), S("true"));
    CHECK_STR(text_of(root->child->next, "Key"), S("a&b"));
    CHECK_STR(text_of(root->child->next->next, "Key"), S(" c "));
    CHECK(root->child->next->next->next == NULL);
    CHECK(xml_child(root, S("Nothing")) == NULL);
}

TEST(namespaces_are_dropped_from_elements_and_attributes)
{
    struct xml *root =
        xml_parse(arena, S("<s3:A xmlns:s3=\"u\" xmlns=\"v\"><s3:B xsi:type=\"T\" x='1'/></s3:A>"));
    CHECK_STR(root->name, S("A"));
    CHECK_STR(root->child->name, S("B"));
    CHECK_STR(xml_attr(root->child, S("type")), S("T"));
    CHECK_STR(xml_attr(root->child, S("x")), S("1"));
    CHECK_STR(xml_attr(root->child, S("y")), STR_NONE);
}

TEST(text_around_children_is_joined_and_empty_text_is_present)
{
    struct xml *root = xml_parse(arena, S("<a>x<b/>y<![CDATA[<z>&]]>&#233;</a>"));
    CHECK_STR(root->text, S("xy<z>&\xC3\xA9"));
    CHECK_STR(root->child->text, S(""));
}

TEST(a_doctype_and_every_entity_of_ones_own_is_refused)
{
    CHECK(!xml_parse(arena, S("<!DOCTYPE a><a/>")));
    CHECK(!xml_parse(arena, S("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>")));
    CHECK(!xml_parse(arena, S("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>")));
    CHECK(!xml_parse(arena, S("<a>&x;</a>")));
    CHECK(xml_parse(arena, S("<a>&lt;&gt;&amp;&apos;&quot;</a>")) != NULL);
}

TEST(what_is_not_well_formed_is_refused)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "x",
                                      "<a>",
                                      "<a></b>",
                                      "<a/><b/>",
                                      "<a/>x",
                                      "<a b></a>",
                                      "<a>&#0;</a>",
                                      "<a>\x01</a>",
                                      "<a>\xff</a>",
                                      "{\"a\":1}",
                                      "<a",
                                      "<a x='1' x='2'/>",
                                      "<?xml version='1.0'?>"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!xml_parse(arena, str_of(bad[i])));
    CHECK(!xml_parse(arena, STR_NONE));
    CHECK(!xml_parse(arena, S("<a>\0</a>")));
}

static str nested(int depth)
{
    struct buf b = buf_in(arena);
    for (int i = 0; i < depth; i++)
        BUF_LIT(&b, "<a>");
    for (int i = 0; i < depth; i++)
        BUF_LIT(&b, "</a>");
    return buf_str(&b);
}

TEST(sixty_four_levels_are_the_most)
{
    CHECK(xml_parse(arena, nested(64)) != NULL);
    CHECK(!xml_parse(arena, nested(65)));
    CHECK(!xml_parse(arena, nested(10000)));
}

TEST(a_document_of_too_many_elements_is_refused)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "<a>");
    for (int i = 0; i < 200000; i++)
        BUF_LIT(&b, "<b/>");
    BUF_LIT(&b, "</a>");
    CHECK(!xml_parse(arena, buf_str(&b)));
}

TEST(other_encodings_of_the_same_text_are_read)
{
    struct xml *root =
        xml_parse(arena, S("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>"));
    CHECK_STR(root->text, S("\xC3\xA9"));
    root = xml_parse(arena, S("\xEF\xBB\xBF<a>x</a>"));
    CHECK_STR(root->text, S("x"));
}

TEST(writing_escapes_text)
{
    struct buf b = buf_in(arena);
    xml_open(&b, "A");
    xml_put(&b, "B", S("<&>"));
    xml_put_int(&b, "C", -7);
    xml_close(&b, "A");
    CHECK_STR(buf_str(&b), S("<A><B>&lt;&amp;&gt;</B><C>-7</C></A>"));
}

UNIT_MAIN
