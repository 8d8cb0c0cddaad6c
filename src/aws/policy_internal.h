/* aws/policy_internal.h - a parsed policy, between policy_parse.c, policy_decide.c and policy_s3.c.
 */
#ifndef HEADRACE_AWS_POLICY_INTERNAL_H
#define HEADRACE_AWS_POLICY_INTERNAL_H

#include "aws/policy.h"

struct strings {
    str *at;
    size_t n;
    bool set; /* the member was there */
};

enum condition_kind {
    TEST_STRING,
    TEST_NUMBER,
    TEST_DATE,
    TEST_BOOL,
    TEST_BINARY,
    TEST_IP,
    TEST_ARN,
    TEST_NULL
};
enum condition_order {
    ORDER_EQUAL,
    ORDER_LESS,
    ORDER_LESS_EQUAL,
    ORDER_GREATER,
    ORDER_GREATER_EQUAL
};

/* One of AWS's condition operators, without its prefix ForAnyValue: or suffix IfExists. */
struct condition_test {
    const char *name;
    enum condition_kind kind;
    enum condition_order order;
    bool negated, like, any_case;
};

enum condition_set { SET_NONE, SET_ANY, SET_ALL };

struct condition {
    const struct condition_test *test;
    enum condition_set set;
    bool if_exists;
    str key;
    struct strings values;
    struct condition *next;
};

struct principals {
    bool everyone, negated;
    struct strings aws, service, federated, canonical;
};

struct statement {
    bool allow;
    struct principals principals;
    struct strings actions, resources;
    bool not_action, not_resource;
    struct condition *conditions;
};

struct policy {
    bool variables; /* Version 2012-10-17: ${...} are expanded */
    struct statement *at;
    size_t n;
};

/* '*' and '?' in `pattern`. */
bool policy_match(str pattern, str text, bool any_case);
/* For bucket policies: keys that S3 knows beside actions that carry them, and addresses that are
 * some (policy_s3_keys.c). */
err policy_check_conditions(struct arena *arena, const struct statement *statement);
/* Whether an IP address lies in a CIDR block or equals an address. */
bool policy_ip_match(str block, str address);

#endif
