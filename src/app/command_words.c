/* app/command_words.c - the arguments of the commands that ask a running instance: flags that
 * several have, and the words between them. A flag that a command has no use for is a mistake. */
#include "app/command.h"

#include <string.h>

static bool takes(const char *flags, const char *flag)
{
    const char *at = strstr(flags, flag);
    char after = at ? at[strlen(flag)] : 'x';
    return after == ' ' || !after;
}

static bool read_switch(struct asked *asked, const char *flags, const char *flag)
{
    bool *const switches[] = {&asked->json, &asked->follow, &asked->watch};
    static const char *const names[] = {"--json", "--follow", "--watch"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(flag, names[i]) && takes(flags, flag))
            return *switches[i] = true;
    return false;
}

static bool read_value(struct asked *asked, const char *flags, int argc, char **argv, int *at)
{
    const char **const values[] = {&asked->endpoint, &asked->timeout};
    static const char *const names[] = {"--endpoint-url", "--timeout"};
    const char *value;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((i == 0 || takes(flags, names[i])) &&
            (value = command_value(argc, argv, at, names[i]))) {
            *values[i] = value;
            return true;
        }
    return false;
}

int asked_read(struct asked *asked, const char *name, const char *flags, int argc, char **argv)
{
    *asked = (struct asked){.arena = asked->arena};
    for (int at = 0; at < argc; at++) {
        if (read_value(asked, flags, argc, argv, &at) || read_switch(asked, flags, argv[at]))
            continue;
        if (!strncmp(argv[at], "--", 2) || asked->n == ASKED_WORDS)
            return command_odd(name, argv[at]);
        asked->words[asked->n++] = argv[at];
    }
    return 0;
}
