/* app/admin_clock.c - /_headrace/clock: what virtual time it is, and moving it.
 *
 *   GET
 *   POST {"advance":"90s"|milliseconds}    forward, with all that falls due on the way
 *        {"set":"2026-01-01T00:00:00Z"}    the same to an instant; backwards only the clock moves
 *        {"freeze":true|"TIME"}            stands still, now or at an instant
 *        {"real":true}                     the wall clock again
 *
 * Both answer {"mode":"real|offset|frozen","now":"2026-01-01T00:00:00.000Z"}. `freeze` may be
 * combined with one of the first two. A move answers when the pipeline has settled, and says what
 * happened: "instants" at which something was due, and "events", those of the trace meanwhile (the
 * first EVENTS_TOLD; "eventsLeftOut" is how many more). ?format=text gives lines for people. */
#include "app/admin.h"
#include "app/advance.h"
#include "app/trace.h"
#include "app/turn.h"
#include "base/text.h"

#include <jansson.h>

#define EVENTS_TOLD 1000
#define LAST_INSTANT 253402300799999 /* of the year 9999: AWS writes four digits */

struct clock_move {
    struct advance advance;
    struct request *request;
    int64_t since; /* the trace's last event before it */
};

static bool for_people(struct request *request)
{
    return str_eq(http_query(request->http, S("format")), S("text"));
}

static void put_clock(struct buf *b, struct app *app, bool people)
{
    str now = date_iso_ms(b->arena, clock_now(&app->clock)), mode = clock_mode_name(&app->clock);
    buf_printf(b, people ? "%.*s  %.*s" : "{\"mode\":\"%.*s\",\"now\":\"%.*s\"", STR_ARG(mode),
               STR_ARG(now));
}

static void answer(struct request *request, struct buf *b, bool people)
{
    buf_char(b, people ? '\n' : '}');
    if (people)
        admin_answer_text(request, 200, buf_str(b));
    else
        admin_answer_json(request, 200, buf_str(b));
}

static void answer_clock(struct request *request)
{
    struct buf b = buf_in(request->http->arena);
    put_clock(&b, request->app, for_people(request));
    answer(request, &b, for_people(request));
}

static void put_event(struct buf *b, const struct trace_event *event, bool people, bool first)
{
    if (people) {
        buf_printf(b, "\n  %.*s  ", STR_ARG(date_iso_ms(b->arena, event->at)));
        trace_line(b, event);
    } else {
        if (!first)
            buf_char(b, ',');
        trace_event_json(b, event);
    }
}

/* What the trace took since the move began. */
static void put_events(struct buf *b, const struct clock_move *move, bool people)
{
    const struct trace *trace = move->request->app->trace;
    struct trace_event event;
    int64_t seq = move->since, told = 0, left_out = 0;
    if (!people)
        BUF_LIT(b, ",\"events\":[");
    for (; trace_next(trace, seq, &event); seq = event.seq)
        if (told == EVENTS_TOLD)
            left_out++;
        else
            put_event(b, &event, people, told++ == 0);
    if (!people)
        buf_printf(b, "],\"eventsLeftOut\":%lld", (long long)left_out);
    else if (left_out)
        buf_printf(b, "\n  and %lld events more", (long long)left_out);
}

static void moved(struct advance *advance)
{
    struct clock_move *move = advance->user;
    struct request *request = move->request;
    struct buf b = buf_in(request->http->arena);
    bool people = for_people(request);
    request->admin_state = NULL;
    if (advance->broken) {
        admin_answer_error(
            request, 500,
            S("the state cannot be written; the log says why. The clock stands where "
              "something fell due"));
        return;
    }
    put_clock(&b, request->app, people);
    if (!people)
        buf_printf(&b, ",\"instants\":%lld", (long long)advance->instants);
    if (request->app->trace)
        put_events(&b, move, people);
    answer(request, &b, people);
}

static void forget(struct request *request)
{
    struct clock_move *move = request->admin_state;
    advance_cancel(request->app, &move->advance);
}

static void move_to(struct request *request, msec to)
{
    struct clock_move *move = ARENA_NEW(request->http->arena, struct clock_move);
    move->request = request;
    move->since = request->app->trace ? trace_last(request->app->trace) : 0;
    move->advance = (struct advance){.to = to, .done = moved, .user = move};
    request->admin_state = move;
    request->admin_forget = forget;
    advance_start(request->app, &move->advance);
}

struct clock_wish { /* what the body asks for */
    bool freeze, real, moves;
    msec freeze_at, to;
};

static str json_text(const json_t *value)
{
    return json_is_string(value) ? (str){json_string_value(value), json_string_length(value)}
                                 : STR_NONE;
}

static const char *wrong_member(str name)
{
    static const struct {
        const char *name, *wants;
    } rows[] = {
        {"advance",
         "advance wants a length such as 90s, 12h, 1h30m or PT12H, or milliseconds, not below 0"},
        {"set", "set wants an instant such as 2026-01-01T00:00:00Z"},
        {"freeze", "freeze wants true, or an instant such as 2026-01-01T00:00:00Z"},
        {"real", "real wants true"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(name, str_of(rows[i].name)))
            return rows[i].wants;
    return "the members are advance, set, freeze and real";
}

static bool read_length(const json_t *value, msec *length)
{
    if (!json_is_integer(value))
        return duration_parse(json_text(value), length);
    *length = json_integer_value(value);
    return *length >= 0;
}

/* NULL, or what is wrong. */
static const char *read_member(const char *name, const json_t *value, msec now,
                               struct clock_wish *wish)
{
    str key = str_of(name);
    msec length;
    if (str_eq(key, S("real")) && json_is_true(value)) {
        wish->real = true;
    } else if (str_eq(key, S("freeze")) &&
               (json_is_true(value) || date_parse(json_text(value), &wish->freeze_at))) {
        wish->freeze = true;
    } else if (str_eq(key, S("set")) && date_parse(json_text(value), &wish->to)) {
        wish->moves = true;
    } else if (str_eq(key, S("advance")) && read_length(value, &length)) {
        if (length > LAST_INSTANT - now)
            return "advance would go beyond the year 9999";
        wish->moves = true;
        wish->to = now + length;
    } else {
        return wrong_member(key);
    }
    return NULL;
}

static const char *read_wish(str body, msec now, struct clock_wish *wish)
{
    json_t *root = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL), *value;
    const char *name, *wrong = json_is_object(root) && json_object_size(root)
                                   ? NULL
                                   : "the body is not a JSON object with members";
    *wish = (struct clock_wish){.freeze_at = now};
    if (!wrong)
        json_object_foreach(root, name, value) if (!wrong) wrong =
            read_member(name, value, now, wish);
    json_decref(root);
    if (!wrong && wish->real && (wish->freeze || wish->moves))
        wrong = "real stands alone";
    return wrong;
}

static void change_clock(struct request *request)
{
    struct app *app = request->app;
    struct clock_wish wish;
    msec now = clock_now(&app->clock);
    const char *wrong = read_wish(request->call.body, now, &wish);
    if (wrong) {
        admin_answer_error(request, 400, str_of(wrong));
        return;
    }
    if (wish.freeze)
        clock_freeze(&app->clock, now);
    if (wish.freeze && !wish.moves)
        wish.to = wish.freeze_at;
    if (wish.real) {
        wish.to = clock_wall();
        clock_real(&app->clock);
        turn_clock_moved(app);
        answer_clock(request);
        return;
    }
    move_to(request, wish.to);
}

const struct admin_row admin_clock_rows[] = {
    {"GET", "/_headrace/clock", answer_clock, "virtual time: mode and instant"},
    {"POST", "/_headrace/clock", change_clock, "move, freeze or release virtual time"},
    {NULL, NULL, NULL, NULL},
};
