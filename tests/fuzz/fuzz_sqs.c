/* Any sequence of calls with any arguments leaves a queue engine whose memory says what its tables
 * say. A line is a call: a letter, then its arguments, split at '|'. */
#include "sqs/check.h"
#include "sqs/move.h"
#include "sqs/permission.h"
#include "sqs/queue.h"

#include "base/log.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { HANDLES = 64 };

struct play {
    struct db *db;
    struct sqs *sqs;
    struct ctx ctx;
    struct rng rng;
    int64_t queue, fifo, dead;
    str handles[HANDLES];
    size_t n;
};

static void do_send(struct play *p, int64_t queue, str arguments)
{
    str rest = arguments;
    struct sqs_attribute attribute = {str_cut(&rest, '|'), str_cut(&rest, '|'),
                                      str_cut(&rest, '|')};
    struct sqs_send send = {
        .delay = -1, .attributes = &attribute, .nattributes = attribute.name.n > 0};
    send.group = str_cut(&rest, '|');
    send.dedup = str_cut(&rest, '|');
    send.body = rest;
    struct sqs_sent sent;
    (void)sqs_message_send(p->sqs, &p->ctx, queue, &send, &sent);
}

static void do_receive(struct play *p, int64_t queue, str arguments)
{
    struct sqs_message *messages;
    size_t n = 0;
    struct sqs_receive receive = {.max = arguments.n ? arguments.p[0] - '0' : 10, .visibility = -1};
    if (arguments.n > 1)
        receive.visibility = arguments.p[1] - '0';
    if (arguments.n > 2)
        receive.attempt = str_slice(arguments, 2, arguments.n);
    if (failed(sqs_message_receive(p->sqs, &p->ctx, queue, &receive, &messages, &n)))
        return;
    for (size_t i = 0; i < n; i++)
        p->handles[p->n++ % HANDLES] = messages[i].receipt;
}

static str handle_of(struct play *p, str arguments)
{
    return arguments.n == 1 ? p->handles[(unsigned char)arguments.p[0] % HANDLES] : arguments;
}

static void do_set(struct play *p, int64_t queue, str arguments)
{
    struct sqs_pair pair = {.name = str_cut(&arguments, '=')};
    pair.value = arguments;
    struct sqs_pair *pairs;
    size_t n;
    str all = S("All");
    (void)sqs_queue_set(p->sqs, &p->ctx, queue, &pair, 1);
    (void)sqs_queue_get(p->sqs, &p->ctx, queue, &all, 1, &pairs, &n);
}

static void do_permission(struct play *p, str arguments)
{
    str label = str_cut(&arguments, '|'), account = str_cut(&arguments, '|'), action = arguments;
    (void)sqs_permission_add(p->sqs, &p->ctx, p->queue, label, &account, account.n > 0, &action,
                             action.n > 0);
    if (label.n % 2)
        (void)sqs_permission_remove(p->sqs, &p->ctx, p->queue, label);
}

static void do_tick(struct play *p, str arguments)
{
    int64_t by = 0;
    if (str_to_int(arguments, &by) && by > 0 && by < 100000000)
        p->ctx.now += by;
    for (int i = 0; i < 100 && sqs_next_due(p->sqs) <= p->ctx.now; i++)
        sqs_tick(p->sqs, &p->ctx);
}

static void do_move(struct play *p, str arguments)
{
    str handle, token = arguments, *names;
    struct sqs_move_task *tasks;
    int64_t moved;
    size_t n;
    (void)sqs_move_start(p->sqs, &p->ctx, S("arn:aws:sqs:r:1:dead"),
                         arguments.n ? arguments : STR_NONE, 0, &handle);
    (void)sqs_move_list(p->sqs, &p->ctx, S("arn:aws:sqs:r:1:dead"), 10, &tasks, &n);
    (void)sqs_move_cancel(p->sqs, &p->ctx, arguments, &moved);
    (void)sqs_queue_list(p->sqs, &p->ctx, arguments, 1, &token, &names, &n);
}

static void call(struct play *p, str line)
{
    int64_t found;
    str rest = str_slice(line, 1, line.n);
    switch (line.n ? line.p[0] : 0) {
    case 's':
        do_send(p, p->queue, rest);
        break;
    case 'f':
        do_send(p, p->fifo, rest);
        break;
    case 'r':
        do_receive(p, p->queue, rest);
        break;
    case 'g':
        do_receive(p, p->fifo, rest);
        break;
    case 'd':
        (void)sqs_message_delete(p->sqs, &p->ctx, p->queue, handle_of(p, rest));
        break;
    case 'e':
        (void)sqs_message_delete(p->sqs, &p->ctx, p->fifo, handle_of(p, rest));
        break;
    case 'h':
        (void)sqs_message_hide(p->sqs, &p->ctx, p->queue, handle_of(p, rest), (int64_t)rest.n);
        break;
    case 'i':
        (void)sqs_message_hide(p->sqs, &p->ctx, p->fifo, handle_of(p, rest), 0);
        break;
    case 'u':
        (void)sqs_queue_at(p->sqs, &p->ctx, rest, &found);
        break;
    case 'a':
        do_set(p, p->queue, rest);
        break;
    case 'b':
        do_set(p, p->fifo, rest);
        break;
    case 'p':
        do_permission(p, rest);
        break;
    case 'm':
        do_move(p, rest);
        break;
    case 't':
        do_tick(p, rest);
        break;
    case 'x':
        (void)sqs_queue_purge(p->sqs, &p->ctx, p->fifo);
        break;
    case 'z':
        sqs_reload(p->sqs);
        break;
    default:
        (void)sqs_queue_create(p->sqs, &p->ctx, line, NULL, 0, NULL, 0, &found);
    }
}

static int64_t make(struct play *p, str name, str redrive, bool fifo)
{
    struct sqs_pair pairs[] = {{S("RedrivePolicy"), redrive}, {S("FifoQueue"), S("true")}};
    int64_t queue = 0;
    (void)sqs_queue_create(p->sqs, &p->ctx, name, pairs, fifo ? 2 : 1, NULL, 0, &queue);
    return queue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct play p = {.ctx = {.now = 1000, .account = S("1"), .region = S("r"), .host = S("h")}};
    char *message = NULL;
    log_set_level(LOG_ERROR);
    rng_seed(&p.rng, 1);
    p.ctx.rng = &p.rng;
    p.ctx.arena = arena_new();
    p.db = db_open(NULL, DURABLE_PROCESS, &message);
    p.sqs = sqs_open(p.db, NULL, NULL);
    p.dead = make(&p, S("dead"), S(""), false);
    p.queue =
        make(&p, S("q"),
             S("{\"deadLetterTargetArn\":\"arn:aws:sqs:r:1:dead\",\"maxReceiveCount\":2}"), false);
    p.fifo = make(&p, S("q.fifo"), S(""), true);
    for (str rest = {(const char *)data, n}; rest.p && rest.n;)
        call(&p, str_cut(&rest, '\n'));
    str wrong = sqs_check(p.sqs, p.ctx.arena);
    if (wrong.p) {
        fprintf(stderr, "%.*s\n", STR_ARG(wrong));
        abort();
    }
    sqs_close(p.sqs);
    db_close(p.db);
    arena_free(p.ctx.arena);
    return 0;
}
