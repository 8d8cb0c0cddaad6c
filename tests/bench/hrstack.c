/* hrstack.c - the least server that is made of libmicrohttpd and SQLite: a second ceiling of the
 * benchmark, for what such a server adds to hrnull.c's nothing no other made of them can save.
 *
 *     hrstack PORT UPSTREAM DIRECTORY
 *
 * Answers are learned from the server on the port UPSTREAM (learn.h), one for each target and
 * signature. Nothing is parsed or checked. What a request must leave behind is as little as can be:
 *
 *   SendMessage                      a row with the request's body
 *   SendMessageBatch                 ten, each with a tenth of it
 *   ReceiveMessage, DeleteMessage    the oldest row that was not yet is marked, then deleted
 *   PutObject                        a row with the body, in the place of the last one
 *   GetObject                        nothing, but the body in the answer is read from that row
 *
 * The rest is as in the product: its store with its settings (store/db.h), its flags of
 * libmicrohttpd, one commit for all requests of a turn, answers after it. A connection that is
 * alone has a commit of its own. */
#include "learn/learn.h"
#include "store/db.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { POOL_BYTES = 20 * 1024, HEADERS = 24, BATCH = 10 };

enum duty { NOTHING, SEND, SEND_BATCH, RECEIVE, DELETE, DELETE_QUEUE, PUT, GET };

static const struct {
    const char *name;
    enum duty duty;
} operations[] = {
    {"AmazonSQS.SendMessage", SEND},         {"AmazonSQS.SendMessageBatch", SEND_BATCH},
    {"AmazonSQS.ReceiveMessage", RECEIVE},   {"AmazonSQS.DeleteMessage", DELETE},
    {"AmazonSQS.DeleteQueue", DELETE_QUEUE},
};

/* How a learned answer is given. */
struct known {
    enum duty duty;
    unsigned status;
    size_t nheaders;
    char *names[HEADERS], *values[HEADERS];
    struct MHD_Response *response;
};

struct stack {
    struct db *db;
    struct MHD_Daemon *daemon;
    struct lessons *lessons;
    struct known *known; /* beside each of lessons->answers */
    struct request *spare;
    unsigned connections;
    uint64_t turn;
    bool dirty; /* somebody waits for the commit */
    int64_t sent, received, deleted;
    pthread_t checkpointer;
    bool started;
    atomic_bool checkpointing;
};

struct request {
    struct request *next; /* spare */
    char *target, *body;
    size_t target_cap, n, cap;
    struct answer *answer; /* NULL: the body is not complete */
    uint64_t turn;         /* in which it wrote */
    bool begun, writes;
};

static const char *const tables[] = {
    "CREATE TABLE message(id INTEGER PRIMARY KEY, received INTEGER, body BLOB NOT NULL);"
    "CREATE TABLE object(id INTEGER PRIMARY KEY, body BLOB NOT NULL);",
};

static char *append(char *p, size_t *cap, size_t at, const char *bytes, size_t n)
{
    if (at + n > *cap) {
        *cap = 2 * (at + n) + 256;
        p = realloc(p, *cap);
    }
    memcpy(p + at, bytes, n);
    return p;
}

/* ---- rows ---- */

static void run(struct stmt *stmt)
{
    if (failed(stmt_run(stmt)))
        die("write");
}

static void insert_message(struct stack *stack, const char *body, size_t n)
{
    struct stmt *stmt = db_sql(stack->db, "INSERT INTO message(id, body) VALUES(?, ?)");
    bind_int(stmt, 1, ++stack->sent);
    bind_blob(stmt, 2, (str){body, n});
    run(stmt);
}

static void insert_batch(struct stack *stack, const struct request *request)
{
    for (size_t i = 0; i < BATCH; i++)
        insert_message(stack, request->body + i * request->n / BATCH,
                       (i + 1) * request->n / BATCH - i * request->n / BATCH);
}

static void on_message(struct stmt *stmt, int64_t id)
{
    bind_int(stmt, 1, id);
    run(stmt);
}

static void delete_messages(struct stack *stack)
{
    run(db_sql(stack->db, "DELETE FROM message"));
    stack->received = stack->deleted = stack->sent;
}

static int64_t object_of(const struct request *request)
{
    return (int64_t)XXH3_64bits(request->target, strlen(request->target));
}

static void put_object(struct stack *stack, const struct request *request)
{
    struct stmt *stmt = db_sql(stack->db, "REPLACE INTO object(id, body) VALUES(?, ?)");
    bind_int(stmt, 1, object_of(request));
    bind_blob(stmt, 2, (str){request->body ? request->body : "", request->n});
    run(stmt);
}

/* Whether the request wrote. */
static bool perform(struct stack *stack, const struct request *request, enum duty duty)
{
    struct db *db = stack->db;
    if (duty == SEND)
        insert_message(stack, request->body, request->n);
    else if (duty == SEND_BATCH)
        insert_batch(stack, request);
    else if (duty == RECEIVE && stack->received < stack->sent)
        on_message(db_sql(db, "UPDATE message SET received = 1 WHERE id = ?"), ++stack->received);
    else if (duty == DELETE && stack->deleted < stack->received)
        on_message(db_sql(db, "DELETE FROM message WHERE id = ?"), ++stack->deleted);
    else if (duty == DELETE_QUEUE)
        delete_messages(stack);
    else if (duty == PUT)
        put_object(stack, request);
    else
        return false;
    return true;
}

static void *checkpoint(void *arg)
{
    struct stack *stack = arg;
    db_checkpoint(stack->db, db_checkpoint_due(stack->db) == DB_CHECKPOINT_RESET);
    stack->checkpointing = false;
    return NULL;
}

static void checkpoint_maybe(struct stack *stack)
{
    if (db_checkpoint_due(stack->db) == DB_CHECKPOINT_NONE || stack->checkpointing)
        return;
    if (stack->started)
        pthread_join(stack->checkpointer, NULL);
    stack->checkpointing = true;
    stack->started = !pthread_create(&stack->checkpointer, NULL, checkpoint, stack);
}

static void commit(struct stack *stack)
{
    if (failed(db_turn_commit(stack->db)))
        die("commit");
    stack->turn++;
    stack->dirty = false;
}

/* ---- answers ---- */

static enum MHD_Result write_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    fprintf(user, "%s: %s\r\n", name, value);
    return MHD_YES;
}

static void learn(struct stack *stack, struct MHD_Connection *connection, const char *method,
                  const struct request *request, struct answer *answer)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    fprintf(out, "%s %s HTTP/1.1\r\n", method, request->target);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, write_header, out);
    fprintf(out, "\r\n");
    if (request->n)
        fwrite(request->body, 1, request->n, out);
    fclose(out);
    lessons_learn(stack->lessons, answer, text, n);
    free(text);
}

static bool is_ours_to_say(const char *name)
{
    static const char *const not [] = {"Content-Length", "Connection", "Date"};
    for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
        if (!strcasecmp(name, not [i]))
            return false;
    return true;
}

/* The lines of the answer's head, after the first. */
static void read_headers(struct known *known, char *line)
{
    while ((line = strstr(line, "\r\n")) && known->nheaders < HEADERS) {
        line += 2;
        char *end = strstr(line, "\r\n"),
             *colon = end ? memchr(line, ':', (size_t)(end - line)) : NULL;
        if (!colon)
            return;
        char *name = strndup(line, (size_t)(colon - line));
        char *value = strndup(colon + 2, (size_t)(end - colon - 2));
        if (is_ours_to_say(name)) {
            known->names[known->nheaders] = name;
            known->values[known->nheaders++] = value;
        }
        line = end;
    }
}

static struct MHD_Response *response_of(const struct known *known, const char *body, size_t n,
                                        enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)body, mode);
    for (size_t i = 0; i < known->nheaders; i++)
        MHD_add_response_header(response, known->names[i], known->values[i]);
    return response;
}

static enum duty duty_of(struct MHD_Connection *connection, const char *method,
                         const struct known *known)
{
    const char *name = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Amz-Target");
    for (size_t i = 0; name && i < sizeof operations / sizeof *operations; i++)
        if (!strcmp(operations[i].name, name))
            return operations[i].duty;
    for (size_t i = 0; i < known->nheaders; i++)
        if (!strcasecmp(known->names[i], "ETag"))
            return strcmp(method, "PUT") ? GET : PUT;
    return NOTHING;
}

static struct known *known_of(struct stack *stack, const struct answer *answer)
{
    return &stack->known[answer - stack->lessons->answers];
}

static struct answer *answer_to(struct stack *stack, struct MHD_Connection *connection,
                                const char *method, const struct request *request)
{
    const char *signature =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    uint64_t hash = XXH3_64bits(request->target, strlen(request->target));
    if (signature)
        hash = XXH3_64bits_withSeed(signature, strlen(signature), hash);
    struct answer *answer = lessons_find(stack->lessons, hash);
    if (answer->p)
        return answer;
    learn(stack, connection, method, request, answer);
    struct known *known = known_of(stack, answer);
    char *head = strndup(answer->p, answer->head_n);
    known->status = (unsigned)atoi(head + sizeof "HTTP/1.1");
    read_headers(known, head);
    known->duty = duty_of(connection, method, known);
    known->response = response_of(known, answer->p + answer->head_n, answer->n - answer->head_n,
                                  MHD_RESPMEM_PERSISTENT);
    free(head);
    return answer;
}

static enum MHD_Result send_object(struct stack *stack, struct MHD_Connection *connection,
                                   const struct request *request, const struct known *known)
{
    db_share_reads(stack->db);
    struct stmt *stmt = db_sql(stack->db, "SELECT body FROM object WHERE id = ?");
    bind_int(stmt, 1, object_of(request));
    if (!stmt_row(stmt))
        die("an object is not there");
    str body = col_str(stmt, 0);
    struct MHD_Response *response = response_of(known, body.p, body.n, MHD_RESPMEM_MUST_COPY);
    stmt_done(stmt);
    enum MHD_Result result = MHD_queue_response(connection, known->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- requests ---- */

static void *on_target(void *user, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct stack *stack = user;
    struct request *request = stack->spare;
    if (request)
        stack->spare = request->next;
    else
        request = calloc(1, sizeof *request);
    request->target = append(request->target, &request->target_cap, 0, target, strlen(target) + 1);
    request->n = 0;
    request->answer = NULL;
    request->begun = request->writes = false;
    return request;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection, (void)code;
    struct stack *stack = user;
    struct request *request = *state;
    if (!request)
        return;
    *state = NULL;
    request->next = stack->spare;
    stack->spare = request;
}

static void count(void *user, struct MHD_Connection *connection, void **state,
                  enum MHD_ConnectionNotificationCode code)
{
    (void)connection, (void)state;
    struct stack *stack = user;
    stack->connections += code == MHD_CONNECTION_NOTIFY_STARTED ? 1u : -1u;
}

/* The body is complete: called when it is, and again while there is no answer. */
static enum MHD_Result finish(struct stack *stack, struct MHD_Connection *connection,
                              const char *method, struct request *request)
{
    if (!request->answer) {
        request->answer = answer_to(stack, connection, method, request);
        request->writes = perform(stack, request, known_of(stack, request->answer)->duty);
        request->turn = stack->turn;
        stack->dirty |= request->writes;
        if (request->writes && stack->connections == 1)
            commit(stack);
    }
    if (request->writes && request->turn == stack->turn)
        return MHD_YES;
    const struct known *known = known_of(stack, request->answer);
    return known->duty == GET ? send_object(stack, connection, request, known)
                              : MHD_queue_response(connection, known->status, known->response);
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *n, void **state)
{
    (void)url, (void)version;
    struct request *request = *state;
    if (!request->begun) {
        request->begun = true;
        return MHD_YES;
    }
    if (!*n)
        return finish(user, connection, method, request);
    request->body = append(request->body, &request->cap, request->n, bytes, *n);
    request->n += *n;
    *n = 0;
    return MHD_YES;
}

/* ---- the loop ---- */

static struct MHD_Daemon *daemon_start(struct stack *stack, const char *port)
{
    struct sockaddr_in here = loopback(port);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, stack,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&here, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, stack, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        stack, MHD_OPTION_NOTIFY_CONNECTION, count, stack, MHD_OPTION_END);
    if (!daemon)
        die("MHD_start_daemon");
    return daemon;
}

static void turn(struct stack *stack, int epoll)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;
    bool at_once = MHD_get_timeout(stack->daemon, &wait) == MHD_YES && !wait;
    struct pollfd polled = {.fd = epoll, .events = POLLIN};
    if (!at_once)
        poll(&polled, 1, -1);
    MHD_run(stack->daemon);
    while (stack->dirty) {
        commit(stack);
        MHD_run(stack->daemon);
    }
    db_share_end(stack->db);
    checkpoint_maybe(stack);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: hrstack PORT UPSTREAM DIRECTORY\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    struct stack *stack = calloc(1, sizeof *stack);
    char *message = NULL;
    stack->db = db_open(argv[3], DURABLE_PROCESS, &message);
    if (!stack->db) {
        fprintf(stderr, "hrstack: %s\n", message);
        return 1;
    }
    db_migrate(stack->db, "stack", tables, 1);
    stack->lessons = lessons_from(argv[2]);
    stack->known = calloc(LEARN_SLOTS, sizeof *stack->known);
    stack->daemon = daemon_start(stack, argv[1]);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(stack->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int epoll = info->epoll_fd;
    for (;;)
        turn(stack, epoll);
}
