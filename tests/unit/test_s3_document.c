/* Configuration documents: what AWS refuses in them, and what CORS, default retention and access
 * logs make of theirs. */
#include "s3.h"
#include "s3/access_log.h"
#include "s3/cors.h"
#include "s3/document.h"
#include "s3/lock.h"

static list strings(struct lab *lab, const char *const *texts)
{
    list out = {.at = arena_array(lab->ctx.arena, 8, sizeof(struct scalar_str)), .set = true};
    for (; *texts; texts++)
        LIST_AT(out, struct scalar_str, out.n++)->value = str_of(*texts);
    return out;
}
#define STRINGS(lab, ...) strings(lab, (const char *const[]){__VA_ARGS__, NULL})

static err put(struct lab *lab, enum s3_config kind, void *document)
{
    return s3_document_put(lab->s3, &lab->ctx, lab->bucket, kind, S(""), document);
}

static struct s3_cors_rule rule_of(struct lab *lab, const char *origin, const char *method)
{
    return (struct s3_cors_rule){.origins = STRINGS(lab, origin), .methods = STRINGS(lab, method)};
}

TEST(cors_origins_match_with_one_star_and_in_their_case)
{
    LAB(lab);
    struct s3_cors_rule rules[] = {rule_of(&lab, "https://*.example.com", "GET"),
                                   rule_of(&lab, "*", "PUT")};
    struct s3_cors cors = {.rules = {.at = rules, .n = 2, .set = true}};
    struct s3_cors_request ask = {.origin = S("https://a.example.com"), .method = S("GET")};
    CHECK(s3_cors_rule_for(&cors, &ask) == &rules[0]);
    ask.origin = S("https://a.EXAMPLE.com");
    CHECK(!s3_cors_rule_for(&cors, &ask));
    ask.method = S("PUT");
    CHECK(s3_cors_rule_for(&cors, &ask) == &rules[1]);
    CHECK(s3_cors_any_origin(&rules[1]) && !s3_cors_any_origin(&rules[0]));
    /* The star stands for characters between, not for ones that both ends share. */
    ask = (struct s3_cors_request){.origin = S("https://.example.co"), .method = S("GET")};
    CHECK(!s3_cors_rule_for(&cors, &ask));
    lab_end(&lab);
}

TEST(every_requested_header_must_be_allowed_in_any_case)
{
    LAB(lab);
    struct s3_cors_rule rule = rule_of(&lab, "*", "GET");
    struct s3_cors cors = {.rules = {.at = &rule, .n = 1, .set = true}};
    struct s3_cors_request ask = {
        .origin = S("o"), .method = S("GET"), .headers = S("X-Amz-Date, content-type")};
    CHECK(!s3_cors_rule_for(&cors, &ask));
    rule.headers = STRINGS(&lab, "x-amz-*", "Content-Type");
    CHECK(s3_cors_rule_for(&cors, &ask) == &rule);
    ask.headers = S("x-amz-date,other");
    CHECK(!s3_cors_rule_for(&cors, &ask));
    lab_end(&lab);
}

TEST(cors_rules_are_checked)
{
    LAB(lab);
    struct s3_cors_rule rule = rule_of(&lab, "http://*.*", "GET");
    struct s3_cors cors = {.rules = {.at = &rule, .n = 1, .set = true}};
    err e = put(&lab, S3_CONFIG_CORS, &cors);
    CHECK_STR(err_message(e),
              S("AllowedOrigin \"http://*.*\" can not have more than one wildcard."));
    rule = rule_of(&lab, "*", "PATCH");
    e = put(&lab, S3_CONFIG_CORS, &cors);
    CHECK_STR(err_message(e),
              S("Found unsupported HTTP method in CORS config. Unsupported method is PATCH"));
    rule = rule_of(&lab, "*", "GET");
    rule.expose = STRINGS(&lab, "x-*");
    CHECK_FAULT(put(&lab, S3_CONFIG_CORS, &cors), S3_INVALID_REQUEST);
    cors.rules.n = 0;
    CHECK_FAULT(put(&lab, S3_CONFIG_CORS, &cors), S3_MALFORMED_XML);
    lab_end(&lab);
}

TEST(a_document_comes_back_as_it_was_put)
{
    LAB(lab);
    struct s3_public_access_block put_block = {.block_public_acls = BOOL_OF(true)}, got = {0};
    CHECK_OK(put(&lab, S3_CONFIG_PUBLIC_ACCESS_BLOCK, &put_block));
    CHECK_OK(
        s3_document_get(lab.s3, &lab.ctx, lab.bucket, S3_CONFIG_PUBLIC_ACCESS_BLOCK, S(""), &got));
    CHECK(got.block_public_acls.v && got.ignore_public_acls.set && !got.ignore_public_acls.v);
    struct s3_tagging tagging = {0};
    err e = s3_document_get(lab.s3, &lab.ctx, lab.bucket, S3_CONFIG_TAGGING, S(""), &tagging);
    CHECK_FAULT(e, S3_NO_SUCH_TAG_SET);
    CHECK_STR(e.detail->extras->value, S("bucket"));
    lab_end(&lab);
}

TEST(a_key_of_kms_needs_an_algorithm_of_kms)
{
    LAB(lab);
    struct s3_sse_default apply = {.algorithm = S("AES256"), .key = S("k")};
    struct s3_sse_rule rule = {.apply = &apply};
    struct s3_encryption config = {.rules = {.at = &rule, .n = 1, .set = true}};
    CHECK_FAULT(put(&lab, S3_CONFIG_ENCRYPTION, &config), S3_INVALID_ARGUMENT);
    apply.algorithm = S("aws:kms");
    CHECK_OK(put(&lab, S3_CONFIG_ENCRYPTION, &config));
    lab_end(&lab);
}

TEST(websites_need_an_index_or_a_redirect_but_not_both)
{
    LAB(lab);
    struct s3_website config = {0};
    struct s3_index_document index = {.suffix = S("a/b")};
    struct s3_redirect_all all = {.host = S("h"), .protocol = S("ftp")};
    CHECK_FAULT(put(&lab, S3_CONFIG_WEBSITE, &config), S3_INVALID_ARGUMENT);
    config.index = &index;
    CHECK_FAULT(put(&lab, S3_CONFIG_WEBSITE, &config), S3_INVALID_ARGUMENT);
    index.suffix = S("index.html");
    CHECK_OK(put(&lab, S3_CONFIG_WEBSITE, &config));
    config.redirect_all = &all;
    CHECK_FAULT(put(&lab, S3_CONFIG_WEBSITE, &config), S3_INVALID_ARGUMENT);
    config.index = NULL;
    CHECK_FAULT(put(&lab, S3_CONFIG_WEBSITE, &config), S3_INVALID_REQUEST);
    lab_end(&lab);
}

TEST(object_lock_wants_versions_and_one_positive_length)
{
    LAB(lab);
    struct s3_default_retention retention = {.mode = S("GOVERNANCE"), .days = INT_OF(0)};
    struct s3_lock_rule rule = {.retention = &retention};
    struct s3_lock config = {.enabled = S("Enabled"), .rule = &rule};
    CHECK_FAULT(put(&lab, S3_CONFIG_OBJECT_LOCK, &config), S3_INVALID_BUCKET_STATE);
    lab_versioning(&lab, S3_VERSIONED);
    CHECK_FAULT(put(&lab, S3_CONFIG_OBJECT_LOCK, &config), S3_INVALID_RETENTION);
    retention.days = INT_OF(1);
    retention.years = INT_OF(1);
    CHECK_FAULT(put(&lab, S3_CONFIG_OBJECT_LOCK, &config), S3_MALFORMED_XML);
    retention.days.set = false;
    CHECK_OK(put(&lab, S3_CONFIG_OBJECT_LOCK, &config));
    lab_end(&lab);
}

TEST(default_retention_of_a_year_ends_on_the_same_day)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_default_retention retention = {.mode = S("GOVERNANCE"), .years = INT_OF(1)};
    struct s3_lock_rule rule = {.retention = &retention};
    struct s3_lock config = {.enabled = S("Enabled"), .rule = &rule};
    CHECK_OK(put(&lab, S3_CONFIG_OBJECT_LOCK, &config));
    struct s3_object object = {0};
    s3_lock_default(lab.s3, &lab.ctx, lab.bucket, &object);
    CHECK_STR(object.lock_mode, S("GOVERNANCE"));
    CHECK_INT(object.lock_until - lab.ctx.now, INT64_C(366) * 86400000); /* 2024 is a leap year */
    lab_end(&lab);
}

TEST(governance_is_shortened_by_leave_only_and_compliance_never)
{
    LAB(lab);
    struct s3_object object = lab_put(&lab, S("k"), S("x"));
    msec now = lab.ctx.now;
    CHECK_FAULT(s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("GOVERNANCE"), now, false),
                S3_INVALID_ARGUMENT);
    CHECK_OK(
        s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("GOVERNANCE"), now + 1000, false));
    CHECK_OK(
        s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("GOVERNANCE"), now + 2000, false));
    CHECK_FAULT(
        s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("GOVERNANCE"), now + 1000, false),
        S3_LOCKED);
    CHECK_FAULT(s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, STR_NONE, 0, false),
                S3_LOCKED);
    CHECK_OK(
        s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("COMPLIANCE"), now + 1000, true));
    CHECK_FAULT(
        s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, S("GOVERNANCE"), now + 9000, true),
        S3_LOCKED);
    lab.ctx.now = now + 1001;
    CHECK_OK(s3_lock_retain(lab.s3, &lab.ctx, lab.bucket, &object, STR_NONE, 0, false));
    lab_end(&lab);
}

TEST(access_logs_are_delivered_together_some_minutes_after_the_first_line)
{
    LAB(lab);
    struct s3_log_target target = {.bucket = S("nowhere"), .prefix = S("logs/")};
    struct s3_logging config = {.target = &target};
    CHECK_FAULT(put(&lab, S3_CONFIG_LOGGING, &config), S3_INVALID_TARGET_BUCKET);
    target.bucket = S("bucket");
    CHECK_OK(put(&lab, S3_CONFIG_LOGGING, &config));
    CHECK_OK(s3_log_add(lab.s3, &lab.ctx, lab.bucket, S("one")));
    lab.ctx.now += 299999;
    CHECK_OK(s3_log_add(lab.s3, &lab.ctx, lab.bucket, S("two")));
    s3_reload(lab.s3); /* as a new process would */
    lab.bucket = s3_bucket_get(lab.s3, S("bucket"));
    s3_tick(lab.s3, &lab.ctx);
    CHECK_INT(lab_count(&lab, "s3_object"), 0);
    lab.ctx.now += 1;
    s3_tick(lab.s3, &lab.ctx);
    struct s3_list ask = {.prefix = S("logs/2023-11-14-22-18-20-"), .max = 2};
    struct s3_page page;
    s3_list_page(lab.s3, &lab.ctx, lab.bucket, &ask, &page);
    CHECK_INT(page.n, 1);
    CHECK_STR(lab_get(&lab, page.items[0].object.key), S("one\ntwo\n"));
    CHECK_INT(s3_next_due(lab.s3), INT64_MAX);
    lab_end(&lab);
}

/* Milliseconds of as many days as an integer of XML may say do not fit 64 bits. */
TEST(days_are_of_32_bits)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = {.set = true, .v = INT32_MAX}};
    CHECK_INT(shape_check(lab.ctx.arena, &s3_expiration_shape, &expiration).wrong, WRONG_NOTHING);
    expiration.days.v++;
    CHECK_INT(shape_check(lab.ctx.arena, &s3_expiration_shape, &expiration).wrong, WRONG_RANGE);
    lab_end(&lab);
}

UNIT_MAIN
