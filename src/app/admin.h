/* app/admin.h - our own endpoints, below /_headrace/, and the few addresses that users of other
 * emulators know. A row each; tables of other files are listed in admin.c. S3 bucket names cannot
 * begin with '_', so nothing of a user's is hidden; addresses without it count only when the
 * request carries no AWS credentials. */
#ifndef HEADRACE_APP_ADMIN_H
#define HEADRACE_APP_ADMIN_H

#include "app/request.h"

struct admin_row {
    const char *method;
    const char *path; /* ends in a slash and a star: everything below */
    /* Ends in request_answer, now or later. */
    void (*run)(struct request *request);
    const char *help;
};

/* The row for this request, or NULL when it is not ours. */
const struct admin_row *admin_find(const struct http_request *http);
void admin_run(struct request *request);
/* The request is over: who kept it, for a stream or a later answer, must forget it. */
void admin_gone(struct request *request);

/* Answers with these bytes; `json` is sent as application/json with a newline. */
void admin_answer_json(struct request *request, int status, str json);
void admin_answer_text(struct request *request, int status, str text);
/* {"error":"..."} */
void admin_answer_error(struct request *request, int status, str text);

/* Tables of the files of app/, each ended by a row without a path. */
extern const struct admin_row admin_health_rows[];
extern const struct admin_row admin_clock_rows[];
extern const struct admin_row admin_console_rows[];
extern const struct admin_row admin_sqs_rows[];
extern const struct admin_row admin_trace_rows[];
extern const struct admin_row admin_fault_rows[];
extern const struct admin_row admin_metrics_rows[];
extern const struct admin_row admin_state_rows[];
extern const struct admin_row admin_snapshot_rows[];
extern const struct admin_row admin_status_rows[];
extern const struct admin_row admin_lint_rows[];

#endif
