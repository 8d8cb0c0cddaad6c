/* app/command_call.c - the commands that ask a running instance and print its answer: trace, fault,
 * cost, reset, leaks, status. Each is a few words turned into one HTTP request; what they mean is
 * said where the endpoints are (admin_*.c). */
#include "app/call_http.h"
#include "app/command.h"
#include "base/text.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FRAME 65536 /* bytes of a screen */

/* Prints the answer to `target`; the exit code. */
static int call(struct asked *asked, const char *method, str target, str body)
{
    return command_request(asked->arena, asked->endpoint, method, target, body, NULL);
}

static str with_query(struct arena *arena, const char *path, const char *name, const char *value)
{
    struct buf b = buf_in(arena);
    buf_printf(&b, "%s?%s=", path, name);
    buf_percent(&b, str_of(value), PERCENT_ALL);
    return buf_str(&b);
}

static int finish(struct asked *asked, int code)
{
    arena_free(asked->arena);
    return code;
}

/* ---- trace ---- */

struct following {
    struct arena *arena;
    str line; /* the beginning of a line that is not complete yet */
};

static bool print_events(void *user, str bytes)
{
    struct following *following = user;
    str text = arena_join(following->arena, following->line, bytes);
    for (;;) {
        ptrdiff_t end = str_find(text, S("\n"), 0);
        if (end < 0)
            break;
        str line = str_slice(text, 0, (size_t)end);
        text = str_slice(text, (size_t)end + 1, text.n);
        if (!str_starts(line, S("data: ")))
            continue;
        fwrite(line.p + 6, 1, line.n - 6, stdout);
        putchar('\n');
        fflush(stdout);
    }
    following->line = arena_copy(following->arena, text);
    return true;
}

static int follow(struct asked *asked)
{
    struct following following = {.arena = asked->arena, .line = S("")};
    str why, path = asked->n
                        ? with_query(asked->arena, "/_headrace/events", "target", asked->words[0])
                        : S("/_headrace/events?target=");
    path = arena_printf(asked->arena, "%.*s&after=0&format=%s", STR_ARG(path),
                        asked->json ? "json" : "text");
    if (call_http_stream(asked->arena, command_endpoint(asked->arena, asked->endpoint), path,
                         print_events, &following, &why))
        return 0;
    command_fail("%.*s", STR_ARG(why));
    return 1;
}

int command_trace(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    if (asked_read(&asked, "trace", "--json --follow", argc, argv))
        return finish(&asked, 2);
    if (asked.n > 1)
        return finish(&asked, command_odd("trace", asked.words[1]));
    if (asked.n == 0 && !asked.follow)
        return finish(&asked, command_usage("trace"));
    if (asked.follow)
        return finish(&asked, follow(&asked));
    str target = with_query(asked.arena, "/_headrace/trace", "target", asked.words[0]);
    if (!asked.json)
        target = arena_printf(asked.arena, "%.*s&format=text&color=%s", STR_ARG(target),
                              command_color(STDOUT_FILENO, S("auto")) ? "always" : "never");
    return finish(&asked, call(&asked, "GET", target, STR_NONE));
}

/* ---- faults ---- */

int command_fault(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    if (asked_read(&asked, "fault", "--json", argc, argv))
        return finish(&asked, 2);
    const char *word = asked.n ? asked.words[0] : "list", *value = asked.words[1];
    str path = S("/_headrace/faults");
    int code;
    if (!strcmp(word, "list") && asked.n <= 1)
        code = command_show(&asked, "GET", path, STR_NONE, show_faults);
    else if (!strcmp(word, "add") && asked.n == 2)
        code = command_show(&asked, "POST", path, str_of(value), show_fault_added);
    else if (!strcmp(word, "clear") && asked.n == 1)
        code = command_show(&asked, "DELETE", path, STR_NONE, show_fault_removed);
    else if (!strcmp(word, "remove") && asked.n == 2)
        code = command_show(&asked, "DELETE",
                            with_query(asked.arena, "/_headrace/faults", "id", value), STR_NONE,
                            show_fault_removed);
    else
        code = command_misused(&asked, "fault");
    return finish(&asked, code);
}

/* ---- cost, lint, reset, leaks, status ---- */

static int show(int argc, char **argv, const char *name, const char *path)
{
    struct asked asked = {.arena = arena_new()};
    if (asked_read(&asked, name, "--json", argc, argv))
        return finish(&asked, 2);
    if (asked.n)
        return finish(&asked, command_odd(name, asked.words[0]));
    str target = arena_printf(asked.arena, "%s%s", path, asked.json ? "" : "?format=text");
    return finish(&asked, call(&asked, "GET", target, STR_NONE));
}

int command_cost(int argc, char **argv)
{
    return show(argc, argv, "cost", "/_headrace/cost");
}

int command_lint(int argc, char **argv)
{
    return show(argc, argv, "lint", "/_headrace/lint");
}

int command_reset(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    if (asked_read(&asked, "reset", "--json", argc, argv))
        return finish(&asked, 2);
    if (asked.n > 1)
        return finish(&asked, command_odd("reset", asked.words[1]));
    struct buf b = buf_in(asked.arena);
    BUF_LIT(&b, "{");
    if (asked.n) {
        BUF_LIT(&b, "\"account\":");
        buf_json(&b, str_of(asked.words[0]));
    }
    BUF_LIT(&b, "}");
    return finish(&asked,
                  command_show(&asked, "POST", S("/_headrace/reset"), buf_str(&b), show_done));
}

int command_leaks(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    if (asked_read(&asked, "leaks", "--json", argc, argv))
        return finish(&asked, 2);
    if (asked.n != 1)
        return finish(&asked,
                      asked.n ? command_odd("leaks", asked.words[1]) : command_usage("leaks"));
    return finish(
        &asked, command_show(&asked, "GET",
                             with_query(asked.arena, "/_headrace/leaks", "account", asked.words[0]),
                             STR_NONE, show_leaks));
}

int command_status(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    int code;
    if (asked_read(&asked, "status", "--json --watch", argc, argv))
        return finish(&asked, 2);
    if (asked.n)
        return finish(&asked, command_odd("status", asked.words[0]));
    /* A frame is one write: a screen that is cleared before its text comes would flicker. */
    if (asked.watch)
        setvbuf(stdout, NULL, _IOFBF, FRAME);
    do {
        if (asked.watch)
            fputs("\033[H\033[2J", stdout);
        arena_reset(asked.arena);
        code = call(&asked, "GET",
                    asked.json ? S("/_headrace/status") : S("/_headrace/status?format=text"),
                    STR_NONE);
        fflush(stdout);
        if (asked.watch && code == 0)
            poll(NULL, 0, 1000);
    } while (asked.watch && code == 0);
    return finish(&asked, code);
}
