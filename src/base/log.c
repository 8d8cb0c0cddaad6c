/* base/log.c - lines are formatted whole and written with one write(2), so that lines of two
 * threads never mix. The level is the program's one mutable global: logging is the one thing that
 * every layer may do without being handed it. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic int least_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

/* Nobody can be told that the log cannot be written: a failure ends the attempt. */
static void write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

static void write_line(int fd, str prefix, str text)
{
    char small[1024], *line = small;
    size_t n = prefix.n + text.n + 1;
    if (n > sizeof small && !(line = malloc(n)))
        return;
    memcpy(line, prefix.p, prefix.n);
    memcpy(line + prefix.n, text.p, text.n);
    line[n - 1] = '\n';
    write_all(fd, line, n);
    if (line != small)
        free(line);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const prefixes[] = {
        "headrace: debug: ", "headrace: ", "headrace: warning: ", "headrace: error: "};
    if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;
    va_list args;
    va_start(args, format);
    char *text = NULL;
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return;
    write_line(STDERR_FILENO, str_of(prefixes[level]), (str){text, (size_t)n});
    free(text);
}

void log_json(str line)
{
    write_line(STDOUT_FILENO, S(""), line);
}
