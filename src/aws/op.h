/* aws/op.h - every fact about an AWS operation is a row. Routers, codecs, validators, the coverage
 * table, `headrace ops` and the audit against AWS's published models read these tables; nothing
 * else lists operations. */
#ifndef HEADRACE_AWS_OP_H
#define HEADRACE_AWS_OP_H

#include "base/err.h"
#include "base/shape.h"

struct call; /* api/call.h */

enum op_flag {
    OP_READ = 1,          /* changes nothing: no savepoint */
    OP_UNIMPLEMENTED = 2, /* listed, refused with NotImplemented by name */
    OP_UPLOAD = 4, /* the body streams: `begin` runs on the headers, `run` when it is complete */
    OP_RAW_OUTPUT = 8, /* `run` made call->reply itself */
    OP_NO_RESULT = 16, /* Query: no <XResult> element */
    OP_ANONYMOUS = 32, /* needs no credentials even under --auth verify */
    OP_SURE = 64, /* checks all before it writes: then only the disk can make it fail (db_sure) */
    OP_NOT_AT_QUEUE = 128, /* Query: refused at a queue's own address */
};

enum rest_level { REST_NONE, REST_SERVICE, REST_BUCKET, REST_OBJECT };

/* How REST finds the operation: method and level must match; every key of `query` must be in the
 * query string (a "k=v" must have that value); `header` must be there. The matching row with the
 * most conditions wins. */
struct rest_route {
    const char *method;
    enum rest_level level;
    const char *query;  /* "uploadId&partNumber"; NULL: none */
    const char *header; /* "x-amz-copy-source"; NULL: none */
    int status;         /* of success; 0: 200 */
};

/* Handlers fill `out` (zeroed, of op->out->size) from `in`; both are in the request's arena. */
typedef err op_run(struct call *call, const void *in, void *out);
/* Headers are in and decoded (PLACE_HEADER, QUERY, BUCKET, KEY); refuse now, or open call->upload.
 */
typedef err op_begin(struct call *call, const void *in);

struct op {
    const char *name;
    const struct shape *in, *out;
    op_run *run;
    op_begin *begin;
    unsigned flags;
    struct rest_route rest;
    const char
        *action; /* IAM action where it is not service:name ("s3:GetObject" for HeadObject) */
    const char *out_root; /* REST-XML: root element of the answer where it is not out->name */
};

enum service_protocol { PROTOCOL_JSON, PROTOCOL_QUERY, PROTOCOL_REST_XML };

struct service {
    const char *name;          /* signing name: "s3", "sqs", "sts" */
    const char *target_prefix; /* X-Amz-Target: "AmazonSQS" */
    const char *xmlns;         /* of Query or REST-XML answers */
    const char *version;       /* Query: "2012-11-05" */
    const char *fault_space;   /* "com.amazonaws.sqs" */
    const struct op *const
        *ops; /* NULL-terminated array of tables, each ended by a row with name NULL */
    /* Turns a finding about an input into the service's fault. */
    err (*refuse)(struct call *call, const struct op *op, const struct shape_issue *issue);
    /* May the caller do this? Asked by dispatch once the head of the request is decoded (before
     * op->begin, before op->run), in every auth mode: it is the service that looks at api->enforce.
     * NULL: everyone may. */
    err (*authorize)(struct call *call, const void *in);
};

#define FOR_EACH_OP(op, service)                                                                   \
    for (const struct op *const *table_ = (service)->ops; *table_; table_++)                       \
        for (const struct op *op = *table_; op->name; op++)

#endif
