/* Access control lists: what a canned name grants, whom a list lets do what, and the stored text.
 */
#include "unit.h"

#include "s3/acl.h"

static const str me = {"me", 2}, you = {"you", 3}, nobody = {NULL, 0};

static struct s3_acl canned(struct arena *arena, const char *name)
{
    struct s3_acl acl = {0};
    CHECK(s3_acl_canned(arena, str_of(name), me, you, &acl));
    return acl;
}

TEST(a_private_list_lets_only_its_owner_in)
{
    struct arena *arena = arena_new();
    struct s3_acl acl = s3_acl_load(arena, STR_NONE, me);
    CHECK(s3_acl_allows(&acl, me, S3_MAY_WRITE_ACP, true));
    CHECK(!s3_acl_allows(&acl, you, S3_MAY_READ, true));
    CHECK(!s3_acl_allows(&acl, nobody, S3_MAY_READ, true));
    CHECK(!s3_acl_is_public(&acl));
    CHECK(s3_acl_is_owner_only(&acl, me));
    arena_free(arena);
}

TEST(public_read_lets_everyone_read_unless_public_lists_are_ignored)
{
    struct arena *arena = arena_new();
    struct s3_acl acl = canned(arena, "public-read");
    CHECK(s3_acl_allows(&acl, nobody, S3_MAY_READ, true));
    CHECK(!s3_acl_allows(&acl, nobody, S3_MAY_WRITE, true));
    CHECK(!s3_acl_allows(&acl, nobody, S3_MAY_READ, false));
    CHECK(s3_acl_is_public(&acl));
    arena_free(arena);
}

TEST(authenticated_read_keeps_the_anonymous_out)
{
    struct arena *arena = arena_new();
    struct s3_acl acl = canned(arena, "authenticated-read");
    CHECK(s3_acl_allows(&acl, you, S3_MAY_READ, true));
    CHECK(!s3_acl_allows(&acl, nobody, S3_MAY_READ, true));
    CHECK(s3_acl_is_public(&acl));
    arena_free(arena);
}

TEST(the_buckets_owner_gets_his_share_unless_he_is_the_owner)
{
    struct arena *arena = arena_new();
    struct s3_acl acl = canned(arena, "bucket-owner-full-control");
    CHECK(s3_acl_allows(&acl, you, S3_MAY_READ_ACP, true));
    CHECK(s3_acl_canned(arena, S("bucket-owner-read"), me, me, &acl));
    CHECK_INT(acl.n, 1);
    CHECK(!s3_acl_canned(arena, S("public"), me, you, &acl));
    arena_free(arena);
}

TEST(a_list_comes_back_as_it_was_stored)
{
    struct arena *arena = arena_new();
    struct s3_acl acl = canned(arena, "public-read-write");
    s3_acl_add(arena, &acl, (struct s3_grant){S3_MAY_READ_ACP, S3_NO_GROUP, you});
    str text = s3_acl_store(arena, &acl);
    struct s3_acl again = s3_acl_load(arena, text, me);
    CHECK_INT(again.n, 4);
    CHECK_STR(s3_acl_store(arena, &again), text);
    struct s3_acl none = s3_acl_load(arena, S(""), me);
    CHECK_INT(none.n, 0);
    arena_free(arena);
}

UNIT_MAIN
