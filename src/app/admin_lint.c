/* app/admin_lint.c - GET /_headrace/lint: what would hurt on AWS. */
#include "app/admin.h"
#include "app/lint_state.h"

static void answer_lint(struct request *request)
{
    struct arena *arena = request->http->arena;
    if (!request->app->lint) {
        admin_answer_error(request, 409, S("it does not look: this server runs with --lint off"));
        return;
    }
    struct lint_report report = lint_report_of(request->app, arena);
    struct buf b = buf_in(arena);
    if (str_eq(http_query(request->http, S("format")), S("text"))) {
        lint_report_text(&report, &b);
        admin_answer_text(request, 200, buf_str(&b));
        return;
    }
    lint_report_json(&report, &b);
    admin_answer_json(request, 200, buf_str(&b));
}

const struct admin_row admin_lint_rows[] = {
    {"GET", "/_headrace/lint", answer_lint, "use that would hurt on AWS; ?format=text for people"},
    {NULL, NULL, NULL, NULL},
};
