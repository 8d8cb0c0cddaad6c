/* sqs/load.c - the working set out of the tables, at start and after a turn that failed. What was
 * hidden is entered as hidden, whatever the time is now: the first tick shows what became visible
 * meanwhile, in the order of deadlines. */
#include <stdlib.h>

#include "sqs/engine.h"

/* A group goes with its entry, which comes first in it. */
static void drop_group(struct strmap_entry *entry)
{
    free(entry);
}

static void load_queues(struct sqs *sqs)
{
    struct stmt *rows = db_sql(sqs->db, "SELECT id, account, region, name, fifo, group_scope, "
                                        "created, modified, purged, seq_limit, floor"
                                        " FROM sqs_queue ORDER BY id");
    while (stmt_row(rows)) {
        struct queue *queue = queue_enter(sqs, col_int(rows, 0), col_str(rows, 1), col_str(rows, 2),
                                          col_str(rows, 3), col_int(rows, 4) != 0);
        queue->group_scope = col_int(rows, 5) != 0;
        queue->created = col_int(rows, 6);
        queue->modified = col_int(rows, 7);
        queue->purged = col_int(rows, 8);
        queue->next_seq = queue->seq_limit = (uint64_t)col_int(rows, 9);
        queue->floor = (uint64_t)col_int(rows, 10);
    }
}

static void load_attributes(struct sqs *sqs)
{
    struct stmt *rows =
        db_sql(sqs->db, "SELECT queue, name, value FROM sqs_attribute ORDER BY queue");
    while (stmt_row(rows)) {
        struct queue *queue = queue_by_id(sqs, col_int(rows, 0));
        enum sqs_attribute_id id = attribute_by_name(col_str(rows, 1));
        if (queue && id < SQS_ATTRIBUTE_COUNT)
            attribute_load(queue_own(queue), id, col_str(rows, 2));
    }
}

static void load_message(struct sqs *sqs, struct queue *queue, struct stmt *row)
{
    uint64_t seq = (uint64_t)col_int(row, 0) & (((uint64_t)1 << SEQ_BITS) - 1);
    if (seq < queue->floor)
        return;
    msec born = col_null(row, 5) ? col_int(row, 1) : col_int(row, 5);
    str group = queue->fifo ? col_str(row, 6) : STR_NONE;
    struct message *message = message_enter(sqs, queue, seq, born, group);
    message->receives = (uint32_t)col_int(row, 3);
    message->big = col_int(row, 7) != 0;
    msec visible_at = col_int(row, 2);
    if (!visible_at)
        message_show(sqs, queue, message);
    else
        message_hide_until(sqs, queue, message,
                           col_null(row, 4) ? MESSAGE_DELAYED : MESSAGE_IN_FLIGHT, visible_at);
}

static void load_messages(struct sqs *sqs)
{
    struct stmt *rows = db_sql(
        sqs->db, "SELECT id, sent_at, visible_at, receives, received_at, aged_from, group_id,"
                 " typeof(body) = 'null' FROM sqs_message ORDER BY id");
    struct queue *queue = NULL;
    while (stmt_row(rows)) {
        int64_t id = col_int(rows, 0) >> SEQ_BITS;
        if (!queue || queue->id != id) {
            if (queue)
                queue_schedule(sqs, queue);
            queue = queue_by_id(sqs, id);
        }
        if (queue)
            load_message(sqs, queue, rows);
    }
    if (queue)
        queue_schedule(sqs, queue);
}

void sqs_load(struct sqs *sqs)
{
    sqs->loading = true;
    load_queues(sqs);
    load_attributes(sqs);
    load_messages(sqs);
    task_load(sqs);
    sqs->sweep = memory_due(sqs);
    garbage_load(sqs);
    sqs->loading = false;
    sqs->changes++;
}

void queue_forget_messages(struct sqs *sqs, struct queue *queue)
{
    struct message *message = seqs_next(&queue->seqs, 0), *next;
    for (; message; message = next) {
        next = seqs_next(&queue->seqs, message->seq + 1);
        slabs_give(queue->fifo ? &sqs->fifo : &sqs->standard, message);
    }
    seqs_free(&queue->seqs);
    order_free(&queue->ready);
    order_free(&queue->hidden);
    order_free(&queue->age);
    strmap_free(&queue->groups, drop_group);
    queue->ring_first = queue->ring_last = NULL;
    queue->visible = queue->delayed = queue->in_flight = 0;
    sqs->changes++;
}

void queue_free(struct queue *queue)
{
    strmap_free(&queue->groups, drop_group);
    order_free(&queue->ready);
    order_free(&queue->hidden);
    order_free(&queue->age);
    seqs_free(&queue->seqs);
    if (queue->attributes != &attribute_presets) {
        attributes_free(queue_own(queue));
        free((void *)(uintptr_t)queue->attributes);
    }
    task_free(queue->task);
    free(queue);
}

static void drop_queue(struct strmap_entry *entry)
{
    queue_free(queue_of_entry(entry));
}

void sqs_unload(struct sqs *sqs)
{
    strmap_free(&sqs->names, drop_queue);
    seqs_free(&sqs->queues);
    order_free(&sqs->due);
    slabs_free(&sqs->standard);
    slabs_free(&sqs->fifo);
}
