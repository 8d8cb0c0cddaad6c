/* sqs/examine.h - is each message's body what was sent? For doctor: compares it with the MD5 that
 * was stored when it came. Attributes of messages have no digest of their own. */
#ifndef HEADRACE_SQS_EXAMINE_H
#define HEADRACE_SQS_EXAMINE_H

#include "store/db.h"
#include "store/examine.h"

/* Bytes that sqs_examine will compare. */
int64_t sqs_examine_size(struct db *db);
/* Changes nothing. False when the tables are not those of this version. */
bool sqs_examine(struct db *db, const struct examine_ask *ask, struct examine_sum *sum);
/* Takes a message away that it found damaged. Not while an engine is open. */
err sqs_examine_drop(struct db *db, int64_t row);

#endif
