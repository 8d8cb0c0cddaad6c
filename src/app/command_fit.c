/* app/command_fit.c - help on a terminal that is narrower than the texts were written for: lines
 * are broken anew, and what stands in a column stays in it. Commands to copy are left as they are.
 */
#include "app/command.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WRITTEN_FOR = 100, NARROWEST = 40, LEAST_TEXT = 24, NEXT_LINE = 6 };

struct fit {
    struct buf *out;
    size_t width, column, hang; /* of the text that is flowing: where it goes on in the next line */
    bool flows;
};

static void flow(struct fit *fit, str text)
{
    while (text.p) {
        str word = str_cut(&text, ' ');
        if (!word.n)
            continue;
        if (fit->column > fit->hang && fit->column + 1 + word.n > fit->width) {
            buf_printf(fit->out, "\n%*s", (int)fit->hang, "");
            fit->column = fit->hang;
        } else if (fit->column > fit->hang) {
            buf_char(fit->out, ' ');
            fit->column++;
        }
        buf_put(fit->out, word);
        fit->column += word.n;
    }
}

/* "  --flag VALUE   what it means": where its meaning begins, or 0. */
static size_t meaning_of(str line, size_t indent)
{
    ptrdiff_t gap = str_find(line, S("  "), indent);
    size_t at = gap < 0 || !indent ? 0 : (size_t)gap;
    while (at && at < line.n && line.p[at] == ' ')
        at++;
    return at;
}

static void begin(struct fit *fit, str line, size_t indent)
{
    size_t meaning = meaning_of(line, indent);
    str left = str_slice(line, 0, meaning ? meaning : indent ? line.n : 0);
    buf_put(fit->out, left);
    fit->column = fit->hang = left.n;
    fit->flows = meaning || (!indent && line.n && line.p[line.n - 1] != ':');
    if (meaning && meaning + LEAST_TEXT > fit->width) {
        fit->hang = NEXT_LINE;
        fit->column = fit->width;
    }
    flow(fit, str_slice(line, left.n, line.n));
    if (meaning)
        fit->hang = meaning + LEAST_TEXT > fit->width ? NEXT_LINE : meaning;
}

void help_fit(struct buf *out, str text, size_t width)
{
    struct fit fit = {.out = out, .width = width};
    size_t written = 0; /* the column that the flowing text was written in */
    for (bool first = true; text.n; first = false) {
        str line = str_cut(&text, '\n');
        size_t indent = 0;
        while (indent < line.n && line.p[indent] == ' ')
            indent++;
        bool more = !first && fit.flows && line.n && indent == written && !meaning_of(line, indent);
        if (!more && !first)
            buf_char(out, '\n');
        if (more) {
            flow(&fit, str_slice(line, indent, line.n));
        } else {
            written = meaning_of(line, indent);
            begin(&fit, line, indent);
        }
    }
    buf_char(out, '\n');
}

void help_print(str text)
{
    struct winsize size = {0};
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    bool narrow = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
                  size.ws_col >= NARROWEST && size.ws_col < WRITTEN_FOR;
    if (narrow)
        help_fit(&b, text, size.ws_col);
    else
        buf_put(&b, text);
    fwrite(b.p, 1, b.n, stdout);
    arena_free(arena);
}
