/* sqs/check.h - the working set as text, for tests: equal texts before and after sqs_reload mean
 * that memory said what the tables say. */
#ifndef HEADRACE_SQS_CHECK_H
#define HEADRACE_SQS_CHECK_H

#include "sqs/sqs.h"

/* Every queue, group and message with its state, in canonical order. */
str sqs_dump(struct sqs *sqs, struct arena *arena);
/* Absent when the working set is consistent in itself and with the tables; else what is not. */
str sqs_check(struct sqs *sqs, struct arena *arena);

#endif
