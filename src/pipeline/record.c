/* pipeline/record.c - see record.h. Where the lab's code would throw (a key that decodeURIComponent
 * refuses), the record is marked broken rather than dropped: its message must come back and end in
 * a dead letter queue, not vanish. */
#include "pipeline/record.h"

#include "base/rng.h"
#include "base/text.h"
#include "pipeline/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* decodeURIComponent(text.replace(/\+/g, " ")); absent where that throws. */
static str decoded_key(struct arena *arena, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '%')
            continue;
        if (text.n - i < 3 || !hex_digit(text.p[i + 1]) || !hex_digit(text.p[i + 2]))
            return STR_NONE;
    }
    str key = percent_decode(arena, text, true);
    return utf8_valid(key) ? key : STR_NONE;
}

static str without_quotes(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '"')
            buf_char(&b, text.p[i]);
    return buf_str(&b);
}

/* Number(value ?? 0) */
static double number_of(struct arena *arena, const struct value *value)
{
    if (!value || value->kind != JSONIN_STRING)
        return value && value->kind == JSONIN_TRUE ? 1 : value ? value->number : 0;
    char *text = arena_cstr(arena, str_trim(value_str(arena, value))), *end;
    double number = strtod(text, &end);
    return *end ? (double)NAN : number;
}

static str text_or_empty(struct arena *arena, const struct value *value)
{
    str text = value_str(arena, value);
    return text.p ? text : S("");
}

static struct record read_record(struct arena *arena, const struct value *value)
{
    const struct value *s3 = value_member(value, "s3");
    const struct value *object = value_member(s3, "object");
    struct record record = {
        .bucket = text_or_empty(arena, value_member(value_member(s3, "bucket"), "name")),
        .etag = without_quotes(arena, text_or_empty(arena, value_member(object, "eTag"))),
        .size = number_of(arena, value_member(object, "size")),
    };
    record.key = decoded_key(arena, text_or_empty(arena, value_member(object, "key")));
    if (!record.key.p)
        record.broken = S("URIError: URI malformed");
    return record;
}

bool records_read(struct arena *arena, str body, struct record **out, size_t *n)
{
    const struct value *root = value_read(arena, body), *list = value_member(root, "Records");
    const struct value *first = list && list->kind == JSONIN_ARRAY ? list->first : NULL;
    size_t count = 0, i = 0;
    for (const struct value *value = first; value; value = value->next)
        count++;
    struct record *records = arena_array(arena, count, sizeof *records);
    for (const struct value *value = first; value; value = value->next)
        records[i++] = read_record(arena, value);
    *out = records, *n = count;
    return root && root->kind == JSONIN_OBJECT;
}

str record_skip(const struct pipeline_options *options, const struct record *record)
{
    if (!str_starts(record->key, options->prefix))
        return S("not_in_incoming_prefix");
    if (!str_ends_nocase(record->key, options->suffix))
        return S("unsupported_type");
    if (record->size > (double)options->max_bytes)
        return S("too_large");
    return STR_NONE;
}

static str report_key(const struct pipeline_options *options, struct arena *arena, str key)
{
    struct buf b = buf_in(arena);
    buf_put(&b, options->output_prefix);
    buf_put(&b, str_slice(key, options->prefix.n, key.n));
    BUF_LIT(&b, ".report.json");
    return buf_str(&b);
}

/* A few generations tell: each adds the same to the last one's key. */
bool record_endless(const struct pipeline_options *options, struct arena *arena)
{
    struct record record = {.key = arena_join(arena, options->prefix, options->suffix)};
    int generations = 0;
    while (generations < 4 && !record_skip(options, &record).p) {
        record.key = report_key(options, arena, record.key);
        generations++;
    }
    return generations == 4;
}

str record_fault(const struct pipeline_options *options, struct arena *arena,
                 const struct record *record)
{
    if (record->broken.p || !str_eq(record->bucket, options->processed) ||
        record_skip(options, record).p || !record_endless(options, arena))
        return record->broken;
    return S("reports would be jobs again, without end: another --output-bucket, or another "
             "--output-prefix, is needed");
}

static void put_base36(struct buf *b, uint64_t value)
{
    char digits[13];
    size_t n = 0;
    do
        digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
    while (value /= 36);
    while (n)
        buf_char(b, digits[--n]);
}

/* `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}` */
static str trace_id_new(struct ctx *ctx)
{
    struct buf b = buf_in(ctx->arena);
    put_base36(&b, (uint64_t)ctx->now);
    buf_char(&b, '-');
    buf_put(&b, rng_text(ctx->rng, ctx->arena, S("0123456789abcdefghijklmnopqrstuvwxyz"), 8));
    return buf_str(&b);
}

struct job record_job(struct ctx *ctx, const struct pipeline_options *options,
                      const struct record *record, str etag)
{
    str trace = trace_id_new(ctx);
    str version = record->etag.n ? record->etag : etag.n ? etag : trace;
    struct buf id = buf_in(ctx->arena);
    struct job job = {
        .bucket = record->bucket,
        .key = record->key,
        .output_bucket = options->processed,
        .output_key = report_key(options, ctx->arena, record->key),
    };
    buf_put(&id, job.bucket), buf_char(&id, ':');
    buf_put(&id, job.key), buf_char(&id, ':');
    buf_put(&id, version);
    job_name(ctx->arena, &job, buf_str(&id), trace);
    return job;
}

str record_log_skipped(struct arena *arena, const struct record *record, str reason)
{
    struct buf b = buf_in(arena);
    buf_char(&b, '{');
    member_str(&b, "action", S("SKIPPED"));
    member_str(&b, "bucket", record->bucket);
    member_str(&b, "key", record->key);
    member_str(&b, "reason", reason);
    buf_char(&b, '}');
    return buf_str(&b);
}
