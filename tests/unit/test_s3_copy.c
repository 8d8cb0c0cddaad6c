/* Copies: bodies are shared and counted; digests are those of the whole; what is illegal. */
#include "s3.h"
#include "s3/tags.h"

static err copy(struct lab *lab, str header, str key, struct s3_copy request, struct s3_object *out)
{
    struct s3_object source;
    struct s3_bucket *bucket;
    TRY(s3_source_parse(&lab->ctx, header, &request.source));
    return s3_object_copy(lab->s3, &lab->ctx, lab->bucket, key, &request, &source, &bucket, out);
}

#define COPY(header, key, ...) copy(&lab, S(header), S(key), (struct s3_copy){__VA_ARGS__}, &object)

TEST(a_copy_shares_the_body_and_outlives_its_source)
{
    LAB(lab);
    struct s3_object object;
    lab_put(&lab, S("a"), S("hello"));
    CHECK_OK(COPY("bucket/a", "b", 0));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_delete(&lab, S("a"), STR_NONE);
    CHECK_STR(lab_get(&lab, S("b")), S("hello"));
    lab_delete(&lab, S("b"), STR_NONE);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

TEST(a_copy_onto_itself_must_change_something)
{
    LAB(lab);
    struct s3_object object;
    lab_put(&lab, S("a"), S("hello"));
    CHECK_FAULT(COPY("bucket/a", "a", 0), S3_INVALID_REQUEST);
    CHECK_OK(COPY("bucket/a", "a", .replace_metadata = true));
    CHECK_OK(COPY("/bucket/a", "a", .changes = true));
    CHECK_STR(lab_get(&lab, S("a")), S("hello"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(metadata_and_tags_come_along_unless_replaced)
{
    LAB(lab);
    struct s3_object source = {.key = S("a"),
                               .etag = S("e"),
                               .content_type = S("text/x"),
                               .meta = S("k:v\n"),
                               .tags = S("t=1"),
                               .checksum_kind = DIGEST_CRC32 + 1,
                               .checksum = S("AAAAAA==")},
                     object;
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &source, S3_CREATED_PUT));
    CHECK_OK(COPY("bucket/a", "b", 0));
    CHECK_STR(object.content_type, S("text/x"));
    CHECK_STR(object.meta, S("k:v\n"));
    CHECK_STR(object.tags, S("t=1"));
    CHECK_OK(COPY("bucket/a", "b", .replace_metadata = true, .replace_tags = true));
    CHECK_STR(object.content_type, STR_NONE);
    CHECK_STR(object.meta, STR_NONE);
    CHECK_STR(object.tags, STR_NONE);
    lab_end(&lab);
}

static void multipart_source(struct lab *lab)
{
    struct s3_object object = {.key = S("m"),
                               .etag = S("0123-2"),
                               .parts = 2,
                               .size = 10,
                               .checksum_kind = DIGEST_CRC32 + 1,
                               .checksum = S("AAAAAA==-2"),
                               .composite = 1};
    CHECK_OK(s3_object_put(lab->s3, &lab->ctx, lab->bucket, NULL, &object, S3_CREATED_MULTIPART));
    static const str bodies[] = {{"hello", 5}, {"world", 5}};
    for (int64_t i = 0; i < 2; i++) {
        struct s3_part part = {.object = object.id, .number = i + 1, .size = 5, .etag = S("p")};
        struct blob_slice slice = {.n = 5};
        CHECK_OK(blob_put(lab->blobs, bodies[i], &slice.id));
        CHECK_OK(s3_part_insert(lab->s3, &part, &slice, 1, true));
    }
}

TEST(a_copy_of_parts_is_one_body_with_the_digests_of_the_whole)
{
    LAB(lab);
    struct s3_object object;
    multipart_source(&lab);
    CHECK_OK(COPY("bucket/m", "c", 0));
    CHECK_STR(object.etag, digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, S("helloworld"))));
    CHECK_STR(object.checksum,
              digest_base64(lab.ctx.arena, digest_of(DIGEST_CRC32, S("helloworld"))));
    CHECK_INT(object.composite, 0);
    CHECK(!s3_object_multipart(&object));
    lab_delete(&lab, S("m"), STR_NONE);
    CHECK_STR(lab_get(&lab, S("c")), S("helloworld"));
    lab_delete(&lab, S("c"), STR_NONE);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    CHECK_INT(lab_count(&lab, "s3_part"), 0);
    CHECK_INT(lab_count(&lab, "s3_slice"), 0);
    lab_end(&lab);
}

/* A digest that was made beforehand counts only for the very bytes that are copied. */
TEST(what_was_read_of_a_source_is_forgotten_when_the_source_is_overwritten)
{
    LAB(lab);
    struct s3_object object;
    struct s3_reading reading;
    struct s3_copy request = {.rehash = true, .algorithm = DIGEST_SHA256};
    lab_put(&lab, S("a"), S("hello"));
    CHECK_OK(s3_source_parse(&lab.ctx, S("bucket/a"), &request.source));
    CHECK_OK(s3_copy_plan(lab.s3, &lab.ctx, lab.bucket, S("b"), &request, &reading));
    struct s3_read_digests known = {reading.kind, reading.slices, reading.nslices, S("e"), S("c")};
    struct blob_pin *pin = blob_pin(lab.blobs, &reading.slices->id, 1);
    CHECK_OK(COPY("bucket/a", "b", .rehash = true, .algorithm = DIGEST_SHA256, .known = known));
    CHECK_STR(object.checksum, S("c"));
    lab_put(&lab, S("a"), S("other"));
    CHECK_OK(COPY("bucket/a", "b", .rehash = true, .algorithm = DIGEST_SHA256, .known = known));
    CHECK_STR(object.checksum, digest_base64(lab.ctx.arena, digest_of(DIGEST_SHA256, S("other"))));
    blob_pin_end(pin);
    lab_end(&lab);
}

TEST(parts_survive_a_copy_onto_their_own_object)
{
    LAB(lab);
    struct s3_object object;
    multipart_source(&lab);
    CHECK_OK(COPY("bucket/m", "m", .replace_metadata = true));
    CHECK_STR(lab_get(&lab, S("m")), S("helloworld"));
    CHECK_INT(lab_count(&lab, "blob"), 2);
    lab_end(&lab);
}

TEST(the_source_is_named_with_percent_signs_and_a_version)
{
    LAB(lab);
    struct s3_source source;
    CHECK_OK(s3_source_parse(&lab.ctx, S("/src/a%20b%2Bc.txt?versionId=null"), &source));
    CHECK_STR(source.bucket, S("src"));
    CHECK_STR(source.key, S("a b+c.txt"));
    CHECK_STR(source.version, S("null"));
    CHECK_OK(s3_source_parse(&lab.ctx, S("src%2Fk"), &source));
    CHECK_STR(source.key, S("k"));
    CHECK_STR(source.version, STR_NONE);
    CHECK_FAULT(s3_source_parse(&lab.ctx, S("bucket-only"), &source), S3_INVALID_ARGUMENT);
    CHECK_FAULT(s3_source_parse(&lab.ctx, S("/"), &source), S3_INVALID_ARGUMENT);
    lab_end(&lab);
}

TEST(a_delete_marker_cannot_be_copied)
{
    LAB(lab);
    struct s3_object object;
    lab_versioning(&lab, S3_VERSIONED);
    struct s3_deleted marker = lab_delete(&lab, S("a"), STR_NONE);
    CHECK_FAULT(COPY("bucket/a", "b", 0), S3_NO_SUCH_KEY);
    str header = arena_printf(lab.ctx.arena, "bucket/a?versionId=%.*s", STR_ARG(marker.version));
    CHECK_FAULT(copy(&lab, header, S("b"), (struct s3_copy){0}, &object), S3_INVALID_REQUEST);
    lab_end(&lab);
}

TEST(conditions_on_the_source_fail_with_412)
{
    LAB(lab);
    struct s3_object object;
    lab_put(&lab, S("a"), S("hello"));
    CHECK_FAULT(COPY("bucket/a", "b", .source_conditions = {.if_match = S("\"x\"")}),
                S3_PRECONDITION_FAILED);
    CHECK_FAULT(COPY("bucket/a", "b", .source_conditions = {.if_none_match = S("*")}),
                S3_PRECONDITION_FAILED);
    CHECK_OK(COPY("bucket/a", "b", .conditions = {.if_none_match = S("*")}));
    CHECK_FAULT(COPY("bucket/a", "b", .conditions = {.if_none_match = S("*")}),
                S3_PRECONDITION_FAILED);
    lab_end(&lab);
}

TEST(a_source_may_have_five_gib)
{
    LAB(lab);
    struct s3_object object, source = {.key = S("a"), .etag = S("e"), .size = S3_COPY_MAX};
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &source, S3_CREATED_PUT));
    CHECK_OK(COPY("bucket/a", "b", 0));
    source.size++;
    CHECK_OK(s3_object_put(lab.s3, &lab.ctx, lab.bucket, NULL, &source, S3_CREATED_PUT));
    err e = COPY("bucket/a", "b", 0);
    CHECK_FAULT(e, S3_INVALID_REQUEST);
    CHECK_STR(err_message(e), S("The specified copy source is larger than the maximum allowable "
                                "size for a copy source: 5368709120"));
    lab_end(&lab);
}

UNIT_MAIN
