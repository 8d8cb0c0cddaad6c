/* api/ops_markdown.c - the rows as the coverage table of docs/fidelity.md, so that the document
 * cannot say what the program does not do. */
#include "api/ops.h"
#include "base/buf.h"

enum { DEPTH_MAX = 6 };

/* Members that are known and refused, as a list of dotted names after `before`. */
static void put_refused(struct buf *b, const struct shape *shape, str path, int depth,
                        const char **before)
{
    for (size_t i = 0; i < shape->n && depth < DEPTH_MAX; i++) {
        const struct field *field = &shape->fields[i];
        str name = str_of(field->wire);
        if (path.n && field->wire)
            name = arena_printf(b->arena, "%.*s.%s", STR_ARG(path), field->wire);
        if (field->flags & UNIMPLEMENTED) {
            buf_printf(b, "%s`%.*s`", *before, STR_ARG(name));
            *before = ", ";
        } else if (field->of) {
            put_refused(b, field->of, name, depth + 1, before);
        }
    }
}

static void put_row(struct buf *b, const struct op *op)
{
    bool whole = !(op->flags & OP_UNIMPLEMENTED);
    const char *before = "";
    buf_printf(b, "| %s | %s | ", op->name, whole ? "yes" : "no");
    if (whole)
        put_refused(b, op->in, STR_NONE, 0, &before);
    BUF_LIT(b, " |\n");
}

void api_ops_markdown(struct buf *b)
{
    for (const struct service *const *s = api_services; *s; s++) {
        size_t all = 0, done = 0;
        FOR_EACH_OP(op, *s)
        {
            all++;
            done += !(op->flags & OP_UNIMPLEMENTED);
        }
        buf_printf(b,
                   "### %s: %zu of %zu operations\n\n| Operation | Implemented | Members refused "
                   "by name |\n|---|---|---|\n",
                   (*s)->name, done, all);
        FOR_EACH_OP(op, *s)
        put_row(b, op);
        buf_char(b, '\n');
    }
}
