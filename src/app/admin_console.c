/* app/admin_console.c - the web console: the files of src/console/ as they are, with headers that
 * let the page do no more than it needs. It talks to the same endpoints as every other client and
 * has no rights of its own; what it was started with it reads from /_headrace/settings.
 *
 * What must not be broken: the page shows keys, bodies and messages that anybody may have made. The
 * policy below is the second wall behind its scripts, which make text and never markup: without
 * 'unsafe-inline' no injected script runs, and browsers with Trusted Types refuse markup made from
 * text altogether. */
#include "app/admin.h"
#include "app/console_assets.h"
#include "base/text.h"

#include <string.h>

#define PAGE "/_headrace/console"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

static const struct console_asset *asset_at(str path)
{
    str name = str_slice(path, sizeof PAGE - 1, path.n);
    if (str_starts(name, S("/")))
        name = str_slice(name, 1, name.n);
    for (size_t i = 0; i < console_assets_count; i++)
        if (str_eq(name, str_of(console_assets[i].name)))
            return &console_assets[i];
    return name.n ? NULL : &console_assets[0];
}

static void answer_asset(struct request *request)
{
    static const struct {
        const char *name, *value;
    } headers[] = {
        {"Content-Security-Policy", policy},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-cache"},
    };
    struct arena *arena = request->http->arena;
    const struct console_asset *asset = asset_at(request->http->path);
    if (!asset) {
        admin_answer_error(request, 404, S("the console has no such file"));
        return;
    }
    struct http_reply *reply = request_reply(request);
    http_reply_bytes(arena, reply, 200, str_of(asset->type),
                     (str){asset->begin, (size_t)(asset->end - asset->begin)});
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        http_reply_set(arena, reply, str_of(headers[i].name), str_of(headers[i].value));
    request_answer(request, reply);
}

/* ---- what the server was started with ---- */

static void put_text(struct buf *b, const char *name, str value)
{
    buf_printf(b, "\"%s\":", name);
    buf_json(b, value);
    buf_char(b, ',');
}

static void put_pipeline(struct buf *b, const struct pipeline_options *p)
{
    BUF_LIT(b, "{");
    put_text(b, "dropzone", p->dropzone);
    put_text(b, "processed", p->processed);
    put_text(b, "ingestQueue", p->ingest_queue);
    put_text(b, "jobsQueue", p->jobs_queue);
    put_text(b, "resultsQueue", p->results_queue);
    put_text(b, "deadLetterQueue", p->dead_letter_queue);
    put_text(b, "prefix", p->prefix);
    put_text(b, "suffix", p->suffix);
    put_text(b, "outputPrefix", p->output_prefix);
    buf_printf(b, "\"maxBytes\":%lld,\"visibilitySeconds\":%lld,\"maxReceives\":%lld}",
               (long long)p->max_bytes, (long long)p->visibility, (long long)p->max_receives);
}

static void answer_settings(struct request *request)
{
    static const char *const auth[] = {"off", "verify", "enforce"};
    const struct options *options = request->app->options;
    struct buf b = buf_in(request->http->arena);
    BUF_LIT(&b, "{");
    put_text(&b, "version", S(HEADRACE_VERSION));
    put_text(&b, "account", options->account);
    put_text(&b, "region", options->region);
    buf_printf(&b, "\"auth\":\"%s\",\"strict\":%s,\"trace\":%s,\"lint\":%s,\"pipeline\":",
               auth[options->auth], options->strict ? "true" : "false",
               request->app->trace ? "true" : "false", request->app->lint ? "true" : "false");
    if (request->app->pool)
        put_pipeline(&b, &options->pipeline);
    else
        BUF_LIT(&b, "null");
    BUF_LIT(&b, "}");
    admin_answer_json(request, 200, buf_str(&b));
}

const struct admin_row admin_console_rows[] = {
    {"GET", PAGE, answer_asset, "the web console, for a browser"},
    {"GET", PAGE "/*", answer_asset, "its files"},
    {"GET", "/_headrace/settings", answer_settings, "what this server was started with"},
    {NULL, NULL, NULL, NULL},
};
