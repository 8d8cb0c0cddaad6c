/* app/command_clock.c - `headrace clock [advance LENGTH | set TIME | freeze [TIME] | real]`: asks a
 * running instance. */
#include "app/command.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static bool read_words(struct arena *arena, int argc, char **argv, str *body)
{
    struct buf b = buf_in(arena);
    bool freeze = argc > 0 && !strcmp(argv[0], "freeze"),
         real = argc == 1 && !strcmp(argv[0], "real");
    bool valued = argc == 2 && (!strcmp(argv[0], "advance") || !strcmp(argv[0], "set") || freeze);
    *body = STR_NONE;
    if (argc == 0)
        return true;
    if (!valued && !real && !(freeze && argc == 1))
        return false;
    buf_printf(&b, "{\"%s\":", argv[0]);
    if (valued)
        buf_json(&b, str_of(argv[1]));
    else
        BUF_LIT(&b, "true");
    BUF_LIT(&b, "}");
    *body = buf_str(&b);
    return true;
}

int command_clock(int argc, char **argv)
{
    const char *endpoint = NULL, *text;
    char *words[3];
    bool json = false;
    int n = 0, code;
    for (int at = 0; at < argc; at++) {
        if ((text = command_value(argc, argv, &at, "--endpoint-url")))
            endpoint = text;
        else if (!strcmp(argv[at], "--json"))
            json = true;
        else if (n < 3)
            words[n++] = argv[at];
    }
    struct arena *arena = arena_new();
    str body;
    if (read_words(arena, n, words, &body))
        code = command_request(arena, endpoint, body.p ? "POST" : "GET",
                               json ? S("/_headrace/clock") : S("/_headrace/clock?format=text"),
                               body, NULL);
    else
        code = command_usage("clock");
    arena_free(arena);
    return code;
}
