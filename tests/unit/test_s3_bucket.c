/* Buckets: names, places, owners, and what is left when they go. */
#include "s3.h"
#include "s3/config.h"
#include "s3/tags.h"

static err create(struct lab *lab, str name, str location)
{
    bool made;
    struct s3_bucket *bucket;
    struct s3_bucket_create request = {.name = name, .location = location};
    return s3_bucket_create(lab->s3, &lab->ctx, &request, &bucket, &made);
}

TEST(bucket_names_follow_the_rules_of_dns_and_more)
{
    static const char *const good[] = {"abc", "a.b-c", "1bucket1", "192.168.5.4a", "a--b"};
    static const char *const bad[] = {
        "ab",
        "Abc",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        ".ab",
        "192.168.5.4",
        "xn--abc",
        "sthree-a",
        "abc-s3alias",
        "abc--ol-s3",
        "abc--x-s3",
        "amzn-s3-demo-x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(s3_bucket_name_ok(str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!s3_bucket_name_ok(str_of(bad[i])));
}

TEST(the_owner_may_create_again_in_us_east_1_only)
{
    LAB(lab);
    CHECK_OK(create(&lab, S("bucket"), STR_NONE));
    lab.ctx.region = S("eu-west-1");
    CHECK_OK(create(&lab, S("other"), S("eu-west-1")));
    CHECK_FAULT(create(&lab, S("other"), S("eu-west-1")), S3_BUCKET_ALREADY_OWNED);
    lab.ctx.account = S("444455556666");
    CHECK_FAULT(create(&lab, S("other"), S("eu-west-1")), S3_BUCKET_ALREADY_EXISTS);
    lab_end(&lab);
}

TEST(a_location_must_be_known_and_fit_the_endpoint)
{
    LAB(lab);
    CHECK_FAULT(create(&lab, S("b-1"), S("us-east-1")), S3_INVALID_LOCATION);
    CHECK_FAULT(create(&lab, S("b-1"), S("mars-1")), S3_INVALID_LOCATION);
    CHECK_OK(create(&lab, S("b-1"), S("eu-central-1")));
    CHECK_STR(s3_bucket_get(lab.s3, S("b-1"))->region, S("eu-central-1"));
    CHECK_OK(create(&lab, S("b-2"), S("EU")));
    CHECK_STR(s3_bucket_get(lab.s3, S("b-2"))->region, S("eu-west-1"));
    lab.ctx.region = S("eu-west-1");
    CHECK_FAULT(create(&lab, S("b-3"), STR_NONE), S3_ILLEGAL_LOCATION);
    CHECK_FAULT(create(&lab, S("b-3"), S("us-west-2")), S3_ILLEGAL_LOCATION);
    lab_end(&lab);
}

TEST(a_bucket_with_anything_in_it_stays)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_deleted marker = lab_delete(&lab, S("k"), STR_NONE);
    CHECK_FAULT(s3_bucket_delete(lab.s3, &lab.ctx, lab.bucket), S3_BUCKET_NOT_EMPTY);
    lab_delete(&lab, S("k"), marker.version);
    CHECK_OK(s3_bucket_delete(lab.s3, &lab.ctx, lab.bucket));
    CHECK(!s3_bucket_get(lab.s3, S("bucket")));
    lab_end(&lab);
}

TEST(what_is_in_memory_is_what_the_tables_say)
{
    LAB(lab);
    lab_versioning(&lab, S3_SUSPENDED);
    CHECK_OK(s3_config_put(lab.s3, lab.bucket, S3_CONFIG_CORS, S(""), S("<x/>")));
    s3_reload(lab.s3);
    struct s3_bucket *bucket = s3_bucket_get(lab.s3, S("bucket"));
    CHECK_INT(bucket->versioning, S3_SUSPENDED);
    CHECK(s3_bucket_has(bucket, S3_CONFIG_CORS));
    CHECK(!s3_bucket_has(bucket, S3_CONFIG_POLICY));
    CHECK_STR(s3_config_get(lab.s3, &lab.ctx, bucket, S3_CONFIG_CORS, S("")), S("<x/>"));
    lab_end(&lab);
}

TEST(a_kind_of_configuration_is_gone_with_its_last_document)
{
    LAB(lab);
    bool found;
    CHECK_OK(s3_config_put(lab.s3, lab.bucket, S3_CONFIG_METRICS, S("a"), S("1")));
    CHECK_OK(s3_config_put(lab.s3, lab.bucket, S3_CONFIG_METRICS, S("b"), S("2")));
    CHECK_OK(s3_config_delete(lab.s3, lab.bucket, S3_CONFIG_METRICS, S("a"), &found));
    CHECK(found && s3_bucket_has(lab.bucket, S3_CONFIG_METRICS));
    CHECK_OK(s3_config_delete(lab.s3, lab.bucket, S3_CONFIG_METRICS, S("b"), &found));
    CHECK(found && !s3_bucket_has(lab.bucket, S3_CONFIG_METRICS));
    CHECK_OK(s3_config_delete(lab.s3, lab.bucket, S3_CONFIG_METRICS, S("b"), &found));
    CHECK(!found);
    lab_end(&lab);
}

TEST(buckets_are_listed_by_owner_prefix_and_region)
{
    LAB(lab);
    struct s3_bucket **buckets;
    CHECK_OK(create(&lab, S("apple"), S("eu-west-1")));
    CHECK_OK(create(&lab, S("apricot"), STR_NONE));
    CHECK_INT(s3_bucket_list(lab.s3, &lab.ctx, lab.ctx.account, S("ap"), STR_NONE, STR_NONE, 10,
                             &buckets),
              2);
    CHECK_STR(buckets[0]->name, S("apple"));
    CHECK_INT(s3_bucket_list(lab.s3, &lab.ctx, lab.ctx.account, S("ap"), S("us-east-1"), STR_NONE,
                             10, &buckets),
              1);
    CHECK_STR(buckets[0]->name, S("apricot"));
    CHECK_INT(s3_bucket_list(lab.s3, &lab.ctx, lab.ctx.account, STR_NONE, STR_NONE, S("apricot"),
                             10, &buckets),
              1);
    CHECK_INT(s3_bucket_list(lab.s3, &lab.ctx, S("999999999999"), STR_NONE, STR_NONE, STR_NONE, 10,
                             &buckets),
              0);
    lab_end(&lab);
}

TEST(tags_go_to_text_and_back)
{
    LAB(lab);
    struct s3_tag tags[] = {{S("a key"), S("v+1")}, {S("é"), S("")}}, *back;
    size_t n;
    str packed = s3_tags_pack(lab.ctx.arena, tags, 2);
    s3_tags_unpack(lab.ctx.arena, packed, &back, &n);
    CHECK_INT(n, 2);
    CHECK_STR(back[0].key, S("a key"));
    CHECK_STR(back[0].value, S("v+1"));
    CHECK_STR(back[1].key, S("é"));
    CHECK_STR(back[1].value, S(""));
    CHECK_STR(s3_tags_pack(lab.ctx.arena, tags, 0), STR_NONE);
    lab_end(&lab);
}

TEST(tags_have_limits)
{
    LAB(lab);
    str packed;
    CHECK_OK(s3_tags_from_header(&lab.ctx, S("a=1&b=2&c"), &packed));
    CHECK_STR(packed, S("a=1&b=2&c="));
    CHECK_FAULT(s3_tags_from_header(&lab.ctx, S("a=1&a=2"), &packed), S3_INVALID_ARGUMENT);
    CHECK_FAULT(s3_tags_from_header(&lab.ctx, S("aws:a=1"), &packed), S3_INVALID_TAG);
    CHECK_FAULT(s3_tags_from_header(&lab.ctx, S("a=%3C"), &packed), S3_INVALID_TAG);
    struct s3_tag many[11] = {{S("1"), S("")}, {S("2"), S("")},  {S("3"), S("")}, {S("4"), S("")},
                              {S("5"), S("")}, {S("6"), S("")},  {S("7"), S("")}, {S("8"), S("")},
                              {S("9"), S("")}, {S("10"), S("")}, {S("11"), S("")}};
    CHECK_OK(s3_tags_check(&lab.ctx, many, 10, false));
    CHECK_FAULT(s3_tags_check(&lab.ctx, many, 11, false), S3_BAD_REQUEST);
    lab_end(&lab);
}

UNIT_MAIN
