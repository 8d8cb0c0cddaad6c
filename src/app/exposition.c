/* app/exposition.c - see exposition.h. Label values may come from clients (a region is what they
 * signed for, an error code what a fault rule says), so they are escaped. */
#include "app/exposition.h"

#include "base/text.h"

#define LABELS_MAX 8

void expose_head(struct buf *b, const char *metric, const char *type, const char *help)
{
    buf_printf(b, "# HELP headrace_%s %s\n# TYPE headrace_%s %s\n", metric, help, metric, type);
}

static void put_value(struct buf *b, str value)
{
    for (size_t i = 0; i < value.n; i++)
        switch (value.p[i]) {
        case '\\':
            BUF_LIT(b, "\\\\");
            break;
        case '"':
            BUF_LIT(b, "\\\"");
            break;
        case '\n':
            BUF_LIT(b, "\\n");
            break;
        default:
            buf_char(b, value.p[i]);
        }
}

static void put_series(struct buf *b, const char *metric, const char *tail,
                       const struct label *labels, size_t n)
{
    buf_printf(b, "headrace_%s%s", metric, tail);
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%s%s=\"", i ? "," : "{", labels[i].name);
        put_value(b, utf8_valid(labels[i].value) ? labels[i].value : S("?"));
        buf_char(b, '"');
    }
    buf_put(b, n ? S("} ") : S(" "));
}

void expose_int(struct buf *b, const char *metric, const struct label *labels, size_t n,
                int64_t value)
{
    put_series(b, metric, "", labels, n);
    buf_printf(b, "%lld\n", (long long)value);
}

static void put_fraction(struct buf *b, int64_t value, int64_t unit)
{
    buf_printf(b,
               unit == 1      ? "%.0f\n"
               : unit == 1000 ? "%.3f\n"
                              : "%.6f\n",
               (double)value / (double)unit);
}

void expose_fraction(struct buf *b, const char *metric, const struct label *labels, size_t n,
                     int64_t value, int64_t unit)
{
    put_series(b, metric, "", labels, n);
    put_fraction(b, value, unit);
}

void expose_histogram(struct buf *b, const char *metric, const struct label *labels, size_t n,
                      const struct histogram *histogram)
{
    struct label with[LABELS_MAX + 1];
    int64_t below = 0;
    for (size_t i = 0; i < n; i++)
        with[i] = labels[i];
    for (size_t i = 0; i <= histogram->nbounds; i++) {
        str le = i == histogram->nbounds
                     ? S("+Inf")
                     : arena_printf(b->arena, "%g",
                                    (double)histogram->bounds[i] / (double)histogram->unit);
        below += histogram->counts[i];
        with[n] = (struct label){"le", le};
        put_series(b, metric, "_bucket", with, n + 1);
        buf_printf(b, "%lld\n", (long long)below);
    }
    put_series(b, metric, "_sum", labels, n);
    put_fraction(b, histogram->sum, histogram->unit);
    put_series(b, metric, "_count", labels, n);
    buf_printf(b, "%lld\n", (long long)below);
}
