/* Flags over environment over config file over defaults, and messages that name what is wrong. */
#include "unit.h"

#include "app/options.h"

#include <unistd.h>

static const char *environment[8][2];
static struct options options;
static str message;

static const char *getenv_of(const char *name)
{
    for (size_t i = 0; i < 8 && environment[i][0]; i++)
        if (!strcmp(environment[i][0], name))
            return environment[i][1];
    return NULL;
}

static void set_env(size_t i, const char *name, const char *value)
{
    environment[i][0] = name;
    environment[i][1] = value;
    if (i + 1 < 8)
        environment[i + 1][0] = NULL;
}

static bool read_words(int n, char **words)
{
    message = STR_NONE;
    return options_read(&options, n, words, getenv_of, &message);
}

#define READ(...)                                                                                  \
    read_words((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__})
#define READ_NOTHING() read_words(0, (char *[]){NULL})

static void refuses(bool ok, const char *text)
{
    CHECK(!ok);
    CHECK_STR(message, str_of(text));
    options_free(&options);
}

static const char *config_of(const char *json)
{
    static char path[] = "/tmp/headrace-options-XXXXXX";
    strcpy(path + sizeof path - 7, "XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, json, strlen(json)) == (ssize_t)strlen(json));
    close(fd);
    return path;
}

TEST(defaults_are_those_of_the_table)
{
    set_env(0, NULL, NULL);
    CHECK(READ_NOTHING());
    CHECK_INT(options.port, 4566);
    CHECK_STR(options.host, S("127.0.0.1"));
    CHECK_STR(options.data_dir, S(".headrace"));
    CHECK_STR(options.region, S("us-east-1"));
    CHECK_STR(options.account, S("000000000000"));
    CHECK_INT(options.auth, AUTH_OFF);
    CHECK_INT(options.trace, TRACE_ON);
    CHECK_INT(options.lint, LINT_ON);
    CHECK(options.pipeline.enabled);
    options_free(&options);
}

TEST(the_tables_pipeline_defaults_are_the_pipelines)
{
    struct pipeline_options preset = pipeline_options_default();
    set_env(0, NULL, NULL);
    CHECK(READ_NOTHING());
    CHECK_STR(options.pipeline.dropzone, preset.dropzone);
    CHECK_STR(options.pipeline.processed, preset.processed);
    CHECK_STR(options.pipeline.ingest_queue, preset.ingest_queue);
    CHECK_STR(options.pipeline.jobs_queue, preset.jobs_queue);
    CHECK_STR(options.pipeline.results_queue, preset.results_queue);
    CHECK_STR(options.pipeline.dead_letter_queue, preset.dead_letter_queue);
    CHECK_STR(options.pipeline.prefix, preset.prefix);
    CHECK_STR(options.pipeline.suffix, preset.suffix);
    CHECK_STR(options.pipeline.output_prefix, preset.output_prefix);
    CHECK_INT(options.pipeline.workers, preset.workers);
    CHECK_INT(options.pipeline.max_bytes, preset.max_bytes);
    CHECK_INT(options.pipeline.visibility, preset.visibility);
    CHECK_INT(options.pipeline.max_receives, preset.max_receives);
    options_free(&options);
}

TEST(flags_win_over_environment_over_config)
{
    const char *path =
        config_of("{\"port\":1,\"region\":\"eu-west-1\",\"account\":\"111111111111\"}");
    set_env(0, "HEADRACE_PORT", "2");
    set_env(1, "HEADRACE_REGION", "eu-west-2");
    CHECK(READ("--port", "3", "--config", (char *)path));
    CHECK_INT(options.port, 3);
    CHECK_STR(options.region, S("eu-west-2"));
    CHECK_STR(options.account, S("111111111111"));
    options_free(&options);
    unlink(path);
}

TEST(the_region_of_the_aws_tools_is_ours_too)
{
    set_env(0, "AWS_DEFAULT_REGION", "eu-central-1");
    CHECK(READ_NOTHING());
    CHECK_STR(options.region, S("eu-central-1"));
    options_free(&options);
    set_env(1, "AWS_REGION", "ap-south-1");
    CHECK(READ_NOTHING());
    CHECK_STR(options.region, S("ap-south-1"));
    options_free(&options);
    set_env(2, "HEADRACE_REGION", "sa-east-1");
    CHECK(READ_NOTHING());
    CHECK_STR(options.region, S("sa-east-1"));
    options_free(&options);
}

TEST(flags_take_values_both_ways_and_have_a_no_form)
{
    set_env(0, NULL, NULL);
    CHECK(
        READ("--port=0", "--ephemeral", "--no-pipeline", "--auth", "enforce", "--address", "::1"));
    CHECK_INT(options.port, 0);
    CHECK(options.ephemeral);
    CHECK(!options.pipeline.enabled);
    CHECK_INT(options.auth, AUTH_ENFORCE);
    CHECK_STR(options.host, S("::1"));
    options_free(&options);
}

TEST(a_repeated_flag_adds_to_its_list_and_replaces_the_environments)
{
    set_env(0, "HEADRACE_ALLOW_HOST", "a, b");
    CHECK(READ_NOTHING());
    CHECK_INT((int64_t)options.allow_hosts.n, 2);
    CHECK_STR(options.allow_hosts.at[1], S("b"));
    options_free(&options);
    CHECK(READ("--allow-host", "c", "--allow-host", "d"));
    CHECK_INT((int64_t)options.allow_hosts.n, 2);
    CHECK_STR(options.allow_hosts.at[0], S("c"));
    options_free(&options);
}

TEST(nested_keys_of_the_config_reach_the_pipeline)
{
    const char *path = config_of("{\"pipeline\":{\"workers\":3,\"dropzone\":\"in\"},\"allowHosts\":"
                                 "[\"x\"],\"strict\":true}");
    set_env(0, NULL, NULL);
    CHECK(READ("--config", (char *)path));
    CHECK_INT(options.pipeline.workers, 3);
    CHECK_STR(options.pipeline.dropzone, S("in"));
    CHECK_INT((int64_t)options.allow_hosts.n, 1);
    CHECK(options.strict);
    options_free(&options);
    unlink(path);
}

TEST(what_is_wrong_is_named)
{
    set_env(0, NULL, NULL);
    refuses(READ("--prot", "1"), "unknown option --prot (did you mean --port?)");
    refuses(READ("--zzzzzzzzzzzz"), "unknown option --zzzzzzzzzzzz (see headrace --help)");
    refuses(READ("--port", "x"), "--port: x is not a number from 0 to 65535");
    refuses(READ("--port", "65536"), "--port: 65536 is not a number from 0 to 65535");
    refuses(READ("--port"), "--port needs a value (N)");
    refuses(READ("--auth", "on"), "--auth: on is none of off|verify|enforce");
    refuses(READ("--account", "12"), "--account: 12 is not 12 digits");
    refuses(READ("--clock", "sundial"), "--clock: sundial is none of real, frozen, frozen=TIME");
    refuses(READ("extra"), "unexpected argument extra (see headrace --help)");
    set_env(0, "HEADRACE_PORT", "many");
    refuses(READ_NOTHING(), "HEADRACE_PORT: many is not a number from 0 to 65535");
}

static void refuses_config(const char *json, const char *part)
{
    const char *path = config_of(json);
    set_env(0, "HEADRACE_CONFIG", path);
    CHECK(!READ_NOTHING());
    CHECK(str_find(message, str_of(part), 0) >= 0);
    options_free(&options);
    unlink(path);
}

TEST(unknown_keys_and_broken_config_files_are_named)
{
    refuses_config("{\"prot\":1}", "unknown key prot (did you mean port?)");
    refuses_config("{\"pipeline\":{\"worker\":1}}",
                   "unknown key pipeline.worker (did you mean pipeline.workers?)");
    refuses_config("{\"port\":[]}", "port: not a text, number or boolean");
    refuses_config("[1]", "not a JSON object");
    refuses_config("{\"port\":", "line 1");
}

TEST(a_mistyped_variable_is_told_from_a_known_and_from_a_foreign_one)
{
    static const char *const rows[][2] = {
        {"HEADRACE_DATADIR", "HEADRACE_DATA_DIR"},
        {"HEADRACE_WORKER", "HEADRACE_WORKERS"},
        {"HEADRACE_NO_PIPELINE", "HEADRACE_PIPELINE"},
        {"HEADRACE_LOGLEVEL", "HEADRACE_LOG_LEVEL"},
        {"HEADRACE_DATA_DIR", NULL},
        {"HEADRACE_ENDPOINT", NULL},
        {"HEADRACE_BIN", NULL},
        {"HEADRACE_SERVICE_HOST", NULL}, /* Kubernetes sets these for a service of that name */
        {"HEADRACE_PORT_4566_TCP_ADDR", NULL},
        {"HEADRACE_", NULL},
        {"PATH", NULL},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_STR(options_variable_meant(arena, str_of(rows[i][0])), str_of(rows[i][1]));
    arena_free(arena);
}

TEST(a_clock_can_start_frozen_at_an_instant)
{
    set_env(0, NULL, NULL);
    CHECK(READ("--clock", "frozen=2026-01-01T00:00:00Z"));
    CHECK_STR(options.clock, S("frozen=2026-01-01T00:00:00Z"));
    options_free(&options);
}

UNIT_MAIN
