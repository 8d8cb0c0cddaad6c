/* aws/route_rest.c - see route_rest.h. Every row whose conditions hold competes; the one with the
 * most conditions wins.
 *
 * The full list of AWS's sub-resource names stands here, and a row may only win when it names every
 * one of them that the request carries. So `PUT /b?accelerate` can never end as CreateBucket: with
 * no row for it, it is refused, by name. */
#include "aws/route_rest.h"

#include "aws/fault.h"

#include <string.h>

/* From the request URIs and required query members of AWS's published S3 model. `resource` is the
 * ResourceType of a 405. */
static const struct selector {
    const char *name, *resource;
} selectors[] = {
    {"abac", "ABAC"},
    {"accelerate", "ACCELERATE"},
    {"acl", "ACL"},
    {"analytics", "ANALYTICS"},
    {"annotation", "ANNOTATION"},
    {"attributes", "OBJECTATTRIBUTES"},
    {"cors", "CORS"},
    {"delete", "MULTI_OBJECT_DELETE"},
    {"encryption", "ENCRYPTION"},
    {"intelligent-tiering", "INTELLIGENT_TIERING"},
    {"inventory", "INVENTORY"},
    {"legal-hold", "LEGAL_HOLD"},
    {"lifecycle", "LIFECYCLE"},
    {"list-type", "BUCKET"},
    {"location", "LOCATION"},
    {"logging", "LOGGING_STATUS"},
    {"metadataAnnotationTable", "METADATA_ANNOTATION_TABLE"},
    {"metadataConfiguration", "METADATA_CONFIGURATION"},
    {"metadataInventoryTable", "METADATA_INVENTORY_TABLE"},
    {"metadataJournalTable", "METADATA_JOURNAL_TABLE"},
    {"metadataTable", "METADATA_TABLE"},
    {"metrics", "METRICS"},
    {"notification", "NOTIFICATION"},
    {"object-lock", "OBJECT_LOCK_CONFIGURATION"},
    {"ownershipControls", "OWNERSHIP_CONTROLS"},
    {"policy", "BUCKETPOLICY"},
    {"policyStatus", "POLICY_STATUS"},
    {"publicAccessBlock", "PUBLIC_ACCESS_BLOCK"},
    {"renameObject", "RENAME_OBJECT"},
    {"replication", "REPLICATION"},
    {"requestPayment", "REQUEST_PAYMENT"},
    {"restore", "RESTORE"},
    {"retention", "RETENTION"},
    {"select", "SELECT"},
    {"session", "SESSION"},
    {"tagging", "TAGGING"},
    {"torrent", "TORRENT"},
    {"uploadId", "UPLOAD"},
    {"uploads", "UPLOADS"},
    {"versioning", "VERSIONING"},
    {"versions", "BUCKETVERSIONS"},
    {"website", "WEBSITE"},
};

static const struct selector *selector_of(str name)
{
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++)
        if (str_eq(name, str_of(selectors[i].name)))
            return &selectors[i];
    return NULL;
}

bool route_is_selector(str name)
{
    return selector_of(name) != NULL;
}

/* ListObjects is the one operation that a selector with a wrong value falls back to. */
static const struct selector *wanted(const struct str_pair *pair)
{
    const struct selector *found = selector_of(pair->key);
    if (found && str_eq(pair->key, S("list-type")) && !str_eq(pair->value, S("2")))
        return NULL;
    return found;
}

bool route_is_presigned(const struct form *query)
{
    return form_get(query, S("X-Amz-Algorithm")).p || form_get(query, S("Signature")).p;
}

static bool may_be_hoisted(str name)
{
    return str_starts_nocase(name, S("x-amz-")) && !str_starts_nocase(name, S("x-amz-checksum-")) &&
           !str_eq_nocase(name, S("x-amz-sdk-checksum-algorithm")) &&
           !str_eq_nocase(name, S("x-amz-content-sha256"));
}

str route_header(const struct http_request *request, const struct form *query, str name)
{
    str value = http_header(request, name);
    if (value.p || !query->n || !may_be_hoisted(name) || !route_is_presigned(query))
        return value;
    for (size_t i = 0; i < query->n; i++)
        if (str_eq_nocase(query->at[i].key, name))
            return query->at[i].value;
    return STR_NONE;
}

static bool row_names(const struct rest_route *row, str name)
{
    str rest = str_of(row->query);
    while (rest.p) {
        str item = str_cut(&rest, '&');
        if (str_eq(str_cut(&item, '='), name))
            return true;
    }
    return false;
}

/* Number of conditions of the row's query that hold, or -1 when one does not. */
static int query_score(const struct rest_route *row, const struct form *query)
{
    int score = 0;
    str rest = str_of(row->query);
    while (rest.p) {
        str value = str_cut(&rest, '&');
        str name = str_cut(&value, '=');
        str got = form_get(query, name);
        if (!got.p || (value.p && !str_eq(got, value)))
            return -1;
        score++;
    }
    return score;
}

static const struct selector *first_selector(const struct form *query)
{
    for (size_t i = 0; i < query->n; i++) {
        const struct selector *found = wanted(&query->at[i]);
        if (found)
            return found;
    }
    return NULL;
}

/* `selects`: the query has a selector. Every row's query names one, so without any (x-id alone,
 * say) the query does not matter. */
static int row_score(const struct rest_route *row, const struct http_request *request,
                     const struct route *route, bool selects)
{
    if (row->level != route->level || (row->query && !selects))
        return -1;
    if (!str_eq(request->method, str_of(row->method)))
        return -1;
    int score = query_score(row, &route->form);
    if (score < 0)
        return -1;
    if (row->header && !route_header(request, &route->form, str_of(row->header)).p)
        return -1;
    for (size_t i = 0; i < route->form.n && selects; i++)
        if (wanted(&route->form.at[i]) && !row_names(row, route->form.at[i].key))
            return -1;
    return score + (row->header != NULL);
}

/* A preflight asks for leave for another request, whose query it carries: no query is its own. */
static const struct op *best_row(const struct http_request *request, const struct route *route)
{
    const struct op *best = NULL;
    int most = -1;
    bool selects = first_selector(&route->form) && !str_eq(request->method, S("OPTIONS"));
    FOR_EACH_OP(op, route->service)
    {
        int score = op->rest.method ? row_score(&op->rest, request, route, selects) : -1;
        if (score > most) {
            most = score;
            best = op;
        }
    }
    return best;
}

/* Does any row of that level take the selector, or, without one, any method at all? */
static bool known_at_level(const struct route *route, const struct selector *selector)
{
    FOR_EACH_OP(op, route->service)
    if (op->rest.method && op->rest.level == route->level &&
        (!selector || row_names(&op->rest, str_of(selector->name))))
        return true;
    return false;
}

static str resource_type(const struct route *route, const struct selector *selector)
{
    static const char *const levels[] = {"SERVICE", "SERVICE", "BUCKET", "OBJECT"};
    return str_of(selector ? selector->resource : levels[route->level]);
}

/* Sub-resources of buckets that a GET of a key has a refusal of its own for. */
static const char *text_for_key(const struct http_request *request, const struct route *route,
                                str name)
{
    if (route->level != REST_OBJECT || !str_eq(request->method, S("GET")))
        return NULL;
    if (str_eq(name, S("uploads")))
        return "Key is not expected for the GET method ?uploads subresource";
    return str_eq(name, S("versions"))
               ? "There is no such thing as the ?versions sub-resource for a key"
               : NULL;
}

/* No operation has two sub-resources. They are named in the order of the alphabet, the table's. */
static err check_conflict(struct arena *arena, const struct route *route)
{
    str first = STR_NONE;
    struct buf names = buf_in(arena);
    for (size_t i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        str name = str_of(selectors[i].name);
        if (!form_get(&route->form, name).p || str_eq(name, S("list-type")))
            continue;
        if (first.p)
            BUF_LIT(&names, ", ");
        else
            first = name;
        buf_put(&names, name);
    }
    if (names.n == first.n)
        return OK;
    err e = err_text(arena, &AWS_INVALID_ARGUMENT, "Conflicting query string parameters: %.*s",
                     STR_ARG(buf_str(&names)));
    e = err_with(arena, e, "ArgumentName", S("ResourceType"));
    return err_with(arena, e, "ArgumentValue", first);
}

static err no_row(struct arena *arena, const struct http_request *request, struct route *route)
{
    TRY(check_conflict(arena, route));
    const struct selector *selector = first_selector(&route->form);
    const char *text = selector ? text_for_key(request, route, str_of(selector->name)) : NULL;
    if (text)
        return err_text(arena, &AWS_INVALID_REQUEST, "%s", text);
    if (known_at_level(route, selector)) {
        if (str_eq(resource_type(route, selector), S("UPLOAD")))
            route->allow = S("DELETE, POST, GET");
        err e = err_with(arena, FAIL(AWS_METHOD_NOT_ALLOWED), "Method", request->method);
        return err_with(arena, e, "ResourceType", resource_type(route, selector));
    }
    route->action = selector ? str_of(selector->name) : request->method;
    return err_text(arena, &AWS_NOT_IMPLEMENTED,
                    "The sub-resource ?%.*s is not implemented for this resource.",
                    STR_ARG(route->action));
}

/* AWS refuses a part number without its upload everywhere but in reads, so that a mistyped part
 * never becomes an object. */
static bool stray_part(const struct http_request *request, const struct route *route)
{
    return str_eq(request->method, S("PUT")) && form_get(&route->form, S("partNumber")).p &&
           !form_get(&route->form, S("uploadId")).p;
}

err route_rest(struct arena *arena, const struct http_request *request, struct route *route)
{
    if (stray_part(request, route)) {
        err e = err_text(arena, &AWS_INVALID_ARGUMENT,
                         "This operation does not accept partNumber without uploadId");
        e = err_with(arena, e, "ArgumentName", S("partNumber"));
        return err_with(arena, e, "ArgumentValue", S("partNumber")); /* as AWS has it */
    }
    route->op = best_row(request, route);
    if (!route->op)
        return no_row(arena, request, route);
    route->action = str_of(route->op->name);
    return OK;
}
