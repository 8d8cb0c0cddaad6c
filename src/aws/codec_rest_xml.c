/* aws/codec_rest_xml.c - see codec_rest_xml.h. Dates are HTTP dates in headers and ISO 8601 in XML;
 * one header is the exception. Values that go into headers are cleaned of control characters, for
 * some (response-content-disposition) come from a query string and could otherwise split the
 * answer. */
#include "aws/codec_rest_xml.h"

#include "base/text.h"
#include "base/xml.h"

#include <string.h>

/* --- decoding --- */

/* AWS ignores a condition whose date it cannot read. */
static bool is_condition(str name)
{
    return str_starts_nocase(name, S("If-")) || str_starts_nocase(name, S("x-amz-copy-source-if-"));
}

static list split_list(struct arena *arena, str text)
{
    list items = {.set = true};
    str rest = text;
    items.at = arena_array(arena, str_count(text, ',') + 1, sizeof(struct scalar_str));
    while (rest.p)
        LIST_AT(items, struct scalar_str, items.n++)->value = str_trim(str_cut(&rest, ','));
    return items;
}

static bool take_bool(str text, opt_bool *out)
{
    *out = BOOL_OF(str_eq_nocase(text, S("true")));
    return out->v || str_eq_nocase(text, S("false"));
}

static bool take_int(str text, opt_int *out)
{
    out->set = true;
    return str_to_int(text, &out->v);
}

static bool take_time(const struct field *field, str text, opt_int *out)
{
    out->set = date_parse(text, &out->v);
    return out->set || is_condition(str_of(field->wire));
}

/* An empty number or truth in a query ("max-keys=") is as if it were not there. */
struct shape_issue rest_take_text(struct arena *arena, const struct field *field, str text,
                                  void *at)
{
    bool good = true, scalar = field->kind != SHAPE_STR;
    if (!text.p || (scalar && !str_trim(text).n))
        return (struct shape_issue){0};
    switch ((enum shape_kind)field->kind) {
    case SHAPE_INT:
        good = take_int(str_trim(text), at);
        break;
    case SHAPE_BOOL:
        good = take_bool(str_trim(text), at);
        break;
    case SHAPE_TIME:
        good = take_time(field, str_trim(text), at);
        break;
    case SHAPE_LIST:
        *(list *)at = split_list(arena, text);
        break;
    default:
        *(str *)at = text;
    }
    return good ? (struct shape_issue){0}
                : (struct shape_issue){WRONG_TYPE, field, str_of(field->wire), text};
}

/* A header given twice is one value, joined by a comma (RFC 9110 5.3). */
static void add_meta(struct arena *arena, list *items, str name, str value)
{
    LIST_EACH (struct str_pair, pair, *items)
        if (str_eq(pair->key, name)) {
            pair->value = arena_printf(arena, "%.*s,%.*s", STR_ARG(pair->value), STR_ARG(value));
            return;
        }
    *LIST_AT(*items, struct str_pair, items->n++) = (struct str_pair){name, value};
}

static void take_meta(struct arena *arena, const struct field *field,
                      const struct http_request *request, const struct form *query, list *items)
{
    str prefix = str_of(field->wire);
    items->at = arena_array(arena, request->nheaders + query->n, sizeof(struct str_pair));
    for (size_t i = 0; i < request->nheaders; i++) {
        struct http_header *h = &request->headers[i];
        if (str_starts_nocase(h->name, prefix))
            add_meta(arena, items, text_lower(arena, str_slice(h->name, prefix.n, h->name.n)),
                     h->value);
    }
    for (size_t i = 0; i < query->n && route_is_presigned(query); i++)
        if (str_starts_nocase(query->at[i].key, prefix))
            add_meta(arena, items,
                     text_lower(arena, str_slice(query->at[i].key, prefix.n, query->at[i].key.n)),
                     query->at[i].value);
    items->set = items->n > 0;
}

/* So is a list: Go's SDK sends each of its members in a header of its own. */
static str header_sent(struct arena *arena, const struct field *field, const struct route *route,
                       const struct http_request *request)
{
    str name = str_of(field->wire), all = STR_NONE;
    for (size_t i = 0; i < request->nheaders && field->kind == SHAPE_LIST; i++) {
        str value = request->headers[i].value;
        if (str_eq_nocase(request->headers[i].name, name))
            all = all.p ? arena_printf(arena, "%.*s,%.*s", STR_ARG(all), STR_ARG(value)) : value;
    }
    return all.p ? all : route_header(request, &route->form, name);
}

static struct shape_issue take_head(struct arena *arena, const struct field *field,
                                    const struct route *route, const struct http_request *request,
                                    void *at)
{
    str name = str_of(field->wire);
    switch ((enum shape_place)field->place) {
    case PLACE_HEADER:
        return rest_take_text(arena, field, header_sent(arena, field, route, request), at);
    case PLACE_QUERY:
        return rest_take_text(arena, field, form_get(&route->form, name), at);
    case PLACE_META:
        take_meta(arena, field, request, &route->form, at);
        break;
    case PLACE_BUCKET:
        *(str *)at = route->bucket;
        break;
    case PLACE_KEY:
        *(str *)at = route->key;
        break;
    default:
        break;
    }
    return (struct shape_issue){0};
}

/* Of the headers and query parameters that an operation knows, a request has a few. */
static bool may_be_there(const struct field *field, const struct route *route,
                         const struct http_request *request, bool presigned)
{
    if (field->place == PLACE_QUERY)
        return route->form.n > 0;
    return field->place != PLACE_HEADER || presigned ||
           http_header_likely(request, str_of(field->wire));
}

struct shape_issue rest_decode_head(struct arena *arena, const struct route *route,
                                    const struct http_request *request, void *out)
{
    struct shape_issue issue = {0};
    const struct shape *shape = route->op->in;
    bool presigned = route_is_presigned(&route->form);
    for (const struct field *field = shape->fields;
         field < shape->fields + shape->n && !issue.wrong; field++)
        if (may_be_there(field, route, request, presigned))
            issue = take_head(arena, field, route, request, shape_at(field, out));
    return issue;
}

static const struct field *payload_of(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].place == PLACE_PAYLOAD)
            return &shape->fields[i];
    return NULL;
}

static bool has_body(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n; i++)
        if (shape->fields[i].place == PLACE_BODY)
            return true;
    return false;
}

static struct shape_issue bad_xml(struct shape_issue inner)
{
    return (struct shape_issue){WRONG_SYNTAX, inner.field, inner.name, inner.value};
}

struct shape_issue rest_decode_body(struct arena *arena, const struct op *op, str body, void *out)
{
    const struct field *payload = payload_of(op->in);
    if (!body.n || (!payload && !has_body(op->in)))
        return (struct shape_issue){0};
    if (payload && payload->kind != SHAPE_STRUCT) {
        *(str *)shape_at(payload, out) = body;
        return (struct shape_issue){0};
    }
    const struct xml *root = xml_parse(arena, body);
    if (!root || (payload && !str_eq(root->name, str_of(payload->wire))))
        return (struct shape_issue){.wrong = WRONG_SYNTAX};
    void *at = payload ? arena_alloc(arena, payload->of->size) : out;
    struct shape_issue issue =
        shape_from_xml(arena, payload ? payload->of : op->in, root, true, at);
    if (issue.wrong)
        return bad_xml(issue);
    if (payload)
        *(void **)shape_at(payload, out) = at;
    return issue;
}

/* --- encoding --- */

static str clean(struct arena *arena, str value)
{
    size_t i = text_controls_at(value);
    if (i == value.n)
        return value;
    char *p = (char *)(uintptr_t)(value = arena_copy(arena, value)).p;
    for (; i < value.n; i++)
        if ((uint8_t)p[i] < 0x20 || p[i] == 0x7f)
            p[i] = ' ';
    return value;
}

/* The model gives retention dates as ISO 8601 even in headers. */
static str header_date(struct arena *arena, const struct field *field, msec t)
{
    bool iso = !strcmp(field->wire, "x-amz-object-lock-retain-until-date");
    return iso ? date_iso_ms(arena, t) : date_http(arena, t);
}

static str joined(struct arena *arena, const list *items)
{
    struct buf b = buf_in(arena);
    LIST_EACH (struct scalar_str, item, *items) {
        if (b.n)
            buf_char(&b, ',');
        buf_put(&b, item->value);
    }
    return buf_str(&b);
}

static str header_text(struct arena *arena, const struct field *field, const void *at)
{
    switch ((enum shape_kind)field->kind) {
    case SHAPE_INT:
        return arena_printf(arena, "%lld", (long long)((const opt_int *)at)->v);
    case SHAPE_BOOL:
        return ((const opt_bool *)at)->v ? S("true") : S("false");
    case SHAPE_TIME:
        return header_date(arena, field, ((const opt_int *)at)->v);
    case SHAPE_LIST:
        return joined(arena, at);
    default:
        return clean(arena, *(const str *)at);
    }
}

static void give_head(struct arena *arena, const struct field *field, const void *data,
                      struct http_reply *reply)
{
    const void *at = shape_at(field, data);
    if (!shape_present(field, data))
        return;
    if (field->place == PLACE_HEADER)
        http_reply_default(arena, reply, str_of(field->wire), header_text(arena, field, at));
    else if (field->place == PLACE_META)
        LIST_EACH (struct str_pair, pair, *(const list *)at)
            http_reply_default(arena, reply, arena_join(arena, str_of(field->wire), pair->key),
                               clean(arena, pair->value));
    else if (field->place == PLACE_STATUS)
        reply->status = (int)((const opt_int *)at)->v;
}

static bool is_root_itself(const struct op *op, const struct field *field)
{
    return field->place == PLACE_BODY && op->out_root && !strcmp(op->out_root, field->wire) &&
           field->kind == SHAPE_STR;
}

static void give_root(struct buf *b, const char *name, const struct service *service,
                      const struct shape *shape, const void *data)
{
    buf_printf(b, "<%s xmlns=\"%s\">", name, service->xmlns);
    shape_to_xml(b, shape, data);
    xml_close(b, name);
}

static const struct field *root_member(const struct op *op)
{
    for (size_t i = 0; i < op->out->n; i++)
        if (is_root_itself(op, &op->out->fields[i]))
            return &op->out->fields[i];
    return NULL;
}

static void give_document(struct buf *b, const struct service *service, const struct op *op,
                          const void *data)
{
    const struct field *payload = payload_of(op->out), *root = root_member(op);
    BUF_LIT(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if (root) {
        str text = *(const str *)shape_at(root, data);
        buf_printf(b, "<%s xmlns=\"%s\"", root->wire, service->xmlns);
        if (!text.n) {
            BUF_LIT(b, "/>");
            return;
        }
        buf_char(b, '>');
        buf_xml(b, text);
        xml_close(b, root->wire);
    } else if (payload) {
        give_root(b, payload->wire, service, payload->of, *(void *const *)shape_at(payload, data));
    } else {
        give_root(b, op->out_root ? op->out_root : op->out->name, service, op->out, data);
    }
}

static void give_body(struct arena *arena, const struct service *service, const struct op *op,
                      const void *data, struct http_reply *reply)
{
    const struct field *payload = payload_of(op->out);
    if (payload && !shape_present(payload, data))
        return;
    if (payload && payload->kind != SHAPE_STRUCT) {
        reply->bytes = *(const str *)shape_at(payload, data);
        return;
    }
    struct buf b = buf_in(arena);
    give_document(&b, service, op, data);
    reply->bytes = buf_str(&b);
    http_reply_default(arena, reply, S("Content-Type"), S("application/xml"));
}

void rest_encode(struct arena *arena, const struct service *service, const struct op *op,
                 const void *data, struct http_reply *reply)
{
    if (reply->status == 200 && op->rest.status)
        reply->status = op->rest.status;
    for (size_t i = 0; i < op->out->n; i++)
        give_head(arena, &op->out->fields[i], data, reply);
    if (reply->kind != HTTP_BODY_BYTES)
        return;
    if (payload_of(op->out) || has_body(op->out))
        give_body(arena, service, op, data, reply);
    else if (op->rest.method && !strcmp(op->rest.method, "HEAD"))
        reply->kind = HTTP_BODY_HEAD;
}
