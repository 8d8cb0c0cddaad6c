/* However a posted form is cut, the fields, the file and the verdict are the same; and what an
 * urlencoded form says is found by name, in any order. The first line is the Content-Type. */
#include "aws/form.h"
#include "aws/formdata.h"

#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static err on_field(void *user, str name, str value)
{
    BUF_LIT(user, "\nfield ");
    buf_put(user, name);
    BUF_LIT(user, "=");
    buf_put(user, value);
    return OK;
}

static err on_file(void *user, str filename, str content_type)
{
    BUF_LIT(user, "\nfile ");
    buf_put(user, filename);
    BUF_LIT(user, " ");
    buf_put(user, content_type);
    BUF_LIT(user, "\n");
    return OK;
}

static err on_data(void *user, str chunk)
{
    buf_put(user, chunk);
    return OK;
}

static bool read_cut(struct arena *arena, str boundary, str body, size_t step, struct buf *out)
{
    *out = buf_in(arena);
    struct formdata_sink sink = {out, on_field, on_file, on_data};
    struct formdata *form = formdata_new(arena, boundary, &sink);
    err e = OK;
    for (size_t at = 0; at < body.n && !failed(e); at += step)
        e = formdata_feed(form, str_slice(body, at, at + step));
    return !failed(e) && !failed(formdata_end(form));
}

static void posted(struct arena *arena, str boundary, str body)
{
    struct buf slow, fast;
    size_t steps[] = {2, 7, body.n ? body.n : 1, body.n ? 1 + (uint8_t)body.p[0] : 1};
    bool good = read_cut(arena, boundary, body, 1, &slow);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (read_cut(arena, boundary, body, steps[i], &fast) != good ||
            (good && !str_eq(buf_str(&slow), buf_str(&fast))))
            abort();
}

static void urlencoded(struct arena *arena, str query, str body)
{
    struct form form;
    if (!form_parse(arena, query, body, &form))
        return;
    for (size_t i = 0; i < form.n; i++)
        if (!form_get(&form, form.at[i].key).p)
            abort();
    form_sort(&form);
    for (size_t i = 0; i < form.n; i++) {
        size_t lower = form_lower(&form, form.at[i].key);
        if (lower > i || !str_eq(form.at[lower].key, form.at[i].key) ||
            (lower && str_cmp(form.at[lower - 1].key, form.at[i].key) >= 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str body = {(const char *)data, n}, type = str_cut(&body, '\n');
    str boundary = formdata_boundary(type);
    body = body.p ? body : S("");
    if (boundary.n)
        posted(arena, boundary, body);
    urlencoded(arena, type, body);
    arena_free(arena);
    return 0;
}
