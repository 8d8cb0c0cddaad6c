/* Lifecycle and restores: what the clock does to objects, at midnights of a number. */
#include "s3.h"
#include "s3/document.h"
#include "s3/engine.h"
#include "s3/lifecycle.h"
#include "s3/multipart.h"
#include "s3/restore.h"

#define DAY INT64_C(86400000)
#define MIDNIGHT (INT64_C(1700006400000)) /* the first one after the lab's clock begins */

static err put_rules(struct lab *lab, struct s3_lifecycle_rule *rules, size_t n)
{
    struct s3_lifecycle config = {.rules = {.at = rules, .n = n, .set = true}};
    TRY(s3_document_put(lab->s3, &lab->ctx, lab->bucket, S3_CONFIG_LIFECYCLE, S(""), &config));
    s3_lifecycle_changed(lab->s3, &lab->ctx);
    return OK;
}

static struct s3_lifecycle_rule rule_for(str prefix)
{
    return (struct s3_lifecycle_rule){.id = S("r"), .prefix = prefix, .status = S("Enabled")};
}

/* The clock moves from one due instant to the next, as the program does it. */
static void advance(struct lab *lab, msec to)
{
    for (msec due = s3_next_due(lab->s3); due <= to; due = s3_next_due(lab->s3)) {
        if (due > lab->ctx.now)
            lab->ctx.now = due;
        s3_tick(lab->s3, &lab->ctx);
    }
    lab->ctx.now = to;
}

TEST(an_object_expires_at_the_midnight_after_its_days)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(2)};
    struct s3_lifecycle_rule rule = rule_for(S("logs/"));
    rule.expiration = &expiration;
    CHECK_OK(put_rules(&lab, &rule, 1));
    lab_put(&lab, S("logs/a"), S("x"));
    lab_put(&lab, S("keep/a"), S("x"));
    advance(&lab, MIDNIGHT + 2 * DAY - 1);
    CHECK_STR(lab_get(&lab, S("logs/a")), S("x"));
    advance(&lab, MIDNIGHT + 2 * DAY);
    CHECK_STR(lab_get(&lab, S("logs/a")), STR_NONE);
    CHECK_STR(lab_get(&lab, S("keep/a")), S("x"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(where_versions_are_kept_expiration_leaves_a_marker_and_old_versions_go_later)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_expiration expiration = {.days = INT_OF(1)};
    struct s3_old_expiration old = {.days = INT_OF(3)};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.expiration = &expiration;
    rule.old_expiration = &old;
    CHECK_OK(put_rules(&lab, &rule, 1));
    lab_put(&lab, S("k"), S("x"));
    advance(&lab, MIDNIGHT + DAY);
    CHECK_STR(lab_get(&lab, S("k")), STR_NONE);
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    advance(&lab, MIDNIGHT + 4 * DAY - 1);
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    /* The old version goes, and with it the marker has nothing left to hide. */
    advance(&lab, MIDNIGHT + 5 * DAY);
    CHECK_INT(lab_count(&lab, "s3_object"), 0);
    lab_end(&lab);
}

TEST(newer_noncurrent_versions_are_kept)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_old_expiration old = {.days = INT_OF(1), .keep = INT_OF(2)};
    struct s3_lifecycle_filter all = {.prefix = S("")};
    struct s3_lifecycle_rule rule = rule_for(STR_NONE);
    rule.filter = &all;
    rule.old_expiration = &old;
    CHECK_OK(put_rules(&lab, &rule, 1));
    for (int i = 0; i < 5; i++)
        lab_put(&lab, S("k"), S("x"));
    advance(&lab, MIDNIGHT + 10 * DAY);
    CHECK_INT(lab_count(&lab, "s3_object"), 3);
    lab_end(&lab);
}

/* A delete marker has no data: AWS's page of examples expires such by ObjectSizeLessThan 1. */
TEST(noncurrent_markers_are_of_size_0)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_old_expiration old = {.days = INT_OF(1)};
    struct s3_lifecycle_filter empty = {.less = INT_OF(1)};
    struct s3_lifecycle_rule rule = rule_for(STR_NONE);
    rule.filter = &empty;
    rule.old_expiration = &old;
    CHECK_OK(put_rules(&lab, &rule, 1));
    lab_put(&lab, S("k"), S("x"));
    struct s3_object marker = {
        .key = S("k"), .marker = 1, .etag = S("d41d8cd98f00b204e9800998ecf8427e")};
    CHECK_OK(s3_version_install(lab.s3, &lab.ctx, lab.bucket, &marker));
    lab_put(&lab, S("k"), S("y"));
    CHECK_INT(lab_count(&lab, "s3_object"), 3);
    advance(&lab, MIDNIGHT + 2 * DAY);
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    lab_end(&lab);
}

TEST(locked_versions_stay)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_old_expiration old = {.days = INT_OF(1)};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.old_expiration = &old;
    CHECK_OK(put_rules(&lab, &rule, 1));
    struct s3_object held = lab_put(&lab, S("k"), S("x"));
    held.legal_hold = 1;
    CHECK_OK(s3_object_update(lab.db, &held));
    lab_put(&lab, S("k"), S("y"));
    advance(&lab, MIDNIGHT + 10 * DAY);
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    lab_end(&lab);
}

TEST(a_large_object_moves_to_the_coldest_class_that_is_due_and_small_ones_stay)
{
    LAB(lab);
    struct s3_transition steps[] = {{.days = INT_OF(30), .storage_class = S("STANDARD_IA")},
                                    {.days = INT_OF(60), .storage_class = S("GLACIER")}};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.transitions = (list){.at = steps, .n = 2, .set = true};
    CHECK_OK(put_rules(&lab, &rule, 1));
    struct s3_object big = {.key = S("big"), .size = 131072, .etag = S("e")}, out;
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &big, S3_CREATED_PUT));
    lab_put(&lab, S("small"), S("x"));
    advance(&lab, MIDNIGHT + 30 * DAY);
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("big"), STR_NONE, &out));
    CHECK_STR(out.storage_class, S("STANDARD_IA"));
    advance(&lab, MIDNIGHT + 60 * DAY);
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("big"), STR_NONE, &out));
    CHECK_STR(out.storage_class, S("GLACIER"));
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("small"), STR_NONE, &out));
    CHECK_STR(out.storage_class, STR_NONE);
    lab_end(&lab);
}

TEST(unfinished_uploads_are_aborted)
{
    LAB(lab);
    struct s3_abort_uploads abort = {.days = INT_OF(3)};
    struct s3_lifecycle_rule rule = rule_for(S("up/"));
    rule.abort = &abort;
    CHECK_OK(put_rules(&lab, &rule, 1));
    struct s3_multipart with = {.object = {.key = S("up/k"),
                                           .checksum_kind = DIGEST_CRC64NVME + 1}},
                        upload;
    CHECK_OK(s3_multipart_create(lab.s3, &lab.ctx, lab.bucket, &with, &upload));
    with.object.key = S("other");
    CHECK_OK(s3_multipart_create(lab.s3, &lab.ctx, lab.bucket, &with, &upload));
    advance(&lab, MIDNIGHT + 3 * DAY);
    CHECK_INT(lab_count(&lab, "s3_upload"), 1);
    lab_end(&lab);
}

TEST(more_keys_than_one_step_takes_all_expire)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(1)};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.expiration = &expiration;
    CHECK_OK(put_rules(&lab, &rule, 1));
    for (int i = 0; i < 1203; i++)
        lab_put(&lab, arena_printf(lab.ctx.arena, "k%04d", i), S("x"));
    advance(&lab, MIDNIGHT + DAY);
    CHECK_INT(lab_count(&lab, "s3_object"), 0);
    CHECK_INT(s3_next_due(lab.s3), MIDNIGHT + 2 * DAY);
    lab_end(&lab);
}

TEST(rules_survive_a_restart_and_what_fell_due_meanwhile_happens)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(1)};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.expiration = &expiration;
    CHECK_OK(put_rules(&lab, &rule, 1));
    lab_put(&lab, S("k"), S("x"));
    s3_reload(lab.s3);
    lab.bucket = s3_bucket_get(lab.s3, S("bucket"));
    lab.ctx.now = MIDNIGHT + 7 * DAY + 5;
    advance(&lab, lab.ctx.now);
    CHECK_INT(lab_count(&lab, "s3_object"), 0);
    lab_end(&lab);
}

TEST(the_expiry_of_an_object_names_the_earliest_rule)
{
    LAB(lab);
    struct s3_expiration late = {.days = INT_OF(9)}, soon = {.days = INT_OF(2)};
    struct s3_lifecycle_filter all = {.prefix = S("")}, some = {.prefix = S("l")};
    struct s3_lifecycle_rule rules[] = {rule_for(STR_NONE), rule_for(STR_NONE)};
    rules[0].filter = &all;
    rules[1].filter = &some;
    rules[0].expiration = &late;
    rules[1].expiration = &soon;
    rules[1].id = S("soon");
    CHECK_OK(put_rules(&lab, rules, 2));
    struct s3_object object = lab_put(&lab, S("l"), S("x"));
    msec when;
    str rule;
    CHECK(s3_lifecycle_expiry(lab.s3, &lab.ctx, lab.bucket, &object, &when, &rule));
    CHECK_STR(rule, S("soon"));
    CHECK_INT(when, MIDNIGHT + 2 * DAY);
    lab_end(&lab);
}

/* ---- what AWS refuses ---- */

TEST(a_rule_needs_an_action)
{
    LAB(lab);
    struct s3_lifecycle_rule rule = rule_for(S(""));
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_INVALID_REQUEST);
    lab_end(&lab);
}

TEST(a_rule_needs_a_filter_or_a_prefix_but_not_both)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(1)};
    struct s3_lifecycle_filter filter = {.prefix = S("a")};
    struct s3_lifecycle_rule rule = rule_for(STR_NONE);
    rule.expiration = &expiration;
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_MALFORMED_XML);
    rule.filter = &filter;
    CHECK_OK(put_rules(&lab, &rule, 1));
    rule.prefix = S("a");
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_MALFORMED_XML);
    lab_end(&lab);
}

TEST(expiration_takes_one_of_days_date_and_marker)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(1), .marker = BOOL_OF(true)};
    struct s3_lifecycle_rule rule = rule_for(S(""));
    rule.expiration = &expiration;
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_MALFORMED_XML);
    expiration = (struct s3_expiration){.days = INT_OF(0)};
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_INVALID_ARGUMENT);
    expiration = (struct s3_expiration){.date = INT_OF(MIDNIGHT + 1000)};
    CHECK_FAULT(put_rules(&lab, &rule, 1), S3_INVALID_ARGUMENT);
    lab_end(&lab);
}

TEST(two_rules_cannot_share_an_id)
{
    LAB(lab);
    struct s3_expiration expiration = {.days = INT_OF(1)};
    struct s3_lifecycle_rule rules[] = {rule_for(S("a")), rule_for(S("b"))};
    rules[0].expiration = rules[1].expiration = &expiration;
    CHECK_FAULT(put_rules(&lab, rules, 2), S3_INVALID_ARGUMENT);
    lab_end(&lab);
}

/* ---- restores ---- */

static struct s3_object archived(struct lab *lab)
{
    struct s3_object object = {
        .key = S("cold"), .size = 5, .etag = S("e"), .storage_class = S("GLACIER")};
    CHECK_OK(s3_object_put(lab->s3, &lab->ctx, lab->bucket, NULL, &object, S3_CREATED_PUT));
    return object;
}

TEST(a_restore_completes_on_the_clock_and_ends_at_a_midnight)
{
    LAB(lab);
    struct s3_object object = archived(&lab), out;
    struct s3_restore ask = {.days = INT_OF(2)};
    bool again;
    msec begun = lab.ctx.now;
    CHECK_OK(s3_restore_begin(lab.s3, &lab.ctx, lab.bucket, &object, &ask, &again));
    CHECK(!again);
    CHECK_FAULT(s3_restore_begin(lab.s3, &lab.ctx, lab.bucket, &object, &ask, &again),
                S3_RESTORE_IN_PROGRESS);
    CHECK(s3_object_archived(&lab.ctx, &object));
    advance(&lab, begun + 5 * 3600000);
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("cold"), STR_NONE, &out));
    CHECK(!s3_object_archived(&lab.ctx, &out));
    advance(&lab, MIDNIGHT + 3 * DAY);
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("cold"), STR_NONE, &out));
    CHECK(s3_object_archived(&lab.ctx, &out));
    lab_end(&lab);
}

TEST(only_archived_objects_are_restored)
{
    LAB(lab);
    struct s3_object object = lab_put(&lab, S("k"), S("x"));
    struct s3_restore ask = {.days = INT_OF(2)};
    bool again;
    CHECK_FAULT(s3_restore_begin(lab.s3, &lab.ctx, lab.bucket, &object, &ask, &again),
                S3_INVALID_OBJECT_STATE);
    lab_end(&lab);
}

UNIT_MAIN
