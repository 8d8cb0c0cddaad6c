/* A text that is taken as tags is read back as the tags that were kept: from a header, and from
 * what is stored. */
#include "s3/tags.h"

#include "base/arena.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ctx ctx = {.arena = arena_new()};
    str header = {(const char *)data, n}, packed = STR_NONE, again = STR_NONE;
    struct s3_tag *tags;
    size_t count;
    s3_tags_unpack(ctx.arena, header, &tags, &count);
    if (!failed(s3_tags_from_header(&ctx, header, &packed))) {
        s3_tags_unpack(ctx.arena, packed, &tags, &count);
        must(count <= S3_OBJECT_TAGS_MAX);
        must(!failed(s3_tags_check(&ctx, tags, count, false)));
        must(str_eq(s3_tags_pack(ctx.arena, tags, count), packed));
        must(!packed.n ||
             (!failed(s3_tags_from_header(&ctx, packed, &again)) && str_eq(again, packed)));
    }
    arena_free(ctx.arena);
    return 0;
}
