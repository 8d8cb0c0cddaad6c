/* app/lint_state.h - the whole report: what was observed, and what the engines' state shows now. */
#ifndef HEADRACE_APP_LINT_STATE_H
#define HEADRACE_APP_LINT_STATE_H

#include "app/app.h"
#include "app/lint.h"

struct lint_report lint_report_of(struct app *app, struct arena *arena);
/* As --lint says: the report on stderr when there are findings, and their number to whoever asked.
 */
void lint_at_exit(struct app *app);

#endif
