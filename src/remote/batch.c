/* remote/batch.c - gathering sends and deletes. A lane is one batch call that may be under way;
 * with all lanes busy entries wait in order. An entry that the service refuses alone, and not by
 * the sender's fault, goes into a later batch, twice at most. */
#include "remote/queue_inside.h"

#include "base/text.h"

#include <stdlib.h>

#define BATCH_BYTES 900000 /* below SQS's 1 MiB for a whole batch */
#define ENTRY_TRIES 3

struct entry {
    str body, trace_id, receipt;
    batch_done *done;
    void *user;
    int tries;
    struct entry *next;
};

struct batcher {
    struct remote *remote;
    enum batch_kind kind;
    str url;
    size_t lanes, busy;
    struct entry *first, **end;
};

struct batch {
    struct batcher *batcher;
    struct arena *arena;
    struct entry *entries[BATCH_ENTRIES];
    size_t n;
};

struct batcher *batcher_new(struct remote *remote, enum batch_kind kind, str url, size_t lanes)
{
    struct batcher *batcher = xalloc(sizeof *batcher);
    *batcher = (struct batcher){.remote = remote, .kind = kind, .url = url, .lanes = lanes};
    batcher->end = &batcher->first;
    return batcher;
}

void batcher_free(struct batcher *batcher)
{
    while (batcher && batcher->first) {
        struct entry *entry = batcher->first;
        batcher->first = entry->next;
        free(entry);
    }
    free(batcher);
}

static void put_send(struct buf *b, const struct entry *entry)
{
    BUF_LIT(b, ",\"MessageBody\":");
    buf_json(b, entry->body);
    BUF_LIT(b, ",\"MessageAttributes\":{\"traceId\":{\"DataType\":\"String\",\"StringValue\":");
    buf_json(b, entry->trace_id);
    BUF_LIT(b, "}}}");
}

static void put_delete(struct buf *b, const struct entry *entry)
{
    BUF_LIT(b, ",\"ReceiptHandle\":");
    buf_json(b, entry->receipt);
    buf_char(b, '}');
}

static const struct {
    const char *operation;
    void (*put)(struct buf *b, const struct entry *entry);
} kinds[] = {
    [BATCH_SEND] = {"SendMessageBatch", put_send},
    [BATCH_DELETE] = {"DeleteMessageBatch", put_delete},
};

static void flush(struct batcher *batcher);

static void append(struct batcher *batcher, struct entry *entry)
{
    entry->next = NULL;
    *batcher->end = entry;
    batcher->end = &entry->next;
}

static void entry_over(struct entry *entry, str code, str message, str id)
{
    batch_done *done = entry->done;
    void *user = entry->user;
    free(entry);
    done(user, code, message, id);
}

static struct entry *entry_of(struct batch *batch, const json_t *value)
{
    str id = queue_text(batch->arena, value, "Id");
    int64_t i;
    if (!str_to_int(id, &i) || i < 0 || (size_t)i >= batch->n)
        return NULL;
    struct entry *entry = batch->entries[i];
    batch->entries[i] = NULL;
    return entry;
}

static void settle_failed(struct batch *batch, const json_t *list)
{
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value)
    {
        struct entry *entry = entry_of(batch, value);
        if (!entry)
            continue;
        if (!json_is_true(json_object_get(value, "SenderFault")) && ++entry->tries < ENTRY_TRIES)
            append(batch->batcher, entry);
        else
            entry_over(entry, queue_text(batch->arena, value, "Code"),
                       queue_text(batch->arena, value, "Message"), STR_NONE);
    }
}

static void settle_good(struct batch *batch, const json_t *list)
{
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value)
    {
        struct entry *entry = entry_of(batch, value);
        if (entry)
            entry_over(entry, STR_NONE, STR_NONE, queue_text(batch->arena, value, "MessageId"));
    }
}

static void answered(void *user, const struct remote_answer *answer)
{
    struct batch *batch = user;
    struct batcher *batcher = batch->batcher;
    str code = answer->code, message = answer->message;
    batcher->busy--;
    if (remote_ok(answer)) {
        json_t *root = json_loadb(answer->http.body.p, answer->http.body.n, 0, NULL);
        settle_failed(batch, json_object_get(root, "Failed"));
        settle_good(batch, json_object_get(root, "Successful"));
        json_decref(root);
        code = S("InvalidAnswer"), message = S("the batch's answer does not name every entry");
    }
    for (size_t i = 0; i < batch->n; i++)
        if (batch->entries[i])
            entry_over(batch->entries[i], code, message, STR_NONE);
    arena_free(batch->arena);
    flush(batcher);
}

/* Takes the next entries off the line and writes them. */
static str fill(struct batcher *batcher, struct batch *batch)
{
    struct buf b = queue_body(batch->arena, batcher->url);
    BUF_LIT(&b, ",\"Entries\":[");
    for (size_t bytes = 0; batcher->first && batch->n < BATCH_ENTRIES; batch->n++) {
        struct entry *entry = batcher->first;
        bytes += entry->body.n + entry->trace_id.n + 64;
        if (batch->n && bytes > BATCH_BYTES)
            break;
        batcher->first = entry->next;
        if (!batcher->first)
            batcher->end = &batcher->first;
        buf_printf(&b, "%s{\"Id\":\"%zu\"", batch->n ? "," : "", batch->n);
        kinds[batcher->kind].put(&b, entry);
        batch->entries[batch->n] = entry;
    }
    BUF_LIT(&b, "]}");
    return buf_str(&b);
}

static void flush(struct batcher *batcher)
{
    while (batcher->first && batcher->busy < batcher->lanes) {
        struct arena *arena = arena_new();
        struct batch *batch = ARENA_NEW(arena, struct batch);
        batch->batcher = batcher;
        batch->arena = arena;
        str body = fill(batcher, batch);
        batcher->busy++;
        queue_call(batcher->remote, arena, kinds[batcher->kind].operation, batcher->url, body, 0,
                   answered, batch);
    }
}

static void add(struct batcher *batcher, struct entry entry)
{
    struct entry *copy = xalloc(sizeof *copy);
    *copy = entry;
    append(batcher, copy);
    flush(batcher);
}

void batcher_send(struct batcher *batcher, str body, str trace_id, batch_done *done, void *user)
{
    add(batcher, (struct entry){.body = body, .trace_id = trace_id, .done = done, .user = user});
}

void batcher_delete(struct batcher *batcher, str receipt, batch_done *done, void *user)
{
    add(batcher, (struct entry){.receipt = receipt, .done = done, .user = user});
}
