/* app/command_serve.c - `headrace serve`: options, signals, banner, loop. */
#include "app/command.h"

#include "app/serve.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_LINT 3 /* --lint error, and there was something */

struct run { /* one `headrace serve` */
    struct app *app;
    size_t lint_found;
    uv_signal_t terminate, interrupt, hangup;
};

/* ---- banner ---- */

static void banner_line(struct buf *b, bool color, const char *label, str text)
{
    buf_printf(b, color ? "  \033[2m%-10s\033[0m %.*s\n" : "  %-10s %.*s\n", label, STR_ARG(text));
}

static void banner_pipeline(struct buf *b, bool color, const struct options *options)
{
    const struct pipeline_options *p = &options->pipeline;
    if (!p->enabled)
        return;
    banner_line(b, color, "pipeline",
                arena_printf(b->arena,
                             "s3://%.*s/%.*s*%.*s -> %.*s -> %.*s -> workers -> s3://%.*s, %.*s",
                             STR_ARG(p->dropzone), STR_ARG(p->prefix), STR_ARG(p->suffix),
                             STR_ARG(p->ingest_queue), STR_ARG(p->jobs_queue),
                             STR_ARG(p->processed), STR_ARG(p->results_queue)));
}

/* What a shell evaluates to have its tools speak to this server. */
static str env_line(struct arena *arena, const struct app *app)
{
    const struct options *options = app->options;
    struct buf b = buf_in(arena);
    buf_printf(&b, "eval \"$(%.*s env", STR_ARG(command_self(arena)));
    if (app->port != 4566)
        buf_printf(&b, " --port %d", app->port);
    if (!str_eq(options->host, S("127.0.0.1")))
        buf_printf(&b, " --host %.*s", STR_ARG(options->host));
    if (!str_eq(options->region, S("us-east-1")))
        buf_printf(&b, " --region %.*s", STR_ARG(options->region));
    BUF_LIT(&b, ")\"");
    return buf_str(&b);
}

static void print_banner(const struct app *app)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    const struct options *options = app->options;
    bool color = command_color(STDERR_FILENO, options->color);
    str endpoint = app_endpoint(app, arena);
    buf_printf(&b, color ? "\033[1mheadrace %s\033[0m\n" : "headrace %s\n", HEADRACE_VERSION);
    banner_line(&b, color, "endpoint", endpoint);
    banner_line(&b, color, "data",
                options->ephemeral ? S("in memory, gone at exit") : options->data_dir);
    banner_line(&b, color, "console", arena_join(arena, endpoint, S("/_headrace/console")));
    banner_pipeline(&b, color, options);
    str env = env_line(arena, app);
    if (options->pipeline.enabled)
        banner_line(
            &b, color, "try",
            arena_printf(arena, "%.*s; echo 'hello world' > a%.*s; aws s3 cp a%.*s s3://%.*s/%.*s",
                         STR_ARG(env), STR_ARG(options->pipeline.suffix),
                         STR_ARG(options->pipeline.suffix), STR_ARG(options->pipeline.dropzone),
                         STR_ARG(options->pipeline.prefix)));
    else
        banner_line(&b, color, "try",
                    arena_printf(arena, "%.*s; aws s3 mb s3://my-bucket", STR_ARG(env)));
    log_text((str){b.p, b.n - 1});
    arena_free(arena);
}

/* ---- port file ---- */

/* Written beside and renamed, so that whoever waits for the file never reads half of it; the name
 * beside is nobody's guess, so that no link can wait there. */
static bool write_port(const struct app *app)
{
    const struct options *options = app->options;
    if (!options->port_file.n)
        return true;
    const char *path = arena_cstr(options->arena, options->port_file);
    char *beside = xstrdup(arena_printf(options->arena, "%s.XXXXXX", path));
    int fd = mkostemp(beside, O_CLOEXEC);
    bool ok = fd >= 0 && dprintf(fd, "%d\n", app->port) > 0 && !fchmod(fd, 0644);
    if (fd >= 0)
        ok = !close(fd) && ok && !rename(beside, path);
    int error = errno;
    if (fd >= 0 && !ok)
        unlink(beside);
    free(beside);
    errno = error;
    return ok;
}

/* ---- signals ---- */

static void on_stop(uv_signal_t *signal, int number)
{
    (void)number;
    struct run *run = signal->data;
    app_stop(run->app);
}

static void on_ignored(uv_signal_t *signal, int number)
{
    (void)signal, (void)number;
}

static void add_signal(struct run *run, uv_loop_t *loop, uv_signal_t *signal, int number,
                       uv_signal_cb callback)
{
    uv_signal_init(loop, signal);
    signal->data = run;
    uv_signal_start(signal, callback, number);
    uv_unref((uv_handle_t *)signal);
}

static void close_signals(struct run *run)
{
    uv_close((uv_handle_t *)&run->terminate, NULL);
    uv_close((uv_handle_t *)&run->interrupt, NULL);
    uv_close((uv_handle_t *)&run->hangup, NULL);
}

static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* Arenas of a few MiB come and go with every large answer: giving their pages back to the kernel
 * each time costs more than the answer. Not before all is open: what is reserved for a long life
 * then lies outside of the heap, where only its touched pages count. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

static int serve(const struct options *options)
{
    struct run run = {0};
    char *message = NULL;
    uv_loop_t loop;
    int code = command_loop(&loop);
    if (code)
        return code;
    run.app = app_start(&loop, options, &message);
    code = run.app ? 0 : command_fail("%s", message);
    free(message);
    if (run.app) {
        /* Who reads the port may send a signal at once. */
        add_signal(&run, &loop, &run.terminate, SIGTERM, on_stop);
        add_signal(&run, &loop, &run.interrupt, SIGINT, on_stop);
        add_signal(&run, &loop, &run.hangup, SIGHUP, on_ignored);
        keep_memory();
        run.app->lint_found = &run.lint_found;
    }
    if (run.app && !write_port(run.app)) {
        code = command_fail("cannot write the port file %.*s: %s", STR_ARG(options->port_file),
                            strerror(errno));
        app_stop(run.app);
    }
    if (run.app) {
        if (!options->quiet && !code)
            print_banner(run.app);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    if (run.app)
        close_signals(&run);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (!code && options->lint == LINT_FAIL && run.lint_found)
        return EXIT_LINT;
    return code;
}

/* A variable with a typing error would be passed over without a word. */
static void warn_of_variables(struct arena *arena)
{
    for (char **variable = environ; *variable; variable++) {
        str value = str_of(*variable), name = str_cut(&value, '=');
        str meant = options_variable_meant(arena, name);
        if (meant.p)
            log_warn("environment: %.*s is not known; %.*s is", STR_ARG(name), STR_ARG(meant));
    }
}

int command_serve(int argc, char **argv)
{
    struct options options;
    str message = STR_NONE;
    const char *(*environment)(const char *) = (const char *(*)(const char *))getenv;
    int code;
    if (options_read(&options, argc, argv, environment, &message)) {
        log_set_level((enum log_level)options.log_level);
        warn_of_variables(options.arena);
        signal(SIGPIPE, SIG_IGN);
        raise_file_limit();
        code = serve(&options);
    } else {
        code = command_fail("%.*s", STR_ARG(message));
    }
    options_free(&options);
    return code;
}
