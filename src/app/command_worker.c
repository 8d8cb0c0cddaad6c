/* app/command_worker.c - `headrace worker` and `headrace ingest`: a loop, a client, one stage, and
 * the signals that end it. */
#include "app/clock.h"
#include "app/command.h"
#include "app/worker_options.h"
#include "base/log.h"
#include "base/rng.h"
#include "http/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct station {
    uv_loop_t loop;
    struct arena *arena;
    struct worker_options options;
    struct remote remote;
    struct rng rng;
    struct runner *runner;
    struct http_server *server; /* NULL: no metrics asked for */
    uv_signal_t signals[2];
    bool ended;
    int code;
};

static msec wall(void *user)
{
    (void)user;
    return clock_wall();
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct station *station = signal->data;
    log_info("%s received: finishing what is in flight, then exiting",
             number == SIGTERM ? "SIGTERM" : "SIGINT");
    uv_signal_stop(signal);
    runner_stop(station->runner);
}

static void on_end(void *user, int code)
{
    struct station *station = user;
    station->ended = true;
    if (!station->code)
        station->code = code;
}

static str variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? str_of(value) : STR_NONE;
}

/* Flag, then the variables and the profile unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS. */
static str endpoint(struct station *station, str own, const char *service_variable)
{
    if (own.p || station->options.endpoint.p)
        return own.p ? own : station->options.endpoint;
    if (str_eq_nocase(variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), S("true")))
        return STR_NONE;
    str url = variable(service_variable);
    if (!url.p)
        url = variable("AWS_ENDPOINT_URL");
    return url.p ? url : credentials_setting(station->remote.credentials, S("endpoint_url"));
}

/* "https://sqs.eu-west-1.amazonaws.com/..." -> "eu-west-1"; absent for other hosts. */
static str region_of_url(str url)
{
    ptrdiff_t from = str_find(url, S("://sqs."), 0), to = str_find(url, S(".amazonaws.com"), 0);
    return from < 0 || to < from ? STR_NONE : str_slice(url, (size_t)from + 7, (size_t)to);
}

static str region(struct station *station)
{
    const struct worker_options *options = &station->options;
    str profiles_own =
        station->remote.credentials ? credentials_region(station->remote.credentials) : STR_NONE;
    str candidates[] = {
        options->region,
        variable("AWS_REGION"),
        variable("AWS_DEFAULT_REGION"),
        profiles_own,
        region_of_url(options->events_url.p ? options->events_url : options->jobs_url),
    };
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i].n)
            return candidates[i];
    return S("us-east-1");
}

static enum addressing addressing(str name)
{
    return str_eq(name, S("path"))      ? ADDRESS_PATH
           : str_eq(name, S("virtual")) ? ADDRESS_VIRTUAL
                                        : ADDRESS_AUTO;
}

static void open_remote(struct station *station)
{
    struct worker_options *options = &station->options;
    struct remote *remote = &station->remote;
    const char *bundle =
        options->ca_bundle.n ? arena_cstr(station->arena, options->ca_bundle) : NULL;
    rng_seed_system(&station->rng);
    remote->loop = &station->loop;
    remote->http = http_client_new(&station->loop, bundle, 4 * (long)options->concurrency + 8);
    remote->rng = &station->rng;
    remote->now = wall;
    struct credentials_world world = {
        .loop = &station->loop,
        .http = remote->http,
        .now = wall,
        .region = region(station),
        .profile = options->profile,
    };
    remote->credentials = credentials_new(&world);
    remote->settings = (struct remote_settings){
        .region = region(station),
        .s3_endpoint = endpoint(station, options->s3_endpoint, "AWS_ENDPOINT_URL_S3"),
        .sqs_endpoint = endpoint(station, options->sqs_endpoint, "AWS_ENDPOINT_URL_SQS"),
        .addressing = addressing(options->addressing),
        .max_attempts = options->max_attempts,
    };
    remote_init(remote);
}

static void start_runner(struct station *station, bool ingest)
{
    const struct worker_options *options = &station->options;
    bool direct = str_eq(options->input, S("s3-events"));
    struct pipeline_options pipeline = pipeline_options_default();
    pipeline.prefix = options->prefix;
    pipeline.suffix = options->suffix;
    pipeline.output_prefix = options->output_prefix;
    pipeline.processed = options->output_bucket;
    pipeline.max_bytes = options->max_bytes;
    struct runner_options runner = {
        .stage = ingest   ? RUN_INGEST
                 : direct ? RUN_DIRECT
                          : RUN_WORKER,
        .input_url = ingest ? options->events_url : options->jobs_url,
        .output_url = ingest ? options->jobs_url : options->results_url,
        .pipeline = pipeline,
        .concurrency = options->concurrency,
        .visibility = options->visibility,
        .memory = options->memory_mib << 20,
        .once = options->once,
        .drain = options->drain,
        .release = options->release,
    };
    station->runner = runner_start(&station->remote, &runner, on_end, station);
}

static void metrics_end(void *user, struct http_request *request)
{
    struct station *station = user;
    struct http_reply *reply = http_reply_new(request->arena);
    struct buf b = buf_in(request->arena);
    bool metrics = str_eq(request->path, S("/metrics"));
    if (metrics)
        runner_metrics(station->runner, &b);
    else if (str_eq(request->path, S("/health")))
        BUF_LIT(&b, "ok\n");
    else
        BUF_LIT(&b, "only /metrics and /health are here\n");
    bool known = metrics || str_eq(request->path, S("/health"));
    http_reply_bytes(request->arena, reply, known ? 200 : 404,
                     metrics ? S("text/plain; version=0.0.4") : S("text/plain"), buf_str(&b));
    http_respond(request, reply);
}

static void ignore_request(void *user, struct http_request *request)
{
    (void)user, (void)request;
}

static void ignore_body(void *user, struct http_request *request, str chunk)
{
    (void)user, (void)request, (void)chunk;
}

static bool give_up(void *user, struct http_request *request)
{
    (void)user, (void)request;
    return true;
}

static void ignore_gone(void *user, struct http_request *request, bool completed)
{
    (void)user, (void)request, (void)completed;
}

static void ignore_turn(void *user)
{
    (void)user;
}

static bool start_metrics(struct station *station)
{
    const struct worker_options *options = &station->options;
    if (options->metrics_port < 0)
        return true;
    struct http_app app = {
        .user = station,
        .begin = ignore_request,
        .body = ignore_body,
        .end = metrics_end,
        .hangup = give_up,
        .gone = ignore_gone,
        .turn = ignore_turn,
    };
    struct http_server_options server = {
        .address = arena_cstr(station->arena, options->metrics_host),
        .port = (int)options->metrics_port,
        .max_connections = 16,
    };
    char *message = NULL;
    station->server = http_server_start(&station->loop, &server, &app, &message);
    if (station->server)
        log_info("metrics on http://%s:%d/metrics", server.address,
                 http_server_port(station->server));
    else
        command_fail("--metrics-port: %s", message);
    free(message);
    return station->server != NULL;
}

static void watch_signals(struct station *station)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&station->loop, &station->signals[i]);
        station->signals[i].data = station;
        uv_signal_start(&station->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&station->signals[i]);
    }
}

/* Lets answers come that nobody waits for (a message given back), then closes all. */
static void wind_down(struct station *station)
{
    while (station->remote.open)
        uv_run(&station->loop, UV_RUN_ONCE);
    if (station->server)
        http_server_stop(station->server);
    http_client_close(station->remote.http, NULL, NULL);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&station->signals[i], NULL);
    uv_run(&station->loop, UV_RUN_DEFAULT);
    uv_loop_close(&station->loop);
    runner_free(station->runner);
    credentials_free(station->remote.credentials);
    remote_free(&station->remote);
}

static int work(struct station *station, bool ingest)
{
    signal(SIGPIPE, SIG_IGN);
    int failed = command_loop(&station->loop);
    if (failed)
        return failed;
    watch_signals(station);
    open_remote(station);
    start_runner(station, ingest);
    log_info("%s starting: %.*s, region %.*s, %lld at a time", ingest ? "ingest" : "worker",
             STR_ARG(ingest ? station->options.events_url : station->options.jobs_url),
             STR_ARG(station->remote.settings.region), (long long)station->options.concurrency);
    if (!start_metrics(station)) {
        station->code = 2;
        runner_stop(station->runner);
    }
    while (!station->ended)
        uv_run(&station->loop, UV_RUN_ONCE);
    wind_down(station);
    log_info("exiting cleanly");
    return station->code;
}

static int run(int argc, char **argv, bool ingest)
{
    struct station *station = xalloc(sizeof *station);
    str message;
    int code;
    station->arena = arena_new();
    struct buf help = buf_in(station->arena);
    if (!worker_options_read(&station->options, station->arena, argc, argv, ingest, &message)) {
        code = command_fail("%.*s", STR_ARG(message));
    } else if (station->options.help) {
        worker_options_help(&help, ingest);
        help_print(buf_str(&help));
        code = 0;
    } else {
        code = work(station, ingest);
    }
    arena_free(station->arena);
    free(station);
    return code;
}

int command_worker(int argc, char **argv)
{
    return run(argc, argv, false);
}

int command_ingest(int argc, char **argv)
{
    return run(argc, argv, true);
}
