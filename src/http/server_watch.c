/* http/server_watch.c - noticing that a peer has left. MHD 0.9.75 reads on edges: when the end of a
 * connection arrives together with data it sees the data, waits for another edge that never comes,
 * and keeps the connection for ever; and it does not look at suspended connections at all. So each
 * connection has a level-triggered watch for its peer's end, which fires once: a request waits, for
 * a message or as a stream -> hangup, and the connection is cut unless the app knows of an answer
 * that comes by itself; anything else -> MHD is made to read again, and finds the end itself. A
 * peer that has only stopped sending still gets its answer.
 *
 * The watches of connections without a request, or with half a head, stand in a line, the one that
 * has been so the longest first: at the limit of connections it goes. */
#include "http/server_exchange.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
    MANY = 512,         /* connections whose memory is worth a trim */
    STUCK_TURNS = 1024, /* of the loop between two looks for stuck uploads */
    FILES_LOOK_MS = 500,
};

struct watch *watch_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

int watch_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

void watch_peer(struct MHD_Connection *connection, char out[PEER_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    out[0] = 0;
    if (address && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out,
                  PEER_MAX);
    else if (address && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, out,
                  PEER_MAX);
    if (strncmp(out, "::ffff:", 7) == 0)
        memmove(out, out + 7, strlen(out + 7) + 1);
}

static void hang_up(struct exchange *exchange)
{
    struct http_app *app = &exchange->server->app;
    if (exchange->hung_up)
        return;
    exchange->hung_up = true;
    if (!exchange->known || app->hangup(app->user, &exchange->request))
        http_cut(&exchange->request);
}

void watch_waiting(struct exchange *exchange)
{
    if (exchange->watch && exchange->watch->left)
        hang_up(exchange);
}

/* Resuming marks a connection as readable. */
static void read_again(struct watch *watch)
{
    MHD_suspend_connection(watch->connection);
    MHD_resume_connection(watch->connection);
    watch->server->kick = true;
}

static void on_left(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    struct watch *watch = (struct watch *)poll;
    struct exchange *exchange = watch->exchange;
    uv_poll_stop(poll);
    watch->left = true;
    if (!exchange || !exchange->suspended)
        read_again(watch);
    else if (!exchange->line_link && (exchange->ended || exchange->queued))
        hang_up(exchange);
    /* Else its turn ends first (watch_waiting), or its body goes on (http_resume). */
}

/* ---- room for connections ---- */

void watch_busy(struct watch *watch)
{
    if (!watch || !watch->idle)
        return;
    struct http_server *server = watch->server;
    *(watch->older ? &watch->older->newer : &server->oldest) = watch->newer;
    *(watch->newer ? &watch->newer->older : &server->newest) = watch->older;
    watch->idle = false;
}

void watch_idle(struct watch *watch)
{
    if (!watch || watch->idle)
        return;
    struct http_server *server = watch->server;
    watch->idle = true;
    watch->older = server->newest;
    watch->newer = NULL;
    *(server->newest ? &server->newest->newer : &server->oldest) = watch;
    server->newest = watch;
}

/* MHD finds the end of the connection and closes it, as if the peer had left. */
static void end_connection(struct watch *watch)
{
    uv_poll_stop(&watch->poll);
    watch->left = true;
    shutdown(watch_socket(watch->connection), SHUT_RDWR);
    read_again(watch);
}

static void evict(struct watch *watch)
{
    watch_busy(watch);
    end_connection(watch);
}

/* ---- what MHD cannot go on with ---- */

static bool readable(const struct exchange *exchange)
{
    char byte;
    return recv(watch_socket(exchange->connection), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static bool has_become_short(const struct exchange *exchange)
{
    struct stat st;
    const struct http_reply *reply = exchange->reply;
    return exchange->file >= 0 && !fstat(exchange->file, &st) &&
           st.st_size < reply->offset + reply->length;
}

/* MHD takes the early end of a file for a socket that is full, and waits until it has room. */
static void look_at_files(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    if (!server->files)
        uv_timer_stop(timer);
    for (struct exchange *exchange = server->all; exchange; exchange = exchange->next) {
        if (!has_become_short(exchange) || exchange->suspended || !exchange->watch)
            continue;
        log_error("a body's file became shorter while it was sent; its connection is cut");
        end_connection(exchange->watch);
    }
}

static void look_for_stuck_uploads(struct http_server *server)
{
    for (struct exchange *exchange = server->all; exchange; exchange = exchange->next) {
        if (!exchange->request.chunked || exchange->ended || exchange->suspended)
            continue;
        bool was_left = exchange->left_unread;
        exchange->left_unread = readable(exchange);
        if (was_left && exchange->left_unread)
            MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
    }
}

void watch_turn(struct http_server *server)
{
    if (server->files && !uv_is_active((uv_handle_t *)&server->files_timer))
        uv_timer_start(&server->files_timer, look_at_files, FILES_LOOK_MS, FILES_LOOK_MS);
    if (++server->turns % STUCK_TURNS == 0)
        look_for_stuck_uploads(server);
}

bool watch_room(void *user)
{
    struct http_server *server = user;
    if (server->connections < server->connections_max)
        return true;
    if (server->oldest)
        evict(server->oldest);
    return false;
}

/* Thousands of connections leave hundreds of MiB that malloc would keep. */
static void give_back(struct http_server *server)
{
    if (server->connections_most < MANY || server->connections > server->connections_most / 8)
        return;
    server->connections_most = server->connections;
    malloc_trim(0);
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void start(struct http_server *server, struct MHD_Connection *connection, void **state)
{
    struct watch *watch = xalloc(sizeof *watch);
    server->connections++;
    if (server->connections > server->connections_most)
        server->connections_most = server->connections;
    if (uv_poll_init(server->loop, &watch->poll, watch_socket(connection))) {
        free(watch);
        return;
    }
    watch->server = server;
    watch->connection = connection;
    watch_peer(connection, watch->peer);
    *state = watch;
    watch_idle(watch);
    uv_poll_start(&watch->poll, UV_DISCONNECT, on_left);
}

void watch_connection(void *user, struct MHD_Connection *connection, void **state,
                      enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        start(server, connection, state);
        return;
    }
    server->connections--;
    give_back(server);
    watch_busy(*state);
    if (*state)
        uv_close(*state, closed);
    *state = NULL;
    listen_resume(server->listener);
}
