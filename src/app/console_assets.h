/* app/console_assets.h - the files of src/console/, as bytes of the program: constant data that no
 * start pays for and that memory holds only once somebody asks for the page. A new file is one row
 * here; CMakeLists.txt finds it by itself. */
#ifndef HEADRACE_APP_CONSOLE_ASSETS_H
#define HEADRACE_APP_CONSOLE_ASSETS_H

#include <stddef.h>

#define CONSOLE_SCRIPT "text/javascript; charset=utf-8"

/* X(symbol, file, Content-Type) */
#define CONSOLE_ASSETS(X)                                                                          \
    X(index_html, "index.html", "text/html; charset=utf-8")                                        \
    X(style_css, "style.css", "text/css; charset=utf-8")                                           \
    X(icon_svg, "icon.svg", "image/svg+xml")                                                       \
    X(api_js, "api.js", CONSOLE_SCRIPT)                                                            \
    X(app_js, "app.js", CONSOLE_SCRIPT)                                                            \
    X(buckets_js, "buckets.js", CONSOLE_SCRIPT)                                                    \
    X(clock_js, "clock.js", CONSOLE_SCRIPT)                                                        \
    X(dom_js, "dom.js", CONSOLE_SCRIPT)                                                            \
    X(faults_js, "faults.js", CONSOLE_SCRIPT)                                                      \
    X(live_js, "live.js", CONSOLE_SCRIPT)                                                          \
    X(log_js, "log.js", CONSOLE_SCRIPT)                                                            \
    X(pipeline_js, "pipeline.js", CONSOLE_SCRIPT)                                                  \
    X(queues_js, "queues.js", CONSOLE_SCRIPT)                                                      \
    X(send_js, "send.js", CONSOLE_SCRIPT)                                                          \
    X(state_js, "state.js", CONSOLE_SCRIPT)                                                        \
    X(trace_js, "trace.js", CONSOLE_SCRIPT)

struct console_asset {
    const char *name; /* of the file */
    const char *type;
    const char *begin, *end;
};

extern const struct console_asset console_assets[];
extern const size_t console_assets_count;

#endif
