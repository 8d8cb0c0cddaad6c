/* sqs/check.c - see check.h. */
#include "sqs/check.h"

#include "sqs/engine.h"

static const char state_names[] = "NRDF"; /* by enum message_state */

static void dump_message(struct buf *b, const struct queue *queue, struct message *message)
{
    bool hidden = message->state == MESSAGE_DELAYED || message->state == MESSAGE_IN_FLIGHT;
    str group = queue->fifo ? fifo_of(message)->group->entry.key : S("-");
    buf_printf(b, "  %llu %c %lld %lld %u %.*s\n", (unsigned long long)message->seq,
               state_names[message->state], hidden ? (long long)message->place.key : 0LL,
               (long long)message->age.key, message->receives, STR_ARG(group));
}

str sqs_dump(struct sqs *sqs, struct arena *arena)
{
    struct buf b = buf_in(arena);
    for (struct queue *queue = seqs_next(&sqs->queues, 0); queue;
         queue = seqs_next(&sqs->queues, (uint64_t)queue->id + 1)) {
        buf_printf(&b, "%lld %.*s %lld/%lld/%lld groups %zu task %lld due %lld\n",
                   (long long)queue->id, STR_ARG(queue->entry.key), (long long)queue->visible,
                   (long long)queue->in_flight, (long long)queue->delayed, queue->groups.n,
                   queue->task ? (long long)queue->task->moved : -1LL,
                   queue->due.at ? (long long)queue->due.key : -1LL);
        for (enum sqs_attribute_id i = SQS_VISIBILITY; i < SQS_ATTRIBUTE_COUNT; i++)
            buf_printf(&b, " %.*s", STR_ARG(attribute_text(arena, queue->attributes, i)));
        buf_char(&b, '\n');
        struct message *message = seqs_next(&queue->seqs, 0);
        for (; message; message = seqs_next(&queue->seqs, message->seq + 1))
            dump_message(&b, queue, message);
    }
    return buf_str(&b);
}

static str check_row(struct arena *arena, const struct queue *queue, struct message *message,
                     struct stmt *row)
{
    msec visible_at = col_int(row, 1);
    bool hidden = message->state == MESSAGE_DELAYED || message->state == MESSAGE_IN_FLIGHT;
    bool in_flight = !col_null(row, 3);
    if (col_int(row, 2) != (int64_t)message->receives)
        return arena_printf(arena, "receives of %llu", (unsigned long long)message->seq);
    if (hidden &&
        (visible_at != message->place.key || in_flight != (message->state == MESSAGE_IN_FLIGHT)))
        return arena_printf(arena, "deadline of %llu", (unsigned long long)message->seq);
    if (message->big != (col_int(row, 5) != 0))
        return arena_printf(arena, "body of %llu", (unsigned long long)message->seq);
    if (queue->fifo && !str_eq(col_str(row, 4), fifo_of(message)->group->entry.key))
        return arena_printf(arena, "group of %llu", (unsigned long long)message->seq);
    return STR_NONE;
}

static str check_rows(struct sqs *sqs, struct arena *arena, int64_t *rows_seen)
{
    str wrong = STR_NONE;
    struct stmt *row = db_sql(
        sqs->db, "SELECT id, visible_at, receives, received_at, group_id, typeof(body) = 'null'"
                 " FROM sqs_message");
    for (*rows_seen = 0; stmt_row(row); ++*rows_seen) {
        struct queue *queue = queue_by_id(sqs, col_int(row, 0) >> SEQ_BITS);
        uint64_t seq = (uint64_t)col_int(row, 0) & (((uint64_t)1 << SEQ_BITS) - 1);
        struct message *message = queue ? seqs_get(&queue->seqs, seq) : NULL;
        if (!queue || seq < queue->floor) {
            --*rows_seen; /* garbage */
            continue;
        }
        if (!message)
            wrong = arena_printf(arena, "row %llu without message", (unsigned long long)seq);
        else if (!wrong.p)
            wrong = check_row(arena, queue, message, row);
    }
    return wrong;
}

static str check_groups(struct arena *arena, const struct queue *queue)
{
    size_t ready = 0, in_ring = 0;
    for (const struct group *group = queue->ring_first; group; group = group->next)
        in_ring++;
    for (size_t i = 0; i < queue->groups.cap; i++) {
        for (struct strmap_entry *entry = queue->groups.buckets[i]; entry; entry = entry->next) {
            const struct group *group = (const struct group *)(const void *)entry;
            if (!group->first)
                return arena_printf(arena, "empty group %s", group->id);
            bool open = group->first->message.state == MESSAGE_READY;
            if (open != group->ready)
                return arena_printf(arena, "lock of group %s", group->id);
            ready += open;
            for (const struct fifo_message *m = group->first; m->next; m = m->next)
                if (m->next->message.seq <= m->message.seq)
                    return arena_printf(arena, "order of group %s", group->id);
        }
    }
    return ready == in_ring ? STR_NONE : S("ring");
}

static str check_queue(struct arena *arena, struct queue *queue, int64_t *messages)
{
    int64_t count[4] = {0};
    struct message *message = seqs_next(&queue->seqs, 0);
    for (; message; message = seqs_next(&queue->seqs, message->seq + 1))
        count[message->state]++;
    *messages += count[MESSAGE_READY] + count[MESSAGE_DELAYED] + count[MESSAGE_IN_FLIGHT];
    if (count[MESSAGE_NEW] || count[MESSAGE_READY] != queue->visible ||
        count[MESSAGE_DELAYED] != queue->delayed || count[MESSAGE_IN_FLIGHT] != queue->in_flight)
        return arena_printf(arena, "counters of %.*s", STR_ARG(queue->name));
    return queue->fifo ? check_groups(arena, queue) : STR_NONE;
}

str sqs_check(struct sqs *sqs, struct arena *arena)
{
    int64_t rows, messages = 0;
    str wrong = check_rows(sqs, arena, &rows);
    struct queue *queue = seqs_next(&sqs->queues, 0);
    for (; queue && !wrong.p; queue = seqs_next(&sqs->queues, (uint64_t)queue->id + 1))
        wrong = check_queue(arena, queue, &messages);
    if (!wrong.p && rows != messages)
        wrong =
            arena_printf(arena, "%lld rows, %lld messages", (long long)rows, (long long)messages);
    return wrong;
}
