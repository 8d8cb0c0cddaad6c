/* app/admin_trace.c - the trace over HTTP: one life as JSON or text, and all events as a stream.
 *   GET /_headrace/trace?target=s3://b/k|ID|TEXT[&format=text]   {"target":...,"events":[...]}
 *   GET /_headrace/events[?after=SEQ][&target=...][&format=text] server-sent events: one `data:`
 * line of JSON (or text) each; with a target only what belongs to it, or is caused by what does.
 * Last-Event-ID is understood as `after` is; an event that this process has not reached is one of
 * its predecessor, whose follower has seen nothing of it.
 *
 * A follower is told of an event once the turn that made it has committed. */
#include "app/admin.h"
#include "app/trace.h"
#include "app/trace_feed.h"
#include "app/trace_wait.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A follower's stream: the text that waits to be sent, and how far it got. */
struct follower {
    struct request *request;
    int64_t seq;               /* the last event sent, or left out */
    struct trace_watch *watch; /* NULL: everything */
    bool people;               /* lines of text */
    struct arena *arena;
    struct buf text;
    size_t sent;
    struct follower *next, **link;
};

static bool refuses(struct request *request)
{
    if (request->app->trace)
        return false;
    admin_answer_error(request, 409, S("nothing is traced: this server runs with --trace off"));
    return true;
}

static void answer_trace(struct request *request)
{
    if (refuses(request))
        return;
    struct arena *arena = request->http->arena;
    str target = http_query(request->http, S("target"));
    struct buf b = buf_in(arena);
    struct trace_event *events;
    size_t n;
    if (!target.n) {
        admin_answer_error(request, 400,
                           S("give ?target= an s3:// URL, a message id, a request id, or a text "
                             "such as a job id"));
        return;
    }
    trace_find(request->app->trace, arena, target, &events, &n);
    trace_wait(request->app, arena, &events, &n);
    if (str_eq(http_query(request->http, S("format")), S("text"))) {
        trace_tree(&b, arena, events, n,
                   str_eq(http_query(request->http, S("color")), S("always")));
        if (!n)
            buf_printf(&b,
                       "nothing is known of %.*s: no request named it since the start, or what "
                       "did is forgotten (--trace-mib)\n",
                       STR_ARG(target));
        admin_answer_text(request, n ? 200 : 404, buf_str(&b));
        return;
    }
    trace_json(&b, target, events, n);
    admin_answer_json(request, 200, buf_str(&b));
}

static void put_event(struct follower *follower, const struct trace_event *event, int depth)
{
    struct buf *b = &follower->text;
    if (!follower->people) {
        trace_event_json(b, event);
        return;
    }
    buf_put(b, date_iso_ms(b->arena, event->at));
    for (int i = 0; i <= depth; i++)
        BUF_LIT(b, "  ");
    trace_line(b, event);
}

static void fill(struct follower *follower)
{
    struct trace_event event;
    const struct trace *trace = follower->request->app->trace;
    arena_reset(follower->arena);
    follower->text = buf_in(follower->arena);
    follower->sent = 0;
    while (follower->text.n < 16384 && follower->seq < follower->request->app->told &&
           trace_next(trace, follower->seq, &event)) {
        int depth = 0;
        follower->seq = event.seq;
        if (follower->watch && !trace_watch_takes(follower->watch, &event, &depth))
            continue;
        buf_printf(&follower->text, "id: %lld\ndata: ", (long long)event.seq);
        put_event(follower, &event, depth);
        BUF_LIT(&follower->text, "\n\n");
    }
}

static long pull(void *state, int64_t position, char *out, size_t n)
{
    struct follower *follower = state;
    (void)position;
    if (follower->sent == follower->text.n)
        fill(follower);
    size_t left = follower->text.n - follower->sent, take = left < n ? left : n;
    if (take)
        memcpy(out, follower->text.p + follower->sent, take);
    follower->sent += take;
    return take || !follower->request->app->stopping ? (long)take : -1;
}

static void leave(struct follower *follower)
{
    if (!follower->link)
        return;
    *follower->link = follower->next;
    if (follower->next)
        follower->next->link = follower->link;
    follower->link = NULL;
}

static void pull_free(void *state)
{
    struct follower *follower = state;
    leave(follower);
    if (follower->watch)
        trace_watch_end(follower->watch);
    arena_free(follower->arena);
    free(follower);
}

/* The last event that the follower knows. */
static int64_t known(struct request *request)
{
    int64_t seq, told = request->app->told;
    str after = http_query(request->http, S("after"));
    if (!after.n)
        after = http_header(request->http, S("Last-Event-ID"));
    if (!after.n)
        return told;
    return str_to_int(after, &seq) && seq > 0 && seq <= told ? seq : 0;
}

static void answer_events(struct request *request)
{
    if (refuses(request))
        return;
    struct app *app = request->app;
    struct arena *arena = request->http->arena;
    struct follower *follower = xalloc(sizeof *follower);
    str target = http_query(request->http, S("target"));
    *follower = (struct follower){.request = request, .arena = arena_new(), .seq = known(request)};
    follower->text = buf_in(follower->arena);
    /* A comment: the stream begins before there is an event to tell, so that its reader knows. */
    BUF_LIT(&follower->text, ":\n\n");
    follower->people = str_eq(http_query(request->http, S("format")), S("text"));
    if (target.n)
        follower->watch = trace_watch_begin(app->trace, target);
    follower->next = app->followers;
    follower->link = &app->followers;
    if (app->followers)
        app->followers->link = &follower->next;
    app->followers = follower;
    struct http_reply *reply = request_reply(request);
    http_reply_set(arena, reply, S("Content-Type"), S("text/event-stream"));
    http_reply_set(arena, reply, S("Cache-Control"), S("no-store"));
    reply->kind = HTTP_BODY_PULL;
    reply->length = -1;
    reply->pull = pull;
    reply->pull_free = pull_free;
    reply->pull_state = follower;
    request_answer(request, reply);
}

void trace_wake_followers(struct app *app)
{
    if (app->told == trace_last(app->trace))
        return;
    app->told = trace_last(app->trace);
    for (struct follower *follower = app->followers; follower; follower = follower->next)
        app->outlet->wake(follower->request->http);
}

void trace_end_followers(struct app *app)
{
    for (struct follower *follower = app->followers; follower; follower = follower->next)
        app->outlet->wake(follower->request->http);
}

const struct admin_row admin_trace_rows[] = {
    {"GET", "/_headrace/trace", answer_trace,
     "the life of ?target= (s3:// URL, message id, job id); &format=text for people"},
    {"GET", "/_headrace/events", answer_events,
     "events as they are committed, as server-sent events; ?target= for one life"},
    {NULL, NULL, NULL, NULL},
};
