/* s3/tags.c - tag sets. Allowed characters:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html. */
#include "s3/tags.h"

#include "base/text.h"
#include "s3/faults.h"

#include <string.h>

/* Beyond ASCII: what is neither a letter nor a number nor a space. The blocks of symbols, pictures,
 * punctuation and private use; a letter of an unusual kind passes rather than fails. */
static bool is_symbol(int32_t c)
{
    static const int32_t blocks[][2] = {
        {0x80, 0x9F},       {0xA1, 0xA9},       {0xAB, 0xB1},     {0xB4, 0xB4},
        {0xB6, 0xB8},       {0xBB, 0xBB},       {0xBF, 0xBF},     {0xD7, 0xD7},
        {0xF7, 0xF7},       {0x2010, 0x2027},   {0x2030, 0x205E}, {0x20A0, 0x20CF},
        {0x2190, 0x245F},   {0x2500, 0x2775},   {0x2794, 0x2BFF}, {0x3001, 0x3004},
        {0x3008, 0x3020},   {0xE000, 0xF8FF},   {0xFE00, 0xFE6B}, {0x1F000, 0x1F0FF},
        {0x1F10D, 0x1FAFF}, {0xF0000, 0x10FFFF}};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (c >= blocks[i][0] && c <= blocks[i][1])
            return true;
    return false;
}

static bool text_ok(str s, size_t max)
{
    if (utf8_count(s) > max || !utf8_valid(s))
        return false;
    for (size_t i = 0; i < s.n;) {
        int32_t c = utf8_next(s, &i);
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (c < 0x80 ? !alnum && !memchr(" \t_.:/=+-@", c, 10) : is_symbol(c))
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
    size_t max = bucket ? S3_BUCKET_TAGS_MAX : S3_OBJECT_TAGS_MAX;
    /* Each is compared with all before it, so no further than the number alone refuses them. */
    for (size_t i = 0; i < n && i <= max; i++) {
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
