/* sqs/seqs.c - see seqs.h. A page that empties is freed; freed pages at the front leave the
 * directory, which moves down when it needs room. */
#include "sqs/seqs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { PAGE = 32 }; /* little, where many queues hold a message each */

struct seqs_page {
    uint32_t used;
    void *slots[PAGE];
};

static struct seqs_page *page_of(const struct seqs *seqs, uint64_t number)
{
    if (!seqs->n || number < seqs->first || number - seqs->first >= seqs->n)
        return NULL;
    return seqs->pages[seqs->start + (size_t)(number - seqs->first)];
}

static void make_room(struct seqs *seqs, size_t n)
{
    if (seqs->start + n <= seqs->cap)
        return;
    if (seqs->n)
        memmove(seqs->pages, seqs->pages + seqs->start, seqs->n * sizeof *seqs->pages);
    seqs->start = 0;
    if (n <= seqs->cap / 2)
        return;
    while (seqs->cap < 2 * n)
        seqs->cap = seqs->cap ? seqs->cap * 2 : 4;
    seqs->pages = xrealloc(seqs->pages, seqs->cap * sizeof *seqs->pages);
}

void seqs_put(struct seqs *seqs, uint64_t seq, void *value)
{
    uint64_t number = seq / PAGE;
    if (!seqs->n)
        seqs->first = number;
    assert(number >= seqs->first);
    size_t n = (size_t)(number - seqs->first) + 1;
    if (n > seqs->n) {
        make_room(seqs, n);
        memset(seqs->pages + seqs->start + seqs->n, 0, (n - seqs->n) * sizeof *seqs->pages);
        seqs->n = n;
    }
    struct seqs_page **page = &seqs->pages[seqs->start + n - 1];
    if (!*page)
        *page = xalloc(sizeof **page);
    (*page)->slots[seq % PAGE] = value;
    (*page)->used++;
}

void *seqs_get(const struct seqs *seqs, uint64_t seq)
{
    struct seqs_page *page = page_of(seqs, seq / PAGE);
    return page ? page->slots[seq % PAGE] : NULL;
}

static void drop_front(struct seqs *seqs)
{
    while (seqs->n && !seqs->pages[seqs->start]) {
        seqs->start++;
        seqs->first++;
        seqs->n--;
    }
}

void seqs_remove(struct seqs *seqs, uint64_t seq)
{
    struct seqs_page *page = page_of(seqs, seq / PAGE);
    assert(page && page->slots[seq % PAGE]);
    page->slots[seq % PAGE] = NULL;
    if (--page->used)
        return;
    seqs->pages[seqs->start + (size_t)(seq / PAGE - seqs->first)] = NULL;
    free(page);
    drop_front(seqs);
}

void *seqs_next(const struct seqs *seqs, uint64_t from)
{
    if (from < seqs->first * PAGE)
        from = seqs->first * PAGE;
    while (seqs->n && from / PAGE < seqs->first + seqs->n) {
        struct seqs_page *page = page_of(seqs, from / PAGE);
        for (size_t i = from % PAGE; page && i < PAGE; i++)
            if (page->slots[i])
                return page->slots[i];
        from = (from / PAGE + 1) * PAGE;
    }
    return NULL;
}

void seqs_free(struct seqs *seqs)
{
    for (size_t i = 0; i < seqs->n; i++)
        free(seqs->pages[seqs->start + i]);
    free(seqs->pages);
    *seqs = (struct seqs){0};
}
