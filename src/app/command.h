/* app/command.h - what `headrace WORD` does: one row a word. A command gets the arguments after its
 * word and returns the exit code: 0 done, 1 it did not work out, 2 wrong usage or something stands
 * in the way. */
#ifndef HEADRACE_APP_COMMAND_H
#define HEADRACE_APP_COMMAND_H

#include "base/buf.h"

#include <jansson.h>
#include <uv.h>

struct command {
    const char *name, *arguments, *help;
    int (*run)(int argc, char **argv);
    bool own_help; /* answers --help itself: its options are in a table of its own */
};

/* Picks the command of argv[1] (serve when it is a flag or missing) and runs it. */
int command_main(int argc, char **argv);

/* One line on stderr: "headrace: ...". Returns 2. */
int command_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Makes a loop and sees that its pool of threads can be had, which libuv starts with the first work
 * and aborts without. 0, or what command_fail returned. */
int command_loop(uv_loop_t *loop);
/* "usage: ..." of a command in one such line. Returns 2. */
int command_usage(const char *name);
/* The same, with the argument that it does not take. Returns 2. */
int command_odd(const char *name, const char *argument);
/* What `headrace NAME --help` prints; false when command_help.c has no such row. */
bool command_help_put(struct buf *b, const char *name);
/* Prints a help text, on a narrow terminal with its lines broken anew; help_fit breaks them. */
void help_print(str text);
void help_fit(struct buf *out, str text, size_t width);
/* True when ANSI colours are welcome on `fd`: a terminal, NO_COLOR unset; `when` is auto, always or
 * never. */
bool command_color(int fd, str when);

/* How this program was called, as a shell takes it. */
str command_self(struct arena *arena);
/* The value of flag `--name VALUE` or `--name=VALUE` in argv[*at], moving *at; NULL when argv[*at]
 * is another. */
const char *command_value(int argc, char **argv, int *at, const char *name);
/* Where a running instance is: --endpoint-url's value if given, HEADRACE_ENDPOINT,
 * AWS_ENDPOINT_URL, or the default port. */
str command_endpoint(struct arena *arena, const char *given);
/* One request to it. The answer's body goes to *body or, when that is NULL, to stdout; a refusal is
 * one line on stderr. `sent` absent: no body. The exit code. */
int command_request(struct arena *arena, const char *given, const char *method, str target,
                    str sent, str *body);

/* ---- commands that ask a running instance ---- */

enum { ASKED_WORDS = 3 };

/* Their arguments. */
struct asked {
    struct arena *arena;
    const char *endpoint, *timeout; /* values of --endpoint-url and --timeout; NULL: not given */
    bool json, follow, watch;
    char *words[ASKED_WORDS];
    int n;
};

/* Reads the arguments of command `name`, which takes the flags in `flags` ("--json --watch") and
 * --endpoint-url. 0, or 2 when there was an odd one, which is said; the arena is left. */
int asked_read(struct asked *asked, const char *name, const char *flags, int argc, char **argv);
/* command_usage, or command_odd when the first word is none of the command's. Returns 2. */
int command_misused(const struct asked *asked, const char *name);
/* command_request whose answer goes to stdout: on a terminal, unless --json was given, as `show`
 * prints it. */
int command_show(const struct asked *asked, const char *method, str target, str sent,
                 void (*show)(json_t *answer));
void show_faults(json_t *answer);
void show_fault_added(json_t *answer);
void show_fault_removed(json_t *answer);
void show_snapshots(json_t *answer);
void show_snapshot(json_t *answer);
void show_leaks(json_t *answer);
void show_done(json_t *answer);

int command_serve(int argc, char **argv);
int command_env(int argc, char **argv);
int command_wait(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_fault(int argc, char **argv);
int command_snapshot(int argc, char **argv);
int command_cost(int argc, char **argv);
int command_reset(int argc, char **argv);
int command_lint(int argc, char **argv);
int command_leaks(int argc, char **argv);
int command_status(int argc, char **argv);
int command_ops(int argc, char **argv);
int command_demo(int argc, char **argv);
int command_worker(int argc, char **argv);
int command_ingest(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_clock(int argc, char **argv);

#endif
