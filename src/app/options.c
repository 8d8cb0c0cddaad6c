/* app/options.c - see options.h. A new option is one row below; nothing else lists options. The
 * environment variable of a flag is HEADRACE_ and the flag's name in capitals (--data-dir:
 * HEADRACE_DATA_DIR); `env` names others that count as well. */
#include "app/options.h"

#include "app/nearest.h"
#include "base/text.h"
#include "store/db.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum option_type {
    OPTION_TEXT,   /* of at least min bytes */
    OPTION_INT,    /* min..max */
    OPTION_FLAG,   /* --x and --no-x; true/false in the config */
    OPTION_CHOICE, /* index into `choices` */
    OPTION_LIST,   /* repeatable; comma-separated in the environment; an array in the config */
};

struct option_row {
    const char *flag, *argument; /* "port", "N" */
    const char *key;             /* in the config file; dots mean nesting; NULL: not there */
    const char *env;             /* other environment variables, "A|B" */
    enum option_type type;
    size_t offset;
    const char *preset;
    int64_t min, max;
    const char *choices;
    const char *help;
};

#define AT(member) offsetof(struct options, member)
#define PIPE(member) offsetof(struct options, pipeline.member)

static const struct option_row rows[] = {
    {"host", "ADDRESS", "host", NULL, OPTION_TEXT, AT(host), "127.0.0.1", 1,
     .help = "address to listen on; 127.0.0.1 listens on ::1 as well"},
    {"port", "N", "port", NULL, OPTION_INT, AT(port), "4566", 0, 65535,
     .help = "port to listen on; 0 picks a free one"},
    {"port-file", "FILE", "portFile", NULL, OPTION_TEXT, AT(port_file), .min = 1,
     .help = "write the port into FILE once it is open"},
    {"data-dir", "DIR", "dataDir", NULL, OPTION_TEXT, AT(data_dir), ".headrace", 1,
     .help = "where all state is kept"},
    {"ephemeral", NULL, "ephemeral", NULL, OPTION_FLAG, AT(ephemeral), "false",
     .help = "keep nothing: all state in memory"},
    {"durability", "WHAT", "durability", NULL, OPTION_CHOICE, AT(durability), "process",
     .choices = "process|power",
     .help = "what acknowledged writes survive: the death of the process, or power loss"},
    {"account", "ID", "account", NULL, OPTION_TEXT, AT(account), "000000000000",
     .help = "account of callers whose access key is not 12 digits"},
    {"region", "REGION", "region", "AWS_REGION|AWS_DEFAULT_REGION", OPTION_TEXT, AT(region),
     "us-east-1", 1, .help = "region of requests that name none, and of the pipeline"},
    {"auth", "MODE", "auth", NULL, OPTION_CHOICE, AT(auth), "off", .choices = "off|verify|enforce",
     .help = "check signatures (verify), and also policies and ACLs (enforce)"},
    {"keys", "FILE", "keys", NULL, OPTION_TEXT, AT(keys_file), .min = 1,
     .help = "JSON file of access keys and their accounts"},
    {"allow-host", "NAME", "allowHosts", NULL, OPTION_LIST, AT(allow_hosts),
     .help = "accept this Host and its pages (repeatable; .domain for all below it)"},
    {"strict", NULL, "strict", NULL, OPTION_FLAG, AT(strict), "false",
     .help = "also AWS's waiting times and throttles"},
    {"clock", "MODE", "clock", NULL, OPTION_TEXT, AT(clock), "real",
     .help = "real, frozen, or frozen=TIME"},
    {"pipeline", NULL, "pipeline.enabled", NULL, OPTION_FLAG, PIPE(enabled), "true",
     .help = "the built-in ingest and workers (--no-pipeline: none)"},
    {"workers", "N", "pipeline.workers", NULL, OPTION_INT, PIPE(workers), "-1", -1, 1024,
     .help = "jobs in flight; -1: one a core"},
    {"dropzone", "BUCKET", "pipeline.dropzone", NULL, OPTION_TEXT, PIPE(dropzone), "dropzone",
     .help = "bucket that uploads come to"},
    {"processed", "BUCKET", "pipeline.processed", NULL, OPTION_TEXT, PIPE(processed), "processed",
     .help = "bucket that reports go to"},
    {"ingest-queue", "QUEUE", "pipeline.ingestQueue", NULL, OPTION_TEXT, PIPE(ingest_queue),
     "ingest-queue", .help = "queue of the dropzone's events"},
    {"jobs-queue", "QUEUE", "pipeline.jobsQueue", NULL, OPTION_TEXT, PIPE(jobs_queue), "jobs-queue",
     .help = "queue of jobs"},
    {"results-queue", "QUEUE", "pipeline.resultsQueue", NULL, OPTION_TEXT, PIPE(results_queue),
     "results-queue", .help = "queue of results"},
    {"dead-letter-queue", "QUEUE", "pipeline.deadLetterQueue", NULL, OPTION_TEXT,
     PIPE(dead_letter_queue), "jobs-dlq", .help = "queue of jobs that failed too often"},
    {"prefix", "TEXT", "pipeline.prefix", NULL, OPTION_TEXT, PIPE(prefix), "incoming/",
     .help = "keys that are jobs begin with this"},
    {"suffix", "TEXT", "pipeline.suffix", NULL, OPTION_TEXT, PIPE(suffix), ".txt",
     .help = "and end with this, in any case"},
    {"output-prefix", "TEXT", "pipeline.outputPrefix", NULL, OPTION_TEXT, PIPE(output_prefix),
     "processed/", .help = "what replaces the prefix in a report's key"},
    {"max-bytes", "N", "pipeline.maxBytes", NULL, OPTION_INT, PIPE(max_bytes), "10485760", 0,
     INT64_MAX, .help = "larger uploads are skipped"},
    {"visibility", "SECONDS", "pipeline.visibility", NULL, OPTION_INT, PIPE(visibility), "60", 0,
     43200, .help = "visibility timeout of the pipeline's queues"},
    {"max-receives", "N", "pipeline.maxReceives", NULL, OPTION_INT, PIPE(max_receives), "4", 1,
     1000, .help = "receives of a job before it goes to the dead letter queue"},
    {"trace", "MODE", "trace", NULL, OPTION_CHOICE, AT(trace), "on", .choices = "on|off",
     .help = "remember what caused what"},
    {"trace-mib", "N", "traceMib", NULL, OPTION_INT, AT(trace_mib), "32", 1, 65536,
     .help = "MiB of memory for that; the oldest is forgotten first"},
    {"lint", "MODE", "lint", NULL, OPTION_CHOICE, AT(lint), "on", .choices = "on|off|warn|error",
     .help = "look for use that would hurt on AWS, and at exit print it (warn), or also exit with "
             "code 3 when there is any (error)"},
    {"log-level", "LEVEL", "logLevel", NULL, OPTION_CHOICE, AT(log_level), "info",
     .choices = "debug|info|warn|error", .help = "what is logged to stderr"},
    {"quiet", NULL, "quiet", NULL, OPTION_FLAG, AT(quiet), "false", .help = "no banner"},
    {"color", "WHEN", "color", "", OPTION_TEXT, AT(color), "auto", .help = "auto, always or never"},
    {"config", "FILE", NULL, NULL, OPTION_TEXT, AT(config_file),
     .help = "JSON file of the options above, by their keys"},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* ---- words ---- */

static str unknown(struct arena *arena, const char *what, str word, bool keys)
{
    const char *names[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        names[i] = keys ? rows[i].key : rows[i].flag;
    const char *near = nearest_word(word, names, ROWS);
    const char *dashes = keys ? "" : "--";
    if (near)
        return arena_printf(arena, "unknown %s %s%.*s (did you mean %s%s?)", what, dashes,
                            STR_ARG(word), dashes, near);
    return arena_printf(arena, "unknown %s %s%.*s (see headrace --help)", what, dashes,
                        STR_ARG(word));
}

/* ---- one value ---- */

static str shown(str text)
{
    return text.n ? text : S("nothing");
}

static bool set_int(struct options *options, const struct option_row *row, str text,
                    const char *origin, str *message)
{
    int64_t value;
    if (!str_to_int(text, &value) || value < row->min || value > row->max) {
        *message =
            row->max == INT64_MAX
                ? arena_printf(options->arena, "%s: %.*s is not a number of at least %lld", origin,
                               STR_ARG(shown(text)), (long long)row->min)
                : arena_printf(options->arena, "%s: %.*s is not a number from %lld to %lld", origin,
                               STR_ARG(shown(text)), (long long)row->min, (long long)row->max);
        return false;
    }
    *(int64_t *)((char *)options + row->offset) = value;
    return true;
}

static bool set_choice(struct options *options, const struct option_row *row, str text,
                       const char *origin, str *message)
{
    str rest = str_of(row->choices);
    for (int64_t i = 0; rest.p; i++)
        if (str_eq_nocase(str_cut(&rest, '|'), text)) {
            *(int64_t *)((char *)options + row->offset) = i;
            return true;
        }
    *message = arena_printf(options->arena, "%s: %.*s is none of %s", origin, STR_ARG(shown(text)),
                            row->choices);
    return false;
}

static bool set_flag(struct options *options, const struct option_row *row, str text,
                     const char *origin, str *message)
{
    bool yes =
        str_eq_nocase(text, S("true")) || str_eq(text, S("1")) || str_eq_nocase(text, S("yes"));
    bool no = str_eq_nocase(text, S("false")) || str_eq(text, S("0")) ||
              str_eq_nocase(text, S("no")) || !text.n;
    if (!yes && !no) {
        *message = arena_printf(options->arena, "%s: %.*s is neither true nor false", origin,
                                STR_ARG(text));
        return false;
    }
    *(bool *)((char *)options + row->offset) = yes;
    return true;
}

static bool add_to_list(struct options *options, const struct option_row *row, str text,
                        const char *origin, str *message)
{
    if (!str_trim(text).n) {
        *message = arena_printf(options->arena, "%s: empty", origin);
        return false;
    }
    struct str_list *list = (struct str_list *)((char *)options + row->offset);
    str *at = arena_array(options->arena, list->n + 1, sizeof *at);
    if (list->n)
        memcpy(at, list->at, list->n * sizeof *at);
    at[list->n] = arena_copy(options->arena, str_trim(text));
    *list = (struct str_list){at, list->n + 1};
    return true;
}

static bool set_text(struct options *options, const struct option_row *row, str text,
                     const char *origin, str *message)
{
    *(str *)((char *)options + row->offset) = arena_copy(options->arena, text);
    *message = arena_printf(options->arena, "%s: empty", origin);
    return (int64_t)text.n >= row->min;
}

static bool set_value(struct options *options, const struct option_row *row, str text,
                      const char *origin, str *message)
{
    switch (row->type) {
    case OPTION_INT:
        return set_int(options, row, text, origin, message);
    case OPTION_CHOICE:
        return set_choice(options, row, text, origin, message);
    case OPTION_FLAG:
        return set_flag(options, row, text, origin, message);
    case OPTION_LIST:
        return add_to_list(options, row, text, origin, message);
    default:
        return set_text(options, row, text, origin, message);
    }
}

/* ---- flags ---- */

struct given { /* one flag of the command line */
    const struct option_row *row;
    str value;
};

static const struct option_row *row_of_flag(str name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (str_eq(name, str_of(rows[i].flag)))
            return &rows[i];
    return str_eq(name, S("address")) ? &rows[0] : NULL;
}

/* argv[*at] -> row and value; *at moves past a value of its own. */
static bool read_flag(struct options *options, int argc, char **argv, int *at, struct given *given,
                      str *message)
{
    str word = str_of(argv[*at]);
    if (!str_starts(word, S("--"))) {
        *message =
            arena_printf(options->arena, "unexpected argument %s (see headrace --help)", argv[*at]);
        return false;
    }
    str rest = str_slice(word, 2, word.n), name = str_cut(&rest, '=');
    const struct option_row *row = row_of_flag(name), *off = NULL;
    if (!row && str_starts(name, S("no-")))
        off = row_of_flag(str_slice(name, 3, name.n));
    if (off && off->type == OPTION_FLAG && !rest.p) {
        *given = (struct given){off, S("false")};
        return true;
    }
    if (!row) {
        *message = unknown(options->arena, "option", name, false);
        return false;
    }
    if (!rest.p && row->type == OPTION_FLAG)
        rest = S("true");
    if (!rest.p && *at + 1 < argc)
        rest = str_of(argv[++*at]);
    if (!rest.p)
        *message =
            arena_printf(options->arena, "--%s needs a value (%s)", row->flag, row->argument);
    *given = (struct given){row, rest};
    return rest.p != NULL;
}

static bool read_flags(struct options *options, int argc, char **argv, struct given *given,
                       size_t *n, str *message)
{
    for (int at = 0; at < argc; at++)
        if (!read_flag(options, argc, argv, &at, &given[(*n)++], message))
            return false;
    return true;
}

static bool apply_flags(struct options *options, const struct given *given, size_t n, str *message)
{
    bool seen[ROWS] = {false};
    for (size_t i = 0; i < n; i++) {
        const struct option_row *row = given[i].row;
        char origin[64];
        snprintf(origin, sizeof origin, "--%s", row->flag);
        /* Flags replace a list from the environment; repeated ones add up. */
        if (row->type == OPTION_LIST && !seen[row - rows])
            *(struct str_list *)((char *)options + row->offset) = (struct str_list){0};
        seen[row - rows] = true;
        if (!set_value(options, row, given[i].value, origin, message))
            return false;
    }
    return true;
}

/* ---- environment ---- */

static str env_name(struct arena *arena, const struct option_row *row)
{
    char *name = arena_cstr(arena, arena_printf(arena, "HEADRACE_%s", row->flag));
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return str_of(name);
}

str options_variable_meant(struct arena *arena, str name)
{
    if (!str_starts(name, S("HEADRACE_")) || str_eq(name, S("HEADRACE_ENDPOINT")))
        return STR_NONE;
    /* HEADRACE_NO_PIPELINE is HEADRACE_PIPELINE=false. */
    bool negated = str_starts(name, S("HEADRACE_NO_"));
    str word = negated ? arena_join(arena, S("HEADRACE_"), str_slice(name, 12, name.n)) : name;
    size_t least = (word.n - 9) / 6 + 2;
    str best = STR_NONE;
    for (size_t i = 0; i < ROWS; i++) {
        str known = env_name(arena, &rows[i]);
        if (str_eq(known, name))
            return STR_NONE;
        size_t d = word_distance(word, known);
        if (d < least) {
            least = d;
            best = known;
        }
    }
    return best;
}

static bool apply_env(struct options *options, const struct option_row *row, str name,
                      const char *value, str *message)
{
    str rest = str_of(value);
    if (row->type != OPTION_LIST)
        return set_value(options, row, rest, name.p, message);
    *(struct str_list *)((char *)options + row->offset) = (struct str_list){0};
    while (rest.p) {
        str one = str_cut(&rest, ',');
        if (str_trim(one).n && !add_to_list(options, row, one, name.p, message))
            return false;
    }
    return true;
}

static bool read_env(struct options *options, const char *(*getenv_of)(const char *), str *message)
{
    for (size_t i = 0; i < ROWS; i++) {
        str name = env_name(options->arena, &rows[i]), others = str_of(rows[i].env);
        const char *value = getenv_of(name.p);
        while ((!value || !*value) && others.p && others.n) {
            name = arena_copy(options->arena, str_cut(&others, '|'));
            value = getenv_of(name.p);
        }
        if (value && *value && !apply_env(options, &rows[i], name, value, message))
            return false;
    }
    return true;
}

/* ---- config file ---- */

static const struct option_row *row_of_key(str key)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].key && str_eq(key, str_of(rows[i].key)))
            return &rows[i];
    return NULL;
}

static str json_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return (str){json_string_value(value), json_string_length(value)};
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    return json_is_true(value) ? S("true") : json_is_false(value) ? S("false") : STR_NONE;
}

static bool set_key(struct options *options, str key, const json_t *value, str *message)
{
    const struct option_row *row = row_of_key(key);
    if (!row) {
        *message = unknown(options->arena, "key", key, true);
        return false;
    }
    if (row->type == OPTION_LIST && json_is_array(value)) {
        const char *origin = arena_cstr(options->arena, key);
        bool good = true;
        for (size_t i = 0; good && i < json_array_size(value); i++)
            good = add_to_list(options, row, json_text(options->arena, json_array_get(value, i)),
                               origin, message);
        return good;
    }
    str text = json_text(options->arena, value);
    if (!text.p) {
        *message =
            arena_printf(options->arena, "%.*s: not a text, number or boolean", STR_ARG(key));
        return false;
    }
    return set_value(options, row, text, arena_cstr(options->arena, key), message);
}

static bool set_keys(struct options *options, const char *prefix, json_t *object, str *message)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        str key = arena_printf(options->arena, "%s%s", prefix, name);
        bool nested = json_is_object(value) && !*prefix && str_eq(key, S("pipeline"));
        if (nested ? !set_keys(options, "pipeline.", value, message)
                   : !set_key(options, key, value, message))
            return false;
    }
    return true;
}

static bool read_config(struct options *options, const char *path, str *message)
{
    json_error_t where;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        *message = arena_printf(options->arena, "config file %s: it is a directory", path);
        return false;
    }
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    str why = STR_NONE;
    bool ok = json_is_object(root);
    if (!root)
        why = where.line > 0
                  ? arena_printf(options->arena, "%s (line %d)", where.text, where.line)
                  : arena_copy(options->arena, str_of(where.text)); /* it cannot be read */
    else if (!ok)
        why = S("not a JSON object");
    else
        ok = set_keys(options, "", root, &why);
    json_decref(root);
    if (!ok)
        *message = arena_printf(options->arena, "config file %s: %.*s", path, STR_ARG(why));
    return ok;
}

/* ---- all ---- */

static void set_presets(struct options *options)
{
    str message;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].preset &&
            !set_value(options, &rows[i], str_of(rows[i].preset), rows[i].flag, &message))
            abort();
}

/* It becomes part of ARNs, host names, and lines for a shell's eval. */
static bool plain(str text, const char *signs)
{
    for (size_t i = 0; i < text.n; i++)
        if (!isalnum((unsigned char)text.p[i]) && !strchr(signs, text.p[i]))
            return false;
    return true;
}

static bool check(struct options *options, str *message)
{
    msec at;
    str clock = options->clock, mode = str_cut(&clock, '=');
    if (!str_is_account(options->account))
        *message = arena_printf(options->arena, "--account: %.*s is not 12 digits",
                                STR_ARG(options->account));
    else if (!plain(options->region, "-"))
        *message = arena_printf(options->arena, "--region: %.*s is not letters, digits and -",
                                STR_ARG(options->region));
    else if (!plain(options->host, ".:%_-"))
        *message = arena_printf(options->arena, "--host: %.*s is no address or name",
                                STR_ARG(options->host));
    else if (!(str_eq(mode, S("real")) && !clock.p) &&
             !(str_eq(mode, S("frozen")) && (!clock.p || date_parse(clock, &at))))
        *message =
            arena_printf(options->arena, "--clock: %.*s is none of real, frozen, frozen=TIME",
                         STR_ARG(options->clock));
    else if (!str_eq(options->color, S("auto")) && !str_eq(options->color, S("always")) &&
             !str_eq(options->color, S("never")))
        *message = arena_printf(options->arena, "--color: %.*s is none of auto, always, never",
                                STR_ARG(options->color));
    else
        *message = pipeline_options_fault(&options->pipeline, options->arena);
    return !message->p;
}

bool options_read(struct options *options, int argc, char **argv,
                  const char *(*getenv_of)(const char *name), str *message)
{
    *options = (struct options){.arena = arena_new()};
    struct given *given = arena_array(options->arena, (size_t)argc + 1, sizeof *given);
    size_t n = 0;
    set_presets(options);
    if (!read_flags(options, argc, argv, given, &n, message))
        return false;
    const char *config = getenv_of("HEADRACE_CONFIG");
    for (size_t i = 0; i < n; i++)
        if (!strcmp(given[i].row->flag, "config"))
            config = given[i].value.p;
    if (config && *config && !read_config(options, config, message))
        return false;
    return read_env(options, getenv_of, message) && apply_flags(options, given, n, message) &&
           check(options, message);
}

void options_free(struct options *options)
{
    arena_free(options->arena);
}

str options_endpoint(const struct options *options, struct arena *arena, int64_t port)
{
    bool any = str_eq(options->host, S("0.0.0.0")) || str_eq(options->host, S("::"));
    str host = any ? S("127.0.0.1") : options->host;
    bool v6 = str_find(host, S(":"), 0) >= 0;
    return arena_printf(arena, v6 ? "http://[%.*s]:%lld" : "http://%.*s:%lld", STR_ARG(host),
                        (long long)port);
}

#define HELP_INDENT 29
#define HELP_WIDTH 100

void help_line(struct buf *b, size_t indent, const char *left, str text)
{
    size_t used = 0; /* of this line, by the text */
    buf_printf(b, "  %-*s", (int)indent - 3, left);
    while (text.p) {
        str word = str_cut(&text, ' ');
        if (used && indent + used + word.n > HELP_WIDTH) {
            buf_printf(b, "\n%*s", (int)indent - 1, "");
            used = 0;
        }
        buf_char(b, ' ');
        buf_put(b, word);
        used += word.n + 1;
    }
    buf_char(b, '\n');
}

static void help_row(struct buf *b, const struct option_row *row)
{
    char flag[64];
    struct buf text = buf_in(b->arena);
    snprintf(flag, sizeof flag, "--%s%s%s", row->flag, row->argument ? " " : "",
             row->argument ? row->argument : "");
    buf_printf(&text, "%s", row->help);
    if (row->choices)
        buf_printf(&text, ": %s", row->choices);
    if (row->preset && row->type != OPTION_FLAG)
        buf_printf(&text, " [%s]", row->preset);
    help_line(b, HELP_INDENT, flag, buf_str(&text));
}

void options_help(struct buf *b)
{
    for (size_t i = 0; i < ROWS; i++)
        help_row(b, &rows[i]);
    BUF_LIT(
        b,
        "\nEvery option can also be set as HEADRACE_OPTION_NAME in the environment (--data-dir:\n"
        "HEADRACE_DATA_DIR), and all but --config by its key in the config file.\n");
}

void options_markdown(struct buf *b)
{
    BUF_LIT(b, "| Flag | Environment | Config key | Default | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < ROWS; i++) {
        str env = env_name(b->arena, &rows[i]), others = str_of(rows[i].env);
        buf_printf(b, "| `--%s%s%s` | `%.*s`", rows[i].flag, rows[i].argument ? " " : "",
                   rows[i].argument ? rows[i].argument : "", STR_ARG(env));
        while (others.p && others.n) {
            str other = str_cut(&others, '|');
            buf_printf(b, ", `%.*s`", STR_ARG(other));
        }
        buf_printf(b, " | %s%s%s | %s | ", rows[i].key ? "`" : "", rows[i].key ? rows[i].key : "",
                   rows[i].key ? "`" : "", rows[i].preset ? rows[i].preset : "");
        for (const char *c = rows[i].help; *c; c++) {
            if (*c == '|')
                buf_char(b, '\\');
            buf_char(b, *c);
        }
        BUF_LIT(b, " |\n");
    }
}
