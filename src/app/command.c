/* app/command.c - the table of commands, and what they share. */
#include "app/command.h"

#include "app/nearest.h"
#include "app/options.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const struct command commands[] = {
    {"serve", "[OPTIONS]", "run the emulator (the default)", command_serve, false},
    {"demo", "", "send a sample file through an emulator of its own, and show each step",
     command_demo, false},
    {"env", "[OPTIONS]", "print the variables that point AWS tools here, for eval", command_env,
     false},
    {"wait", "", "wait until a started emulator is ready", command_wait, false},
    {"status", "[--watch]", "buckets, queues, workers and requests of a running emulator",
     command_status, false},
    {"trace", "s3://BUCKET/KEY|ID", "why something happened to it, or nothing did", command_trace,
     false},
    {"clock", "[advance 12h|...]", "show virtual time, move it, freeze it", command_clock, false},
    {"fault", "[add RULE|...]", "make requests, events or workers go wrong on purpose",
     command_fault, false},
    {"snapshot", "[save NAME|...]", "keep the whole state by name or in a file, bring it back",
     command_snapshot, false},
    {"reset", "[ACCOUNT]", "empty a running emulator, or one account", command_reset, false},
    {"leaks", "ACCOUNT", "what an account left behind", command_leaks, false},
    {"cost", "", "what the requests so far would have cost on AWS", command_cost, false},
    {"lint", "", "what would hurt on AWS in the use so far", command_lint, false},
    {"worker", "[OPTIONS]", "run the pipeline's worker against AWS or any S3 and SQS",
     command_worker, true},
    {"ingest", "[OPTIONS]", "run the pipeline's ingest likewise", command_ingest, true},
    {"doctor", "[--repair]", "examine the data directory of a stopped emulator", command_doctor,
     false},
    {"ops", "", "list the operations that are implemented", command_ops, false},
    {"version", "", "print the version", command_version, false},
    {"help", "[COMMAND]", "print this, or what a command takes (also: COMMAND --help)",
     command_help, false},
};
enum {
    COMMANDS = sizeof commands / sizeof *commands,
    THREADS_MAX = 1024,
    DESCRIPTORS_LEAST = 13, /* what a server that serves nobody yet has open */
};

int command_fail(const char *format, ...)
{
    va_list args;
    struct arena *arena = arena_new();
    va_start(args, format);
    str said = arena_vprintf(arena, format, args);
    va_end(args);
    struct buf line = buf_in(arena);
    BUF_LIT(&line, "headrace: ");
    /* Arguments and what others answered are part of it. */
    buf_visible(&line, said);
    log_text(buf_str(&line));
    arena_free(arena);
    return 2;
}

static void stay(void *end)
{
    uv_sem_wait(end);
}

static int pool_threads(void)
{
    const char *said = getenv("UV_THREADPOOL_SIZE");
    int n = said ? atoi(said) : 4; /* libuv's own number */
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
}

/* So many threads at the same time: 0, or libuv's reason. */
static int try_threads(int n)
{
    uv_thread_t threads[THREADS_MAX];
    uv_sem_t end;
    int made = 0, error = uv_sem_init(&end, 0);
    if (error)
        return error;
    while (made < n && !(error = uv_thread_create(&threads[made], stay, &end)))
        made++;
    for (int i = 0; i < made; i++)
        uv_sem_post(&end);
    for (int i = 0; i < made; i++)
        uv_thread_join(&threads[i]);
    uv_sem_destroy(&end);
    return error;
}

/* libuv aborts where it cannot open what it needs, and others say it in their own words. */
static bool try_descriptors(void)
{
    int at[DESCRIPTORS_LEAST], n = 0;
    while (n < DESCRIPTORS_LEAST && (at[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    bool enough = n == DESCRIPTORS_LEAST || (errno != EMFILE && errno != ENFILE);
    while (n > 0)
        close(at[--n]);
    return enough;
}

int command_loop(uv_loop_t *loop)
{
    if (!try_descriptors())
        return command_fail("cannot start: %d more files have to be opened, and the limit does not "
                            "allow it (ulimit -n)",
                            DESCRIPTORS_LEAST);
    int n = pool_threads(), error = try_threads(n);
    if (error)
        return command_fail("cannot start %d threads: %s", n, uv_strerror(error));
    error = uv_loop_init(loop);
    return error ? command_fail("cannot make an event loop: %s", uv_strerror(error)) : 0;
}

bool command_color(int fd, str when)
{
    const char *off = getenv("NO_COLOR"), *term = getenv("TERM");
    if (str_eq(when, S("always")) || str_eq(when, S("never")))
        return str_eq(when, S("always"));
    return isatty(fd) && !(off && *off) && !(term && !strcmp(term, "dumb"));
}

str command_self(struct arena *arena)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-";
    const char *name = program_invocation_name;
    return arena_copy(arena, name && *name && name[strspn(name, plain)] == '\0' ? str_of(name)
                                                                                : S("headrace"));
}

const char *command_value(int argc, char **argv, int *at, const char *name)
{
    str word = str_of(argv[*at]), flag = str_of(name);
    if (!str_starts(word, flag))
        return NULL;
    if (word.n == flag.n)
        return *at + 1 < argc ? argv[++*at] : NULL;
    return word.p[flag.n] == '=' ? word.p + flag.n + 1 : NULL;
}

str command_endpoint(struct arena *arena, const char *given)
{
    static const char *const variables[] = {"HEADRACE_ENDPOINT", "AWS_ENDPOINT_URL"};
    for (size_t i = 0; !(given && *given) && i < sizeof variables / sizeof *variables; i++)
        given = getenv(variables[i]);
    if (given && *given)
        return str_of(given);
    const char *port = getenv("HEADRACE_PORT");
    return arena_printf(arena, "http://127.0.0.1:%s", port && *port ? port : "4566");
}

static int command_version(int argc, char **argv)
{
    if (argc)
        return command_odd("version", argv[0]);
    puts("headrace " HEADRACE_VERSION);
    return 0;
}

static void put_help(struct buf *b)
{
    BUF_LIT(b, "headrace " HEADRACE_VERSION
               ": S3, SQS and a word-count pipeline on this machine, for tests and classes\n\n"
               "usage: headrace [COMMAND] [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char usage[64];
        snprintf(usage, sizeof usage, "%s %s", commands[i].name, commands[i].arguments);
        help_line(b, 29, usage, str_of(commands[i].help));
    }
    BUF_LIT(b, "\noptions of serve:\n");
    options_help(b);
}

static int print_buf(struct arena *arena, const struct buf *b)
{
    fwrite(b->p, 1, b->n, stdout);
    arena_free(arena);
    return 0;
}

static const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int command_unknown(const char *word)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = nearest_word(str_of(word), names, COMMANDS);
    if (near)
        return command_fail("unknown command %s (did you mean %s?)", word, near);
    return command_fail("unknown command %s (see headrace --help)", word);
}

static int help_of(const struct command *command)
{
    char *flag[] = {"--help"};
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    if (command && command->own_help) {
        arena_free(arena);
        return command->run(1, flag);
    }
    if (!command)
        put_help(&b);
    else
        command_help_put(&b, command->name);
    help_print(buf_str(&b));
    arena_free(arena);
    return 0;
}

/* With --markdown only the table of options, for the docs. */
static int command_help(int argc, char **argv)
{
    const struct command *named = argc == 1 ? command_named(argv[0]) : NULL;
    if (argc == 1 && !strcmp(argv[0], "--markdown")) {
        struct arena *arena = arena_new();
        struct buf b = buf_in(arena);
        options_markdown(&b);
        return print_buf(arena, &b);
    }
    if (argc == 1 && !named)
        return command_unknown(argv[0]);
    return argc > 1 ? command_odd("help", argv[1]) : help_of(named);
}

/* --help counts anywhere. */
static bool asks(int argc, char **argv, const char *flag, const char *short_flag)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], flag) || !strcmp(argv[i], short_flag))
            return true;
    return false;
}

int command_main(int argc, char **argv)
{
    const struct command *named = argc > 1 ? command_named(argv[1]) : NULL;
    if (asks(argc, argv, "--help", "-h"))
        return help_of(named);
    if (argc < 2 || argv[1][0] == '-')
        return asks(argc, argv, "--version", "-V") ? command_version(0, NULL)
                                                   : command_serve(argc - 1, argv + 1);
    return named ? named->run(argc - 2, argv + 2) : command_unknown(argv[1]);
}
