/* Rules of base/shape: checks, and shapes to and from XML. */
#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/shape.h"
#include "base/xml.h"

#define TAG_MEMBERS(F, T)                                                                          \
    F(T, STR, key, "Key", BODY, .flags = REQUIRED, .min = 1, .max = 5)                             \
    F(T, STR, value, "Value", BODY, .flags = REQUIRED, .max = 3)
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
    F(T, BLOB, data, "Data", BODY, .max = 4)                                                       \
    F(T, STRUCT, grantee, "Grantee", BODY, .of = &grantee_shape)                                   \
    F(T, LIST, tags, "TagSet", BODY, .of = &tag_shape, .item = "Tag", .max = 2)                    \
    F(T, LIST, events, "Event", BODY, .of = &scalar_str_shape, .flags = FLAT)                      \
    F(T, LIST, numbers, "Numbers", BODY, .of = &scalar_int_shape)                                  \
    F(T, MAP, meta, "Meta", BODY, .of = &str_pair_shape)                                           \
    F(T, STR, later, "Later", BODY, .flags = UNIMPLEMENTED)                                        \
    F(T, STR, header, "x-header", HEADER)                                                          \
    F(T, STR, inner, "inner", NONE, .flags = REQUIRED)                                             \
    F(T, STR, prefix, "Prefix", BODY, .flags = KEEP_EMPTY)
SHAPE(thing, "Thing", THING_MEMBERS)

static struct arena *arena;

__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}

__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

static struct shape_issue read_into(struct thing *thing, const char *body, bool strict)
{
    struct xml *root = xml_parse(arena, arena_printf(arena, "<Thing>%s</Thing>", body));
    CHECK(root != NULL);
    *thing = (struct thing){0};
    return shape_from_xml(arena, &thing_shape, root, strict, thing);
}

static void expect(const char *body, bool strict, enum shape_wrong wrong, const char *name)
{
    struct thing thing;
    struct shape_issue issue = read_into(&thing, body, strict);
    CHECK_INT(issue.wrong, wrong);
    CHECK_STR(issue.name, str_of(name));
}

static str written(const struct thing *thing)
{
    struct buf b = buf_in(arena);
    shape_to_xml(&b, &thing_shape, thing);
    return buf_str(&b);
}

static const char everything[] =
    "<Name>On</Name><Days>-5</Days><Quiet>true</Quiet><Date>2026-01-01T00:00:00.000Z</"
    "Date><Data>AQI=</Data>"
    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:type=\"User\"><ID>1&amp;2</ID></Grantee>"
    "<TagSet><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value></Value></Tag></TagSet>"
    "<Event>e1</Event><Event>e2</Event><Numbers><member>1</member><member>2</member></Numbers>"
    "<Meta><entry><key>a</key><value>b</value></entry></Meta><Prefix>p</Prefix>";

TEST(every_kind_is_read_from_xml)
{
    struct thing thing;
    CHECK_INT(read_into(&thing, everything, true).wrong, WRONG_NOTHING);
    CHECK_STR(thing.name, S("On"));
    CHECK_INT(thing.days.v, -5);
    CHECK(thing.quiet.set && thing.quiet.v);
    CHECK_INT(thing.date.v, INT64_C(1767225600000));
    CHECK_STR(thing.data, S("\x01\x02"));
    CHECK_STR(((struct grantee *)thing.grantee)->type, S("User"));
    CHECK_STR(((struct grantee *)thing.grantee)->id, S("1&2"));
    CHECK_INT(thing.tags.n, 2);
    CHECK_STR(LIST_AT(thing.tags, struct tag, 1)->key, S("l"));
    CHECK_STR(LIST_AT(thing.tags, struct tag, 1)->value, S(""));
    CHECK_INT(thing.events.n, 2);
    CHECK_STR(LIST_AT(thing.events, struct scalar_str, 1)->value, S("e2"));
    CHECK_INT(LIST_AT(thing.numbers, struct scalar_int, 1)->value.v, 2);
    CHECK_STR(LIST_AT(thing.meta, struct str_pair, 0)->value, S("b"));
    CHECK_STR(thing.header, STR_NONE);
}

TEST(what_was_read_is_written_back_the_same)
{
    struct thing thing;
    CHECK_INT(read_into(&thing, everything, true).wrong, WRONG_NOTHING);
    CHECK_STR(written(&thing), str_of(everything));
}

TEST(absent_members_are_not_written_but_for_those_that_are_kept)
{
    struct thing thing = {0};
    CHECK_STR(written(&thing), S("<Prefix/>"));
    thing.name = S("");
    thing.tags.set = true;
    CHECK_STR(written(&thing), S("<Name></Name><TagSet></TagSet><Prefix/>"));
}

TEST(an_empty_list_is_present)
{
    struct thing thing;
    CHECK_INT(read_into(&thing, "<TagSet/>", true).wrong, WRONG_NOTHING);
    CHECK(thing.tags.set && thing.tags.n == 0 && !thing.events.set);
}

TEST(scalars_of_the_wrong_type_are_told)
{
    expect("<Days>x</Days>", true, WRONG_TYPE, "Days");
    expect("<Days></Days>", true, WRONG_TYPE, "Days");
    expect("<Days>99999999999999999999</Days>", true, WRONG_TYPE, "Days");
    expect("<Quiet>True</Quiet>", true, WRONG_TYPE, "Quiet");
    expect("<Quiet>1</Quiet>", true, WRONG_TYPE, "Quiet");
    expect("<Date>soon</Date>", true, WRONG_TYPE, "Date");
    expect("<Data>A</Data>", true, WRONG_TYPE, "Data");
    expect("<Numbers><member>1</member><member>b</member></Numbers>", true, WRONG_TYPE, "Numbers");
    expect("<Days> 5\n</Days><Quiet> false </Quiet>", true, WRONG_NOTHING, NULL);
}

TEST(unknown_elements_matter_only_to_the_strict)
{
    expect("<Other/>", true, WRONG_UNKNOWN, "Other");
    expect("<Other/>", false, WRONG_NOTHING, NULL);
    expect("<TagSet><Tag><Key>k</Key><Colour/></Tag></TagSet>", true, WRONG_UNKNOWN,
           "TagSet.Colour");
    expect("<TagSet><Flag/></TagSet>", true, WRONG_UNKNOWN, "TagSet.Flag");
    expect("<TagSet><Flag/></TagSet>", false, WRONG_NOTHING, NULL);
    expect("<x-header>v</x-header>", true, WRONG_UNKNOWN, "x-header");
}

TEST(a_member_given_twice_is_malformed_to_the_strict_and_else_the_last_counts)
{
    struct thing thing;
    expect("<Days>1</Days><Days>2</Days>", true, WRONG_SYNTAX, "Days");
    CHECK_INT(read_into(&thing, "<Days>1</Days><Name>Off</Name><Days>2</Days>", false).wrong,
              WRONG_NOTHING);
    CHECK_INT(thing.days.v, 2);
}

TEST(flat_items_may_stand_apart)
{
    struct thing thing;
    CHECK_INT(
        read_into(&thing, "<Event>a</Event><Days>1</Days><Event>b</Event><Event/>", true).wrong,
        WRONG_NOTHING);
    CHECK_INT(thing.events.n, 3);
    CHECK_STR(LIST_AT(thing.events, struct scalar_str, 1)->value, S("b"));
    CHECK_STR(LIST_AT(thing.events, struct scalar_str, 2)->value, S(""));
}

static void told(const struct thing *thing, enum shape_wrong wrong, const char *name,
                 const char *value)
{
    struct shape_issue issue = shape_check(arena, &thing_shape, thing);
    CHECK_INT(issue.wrong, wrong);
    CHECK_STR(issue.name, str_of(name));
    CHECK_STR(issue.value, str_of(value));
}

TEST(members_are_checked_against_their_rows)
{
    told(&(struct thing){0}, WRONG_NOTHING, NULL, NULL);
    told(&(struct thing){.name = S("On")}, WRONG_NOTHING, NULL, NULL);
    told(&(struct thing){.name = S("O")}, WRONG_VALUE, "Name", "O");
    told(&(struct thing){.name = S("")}, WRONG_VALUE, "Name", "");
    told(&(struct thing){.days = INT_OF(-5)}, WRONG_NOTHING, NULL, NULL);
    told(&(struct thing){.days = INT_OF(-6)}, WRONG_RANGE, "Days", "-6");
    told(&(struct thing){.days = INT_OF(11)}, WRONG_RANGE, "Days", "11");
    told(&(struct thing){.data = S("12345")}, WRONG_RANGE, "Data", "12345");
    told(&(struct thing){.later = S("x")}, WRONG_UNIMPLEMENTED, "Later", NULL);
}

static struct thing with_tag(struct tag *tag, size_t n)
{
    return (struct thing){.tags = {.at = tag, .n = n, .set = true}};
}

TEST(items_are_checked_and_named_by_their_path)
{
    struct tag tags[3] = {{S("k"), S("v")}, {S("k"), S("v")}, {S("k"), S("v")}};
    struct thing thing = with_tag(tags, 2);
    told(&thing, WRONG_NOTHING, NULL, NULL);
    thing = with_tag(tags, 3);
    told(&thing, WRONG_RANGE, "TagSet", "3");
    thing = with_tag(tags, 2);
    tags[1].value = STR_NONE;
    told(&thing, WRONG_MISSING, "TagSet.Value", NULL);
    tags[1].key = S("");
    told(&thing, WRONG_RANGE, "TagSet.Key", "");
}

TEST(lengths_of_text_count_characters)
{
    struct tag tag = {S("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"), S("v")};
    struct thing thing = with_tag(&tag, 1);
    told(&thing, WRONG_NOTHING, NULL, NULL);
    tag.key = S("123456");
    told(&thing, WRONG_RANGE, "TagSet.Key", "123456");
}

UNIT_MAIN
