/* api/ops.h - the registry: every service and through it every operation that this program knows.
 * Routing, `headrace ops`, the coverage table and the audits start here. A service's rows are in
 * its api/SERVICE_*.c files; its list of tables is in api/SERVICE_service.c, where a new table is
 * one line. */
#ifndef HEADRACE_API_OPS_H
#define HEADRACE_API_OPS_H

#include "aws/op.h"

struct buf;

extern const struct service s3_service, sqs_service, sts_service;
/* NULL-terminated. */
extern const struct service *const api_services[];

/* All rows as JSON:
 * {"services":[{"name","protocols",...,"operations":[{"name","implemented","rest","input":[members],...}]}]}.
 */
void api_ops_json(struct buf *b);
/* "s3 PutObject\n..." of the implemented ones. */
void api_ops_text(struct buf *b);
/* The coverage table of docs/fidelity.md. */
void api_ops_markdown(struct buf *b);

#endif
