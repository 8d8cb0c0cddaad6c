/* app/admin.c - see admin.h: finding the row, and how answers look. */
#include "app/admin.h"

#include "base/text.h"

#include <string.h>

static const struct admin_row *const tables[] = {
    admin_health_rows, admin_clock_rows,   admin_sqs_rows,     admin_trace_rows,
    admin_fault_rows,  admin_metrics_rows, admin_state_rows,   admin_snapshot_rows,
    admin_status_rows, admin_lint_rows,    admin_console_rows,
};

#define EACH_ROW(row)                                                                              \
    for (size_t table_ = 0; table_ < sizeof tables / sizeof *tables; table_++)                     \
        for (const struct admin_row *row = tables[table_]; row->path; row++)

static bool path_matches(str path, const char *pattern)
{
    str p = str_of(pattern);
    if (str_ends(p, S("/*")))
        return str_starts(path, str_slice(p, 0, p.n - 1));
    return str_eq(path, p) || (path.n == p.n + 1 && str_starts(path, p) && str_ends(path, S("/")));
}

static bool has_credentials(const struct http_request *http)
{
    return http_header(http, S("Authorization")).p ||
           http_query_raw(http, S("X-Amz-Signature")).p ||
           http_query_raw(http, S("AWSAccessKeyId")).p;
}

static struct http_reply *reply_of(struct request *request, int status, str type, str bytes)
{
    struct http_reply *reply = request_reply(request);
    http_reply_bytes(request->http->arena, reply, status, type, bytes);
    http_reply_set(request->http->arena, reply, S("Cache-Control"), S("no-store"));
    return reply;
}

static void answer(struct request *request, int status, str type, str bytes)
{
    request_answer(request, reply_of(request, status, type, bytes));
}

void admin_answer_json(struct request *request, int status, str json)
{
    answer(request, status, S("application/json"), arena_join(request->http->arena, json, S("\n")));
}

void admin_answer_text(struct request *request, int status, str text)
{
    answer(request, status, S("text/plain; charset=utf-8"), text);
}

static str error_json(struct arena *arena, str text)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "{\"error\":");
    buf_json(&b, text);
    BUF_LIT(&b, "}\n");
    return buf_str(&b);
}

void admin_answer_error(struct request *request, int status, str text)
{
    answer(request, status, S("application/json"), error_json(request->http->arena, text));
}

static void answer_missing(struct request *request)
{
    admin_answer_error(request, 404, S("no such endpoint; GET /_headrace lists them"));
}

/* "GET, POST": what the path takes. */
static str methods_of(struct arena *arena, str path)
{
    struct buf b = buf_in(arena);
    EACH_ROW(row)
    if (path_matches(path, row->path))
        buf_printf(&b, "%s%s", b.n ? ", " : "", row->method);
    return buf_str(&b);
}

static void answer_wrong_method(struct request *request)
{
    struct arena *arena = request->http->arena;
    str takes = methods_of(arena, request->http->path);
    str text = arena_printf(arena, "this endpoint takes %.*s; GET /_headrace lists them all",
                            STR_ARG(takes));
    struct http_reply *reply =
        reply_of(request, 405, S("application/json"), error_json(arena, text));
    http_reply_set(arena, reply, S("Allow"), takes);
    request_answer(request, reply);
}

static const struct admin_row missing = {"", "", answer_missing, ""};
static const struct admin_row wrong_method = {"", "", answer_wrong_method, ""};

/* A person who types the bare address into a browser; to a program it is ListBuckets. (AWS sends
 * browsers from there to a page about S3.) */
static bool is_front_door(const struct http_request *http)
{
    return str_eq(http->path, S("/")) && str_eq(http->method, S("GET")) && !http->query.n &&
           !has_credentials(http) &&
           str_find(http_header(http, S("Accept")), S("text/html"), 0) >= 0;
}

static bool is_ours(const struct http_request *http)
{
    str path = http->path;
    if (is_front_door(http))
        return true;
    if (str_starts(path, S("/_headrace/")) || str_eq(path, S("/_headrace")))
        return true;
    if (path.n < 2)
        return false;
    EACH_ROW(row)
    if (row->path[1] == path.p[1] && path_matches(path, row->path))
        return row->path[1] == '_' || !has_credentials(http);
    return false;
}

const struct admin_row *admin_find(const struct http_request *http)
{
    const struct admin_row *found = &missing;
    struct route address;
    if (!is_ours(http))
        return NULL;
    /* A key of a virtual-host bucket may begin with anything. */
    route_address(http->arena, http, &address);
    if (address.virtual_host)
        return NULL;
    EACH_ROW(row)
    if (path_matches(http->path, row->path)) {
        bool head = str_eq(http->method, S("HEAD")) && !strcmp(row->method, "GET");
        if (head || str_eq(http->method, str_of(row->method)))
            return row;
        found = &wrong_method;
    }
    return found;
}

void admin_run(struct request *request)
{
    request->call.ctx.now = clock_now(&request->app->clock);
    request->admin->run(request);
}

void admin_gone(struct request *request)
{
    if (request->admin_state)
        request->admin_forget(request);
    request->admin_state = NULL;
}

/* ---- health, readiness, and the list of all this ---- */

/* A person who types the address means the console; the list is for programs, and for those who ask
 * for it. */
static bool shows_console(struct request *request)
{
    struct arena *arena = request->http->arena;
    str accept = http_header(request->http, S("Accept"));
    if (str_find(accept, S("text/html"), 0) < 0 || http_query(request->http, S("format")).p)
        return false;
    struct http_reply *reply = request_reply(request);
    reply->status = 302;
    http_reply_set(arena, reply, S("Location"), S("/_headrace/console"));
    http_reply_set(arena, reply, S("Cache-Control"), S("no-store"));
    http_reply_set(arena, reply, S("Vary"), S("Accept"));
    request_answer(request, reply);
    return true;
}

static void answer_index(struct request *request)
{
    if (shows_console(request))
        return;
    struct buf b = buf_in(request->http->arena);
    BUF_LIT(&b, "{\"endpoints\":[");
    size_t n = 0;
    EACH_ROW(row)
    {
        buf_printf(&b, "%s{\"method\":\"%s\",\"path\":\"%s\",\"help\":", n++ ? "," : "",
                   row->method, row->path);
        buf_json(&b, str_of(row->help));
        buf_char(&b, '}');
    }
    BUF_LIT(&b, "]}");
    admin_answer_json(request, 200, buf_str(&b));
}

static void answer_health(struct request *request)
{
    struct app *app = request->app;
    struct buf b = buf_in(request->http->arena);
    buf_printf(&b,
               "{\"status\":\"%s\",\"version\":\"" HEADRACE_VERSION
               "\",\"services\":{\"s3\":\"running\",\"sqs\":\"running\","
               "\"sts\":\"running\"},\"pipeline\":%s,\"region\":",
               app->stopping ? "stopping" : "ok", app->pool ? "true" : "false");
    buf_json(&b, app->options->region);
    buf_printf(&b, ",\"uptimeSeconds\":%lld,\"requests\":%llu,\"parked\":%zu}",
               (long long)((clock_micros() - app->started) / 1000000),
               (unsigned long long)app->requests, parks_count(app->parks));
    admin_answer_json(request, 200, buf_str(&b));
}

static void answer_ready(struct request *request)
{
    struct app *app = request->app;
    bool ready = app->serving && !app->stopping;
    admin_answer_json(request, ready ? 200 : 503,
                      ready ? S("{\"ready\":true}") : S("{\"ready\":false}"));
}

const struct admin_row admin_health_rows[] = {
    {"GET", "/", answer_index, "browsers are sent to the console; to all others it is ListBuckets"},
    {"GET", "/_headrace", answer_index,
     "this list; browsers are sent to the console (?format=json)"},
    {"GET", "/_headrace/health", answer_health, "200 while the process lives"},
    {"GET", "/_headrace/ready", answer_ready, "503 until everything configured exists, then 200"},
    {NULL, NULL, NULL, NULL},
};
