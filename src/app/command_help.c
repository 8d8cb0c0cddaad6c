/* app/command_help.c - what `headrace COMMAND --help` says, and the one line about a wrong use:
 * both from one row a command. Only here are these texts; worker and ingest print their options
 * from their own table (worker_options.c), serve from options.c. */
#include "app/command.h"

#include "app/options.h"

#include <stdio.h>
#include <string.h>

#define ASKS                                                                                       \
    "  --endpoint-url URL  the emulator to ask; else HEADRACE_ENDPOINT, AWS_ENDPOINT_URL, or "     \
    "port\n"                                                                                       \
    "                      HEADRACE_PORT (4566) of this machine\n"

#define JSON "  --json              as JSON, which it is anyway where stdout is no terminal\n"

static const struct help {
    const char *name, *usage, *text;
} rows[] = {
    {"env", "env [OPTIONS OF serve]",
     "Prints the variables that point aws-cli and the SDKs at an emulator: address, keys, region.\n"
     "Options (or HEADRACE_ variables) are those the emulator was started with.\n"
     "\nexamples:\n"
     "  eval \"$(headrace env)\"\n"
     "  eval \"$(headrace env --port 5000 --region eu-west-1)\"\n"},
    {"wait", "wait [--timeout SECONDS] [--endpoint-url URL]",
     "Waits until everything that was configured exists. Exit code 0: ready, 1: not in time.\n"
     "\noptions:\n"
     "  --timeout SECONDS   how long [30]\n" ASKS},
    {"ops", "ops [--json|--markdown]",
     "Lists the operations that are implemented, one a line; as JSON with their members.\n"},
    {"demo", "demo",
     "Starts an emulator of its own on a free port, in memory, sends a file through the pipeline,\n"
     "shows each step with its time, and ends.\n"},
    {"clock", "clock [advance LENGTH|set TIME|freeze [TIME]|real] [--json] [--endpoint-url URL]",
     "Shows virtual time, or moves it. Everything that falls due on the way runs, in order, "
     "before\n"
     "the answer comes, which tells what happened.\n"
     "\nforms:\n"
     "  advance LENGTH      forward: 250ms, 90s, 12h, 1h30m, 3d, PT12H\n"
     "  set TIME            to an instant: 2026-01-01T00:00:00Z; backwards, only the clock moves\n"
     "  freeze [TIME]       stand still, now or at an instant\n"
     "  real                the wall clock again\n"
     "\noptions:\n"
     "  --json              as JSON\n" ASKS},
    {"trace", "trace s3://BUCKET/KEY|ID [--json] [--follow] [--endpoint-url URL]",
     "Shows what an object, message or request caused, or why nothing happened. ID is a "
     "message's,\n"
     "a job's or a trace's.\n"
     "\noptions:\n"
     "  --json              as JSON\n"
     "  --follow            go on with what happens from now on; without an ID, of "
     "everything\n" ASKS},
    {"fault", "fault [list | add RULE | remove ID | clear] [--json] [--endpoint-url URL]",
     "Makes requests, events or workers go wrong on purpose. RULE is JSON: what it matches "
     "(service,\n"
     "operation, bucket, key, queue, account, region), when (nth, next, every, probability with "
     "seed)\n"
     "and its effect (error, latency, cut, duplicate, reorder, lose-delete, late-event, "
     "double-event,\n"
     "kill-worker). docs/testing.md has the members of each.\n"
     "\noptions:\n" JSON ASKS "\nexamples:\n"
     "  headrace fault add '{\"operation\":\"ReceiveMessage\",\"nth\":3,\"effect\":\"error\","
     "\"code\":\"OverLimit\"}'\n"
     "  headrace fault add "
     "'{\"operation\":\"PutObject\",\"effect\":\"latency\",\"delay\":\"200ms\"}'\n"
     "  headrace fault clear\n"},
    {"status", "status [--watch] [--json] [--endpoint-url URL]",
     "Buckets, queues, workers and requests of a running emulator.\n"
     "\noptions:\n"
     "  --watch             again every second\n"
     "  --json              as JSON\n" ASKS},
    {"snapshot", "snapshot [list | save NAME|FILE | load NAME|FILE | delete NAME] [OPTIONS]",
     "Keeps the whole state, or brings it back. A NAME is kept by the emulator; a FILE has a slash "
     "in\n"
     "it or ends in .snapshot, and is yours. Loading replaces everything at once.\n"
     "\noptions:\n" JSON ASKS},
    {"cost", "cost [--json] [--endpoint-url URL]",
     "What the requests so far would have cost on AWS, at its list prices.\n"
     "\noptions:\n"
     "  --json              as JSON\n" ASKS},
    {"lint", "lint [--json] [--endpoint-url URL]",
     "What would hurt on AWS in the use so far; docs/lint.md explains each finding.\n"
     "\noptions:\n"
     "  --json              as JSON\n" ASKS},
    {"reset", "reset [ACCOUNT] [--json] [--endpoint-url URL]",
     "Empties a running emulator, or one account (12 digits); the pipeline's own resources are "
     "made\n"
     "anew. Done when it returns.\n"
     "\noptions:\n" JSON ASKS},
    {"leaks", "leaks ACCOUNT [--json] [--endpoint-url URL]",
     "The buckets and queues of an account (12 digits) that are still there.\n"
     "\noptions:\n" JSON ASKS},
    {"doctor", "doctor [--data-dir DIR] [--repair]",
     "Examines the data directory of a stopped emulator: its pages, files without a body, bodies\n"
     "without their file, and every body and message against the digests that were stored with "
     "it.\n"
     "Exit code 0: nothing is wrong or all was mended, 1: findings are left, 2: it cannot be "
     "opened.\n"
     "\noptions:\n"
     "  --data-dir DIR      the directory [.headrace]\n"
     "  --repair            remove files without a body, and what is lost or damaged\n"},
    {"version", "version", "Prints the version.\n"},
    {"help", "help [COMMAND | --markdown]",
     "Prints what there is, or what --help of a command prints; --markdown: the table of "
     "options.\n"},
};

static const struct help *row_of(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

bool command_help_put(struct buf *b, const char *name)
{
    const struct help *row = row_of(name);
    if (!strcmp(name, "serve")) {
        BUF_LIT(b, "usage: headrace [serve] [OPTIONS]\n\n"
                   "Runs the emulator until SIGINT or SIGTERM.\n\noptions:\n");
        options_help(b);
    } else if (row) {
        buf_printf(b, "usage: headrace %s\n\n%s", row->usage, row->text);
    }
    return row || !strcmp(name, "serve");
}

int command_odd(const char *name, const char *argument)
{
    const char *usage = row_of(name)->usage, *at = strstr(row_of(name)->text, argument);
    const char *wrong = argument[0] != '-'                  ? "no use for this"
                        : at && at[strlen(argument)] == ' ' ? "this needs a value"
                                                            : "no such option";
    return command_fail("%s %s: %s; usage: headrace %s (headrace %s --help says more)", name,
                        argument, wrong, usage, name);
}

int command_misused(const struct asked *asked, const char *name)
{
    bool odd = asked->n && !strstr(row_of(name)->usage, asked->words[0]);
    return odd ? command_odd(name, asked->words[0]) : command_usage(name);
}

int command_usage(const char *name)
{
    return command_fail("usage: headrace %s (headrace %s --help says more)", row_of(name)->usage,
                        name);
}
