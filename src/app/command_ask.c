/* app/command_ask.c - the small commands: env, wait, ops. */
#include "app/command.h"

#include "api/ops.h"
#include "app/call_http.h"
#include "app/clock.h"
#include "app/options.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SECONDS 1000000000
#define LEAST_MS 1000 /* that a try is given */

static int print_env(const struct options *options)
{
    str endpoint = options_endpoint(options, options->arena, options->port);
    if (!options->port)
        return command_fail("env: --port 0 is any port; name the one that --port-file has");
    printf("export AWS_ENDPOINT_URL=%.*s\n", STR_ARG(endpoint));
    printf("export AWS_ACCESS_KEY_ID=test\nexport AWS_SECRET_ACCESS_KEY=test\n");
    printf("export AWS_REGION=%.*s\nexport AWS_DEFAULT_REGION=%.*s\n", STR_ARG(options->region),
           STR_ARG(options->region));
    printf("unset AWS_SESSION_TOKEN AWS_PROFILE\n");
    return 0;
}

int command_env(int argc, char **argv)
{
    struct options options;
    str message = STR_NONE;
    const char *(*environment)(const char *) = (const char *(*)(const char *))getenv;
    int code = options_read(&options, argc, argv, environment, &message)
                   ? print_env(&options)
                   : command_fail("%.*s", STR_ARG(message));
    options_free(&options);
    return code;
}

static bool is_ready(struct arena *arena, str endpoint, int64_t patience, str *why)
{
    struct http_answer answer;
    if (!call_http_within(arena, endpoint, "GET", S("/_headrace/ready"), STR_NONE,
                          patience > LEAST_MS ? patience : LEAST_MS, &answer, why))
        return false;
    *why = arena_printf(arena, "%.*s answers %d%s", STR_ARG(endpoint), answer.status,
                        answer.ours ? "" : ", not as a Headrace does");
    return answer.status == 200 && answer.ours;
}

static int wait_until_ready(struct arena *arena, str endpoint, int64_t seconds)
{
    int64_t until = clock_micros() + seconds * 1000000;
    str why = STR_NONE;
    while (!is_ready(arena, endpoint, (until - clock_micros()) / 1000, &why)) {
        if (clock_micros() >= until) {
            command_fail("not ready after %lld s: %.*s", (long long)seconds, STR_ARG(why));
            return 1;
        }
        poll(NULL, 0, 20);
    }
    return 0;
}

int command_wait(int argc, char **argv)
{
    struct asked asked = {0};
    int64_t seconds;
    int code = asked_read(&asked, "wait", "--timeout", argc, argv);
    if (code)
        return code;
    if (asked.n)
        return command_odd("wait", asked.words[0]);
    const char *text = asked.timeout ? asked.timeout : "30";
    if (!str_to_int(str_of(text), &seconds) || seconds < 0 || seconds > MOST_SECONDS)
        return command_fail("wait: --timeout %s is not a number of seconds", text);
    struct arena *arena = arena_new();
    code = wait_until_ready(arena, command_endpoint(arena, asked.endpoint), seconds);
    arena_free(arena);
    return code;
}

int command_ops(int argc, char **argv)
{
    static const struct {
        const char *flag;
        void (*put)(struct buf *b);
    } forms[] = {{"--json", api_ops_json}, {"--markdown", api_ops_markdown}};
    void (*put)(struct buf * b) = argc ? NULL : api_ops_text;
    for (size_t i = 0; argc == 1 && i < sizeof forms / sizeof *forms; i++)
        if (!strcmp(argv[0], forms[i].flag))
            put = forms[i].put;
    if (!put)
        return command_odd("ops", argv[argc - 1]);
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    put(&b);
    fwrite(b.p, 1, b.n, stdout);
    arena_free(arena);
    return 0;
}
