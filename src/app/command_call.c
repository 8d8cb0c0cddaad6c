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

#define WORDS 8
#define FRAME 65536 /* bytes of a screen */

/* Arguments of a command: flags that many have, and the words between them. */
struct asked {
    struct arena *arena;
    const char *endpoint;
    bool json, follow, watch;
    char *words[WORDS];
    int n;
};

static bool read_arguments(struct asked *asked, int argc, char **argv)
{
    const char *text;
    for (int at = 0; at < argc; at++) {
        if ((text = command_value(argc, argv, &at, "--endpoint-url")))
            asked->endpoint = text;
        else if (!strcmp(argv[at], "--json"))
            asked->json = true;
        else if (!strcmp(argv[at], "--follow"))
            asked->follow = true;
        else if (!strcmp(argv[at], "--watch"))
            asked->watch = true;
        else if ((argv[at][0] == '-' && argv[at][1] == '-') || asked->n == WORDS)
            return false;
        else
            asked->words[asked->n++] = argv[at];
    }
    return true;
}

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
    if (!read_arguments(&asked, argc, argv) || asked.n > 1 || (asked.n == 0 && !asked.follow))
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
    bool good = read_arguments(&asked, argc, argv);
    const char *word = asked.n ? asked.words[0] : "list";
    str path = S("/_headrace/faults");
    if (good && !strcmp(word, "list") && asked.n <= 1)
        return finish(&asked, call(&asked, "GET", path, STR_NONE));
    if (good && !strcmp(word, "add") && asked.n == 2)
        return finish(&asked, call(&asked, "POST", path, str_of(asked.words[1])));
    if (good && !strcmp(word, "clear") && asked.n == 1)
        return finish(&asked, call(&asked, "DELETE", path, STR_NONE));
    if (good && !strcmp(word, "remove") && asked.n == 2)
        return finish(&asked,
                      call(&asked, "DELETE",
                           with_query(asked.arena, "/_headrace/faults", "id", asked.words[1]),
                           STR_NONE));
    return finish(&asked, command_usage("fault"));
}

/* ---- cost, lint, reset, leaks, status ---- */

static int show(int argc, char **argv, const char *name, const char *path)
{
    struct asked asked = {.arena = arena_new()};
    if (!read_arguments(&asked, argc, argv) || asked.n)
        return finish(&asked, command_usage(name));
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
    if (!read_arguments(&asked, argc, argv) || asked.n > 1)
        return finish(&asked, command_usage("reset"));
    struct buf b = buf_in(asked.arena);
    BUF_LIT(&b, "{");
    if (asked.n) {
        BUF_LIT(&b, "\"account\":");
        buf_json(&b, str_of(asked.words[0]));
    }
    BUF_LIT(&b, "}");
    return finish(&asked, call(&asked, "POST", S("/_headrace/reset"), buf_str(&b)));
}

int command_leaks(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    if (!read_arguments(&asked, argc, argv) || asked.n != 1)
        return finish(&asked, command_usage("leaks"));
    return finish(&asked,
                  call(&asked, "GET",
                       with_query(asked.arena, "/_headrace/leaks", "account", asked.words[0]),
                       STR_NONE));
}

int command_status(int argc, char **argv)
{
    struct asked asked = {.arena = arena_new()};
    int code;
    if (!read_arguments(&asked, argc, argv) || asked.n)
        return finish(&asked, command_usage("status"));
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
