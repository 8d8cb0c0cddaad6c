/* aws/post_policy.c - see post_policy.h. Conditions come in three forms:
 *  - {"field": "value"};
 *  - ["eq" or "starts-with", "$field", "value"];
 *  - ["content-length-range", min, max].
 * Every field of the form must be spoken of, but for the few that carry the policy itself. */
#include "aws/post_policy.h"

#include "aws/fault.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

const struct fault POST_POLICY_INVALID = {"InvalidPolicyDocument", "InvalidPolicyDocument", 400,
                                          "Invalid Policy: Invalid JSON.", NULL};

struct checking {
    struct arena *arena;
    const struct post_policy_check *check;
    bool *spoken_of; /* per field */
    struct post_limits *limits;
};

static err invalid(struct arena *arena, const char *why)
{
    return err_text(arena, &POST_POLICY_INVALID, "Invalid Policy: %s", why);
}

static str json_str(const json_t *text)
{
    return json_is_string(text) ? (str){json_string_value(text), json_string_length(text)}
                                : STR_NONE;
}

/* AWS quotes the failing condition as JSON, with a blank after each comma. */
static err condition_failed(struct checking *c, const char *how, str field, str value)
{
    struct buf b = buf_in(c->arena);
    buf_printf(&b, "[\"%s\", ", how);
    buf_json(&b, arena_join(c->arena, S("$"), field));
    BUF_LIT(&b, ", ");
    buf_json(&b, value);
    buf_char(&b, ']');
    return err_text(c->arena, &AWS_ACCESS_DENIED,
                    "Invalid according to Policy: Policy Condition failed: %.*s",
                    STR_ARG(buf_str(&b)));
}

static err check_field(struct checking *c, const char *how, str field, str value)
{
    bool starts = strcmp(how, "starts-with") == 0;
    str found = S("");
    for (size_t i = 0; i < c->check->n; i++)
        if (str_eq_nocase(c->check->fields[i].name, field)) {
            c->spoken_of[i] = true;
            found = c->check->fields[i].value;
        }
    bool holds = starts ? str_starts(found, value) : str_eq(found, value);
    return holds ? OK : condition_failed(c, how, field, value);
}

/* A number, or the digits of one: both are seen in the wild. */
static bool number_of(const json_t *json, int64_t *out)
{
    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return *out >= 0;
    }
    return json_is_string(json) && str_to_int(json_str(json), out) && *out >= 0;
}

static err check_range(struct checking *c, const json_t *condition)
{
    int64_t min, max;
    if (json_array_size(condition) != 3 || !number_of(json_array_get(condition, 1), &min) ||
        !number_of(json_array_get(condition, 2), &max))
        return invalid(c->arena,
                       "Invalid content-length-range: wrong number of arguments or not a number.");
    *c->limits = (struct post_limits){min, max};
    return OK;
}

static err check_list(struct checking *c, const json_t *condition)
{
    str how = json_str(json_array_get(condition, 0)),
        field = json_str(json_array_get(condition, 1));
    str value = json_str(json_array_get(condition, 2));
    if (str_eq_nocase(how, S("content-length-range")))
        return check_range(c, condition);
    bool eq = str_eq_nocase(how, S("eq"));
    if (!eq && !str_eq_nocase(how, S("starts-with")))
        return invalid(c->arena, "Invalid Simple-Condition: unknown operation.");
    if (json_array_size(condition) != 3 || !str_starts(field, S("$")) || !value.p)
        return invalid(c->arena, "Invalid Simple-Condition: wrong arguments.");
    return check_field(c, eq ? "eq" : "starts-with", str_slice(field, 1, field.n), value);
}

static err check_condition(struct checking *c, json_t *condition)
{
    const char *name;
    json_t *value;
    if (json_is_array(condition))
        return check_list(c, condition);
    if (!json_is_object(condition) || json_object_size(condition) != 1)
        return invalid(c->arena, "Invalid Simple-Condition: Simple-Conditions must have exactly "
                                 "one property specified.");
    json_object_foreach(condition, name, value)
    {
        if (!json_is_string(value))
            return invalid(c->arena, "Invalid Simple-Condition: value must be a string.");
        TRY(check_field(c, "eq", str_of(name), json_str(value)));
    }
    return OK;
}

/* Fields that need no condition. `bucket` is ours: it is in the address, not in the form. */
static bool is_exempt(str name)
{
    static const char *const names[] = {"x-amz-signature", "signature", "awsaccesskeyid",
                                        "policy",          "file",      "bucket"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return str_starts_nocase(name, S("x-ignore-")) || str_starts_nocase(name, S("x-amz-checksum-"));
}

static err check_extra_fields(const struct checking *c)
{
    for (size_t i = 0; i < c->check->n; i++)
        if (!c->spoken_of[i] && !is_exempt(c->check->fields[i].name))
            return err_text(c->arena, &AWS_ACCESS_DENIED,
                            "Invalid according to Policy: Extra input fields: %.*s",
                            STR_ARG(c->check->fields[i].name));
    return OK;
}

static err check_expiration(struct checking *c, json_t *policy)
{
    str text = json_str(json_object_get(policy, "expiration"));
    msec expires;
    if (!text.p)
        return invalid(c->arena, "Policy missing expiration.");
    if (!(text.n >= 20 && text.p[10] == 'T' && date_parse(text, &expires)))
        return invalid(c->arena, "Invalid 'expiration' value.");
    if (expires <= c->check->now)
        return err_text(c->arena, &AWS_ACCESS_DENIED,
                        "Invalid according to Policy: Policy expired.");
    return OK;
}

static err check_policy(struct checking *c, json_t *policy)
{
    json_t *conditions = json_object_get(policy, "conditions"), *condition;
    size_t i;
    if (!json_is_object(policy))
        return FAIL(POST_POLICY_INVALID);
    TRY(check_expiration(c, policy));
    if (!json_is_array(conditions))
        return invalid(c->arena, "Policy missing conditions.");
    json_array_foreach(conditions, i, condition) TRY(check_condition(c, condition));
    return check_extra_fields(c);
}

err post_policy_check(struct arena *arena, str json, const struct post_policy_check *check,
                      struct post_limits *limits)
{
    struct checking c = {
        .arena = arena,
        .check = check,
        .spoken_of = arena_array(arena, check->n, sizeof(bool)),
        .limits = limits,
    };
    *limits = (struct post_limits){0, -1};
    json_t *policy = json_loadb(json.p ? json.p : "", json.n, 0, NULL);
    if (!policy)
        return FAIL(POST_POLICY_INVALID);
    err e = check_policy(&c, policy);
    json_decref(policy);
    return e;
}
