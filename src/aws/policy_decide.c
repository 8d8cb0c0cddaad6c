/* aws/policy_decide.c - does a policy allow it? (policy_decide in policy.h). An explicit Deny wins
 * over every Allow; without either the answer is implicit, and the owner's own rights decide.
 * Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
 * ..._elements_condition_operators.html. */
#include "aws/policy_internal.h"

#include "base/buf.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* --- matching --- */

static char folded(char c, bool any_case)
{
    return any_case && c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* Goes back to the last '*' only: linear in memory, at worst |pattern| times |text| in time. */
bool policy_match(str pattern, str text, bool any_case)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n && (pattern.p[p] == '?' || folded(pattern.p[p], any_case) ==
                                                                folded(text.p[t], any_case))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool parse_ip(str text, uint8_t *bytes, size_t *n)
{
    char copy[64];
    if (!text.n || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *n = strchr(copy, ':') ? 16 : 4;
    return inet_pton(*n == 16 ? AF_INET6 : AF_INET, copy, bytes) == 1;
}

bool policy_ip_match(str block, str address)
{
    uint8_t a[16], b[16];
    size_t na, nb;
    int64_t bits;
    str rest = block;
    str base = str_cut(&rest, '/');
    if (!parse_ip(base, a, &na) || !parse_ip(address, b, &nb) || na != nb)
        return false;
    bits = (int64_t)na * 8;
    if (rest.p && (!str_to_int(rest, &bits) || bits < 0 || bits > (int64_t)na * 8))
        return false;
    size_t whole = (size_t)bits / 8;
    int left = (int)(bits % 8);
    if (memcmp(a, b, whole))
        return false;
    return !left || (uint8_t)(a[whole] >> (8 - left)) == (uint8_t)(b[whole] >> (8 - left));
}

/* --- values and variables --- */

struct run {
    struct arena *arena;
    const struct policy *policy;
    const struct policy_request *request;
};

static str context_value(const struct policy_request *request, str key)
{
    for (size_t i = 0; i < request->ncontext; i++)
        if (str_eq_nocase(request->context[i].key, key))
            return request->context[i].value;
    return STR_NONE;
}

/* "${aws:username}" by its value; "${*}", "${?}", "${$}" by the character. A variable without a
 * value matches nothing. */
static bool put_variable(struct buf *b, const struct run *run, str name)
{
    str fallback = name;
    str key = str_trim(str_cut(&fallback, ','));
    str value = key.n == 1 ? key : context_value(run->request, key);
    if (!value.p && fallback.p) {
        value = str_trim(fallback);
        value = value.n >= 2 ? str_slice(value, 1, value.n - 1) : value;
    }
    buf_put(b, value.p ? value : S(""));
    return value.p != NULL;
}

static bool expand(const struct run *run, str text, str *out)
{
    *out = text;
    if (!run->policy->variables || str_find(text, S("${"), 0) < 0)
        return true;
    struct buf b = buf_in(run->arena);
    size_t at = 0;
    for (;;) {
        ptrdiff_t open = str_find(text, S("${"), at),
                  close = open < 0 ? -1 : str_find(text, S("}"), (size_t)open);
        if (close < 0)
            break;
        buf_put(&b, str_slice(text, at, (size_t)open));
        if (!put_variable(&b, run, str_slice(text, (size_t)open + 2, (size_t)close)))
            return false;
        at = (size_t)close + 1;
    }
    buf_put(&b, str_slice(text, at, text.n));
    *out = buf_str(&b);
    return true;
}

/* --- conditions --- */

static bool in_order(enum condition_order order, int sign)
{
    switch (order) {
    case ORDER_LESS:
        return sign < 0;
    case ORDER_LESS_EQUAL:
        return sign <= 0;
    case ORDER_GREATER:
        return sign > 0;
    case ORDER_GREATER_EQUAL:
        return sign >= 0;
    default:
        return sign == 0;
    }
}

static bool number_of(str text, double *out)
{
    char copy[64], *end;
    if (!text.n || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    *out = strtod(copy, &end);
    return end == copy + text.n;
}

static bool compare_numbers(enum condition_order order, str value, str wanted)
{
    double a, b;
    return number_of(value, &a) && number_of(wanted, &b) && in_order(order, a < b ? -1 : a > b);
}

static bool compare_dates(enum condition_order order, str value, str wanted)
{
    msec a, b;
    return date_parse(value, &a) && date_parse(wanted, &b) && in_order(order, a < b ? -1 : a > b);
}

/* Each of an ARN's six parts is matched for itself, so a '*' never crosses a colon. */
static bool match_arn(str pattern, str value)
{
    str p = pattern, v = value;
    if (str_eq(pattern, S("*")))
        return true;
    for (int i = 0; i < 5; i++) {
        str a = str_cut(&p, ':'), b = str_cut(&v, ':');
        if (!p.p || !v.p || !policy_match(a, b, false))
            return false;
    }
    return policy_match(p, v, false);
}

static bool compare(const struct run *run, const struct condition_test *test, str value,
                    str pattern)
{
    str wanted;
    if (!expand(run, pattern, &wanted))
        return false;
    switch (test->kind) {
    case TEST_NUMBER:
        return compare_numbers(test->order, value, wanted);
    case TEST_DATE:
        return compare_dates(test->order, value, wanted);
    case TEST_IP:
        return policy_ip_match(wanted, value);
    case TEST_ARN:
        return match_arn(wanted, value);
    case TEST_STRING:
        if (test->like)
            return policy_match(wanted, value, false);
        break;
    default:
        break;
    }
    return test->any_case ? str_eq_nocase(wanted, value) : str_eq(wanted, value);
}

static bool among(const struct run *run, const struct condition *c, str value)
{
    for (size_t i = 0; i < c->values.n; i++)
        if (compare(run, c->test, value, c->values.at[i]))
            return true;
    return false;
}

/* "Null": {"key": "true"} asks that the key be absent. */
static bool null_holds(const struct condition *c, bool present)
{
    for (size_t i = 0; i < c->values.n; i++)
        if (str_eq_nocase(c->values.at[i], S("true")) == !present)
            return true;
    return false;
}

static bool condition_holds(const struct run *run, const struct condition *c)
{
    size_t values = 0, matches = 0;
    for (size_t i = 0; i < run->request->ncontext; i++) {
        const struct policy_value *v = &run->request->context[i];
        if (!str_eq_nocase(v->key, c->key))
            continue;
        values++;
        matches += among(run, c, v->value) != c->test->negated;
    }
    if (c->test->kind == TEST_NULL)
        return null_holds(c, values > 0);
    if (c->set == SET_ALL)
        return matches == values;
    if (!values)
        return c->if_exists || (c->test->negated && c->set == SET_NONE);
    /* A negated operator must hold against every value, unless any will do. */
    return c->test->negated && c->set == SET_NONE ? matches == values : matches > 0;
}

static bool conditions_hold(const struct run *run, const struct statement *statement)
{
    for (const struct condition *c = statement->conditions; c; c = c->next)
        if (!condition_holds(run, c))
            return false;
    return true;
}

/* --- who, what, where --- */

static bool contains(const struct strings *list, str value)
{
    for (size_t i = 0; value.p && i < list->n; i++)
        if (str_eq(list->at[i], value))
            return true;
    return false;
}

/* "111122223333" and "arn:aws:iam::111122223333:root" mean everyone of the account. */
static bool is_account_of(str principal, str account)
{
    if (!account.p)
        return false;
    if (str_eq(principal, account))
        return true;
    return str_starts(principal, S("arn:aws:iam::")) && str_ends(principal, S(":root")) &&
           str_eq(str_slice(principal, 13, principal.n - 5), account);
}

static bool names_caller(const struct principals *principals, const struct policy_request *request)
{
    if (principals->everyone)
        return true;
    for (size_t i = 0; i < principals->aws.n; i++)
        if (is_account_of(principals->aws.at[i], request->account) ||
            (request->principal.p && str_eq(principals->aws.at[i], request->principal)))
            return true;
    return contains(&principals->canonical, request->canonical_id) ||
           contains(&principals->service, request->service);
}

static bool any_action(const struct strings *actions, str action)
{
    for (size_t i = 0; i < actions->n; i++)
        if (policy_match(actions->at[i], action, true))
            return true;
    return false;
}

static bool any_resource(const struct run *run, const struct strings *resources, str resource)
{
    str pattern;
    for (size_t i = 0; i < resources->n; i++)
        if (expand(run, resources->at[i], &pattern) && policy_match(pattern, resource, false))
            return true;
    return false;
}

static bool applies(const struct run *run, const struct statement *s)
{
    const struct policy_request *request = run->request;
    return names_caller(&s->principals, request) != s->principals.negated &&
           any_action(&s->actions, request->action) != s->not_action &&
           (!s->resources.set ||
            any_resource(run, &s->resources, request->resource) != s->not_resource) &&
           conditions_hold(run, s);
}

enum policy_decision policy_decide(const struct policy *policy,
                                   const struct policy_request *request)
{
    struct run run = {arena_new(), policy, request};
    enum policy_decision decision = POLICY_IMPLICIT;
    for (size_t i = 0; i < policy->n && decision != POLICY_DENY; i++)
        if (applies(&run, &policy->at[i]))
            decision = policy->at[i].allow ? POLICY_ALLOW : POLICY_DENY;
    arena_free(run.arena);
    return decision;
}

/* --- public? --- */

static bool is_wild(str s)
{
    return str_find(s, S("*"), 0) >= 0 || str_find(s, S("?"), 0) >= 0 ||
           str_find(s, S("${"), 0) >= 0;
}

/* S3 counts IPv4 blocks wider than /8 and IPv6 blocks wider than /32 as everyone. */
static bool is_narrow_block(str block)
{
    int64_t bits;
    str rest = block;
    bool six = str_find(block, S(":"), 0) >= 0;
    str_cut(&rest, '/');
    return !rest.p || (str_to_int(rest, &bits) && bits >= (six ? 32 : 8));
}

/* The keys by which S3 takes a statement for everyone as one for known callers. */
static bool fixes_caller(const struct condition *c)
{
    static const char *const keys[] = {"aws:SourceIp",
                                       "aws:SourceArn",
                                       "aws:SourceVpc",
                                       "aws:SourceVpce",
                                       "aws:SourceOwner",
                                       "aws:SourceAccount",
                                       "aws:userid",
                                       "aws:PrincipalArn",
                                       "aws:PrincipalAccount",
                                       "aws:PrincipalOrgID",
                                       "s3:x-amz-server-side-encryption-aws-kms-key-id",
                                       "s3:DataAccessPointArn",
                                       "s3:DataAccessPointAccount"};
    size_t i = 0;
    while (i < sizeof keys / sizeof *keys && !str_eq_nocase(c->key, str_of(keys[i])))
        i++;
    if (i == sizeof keys / sizeof *keys || c->test->negated || c->if_exists || c->set == SET_ALL ||
        c->test->kind == TEST_NULL)
        return false;
    for (size_t k = 0; k < c->values.n; k++)
        if (c->test->kind == TEST_IP ? !is_narrow_block(c->values.at[k]) : is_wild(c->values.at[k]))
            return false;
    return true;
}

bool policy_is_public(const struct policy *policy)
{
    for (size_t i = 0; i < policy->n; i++) {
        const struct statement *s = &policy->at[i];
        bool fixed = false, open = s->principals.everyone !=
                                   s->principals.negated; /* NotPrincipal leaves all others in */
        for (const struct condition *c = s->conditions; c; c = c->next)
            fixed = fixed || fixes_caller(c);
        if (s->allow && open && !fixed)
            return true;
    }
    return false;
}
