/* app/lint_report.c - what the collector's tables come to: judged, and written as JSON and text. */
#include "app/lint_inside.h"

#include "base/text.h"

#include <string.h>

static const struct code_row {
    const char *code;
    enum lint_severity severity;
    const char *why, *fix;
} codes[LINT_NCODES] = {
#define LINT_ROW(row, code, severity, why, fix) [LINT_##row] = {code, LINT_##severity, why, fix},
    LINT_CODES(LINT_ROW)
#undef LINT_ROW
};

void lint_report_add(struct lint_report *report, enum lint_code code, str subject, str seen,
                     int64_t count)
{
    if (report->n == report->cap) {
        struct lint_finding *more = arena_array(report->arena, report->cap * 2 + 16, sizeof *more);
        if (report->n)
            memcpy(more, report->at, report->n * sizeof *more);
        report->at = more;
        report->cap = report->cap * 2 + 16;
    }
    report->at[report->n++] = (struct lint_finding){code, arena_copy(report->arena, subject),
                                                    arena_copy(report->arena, seen), count};
}

void lint_report_observed(struct lint_report *report, const struct lint *lint)
{
    for (const struct found *found = lint->found; found; found = found->next)
        lint_report_add(report, found->code, str_of(found->subject), str_of(found->seen),
                        found->count);
}

/* A consumer that fails on every message is no consumer that forgets to delete: with a redrive
 * policy it takes more of a pattern, and one that gives messages back with ChangeMessageVisibility
 * knows what it does. */
static bool never_deletes(const struct queue_seen *seen, bool redrive)
{
    return seen->client_receives >= 3 && !seen->deletes && !seen->hides &&
           (!redrive || seen->often >= 3);
}

static void judge_receives(struct lint_report *report, const struct queue_seen *seen,
                           const struct lint_queue_state *queue, str arn)
{
    struct arena *arena = report->arena;
    if (!queue->redrive && !queue->dead_letter && seen->most_receives > 2)
        lint_report_add(
            report, LINT_NO_DEAD_LETTER_QUEUE, arn,
            arena_printf(arena,
                         "a message was received %lld times, and the queue has no RedrivePolicy",
                         (long long)seen->most_receives),
            1);
    if (!queue->dead_letter && never_deletes(seen, queue->redrive))
        lint_report_add(
            report, LINT_NEVER_DELETED, arn,
            arena_printf(arena, "a message was received %lld times, and nothing was ever deleted",
                         (long long)seen->client_receives),
            seen->often ? seen->often : 1);
    if (seen->polls >= POLLS_MIN && seen->polls_short * 2 >= seen->polls)
        lint_report_add(
            report, LINT_SHORT_POLLING, arn,
            arena_printf(arena, "%lld of %lld receives did not wait and returned nothing (%lld%%)",
                         (long long)seen->polls_short, (long long)seen->polls,
                         (long long)(seen->polls_short * 100 / seen->polls)),
            seen->polls_short);
}

void lint_report_queue(struct lint_report *report, const struct lint *lint,
                       const struct lint_queue_state *queue)
{
    str arn = lint_queue_arn(report->arena, &queue->name);
    const struct queue_seen *seen = lint_queue_find(lint, lint_hash_name(&queue->name));
    if (seen->hash)
        judge_receives(report, seen, queue, arn);
    /* In a FIFO dead-letter queue a message's age starts anew. */
    if (queue->target.p && !queue->fifo && queue->target_retention <= queue->retention)
        lint_report_add(report, LINT_DEAD_LETTER_RETENTION, queue->target,
                        arena_printf(report->arena,
                                     "it keeps messages %lld s, its source %.*s keeps them %lld s",
                                     (long long)queue->target_retention, STR_ARG(queue->name.queue),
                                     (long long)queue->retention),
                        1);
}

size_t lint_report_count(const struct lint_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n; i++)
        n += codes[report->at[i].code].severity != LINT_INFO;
    return n;
}

static const char *const severities[] = {
    [LINT_INFO] = "info", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"};

static void put_finding(struct buf *b, const struct lint_finding *finding)
{
    const struct code_row *row = &codes[finding->code];
    buf_printf(b, "{\"code\":\"%s\",\"severity\":\"%s\",\"subject\":", row->code,
               severities[row->severity]);
    buf_json(b, finding->subject);
    BUF_LIT(b, ",\"seen\":");
    buf_json(b, finding->seen);
    BUF_LIT(b, ",\"why\":");
    buf_json(b, str_of(row->why));
    BUF_LIT(b, ",\"fix\":");
    buf_json(b, str_of(row->fix));
    buf_printf(b, ",\"count\":%lld}", (long long)finding->count);
}

static void put_list(const struct lint_report *report, struct buf *b, bool notes)
{
    bool first = true;
    for (size_t i = 0; i < report->n; i++) {
        if ((codes[report->at[i].code].severity == LINT_INFO) != notes)
            continue;
        if (!first)
            buf_char(b, ',');
        first = false;
        put_finding(b, &report->at[i]);
    }
}

void lint_report_json(const struct lint_report *report, struct buf *b)
{
    BUF_LIT(b, "{\"findings\":[");
    put_list(report, b, false);
    BUF_LIT(b, "],\"notes\":[");
    put_list(report, b, true);
    BUF_LIT(b, "]}");
}

void lint_report_text(const struct lint_report *report, struct buf *b)
{
    for (size_t i = 0; i < report->n; i++) {
        const struct lint_finding *finding = &report->at[i];
        const struct code_row *row = &codes[finding->code];
        buf_printf(b, "%s %s: ", severities[row->severity], row->code);
        buf_visible(b, finding->subject);
        BUF_LIT(b, ": ");
        buf_visible(b, finding->seen);
        if (finding->count > 1)
            buf_printf(b, " (%lld times)", (long long)finding->count);
        buf_printf(b, "\n  why: %s\n  fix: %s\n", row->why, row->fix);
    }
    size_t n = lint_report_count(report), notes = report->n - n;
    buf_printf(b, n == 1 ? "%zu finding" : "%zu findings", n);
    if (notes)
        buf_printf(b, notes == 1 ? ", %zu note" : ", %zu notes", notes);
    BUF_LIT(b, "\n");
}
