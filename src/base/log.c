/* base/log.c - lines are formatted whole and written with one write(2), so that lines of two
 * threads never mix. The level and the count of lost lines are the program's only mutable globals:
 * logging is the one thing that every layer may do without being handed it.
 *
 * Whoever starts us with pipes and never reads them must not stop the loop: when one stays full for
 * PATIENCE_MS, lines are left out until it is read again, and counted. */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 2000

static _Atomic int least_level = LOG_INFO;
static _Atomic int lost_lines[STDERR_FILENO + 1]; /* since the descriptor was read last */

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

/* Room for PIPE_BUF bytes. */
static bool has_room(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    int ready;
    while ((ready = poll(&room, 1, atomic_load(&lost_lines[fd]) ? 0 : PATIENCE_MS)) < 0 &&
           errno == EINTR)
        ;
    return ready > 0;
}

/* Nobody can be told that the log cannot be written: a failure ends the attempt. False when nobody
 * reads it. */
static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        if (!has_room(fd))
            return false;
        ssize_t done = write(fd, p, n < PIPE_BUF ? n : PIPE_BUF);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return true;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static void tell_lost(int fd);

static void write_line(int fd, str prefix, str text)
{
    char small[1024], *line = small;
    size_t n = prefix.n + text.n + 1;
    if (n > sizeof small && !(line = malloc(n)))
        return;
    memcpy(line, prefix.p, prefix.n);
    memcpy(line + prefix.n, text.p, text.n);
    line[n - 1] = '\n';
    if (!write_all(fd, line, n))
        atomic_fetch_add(&lost_lines[fd], 1);
    else if (atomic_load(&lost_lines[fd]))
        tell_lost(fd);
    if (line != small)
        free(line);
}

static void tell_lost(int fd)
{
    log_warn("%d lines were left out of %s, which nobody was reading",
             atomic_exchange(&lost_lines[fd], 0), fd == STDOUT_FILENO ? "stdout" : "stderr");
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

void log_text(str text)
{
    write_line(STDERR_FILENO, S(""), text);
}

void log_json(str line)
{
    write_line(STDOUT_FILENO, S(""), line);
}
