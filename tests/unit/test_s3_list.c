/* Listings: order, prefixes, delimiters, pages, versions. A page is shown as one text: keys, common
 * prefixes in brackets. */
#include "s3.h"
#include "base/buf.h"

static str page_text(struct lab *lab, struct s3_list asked, struct s3_page *page)
{
    struct buf b = buf_in(lab->ctx.arena);
    if (!asked.max)
        asked.max = 1000;
    s3_list_page(lab->s3, &lab->ctx, lab->bucket, &asked, page);
    for (size_t i = 0; i < page->n; i++) {
        const struct s3_list_item *item = &page->items[i];
        if (i)
            buf_char(&b, ' ');
        if (item->common_prefix)
            buf_char(&b, '[');
        buf_put(&b, item->object.key);
        if (asked.versions && !item->common_prefix)
            buf_printf(&b, "%s%s", item->object.marker ? "-" : "", item->latest ? "*" : "");
        if (item->common_prefix)
            buf_char(&b, ']');
    }
    if (page->truncated)
        BUF_LIT(&b, " ...");
    return buf_str(&b);
}

#define PAGE(...) page_text(&lab, (struct s3_list){__VA_ARGS__}, &page)

static void fill(struct lab *lab, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        lab_put(lab, str_of(keys[i]), S("x"));
}

static const char *const tree[] = {"b", "a/1", "a/2", "a/b/3", "a", "c/1", "\xc3\xa9", "Z"};
#define TREE(lab) fill(&(lab), tree, sizeof tree / sizeof *tree)

TEST(keys_come_in_the_order_of_their_bytes)
{
    LAB(lab);
    struct s3_page page;
    TREE(lab);
    CHECK_STR(PAGE(0), S("Z a a/1 a/2 a/b/3 b c/1 \xc3\xa9"));
    lab_end(&lab);
}

TEST(a_delimiter_folds_keys_behind_the_prefix)
{
    LAB(lab);
    struct s3_page page;
    TREE(lab);
    CHECK_STR(PAGE(.delimiter = S("/")), S("Z a [a/] b [c/] \xc3\xa9"));
    CHECK_STR(PAGE(.delimiter = S("/"), .prefix = S("a/")), S("a/1 a/2 [a/b/]"));
    CHECK_STR(PAGE(.delimiter = S("b/"), .prefix = S("a/")), S("a/1 a/2 [a/b/]"));
    CHECK_STR(PAGE(.prefix = S("a/b")), S("a/b/3"));
    CHECK_STR(PAGE(.prefix = S("nothing")), S(""));
    lab_end(&lab);
}

TEST(pages_join_to_the_whole_without_gaps_or_doubles)
{
    LAB(lab);
    struct s3_page page;
    TREE(lab);
    str text = PAGE(.delimiter = S("/"), .max = 3), after = page.items[page.n - 1].object.key;
    CHECK_STR(text, S("Z a [a/] ..."));
    text = PAGE(.delimiter = S("/"), .max = 3, .after = after, .after_prefix = true);
    CHECK_STR(text, S("b [c/] \xc3\xa9"));
    lab_end(&lab);
}

TEST(a_full_page_at_the_very_end_is_not_truncated)
{
    LAB(lab);
    struct s3_page page;
    TREE(lab);
    CHECK_STR(PAGE(.max = 8), S("Z a a/1 a/2 a/b/3 b c/1 \xc3\xa9"));
    CHECK_STR(PAGE(.max = 7), S("Z a a/1 a/2 a/b/3 b c/1 ..."));
    lab_end(&lab);
}

TEST(a_page_starts_after_its_marker_or_at_its_prefix)
{
    LAB(lab);
    struct s3_page page;
    TREE(lab);
    CHECK_STR(PAGE(.after = S("a/1")), S("a/2 a/b/3 b c/1 \xc3\xa9"));
    CHECK_STR(PAGE(.after = S("A"), .prefix = S("a/")), S("a/1 a/2 a/b/3"));
    CHECK_STR(PAGE(.after = S("zz"), .prefix = S("a/")), S(""));
    lab_end(&lab);
}

TEST(deleted_keys_and_old_versions_are_not_listed)
{
    LAB(lab);
    struct s3_page page;
    lab_versioning(&lab, S3_VERSIONED);
    for (int i = 0; i < 40; i++)
        lab_put(&lab, S("many"), S("x"));
    lab_put(&lab, S("gone/1"), S("x"));
    lab_delete(&lab, S("gone/1"), STR_NONE);
    lab_put(&lab, S("z"), S("x"));
    CHECK_STR(PAGE(0), S("many z"));
    CHECK_STR(PAGE(.delimiter = S("/")), S("many z"));
    lab_end(&lab);
}

TEST(versions_come_newest_first_within_a_key)
{
    LAB(lab);
    struct s3_page page;
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object one = lab_put(&lab, S("k"), S("1")), two = lab_put(&lab, S("k"), S("2"));
    lab_delete(&lab, S("k"), STR_NONE);
    lab_put(&lab, S("l"), S("3"));
    CHECK_STR(PAGE(.versions = true), S("k-* k k l*"));
    CHECK_STR(page.items[1].object.version, two.version);
    CHECK_STR(page.items[2].object.version, one.version);
    lab_end(&lab);
}

TEST(pages_of_versions_go_on_inside_a_key)
{
    LAB(lab);
    struct s3_page page;
    lab_versioning(&lab, S3_VERSIONED);
    lab_put(&lab, S("k"), S("1"));
    lab_put(&lab, S("k"), S("2"));
    lab_put(&lab, S("k"), S("3"));
    lab_put(&lab, S("l"), S("4"));
    CHECK_STR(PAGE(.versions = true, .max = 2), S("k* k ..."));
    str version = page.items[1].object.version;
    CHECK_STR(PAGE(.versions = true, .after = S("k"), .after_version = version), S("k l*"));
    CHECK_STR(PAGE(.versions = true, .after = S("k"), .after_version = version, .max = 1),
              S("k ..."));
    CHECK_STR(PAGE(.versions = true, .after = S("k")), S("l*"));
    lab_end(&lab);
}

TEST(a_version_marker_that_is_gone_still_knows_its_place)
{
    LAB(lab);
    struct s3_page page;
    lab_versioning(&lab, S3_VERSIONED);
    lab_put(&lab, S("k"), S("1"));
    str gone = lab_put(&lab, S("k"), S("2")).version;
    str newest = lab_put(&lab, S("k"), S("3")).version;
    lab_put(&lab, S("l"), S("4"));
    lab_delete(&lab, S("k"), gone);
    CHECK_STR(PAGE(.versions = true, .after = S("k"), .after_version = gone), S("k l*"));
    lab_delete(&lab, S("k"), newest);
    CHECK_STR(PAGE(.versions = true, .after = S("k"), .after_version = newest), S("k* l*"));
    lab_end(&lab);
}

TEST(a_page_costs_the_same_in_a_large_bucket)
{
    LAB(lab);
    struct s3_page page;
    char key[32];
    for (int i = 0; i < 20000; i++) {
        int n = snprintf(key, sizeof key, "d%d/%05d", i % 3, i);
        struct s3_object object = {.key = {key, (size_t)n}, .etag = S("e")};
        CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &object, S3_CREATED_PUT));
    }
    CHECK_STR(PAGE(.delimiter = S("/")), S("[d0/] [d1/] [d2/]"));
    arena_reset(lab.ctx.arena);
    CHECK_STR(PAGE(.delimiter = S("/")), S("[d0/] [d1/] [d2/]"));
    CHECK(arena_used(lab.ctx.arena) < 65536);
    lab_end(&lab);
}

UNIT_MAIN
