/* sqs/order.h - a set of things ordered by a number, made for numbers that mostly come in order:
 * send sequences, deadlines of one timeout, send times. What arrives in order costs O(1) to add and
 * to remove (a linked list); stragglers cost O(log n) in a heap beside it. The nodes live inside
 * their owners; a node is in one order at a time. */
#ifndef HEADRACE_SQS_ORDER_H
#define HEADRACE_SQS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
    struct node *prev, *next; /* list */
    int64_t key;
    uint32_t at; /* 0: in no order, 1: in the list, else its place in the heap + 2 */
};

struct order {
    struct node *first, *last;
    struct node **heap;
    uint32_t n, cap; /* of the heap */
};

void order_add(struct order *order, struct node *node, int64_t key);
/* Does nothing when the node is in no order. */
void order_remove(struct order *order, struct node *node);
/* The least key; NULL when empty. */
struct node *order_first(const struct order *order);
/* Forgets the nodes and frees the heap. */
void order_free(struct order *order);

#endif
