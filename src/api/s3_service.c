/* api/s3_service.c - S3 as a service: its tables of operations, and what a malformed input is
 * called there. A new table of rows is one line here. */
#include "api/call.h"
#include "api/ops.h"
#include "api/s3_access.h"
#include "api/s3_tables.h"
#include "s3/faults.h"

#include <string.h>

static const struct op *const tables[] = {
    s3_bucket_ops,         s3_object_ops,     s3_get_ops,           s3_copy_ops,   s3_tagging_ops,
    s3_list_ops,           s3_attributes_ops, s3_acl_ops,           s3_post_ops,   s3_multipart_ops,
    s3_multipart_list_ops, s3_notify_ops,     s3_config_ops,        s3_policy_ops, s3_lock_ops,
    s3_restore_ops,        s3_cors_ops,       s3_unimplemented_ops, NULL,
};

/* Texts recorded for one argument. `wrong` WRONG_NOTHING: whatever is wrong with it. */
static const struct argument {
    const char *wire;
    enum shape_wrong wrong;
    const struct fault *fault;
    const char *text;  /* NULL: the row's; {} is the value */
    const char *extra; /* element that carries the value; NULL: ArgumentName and ArgumentValue;
                          "": none, "ArgumentName": that alone */
    const char *op;    /* only there; NULL: everywhere */
    const char *name;  /* what ArgumentName says instead of `wire` */
} arguments[] = {
    {"max-keys", WRONG_TYPE, &S3_INVALID_ARGUMENT,
     "Provided max-keys not an integer or within integer range", NULL},
    {"max-keys", WRONG_RANGE, &S3_INVALID_ARGUMENT, "max-keys cannot be negative", NULL,
     .op = "ListObjectVersions", .name = "maxKeys"},
    {"max-keys", WRONG_RANGE, &S3_INVALID_ARGUMENT,
     "Argument maxKeys must be an integer between 0 and 2147483647", NULL, .name = "maxKeys"},
    {"max-buckets", WRONG_TYPE, &S3_INVALID_ARGUMENT,
     "Provided max-buckets not an integer or within integer range", NULL},
    {"max-uploads", WRONG_TYPE, &S3_INVALID_ARGUMENT,
     "Provided max-uploads not an integer or within integer range", NULL},
    {"max-uploads", WRONG_RANGE, &S3_INVALID_ARGUMENT,
     "Argument max-uploads must be an integer between 0 and 2147483647", NULL},
    {"max-parts", WRONG_TYPE, &S3_INVALID_ARGUMENT,
     "Provided max-parts not an integer or within integer range", NULL},
    {"max-parts", WRONG_RANGE, &S3_INVALID_ARGUMENT,
     "Argument max-parts must be an integer between 0 and 2147483647", NULL},
    {"partNumber", WRONG_NOTHING, &S3_INVALID_ARGUMENT,
     "Part number must be an integer between 1 and 10000, inclusive", NULL},
    {"encoding-type", WRONG_VALUE, &S3_INVALID_ARGUMENT,
     "Invalid Encoding Method specified in Request", NULL},
    {"x-amz-storage-class", WRONG_VALUE, &S3_INVALID_STORAGE_CLASS, NULL, "StorageClassRequested"},
    {"x-amz-object-ownership", WRONG_VALUE, &S3_INVALID_ARGUMENT,
     "Invalid x-amz-object-ownership header: {}", "ArgumentName"},
    {"x-amz-transition-default-minimum-object-size", WRONG_VALUE, &S3_INVALID_REQUEST,
     "Invalid TransitionDefaultMinimumObjectSize found: {}", ""},
    {"x-amz-mp-object-size", WRONG_RANGE, &S3_INVALID_REQUEST,
     "Value for x-amz-mp-object-size header is less than zero: '{}'", ""},
    {"x-amz-mp-object-size", WRONG_TYPE, &S3_INVALID_REQUEST,
     "Value for x-amz-mp-object-size header is invalid: '{}'", ""},
    {"x-amz-object-lock-retain-until-date", WRONG_TYPE, &S3_INVALID_ARGUMENT,
     "The retain until date must be provided in ISO 8601 format", NULL},
    {"x-amz-metadata-directive", WRONG_VALUE, &S3_INVALID_ARGUMENT, "Unknown metadata directive.",
     NULL},
    {"x-amz-tagging-directive", WRONG_VALUE, &S3_INVALID_ARGUMENT, "Unknown tagging directive.",
     NULL},
    {"x-amz-server-side-encryption", WRONG_VALUE, &S3_INVALID_ARGUMENT,
     "The encryption method specified is not supported", NULL},
};

/* A number that no int32 holds is none to a limit of that size. */
static enum shape_wrong wrong_of(const struct shape_issue *issue)
{
    int64_t value = 0;
    bool wide = issue->wrong == WRONG_RANGE && issue->field->max == INT32_MAX &&
                str_to_int(issue->value, &value) && (value > INT32_MAX || value < INT32_MIN);
    return wide ? WRONG_TYPE : issue->wrong;
}

static bool concerns(const struct argument *argument, const struct op *op,
                     const struct shape_issue *issue)
{
    return str_eq_nocase(str_of(argument->wire), str_of(issue->field->wire)) &&
           (!argument->wrong || argument->wrong == wrong_of(issue)) &&
           (!argument->op || !strcmp(argument->op, op->name));
}

static err with_argument(struct arena *arena, err e, const struct argument *argument,
                         const struct shape_issue *issue)
{
    const char *extra = argument->extra;
    str value = issue->value.p ? issue->value : S("");
    bool name_alone = extra && !strcmp(extra, "ArgumentName");
    if (extra && !name_alone)
        return *extra ? err_with(arena, e, extra, value) : e;
    const char *name = argument->name ? argument->name : issue->field->wire;
    e = err_with(arena, e, "ArgumentName", str_of(name));
    return name_alone ? e : err_with(arena, e, "ArgumentValue", value);
}

static err with_value(struct arena *arena, const struct argument *argument, str value)
{
    str text = str_of(argument->text);
    ptrdiff_t at = str_find(text, S("{}"), 0);
    if (at < 0)
        return err_text(arena, argument->fault, "%s", argument->text);
    str rest = str_slice(text, (size_t)at + 2, text.n);
    return err_text(arena, argument->fault, "%.*s%.*s%.*s", (int)at, text.p, STR_ARG(value),
                    STR_ARG(rest));
}

/* Something in an address, a query or a header. */
static err refuse_head(struct arena *arena, const struct op *op, const struct shape_issue *issue)
{
    const char *wire = issue->field->wire;
    if (issue->wrong == WRONG_UNIMPLEMENTED)
        return err_with(arena, FAIL(S3_NOT_IMPLEMENTED), "Header", str_of(wire));
    if (issue->wrong == WRONG_MISSING && str_eq(str_of(wire), S("x-amz-object-attributes")))
        return err_text(arena, &S3_INVALID_REQUEST,
                        "The x-amz-object-attributes header specifying the attributes to be "
                        "retrieved is either missing or empty");
    if (issue->wrong == WRONG_MISSING && issue->field->place == PLACE_HEADER)
        return err_with(arena, FAIL(S3_MISSING_SECURITY_HEADER), "MissingHeaderName", str_of(wire));
    if (issue->wrong == WRONG_MISSING)
        return err_text(arena, &S3_INVALID_REQUEST,
                        "Missing required parameter for this request: '%s'", wire);
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        const struct argument *a = &arguments[i];
        if (concerns(a, op, issue))
            return with_argument(
                arena, a->text ? with_value(arena, a, issue->value) : (err){.fault = a->fault}, a,
                issue);
    }
    return with_argument(arena, FAIL(S3_INVALID_ARGUMENT), &(struct argument){0}, issue);
}

static err refuse_body(struct arena *arena, const struct op *op, const struct shape_issue *issue)
{
    if (issue->wrong == WRONG_UNIMPLEMENTED)
        return err_text(arena, &S3_NOT_IMPLEMENTED, "The element %.*s is not implemented.",
                        STR_ARG(issue->name));
    if (issue->wrong == WRONG_MISSING && issue->field && issue->field->place == PLACE_PAYLOAD)
        return FAIL(S3_MISSING_REQUEST_BODY);
    bool acl = strstr(op->name, "Acl") != NULL;
    return acl ? FAIL(S3_MALFORMED_ACL) : FAIL(S3_MALFORMED_XML);
}

/* A finding inside an XML body has the name of a nested member; the field alone tells whether it
 * travels elsewhere. */
static err refuse(struct call *call, const struct op *op, const struct shape_issue *issue)
{
    struct arena *arena = call->ctx.arena;
    bool head = issue->wrong != WRONG_SYNTAX && issue->field && issue->field->place != PLACE_BODY &&
                issue->field->place != PLACE_PAYLOAD;
    return head ? refuse_head(arena, op, issue) : refuse_body(arena, op, issue);
}

const struct service s3_service = {
    .name = "s3",
    .xmlns = "http://s3.amazonaws.com/doc/2006-03-01/",
    .ops = tables,
    .refuse = refuse,
    .authorize = s3_authorize,
};
