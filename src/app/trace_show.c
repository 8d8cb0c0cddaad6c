/* app/trace_show.c - events as JSON, and as a tree for people. A thing (object write, message) is a
 * branch; what happened to it are its leaves, in order, and what it caused are its branches. */
#include "app/trace.h"

#include "base/text.h"

static void member(struct buf *b, const char *name, str value)
{
    if (!value.p)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, value);
}

void trace_event_json(struct buf *b, const struct trace_event *event)
{
    buf_printf(b, "{\"seq\":%lld,\"at\":", (long long)event->seq);
    buf_json(b, date_iso_ms(b->arena, event->at));
    member(b, "kind", trace_kind_name(event->kind));
    member(b, "id", event->id);
    member(b, "because", event->because);
    member(b, "root", event->root);
    member(b, "subject", event->subject);
    member(b, "actor", event->actor);
    member(b, "reason", event->reason);
    member(b, "note", event->note);
    if (event->number)
        buf_printf(b, ",\"number\":%lld", (long long)event->number);
    if (event->until)
        member(b, "until", date_iso_ms(b->arena, event->until));
    buf_char(b, '}');
}

void trace_json(struct buf *b, str target, const struct trace_event *events, size_t n)
{
    BUF_LIT(b, "{\"target\":");
    buf_json(b, target);
    BUF_LIT(b, ",\"events\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        trace_event_json(b, &events[i]);
    }
    BUF_LIT(b, "]}");
}

/* ---- for people ---- */

struct tree {
    struct buf *b;
    const struct trace_event *events;
    size_t n;
    bool *shown;
    bool color;
    msec start;
};

static const char *color_of(enum trace_kind kind)
{
    switch (kind) {
    case TRACE_NOTHING:
    case TRACE_PASSED:
    case TRACE_WAITING:
        return "\033[33m";
    case TRACE_FAILED:
    case TRACE_REFUSED:
    case TRACE_DEAD:
    case TRACE_EXPIRED:
    case TRACE_FAULT:
        return "\033[31m";
    case TRACE_OBJECT:
    case TRACE_SENT:
    case TRACE_UPLOAD:
        return "\033[1m";
    default:
        return "";
    }
}

static void put_since(struct buf *b, msec since)
{
    if (since < 1000)
        buf_printf(b, "  +%lld ms", (long long)since);
    else if (since < 120000)
        buf_printf(b, "  +%lld.%03lld s", (long long)(since / 1000), (long long)(since % 1000));
    else
        buf_printf(b, "  +%lld min", (long long)(since / 60000));
}

static bool is_named(enum trace_kind kind)
{
    return kind == TRACE_OBJECT || kind == TRACE_SENT || kind == TRACE_UPLOAD;
}

static void put_head(struct buf *b, const struct trace_event *event)
{
    if (event->kind == TRACE_SENT)
        buf_printf(b, "message %.*s in ", STR_ARG(event->id));
    else if (event->kind == TRACE_UPLOAD)
        BUF_LIT(b, "upload of ");
    else if (event->kind != TRACE_OBJECT)
        buf_put(b, trace_kind_name(event->kind));
    if (event->subject.n)
        buf_printf(b, "%s%.*s", is_named(event->kind) ? "" : " ", STR_ARG(event->subject));
}

static void put_line(struct buf *b, const struct trace_event *event)
{
    put_head(b, event);
    if (event->kind == TRACE_RECEIVED)
        buf_printf(b, ", attempt %lld", (long long)event->number);
    if (event->actor.n)
        buf_printf(b, " by %.*s", STR_ARG(event->actor));
    if (event->until)
        buf_printf(b, ", %suntil %.*s",
                   event->kind == TRACE_SENT      ? "delayed "
                   : event->kind == TRACE_WAITING ? ""
                                                  : "hidden ",
                   STR_ARG(date_iso_ms(b->arena, event->until)));
    if (event->reason.n)
        buf_printf(b, ": %.*s", STR_ARG(event->reason));
    if (event->note.n)
        buf_printf(b, "  %.*s", STR_ARG(event->note));
}

/* Keys and names are anybody's. */
void trace_line(struct buf *b, const struct trace_event *event)
{
    struct buf line = buf_in(b->arena);
    put_line(&line, event);
    buf_visible(b, buf_str(&line));
}

static void put_event(struct tree *t, const struct trace_event *event)
{
    struct buf *b = t->b;
    if (t->color)
        buf_put(b, str_of(color_of(event->kind)));
    trace_line(b, event);
    if (t->color)
        BUF_LIT(b, "\033[0m");
    put_since(b, event->at - t->start);
    buf_char(b, '\n');
}

/* Is event j a line directly below the thing born in event i? */
static bool is_below(const struct tree *t, size_t i, size_t j)
{
    const struct trace_event *parent = &t->events[i], *event = &t->events[j];
    if (t->shown[j] || i == j)
        return false;
    return trace_is_birth(event->kind) ? str_eq(event->because, parent->id) && event->because.n
                                       : str_eq(event->id, parent->id);
}

static size_t next_below(const struct tree *t, size_t i, size_t from)
{
    while (from < t->n && !is_below(t, i, from))
        from++;
    return from;
}

static void put_branch(struct tree *t, size_t i, str indent)
{
    t->shown[i] = true;
    put_event(t, &t->events[i]);
    if (!trace_is_birth(t->events[i].kind))
        return;
    for (size_t j = next_below(t, i, 0); j < t->n;) {
        t->shown[j] = true;
        size_t next = next_below(t, i, j + 1);
        bool last = next >= t->n;
        buf_put(t->b, indent);
        buf_put(t->b, last ? S("└─ ") : S("├─ "));
        put_branch(t, j, arena_join(t->b->arena, indent, last ? S("   ") : S("│  ")));
        j = next_below(t, i, j + 1);
    }
}

void trace_tree(struct buf *b, struct arena *arena, const struct trace_event *events, size_t n,
                bool color)
{
    struct tree t = {
        .b = b, .events = events, .n = n, .color = color, .start = n ? events[0].at : 0};
    t.shown = arena_array(arena, n, sizeof *t.shown);
    for (int births_first = 1; births_first >= 0; births_first--)
        for (size_t i = 0; i < n; i++) {
            bool has_parent = false;
            for (size_t j = 0; births_first && j < n && !has_parent; j++)
                has_parent = j != i && trace_is_birth(events[j].kind) && is_below(&t, j, i);
            if (!t.shown[i] && !has_parent && (!births_first || trace_is_birth(events[i].kind)))
                put_branch(&t, i, S(""));
        }
}
