/* sqs/queue_list.c - lists of queues, page by page, and the tags of one. A page token names the
 * last item of the page, in base64: it stays good when queues come and go. */
#include <string.h>

#include "sqs/engine.h"

#define PAGE_MAX 1000
#define TAGS_MAX 50

static err page_start(struct ctx *ctx, str token, str *after)
{
    *after = STR_NONE;
    if (!token.n)
        return OK;
    *after = base64_decode(ctx->arena, token);
    if (after->p)
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER, "Invalid or expired next token.");
}

static err check_page(struct ctx *ctx, int64_t max)
{
    if (max == -1 || (max >= 1 && max <= PAGE_MAX))
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value for parameter MaxResults is invalid. Reason: MaxResults must be an "
                    "integer between 1 and 1000.");
}

err sqs_queue_list(struct sqs *sqs, struct ctx *ctx, str prefix, int64_t max, str *token,
                   str **names, size_t *n)
{
    str after;
    TRY(check_page(ctx, max));
    TRY(page_start(ctx, *token, &after));
    int64_t page = max == -1 ? PAGE_MAX : max;
    str *found = arena_array(ctx->arena, (size_t)page + 1, sizeof *found);
    size_t count = 0;
    struct stmt *rows = db_sql(
        sqs->db, "SELECT name FROM sqs_queue WHERE account = ?1 AND region = ?2 AND name > ?3"
                 " AND name >= ?4 AND (?5 IS NULL OR name < ?5) ORDER BY name LIMIT ?6");
    bind_str(rows, 1, ctx->account);
    bind_str(rows, 2, ctx->region);
    bind_str(rows, 3, after.p ? after : S(""));
    bind_str(rows, 4, prefix.p ? prefix : S(""));
    bind_str(rows, 5, text_beyond(ctx->arena, prefix));
    bind_int(rows, 6, page + 1);
    while (stmt_row(rows))
        found[count++] = col_copy(rows, 0, ctx->arena);
    bool more = count > (size_t)page;
    *n = more ? (size_t)page : count;
    *token = more && max != -1 ? base64_encode(ctx->arena, found[*n - 1]) : STR_NONE;
    *names = found;
    return OK;
}

bool queue_is_dead_letter(struct sqs *sqs, const struct queue *dlq)
{
    for (struct queue *queue = seqs_next(&sqs->queues, 0); queue;
         queue = seqs_next(&sqs->queues, (uint64_t)queue->id + 1))
        if (queue->attributes->dead_letter.n && str_eq(queue->attributes->dead_letter, dlq->arn))
            return true;
    return false;
}

bool sqs_queue_is_dead_letter(struct sqs *sqs, int64_t id)
{
    const struct queue *queue = queue_by_id(sqs, id);
    return queue && queue_is_dead_letter(sqs, queue);
}

err sqs_queue_sources(struct sqs *sqs, struct ctx *ctx, int64_t id, int64_t max, str *token,
                      int64_t **sources, size_t *n)
{
    struct queue *dlq;
    str after;
    int64_t last = 0;
    TRY(queue_get(sqs, id, &dlq));
    TRY(check_page(ctx, max));
    TRY(page_start(ctx, *token, &after));
    if (after.p && !str_to_int(after, &last))
        last = INT64_MAX - 1;
    size_t page = max == -1 ? PAGE_MAX : (size_t)max, count = 0;
    int64_t *found = arena_array(ctx->arena, page + 1, sizeof *found);
    struct queue *queue = seqs_next(&sqs->queues, (uint64_t)last + 1);
    for (; queue && count <= page; queue = seqs_next(&sqs->queues, (uint64_t)queue->id + 1))
        if (queue->attributes->dead_letter.n && str_eq(queue->attributes->dead_letter, dlq->arn))
            found[count++] = queue->id;
    bool more = count > page;
    *n = more ? page : count;
    *sources = found;
    *token = STR_NONE;
    if (more && max != -1)
        *token =
            base64_encode(ctx->arena, arena_printf(ctx->arena, "%lld", (long long)found[page - 1]));
    return OK;
}

/* Letters, digits and white space of any script, and a few signs; what is not ASCII is let
 * through. */
static bool tag_text_valid(str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c > 0 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && !strchr(" \t\n\r_.:/=+-@", c))
            return false;
    }
    return true;
}

static err check_key(struct ctx *ctx, str key)
{
    if (!key.n || utf8_count(key) > 128)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Tag keys must be between 1 and 128 characters in length.");
    if (!tag_text_valid(key))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Tag keys may only contain unicode letters, digits, whitespace, or one of "
                        "these symbols: _ . : / = + - @");
    return OK;
}

static err check_tag(struct ctx *ctx, const struct sqs_pair *tag)
{
    TRY(check_key(ctx, tag->name));
    if (str_starts_nocase(tag->name, S("aws:")))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Tag keys cannot start with the reserved prefix aws:.");
    if (utf8_count(tag->value) > 256)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Tag values must be between 0 and 256 characters in length.");
    if (!tag_text_valid(tag->value))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Tag values may only contain unicode letters, digits, whitespace, or one "
                        "of these symbols: _ . : / = + - @");
    return OK;
}

err tags_check(struct ctx *ctx, str queue, const struct sqs_pair *tags, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(check_tag(ctx, &tags[i]));
    if (n > TAGS_MAX)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER, "Too many tags added for queue %.*s.",
                        STR_ARG(queue));
    return OK;
}

static int64_t tag_count(struct sqs *sqs, int64_t id)
{
    struct stmt *row = db_sql(sqs->db, "SELECT count(*) FROM sqs_tag WHERE queue = ?");
    bind_int(row, 1, id);
    int64_t count = stmt_row(row) ? col_int(row, 0) : 0;
    stmt_done(row);
    return count;
}

static bool tag_exists(struct sqs *sqs, int64_t id, str name)
{
    struct stmt *row = db_sql(sqs->db, "SELECT 1 FROM sqs_tag WHERE queue = ? AND name = ?");
    bind_int(row, 1, id);
    bind_str(row, 2, name);
    bool there = stmt_row(row);
    stmt_done(row);
    return there;
}

err sqs_queue_tag(struct sqs *sqs, struct ctx *ctx, int64_t id, const struct sqs_pair *tags,
                  size_t n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    if (!n)
        return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter Tags.");
    TRY(tags_check(ctx, queue->name, tags, n));
    int64_t count = tag_count(sqs, id);
    for (size_t i = 0; i < n; i++)
        count += !tag_exists(sqs, id, tags[i].name);
    if (count > TAGS_MAX)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER, "Too many tags added for queue %.*s.",
                        STR_ARG(queue->name));
    for (size_t i = 0; i < n; i++) {
        struct stmt *put =
            db_sql(sqs->db, "INSERT OR REPLACE INTO sqs_tag(queue, name, value) VALUES(?, ?, ?)");
        bind_int(put, 1, id);
        bind_str(put, 2, tags[i].name);
        bind_str(put, 3, tags[i].value.p ? tags[i].value : S(""));
        TRY(stmt_run(put));
    }
    return OK;
}

err sqs_queue_untag(struct sqs *sqs, struct ctx *ctx, int64_t id, const str *keys, size_t n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    if (!n)
        return check_key(ctx, S(""));
    for (size_t i = 0; i < n; i++)
        TRY(check_key(ctx, keys[i]));
    for (size_t i = 0; i < n; i++) {
        struct stmt *gone = db_sql(sqs->db, "DELETE FROM sqs_tag WHERE queue = ? AND name = ?");
        bind_int(gone, 1, id);
        bind_str(gone, 2, keys[i]);
        TRY(stmt_run(gone));
    }
    return OK;
}

err sqs_queue_tags(struct sqs *sqs, struct ctx *ctx, int64_t id, struct sqs_pair **tags, size_t *n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    struct sqs_pair *found = arena_array(ctx->arena, TAGS_MAX, sizeof *found);
    size_t count = 0;
    struct stmt *rows =
        db_sql(sqs->db, "SELECT name, value FROM sqs_tag WHERE queue = ? ORDER BY name LIMIT ?");
    bind_int(rows, 1, id);
    bind_int(rows, 2, TAGS_MAX);
    while (stmt_row(rows))
        found[count++] =
            (struct sqs_pair){col_copy(rows, 0, ctx->arena), col_copy(rows, 1, ctx->arena)};
    *tags = found;
    *n = count;
    return OK;
}
