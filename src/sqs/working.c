/* sqs/working.c - the working set, one message at a time. engine.h says where a message is in each
 * state; only this file puts it there, so the counters and the group lock follow from the same few
 * functions. Nothing here writes a row. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sqs/engine.h"

static void ready_hook(struct sqs *sqs, const struct queue *queue)
{
    if (sqs->hooks.ready && !sqs->loading)
        sqs->hooks.ready(sqs->hooks.user, queue->id);
}

static int64_t *counter(struct queue *queue, enum message_state state)
{
    switch (state) {
    case MESSAGE_READY:
        return &queue->visible;
    case MESSAGE_DELAYED:
        return &queue->delayed;
    case MESSAGE_IN_FLIGHT:
        return &queue->in_flight;
    default:
        return NULL;
    }
}

static void set_state(struct queue *queue, struct message *message, enum message_state state)
{
    int64_t *before = counter(queue, message->state), *after = counter(queue, state);
    if (before)
        --*before;
    if (after)
        ++*after;
    message->state = (uint8_t)state;
}

static void ring_add(struct queue *queue, struct group *group)
{
    group->ready = true;
    group->next = NULL;
    group->prev = queue->ring_last;
    *(group->prev ? &group->prev->next : &queue->ring_first) = group;
    queue->ring_last = group;
}

static void ring_remove(struct queue *queue, struct group *group)
{
    group->ready = false;
    *(group->prev ? &group->prev->next : &queue->ring_first) = group->next;
    *(group->next ? &group->next->prev : &queue->ring_last) = group->prev;
}

/* A group is in the ring while its first message is ready; one that opens goes to the end (#44). */
static void group_settle(struct sqs *sqs, struct queue *queue, struct group *group)
{
    bool ready = group->first && group->first->message.state == MESSAGE_READY;
    if (ready && !group->ready)
        ring_add(queue, group);
    if (!ready && group->ready)
        ring_remove(queue, group);
    if (group->first) {
        if (ready)
            ready_hook(sqs, queue);
        return;
    }
    strmap_remove(&queue->groups, &group->entry);
    free(group);
}

static struct group *group_of(struct queue *queue, str id)
{
    struct strmap_entry *entry = strmap_find(&queue->groups, id);
    if (entry)
        return (struct group *)(void *)entry;
    struct group *group = xalloc(sizeof *group + id.n + 1);
    if (id.n)
        memcpy(group->id, id.p, id.n);
    group->entry.key = (str){group->id, id.n};
    strmap_add(&queue->groups, &group->entry);
    return group;
}

static void group_append(struct group *group, struct fifo_message *message)
{
    message->group = group;
    message->next = NULL;
    message->prev = group->last;
    *(group->last ? &group->last->next : &group->first) = message;
    group->last = message;
}

static void group_unlink(struct group *group, struct fifo_message *message)
{
    *(message->prev ? &message->prev->next : &group->first) = message->next;
    *(message->next ? &message->next->prev : &group->last) = message->prev;
}

struct message *message_enter(struct sqs *sqs, struct queue *queue, uint64_t seq, msec born,
                              str group)
{
    size_t size = queue->fifo ? sizeof(struct fifo_message) : sizeof(struct message);
    struct message *message =
        memset(slabs_take(queue->fifo ? &sqs->fifo : &sqs->standard), 0, size);
    message->seq = seq;
    seqs_put(&queue->seqs, seq, message);
    order_add(&queue->age, &message->age, born);
    if (queue->fifo)
        group_append(group_of(queue, group), fifo_of(message));
    sqs->changes++;
    return message;
}

void message_show(struct sqs *sqs, struct queue *queue, struct message *message)
{
    order_remove(message->state == MESSAGE_READY ? &queue->ready : &queue->hidden, &message->place);
    set_state(queue, message, MESSAGE_READY);
    sqs->changes++;
    if (queue->fifo) {
        group_settle(sqs, queue, fifo_of(message)->group);
        return;
    }
    order_add(&queue->ready, &message->place, (int64_t)message->seq);
    ready_hook(sqs, queue);
}

void message_hide_until(struct sqs *sqs, struct queue *queue, struct message *message,
                        enum message_state state, msec until)
{
    order_remove(message->state == MESSAGE_READY ? &queue->ready : &queue->hidden, &message->place);
    set_state(queue, message, state);
    order_add(&queue->hidden, &message->place, until);
    sqs->changes++;
    if (queue->fifo && fifo_of(message)->group->first == fifo_of(message))
        group_settle(sqs, queue, fifo_of(message)->group);
}

void message_leave(struct sqs *sqs, struct queue *queue, struct message *message)
{
    order_remove(message->state == MESSAGE_READY ? &queue->ready : &queue->hidden, &message->place);
    order_remove(&queue->age, &message->age);
    set_state(queue, message, MESSAGE_NEW);
    seqs_remove(&queue->seqs, message->seq);
    sqs->changes++;
    if (queue->fifo) {
        struct group *group = fifo_of(message)->group;
        group_unlink(group, fifo_of(message));
        group_settle(sqs, queue, group);
    }
    slabs_give(queue->fifo ? &sqs->fifo : &sqs->standard, message);
}

/* The rows say already that the time has come, so a rollback undoes none of this: it is no change.
 */
void queue_wake(struct sqs *sqs, struct queue *queue, msec now)
{
    struct node *first;
    uint64_t changes = sqs->changes;
    while ((first = order_first(&queue->hidden)) && first->key <= now) {
        struct message *message = message_of_place(first);
        if (message->state == MESSAGE_IN_FLIGHT)
            observe(sqs, NULL, queue, message, SQS_RETURNED, NULL, first->key);
        message_show(sqs, queue, message);
    }
    sqs->changes = changes;
}

struct message *queue_front(struct queue *queue)
{
    if (queue->fifo)
        return queue->ring_first ? &queue->ring_first->first->message : NULL;
    struct node *first = order_first(&queue->ready);
    return first ? message_of_place(first) : NULL;
}

static msec queue_due(const struct queue *queue)
{
    msec due = queue->task ? task_due(queue->task) : NEVER;
    struct node *hidden = order_first(&queue->hidden), *oldest = order_first(&queue->age);
    if (hidden && hidden->key < due)
        due = hidden->key;
    if (oldest && oldest->key + queue->attributes->number[SQS_RETENTION] * 1000 < due)
        due = oldest->key + queue->attributes->number[SQS_RETENTION] * 1000;
    return due;
}

void queue_schedule(struct sqs *sqs, struct queue *queue)
{
    msec due = queue_due(queue);
    if (queue->due.at ? queue->due.key == due : due == NEVER)
        return;
    order_remove(&sqs->due, &queue->due);
    if (due != NEVER)
        order_add(&sqs->due, &queue->due, due);
}
