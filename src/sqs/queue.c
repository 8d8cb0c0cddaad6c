/* sqs/queue.c - the life of a queue: found, created, purged, deleted. */
#include <stdio.h>
#include <stdlib.h>

#include "sqs/engine.h"

#define DELETED_FOR ((msec)60000)
#define DELETE_AT_ONCE 2000 /* rows */

struct queue *queue_by_id(struct sqs *sqs, int64_t id)
{
    return id > 0 ? seqs_get(&sqs->queues, (uint64_t)id) : NULL;
}

err queue_get(struct sqs *sqs, int64_t id, struct queue **queue)
{
    *queue = queue_by_id(sqs, id);
    return *queue ? OK : FAIL(SQS_QUEUE_DOES_NOT_EXIST);
}

struct queue *queue_by_name(struct sqs *sqs, str account, str region, str name)
{
    char key[256];
    size_t n = account.n + region.n + name.n + 2;
    if (n >= sizeof key)
        return NULL;
    snprintf(key, sizeof key, "%.*s:%.*s:%.*s", STR_ARG(region), STR_ARG(account), STR_ARG(name));
    struct strmap_entry *entry = strmap_find(&sqs->names, (str){key, n});
    return entry ? queue_of_entry(entry) : NULL;
}

/* arn:PARTITION:sqs:REGION:ACCOUNT:NAME */
bool arn_split(str arn, str *part)
{
    str rest = arn;
    for (int i = 0; i < 6; i++)
        part[i] = i < 5 ? str_cut(&rest, ':') : rest;
    return str_eq(part[0], S("arn")) && part[5].n;
}

struct queue *queue_by_arn(struct sqs *sqs, str arn)
{
    str part[6];
    if (!arn_split(arn, part) || !str_eq(part[2], S("sqs")))
        return NULL;
    return queue_by_name(sqs, part[4], part[3], part[5]);
}

err sqs_queue_by_arn(struct sqs *sqs, str arn, int64_t *queue)
{
    struct queue *found = queue_by_arn(sqs, arn);
    if (!found)
        return FAIL(SQS_QUEUE_DOES_NOT_EXIST);
    *queue = found->id;
    return OK;
}

err sqs_queue_find(struct sqs *sqs, str account, str region, str name, int64_t *queue)
{
    struct queue *found = queue_by_name(sqs, account, region, name);
    if (!found)
        return FAIL(SQS_QUEUE_DOES_NOT_EXIST);
    *queue = found->id;
    return OK;
}

str sqs_queue_elsewhere(struct sqs *sqs, str account, str region, str name)
{
    for (struct queue *queue = seqs_next(&sqs->queues, 0); queue;
         queue = seqs_next(&sqs->queues, (uint64_t)queue->id + 1))
        if (str_eq(queue->name, name) && str_eq(queue->account, account) &&
            !str_eq(queue->region, region))
            return queue->region;
    return STR_NONE;
}

int64_t sqs_queue_next(struct sqs *sqs, int64_t queue)
{
    struct queue *next = seqs_next(&sqs->queues, (uint64_t)queue + 1);
    return next ? next->id : 0;
}

bool sqs_queue_facts(struct sqs *sqs, int64_t id, struct sqs_queue_facts *out)
{
    struct queue *queue = queue_by_id(sqs, id);
    if (!queue)
        return false;
    const struct node *oldest = order_first(&queue->age);
    *out = (struct sqs_queue_facts){
        .account = queue->account,
        .region = queue->region,
        .name = queue->name,
        .arn = queue->arn,
        .policy = queue->attributes->text[SQS_POLICY],
        .fifo = queue->fifo,
        .dead_letter = queue->attributes->dead_letter,
        .wait = queue->attributes->number[SQS_WAIT],
        .visibility = queue->attributes->number[SQS_VISIBILITY],
        .retention = queue->attributes->number[SQS_RETENTION],
        .visible = queue->visible,
        .hidden = queue->in_flight,
        .delayed = queue->delayed,
        .oldest = oldest ? oldest->key : 0,
    };
    return true;
}

static str partition_of(str region)
{
    if (str_starts(region, S("cn-")))
        return S("aws-cn");
    return str_starts(region, S("us-gov-")) ? S("aws-us-gov") : S("aws");
}

#define ARN_FORMAT "arn:%.*s:sqs:%.*s:%.*s:%.*s"

/* One allocation, the texts of which share their bytes: there may be a million queues. */
static struct queue *queue_new(str account, str region, str name)
{
    str partition = partition_of(region);
    size_t before = partition.n + sizeof "arn::sqs:" - 1;
    size_t n = before + region.n + account.n + name.n + 2;
    struct queue *queue = xalloc(sizeof *queue + n + 1);
    snprintf(queue->text, n + 1, ARN_FORMAT, STR_ARG(partition), STR_ARG(region), STR_ARG(account),
             STR_ARG(name));
    queue->arn = (str){queue->text, n};
    queue->entry.key = str_slice(queue->arn, before, n);
    queue->region = str_slice(queue->entry.key, 0, region.n);
    queue->account = str_slice(queue->entry.key, region.n + 1, region.n + 1 + account.n);
    queue->name = str_slice(queue->arn, n - name.n, n);
    queue->attributes = &attribute_presets;
    return queue;
}

struct queue *queue_enter(struct sqs *sqs, int64_t id, str account, str region, str name, bool fifo)
{
    struct queue *queue = queue_new(account, region, name);
    queue->id = id;
    queue->fifo = fifo;
    queue->next_seq = 1;
    strmap_add(&sqs->names, &queue->entry);
    seqs_put(&sqs->queues, (uint64_t)id, queue);
    sqs->changes++;
    return queue;
}

struct attributes *queue_own(struct queue *queue)
{
    if (queue->attributes == &attribute_presets) {
        struct attributes *own = xalloc(sizeof *own);
        *own = attribute_presets;
        queue->attributes = own;
    }
    return (struct attributes *)(uintptr_t)queue->attributes;
}

bool queue_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool name_chars(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!queue_name_char(name.p[i]))
            return false;
    return true;
}

bool queue_name_valid(str name)
{
    str stem = str_ends(name, S(".fifo")) ? str_slice(name, 0, name.n - 5) : name;
    return stem.n >= 1 && name.n <= 80 && name_chars(stem);
}

static err check_name(struct ctx *ctx, str name, bool fifo)
{
    if (!name.n)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER, "Queue name cannot be empty");
    if (fifo && !(queue_name_valid(name) && str_ends(name, S(".fifo"))))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The name of a FIFO queue can only include alphanumeric characters, "
                        "hyphens, or underscores, must end "
                        "with .fifo suffix and be 1 to 80 in length");
    if (!fifo && !(name_chars(name) && name.n >= 1 && name.n <= 80))
        return err_text(
            ctx->arena, &SQS_INVALID_PARAMETER,
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
    return OK;
}

/* A queue is FIFO when it is asked to be; the name alone does not make it one (#60). */
static bool asked_fifo(const struct sqs_pair *attributes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(attributes[i].name, S("FifoQueue")))
            return str_eq_nocase(attributes[i].value, S("true"));
    return false;
}

/* Equal attributes find the queue that is there; a different one refuses (#57). */
static err compare(struct ctx *ctx, const struct queue *queue,
                   const struct attribute_change *change)
{
    for (enum sqs_attribute_id i = 0; i < SQS_ATTRIBUTE_COUNT; i++) {
        if (change->named[i] && !str_eq(attribute_text(ctx->arena, &change->next, i),
                                        attribute_text(ctx->arena, queue->attributes, i)))
            return err_text(
                ctx->arena, &SQS_QUEUE_NAME_EXISTS,
                "A queue already exists with the same name and a different value for attribute %s",
                attribute_infos[i].name);
    }
    return OK;
}

static err check_deleted(struct sqs *sqs, struct ctx *ctx, str name)
{
    if (!sqs->options.strict)
        return OK;
    struct stmt *find =
        db_sql(sqs->db, "SELECT at FROM sqs_deleted WHERE account = ? AND region = ? AND name = ?");
    bind_str(find, 1, ctx->account);
    bind_str(find, 2, ctx->region);
    bind_str(find, 3, name);
    bool recent = stmt_row(find) && col_int(find, 0) + DELETED_FOR > ctx->now;
    stmt_done(find);
    return recent ? FAIL(SQS_QUEUE_DELETED_RECENTLY) : OK;
}

static err insert_queue(struct sqs *sqs, struct ctx *ctx, str name, bool fifo, bool group_scope)
{
    struct stmt *add =
        db_sql(sqs->db,
               "INSERT INTO sqs_queue(account, region, name, fifo, group_scope, created, modified,"
               " seq_limit) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    bind_str(add, 1, ctx->account);
    bind_str(add, 2, ctx->region);
    bind_str(add, 3, name);
    bind_int(add, 4, fifo);
    bind_int(add, 5, group_scope);
    bind_int(add, 6, ctx->now);
    bind_int(add, 7, ctx->now);
    bind_int(add, 8, 1 + SEQ_BLOCK);
    return stmt_run(add);
}

static err create(struct sqs *sqs, struct ctx *ctx, str name, bool fifo,
                  const struct attribute_change *change, struct queue **out)
{
    bool group_scope = change->next.number[SQS_SCOPE] != 0;
    TRY(insert_queue(sqs, ctx, name, fifo, group_scope));
    int64_t id = db_last_id(sqs->db);
    if (id >= QUEUE_MAX)
        return FAIL(SQS_OVER_LIMIT);
    struct queue *queue = queue_enter(sqs, id, ctx->account, ctx->region, name, fifo);
    queue->seq_limit = 1 + SEQ_BLOCK; /* with the row: its first message need not touch it */
    queue->group_scope = group_scope;
    queue->created = ctx->now;
    TRY(queue_apply(sqs, ctx, queue, change));
    *out = queue;
    return OK;
}

err sqs_queue_create(struct sqs *sqs, struct ctx *ctx, str name, const struct sqs_pair *attributes,
                     size_t n, const struct sqs_pair *tags, size_t ntags, int64_t *out)
{
    bool fifo = asked_fifo(attributes, n);
    struct queue *queue = queue_by_name(sqs, ctx->account, ctx->region, name);
    struct attribute_change change;
    if (queue)
        fifo = queue->fifo;
    TRY(check_name(ctx, name, fifo));
    TRY(attributes_change(ctx, queue ? queue->attributes : &attribute_presets, fifo, queue != NULL,
                          attributes, n, &change));
    if (queue) {
        *out = queue->id;
        return compare(ctx, queue, &change);
    }
    TRY(check_deleted(sqs, ctx, name));
    TRY(tags_check(ctx, name, tags, ntags));
    str arn = arena_printf(ctx->arena, ARN_FORMAT, STR_ARG(partition_of(ctx->region)),
                           STR_ARG(ctx->region), STR_ARG(ctx->account), STR_ARG(name));
    TRY(queue_check_redrive(sqs, ctx, &change, arn, fifo));
    TRY(create(sqs, ctx, name, fifo, &change, &queue));
    *out = queue->id;
    return ntags ? sqs_queue_tag(sqs, ctx, queue->id, tags, ntags) : OK;
}

static err delete_rows(struct sqs *sqs, const char *sql, int64_t id)
{
    struct stmt *gone = db_sql(sqs->db, sql);
    bind_int(gone, 1, id);
    return stmt_run(gone);
}

static err remember_deleted(struct sqs *sqs, struct ctx *ctx, const struct queue *queue)
{
    struct stmt *old = db_sql(sqs->db, "DELETE FROM sqs_deleted WHERE at <= ?");
    bind_int(old, 1, ctx->now - DELETED_FOR);
    TRY(stmt_run(old));
    struct stmt *add =
        db_sql(sqs->db,
               "INSERT OR REPLACE INTO sqs_deleted(account, region, name, at) VALUES(?, ?, ?, ?)");
    bind_str(add, 1, queue->account);
    bind_str(add, 2, queue->region);
    bind_str(add, 3, queue->name);
    bind_int(add, 4, ctx->now);
    return stmt_run(add);
}

static err delete_messages(struct sqs *sqs, const struct queue *queue)
{
    static const char *const ranges[] = {"DELETE FROM sqs_message WHERE id >= ? AND id < ?",
                                         "DELETE FROM sqs_body WHERE id >= ? AND id < ?"};
    for (int i = 0; i < 2; i++) {
        struct stmt *gone = db_sql(sqs->db, ranges[i]);
        bind_int(gone, 1, row_id(queue, 0));
        bind_int(gone, 2, (queue->id + 1) << SEQ_BITS);
        TRY(stmt_run(gone));
    }
    return OK;
}

/* Many rows are left to the ticks: a purge of a million messages must not hold up everybody else
 * for seconds. */
static err abandon_messages(struct sqs *sqs, struct queue *queue)
{
    struct stmt *raise = db_sql(sqs->db, "UPDATE sqs_queue SET floor = ? WHERE id = ?");
    bind_int(raise, 1, (int64_t)queue->next_seq);
    bind_int(raise, 2, queue->id);
    TRY(stmt_run(raise));
    queue->floor = queue->next_seq;
    return garbage_add(sqs, queue);
}

err queue_empty(struct sqs *sqs, struct queue *queue)
{
    bool many = queue->visible + queue->delayed + queue->in_flight > DELETE_AT_ONCE;
    TRY(many ? abandon_messages(sqs, queue) : delete_messages(sqs, queue));
    TRY(memory_forget(sqs, queue));
    queue_forget_messages(sqs, queue);
    queue_schedule(sqs, queue);
    return OK;
}

void queue_leave(struct sqs *sqs, struct queue *queue)
{
    order_remove(&sqs->due, &queue->due);
    strmap_remove(&sqs->names, &queue->entry);
    seqs_remove(&sqs->queues, (uint64_t)queue->id);
    queue_free(queue);
    sqs->changes++;
}

err queue_remove(struct sqs *sqs, struct queue *queue)
{
    int64_t id = queue->id;
    TRY(task_forget(sqs, queue));
    TRY(queue_empty(sqs, queue));
    TRY(delete_rows(sqs, "DELETE FROM sqs_attribute WHERE queue = ?", id));
    TRY(delete_rows(sqs, "DELETE FROM sqs_tag WHERE queue = ?", id));
    TRY(delete_rows(sqs, "DELETE FROM sqs_queue WHERE id = ?", id));
    /* Whoever waits for messages here must learn that the queue is gone. */
    if (sqs->hooks.ready)
        sqs->hooks.ready(sqs->hooks.user, id);
    queue_leave(sqs, queue);
    return OK;
}

err sqs_queue_delete(struct sqs *sqs, struct ctx *ctx, int64_t id)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(remember_deleted(sqs, ctx, queue));
    return queue_remove(sqs, queue);
}

err sqs_queue_purge(struct sqs *sqs, struct ctx *ctx, int64_t id)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    if (sqs->options.strict && queue->purged && ctx->now - queue->purged < DELETED_FOR)
        return err_text(ctx->arena, &SQS_PURGE_IN_PROGRESS,
                        "Only one PurgeQueue operation on %.*s is allowed every 60 seconds.",
                        STR_ARG(queue->name));
    struct stmt *mark = db_sql(sqs->db, "UPDATE sqs_queue SET purged = ? WHERE id = ?");
    bind_int(mark, 1, ctx->now);
    bind_int(mark, 2, id);
    TRY(stmt_run(mark));
    queue->purged = ctx->now;
    return queue_empty(sqs, queue);
}
