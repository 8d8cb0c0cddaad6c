/* Uploads in parts: which parts make an object, what its ETag and checksum are, and what stays
 * behind. */
#include "base/text.h"
#include "s3.h"
#include "s3/multipart.h"

static struct s3_multipart begin(struct lab *lab, str algorithm, str type)
{
    struct s3_multipart with = {.object = {.key = S("k")}}, upload;
    CHECK_OK(s3_multipart_checksum(&lab->ctx, algorithm, type, &with));
    CHECK_OK(s3_multipart_create(lab->s3, &lab->ctx, lab->bucket, &with, &upload));
    return upload;
}

static struct s3_part put_part(struct lab *lab, const struct s3_multipart *upload, int64_t number,
                               str body)
{
    enum digest_kind kind = (enum digest_kind)(upload->object.checksum_kind - 1);
    struct s3_part part = {.number = number,
                           .size = (int64_t)body.n,
                           .etag = digest_hex(lab->ctx.arena, digest_of(DIGEST_MD5, body)),
                           .checksum_kind = kind + 1,
                           .checksum = digest_base64(lab->ctx.arena, digest_of(kind, body))};
    struct blob_slice slice = {.n = (int64_t)body.n};
    CHECK_OK(blob_put(lab->blobs, body, &slice.id));
    CHECK_OK(s3_multipart_put_part(lab->s3, &lab->ctx, upload, &part, &slice, 1, true));
    return part;
}

static str big(struct lab *lab, char c)
{
    char *p = arena_alloc(lab->ctx.arena, S3_PART_MIN);
    memset(p, c, S3_PART_MIN);
    return (str){p, S3_PART_MIN};
}

static struct s3_complete_part named(const struct s3_part *part)
{
    struct s3_complete_part out = {.number = part->number, .etag = part->etag};
    out.checksum[part->checksum_kind - 1] = part->checksum;
    return out;
}

/* Of an upload that asked for no checksums. */
static struct s3_complete_part bare(const struct s3_part *part)
{
    return (struct s3_complete_part){.number = part->number, .etag = part->etag};
}

static err finish(struct lab *lab, const struct s3_multipart *upload,
                  const struct s3_complete_part *parts, size_t n, struct s3_object *out)
{
    struct s3_complete complete = {.key = S("k"), .upload = upload->name, .parts = parts, .n = n};
    return s3_multipart_complete(lab->s3, &lab->ctx, lab->bucket, &complete, out);
}

TEST(parts_become_an_object_without_a_byte_being_copied)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, big(&lab, 'a')),
                   two = put_part(&lab, &upload, 3, S("tail"));
    struct s3_complete_part parts[] = {bare(&one), bare(&two)};
    struct s3_object object;
    CHECK_OK(finish(&lab, &upload, parts, 2, &object));
    CHECK_INT(object.size, S3_PART_MIN + 4);
    str body = lab_get(&lab, S("k"));
    CHECK_INT(body.n, S3_PART_MIN + 4);
    CHECK(str_ends(body, S("aatail")));
    /* CRC64NVME over the whole, combined from the parts. */
    CHECK_STR(object.checksum, digest_base64(lab.ctx.arena, digest_of(DIGEST_CRC64NVME, body)));
    CHECK_INT(object.composite, 0);
    CHECK_INT(lab_count(&lab, "blob"), 2);
    lab_end(&lab);
}

TEST(the_etag_is_the_digest_of_the_parts_digests_and_their_number)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, S("SHA256"), STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("hello"));
    struct s3_complete_part part = named(&one);
    struct s3_object object;
    CHECK_OK(finish(&lab, &upload, &part, 1, &object));
    digest md5 = digest_of(DIGEST_MD5, S("hello")), sha = digest_of(DIGEST_SHA256, S("hello"));
    str etag = digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, (str){(char *)md5.bytes, md5.n}));
    str sum =
        digest_base64(lab.ctx.arena, digest_of(DIGEST_SHA256, (str){(char *)sha.bytes, sha.n}));
    CHECK_STR(object.etag, arena_join(lab.ctx.arena, etag, S("-1")));
    CHECK_STR(object.checksum, arena_join(lab.ctx.arena, sum, S("-1")));
    CHECK_INT(object.composite, 1);
    lab_end(&lab);
}

TEST(a_part_sent_again_replaces_the_first)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part first = put_part(&lab, &upload, 1, S("one")),
                   second = put_part(&lab, &upload, 1, S("two"));
    struct s3_complete_part old = bare(&first), new = bare(&second);
    struct s3_object object;
    CHECK_FAULT(finish(&lab, &upload, &old, 1, &object), S3_INVALID_PART);
    CHECK_OK(finish(&lab, &upload, &new, 1, &object));
    CHECK_STR(lab_get(&lab, S("k")), S("two"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_end(&lab);
}

TEST(parts_not_named_at_the_end_are_forgotten)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one"));
    put_part(&lab, &upload, 2, S("two"));
    struct s3_complete_part part = bare(&one);
    struct s3_object object;
    CHECK_OK(finish(&lab, &upload, &part, 1, &object));
    CHECK_STR(lab_get(&lab, S("k")), S("one"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    CHECK_INT(lab_count(&lab, "s3_part"), 1);
    lab_end(&lab);
}

TEST(parts_must_come_in_order_and_be_large_enough)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one")),
                   two = put_part(&lab, &upload, 2, S("two"));
    struct s3_complete_part parts[] = {bare(&two), bare(&one)};
    struct s3_object object;
    CHECK_FAULT(finish(&lab, &upload, parts, 2, &object), S3_INVALID_PART_ORDER);
    parts[0] = bare(&one);
    parts[1] = bare(&two);
    CHECK_FAULT(finish(&lab, &upload, parts, 2, &object), S3_ENTITY_TOO_SMALL);
    CHECK_FAULT(finish(&lab, &upload, parts, 0, &object), S3_INVALID_REQUEST);
    lab_end(&lab);
}

TEST(an_upload_that_asked_for_no_checksums_must_not_name_any)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one"));
    struct s3_complete_part part = named(&one);
    struct s3_object object;
    CHECK_FAULT(finish(&lab, &upload, &part, 1, &object), S3_INVALID_PART);
    part = bare(&one);
    CHECK_OK(finish(&lab, &upload, &part, 1, &object));
    lab_end(&lab);
}

TEST(a_composite_upload_must_name_the_checksum_of_every_part)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, S("CRC32"), STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one"));
    struct s3_complete_part part = {.number = 1, .etag = one.etag};
    struct s3_object object;
    err e = finish(&lab, &upload, &part, 1, &object);
    CHECK_FAULT(e, S3_INVALID_REQUEST);
    CHECK_STR(err_message(e), S("The upload was created using a crc32 checksum. The complete "
                                "request must include the checksum for "
                                "each part. It was missing for part 1 in the request."));
    part.checksum[DIGEST_CRC32] = S("AAAAAA==");
    CHECK_FAULT(finish(&lab, &upload, &part, 1, &object), S3_INVALID_PART);
    lab_end(&lab);
}

TEST(completing_twice_answers_twice_while_the_object_is_there)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one"));
    struct s3_complete_part part = bare(&one);
    struct s3_object first, second;
    CHECK_OK(finish(&lab, &upload, &part, 1, &first));
    CHECK_OK(finish(&lab, &upload, &part, 1, &second));
    CHECK_STR(second.etag, first.etag);
    CHECK_INT(lab_count(&lab, "s3_object"), 1);
    CHECK_FAULT(s3_multipart_find(lab.s3, &lab.ctx, lab.bucket, S("k"), upload.name, &upload),
                S3_NO_SUCH_UPLOAD);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK_FAULT(finish(&lab, &upload, &part, 1, &second), S3_NO_SUCH_UPLOAD);
    lab_end(&lab);
}

TEST(an_aborted_upload_leaves_nothing)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    put_part(&lab, &upload, 1, S("one"));
    CHECK_OK(s3_multipart_abort(lab.s3, &upload));
    CHECK_INT(lab_count(&lab, "blob") + lab_count(&lab, "s3_part") + lab_count(&lab, "s3_slice") +
                  lab_count(&lab, "s3_upload"),
              0);
    lab_end(&lab);
}

TEST(checksum_types_that_do_not_fit_their_algorithm_are_refused)
{
    LAB(lab);
    struct s3_multipart out = {0};
    static const struct {
        const char *algorithm, *type;
    } bad[] = {{"SHA1", "FULL_OBJECT"},
               {"CRC64NVME", "COMPOSITE"},
               {NULL, "COMPOSITE"},
               {"CRC99", NULL},
               {"CRC32", "HALF"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_FAULT(
            s3_multipart_checksum(&lab.ctx, str_of(bad[i].algorithm), str_of(bad[i].type), &out),
            S3_INVALID_REQUEST);
    CHECK_OK(s3_multipart_checksum(&lab.ctx, S("CRC32"), S("FULL_OBJECT"), &out));
    CHECK_INT(out.object.composite, 0);
    lab_end(&lab);
}

TEST(a_key_deleted_since_the_upload_began_is_a_conflict)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("one"));
    struct s3_complete_part part = bare(&one);
    struct s3_complete complete = {.key = S("k"),
                                   .upload = upload.name,
                                   .parts = &part,
                                   .n = 1,
                                   .conditions = {.if_none_match = S("*")}};
    struct s3_object object;
    lab_put(&lab, S("k"), S("x"));
    CHECK_FAULT(s3_multipart_complete(lab.s3, &lab.ctx, lab.bucket, &complete, &object),
                S3_PRECONDITION_FAILED);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK_FAULT(s3_multipart_complete(lab.s3, &lab.ctx, lab.bucket, &complete, &object),
                S3_CONDITIONAL_CONFLICT);
    lab_end(&lab);
}

TEST(a_claimed_size_must_be_the_computed_one)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("four"));
    struct s3_complete_part part = bare(&one);
    struct s3_complete complete = {
        .key = S("k"), .upload = upload.name, .parts = &part, .n = 1, .size = INT_OF(5)};
    struct s3_object object;
    err e = s3_multipart_complete(lab.s3, &lab.ctx, lab.bucket, &complete, &object);
    CHECK_FAULT(e, S3_INVALID_REQUEST);
    CHECK_STR(err_message(e), S("The provided 'x-amz-mp-object-size' header value 5 does not match "
                                "what was computed: 4"));
    lab_end(&lab);
}

/* ---- part copies ---- */

static err copy(struct lab *lab, const struct s3_multipart *upload, str range, struct s3_part *part)
{
    struct s3_part_copy ask = {.source = {S("bucket"), S("src"), STR_NONE}, .range = range};
    struct s3_object source = {0};
    struct s3_bucket *from;
    *part = (struct s3_part){.number = 1};
    return s3_multipart_copy_part(lab->s3, &lab->ctx, upload, &ask, &source, &from, part);
}

TEST(a_copied_range_shares_the_bytes_and_outlives_its_source)
{
    LAB(lab);
    lab_put(&lab, S("src"), S("0123456789"));
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part part;
    struct s3_object object;
    CHECK_OK(copy(&lab, &upload, S("bytes=2-5"), &part));
    CHECK_STR(part.etag, digest_hex(lab.ctx.arena, digest_of(DIGEST_MD5, S("2345"))));
    lab_delete(&lab, S("src"), STR_NONE);
    struct s3_complete_part named_part = bare(&part);
    CHECK_OK(finish(&lab, &upload, &named_part, 1, &object));
    CHECK_STR(lab_get(&lab, S("k")), S("2345"));
    CHECK_INT(lab_count(&lab, "blob"), 1);
    lab_delete(&lab, S("k"), STR_NONE);
    CHECK_INT(lab_count(&lab, "blob"), 0);
    lab_end(&lab);
}

TEST(ranges_of_copies_are_exact_or_refused)
{
    LAB(lab);
    lab_put(&lab, S("src"), S("0123456789"));
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part part;
    CHECK_FAULT(copy(&lab, &upload, S("bytes=0-x"), &part), S3_INVALID_ARGUMENT);
    CHECK_FAULT(copy(&lab, &upload, S("0-4"), &part), S3_INVALID_ARGUMENT);
    CHECK_FAULT(copy(&lab, &upload, S("bytes=4-1"), &part), S3_INVALID_ARGUMENT);
    err e = copy(&lab, &upload, S("bytes=0-10"), &part);
    CHECK_FAULT(e, S3_INVALID_ARGUMENT);
    CHECK_STR(err_message(e), S("Range specified is not valid for source object of size: 10"));
    CHECK_FAULT(copy(&lab, &upload, S("bytes=10-12"), &part), S3_INVALID_REQUEST);
    CHECK_OK(copy(&lab, &upload, S("bytes=0-9"), &part));
    lab_end(&lab);
}

/* ---- lists ---- */

TEST(uploads_are_listed_by_key_then_age_in_pages)
{
    LAB(lab);
    struct s3_multipart_page page;
    static const char *const keys[] = {"b", "a/1", "a/2", "b", "c"};
    for (size_t i = 0; i < 5; i++) {
        struct s3_multipart with = {.object = {.key = str_of(keys[i]), .checksum_kind = 1}}, upload;
        CHECK_OK(s3_multipart_create(lab.s3, &lab.ctx, lab.bucket, &with, &upload));
    }
    struct s3_multipart_list ask = {.delimiter = S("/"), .max = 2};
    CHECK_OK(s3_multipart_list(lab.s3, &lab.ctx, lab.bucket, &ask, &page));
    CHECK_INT(page.nprefixes, 1);
    CHECK_STR(page.prefixes[0], S("a/"));
    CHECK_INT(page.nuploads, 1);
    CHECK(page.truncated);
    CHECK_STR(page.next_key, S("b"));
    ask.key_marker = page.next_key;
    ask.upload_marker = page.next_upload;
    CHECK_OK(s3_multipart_list(lab.s3, &lab.ctx, lab.bucket, &ask, &page));
    CHECK_INT(page.nuploads, 2);
    CHECK_STR(page.uploads[0].object.key, S("b"));
    CHECK_STR(page.uploads[1].object.key, S("c"));
    CHECK(!page.truncated);
    lab_end(&lab);
}

/* A snapshot that someone made may hold one: its sum says that it is whole, not who wrote it. */
TEST(a_stored_etag_of_any_length_is_no_more_than_a_wrong_etag)
{
    LAB(lab);
    struct s3_multipart upload = begin(&lab, STR_NONE, STR_NONE);
    struct s3_part one = put_part(&lab, &upload, 1, S("tail"));
    CHECK_OK(stmt_run(db_sql(lab.db, "UPDATE s3_part SET etag = hex(zeroblob(600))")));
    struct s3_complete_part part = {.number = one.number};
    struct s3_object object;
    CHECK_OK(finish(&lab, &upload, &part, 1, &object));
    CHECK(str_ends(object.etag, S("-1")));
    lab_end(&lab);
}

UNIT_MAIN
