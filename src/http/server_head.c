/* http/server_head.c - the head of a request out of MHD's hands, and whether its framing can be
 * trusted.
 *
 * What MHD 0.9.75 lets through and we refuse: two Content-Length, Transfer-Encoding beside
 * Content-Length or other than "chunked", two Hosts, folded lines, blanks in header names, a
 * target cut short by a NUL, headers by one without a name, a length beyond 2^63. */
#include "http/server_exchange.h"

#include <string.h>

enum {
    NOTE_BYTES = 64,   /* of the pool, for each field of a head */
    SLACK_BYTES = 192, /* status line, date, what rounding costs */
};

/* MHD 0.9.75 adds a folded line to the name of its header instead of its value, in memory of its
 * own; else a value follows its name after NUL and blanks. Later ones unfold as RFC 9112 says.
 * What is folded loses its name, by which it is refused. */
static bool folded(const struct http_header *header)
{
#if MHD_VERSION < 0x00097600
    const char *end = header->name.p + header->name.n;
    if (header->value.p <= end)
        return header->value.p != end; /* there: no value at all */
    for (end++; end < header->value.p; end++)
        if (*end != ' ' && *end != '\t')
            return true;
#else
    (void)header;
#endif
    return false;
}

/* What a field costs besides its text. Cookies are copied, and each has a note. */
static size_t noted(const struct http_header *header)
{
    size_t n = NOTE_BYTES;
    if (!str_eq_nocase(header->name, S("Cookie")))
        return n;
    n += header->value.n + 2 * NOTE_BYTES;
    for (size_t i = 0; i < header->value.n; i++)
        n += header->value.p[i] == ';' || header->value.p[i] == ',' ? NOTE_BYTES : 0;
    return n;
}

static void take_room(struct exchange *exchange, size_t n)
{
    exchange->room -= n < exchange->room ? n : exchange->room;
}

static void take_head(struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    exchange->room = POOL_BYTES;
    take_room(exchange, info ? info->header_size : 0);
    for (size_t i = 0; i < request->nheaders; i++)
        take_room(exchange, noted(&request->headers[i]));
}

/* Where the end of the chunks arrives in pieces MHD 0.9.75 lists the last header as a trailer. */
static bool known_header(const struct http_request *request, const char *name)
{
    return request->nheaders && request->headers[request->nheaders - 1].name.p == name;
}

static enum MHD_Result take_trailer(void *user, enum MHD_ValueKind kind, const char *name,
                                    size_t name_size, const char *value, size_t value_size)
{
    (void)kind, (void)value;
    struct exchange *exchange = user;
    if (!known_header(&exchange->request, name))
        take_room(exchange, name_size + value_size + NOTE_BYTES);
    return MHD_YES;
}

void head_trailers(struct exchange *exchange)
{
    if (exchange->request.chunked)
        MHD_get_connection_values_n(exchange->connection, MHD_FOOTER_KIND, take_trailer, exchange);
}

bool head_leaves_room(struct exchange *exchange, size_t answer)
{
    if (answer + SLACK_BYTES <= exchange->room)
        return true;
    reply_send(exchange, S("HTTP/1.1 431 Request Header Fields Too Large\r\n"
                           "Connection: close\r\nContent-Length: 0\r\n\r\n"));
    return false;
}

/* Blanks around a value are not of it (RFC 9110, 5.5), but other white space is: to MHD a
 * "\vchunked" is no "chunked", and both of us must read the same head. */
static str without_blanks(str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_slice(s, 1, s.n);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct http_request *request = user;
    struct http_header *header = &request->headers[request->nheaders++];
    *header =
        (struct http_header){{name, name_size}, {value ? value : name + name_size, value_size}};
    if (folded(header))
        header->name.n = 0;
    /* MHD takes this one as it stands. */
    if (!str_eq_nocase(header->name, S("Transfer-Encoding")))
        header->value = without_blanks(header->value);
    return MHD_YES;
}

static str peer_of(struct exchange *exchange)
{
    char text[PEER_MAX];
    if (!exchange->watch)
        watch_peer(exchange->connection, text);
    return arena_copy(exchange->request.arena,
                      str_of(exchange->watch ? exchange->watch->peer : text));
}

void head_read(struct exchange *exchange, const char *method)
{
    struct http_request *request = &exchange->request;
    struct MHD_Connection *connection = exchange->connection;
    int n = MHD_get_connection_values(connection, MHD_HEADER_KIND, NULL, NULL);
    request->headers =
        arena_array(request->arena, (size_t)(n > 0 ? n : 0), sizeof *request->headers);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_header, request);
    take_head(exchange);
    request->method = arena_copy(request->arena, str_of(method));
    http_request_split(request);
    http_request_mark(request);
    request->peer = peer_of(exchange);
    str length = http_header(request, S("Content-Length"));
    if (length.p && !str_to_int(length, &request->content_length))
        request->content_length = -1;
    request->chunked = http_header(request, S("Transfer-Encoding")).p != NULL;
    if (!length.p && !request->chunked)
        request->content_length = 0;
}

static bool bad_name(str name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
            return true;
    return name.n == 0;
}

#if MHD_VERSION < 0x01000000
/* Whether anything but the ends of lines, which MHD made NULs, stands there. */
static bool written(const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from && *from != ' ' && *from != '\t' && *from != '\r' && *from != '\n')
            return true;
    return false;
}

/* A NUL ends a target before its end, and a header without a name all headers before theirs: what
 * follows would be passed over, or taken for another request. All of a head lies in one buffer,
 * from its method on. */
static bool passed_over(const struct exchange *exchange, const char *method, const char *version)
{
    const struct http_request *request = &exchange->request;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *end = method + (info ? info->header_size : 0), *last = version + strlen(version);
    const char *target = method + strlen(method) + 1;
    while (target < version && (*target == ' ' || *target == '\t'))
        target++;
    for (size_t i = 0; i < request->nheaders; i++) {
        str value = request->headers[i].value;
        if (value.p + value.n > last)
            last = value.p + value.n;
    }
    return written(target + exchange->target_length, version) || written(last, end);
}
#else
/* Later versions refuse both. */
static bool passed_over(const struct exchange *exchange, const char *method, const char *version)
{
    (void)exchange, (void)method, (void)version;
    return false;
}
#endif

const char *head_fault(const struct exchange *exchange, const char *method, const char *version)
{
    const struct http_request *request = &exchange->request;
    size_t lengths = 0, encodings = 0, hosts = 0;
    for (size_t i = 0; i < request->nheaders; i++) {
        const struct http_header *header = &request->headers[i];
        if (bad_name(header->name))
            return "malformed header name";
        hosts += str_eq_nocase(header->name, S("Host"));
        lengths += str_eq_nocase(header->name, S("Content-Length"));
        encodings += str_eq_nocase(header->name, S("Transfer-Encoding"));
        if (memchr(header->value.p, 0, header->value.n))
            return "NUL in a header";
    }
    if (strcmp(version, "HTTP/1.1") && strcmp(version, "HTTP/1.0"))
        return "malformed request line";
    if (passed_over(exchange, method, version))
        return "NUL in the request line, or a header without a name";
    if (hosts > 1)
        return "more than one Host";
    if (lengths > 1)
        return "more than one Content-Length";
    if (lengths && request->content_length < 0)
        return "Content-Length is no number of bytes";
    if (encodings > 1 || (encodings && lengths))
        return "Transfer-Encoding beside another framing header";
    if (encodings && !str_eq_nocase(http_header(request, S("Transfer-Encoding")), S("chunked")))
        return "unsupported Transfer-Encoding";
    return NULL;
}
