/* http/server_head.c - the head of a request out of MHD's hands, and whether its framing can be
 * trusted.
 *
 * What MHD 0.9.75 lets through and we refuse: two Content-Length, Transfer-Encoding beside
 * Content-Length or other than "chunked", two Hosts, folded lines, blanks in header names, a
 * request line cut short by a NUL. */
#include "http/server_exchange.h"

#include <string.h>

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

const char *head_fault(const struct http_request *request, const char *version)
{
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
    if (hosts > 1)
        return "more than one Host";
    if (lengths > 1)
        return "more than one Content-Length";
    if (encodings > 1 || (encodings && lengths))
        return "Transfer-Encoding beside another framing header";
    if (encodings && !str_eq_nocase(http_header(request, S("Transfer-Encoding")), S("chunked")))
        return "unsupported Transfer-Encoding";
    return NULL;
}
