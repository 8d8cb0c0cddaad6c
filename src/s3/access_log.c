/* s3/access_log.c - see access_log.h. Names of log objects:
 * docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#server-log-keyname-format. */
#include "s3/access_log.h"

#include "base/digest.h"
#include "base/rng.h"
#include "base/text.h"
#include "s3/document.h"
#include "s3/engine.h"
#include "s3/object.h"

#include <stdlib.h>
#include <string.h>

#define DELAY INT64_C(300000) /* msec from the first line to its delivery */

struct s3_log_line {
    struct s3_log_line *next;
    int64_t bucket;
    size_t n;
    char text[];
};

void s3_log_add(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket, str line)
{
    struct s3_log_line *item = xalloc(sizeof *item + line.n);
    item->bucket = bucket->id;
    item->n = line.n;
    memcpy(item->text, line.p, line.n);
    if (!s3->log.first) {
        s3->log.end = &s3->log.first;
        s3->log.due = ctx->now + DELAY;
    }
    *s3->log.end = item;
    s3->log.end = &item->next;
    if (s3->log.due < s3->due)
        s3->due = s3->log.due;
}

msec s3_log_due(const struct s3 *s3)
{
    return s3->log.first ? s3->log.due : INT64_MAX;
}

void s3_log_clear(struct s3 *s3)
{
    for (struct s3_log_line *line = s3->log.first, *next; line; line = next) {
        next = line->next;
        free(line);
    }
    s3->log.first = NULL;
}

/* TargetPrefix[account/region/bucket/YYYY/MM/DD/]YYYY-MM-DD-HH-MM-SS-UNIQUE */
static str object_key(struct ctx *ctx, const struct s3_bucket *source,
                      const struct s3_log_target *target)
{
    const struct s3_log_format *format = target->format;
    str at = date_basic(ctx->arena, ctx->now); /* 20260101T000000Z */
    str unique = rng_text(ctx->rng, ctx->arena, S("0123456789ABCDEF"), 16);
    struct buf b = buf_in(ctx->arena);
    buf_put(&b, target->prefix);
    if (format && format->partitioned)
        buf_printf(&b, "%.*s/%.*s/%.*s/%.4s/%.2s/%.2s/", STR_ARG(source->account),
                   STR_ARG(source->region), STR_ARG(source->name), at.p, at.p + 4, at.p + 6);
    buf_printf(&b, "%.4s-%.2s-%.2s-%.2s-%.2s-%.2s-%.*s", at.p, at.p + 4, at.p + 6, at.p + 9,
               at.p + 11, at.p + 13, STR_ARG(unique));
    return buf_str(&b);
}

static err put_log(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *source,
                   const struct s3_log_target *target, str body)
{
    struct s3_bucket *to = s3_bucket_get(s3, target->bucket);
    if (!to)
        return OK;
    struct s3_object object = {.key = object_key(ctx, source, target),
                               .size = (int64_t)body.n,
                               .content_type = S("text/plain"),
                               .etag = digest_hex(ctx->arena, digest_of(DIGEST_MD5, body)),
                               .checksum_kind = DIGEST_CRC64NVME + 1,
                               .checksum =
                                   digest_base64(ctx->arena, digest_of(DIGEST_CRC64NVME, body))};
    TRY(blob_put(s3->blobs, body, &object.blob));
    return s3_object_put(s3, ctx, to, NULL, &object, S3_CREATED_PUT);
}

/* All lines of the bucket of the first one, taken out of the list. */
static str take_lines(struct s3 *s3, struct ctx *ctx, int64_t bucket)
{
    struct buf b = buf_in(ctx->arena);
    struct s3_log_line **at = &s3->log.first;
    while (*at) {
        struct s3_log_line *line = *at;
        if (line->bucket != bucket) {
            at = &line->next;
            continue;
        }
        buf_put(&b, (str){line->text, line->n});
        buf_char(&b, '\n');
        *at = line->next;
        free(line);
    }
    s3->log.end = at;
    return buf_str(&b);
}

static struct s3_bucket *bucket_by_id(struct s3 *s3, int64_t id)
{
    for (size_t i = 0; i < s3->nslots; i++)
        for (struct s3_bucket *bucket = s3->slots[i]; bucket; bucket = bucket->next)
            if (bucket->id == id)
                return bucket;
    return NULL;
}

err s3_log_deliver(struct s3 *s3, struct ctx *ctx)
{
    while (s3->log.first) {
        struct s3_logging config = {0};
        struct s3_bucket *source = bucket_by_id(s3, s3->log.first->bucket);
        str lines = take_lines(s3, ctx, s3->log.first->bucket);
        if (source && s3_document_load(s3, ctx, source, S3_CONFIG_LOGGING, S(""), &config) &&
            config.target)
            TRY(put_log(s3, ctx, source, config.target, lines));
    }
    return OK;
}
