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
    struct asked asked = {.arena = arena_new()};
    str body;
    int code = asked_read(&asked, "clock", "--json", argc, argv);
    if (!code && read_words(asked.arena, asked.n, asked.words, &body))
        code = command_request(
            asked.arena, asked.endpoint, body.p ? "POST" : "GET",
            asked.json ? S("/_headrace/clock") : S("/_headrace/clock?format=text"), body, NULL);
    else if (!code)
        code = command_misused(&asked, "clock");
    arena_free(asked.arena);
    return code;
}
