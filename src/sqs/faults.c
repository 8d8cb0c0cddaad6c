/* sqs/faults.c - see faults.h: the list there is the only one. */
#include "sqs/faults.h"

#define SQS_FAULT_DEFINE(row, type_, code_, status_, space_, text_)                                \
    const struct fault row = {                                                                     \
        .type = type_, .code = code_, .status = status_, .text = text_, .space = space_};
SQS_FAULTS(SQS_FAULT_DEFINE)
