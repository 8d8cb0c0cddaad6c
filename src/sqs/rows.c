/* sqs/rows.c - one row of sqs_message. A body above BODY_INLINE has a row of its own in sqs_body: a
 * receive rewrites the small row only. Attributes are packed as count, then name, type, value of
 * each, with lengths as base-128 numbers. */
#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "sqs/engine.h"

#define BODY_INLINE 8192

void bytes_16(str from, uint8_t to[16])
{
    memset(to, 0, 16);
    if (from.n)
        memcpy(to, from.p, from.n < 16 ? from.n : 16);
}

void id_new(struct rng *rng, uint8_t id[16])
{
    uint64_t words[2] = {rng_next(rng), rng_next(rng)};
    memcpy(id, words, 16);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

str id_text(struct arena *arena, const uint8_t id[16])
{
    char *text = arena_alloc(arena, 37);
    memset(text, '-', 36);
    hex_write(text, id, 4);
    hex_write(text + 9, id + 4, 2);
    hex_write(text + 14, id + 6, 2);
    hex_write(text + 19, id + 8, 2);
    hex_write(text + 24, id + 10, 6);
    return (str){text, 36};
}

/* Twenty digits, as AWS gives them; rising within a queue. */
str seq_text(struct arena *arena, const struct queue *queue, uint64_t seq)
{
    if (!queue->fifo)
        return STR_NONE;
    return arena_printf(arena, "188%017llu", (unsigned long long)seq);
}

/* Sequences are reserved in blocks, ahead in the table: a restart skips the rest of a block and
 * never gives a number twice, which receipts and FIFO sequence numbers rely on. */
err seq_take(struct sqs *sqs, struct queue *queue, uint64_t *seq)
{
    if (queue->next_seq >= queue->seq_limit) {
        uint64_t limit = queue->next_seq + SEQ_BLOCK;
        if (limit >= (uint64_t)1 << SEQ_BITS)
            return FAIL(SQS_OVER_LIMIT);
        struct stmt *reserve = db_sql(sqs->db, "UPDATE sqs_queue SET seq_limit = ? WHERE id = ?");
        bind_int(reserve, 1, (int64_t)limit);
        bind_int(reserve, 2, queue->id);
        TRY(stmt_run(reserve));
        queue->seq_limit = limit;
        sqs->changes++;
    }
    *seq = queue->next_seq++;
    return OK;
}

static void put_length(struct buf *b, size_t n)
{
    for (; n >= 128; n >>= 7)
        buf_char(b, (char)(n | 128));
    buf_char(b, (char)n);
}

static size_t take_length(str packed, size_t *at)
{
    size_t n = 0;
    for (unsigned shift = 0; *at < packed.n && shift < 32; shift += 7) {
        unsigned char c = (unsigned char)packed.p[(*at)++];
        n |= (size_t)(c & 127) << shift;
        if (c < 128)
            break;
    }
    return n;
}

static void put_text(struct buf *b, str s)
{
    put_length(b, s.n);
    buf_put(b, s);
}

static str take_text(str packed, size_t *at)
{
    size_t n = take_length(packed, at);
    str s = str_slice(packed, *at, *at + n);
    *at += s.n;
    return s;
}

static str pack(struct arena *arena, const struct sqs_attribute *attributes, size_t n)
{
    struct buf b = buf_in(arena);
    if (!n)
        return STR_NONE;
    put_length(&b, n);
    for (size_t i = 0; i < n; i++) {
        put_text(&b, attributes[i].name);
        put_text(&b, attributes[i].type);
        put_text(&b, attributes[i].value);
    }
    return buf_str(&b);
}

static void unpack(struct arena *arena, str packed, struct sqs_message *message)
{
    size_t at = 0;
    if (!packed.n)
        return;
    /* Three lengths of a byte each are the least that one takes. */
    size_t n = take_length(packed, &at), most = (packed.n - at) / 3;
    message->nattributes = n < most ? n : most;
    struct sqs_attribute *attributes = arena_array(arena, message->nattributes, sizeof *attributes);
    for (size_t i = 0; i < message->nattributes; i++) {
        attributes[i].name = take_text(packed, &at);
        attributes[i].type = take_text(packed, &at);
        attributes[i].value = take_text(packed, &at);
    }
    message->attributes = attributes;
}

static err insert_body(struct sqs *sqs, int64_t id, str body)
{
    struct stmt *add = db_sql(sqs->db, "INSERT INTO sqs_body(id, body) VALUES(?, ?)");
    bind_int(add, 1, id);
    bind_str(add, 2, body);
    return stmt_run(add);
}

bool body_big(str body)
{
    return body.n > BODY_INLINE;
}

err row_insert(struct sqs *sqs, struct ctx *ctx, const struct queue *queue,
               const struct new_row *row)
{
    const struct sqs_send *send = row->send;
    bool big = body_big(send->body);
    int64_t id = row_id(queue, row->seq);
    struct stmt *add = db_sql(
        sqs->db,
        "INSERT INTO sqs_message(id, sent_at, visible_at, receives, group_id, message_id, md5,"
        " sender, trace, dedup, attributes, body) VALUES(?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)");
    bind_int(add, 1, id);
    bind_int(add, 2, row->sent_at);
    bind_int(add, 3, row->visible_at);
    bind_str(add, 4, send->group);
    bind_blob(add, 5, (str){(const char *)row->message_id, 16});
    bind_blob(add, 6, (str){(const char *)row->md5, 16});
    bind_str(add, 7, row->sender);
    bind_str(add, 8, row->trace);
    bind_str(add, 9, row->dedup);
    bind_blob(add, 10, pack(ctx->arena, send->attributes, send->nattributes));
    bind_str(add, 11, big ? STR_NONE : send->body);
    TRY(stmt_run(add));
    return big ? insert_body(sqs, id, send->body) : OK;
}

static str read_body(struct sqs *sqs, struct arena *arena, int64_t id)
{
    struct stmt *row = db_sql(sqs->db, "SELECT body FROM sqs_body WHERE id = ?");
    bind_int(row, 1, id);
    str body = stmt_row(row) ? col_copy(row, 0, arena) : S("");
    stmt_done(row);
    return body;
}

static void read_columns(struct stmt *from, struct arena *arena, struct row *row)
{
    struct sqs_message *message = &row->message;
    message->sent_at = col_int(from, 0);
    message->receive_count = col_int(from, 1);
    row->received_at = col_int(from, 2);
    message->group = col_copy(from, 3, arena);
    message->first_received_at = col_int(from, 4);
    bytes_16(col_str(from, 5), row->message_id);
    bytes_16(col_str(from, 6), row->md5);
    message->sender = col_copy(from, 7, arena);
    message->trace_header = col_copy(from, 8, arena);
    message->dedup = col_copy(from, 9, arena);
    message->dead_letter_source = col_copy(from, 10, arena);
    unpack(arena, col_copy(from, 11, arena), message);
    message->body = col_copy(from, 12, arena);
}

bool row_read(struct sqs *sqs, struct arena *arena, const struct queue *queue, uint64_t seq,
              struct row *row)
{
    *row = (struct row){0};
    struct stmt *from = db_sql(
        sqs->db,
        "SELECT sent_at, receives, received_at, group_id, first_at, message_id, md5, sender, trace,"
        " dedup, source, attributes, body FROM sqs_message WHERE id = ?");
    bind_int(from, 1, row_id(queue, seq));
    if (!stmt_row(from))
        return false;
    read_columns(from, arena, row);
    stmt_done(from);
    row->big = !row->message.body.p;
    if (row->big)
        row->message.body = read_body(sqs, arena, row_id(queue, seq));
    row->message.id = id_text(arena, row->message_id);
    row->message.md5_body = hex_encode(arena, row->md5, 16);
    row->message.sequence = seq_text(arena, queue, seq);
    return true;
}

err row_received(struct sqs *sqs, const struct queue *queue, const struct message *message,
                 msec visible_at, msec first, msec now)
{
    struct stmt *set =
        db_sql(sqs->db,
               "UPDATE sqs_message SET visible_at = ?, receives = ?, received_at = ?, first_at = ?"
               " WHERE id = ?");
    bind_int(set, 1, visible_at);
    bind_int(set, 2, message->receives);
    bind_int(set, 3, now);
    bind_int(set, 4, first);
    bind_int(set, 5, row_id(queue, message->seq));
    return stmt_run(set);
}

err row_visible_at(struct sqs *sqs, const struct queue *queue, uint64_t seq, msec visible_at)
{
    struct stmt *set = db_sql(sqs->db, "UPDATE sqs_message SET visible_at = ? WHERE id = ?");
    bind_int(set, 1, visible_at);
    bind_int(set, 2, row_id(queue, seq));
    return stmt_run(set);
}

bool row_message_id(struct sqs *sqs, const struct queue *queue, uint64_t seq, uint8_t id[16])
{
    struct stmt *from = db_sql(sqs->db, "SELECT message_id FROM sqs_message WHERE id = ?");
    bind_int(from, 1, row_id(queue, seq));
    if (!stmt_row(from))
        return false;
    bytes_16(col_str(from, 0), id);
    stmt_done(from);
    return true;
}

int64_t row_receives_before(struct sqs *sqs, const struct queue *queue, uint64_t seq)
{
    struct stmt *from = db_sql(sqs->db, "SELECT before FROM sqs_message WHERE id = ?");
    bind_int(from, 1, row_id(queue, seq));
    int64_t before = stmt_row(from) ? col_int(from, 0) : 0;
    stmt_done(from);
    return before;
}

err row_delete(struct sqs *sqs, const struct queue *queue, const struct message *message)
{
    struct stmt *gone = db_sql(sqs->db, "DELETE FROM sqs_message WHERE id = ?");
    bind_int(gone, 1, row_id(queue, message->seq));
    TRY(stmt_run(gone));
    if (!message->big)
        return OK;
    struct stmt *body = db_sql(sqs->db, "DELETE FROM sqs_body WHERE id = ?");
    bind_int(body, 1, row_id(queue, message->seq));
    return stmt_run(body);
}
