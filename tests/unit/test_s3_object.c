/* Objects: what put, get and delete mean in buckets of the three states of versioning, and when
 * they are refused. */
#include "s3.h"

#include <unistd.h>

static struct s3_object find(struct lab *lab, str key, str version)
{
    struct s3_object object;
    CHECK_OK(s3_object_find(lab->s3, &lab->ctx, lab->bucket, key, version, &object));
    return object;
}

TEST(what_was_put_is_found_with_its_body)
{
    LAB(lab);
    lab_put(&lab, S("k"), S("hello"));
    CHECK_STR(lab_get(&lab, S("k")), S("hello"));
    CHECK_STR(lab_get(&lab, S("other")), STR_NONE);
    lab_end(&lab);
}

TEST(without_versions_a_put_replaces_and_frees_the_old_body)
{
    LAB(lab);
    lab_put(&lab, S("k"), S("one"));
    lab_put(&lab, S("k"), S("two"));
    CHECK_STR(lab_get(&lab, S("k")), S("two"));
    CHECK_INT(lab_count(&lab, "s3_object"), 1);
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(without_versions_a_delete_removes_everything_and_says_nothing)
{
    LAB(lab);
    lab_put(&lab, S("k"), S("one"));
    struct s3_deleted gone = lab_delete(&lab, S("k"), STR_NONE);
    CHECK(!gone.marker);
    CHECK_STR(gone.version, STR_NONE);
    CHECK_INT(lab_count(&lab, "s3_object"), 0);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

TEST(deleting_what_is_not_there_succeeds)
{
    LAB(lab);
    struct s3_deleted gone = lab_delete(&lab, S("nothing"), STR_NONE);
    CHECK(!gone.marker);
    gone = lab_delete(&lab, S("nothing"), S("null"));
    CHECK_STR(gone.version, S("null"));
    lab_end(&lab);
}

TEST(with_versions_each_put_keeps_what_was_there)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object one = lab_put(&lab, S("k"), S("one")), two = lab_put(&lab, S("k"), S("two"));
    CHECK_INT(one.version.n, 32);
    CHECK(!str_eq(one.version, two.version));
    CHECK_STR(lab_get(&lab, S("k")), S("two"));
    struct s3_object old = find(&lab, S("k"), one.version);
    CHECK_STR(lab_body(&lab, &old), S("one"));
    lab_end(&lab);
}

TEST(with_versions_a_delete_hides_the_key_behind_a_marker)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object one = lab_put(&lab, S("k"), S("one")), found;
    struct s3_deleted gone = lab_delete(&lab, S("k"), STR_NONE);
    CHECK(gone.marker);
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), STR_NONE, &found),
                S3_NO_SUCH_KEY);
    CHECK_INT(found.marker, 1);
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), gone.version, &found),
                S3_METHOD_NOT_ALLOWED);
    CHECK_STR(find(&lab, S("k"), one.version).etag, one.etag);
    lab_end(&lab);
}

TEST(removing_the_marker_brings_the_object_back)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    lab_put(&lab, S("k"), S("one"));
    struct s3_deleted marker = lab_delete(&lab, S("k"), STR_NONE);
    struct s3_deleted gone = lab_delete(&lab, S("k"), marker.version);
    CHECK(gone.marker);
    CHECK_STR(gone.version, marker.version);
    CHECK_STR(lab_get(&lab, S("k")), S("one"));
    lab_end(&lab);
}

TEST(in_a_suspended_bucket_the_null_version_is_replaced_and_others_stay)
{
    LAB(lab);
    lab_put(&lab, S("k"), S("null one"));
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object kept = lab_put(&lab, S("k"), S("kept"));
    lab_versioning(&lab, S3_SUSPENDED);
    lab_put(&lab, S("k"), S("null two"));
    CHECK_STR(lab_get(&lab, S("k")), S("null two"));
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    struct s3_deleted gone = lab_delete(&lab, S("k"), STR_NONE);
    CHECK(gone.marker);
    CHECK_STR(gone.version, S("null"));
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    CHECK_STR(find(&lab, S("k"), kept.version).etag, kept.etag);
    lab_end(&lab);
}

TEST(a_version_that_is_none_is_told_from_one_that_is_gone)
{
    LAB(lab);
    struct s3_object found;
    str none = S("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), none, &found),
                S3_INVALID_ARGUMENT); /* where no versions are kept */
    CHECK_OK(s3_bucket_set_versioning(lab.s3, lab.bucket, S3_VERSIONED));
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), S("not a version"), &found),
                S3_INVALID_ARGUMENT);
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), none, &found),
                S3_NO_SUCH_VERSION);
    lab_end(&lab);
}

TEST(a_version_that_never_was_cannot_be_deleted_but_one_that_is_gone_can)
{
    LAB(lab);
    CHECK_OK(s3_bucket_set_versioning(lab.s3, lab.bucket, S3_VERSIONED));
    struct s3_object one = lab_put(&lab, S("k"), S("one")), two = lab_put(&lab, S("k"), S("two"));
    struct s3_delete never = {.key = S("k"), .version = S("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")};
    struct s3_deleted gone;
    CHECK_FAULT(s3_object_delete(lab.s3, &lab.ctx, lab.bucket, &never, &gone), S3_INVALID_ARGUMENT);
    CHECK_STR(lab_delete(&lab, S("k"), one.version).version, one.version);
    CHECK_STR(lab_delete(&lab, S("k"), one.version).version, one.version);
    CHECK_STR(lab_get(&lab, S("k")), S("two"));
    CHECK(two.id);
    lab_end(&lab);
}

TEST(a_version_of_another_key_is_not_found)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object one = lab_put(&lab, S("k"), S("one")), found;
    CHECK_FAULT(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("l"), one.version, &found),
                S3_NO_SUCH_VERSION);
    lab_end(&lab);
}

static err put_if(struct lab *lab, str key, struct s3_conditions conditions)
{
    struct s3_object object = {.key = key, .etag = S("e2")};
    return s3_object_put(lab->s3, &lab->ctx, lab->bucket, &conditions, &object, S3_CREATED_PUT);
}

TEST(if_none_match_star_writes_only_where_nothing_is)
{
    LAB(lab);
    CHECK_OK(put_if(&lab, S("k"), (struct s3_conditions){.if_none_match = S("*")}));
    CHECK_FAULT(put_if(&lab, S("k"), (struct s3_conditions){.if_none_match = S("*")}),
                S3_PRECONDITION_FAILED);
    lab_end(&lab);
}

TEST(if_match_writes_only_over_that_etag)
{
    LAB(lab);
    CHECK_FAULT(put_if(&lab, S("k"), (struct s3_conditions){.if_match = S("\"e2\"")}),
                S3_NO_SUCH_KEY);
    struct s3_object one = lab_put(&lab, S("k"), S("one"));
    CHECK_FAULT(put_if(&lab, S("k"), (struct s3_conditions){.if_match = S("\"other\"")}),
                S3_PRECONDITION_FAILED);
    str quoted = arena_printf(lab.ctx.arena, "\"%.*s\"", STR_ARG(one.etag));
    CHECK_OK(put_if(&lab, S("k"), (struct s3_conditions){.if_match = quoted}));
    lab_end(&lab);
}

TEST(conditions_that_aws_does_not_know_are_not_implemented)
{
    LAB(lab);
    CHECK_FAULT(put_if(&lab, S("k"), (struct s3_conditions){.if_none_match = S("\"e\"")}),
                S3_NOT_IMPLEMENTED);
    CHECK_FAULT(put_if(&lab, S("k"), (struct s3_conditions){.if_match = S("*")}),
                S3_NOT_IMPLEMENTED);
    CHECK_FAULT(put_if(&lab, S("k"),
                       (struct s3_conditions){.if_match = S("\"e\""), .if_none_match = S("*")}),
                S3_NOT_IMPLEMENTED);
    lab_end(&lab);
}

TEST(reads_answer_304_and_412_by_etag_and_date)
{
    LAB(lab);
    struct s3_object object = {.etag = S("e"), .mtime = lab.ctx.now - 10500};
    msec then = lab.ctx.now - 10000, before = lab.ctx.now - 20000;
    CHECK_OK(s3_conditions_read(&lab.ctx, &(struct s3_conditions){.if_match = S("\"x\", \"e\"")},
                                &object));
    CHECK_FAULT(
        s3_conditions_read(&lab.ctx, &(struct s3_conditions){.if_match = S("\"x\"")}, &object),
        S3_PRECONDITION_FAILED);
    CHECK_FAULT(
        s3_conditions_read(&lab.ctx, &(struct s3_conditions){.if_none_match = S("\"e\"")}, &object),
        S3_NOT_MODIFIED);
    CHECK_FAULT(s3_conditions_read(
                    &lab.ctx, &(struct s3_conditions){.if_modified_since = INT_OF(then)}, &object),
                S3_NOT_MODIFIED);
    CHECK_OK(s3_conditions_read(
        &lab.ctx, &(struct s3_conditions){.if_modified_since = INT_OF(before)}, &object));
    CHECK_FAULT(s3_conditions_read(&lab.ctx,
                                   &(struct s3_conditions){.if_unmodified_since = INT_OF(before)},
                                   &object),
                S3_PRECONDITION_FAILED);
    CHECK_OK(s3_conditions_read(
        &lab.ctx, &(struct s3_conditions){.if_modified_since = INT_OF(lab.ctx.now + 60000)},
        &object));
    lab_end(&lab);
}

TEST(an_etag_that_matches_outranks_a_date_that_does_not)
{
    LAB(lab);
    struct s3_object object = {.etag = S("e"), .mtime = lab.ctx.now - 10500};
    msec then = lab.ctx.now - 10000, before = lab.ctx.now - 20000;
    struct s3_conditions match = {.if_match = S("\"e\""), .if_unmodified_since = INT_OF(before)};
    struct s3_conditions none = {.if_none_match = S("\"x\""), .if_modified_since = INT_OF(then)};
    CHECK_OK(s3_conditions_read(&lab.ctx, &match, &object));
    CHECK_OK(s3_conditions_read(&lab.ctx, &none, &object));
    lab_end(&lab);
}

TEST(a_locked_version_is_deleted_by_bypass_of_governance_alone)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object object = {.key = S("k"),
                               .etag = S("e"),
                               .lock_mode = S("GOVERNANCE"),
                               .lock_until = lab.ctx.now + 1000};
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &object, S3_CREATED_PUT));
    struct s3_deleted gone;
    struct s3_delete request = {.key = S("k"), .version = object.version};
    CHECK_FAULT(s3_object_delete(lab.s3, &lab.ctx, lab.bucket, &request, &gone), S3_LOCKED);
    request.bypass = true;
    CHECK_OK(s3_object_delete(lab.s3, &lab.ctx, lab.bucket, &request, &gone));
    lab_end(&lab);
}

TEST(a_lock_ends_with_its_time)
{
    LAB(lab);
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_object object = {.key = S("k"),
                               .etag = S("e"),
                               .lock_mode = S("COMPLIANCE"),
                               .lock_until = lab.ctx.now + 1000};
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &object, S3_CREATED_PUT));
    struct s3_deleted gone;
    struct s3_delete request = {.key = S("k"), .version = object.version, .bypass = true};
    CHECK_FAULT(s3_object_delete(lab.s3, &lab.ctx, lab.bucket, &request, &gone), S3_LOCKED);
    lab.ctx.now += 1000;
    CHECK_OK(s3_object_delete(lab.s3, &lab.ctx, lab.bucket, &request, &gone));
    lab_end(&lab);
}

TEST(keys_are_utf8_of_at_most_1024_bytes)
{
    LAB(lab);
    char long_key[1025];
    memset(long_key, 'k', sizeof long_key);
    CHECK_OK(s3_key_check(&lab.ctx, (str){long_key, 1024}));
    CHECK_FAULT(s3_key_check(&lab.ctx, (str){long_key, 1025}), S3_KEY_TOO_LONG);
    CHECK_FAULT(s3_key_check(&lab.ctx, S("\xff")), S3_INVALID_URI);
    CHECK_OK(s3_key_check(&lab.ctx, S("a/../b//\x01")));
    lab_end(&lab);
}

/* ---- what an overwriting put makes of the body it replaces ---- */

static err write_body(struct lab *lab, str key, str bytes, struct s3_object *out)
{
    struct s3_conditions conditions = {0};
    *out = (struct s3_object){.key = key, .size = (int64_t)bytes.n, .etag = S("e")};
    out->body = blob_sink_open(lab->blobs);
    CHECK_OK(blob_sink_write(out->body, bytes));
    return s3_object_put(lab->s3, &lab->ctx, lab->bucket, &conditions, out, S3_CREATED_PUT);
}

static str many_bytes(struct lab *lab, size_t n)
{
    char *bytes = arena_alloc(lab->ctx.arena, n);
    memset(bytes, 'y', n);
    return (str){bytes, n};
}

TEST(an_overwriting_put_writes_over_row_and_body)
{
    LAB(lab);
    struct s3_object old, new;
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &old));
    CHECK_OK(write_body(&lab, S("l"), S("others"), &new));
    CHECK_OK(write_body(&lab, S("k"), S("a longer text"), &new));
    CHECK_INT(new.id, old.id);
    CHECK_INT(new.blob, old.blob);
    CHECK_STR(lab_get(&lab, S("k")), S("a longer text"));
    CHECK_OK(write_body(&lab, S("k"), S(""), &new));
    CHECK_STR(lab_get(&lab, S("k")), S(""));
    CHECK_STR(lab_get(&lab, S("l")), S("others"));
    CHECK_INT(lab_count(&lab, "blob"), 2);
    CHECK_INT(lab_count(&lab, "s3_object"), 2);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(an_overwriting_put_leaves_nothing_of_the_old_row)
{
    LAB(lab);
    struct s3_object new;
    struct s3_object old = {.key = S("k"),
                            .etag = S("e"),
                            .meta = S("a:b\n"),
                            .tags = S("t=1"),
                            .storage_class = S("GLACIER"),
                            .legal_hold_set = 1,
                            .restore_due = lab.ctx.now + 1,
                            .restore_until = lab.ctx.now + 2};
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &old, S3_CREATED_PUT));
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &new));
    CHECK_OK(s3_object_find(lab.s3, &lab.ctx, lab.bucket, S("k"), STR_NONE, &new));
    CHECK(!new.meta.p && !new.tags.p && !new.storage_class.p);
    CHECK(!new.legal_hold_set && !new.restore_due && !new.restore_until);
    CHECK_INT(new.size, 5);
    lab_end(&lab);
}

TEST(a_body_that_a_copy_has_stays_when_its_object_is_overwritten)
{
    LAB(lab);
    struct s3_object old, copy, new;
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &old));
    copy = old;
    copy.key = S("copy");
    blob_ref(lab.blobs, copy.blob);
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &copy, S3_CREATED_COPY));
    CHECK_OK(write_body(&lab, S("k"), S("other"), &new));
    CHECK_STR(lab_get(&lab, S("copy")), S("hello"));
    CHECK_STR(lab_get(&lab, S("k")), S("other"));
    CHECK_OK(write_body(&lab, S("copy"), S("third"), &new));
    CHECK_INT(new.blob, old.blob); /* the only one again */
    CHECK_INT(lab_count(&lab, "blob"), 2);
    lab_end(&lab);
}

TEST(a_body_that_is_being_read_stays_when_its_object_is_overwritten)
{
    LAB(lab);
    struct s3_object old, new;
    char bytes[8] = {0};
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &old));
    struct blob_pin *pin = blob_pin(lab.blobs, &old.blob, 1);
    CHECK_OK(write_body(&lab, S("k"), S("other"), &new));
    int fd = blob_pin_fd(pin, old.blob);
    CHECK_INT(read(fd, bytes, sizeof bytes), 5);
    CHECK_STR(str_of(bytes), S("hello"));
    CHECK(close(fd) == 0);
    blob_pin_end(pin);
    CHECK_STR(lab_get(&lab, S("k")), S("other"));
    lab_end(&lab);
}

TEST(small_and_large_bodies_take_each_others_place)
{
    LAB(lab);
    struct s3_object object;
    str large = many_bytes(&lab, BLOB_INLINE_MAX + 1);
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &object));
    CHECK_OK(write_body(&lab, S("k"), large, &object));
    CHECK_STR(lab_get(&lab, S("k")), large);
    CHECK_OK(write_body(&lab, S("k"), S("other"), &object));
    CHECK_STR(lab_get(&lab, S("k")), S("other"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(an_overwriting_put_that_is_undone_leaves_the_old_body)
{
    LAB(lab);
    struct s3_object object;
    CHECK_OK(write_body(&lab, S("k"), S("hello"), &object));
    db_savepoint(lab.db);
    CHECK_OK(write_body(&lab, S("k"), S("other"), &object));
    db_rollback(lab.db);
    CHECK_STR(lab_get(&lab, S("k")), S("hello"));
    lab_end(&lab);
}

UNIT_MAIN
