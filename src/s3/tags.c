/* s3/tags.c - tag sets. Allowed characters:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html. */
#include "s3/tags.h"

#include "base/text.h"
#include "s3/faults.h"

#include <string.h>

static bool text_ok(str s, size_t max)
{
    if (utf8_count(s) > max || !utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (c < 0x80 && !alnum && !memchr(" \t_.:/=+-@", c, 10))
            return false;
    }
    return true;
}

static err check_one(struct ctx *ctx, const struct s3_tag *tag, bool bucket)
{
    if (str_starts(tag->key, S("aws:"))) {
        err e = err_text(ctx->arena, &S3_INVALID_TAG, "%s",
                         bucket ? "System tags cannot be added/updated by requester"
                                : "Your TagKey cannot be prefixed with aws:");
        return err_with(ctx->arena, e, "TagKey", tag->key);
    }
    if (tag->key.n == 0 || !text_ok(tag->key, 128))
        return err_with(ctx->arena, FAIL(S3_INVALID_TAG), "TagKey", tag->key);
    if (!text_ok(tag->value, 256)) {
        err e = err_text(ctx->arena, &S3_INVALID_TAG, "The TagValue you have provided is invalid");
        return err_with(ctx->arena, err_with(ctx->arena, e, "TagKey", tag->key), "TagValue",
                        tag->value);
    }
    return OK;
}

err s3_tags_check(struct ctx *ctx, const struct s3_tag *tags, size_t n, bool bucket)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!str_eq(tags[i].key, tags[k].key))
                continue;
            err e = err_text(ctx->arena, &S3_INVALID_TAG,
                             "Cannot provide multiple Tags with the same key");
            return err_with(ctx->arena, e, "TagKey", tags[i].key);
        }
        TRY(check_one(ctx, &tags[i], bucket));
    }
    if (bucket && n > S3_BUCKET_TAGS_MAX)
        return err_text(ctx->arena, &S3_BAD_REQUEST, "Bucket tag count cannot be greater than %d",
                        S3_BUCKET_TAGS_MAX);
    if (!bucket && n > S3_OBJECT_TAGS_MAX)
        return err_text(ctx->arena, &S3_BAD_REQUEST, "Object tags cannot be greater than %d",
                        S3_OBJECT_TAGS_MAX);
    return OK;
}

str s3_tags_pack(struct arena *arena, const struct s3_tag *tags, size_t n)
{
    if (!n)
        return STR_NONE;
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, '&');
        buf_percent(&b, tags[i].key, PERCENT_ALL);
        buf_char(&b, '=');
        buf_percent(&b, tags[i].value, PERCENT_ALL);
    }
    return buf_str(&b);
}

void s3_tags_unpack(struct arena *arena, str packed, struct s3_tag **tags, size_t *n)
{
    size_t count = 0;
    *tags = arena_array(arena, str_count(packed, '&') + 1, sizeof **tags);
    str rest = packed.n ? packed : STR_NONE;
    while (rest.p) {
        str value = str_cut(&rest, '&');
        if (!value.n)
            continue;
        str key = str_cut(&value, '=');
        (*tags)[count++] = (struct s3_tag){percent_decode(arena, key, true),
                                           percent_decode(arena, value.p ? value : S(""), true)};
    }
    *n = count;
}

static err malformed(struct ctx *ctx, str header)
{
    err e = err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                     "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL "
                     "query parameters without tag "
                     "name duplicates.");
    e = err_with(ctx->arena, e, "ArgumentName", S("x-amz-tagging"));
    return err_with(ctx->arena, e, "ArgumentValue", header);
}

static bool hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether every '%' begins an escape. */
static bool escapes_ok(str header)
{
    for (size_t i = 0; i < header.n; i++)
        if (header.p[i] == '%' &&
            (i + 2 >= header.n || !hex(header.p[i + 1]) || !hex(header.p[i + 2])))
            return false;
    return true;
}

/* A header's tags come back in the order of their keys. */
static void sort(struct s3_tag *tags, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct s3_tag tag = tags[i];
        size_t at = i;
        for (; at > 0 && str_cmp(tags[at - 1].key, tag.key) > 0; at--)
            tags[at] = tags[at - 1];
        tags[at] = tag;
    }
}

err s3_tags_from_header(struct ctx *ctx, str header, str *packed)
{
    struct s3_tag *tags;
    size_t n;
    if (!escapes_ok(header))
        return malformed(ctx, header);
    s3_tags_unpack(ctx->arena, header, &tags, &n);
    for (size_t i = 0; i < n; i++) {
        if (!tags[i].key.n || !utf8_valid(tags[i].key) || !utf8_valid(tags[i].value))
            return malformed(ctx, header);
        for (size_t k = 0; k < i; k++)
            if (str_eq(tags[i].key, tags[k].key))
                return malformed(ctx, header);
    }
    TRY(s3_tags_check(ctx, tags, n, false));
    sort(tags, n);
    *packed = s3_tags_pack(ctx->arena, tags, n);
    return OK;
}
