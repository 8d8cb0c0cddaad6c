/* api/sqs_service.c - SQS as a service: its tables of operations, and what a malformed input is
 * called there. A new table of rows is one line here. */
#include "api/ops.h"
#include "api/sqs_access.h"
#include "api/sqs_common.h"

static const struct op *const tables[] = {sqs_queue_ops, sqs_message_ops, sqs_batch_ops,
                                          sqs_move_ops, NULL};

/* The words of the reader that all of AWS's JSON services share. */
static err wrong_type(struct arena *arena, const struct shape_issue *issue)
{
    static const char *const wanted[] = {
        [SHAPE_STR] = "a String",  [SHAPE_INT] = "an Integer",   [SHAPE_BOOL] = "a Boolean",
        [SHAPE_BLOB] = "a Blob",   [SHAPE_TIME] = "a Timestamp", [SHAPE_STRUCT] = NULL,
        [SHAPE_LIST] = "list or ", [SHAPE_MAP] = "map or "};
    enum shape_kind kind = issue->field ? (enum shape_kind)issue->field->kind : SHAPE_STRUCT;
    if (str_eq(issue->value, S("START_OBJECT")))
        return err_text(arena, &SQS_MALFORMED,
                        "Start of structure or map found where not expected.");
    if (str_eq(issue->value, S("START_ARRAY")))
        return err_text(arena, &SQS_MALFORMED, "Start of list found where not expected");
    if (kind >= SHAPE_STRUCT)
        return err_text(arena, &SQS_MALFORMED, "Expected %snull", wanted[kind] ? wanted[kind] : "");
    return err_text(arena, &SQS_MALFORMED, "%.*s can not be converted to %s", STR_ARG(issue->value),
                    wanted[kind]);
}

static err refuse(struct call *call, const struct op *op, const struct shape_issue *issue)
{
    struct arena *arena = call->ctx.arena;
    (void)op;
    switch (issue->wrong) {
    case WRONG_MISSING:
        return err_text(arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter %.*s.", STR_ARG(issue->name));
    case WRONG_TYPE:
        return wrong_type(arena, issue);
    case WRONG_RANGE:
    case WRONG_VALUE:
        return err_text(arena, &SQS_INVALID_PARAMETER, "Value %.*s for parameter %.*s is invalid.",
                        STR_ARG(issue->value), STR_ARG(issue->name));
    case WRONG_UNIMPLEMENTED:
        return err_text(arena, &SQS_UNSUPPORTED_OPERATION, "The parameter %.*s is not implemented.",
                        STR_ARG(issue->name));
    default:
        return FAIL(SQS_MALFORMED);
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
    .authorize = sqs_authorize,
};
