/* sqs/order.c - see order.h. The list is sorted because only keys at or above its last are
 * appended; all others go to the heap. Every move inside the heap writes the node's new place back,
 * so removal from the middle needs no search. */
#include "sqs/order.h"

#include <stdlib.h>

#include "base/arena.h"

enum { OUT = 0, LISTED = 1, HEAPED = 2 };

static void heap_set(struct order *order, uint32_t i, struct node *node)
{
    order->heap[i] = node;
    node->at = i + HEAPED;
}

static void heap_up(struct order *order, uint32_t i, struct node *node)
{
    while (i > 0 && order->heap[(i - 1) / 2]->key > node->key) {
        heap_set(order, i, order->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(order, i, node);
}

static void heap_down(struct order *order, uint32_t i, struct node *node)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= order->n)
            break;
        if (child + 1 < order->n && order->heap[child + 1]->key < order->heap[child]->key)
            child++;
        if (order->heap[child]->key >= node->key)
            break;
        heap_set(order, i, order->heap[child]);
        i = child;
    }
    heap_set(order, i, node);
}

static void heap_add(struct order *order, struct node *node)
{
    if (order->n == order->cap) {
        order->cap = order->cap ? order->cap * 2 : 16;
        order->heap = xrealloc(order->heap, order->cap * sizeof *order->heap);
    }
    order->n++;
    heap_up(order, order->n - 1, node);
}

static void heap_remove(struct order *order, struct node *node)
{
    uint32_t i = node->at - HEAPED;
    struct node *moved = order->heap[--order->n];
    if (moved == node)
        return;
    if (i > 0 && order->heap[(i - 1) / 2]->key > moved->key)
        heap_up(order, i, moved);
    else
        heap_down(order, i, moved);
}

static void list_append(struct order *order, struct node *node)
{
    node->at = LISTED;
    node->prev = order->last;
    node->next = NULL;
    *(order->last ? &order->last->next : &order->first) = node;
    order->last = node;
}

static void list_remove(struct order *order, struct node *node)
{
    *(node->prev ? &node->prev->next : &order->first) = node->next;
    *(node->next ? &node->next->prev : &order->last) = node->prev;
}

void order_add(struct order *order, struct node *node, int64_t key)
{
    node->key = key;
    if (!order->last || key >= order->last->key)
        list_append(order, node);
    else
        heap_add(order, node);
}

void order_remove(struct order *order, struct node *node)
{
    if (node->at == LISTED)
        list_remove(order, node);
    else if (node->at >= HEAPED)
        heap_remove(order, node);
    node->at = OUT;
}

struct node *order_first(const struct order *order)
{
    if (order->n && (!order->first || order->heap[0]->key < order->first->key))
        return order->heap[0];
    return order->first;
}

void order_free(struct order *order)
{
    free(order->heap);
    *order = (struct order){0};
}
