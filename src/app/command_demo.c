/* app/command_demo.c - `headrace demo`: an emulator in memory on a free port, a client beside it on
 * the same loop, one file through the whole pipeline over real HTTP, and every step with the time
 * since the upload began. */
#include "app/clock.h"
#include "app/command.h"
#include "app/options.h"
#include "app/pool.h"
#include "app/serve.h"
#include "base/log.h"
#include "http/client.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SAMPLE "hello world\nthis is a test\nline three\n"
#define KEY "incoming/sample.txt"
#define REPORT "processed/sample.txt.report.json"
#define LOOKS_MAX 500 /* at the report, before the demo gives up */
#define LOOK_PAUSE 10 /* ms */

struct demo {
    uv_loop_t loop;
    struct app *app;
    struct arena *arena;
    struct http_client *client;
    uv_timer_t pause;
    const struct options *options;
    str endpoint;
    int64_t began; /* clock_micros at the upload */
    int looks, code;
    bool color;
};

static void say(struct demo *demo, const char *what, str text)
{
    double ms = demo->began ? (double)(clock_micros() - demo->began) / 1000 : 0;
    printf(demo->color ? "\033[2m%8.2f ms\033[0m  \033[1m%-9s\033[0m %.*s\n"
                       : "%8.2f ms  %-9s %.*s\n",
           ms, what, STR_ARG(text));
    fflush(stdout);
}

/* A document or a text, indented under its step. */
static void show(struct demo *demo, str text)
{
    json_t *json = json_loadb(text.p, text.n, 0, NULL);
    char *pretty = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    str rest = pretty ? str_of(pretty) : text;
    while (rest.n) {
        str line = str_cut(&rest, '\n');
        printf(demo->color ? "%22s\033[36m%.*s\033[0m\n" : "%22s%.*s\n", "", STR_ARG(line));
    }
    free(pretty);
    json_decref(json);
}

static void on_line(void *user, str line)
{
    say(user, "log", line);
}

static void nothing_left(void *user)
{
    (void)user;
}

static void end(struct demo *demo, int code)
{
    demo->code = code;
    uv_close((uv_handle_t *)&demo->pause, NULL);
    http_client_close(demo->client, nothing_left, demo);
    app_stop(demo->app);
}

static void gave_up(struct demo *demo, const char *step, const struct http_fetched *fetched)
{
    str why = fetched->status ? fetched->body : fetched->error;
    command_fail("the demo's %s failed: HTTP %d %.*s", step, fetched->status, STR_ARG(why));
    end(demo, 1);
}

typedef void step_done(void *user, const struct http_fetched *fetched);

static void ask(struct demo *demo, const char *method, str path, const struct http_header *headers,
                size_t n, str body, step_done *done)
{
    struct http_fetch_options options = {
        .arena = demo->arena,
        .method = str_of(method),
        .url = arena_join(demo->arena, demo->endpoint, path),
        .headers = headers,
        .nheaders = n,
        .body = body,
        .timeout = 10000,
        .done = done,
        .user = demo,
    };
    http_client_fetch(demo->client, &options);
}

static void farewell(struct demo *demo)
{
    const struct pipeline_options *p = &demo->options->pipeline;
    str self = command_self(demo->arena);
    str env = arena_printf(demo->arena, "eval \"$(%.*s env)\"", STR_ARG(self));
    printf(
        "\nThat was the whole way: S3 event, ingest, jobs queue, worker, report, results queue.\n"
        "To use it yourself:\n\n"
        "  %-30.*s # in one terminal; data stays in .headrace\n"
        "  %-30.*s # in another: aws-cli and SDKs now mean this machine\n"
        "  echo 'hello world' > notes.txt\n",
        STR_ARG(self), STR_ARG(env));
    printf("  aws s3 cp notes.txt s3://%.*s/%.*s\n"
           "  aws s3 cp s3://%.*s/%.*snotes.txt.report.json -\n",
           STR_ARG(p->dropzone), STR_ARG(p->prefix), STR_ARG(p->processed),
           STR_ARG(p->output_prefix));
}

static void result_came(void *user, const struct http_fetched *fetched)
{
    struct demo *demo = user;
    json_t *root = json_loadb(fetched->body.p, fetched->body.n, 0, NULL);
    json_t *message = json_array_get(json_object_get(root, "Messages"), 0);
    const char *body = json_string_value(json_object_get(message, "Body"));
    if (fetched->status != 200 || !body) {
        gave_up(demo, "look into the results queue", fetched);
    } else {
        say(demo, "result", demo->options->pipeline.results_queue);
        show(demo, str_of(body));
        farewell(demo);
        end(demo, 0);
    }
    json_decref(root);
}

static void receive_result(struct demo *demo)
{
    static const char target[] = "AmazonSQS.ReceiveMessage", type[] = "application/x-amz-json-1.0";
    struct http_header *headers = arena_array(demo->arena, 2, sizeof *headers);
    headers[0] = (struct http_header){S("X-Amz-Target"), str_of(target)};
    headers[1] = (struct http_header){S("Content-Type"), str_of(type)};
    str body = arena_printf(demo->arena, "{\"QueueUrl\":\"%.*s/%.*s/%.*s\",\"WaitTimeSeconds\":5}",
                            STR_ARG(demo->endpoint), STR_ARG(demo->options->account),
                            STR_ARG(demo->options->pipeline.results_queue));
    ask(demo, "POST", S("/"), headers, 2, body, result_came);
}

static void look_at_report(struct demo *demo);

static void look_again(uv_timer_t *timer)
{
    look_at_report(timer->data);
}

static void report_came(void *user, const struct http_fetched *fetched)
{
    struct demo *demo = user;
    if (fetched->status == 404 && ++demo->looks < LOOKS_MAX) {
        uv_timer_start(&demo->pause, look_again, LOOK_PAUSE, 0);
        return;
    }
    if (fetched->status != 200) {
        gave_up(demo, "report", fetched);
        return;
    }
    say(demo, "report",
        arena_printf(demo->arena, "s3://%.*s/" REPORT, STR_ARG(demo->options->pipeline.processed)));
    show(demo, fetched->body);
    receive_result(demo);
}

static void look_at_report(struct demo *demo)
{
    str path =
        arena_printf(demo->arena, "/%.*s/" REPORT, STR_ARG(demo->options->pipeline.processed));
    ask(demo, "GET", path, NULL, 0, STR_NONE, report_came);
}

static void uploaded(void *user, const struct http_fetched *fetched)
{
    struct demo *demo = user;
    if (fetched->status != 200) {
        gave_up(demo, "upload", fetched);
        return;
    }
    say(demo, "uploaded",
        arena_printf(demo->arena, "ETag %.*s", STR_ARG(http_fetched_header(fetched, S("ETag")))));
    look_at_report(demo);
}

static void upload(struct demo *demo)
{
    static const char type[] = "text/plain";
    struct http_header *header = ARENA_NEW(demo->arena, struct http_header);
    *header = (struct http_header){S("Content-Type"), str_of(type)};
    str dropzone = demo->options->pipeline.dropzone;
    demo->began = clock_micros();
    say(demo, "PUT",
        arena_printf(demo->arena, "s3://%.*s/" KEY ", %d bytes", STR_ARG(dropzone),
                     (int)sizeof SAMPLE - 1));
    show(demo, S(SAMPLE));
    ask(demo, "PUT", arena_printf(demo->arena, "/%.*s/" KEY, STR_ARG(dropzone)), header, 1,
        S(SAMPLE), uploaded);
}

static int play(struct demo *demo)
{
    char *message = NULL;
    int64_t before = clock_micros();
    int failed = command_loop(&demo->loop);
    if (failed)
        return failed;
    demo->app = app_start(&demo->loop, demo->options, &message);
    if (!demo->app) {
        int code = command_fail("%s", message);
        free(message);
        return code;
    }
    demo->endpoint = app_endpoint(demo->app, demo->arena);
    printf("headrace %s: S3 and SQS on %.*s, ready after %.1f ms\n\n", HEADRACE_VERSION,
           STR_ARG(demo->endpoint), (double)(clock_micros() - before) / 1000);
    pool_on_line(demo->app->pool, on_line, demo);
    demo->client = http_client_new(&demo->loop, NULL, 4);
    uv_timer_init(&demo->loop, &demo->pause);
    demo->pause.data = demo;
    upload(demo);
    uv_run(&demo->loop, UV_RUN_DEFAULT);
    uv_loop_close(&demo->loop);
    return demo->code;
}

int command_demo(int argc, char **argv)
{
    char *forced[] = {"--ephemeral", "--port", "0", "--host", "127.0.0.1", "--auth", "off"};
    struct demo *demo = xalloc(sizeof *demo);
    struct options options;
    str message = STR_NONE;
    int code;
    if (argc)
        code = command_odd("demo", argv[0]);
    else if (!options_read(&options, sizeof forced / sizeof *forced, forced,
                           (const char *(*)(const char *))getenv, &message))
        code = command_fail("%.*s", STR_ARG(message));
    else {
        options.pipeline.enabled = true;
        log_set_level(LOG_WARN);
        signal(SIGPIPE, SIG_IGN);
        demo->options = &options;
        demo->arena = arena_new();
        demo->color = command_color(STDOUT_FILENO, options.color);
        code = play(demo);
        arena_free(demo->arena);
    }
    if (!argc)
        options_free(&options);
    free(demo);
    return code;
}
