/* api/ops.c - see ops.h. What is printed here is what the coverage table of docs/fidelity.md and
 * the audits against AWS's published models read; so it says everything that a row says, and
 * nothing that a row does not. */
#include "api/ops.h"

#include "base/text.h"

#include <string.h>

const struct service *const api_services[] = {&s3_service, &sqs_service, &sts_service, NULL};

static const char *const kinds[] = {"string",    "integer",   "boolean", "blob",
                                    "timestamp", "structure", "list",    "map"};
static const char *const places[] = {"body", "header",  "querystring", "headers", "bucket",
                                     "key",  "payload", "status",      "none"};
static const char *const levels[] = {"none", "service", "bucket", "object"};

static void put_text(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_json(b, str_of(value));
}

static void put_flag(struct buf *b, const char *name, bool set)
{
    if (set)
        buf_printf(b, ",\"%s\":true", name);
}

static void put_shape(struct buf *b, const struct shape *shape, int depth);

static void put_field(struct buf *b, const struct field *field, int depth)
{
    buf_printf(b, "{\"kind\":\"%s\",\"place\":\"%s\"", kinds[field->kind], places[field->place]);
    put_text(b, "wire", field->wire);
    put_text(b, "item", field->item);
    put_text(b, "query", field->query);
    put_text(b, "values", field->values);
    put_flag(b, "required", field->flags & REQUIRED);
    put_flag(b, "flat", field->flags & FLAT);
    put_flag(b, "attribute", field->flags & ATTRIBUTE);
    put_flag(b, "unimplemented", field->flags & UNIMPLEMENTED);
    if (field->max > 0)
        buf_printf(b, ",\"min\":%lld,\"max\":%lld", (long long)field->min, (long long)field->max);
    if (field->of) {
        BUF_LIT(b, ",\"of\":");
        put_shape(b, field->of, depth + 1);
    }
    buf_char(b, '}');
}

/* Some of AWS's shapes contain themselves (lifecycle filters do not, replies of future services
 * may): deeper than any of ours is deep enough. */
static void put_shape(struct buf *b, const struct shape *shape, int depth)
{
    BUF_LIT(b, "{\"name\":");
    buf_json(b, str_of(shape->name));
    BUF_LIT(b, ",\"members\":[");
    for (size_t i = 0; i < shape->n && depth < 12; i++) {
        if (i)
            buf_char(b, ',');
        put_field(b, &shape->fields[i], depth);
    }
    BUF_LIT(b, "]}");
}

static void put_rest(struct buf *b, const struct rest_route *rest)
{
    if (!rest->method)
        return;
    buf_printf(b, ",\"rest\":{\"method\":\"%s\",\"level\":\"%s\"", rest->method,
               levels[rest->level]);
    put_text(b, "query", rest->query);
    put_text(b, "header", rest->header);
    buf_printf(b, ",\"status\":%d}", rest->status ? rest->status : 200);
}

static void put_op(struct buf *b, const struct service *service, const struct op *op)
{
    bool implemented = !(op->flags & OP_UNIMPLEMENTED);
    BUF_LIT(b, "{\"name\":");
    buf_json(b, str_of(op->name));
    buf_printf(b, ",\"implemented\":%s", implemented ? "true" : "false");
    BUF_LIT(b, ",\"action\":");
    buf_json(b, op->action ? str_of(op->action)
                           : arena_printf(b->arena, "%s:%s", service->name, op->name));
    put_rest(b, &op->rest);
    if (implemented) {
        BUF_LIT(b, ",\"input\":");
        put_shape(b, op->in, 0);
        BUF_LIT(b, ",\"output\":");
        put_shape(b, op->out, 0);
    }
    buf_char(b, '}');
}

static void put_protocols(struct buf *b, const struct service *service)
{
    BUF_LIT(b, ",\"protocols\":[");
    if (service->target_prefix)
        BUF_LIT(b, "\"json\",");
    if (service->version)
        BUF_LIT(b, "\"query\",");
    else
        BUF_LIT(b, "\"rest-xml\",");
    b->n--;
    buf_char(b, ']');
}

static void put_service(struct buf *b, const struct service *service)
{
    bool first = true;
    BUF_LIT(b, "{\"name\":");
    buf_json(b, str_of(service->name));
    put_protocols(b, service);
    BUF_LIT(b, ",\"operations\":[");
    FOR_EACH_OP(op, service)
    {
        buf_put(b, first ? S("\n") : S(",\n"));
        first = false;
        put_op(b, service, op);
    }
    BUF_LIT(b, "]}");
}

void api_ops_json(struct buf *b)
{
    BUF_LIT(b, "{\"services\":[");
    for (const struct service *const *s = api_services; *s; s++) {
        if (s != api_services)
            buf_char(b, ',');
        put_service(b, *s);
    }
    BUF_LIT(b, "]}\n");
}

void api_ops_text(struct buf *b)
{
    for (const struct service *const *s = api_services; *s; s++)
        FOR_EACH_OP(op, *s)
    if (!(op->flags & OP_UNIMPLEMENTED))
        buf_printf(b, "%s %s\n", (*s)->name, op->name);
}
