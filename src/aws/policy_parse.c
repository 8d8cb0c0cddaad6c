/* aws/policy_parse.c - policy documents from JSON (policy_parse in policy.h). Texts of refusals are
 * those that S3 gives; SQS wraps any of them in its own fault. */
#include "aws/fault.h"
#include "aws/policy_internal.h"

#include <jansson.h>
#include <string.h>

#define STATEMENTS_MAX 1000

static const struct condition_test tests[] = {
    {"StringEquals", TEST_STRING, ORDER_EQUAL, false, false, false},
    {"StringNotEquals", TEST_STRING, ORDER_EQUAL, true, false, false},
    {"StringEqualsIgnoreCase", TEST_STRING, ORDER_EQUAL, false, false, true},
    {"StringNotEqualsIgnoreCase", TEST_STRING, ORDER_EQUAL, true, false, true},
    {"StringLike", TEST_STRING, ORDER_EQUAL, false, true, false},
    {"StringNotLike", TEST_STRING, ORDER_EQUAL, true, true, false},
    {"NumericEquals", TEST_NUMBER, ORDER_EQUAL, false, false, false},
    {"NumericNotEquals", TEST_NUMBER, ORDER_EQUAL, true, false, false},
    {"NumericLessThan", TEST_NUMBER, ORDER_LESS, false, false, false},
    {"NumericLessThanEquals", TEST_NUMBER, ORDER_LESS_EQUAL, false, false, false},
    {"NumericGreaterThan", TEST_NUMBER, ORDER_GREATER, false, false, false},
    {"NumericGreaterThanEquals", TEST_NUMBER, ORDER_GREATER_EQUAL, false, false, false},
    {"DateEquals", TEST_DATE, ORDER_EQUAL, false, false, false},
    {"DateNotEquals", TEST_DATE, ORDER_EQUAL, true, false, false},
    {"DateLessThan", TEST_DATE, ORDER_LESS, false, false, false},
    {"DateLessThanEquals", TEST_DATE, ORDER_LESS_EQUAL, false, false, false},
    {"DateGreaterThan", TEST_DATE, ORDER_GREATER, false, false, false},
    {"DateGreaterThanEquals", TEST_DATE, ORDER_GREATER_EQUAL, false, false, false},
    {"Bool", TEST_BOOL, ORDER_EQUAL, false, false, true},
    {"BinaryEquals", TEST_BINARY, ORDER_EQUAL, false, false, false},
    {"IpAddress", TEST_IP, ORDER_EQUAL, false, false, false},
    {"NotIpAddress", TEST_IP, ORDER_EQUAL, true, false, false},
    {"ArnEquals", TEST_ARN, ORDER_EQUAL, false, true, false},
    {"ArnLike", TEST_ARN, ORDER_EQUAL, false, true, false},
    {"ArnNotEquals", TEST_ARN, ORDER_EQUAL, true, true, false},
    {"ArnNotLike", TEST_ARN, ORDER_EQUAL, true, true, false},
    {"Null", TEST_NULL, ORDER_EQUAL, false, false, true},
};

struct parser {
    struct arena *arena;
};

static err bad(struct parser *p, const char *text, const char *what)
{
    return err_text(p->arena, &AWS_MALFORMED_POLICY, "%s%s", text, what);
}

static err bad_syntax(struct parser *p)
{
    return bad(p, "Invalid policy syntax.", "");
}

static str text_of(struct parser *p, const json_t *value)
{
    if (json_is_string(value))
        return arena_copy(p->arena, (str){json_string_value(value), json_string_length(value)});
    if (json_is_boolean(value))
        return json_is_true(value) ? S("true") : S("false");
    if (json_is_integer(value))
        return arena_printf(p->arena, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return arena_printf(p->arena, "%.17g", json_real_value(value));
    return STR_NONE;
}

/* A value or a list of values. False when something in it is neither text nor number nor truth. */
static bool take_strings(struct parser *p, const json_t *value, struct strings *out)
{
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    *out = (struct strings){arena_array(p->arena, n + 1, sizeof(str)), 0, true};
    for (size_t i = 0; i < n; i++) {
        str text = text_of(p, json_is_array(value) ? json_array_get(value, i) : value);
        if (!text.p)
            return false;
        out->at[out->n++] = text;
    }
    return true;
}

/* --- principals --- */

static bool good_aws_principals(struct principals *out)
{
    for (size_t i = 0; i < out->aws.n; i++) {
        str one = out->aws.at[i];
        if (str_eq(one, S("*")))
            out->everyone = true;
        else if (!str_is_account(one) && !str_starts(one, S("arn:aws")))
            return false;
    }
    return true;
}

static bool take_principal_map(struct parser *p, json_t *value, struct principals *out)
{
    const char *kind;
    json_t *names;
    json_object_foreach(value, kind, names)
    {
        struct strings *to = !strcmp(kind, "AWS")             ? &out->aws
                             : !strcmp(kind, "Service")       ? &out->service
                             : !strcmp(kind, "Federated")     ? &out->federated
                             : !strcmp(kind, "CanonicalUser") ? &out->canonical
                                                              : NULL;
        if (!to || !take_strings(p, names, to))
            return false;
    }
    return json_object_size(value) > 0 && good_aws_principals(out);
}

static err take_principals(struct parser *p, json_t *statement, struct principals *out)
{
    json_t *value = json_object_get(statement, "Principal");
    json_t *other = json_object_get(statement, "NotPrincipal");
    out->negated = !value;
    if (value && other)
        return bad_syntax(p);
    value = value ? value : other;
    if (!value)
        return bad(p, "Missing required field ", "Principal");
    out->everyone = json_is_string(value) && !strcmp(json_string_value(value), "*");
    if (out->everyone || (json_is_object(value) && take_principal_map(p, value, out)))
        return OK;
    return json_is_object(value) ? bad(p, "Invalid principal in policy", "") : bad_syntax(p);
}

/* --- conditions --- */

static const struct condition_test *test_named(str name)
{
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (str_eq_nocase(name, str_of(tests[i].name)))
            return &tests[i];
    return NULL;
}

static bool read_operator(str name, struct condition *out)
{
    if (str_starts_nocase(name, S("ForAnyValue:")))
        out->set = SET_ANY, name = str_slice(name, 12, name.n);
    else if (str_starts_nocase(name, S("ForAllValues:")))
        out->set = SET_ALL, name = str_slice(name, 13, name.n);
    if (str_ends_nocase(name, S("IfExists")) && name.n > 8) {
        out->if_exists = true;
        name = str_slice(name, 0, name.n - 8);
    }
    out->test = test_named(name);
    return out->test != NULL;
}

static err take_condition(struct parser *p, const char *operator, json_t * keys,
                          struct condition ***end)
{
    const char *key;
    json_t *values;
    struct condition model = {0};
    if (!read_operator(str_of(operator), &model))
        return bad(p, "Invalid Condition type : ", operator);
    json_object_foreach(keys, key, values)
    {
        struct condition *c = ARENA_NEW(p->arena, struct condition);
        *c = model;
        c->key = arena_copy(p->arena, str_of(key));
        if (!take_strings(p, values, &c->values))
            return bad(p, "Policy has an invalid condition value for ", key);
        **end = c;
        *end = &c->next;
    }
    return json_is_object(keys) ? OK : bad_syntax(p);
}

static err take_conditions(struct parser *p, json_t *statement, struct statement *out)
{
    json_t *all = json_object_get(statement, "Condition"), *keys;
    struct condition **end = &out->conditions;
    const char *operator;
    if (all && !json_is_object(all))
        return bad_syntax(p);
    json_object_foreach(all, operator, keys) TRY(take_condition(p, operator, keys, &end));
    return OK;
}

/* --- statements --- */

static err known_members(struct parser *p, json_t *object, const char *const *names)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *const *at = names;
        while (*at && strcmp(*at, name))
            at++;
        if (!*at)
            return bad(p, "Unknown field ", name);
    }
    return OK;
}

static err take_effect(struct parser *p, json_t *statement, struct statement *out)
{
    const char *effect = json_string_value(json_object_get(statement, "Effect"));
    if (!effect)
        return bad(p, "Missing required field ", "Effect");
    out->allow = !strcmp(effect, "Allow");
    return out->allow || !strcmp(effect, "Deny") ? OK : bad(p, "Invalid effect: ", effect);
}

/* `Name` or `NotName`. */
static err take_either(struct parser *p, json_t *statement, const char *name, const char *not_name,
                       struct strings *out, bool *negated)
{
    json_t *value = json_object_get(statement, name), *other = json_object_get(statement, not_name);
    if (value && other)
        return bad_syntax(p);
    *negated = !value && other;
    value = value ? value : other;
    if (!value)
        return OK;
    return take_strings(p, value, out)
               ? OK
               : bad(p, "Policy has invalid ", !strcmp(name, "Action") ? "action" : "resource");
}

static err take_statement(struct parser *p, json_t *statement, struct statement *out)
{
    static const char *const names[] = {"Sid",       "Effect",    "Principal", "NotPrincipal",
                                        "Action",    "NotAction", "Resource",  "NotResource",
                                        "Condition", NULL};
    if (!json_is_object(statement))
        return bad_syntax(p);
    TRY(known_members(p, statement, names));
    TRY(take_effect(p, statement, out));
    TRY(take_principals(p, statement, &out->principals));
    TRY(take_either(p, statement, "Action", "NotAction", &out->actions, &out->not_action));
    if (!out->actions.n)
        return bad(p, "Missing required field ", "Action");
    TRY(take_either(p, statement, "Resource", "NotResource", &out->resources, &out->not_resource));
    return take_conditions(p, statement, out);
}

static err take_policy(struct parser *p, json_t *root, struct policy *out)
{
    static const char *const names[] = {"Version", "Id", "Statement", NULL};
    json_t *version = json_object_get(root, "Version"),
           *statements = json_object_get(root, "Statement");
    TRY(known_members(p, root, names));
    const char *text = version ? json_string_value(version) : "2008-10-17";
    if (!text || (strcmp(text, "2012-10-17") && strcmp(text, "2008-10-17")))
        return bad(p, "The policy must contain a valid version string", "");
    if (!statements)
        return bad(p, "Missing required field ", "Statement");
    size_t n = json_is_array(statements) ? json_array_size(statements) : 1;
    if (!n || n > STATEMENTS_MAX)
        return bad(p, "Could not parse the policy: Statement is empty!", "");
    out->variables = !strcmp(text, "2012-10-17");
    out->at = arena_array(p->arena, n, sizeof *out->at);
    for (; out->n < n; out->n++)
        TRY(take_statement(
            p, json_is_array(statements) ? json_array_get(statements, out->n) : statements,
            &out->at[out->n]));
    return OK;
}

/* jansson recurses: no legal policy nests deeper than 6. */
static bool shallow(str json)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < json.n && depth <= 16; i++) {
        char c = json.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    return depth <= 16;
}

err policy_parse(struct arena *arena, str json, struct policy **out)
{
    struct parser parser = {arena};
    json_t *root = json.n && json.p[0] == '{' && shallow(json)
                       ? json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    if (!root)
        return json.n && json.p[0] == '{' ? bad(&parser, "This policy contains invalid Json", "")
                                          : FAIL(AWS_MALFORMED_POLICY);
    struct policy *policy = ARENA_NEW(arena, struct policy);
    err e = take_policy(&parser, root, policy);
    json_decref(root);
    TRY(e);
    *out = policy;
    return OK;
}
