/* remote/queue.h - the SQS operations of the pipeline, over JSON 1.0, and gathering of sends and
 * deletes: what comes while a batch is under way waits for the next one. So a lone message goes at
 * once, and many share a request; there is no timer. */
#ifndef HEADRACE_REMOTE_QUEUE_H
#define HEADRACE_REMOTE_QUEUE_H

#include "remote/remote.h"

#define BATCH_ENTRIES 10

/* "http://host:port" of a queue's URL. */
str queue_origin(str url);

struct received {
    str id, receipt, body;
    int64_t receive_count;
};
typedef void queue_received(void *user, const struct remote_answer *answer,
                            const struct received *messages, size_t n);
/* `arena` holds the request and the messages. The call may be cancelled. */
struct remote_call *queue_receive(struct remote *remote, struct arena *arena, str url, int64_t max,
                                  int64_t wait, int64_t visibility, queue_received *done,
                                  void *user);

/* The queue's own VisibilityTimeout in seconds; 0 when it could not be read. */
typedef void queue_visibility_read(void *user, int64_t seconds);
void queue_visibility(struct remote *remote, str url, queue_visibility_read *done, void *user);
/* ChangeMessageVisibility(Batch) for up to 10 receipts; nobody waits for the answer. */
void queue_hide(struct remote *remote, str url, const str *receipts, size_t n, int64_t seconds);

/* Gathers entries for one queue. */
struct batcher;
enum batch_kind { BATCH_SEND, BATCH_DELETE };
/* `code` absent: done; `id` is the new message's. Strings are borrowed for the call. */
typedef void batch_done(void *user, str code, str message, str id);

struct batcher *batcher_new(struct remote *remote, enum batch_kind kind, str url, size_t lanes);
/* BATCH_SEND: body and trace id. Strings are borrowed until done. */
void batcher_send(struct batcher *batcher, str body, str trace_id, batch_done *done, void *user);
void batcher_delete(struct batcher *batcher, str receipt, batch_done *done, void *user);
/* Nothing is under way any more. */
void batcher_free(struct batcher *batcher);

#endif
