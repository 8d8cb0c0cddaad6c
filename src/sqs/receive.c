/* sqs/receive.c - ReceiveMessage. Standard queues give their oldest ready messages; FIFO queues as
 * many as possible of the first ready group, then of the next (#42). A message past maxReceiveCount
 * moves to the dead letter queue instead (#51). Everything leased is hidden while the call looks
 * for more, and shown again at its end when the timeout is 0, so nothing is given twice. */
#include <string.h>

#include "sqs/engine.h"
#include "sqs/rules.h"

enum { BATCH = 10, DROPS = 10000 }; /* DROPS: expired or dead messages that one call clears away */

struct lease {
    struct sqs *sqs;
    struct ctx *ctx;
    struct queue *queue;
    msec until; /* == now: timeout 0 */
    size_t max, n;
    int drops;
    struct message *taken[BATCH];
    struct receipt receipts[BATCH];
    struct sqs_message *out;
};

static err drop_expired(struct lease *lease, struct message *message)
{
    observe(lease->sqs, lease->ctx, lease->queue, message, SQS_EXPIRED, NULL, lease->ctx->now);
    TRY(row_delete(lease->sqs, lease->queue, message));
    message_leave(lease->sqs, lease->queue, message);
    return OK;
}

static err take(struct lease *lease, struct message *message)
{
    struct row row;
    struct queue *queue = lease->queue;
    msec now = lease->ctx->now;
    if (!row_read(lease->sqs, lease->ctx->arena, queue, message->seq, &row))
        return FAIL(FAULT_INTERNAL);
    if (!row.message.first_received_at)
        row.message.first_received_at = now;
    message->receives++;
    TRY(row_received(lease->sqs, queue, message, lease->until > now ? lease->until : 0,
                     row.message.first_received_at, now));
    message_hide_until(lease->sqs, queue, message, MESSAGE_IN_FLIGHT, lease->until);
    observe(lease->sqs, lease->ctx, queue, message, SQS_RECEIVED, row.message_id, now);
    struct receipt receipt = {queue->id, message->seq, message->receives};
    row.message.receive_count = message->receives;
    row.message.receipt = receipt_make(lease->sqs, lease->ctx->arena, &receipt);
    lease->taken[lease->n] = message;
    lease->receipts[lease->n] = receipt;
    lease->out[lease->n++] = row.message;
    return OK;
}

/* A queue counts its own receives: what a message went through in the queues it died in shows in
 * its count (#51), but a dead letter queue with a policy of its own gives it as often as any other.
 */
static bool worn_out(struct lease *lease, const struct message *message)
{
    const struct queue *queue = lease->queue;
    int64_t most = queue->attributes->max_receives;
    return queue->attributes->dead_letter.n && message->receives >= most &&
           message->receives - row_receives_before(lease->sqs, queue, message->seq) >= most;
}

/* Leases the message, or clears it away; *leased tells which. */
static err consider(struct lease *lease, struct message *message, bool *leased)
{
    struct queue *queue = lease->queue;
    *leased = false;
    if (message_expired(queue, message, lease->ctx->now)) {
        lease->drops++;
        return drop_expired(lease, message);
    }
    if (worn_out(lease, message)) {
        struct queue *dead = queue_dead_letter(lease->sqs, queue);
        lease->drops++;
        if (dead)
            return message_bury(lease->sqs, lease->ctx, queue, message, dead);
    }
    *leased = true;
    return take(lease, message);
}

/* Once a group's first message is taken the group is closed, but what follows at once belongs to
 * the same receive. */
static err take_followers(struct lease *lease, struct fifo_message *last)
{
    bool leased;
    while (lease->n < lease->max && lease->drops < DROPS && last->next &&
           last->next->message.state == MESSAGE_READY) {
        struct fifo_message *next = last->next;
        TRY(consider(lease, &next->message, &leased));
        if (leased)
            last = next;
    }
    return OK;
}

static struct message *next_ready(const struct lease *lease)
{
    struct queue *queue = lease->queue;
    bool reorder = lease->ctx->chaos & CHAOS_REORDER && !queue->fifo && queue->ready.last;
    return reorder ? message_of_place(queue->ready.last) : queue_front(queue);
}

/* What was leased with the timeout 0. */
static void show_at_once(struct lease *lease)
{
    if (lease->until <= lease->ctx->now)
        for (size_t i = 0; i < lease->n; i++)
            message_show(lease->sqs, lease->queue, lease->taken[i]);
}

static err collect(struct lease *lease)
{
    bool leased;
    struct message *message;
    while (lease->n < lease->max && lease->drops < DROPS && (message = next_ready(lease))) {
        TRY(consider(lease, message, &leased));
        if (leased && lease->queue->fifo)
            TRY(take_followers(lease, fifo_of(message)));
    }
    if (lease->drops >= DROPS && lease->sqs->hooks.ready)
        lease->sqs->hooks.ready(lease->sqs->hooks.user, lease->queue->id);
    show_at_once(lease);
    return OK;
}

static err not_retryable(struct lease *lease, str name)
{
    return err_text(lease->ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter ReceiveRequestAttemptId is invalid. Reason: "
                    "The receiveRequestAttemptId is not valid anymore since the receive "
                    "call is not retryable.",
                    STR_ARG(name));
}

/* Is the message as the attempt left it, or did it come back by itself? */
static bool unmodified(const struct lease *lease, const struct attempt *attempt,
                       const struct message *message)
{
    return message->state == MESSAGE_IN_FLIGHT ? message->place.key == attempt->until
                                               : lease->ctx->now >= attempt->until;
}

/* The messages of an attempt that is made again: not *untouched when one came back meanwhile.
 * Refused when one was deleted, is somebody else's now, or had its visibility changed. */
static err find_again(struct lease *lease, str name, const struct attempt *attempt, bool *untouched)
{
    *untouched = attempt->n > 0 && attempt->n <= BATCH;
    for (size_t i = 0; *untouched && i < attempt->n; i++) {
        const struct receipt *receipt = &attempt->receipts[i];
        struct message *message = seqs_get(&lease->queue->seqs, receipt->seq);
        if (!message || message->receives != receipt->receives ||
            !unmodified(lease, attempt, message))
            return not_retryable(lease, name);
        *untouched = message->state == MESSAGE_IN_FLIGHT;
        lease->taken[i] = message;
    }
    return OK;
}

static err repeat(struct lease *lease, str name, const struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->n; i++) {
        struct row row;
        struct message *message = lease->taken[i];
        if (!row_read(lease->sqs, lease->ctx->arena, lease->queue, message->seq, &row))
            return FAIL(FAULT_INTERNAL);
        TRY(row_visible_at(lease->sqs, lease->queue, message->seq,
                           lease->until > lease->ctx->now ? lease->until : 0));
        message_hide_until(lease->sqs, lease->queue, message, MESSAGE_IN_FLIGHT, lease->until);
        row.message.receipt = receipt_make(lease->sqs, lease->ctx->arena, &attempt->receipts[i]);
        lease->out[lease->n++] = row.message;
    }
    show_at_once(lease);
    return attempt_extend(lease->sqs, lease->queue, name, lease->until);
}

static err run(struct lease *lease, str name)
{
    struct attempt attempt;
    bool untouched = false;
    if (name.p && attempt_find(lease->sqs, lease->ctx, lease->queue, name, &attempt))
        TRY(find_again(lease, name, &attempt, &untouched));
    if (untouched)
        return repeat(lease, name, &attempt);
    TRY(collect(lease));
    attempt = (struct attempt){lease->receipts, lease->n, lease->until};
    return name.p && lease->n ? attempt_keep(lease->sqs, lease->ctx, lease->queue, name, &attempt)
                              : OK;
}

static err check(struct sqs *sqs, struct ctx *ctx, struct queue *queue,
                 const struct sqs_receive *receive)
{
    TRY(sqs_check_max(ctx, receive->max));
    if (receive->visibility != -1)
        TRY(sqs_check_visibility(ctx, SQS_OF_RECEIVE, receive->visibility));
    if (receive->attempt.p && !queue->fifo)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Value %.*s for parameter ReceiveRequestAttemptId is invalid. Reason: The "
                        "request include parameter that "
                        "is not valid for this queue type.",
                        STR_ARG(receive->attempt));
    if (receive->attempt.p)
        TRY(sqs_check_token(ctx, "ReceiveRequestAttemptId", receive->attempt));
    TRY(queue_check_key(sqs, queue));
    return queue_throttle(sqs, ctx, queue, THROTTLE_RECEIVE);
}

err sqs_message_receive(struct sqs *sqs, struct ctx *ctx, int64_t id,
                        const struct sqs_receive *receive, struct sqs_message **messages, size_t *n)
{
    struct queue *queue;
    TRY(queue_get(sqs, id, &queue));
    TRY(check(sqs, ctx, queue, receive));
    queue_wake(sqs, queue, ctx->now);
    int64_t room = IN_FLIGHT_MAX - queue->in_flight;
    if (room <= 0 && !queue->fifo)
        return FAIL(SQS_OVER_LIMIT);
    int64_t visibility =
        receive->visibility == -1 ? queue->attributes->number[SQS_VISIBILITY] : receive->visibility;
    struct lease lease = {.sqs = sqs,
                          .ctx = ctx,
                          .queue = queue,
                          .until = ctx->now + visibility * 1000,
                          .max =
                              room <= 0 ? 0 : (size_t)(room < receive->max ? room : receive->max)};
    lease.out = arena_array(ctx->arena, receive->attempt.p ? BATCH : lease.max, sizeof *lease.out);
    err e = run(&lease, receive->attempt);
    queue_schedule(sqs, queue);
    TRY(e);
    *messages = lease.out;
    *n = lease.n;
    return OK;
}
