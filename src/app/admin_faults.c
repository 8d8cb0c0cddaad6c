/* app/admin_faults.c - fault rules over HTTP.
 *   GET    /_headrace/faults          the rules with their counts
 *   POST   /_headrace/faults          adds a rule or an array of them -> {"ids":[...]}
 *   DELETE /_headrace/faults[?id=ID]  removes one, or all -> {"removed":N}
 * LocalStack's chaos API has a replacing POST, an adding PATCH and a GET at its own address, in its
 * own schema. */
#include "app/admin.h"
#include "app/fault_rules.h"

static void answer_list(struct request *request)
{
    struct buf b = buf_in(request->http->arena);
    fault_rules_list(request->app->faults, &b);
    admin_answer_json(request, 200, buf_str(&b));
}

/* Adds what the body says; false when that was refused and answered. */
static bool add(struct request *request, str *ids)
{
    str message = STR_NONE;
    if (fault_rules_add(request->app->faults, request->http->arena, request->call.body, ids,
                        &message))
        return true;
    admin_answer_error(request, 400, message);
    return false;
}

static void answer_add(struct request *request)
{
    str ids;
    if (!add(request, &ids))
        return;
    admin_answer_json(request, 201,
                      arena_printf(request->http->arena, "{\"ids\":%.*s}", STR_ARG(ids)));
}

static void answer_remove(struct request *request)
{
    str id = http_query(request->http, S("id"));
    size_t n = fault_rules_remove(request->app->faults, id.n ? id : STR_NONE);
    if (id.n && !n)
        admin_answer_error(
            request, 404, S("no rule has this id (headrace fault list, or GET /_headrace/faults)"));
    else
        admin_answer_json(request, 200, arena_printf(request->http->arena, "{\"removed\":%zu}", n));
}

/* ---- LocalStack's ---- */

static void answer_given(struct request *request)
{
    struct buf b = buf_in(request->http->arena);
    fault_rules_given(request->app->faults, &b);
    admin_answer_json(request, 200, buf_str(&b));
}

/* A replacing POST: the old rules stay when the new ones are refused. */
static void answer_replace(struct request *request)
{
    struct fault_rules *fresh = fault_rules_new(), *old = request->app->faults;
    bool empty = str_eq(str_trim(request->call.body), S("[]"));
    request->app->faults = fresh;
    str ids;
    bool good = empty || add(request, &ids);
    request->app->faults = old;
    if (good) {
        fault_rules_swap(old, fresh);
        answer_given(request);
    }
    fault_rules_free(fresh);
}

static void answer_extend(struct request *request)
{
    str ids;
    if (add(request, &ids))
        answer_given(request);
}

/* Those that the body lists; all without a body. */
static void answer_remove_same(struct request *request)
{
    str body = str_trim(request->call.body);
    if (!body.n) {
        fault_rules_remove(request->app->faults, STR_NONE);
    } else if (!fault_rules_remove_same(request->app->faults, body)) {
        admin_answer_error(request, 400,
                           S("give an array of rules as they were added, or no body"));
        return;
    }
    answer_given(request);
}

const struct admin_row admin_fault_rows[] = {
    {"GET", "/_headrace/faults", answer_list, "fault rules and how often they fired"},
    {"POST", "/_headrace/faults", answer_add, "add a fault rule, or an array of them"},
    {"DELETE", "/_headrace/faults", answer_remove, "remove the rule of ?id=, or all"},
    {"GET", "/_localstack/chaos/faults", answer_given, "the rules as they were given"},
    {"POST", "/_localstack/chaos/faults", answer_replace, "replace all fault rules"},
    {"PATCH", "/_localstack/chaos/faults", answer_extend, "add fault rules"},
    {"DELETE", "/_localstack/chaos/faults", answer_remove_same,
     "remove the fault rules that the body lists, or all"},
    {NULL, NULL, NULL, NULL},
};
