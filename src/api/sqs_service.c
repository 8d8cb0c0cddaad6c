/* api/sqs_service.c - SQS as a service: its tables of operations, and what a malformed input is called there. A new table of rows is
 * one line here. */
#include "api/call.h"
#include "api/ops.h"
#include "aws/fault.h"

#include <string.h>

static const struct op *const tables[] = {
    NULL,
};

/* Two wordings are recorded; this member has the second. */
static err out_of_range(struct arena *arena, const struct shape_issue *issue)
{
    const struct field *field = issue->field;
    bool compared = !strcmp(field->wire, "WaitTimeSeconds") || !strcmp(field->wire, "VisibilityTimeout");
    const char *format = compared ? "Value %.*s for parameter %.*s is invalid. Reason: Must be >= %lld and <= %lld, if provided."
                                  : "Value %.*s for parameter %.*s is invalid. Reason: Must be between %lld and %lld, if provided.";
    str text = field->kind == SHAPE_INT ? issue->value : str_slice(issue->value, 0, 1024);
    return err_text(arena, &AWS_INVALID_PARAMETER, format, STR_ARG(text), STR_ARG(issue->name), (long long)field->min,
                    (long long)field->max);
}

static err wrong_type(struct arena *arena, const struct shape_issue *issue)
{
    static const char *const wanted[] = {"a String", "an Integer", "a Boolean", "a Blob", "a Timestamp",
                                         "a Structure", "a List", "a Map"};
    const char *want = issue->field ? wanted[issue->field->kind] : "a Structure";
    return err_text(arena, &AWS_SERIALIZATION, "%.*s can not be converted to %s", STR_ARG(issue->value), want);
}

static err refuse(struct call *call, const struct op *op, const struct shape_issue *issue)
{
    struct arena *arena = call->ctx.arena;
    (void)op;
    switch (issue->wrong) {
    case WRONG_MISSING:
        return err_text(arena, &AWS_MISSING_PARAMETER, "The request must contain the parameter %.*s.", STR_ARG(issue->name));
    case WRONG_RANGE: return out_of_range(arena, issue);
    case WRONG_TYPE: return wrong_type(arena, issue);
    case WRONG_UNIMPLEMENTED:
        return err_text(arena, &AWS_UNSUPPORTED, "The parameter %.*s is not implemented.", STR_ARG(issue->name));
    case WRONG_VALUE:
        return err_text(arena, &AWS_INVALID_PARAMETER, "Value %.*s for parameter %.*s is invalid.", STR_ARG(issue->value),
                        STR_ARG(issue->name));
    default: return FAIL(AWS_SERIALIZATION);
    }
}

const struct service sqs_service = {
    .name = "sqs",
    .target_prefix = "AmazonSQS",
    .xmlns = "http://queue.amazonaws.com/doc/2012-11-05/",
    .version = "2012-11-05",
    .fault_space = "com.amazonaws.sqs",
    .ops = tables,
    .refuse = refuse,
};
