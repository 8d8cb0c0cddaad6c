/* http/client.c - how libcurl and libuv meet: curl says which sockets and which timeout it waits
 * for, uv_poll and uv_timer wait, and curl_multi_socket_action does the work. Finished transfers
 * are collected after each such call, and their `done` is called last, when the easy handle is
 * already back in the free list, so that it may start another fetch at once. */
#include "http/client.h"

#include "base/log.h"
#include "http/client_curl.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 1048576
#define STALL_SECONDS 60L

/* libcurl's state for one socket. */
struct watch {
    uv_poll_t poll; /* first: the handle is cast back on close */
    struct http_client *client;
    curl_socket_t socket;
};

struct http_fetch {
    struct http_client *client;
    struct http_fetch_options options;
    struct http_fetched fetched;
    size_t header_cap;
    struct buf body;
    CURL *easy;
    struct curl_slist *header_list;
    char error[CURL_ERROR_SIZE];
    struct http_fetch *next, **self; /* among the client's open fetches */
};

struct http_client {
    struct curl_calls curl;
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t timer;
    char *ca_bundle;
    struct http_fetch *open;
    CURL *spare; /* one idle handle: saves the set-up of the usual request after request */
    bool closing;
    size_t handles; /* uv handles not yet closed */
    void (*closed)(void *user);
    void *closed_user;
};

static void fetch_free(struct http_fetch *fetch)
{
    const struct curl_calls *curl = &fetch->client->curl;
    struct http_client *client = fetch->client;
    curl->multi_remove_handle(client->multi, fetch->easy);
    if (client->spare) {
        curl->easy_cleanup(fetch->easy);
    } else {
        curl->easy_reset(fetch->easy);
        client->spare = fetch->easy;
    }
    curl->slist_free_all(fetch->header_list);
    *fetch->self = fetch->next;
    if (fetch->next)
        fetch->next->self = fetch->self;
    free(fetch);
}

static void finish(struct http_fetch *fetch, CURLcode code)
{
    const struct curl_calls *curl = &fetch->client->curl;
    struct http_fetch_options options = fetch->options;
    struct http_fetched fetched = fetch->fetched;
    fetched.body = buf_str(&fetch->body);
    if (code != CURLE_OK) {
        const char *why = fetch->error[0] ? fetch->error : curl->easy_strerror(code);
        fetched.error = arena_copy(options.arena, str_of(why));
        fetched.status = 0;
    }
    fetch_free(fetch);
    options.done(options.user, &fetched);
}

static void collect(struct http_client *client)
{
    const struct curl_calls *curl = &client->curl;
    CURLMsg *message;
    int left;
    while (!client->closing && (message = curl->multi_info_read(client->multi, &left))) {
        struct http_fetch *fetch;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
        finish(fetch, code);
    }
}

static void socket_active(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = (struct watch *)poll;
    struct http_client *client = watch->client;
    const struct curl_calls *curl = &client->curl;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    curl->multi_socket_action(client->multi, watch->socket, flags, &running);
    collect(client);
}

static void handle_closed(struct http_client *client)
{
    if (--client->handles || !client->closing)
        return;
    void (*closed)(void *) = client->closed;
    void *user = client->closed_user;
    free(client->ca_bundle);
    free(client);
    if (closed)
        closed(user);
}

static void watch_closed(uv_handle_t *handle)
{
    struct watch *watch = (struct watch *)handle;
    struct http_client *client = watch->client;
    free(watch);
    handle_closed(client);
}

static struct watch *watch_new(struct http_client *client, curl_socket_t socket)
{
    const struct curl_calls *curl = &client->curl;
    struct watch *watch = xalloc(sizeof *watch);
    watch->client = client;
    watch->socket = socket;
    uv_poll_init_socket(client->loop, &watch->poll, socket);
    client->handles++;
    curl->multi_assign(client->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *state)
{
    struct http_client *client = user;
    struct watch *watch = state;
    const struct curl_calls *curl = &client->curl;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (!watch)
            return 0;
        uv_poll_stop(&watch->poll);
        curl->multi_assign(client->multi, socket, NULL);
        uv_close((uv_handle_t *)&watch->poll, watch_closed);
        return 0;
    }
    if (!watch)
        watch = watch_new(client, socket);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, socket_active);
    return 0;
}

static void timed_out(uv_timer_t *timer)
{
    struct http_client *client = timer->data;
    const struct curl_calls *curl = &client->curl;
    int running;
    curl->multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(client);
}

static int on_timer(CURLM *multi, long timeout, void *user)
{
    struct http_client *client = user;
    (void)multi;
    if (timeout < 0 || client->closing)
        uv_timer_stop(&client->timer);
    else
        uv_timer_start(&client->timer, timed_out, (uint64_t)timeout, 0);
    return 0;
}

struct http_client *http_client_new(uv_loop_t *loop, const char *ca_bundle, long max_connections)
{
    struct http_client *client = xalloc(sizeof *client);
    const struct curl_calls *curl = &client->curl;
    curl_calls_open(&client->curl);
    client->loop = loop;
    client->ca_bundle = ca_bundle ? xstrdup(str_of(ca_bundle)) : NULL;
    client->multi = curl->multi_init();
    uv_timer_init(loop, &client->timer);
    client->timer.data = client;
    client->handles = 1;
    curl->multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl->multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl->multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl->multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl->multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS, max_connections);
    curl->multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 2 * max_connections);
    curl->multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return client;
}

static void timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void http_client_close(struct http_client *client, void (*closed)(void *user), void *user)
{
    const struct curl_calls *curl = &client->curl;
    client->closing = true;
    client->closed = closed;
    client->closed_user = user;
    while (client->open)
        fetch_free(client->open);
    if (client->spare)
        curl->easy_cleanup(client->spare);
    curl->multi_cleanup(client->multi);
    uv_timer_stop(&client->timer);
    uv_close((uv_handle_t *)&client->timer, timer_closed);
}

static bool taken_by_piece(struct http_fetch *fetch)
{
    return fetch->options.piece && fetch->fetched.status / 100 == 2;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct http_fetch *fetch = user;
    size_t max = fetch->options.body_max ? fetch->options.body_max : BODY_MAX;
    str piece = {bytes, size * n};
    if (taken_by_piece(fetch))
        return fetch->options.piece(fetch->options.user, piece) ? piece.n : 0;
    if (piece.n > max - fetch->body.n)
        return 0;
    buf_put(&fetch->body, piece);
    return piece.n;
}

static void add_header(struct http_fetch *fetch, str name, str value)
{
    struct http_fetched *fetched = &fetch->fetched;
    struct arena *arena = fetch->options.arena;
    if (fetched->nheaders == fetch->header_cap) {
        size_t cap = fetch->header_cap ? 2 * fetch->header_cap : 16;
        fetched->headers =
            arena_grow(arena, fetched->headers, fetch->header_cap * sizeof *fetched->headers,
                       cap * sizeof *fetched->headers);
        fetch->header_cap = cap;
    }
    fetched->headers[fetched->nheaders++] =
        (struct http_header){arena_copy(arena, name), arena_copy(arena, value)};
}

/* One header line; a status line starts anew, for "100 Continue" comes before the answer. */
static size_t on_header(char *bytes, size_t size, size_t n, void *user)
{
    struct http_fetch *fetch = user;
    str line = {bytes, size * n}, rest = str_trim(line);
    if (str_starts(line, S("HTTP/"))) {
        str_cut(&rest, ' ');
        int64_t status = 0;
        str_to_int(str_slice(rest, 0, 3), &status);
        fetch->fetched.status = (int)status;
        fetch->fetched.nheaders = 0;
        return line.n;
    }
    str name = str_cut(&rest, ':');
    if (rest.p)
        add_header(fetch, str_trim(name), str_trim(rest));
    return line.n;
}

static struct curl_slist *header_list(const struct curl_calls *curl,
                                      const struct http_fetch_options *options)
{
    struct curl_slist *list = NULL;
    bool has_type = false;
    for (size_t i = 0; i < options->nheaders; i++) {
        const struct http_header *header = &options->headers[i];
        has_type |= str_eq_nocase(header->name, S("Content-Type"));
        /* curl drops "Name:" and sends "Name;" as a header without a value. */
        str line = arena_printf(options->arena, header->value.n ? "%.*s: %.*s" : "%.*s;%.*s",
                                STR_ARG(header->name), STR_ARG(header->value));
        list = curl->slist_append(list, line.p);
    }
    list = curl->slist_append(list, "Expect:");
    if (!has_type)
        list = curl->slist_append(list, "Content-Type:");
    return list;
}

static void set_limits(const struct curl_calls *curl, CURL *easy,
                       const struct http_fetch_options *options)
{
    long connect = options->connect_timeout ? (long)options->connect_timeout : 5000L;
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout);
    if (options->timeout)
        return;
    curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
}

static void set_method(struct http_fetch *fetch)
{
    const struct curl_calls *curl = &fetch->client->curl;
    const struct http_fetch_options *options = &fetch->options;
    CURL *easy = fetch->easy;
    if (options->body.p || str_eq(options->method, S("POST")) ||
        str_eq(options->method, S("PUT"))) {
        curl->easy_setopt(easy, CURLOPT_POST, 1L);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, options->body.p ? options->body.p : "");
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body.n);
    }
    if (str_eq(options->method, S("HEAD")))
        curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else
        curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, arena_cstr(options->arena, options->method));
}

/* What is on this machine or its link is never asked through a proxy, whatever http_proxy says. */
static bool is_near(str url)
{
    static const char *const hosts[] = {"http://127.", "http://localhost", "http://[::1]",
                                        "http://169.254."};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (str_starts(url, str_of(hosts[i])))
            return true;
    return false;
}

static void set_up(struct http_fetch *fetch)
{
    const struct curl_calls *curl = &fetch->client->curl;
    const struct http_fetch_options *options = &fetch->options;
    CURL *easy = fetch->easy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl->easy_setopt(easy, CURLOPT_URL, arena_cstr(options->arena, options->url));
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    if (fetch->client->ca_bundle)
        curl->easy_setopt(easy, CURLOPT_CAINFO, fetch->client->ca_bundle);
    fetch->header_list = header_list(curl, options);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->header_list);
    if (is_near(options->url))
        curl->easy_setopt(easy, CURLOPT_PROXY, "");
    set_method(fetch);
    set_limits(curl, easy, options);
}

struct http_fetch *http_client_fetch(struct http_client *client,
                                     const struct http_fetch_options *options)
{
    const struct curl_calls *curl = &client->curl;
    struct http_fetch *fetch = xalloc(sizeof *fetch);
    fetch->client = client;
    fetch->options = *options;
    fetch->body = buf_in(options->arena);
    fetch->easy = client->spare ? client->spare : curl->easy_init();
    client->spare = NULL;
    fetch->next = client->open;
    fetch->self = &client->open;
    if (fetch->next)
        fetch->next->self = &fetch->next;
    client->open = fetch;
    set_up(fetch);
    curl->multi_add_handle(client->multi, fetch->easy);
    return fetch;
}

void http_fetch_cancel(struct http_fetch *fetch)
{
    fetch_free(fetch);
}

str http_fetched_header(const struct http_fetched *fetched, str name)
{
    for (size_t i = 0; i < fetched->nheaders; i++)
        if (str_eq_nocase(fetched->headers[i].name, name))
            return fetched->headers[i].value;
    return STR_NONE;
}
