/* Rules of base/str. */
#include "unit.h"

TEST(absent_differs_from_empty_but_equals_it_in_content)
{
    CHECK(STR_NONE.p == NULL);
    CHECK(S("").p != NULL);
    CHECK(str_eq(STR_NONE, S("")));
    CHECK(str_of(NULL).p == NULL);
    CHECK_INT(str_of("abc").n, 3);
}

TEST(equality_is_of_bytes_and_length)
{
    CHECK(str_eq(S("a\0b"), S("a\0b")));
    CHECK(!str_eq(S("a\0b"), S("a\0c")));
    CHECK(!str_eq(S("ab"), S("abc")));
    CHECK(str_eq_nocase(S("Content-MD5"), S("content-md5")));
    CHECK(!str_eq_nocase(S("["), S("{")));
    CHECK(!str_eq_nocase(S("@a"), S("`A")) && !str_eq_nocase(S("k1"), S("KQ")));
    CHECK(!str_eq_nocase(S("a"), S("ab")));
}

TEST(order_is_of_unsigned_bytes_and_a_prefix_sorts_first)
{
    CHECK(str_cmp(S("a"), S("b")) < 0);
    CHECK(str_cmp(S("b"), S("a")) > 0);
    CHECK(str_cmp(S("a"), S("a/")) < 0);
    CHECK(str_cmp(S("\xff"), S("a")) > 0);
    CHECK_INT(str_cmp(S("same"), S("same")), 0);
    CHECK_INT(str_cmp(STR_NONE, S("")), 0);
}

TEST(starts_and_ends_compare_whole_affixes)
{
    CHECK(str_starts(S("incoming/a.txt"), S("incoming/")));
    CHECK(!str_starts(S("inc"), S("incoming/")));
    CHECK(str_ends(S("a.txt"), S(".txt")));
    CHECK(!str_ends(S("txt"), S(".txt")));
    CHECK(str_starts_nocase(S("AWS4-x"), S("aws4")));
    CHECK(str_ends_nocase(S("A.TXT"), S(".txt")));
    CHECK(str_starts(S("any"), S("")) && str_ends(S("any"), S("")));
}

TEST(find_looks_at_and_after_from)
{
    CHECK_INT(str_find(S("abcabc"), S("abc"), 0), 0);
    CHECK_INT(str_find(S("abcabc"), S("abc"), 1), 3);
    CHECK_INT(str_find(S("abcabc"), S("abc"), 4), -1);
    CHECK_INT(str_find(S("abc"), S("abcd"), 0), -1);
    CHECK_INT(str_find(S("abc"), S("c"), 99), -1);
    CHECK_INT(str_find(STR_NONE, S("c"), 0), -1);
}

TEST(slice_is_clipped_to_the_string)
{
    CHECK_STR(str_slice(S("hello"), 1, 3), S("el"));
    CHECK_STR(str_slice(S("hello"), 3, 99), S("lo"));
    CHECK_STR(str_slice(S("hello"), 9, 99), S(""));
    CHECK_STR(str_slice(S("hello"), 3, 1), S(""));
}

TEST(cut_walks_every_item_and_ends_with_absent)
{
    str rest = S("a,,b");
    CHECK_STR(str_cut(&rest, ','), S("a"));
    CHECK_STR(str_cut(&rest, ','), S(""));
    CHECK_STR(str_cut(&rest, ','), S("b"));
    CHECK(rest.p == NULL);
}

TEST(cut_of_a_trailing_separator_gives_a_last_empty_item)
{
    str rest = S("a,");
    CHECK_STR(str_cut(&rest, ','), S("a"));
    CHECK(rest.p != NULL);
    CHECK_STR(str_cut(&rest, ','), S(""));
    CHECK(rest.p == NULL);
}

TEST(trim_takes_white_space_from_both_ends_only)
{
    CHECK_STR(str_trim(S(" \t a b\r\n")), S("a b"));
    CHECK_INT(str_trim(S("   ")).n, 0);
}

TEST(to_int_takes_whole_decimals_in_the_range_of_int64)
{
    int64_t n = 7;
    CHECK(str_to_int(S("-12"), &n));
    CHECK_INT(n, -12);
    CHECK(str_to_int(S("9223372036854775807"), &n));
    CHECK_INT(n, INT64_MAX);
    CHECK(str_to_int(S("-9223372036854775808"), &n));
    CHECK_INT(n, INT64_MIN);
}

TEST(to_int_refuses_all_else)
{
    static const char *const bad[] = {"",
                                      "-",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "1.0",
                                      "0x1",
                                      "1a",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    int64_t n = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!str_to_int(str_of(bad[i]), &n));
    CHECK(!str_to_int(STR_NONE, &n));
}

TEST(an_account_is_twelve_digits)
{
    CHECK(str_is_account(S("000000000000")) && str_is_account(S("111122223333")));
    CHECK(!str_is_account(S("11112222333")) && !str_is_account(S("1111222233334")));
    CHECK(!str_is_account(S("11112222333x")) && !str_is_account(S("-11112222333")));
    CHECK(!str_is_account(STR_NONE));
}

TEST(equal_strings_hash_alike)
{
    CHECK(str_hash(S("queue")) == str_hash(str_slice(S("a queue"), 2, 7)));
    CHECK(str_hash(S("queue")) != str_hash(S("queuf")));
}

UNIT_MAIN
