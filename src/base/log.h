/* base/log.h - one line per fact on stderr; JSON lines for the pipeline on stdout. Never a secret,
 * never a body. */
#ifndef HEADRACE_BASE_LOG_H
#define HEADRACE_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below `level` are dropped; the default is LOG_INFO. Set once at start. */
void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
/* What is no line of the log, whatever its level: the banner, why a command failed. Without the
 * last line's end. */
void log_text(str text);
/* One line of JSON on stdout, written whole. */
void log_json(str line);

#endif
