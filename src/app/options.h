/* app/options.h - what a user can set, as one table: flag, environment variable, key of the JSON
 * config file, type, default and help text are columns of a row, and --help, parsing and messages
 * are derived from it. Flags win over the environment, that over the config file, that over the
 * default. */
#ifndef HEADRACE_APP_OPTIONS_H
#define HEADRACE_APP_OPTIONS_H

#include "base/buf.h"
#include "base/ctx.h"
#include "pipeline/options.h"

enum auth_mode { AUTH_OFF, AUTH_VERIFY, AUTH_ENFORCE };
enum trace_mode { TRACE_ON, TRACE_OFF };
enum lint_mode { LINT_ON, LINT_OFF, LINT_WARN, LINT_FAIL };

struct str_list {
    const str *at;
    size_t n;
};

struct options {
    struct arena *arena; /* holds every text below */
    str host;
    int64_t port;
    str port_file; /* absent: none */
    str data_dir;
    bool ephemeral;
    int64_t durability; /* enum durability */
    str account, region;
    int64_t auth; /* enum auth_mode */
    str keys_file;
    struct str_list allow_hosts;
    bool strict;
    str clock;         /* "real", "frozen" or "frozen=TIME" */
    int64_t trace;     /* enum trace_mode */
    int64_t trace_mib; /* memory of events, in MiB */
    int64_t lint;      /* enum lint_mode */
    int64_t log_level;
    bool quiet;
    str config_file;
    str color; /* "auto", "always", "never" */
    struct pipeline_options pipeline;
};

/* Reads flags, environment, config file. False: `message` says in one line what is wrong.
 * `getenv_of` is getenv or a test's. */
bool options_read(struct options *options, int argc, char **argv,
                  const char *(*getenv_of)(const char *name), str *message);
void options_free(struct options *options);
/* "http://HOST:PORT" as a client on this machine asks for it: 127.0.0.1 where we listen on all
 * addresses. */
str options_endpoint(const struct options *options, struct arena *arena, int64_t port);
/* The variable that `name`, a HEADRACE_ variable which is none of ours, was probably to be; absent
 * when it is one of ours, or like none. */
str options_variable_meant(struct arena *arena, str name);
/* One line of help: what is said at the left, its meaning from column `indent` on, broken before
 * column 100. */
void help_line(struct buf *b, size_t indent, const char *left, str text);
/* The table as help text. */
void options_help(struct buf *b);
/* The table as Markdown, for the docs. */
void options_markdown(struct buf *b);

#endif
