/* sqs/seqs.h - the messages of a queue by sequence number. Numbers are only ever added in rising
 * order, so a directory of small pages does what a hash table would, without a rehash to wait for:
 * 8 bytes a message, every call O(1) but for gaps. */
#ifndef HEADRACE_SQS_SEQS_H
#define HEADRACE_SQS_SEQS_H

#include <stddef.h>
#include <stdint.h>

struct seqs_page;

struct seqs {
    struct seqs_page *
        *pages; /* [start, start + n); page i holds sequences (first + i - start) * page size ... */
    uint64_t first; /* number of the page at `start` */
    size_t start, n, cap;
};

/* `seq` is above all that were put before since the set was last empty. */
void seqs_put(struct seqs *seqs, uint64_t seq, void *value);
void *seqs_get(const struct seqs *seqs, uint64_t seq);
/* `seq` must be there. */
void seqs_remove(struct seqs *seqs, uint64_t seq);
/* Value of the least sequence at or above `from`; NULL when there is none. */
void *seqs_next(const struct seqs *seqs, uint64_t from);
void seqs_free(struct seqs *seqs);

#endif
