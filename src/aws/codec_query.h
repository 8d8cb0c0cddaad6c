/* aws/codec_query.h - the Query protocol: flattened parameters in, XML (or JSON, where asked) out.
 * Lists are `Name.1, Name.2`; lists of structures `Name.1.Member`; maps `Name.1.Name`/`.Value` or
 * what the entry shape's wire names say; `Name` is field->query where given, else wire. A list
 * index may start anywhere and have gaps; order is by number. */
#ifndef HEADRACE_AWS_CODEC_QUERY_H
#define HEADRACE_AWS_CODEC_QUERY_H

#include "aws/form.h"
#include "aws/op.h"
#include "base/buf.h"

/* `form` must be sorted. WRONG_TYPE for numbers and booleans that are none. */
struct shape_issue query_decode(struct arena *arena, const struct shape *shape,
                                const struct form *form, void *out);
/* <XResponse xmlns="..."><XResult>...</XResult><ResponseMetadata>...; no result element with
 * OP_NO_RESULT. */
void query_encode(struct buf *b, const struct service *service, const struct op *op,
                  const void *data, str request_id);
/* {"XResponse":{"XResult":{...},"ResponseMetadata":{"RequestId":"..."}}} */
void query_encode_json(struct buf *b, const struct op *op, const void *data, str request_id);

#endif
