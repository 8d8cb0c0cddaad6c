/* aws/formdata.c - what has arrived and is not yet understood stands in `held`; each state takes
 * what it can from its front. The delimiter is CRLF "--" boundary; the first one lacks its CRLF, so
 * the machine starts as if one had come before. */
#include "aws/formdata.h"

#include "base/buf.h"

#include <string.h>

const struct fault FORMDATA_MALFORMED = {
    "MalformedPOSTRequest", "MalformedPOSTRequest", 400,
    "The body of your POST request is not well-formed multipart/form-data.", NULL};
const struct fault FORMDATA_TOO_LONG = {
    "MaxPostPreDataLengthExceeded", "MaxPostPreDataLengthExceeded", 400,
    "Your POST request fields preceding the upload file were too large.", NULL};
const struct fault FORMDATA_NO_FILE = {"InvalidArgument", "InvalidArgument", 400,
                                       "POST requires exactly one file upload per request.", NULL};

enum { PADDING_MAX = 64 }; /* blanks between a delimiter and its line's end */

enum state { PREAMBLE, DELIMITER, HEADERS, FIELD, FILE_DATA, EPILOGUE, FAILED };

struct formdata {
    struct arena *arena;
    struct formdata_sink sink;
    enum state state;
    str delimiter;
    struct buf held;
    size_t taken;  /* bytes of `held` that are understood */
    size_t fields; /* bytes of fields and headers so far */
    str name;      /* of the part being read */
    bool had_file; /* the file part was seen */
    bool skipping; /* FILE_DATA of a part after the file */
    err failure;
};

str formdata_boundary(str content_type)
{
    str rest = content_type;
    if (!str_eq_nocase(str_trim(str_cut(&rest, ';')), S("multipart/form-data")))
        return STR_NONE;
    while (rest.p) {
        str parameter = str_trim(str_cut(&rest, ';'));
        if (!str_starts_nocase(parameter, S("boundary=")))
            continue;
        str value = str_slice(parameter, 9, parameter.n);
        if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = str_slice(value, 1, value.n - 1);
        return value.n >= 1 && value.n <= 256 ? value : STR_NONE;
    }
    return STR_NONE;
}

struct formdata *formdata_new(struct arena *arena, str boundary, const struct formdata_sink *sink)
{
    struct formdata *form = ARENA_NEW(arena, struct formdata);
    form->arena = arena;
    form->sink = *sink;
    form->delimiter = arena_join(arena, S("\r\n--"), boundary);
    form->held = buf_in(arena);
    BUF_LIT(&form->held, "\r\n");
    return form;
}

static str pending(const struct formdata *form)
{
    return (str){form->held.p + form->taken, form->held.n - form->taken};
}

/* The value of parameter `name` of a header value: `form-data; name="file"; filename="a.txt"`. */
static str parameter_of(struct arena *arena, str value, const char *name)
{
    str wanted = arena_printf(arena, "%s=", name);
    size_t at = 0;
    while (at < value.n && value.p[at] != ';')
        at++;
    while (at < value.n) {
        while (at < value.n && (value.p[at] == ';' || value.p[at] == ' '))
            at++;
        bool found = str_starts_nocase(str_slice(value, at, value.n), wanted);
        size_t start = at;
        bool quoted = false;
        for (; at < value.n && (quoted || value.p[at] != ';'); at++)
            if (value.p[at] == '"')
                quoted = !quoted;
        if (!found)
            continue;
        str text = str_trim(str_slice(value, start + wanted.n, at));
        bool quotes = text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"';
        return quotes ? str_slice(text, 1, text.n - 1) : text;
    }
    return STR_NONE;
}

static err part_begin(struct formdata *form, str headers)
{
    str disposition = STR_NONE, content_type = STR_NONE;
    while (headers.p) {
        str value = str_trim(str_cut(&headers, '\n'));
        str name = str_cut(&value, ':');
        if (str_eq_nocase(name, S("Content-Disposition")))
            disposition = str_trim(value);
        if (str_eq_nocase(name, S("Content-Type")))
            content_type = arena_copy(form->arena, str_trim(value));
    }
    form->name = arena_copy(form->arena, parameter_of(form->arena, disposition, "name"));
    if (!form->name.p)
        return FAIL(FORMDATA_MALFORMED);
    bool is_file = str_eq_nocase(form->name, S("file"));
    form->state = is_file || form->had_file ? FILE_DATA : FIELD;
    form->skipping = form->had_file;
    if (!is_file || form->had_file)
        return OK;
    form->had_file = true;
    str filename = parameter_of(form->arena, disposition, "filename");
    return form->sink.file(form->sink.user, arena_copy(form->arena, filename), content_type);
}

static err count_field_bytes(struct formdata *form, size_t n)
{
    form->fields += form->had_file ? 0 : n;
    return form->fields > FORMDATA_MAX_FIELDS ? FAIL(FORMDATA_TOO_LONG) : OK;
}

/* Whether a mark of so many bytes, which begins at `end` or (-1) is not complete in n bytes yet,
 * begins beyond `max`. The answer must not depend on how the body was cut. */
static bool beyond(ptrdiff_t end, size_t n, size_t mark, size_t max)
{
    return end >= 0 ? (size_t)end > max : n > max + mark - 1;
}

/* Each step takes from the front of what is pending; *more is false when it needs further bytes. */
static err step_delimiter(struct formdata *form, bool *more)
{
    str bytes = pending(form);
    *more = bytes.n >= 2;
    if (!*more)
        return OK;
    if (str_starts(bytes, S("--"))) {
        form->state = EPILOGUE;
        return OK;
    }
    ptrdiff_t end = str_find(bytes, S("\r\n"), 0);
    *more = end >= 0;
    if (beyond(end, bytes.n, 2, PADDING_MAX))
        return FAIL(FORMDATA_MALFORMED);
    if (!*more)
        return OK;
    if (str_trim(str_slice(bytes, 0, (size_t)end)).n)
        return FAIL(FORMDATA_MALFORMED);
    form->taken += (size_t)end; /* the CRLF stays: a part without headers begins with CRLFCRLF */
    form->state = HEADERS;
    return OK;
}

static err step_headers(struct formdata *form, bool *more)
{
    str bytes = pending(form);
    ptrdiff_t end = str_find(bytes, S("\r\n\r\n"), 0);
    *more = end >= 0;
    if (beyond(end, bytes.n, 4, FORMDATA_MAX_FIELDS))
        return FAIL(FORMDATA_TOO_LONG);
    if (!*more)
        return OK;
    form->taken += (size_t)end + 4;
    TRY(count_field_bytes(form, (size_t)end));
    return part_begin(form, str_slice(bytes, 2, (size_t)end));
}

static err step_field(struct formdata *form, bool *more)
{
    str bytes = pending(form);
    ptrdiff_t end = str_find(bytes, form->delimiter, 0);
    *more = end >= 0;
    if (beyond(end, bytes.n, form->delimiter.n, FORMDATA_MAX_FIELDS))
        return FAIL(FORMDATA_TOO_LONG);
    if (!*more)
        return OK;
    form->taken += (size_t)end + form->delimiter.n;
    form->state = DELIMITER;
    TRY(count_field_bytes(form, (size_t)end));
    return form->sink.field(form->sink.user, form->name,
                            arena_copy(form->arena, str_slice(bytes, 0, (size_t)end)));
}

/* Passes on all that cannot be the beginning of a delimiter. */
static err step_data(struct formdata *form, bool *more)
{
    str bytes = pending(form);
    ptrdiff_t end = str_find(bytes, form->delimiter, 0);
    size_t n = end >= 0                      ? (size_t)end
               : bytes.n > form->delimiter.n ? bytes.n - form->delimiter.n
                                             : 0;
    *more = end >= 0;
    form->taken += n + (end >= 0 ? form->delimiter.n : 0);
    if (end >= 0)
        form->state = DELIMITER;
    return n && !form->skipping ? form->sink.data(form->sink.user, str_slice(bytes, 0, n)) : OK;
}

static err step_preamble(struct formdata *form, bool *more)
{
    str bytes = pending(form);
    ptrdiff_t at = str_find(bytes, form->delimiter, 0);
    *more = at >= 0;
    if (beyond(at, bytes.n, form->delimiter.n, FORMDATA_MAX_FIELDS))
        return FAIL(FORMDATA_MALFORMED);
    if (!*more)
        return OK;
    form->taken += (size_t)at + form->delimiter.n;
    form->state = DELIMITER;
    return OK;
}

static err step(struct formdata *form, bool *more)
{
    switch (form->state) {
    case PREAMBLE:
        return step_preamble(form, more);
    case DELIMITER:
        return step_delimiter(form, more);
    case HEADERS:
        return step_headers(form, more);
    case FIELD:
        return step_field(form, more);
    case FILE_DATA:
        return step_data(form, more);
    case EPILOGUE:
        form->taken = form->held.n;
        break;
    case FAILED:
        return form->failure;
    }
    *more = false;
    return OK;
}

err formdata_feed(struct formdata *form, str bytes)
{
    buf_put(&form->held, bytes);
    for (bool more = true; more;) {
        err e = step(form, &more);
        if (failed(e)) {
            form->state = FAILED;
            form->failure = e;
            return e;
        }
    }
    memmove(form->held.p, form->held.p + form->taken, form->held.n - form->taken);
    form->held.n -= form->taken;
    form->taken = 0;
    return OK;
}

err formdata_end(struct formdata *form)
{
    if (form->state == FAILED)
        return form->failure;
    if (form->state != EPILOGUE)
        return FAIL(FORMDATA_MALFORMED);
    return form->had_file ? OK : FAIL(FORMDATA_NO_FILE);
}
