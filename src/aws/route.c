/* aws/route.c - see route.h. Order of the tests: X-Amz-Target, then Action, then S3. A form body is
 * only waited for where the Query protocol can be meant: S3 has POST requests too, and curl sends
 * them as forms.
 *
 * A queue URL looks like an object (/000000000000/name). A GET or POST there without a sign of S3
 * (credential scope, presigned query, x-amz- headers, a sub-resource) is taken for SQS, whose
 * answer to a missing Action is known; so a bucket whose name is twelve digits cannot be read
 * anonymously, which is the price. */
#include "aws/route.h"

#include "aws/fault.h"
#include "aws/route_rest.h"

#include <ctype.h>
#include <string.h>

static const struct service *service_named(const struct service *const *services, str name)
{
    for (; *services; services++)
        if (str_eq(name, str_of((*services)->name)))
            return *services;
    return NULL;
}

static const struct op *op_named(const struct service *service, str name)
{
    FOR_EACH_OP(op, service)
    if (str_eq(name, str_of(op->name)))
        return op;
    return NULL;
}

/* The last but one part of "KEY/20260101/us-east-1/s3/aws4_request", from the end: a key id may
 * hold a slash. */
static str service_of_credential(str credential)
{
    size_t parts = 0, end = credential.n;
    for (size_t i = credential.n; i-- > 0;) {
        if (credential.p[i] != '/')
            continue;
        if (++parts == 1)
            end = i;
        else
            return str_slice(credential, i + 1, end);
    }
    return STR_NONE;
}

str route_scope_service(const struct http_request *request)
{
    str header = http_header(request, S("authorization"));
    ptrdiff_t at = header.p ? str_find(header, S("Credential="), 0) : -1;
    if (at >= 0) {
        str rest = str_slice(header, (size_t)at + 11, header.n);
        return service_of_credential(str_trim(str_cut(&rest, ',')));
    }
    str query = http_query(request, S("X-Amz-Credential"));
    return query.p ? service_of_credential(query) : STR_NONE;
}

/* What SDKs and aws-cli call the endpoint of the service that signs as `name`: after its id, which
 * for some is another. */
static void put_variable(struct buf *b, str name)
{
    static const struct {
        const char *name, *id;
    } others[] = {
        {"monitoring", "CLOUDWATCH"},
        {"events", "EVENTBRIDGE"},
        {"states", "SFN"},
        {"secretsmanager", "SECRETS_MANAGER"},
        {"apigateway", "API_GATEWAY"},
        {"cognito-idp", "COGNITO_IDENTITY_PROVIDER"},
    };
    BUF_LIT(b, "AWS_ENDPOINT_URL_");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_eq(name, str_of(others[i].name))) {
            buf_put(b, str_of(others[i].id));
            return;
        }
    static const char signs[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    bool signing = name.n > 0;
    for (size_t i = 0; i < name.n; i++)
        signing = signing && memchr(signs, name.p[i], sizeof signs - 1);
    if (!signing) /* a prefix of X-Amz-Target */
        name = S("service");
    for (size_t i = 0; i < name.n; i++)
        buf_char(b, name.p[i] == '-' ? '_' : (char)toupper((unsigned char)name.p[i]));
}

/* What does here what a course builds from that service; NULL: it is left out or goes elsewhere. */
static const char *instead_of(str name)
{
    static const struct {
        const char *name, *advice;
    } known[] = {
        {"iam", "Go on without: an account acts as its root user."},
        {"lambda", "Instead: the built-in pipeline, headrace ingest and headrace worker, or the "
                   "function's code in a loop over a queue."},
        {"ecs", "Instead: the built-in workers, headrace worker, or the container's program "
                "started by hand."},
        {"ecr", "Instead: start the container's program by hand."},
        {"ec2", "Instead: start the instance's program by hand."},
        {"logs", "Instead: the output of headrace, and headrace trace."},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(name, str_of(known[i].name)))
            return known[i].advice;
    return NULL;
}

/* A service that is not here, named, with those that are and the next step: whoever works through a
 * course must see at once that it is not a mistake of theirs. */
static err no_service(struct arena *arena, const struct service *const *services,
                      const struct fault *fault, str name)
{
    struct buf b = buf_in(arena);
    buf_printf(&b, "There is no %.*s here, only", STR_ARG(name));
    for (size_t i = 0; services[i]; i++)
        buf_printf(&b, "%s %s", !i ? "" : services[i + 1] ? "," : " and", services[i]->name);
    const char *instead = instead_of(name);
    buf_printf(&b, ". %s",
               instead ? instead : "Leave that step out, or give it an endpoint of its own (");
    if (!instead) {
        put_variable(&b, name);
        BUF_LIT(&b, ").");
    }
    return err_text(arena, fault, "%.*s", STR_ARG(buf_str(&b)));
}

/* --- AWS JSON --- */

static err begin_json(struct arena *arena, const struct service *const *services, str target,
                      str scope, struct route *route)
{
    const struct service *const *all = services;
    route->protocol = PROTOCOL_JSON;
    str name = target;
    str prefix = str_cut(&name, '.');
    route->action = name.p ? name : target;
    for (; *services; services++)
        if ((*services)->target_prefix && str_eq(prefix, str_of((*services)->target_prefix))) {
            route->service = *services;
            route->op = op_named(*services, name);
            break;
        }
    if (!route->service)
        return no_service(arena, all, &AWS_UNKNOWN_OPERATION,
                          scope.p && !service_named(all, scope) ? scope : prefix);
    return route->op ? OK : FAIL(AWS_UNKNOWN_OPERATION);
}

/* --- Query --- */

/* "/ACCOUNT/NAME" and "/queue/REGION/ACCOUNT/NAME": only the last two parts matter. AWS's own
 * examples end with a slash. */
static bool is_queue_path(str path)
{
    str parts[5];
    size_t n = 0;
    str rest = str_ends(path, S("/")) ? str_slice(path, 0, path.n - 1) : path;
    while (rest.p && n < 5)
        parts[n++] = str_cut(&rest, '/');
    bool whole = !rest.p && (n == 3 || (n == 5 && str_eq(parts[1], S("queue"))));
    return whole && !parts[0].n && str_is_account(parts[n - 2]) && parts[n - 1].n;
}

static bool is_queue_host(const struct http_request *request)
{
    str host = http_header(request, S("host"));
    return str_starts_nocase(host, S("sqs.")) || str_starts_nocase(host, S("queue.")) ||
           (host.p && str_find(host, S(".queue."), 0) > 0);
}

static bool is_form(const struct http_request *request)
{
    return str_eq(request->method, S("POST")) &&
           str_starts_nocase(http_header(request, S("content-type")),
                             S("application/x-www-form-urlencoded"));
}

static bool any_starts(const struct http_request *request, str prefix)
{
    for (size_t i = 0; i < request->nheaders; i++)
        if (str_starts_nocase(request->headers[i].name, prefix))
            return true;
    return false;
}

/* Signs by which only S3 can be meant, although no scope says so. */
static bool hints_at_s3(const struct http_request *request, const struct route *route)
{
    if (form_get(&route->form, S("Signature")).p && !form_get(&route->form, S("Action")).p)
        return true;
    for (size_t i = 0; i < route->form.n; i++)
        if (route_is_selector(route->form.at[i].key))
            return true;
    return http_header(request, S("x-amz-content-sha256")).p ||
           any_starts(request, S("x-amz-checksum-")) || any_starts(request, S("x-amz-meta-"));
}

static bool is_s3_scope(str scope)
{
    return str_eq(scope, S("s3")) || str_starts(scope, S("s3-")) || str_eq(scope, S("s3express"));
}

/* Could this be the Query protocol at all, wherever its Action stands? */
static bool may_be_query(const struct http_request *request, const struct route *route, str scope)
{
    if (scope.p)
        return !is_s3_scope(scope);
    bool place =
        str_eq(request->path, S("/")) || is_queue_path(request->path) || is_queue_host(request);
    bool method = str_eq(request->method, S("GET")) || str_eq(request->method, S("POST"));
    return place && method && !hints_at_s3(request, route);
}

static const struct service *query_service(const struct service *const *services,
                                           const struct form *form, str scope)
{
    if (scope.p)
        return service_named(services, scope);
    str version = form_get(form, S("Version")), action = form_get(form, S("Action"));
    for (const struct service *const *s = services; version.p && *s; s++)
        if ((*s)->version && str_eq(version, str_of((*s)->version)))
            return *s;
    for (const struct service *const *s = services; *s; s++)
        if ((*s)->version && op_named(*s, action))
            return *s;
    return NULL;
}

static bool wants_json(const struct http_request *request)
{
    str accept = http_header(request, S("accept"));
    return accept.p && str_find(accept, S("application/json"), 0) >= 0;
}

/* A parameter QueueUrl beats the path. */
static void add_queue_url(struct arena *arena, const struct http_request *request,
                          struct route *route)
{
    str host = http_header(request, S("host"));
    if (form_get(&route->form, S("QueueUrl")).p)
        return;
    struct form *form = &route->form; /* form_parse leaves room for one more */
    form->at[form->n++] =
        (struct str_pair){S("QueueUrl"), arena_printf(arena, "http://%.*s%.*s", STR_ARG(host),
                                                      STR_ARG(request->path))};
}

static bool has_member(const struct op *op, const char *wire)
{
    for (size_t i = 0; i < op->in->n; i++)
        if (op->in->fields[i].wire && !strcmp(op->in->fields[i].wire, wire))
            return true;
    return false;
}

static err unknown_action(struct arena *arena, const struct route *route)
{
    return err_text(arena, &AWS_INVALID_ACTION, "The action %.*s is not valid for this endpoint.",
                    STR_ARG(route->action));
}

/* All parameters are in route->form. */
static err finish_query(struct arena *arena, const struct service *const *services,
                        const struct http_request *request, struct route *route)
{
    str scope = route_scope_service(request);
    bool at_queue = request->path.n > 1;
    route->json_answer = wants_json(request);
    route->action = form_get(&route->form, S("Action"));
    route->service = query_service(services, &route->form, scope);
    if (!route->action.p) {
        route->json_answer = false;
        return FAIL(AWS_UNKNOWN_PATH);
    }
    const struct op *op = route->service ? op_named(route->service, route->action) : NULL;
    if (!route->service && scope.p)
        return no_service(arena, services, &AWS_INVALID_ACTION, scope);
    if (!op || (op->flags & OP_NOT_AT_QUEUE && is_queue_path(request->path)))
        return unknown_action(arena, route);
    route->op = op;
    if (at_queue && has_member(op, "QueueUrl"))
        add_queue_url(arena, request, route);
    form_sort(&route->form);
    return OK;
}

err route_form(struct arena *arena, const struct service *const *services,
               const struct http_request *request, str body, struct route *route)
{
    if (body.n > ROUTE_FORM_MAX || !form_parse(arena, request->query, body, &route->form))
        return FAIL(AWS_ENTITY_TOO_LARGE);
    route->needs_form = false;
    return finish_query(arena, services, request, route);
}

/* --- S3 --- */

static bool escapes_are_whole(str path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] != '%')
            continue;
        for (size_t k = i + 1; k < i + 3; k++)
            if (k >= path.n || !strchr("0123456789abcdefABCDEF", path.p[k]) || !path.p[k])
                return false;
    }
    return true;
}

static err begin_rest(struct arena *arena, const struct service *const *services,
                      const struct http_request *request, struct route *route)
{
    route->protocol = PROTOCOL_REST_XML;
    route->service = service_named(services, S("s3"));
    if (!route->service)
        return FAIL(AWS_UNKNOWN_PATH);
    if (!escapes_are_whole(request->path))
        return err_with(arena, FAIL(AWS_INVALID_URI), "URI", request->path);
    route_address(arena, request, route);
    return route_rest(arena, request, route);
}

/* REST services that we don't have (Lambda, ...): a quick refusal, as of an unknown path. */
static err begin_foreign(struct arena *arena, const struct service *const *services,
                         struct route *route, str scope)
{
    route->protocol = PROTOCOL_JSON;
    route->action = scope;
    return no_service(arena, services, &AWS_UNKNOWN_PATH, scope);
}

static err begin(struct arena *arena, const struct service *const *services,
                 const struct http_request *request, struct route *route)
{
    str scope = route_scope_service(request);
    if (!may_be_query(request, route, scope))
        return begin_rest(arena, services, request, route);
    if (is_form(request) || form_get(&route->form, S("Action")).p) {
        route->protocol = PROTOCOL_QUERY;
        route->needs_form = is_form(request);
        return route->needs_form ? OK : finish_query(arena, services, request, route);
    }
    const struct service *named = scope.p ? service_named(services, scope) : NULL;
    if (scope.p && (!named || !named->version))
        return begin_foreign(arena, services, route, scope);
    if (scope.p || is_queue_path(request->path) || is_queue_host(request)) {
        route->protocol = PROTOCOL_QUERY;
        return finish_query(arena, services, request, route);
    }
    return begin_rest(arena, services, request, route);
}

err route_begin(struct arena *arena, const struct service *const *services,
                const struct http_request *request, struct route *route)
{
    *route = (struct route){.protocol = PROTOCOL_REST_XML};
    str target = http_header(request, S("x-amz-target"));
    str mode = http_header(request, S("x-amzn-query-mode"));
    route->query_mode = str_eq_nocase(mode, S("true"));
    if (!target.p && !form_parse(arena, request->query, STR_NONE, &route->form))
        return FAIL(AWS_ENTITY_TOO_LARGE);
    if (!target.p)
        return begin(arena, services, request, route);
    TRY(begin_json(arena, services, target, route_scope_service(request), route));
    if (str_eq(request->method, S("POST")))
        return OK;
    route->op = NULL; /* every call of this protocol is a POST */
    return FAIL(AWS_UNKNOWN_OPERATION);
}
