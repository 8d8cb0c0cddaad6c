/* app/fault_rules.c - see fault_rules.h. Rules are few and short-lived, so they stand in one list
 * that every probe walks; with no rule there is nothing to walk. A rule keeps its JSON as given, so
 * that listing shows what the user wrote. */
#include "app/fault_rules.h"

#include "base/rng.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rule {
    struct rule *next;
    json_t *json; /* owns every string below */
    char id[16];
    struct fault_probe match; /* patterns */
    int64_t nth, first, every;
    double probability; /* < 0: not by chance */
    struct rng rng;
    struct fault_hit hit;
    int64_t matched, fired;
};

struct fault_rules {
    struct rule *first;
    uint64_t last_id;
};

static const char *const effect_names[EFFECTS] = {
    [EFFECT_ERROR] = "error",
    [EFFECT_LATENCY] = "latency",
    [EFFECT_CUT] = "cut",
    [EFFECT_DUPLICATE] = "duplicate",
    [EFFECT_REORDER] = "reorder",
    [EFFECT_LOSE_DELETE] = "lose-delete",
    [EFFECT_LATE_EVENT] = "late-event",
    [EFFECT_DOUBLE_EVENT] = "double-event",
    [EFFECT_KILL_WORKER] = "kill-worker",
};

static const char *const cut_names[] = {"before", "within", "after"};

/* Position of `text` in `names`, or -1. */
static int name_index(const char *const *names, size_t n, const char *text)
{
    for (size_t i = 0; text && i < n; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

str fault_effect_name(enum fault_effect effect)
{
    return str_of(effect_names[effect]);
}

bool glob_matches(str pattern, str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    if (!pattern.p)
        return true;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++, mark = t;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
            p++, t++;
        } else if (star != SIZE_MAX) {
            p = star + 1, t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

struct fault_rules *fault_rules_new(void)
{
    return xalloc(sizeof(struct fault_rules));
}

static void rule_free(struct rule *rule)
{
    json_decref(rule->json);
    free(rule);
}

void fault_rules_free(struct fault_rules *rules)
{
    if (!rules)
        return;
    fault_rules_remove(rules, STR_NONE);
    free(rules);
}

bool fault_rules_empty(const struct fault_rules *rules)
{
    return !rules->first;
}

#define ABSENT INT64_MIN

/* The members of a rule as jansson reads them; not given: NULL, ABSENT, not a number. */
struct wire {
    const char *service, *operation, *region, *account, *bucket, *key, *queue;
    const char *effect, *code, *message, *delay, *at;
    json_t *error;
    double probability;
    json_int_t nth, first, every, seed, status;
};

static bool wire_read(json_t *json, struct wire *w)
{
    *w = (struct wire){.probability = NAN, .nth = ABSENT, .first = ABSENT, .every = ABSENT};
    w->status = ABSENT;
    return json_unpack_ex(
               json, NULL, JSON_STRICT,
               "{s?s s?s s?s s?s s?s s?s s?s s?s s?s s?s s?s s?s s?o s?F s?I s?I s?I s?I s?I}",
               "service", &w->service, "operation", &w->operation, "region", &w->region, "account",
               &w->account, "bucket", &w->bucket, "key", &w->key, "queue", &w->queue, "effect",
               &w->effect, "code", &w->code, "message", &w->message, "delay", &w->delay, "at",
               &w->at, "error", &w->error, "probability", &w->probability, "nth", &w->nth, "next",
               &w->first, "every", &w->every, "seed", &w->seed, "status", &w->status) == 0;
}

static bool among(const char *const *words, const char *word)
{
    while (*words && strcmp(*words, word))
        words++;
    return *words;
}

/* What is wrong with an object that wire_read refused; jansson does not tell the member. */
static str misread(struct arena *arena, json_t *json)
{
    static const char *const texts[] = {"service", "operation", "region", "account", "bucket",
                                        "key",     "queue",     "effect", "code",    "message",
                                        "delay",   "at",        NULL};
    static const char *const numbers[] = {"nth", "next", "every", "seed", "status", NULL};
    static const char *const others[] = {"error", "probability", NULL};
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        if (among(texts, name) && !json_is_string(value))
            return arena_printf(arena, "%s is a string", name);
        if (among(numbers, name) && !json_is_integer(value))
            return arena_printf(arena, "%s is a whole number", name);
        if (!among(texts, name) && !among(numbers, name) && !among(others, name))
            return arena_printf(arena, "a rule has no member \"%s\" (docs/testing.md has them all)",
                                name);
    }
    return json_is_object(json) ? S("probability is a number from 0 to 1")
                                : S("a rule is an object");
}

/* LocalStack's form: the error is an object of its own. */
static const char *read_error_object(struct wire *w)
{
    json_error_t why;
    if (!w->error)
        return NULL;
    if (w->effect)
        return "give either \"effect\" or \"error\", not both";
    w->effect = effect_names[EFFECT_ERROR];
    if (json_unpack_ex(w->error, &why, JSON_STRICT, "{s?s s?I s?s}", "code", &w->code, "statusCode",
                       &w->status, "message", &w->message))
        return "\"error\" takes code, statusCode and message";
    return NULL;
}

/* 0: not given. */
static bool read_count(json_int_t given, int64_t *out)
{
    *out = given == ABSENT ? 0 : given;
    return given == ABSENT || given > 0;
}

static const char *read_when(const struct wire *w, struct rule *rule)
{
    bool by_chance = !isnan(w->probability);
    if (!read_count(w->nth, &rule->nth) || !read_count(w->first, &rule->first) ||
        !read_count(w->every, &rule->every))
        return "nth, next and every are counts from 1";
    if ((rule->nth > 0) + (rule->first > 0) + (rule->every > 0) + by_chance > 1)
        return "give one of nth, next, every and probability";
    if (by_chance && (w->probability < 0 || w->probability > 1))
        return "probability is a number from 0 to 1";
    rule->probability = by_chance ? w->probability : -1;
    rng_seed(&rule->rng, (uint64_t)w->seed);
    return NULL;
}

/* It stands in headers, JSON and XML. */
static bool code_fits(str code)
{
    for (size_t i = 0; i < code.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-#:",
                    code.p[i]))
            return false;
    return code.n > 0;
}

static const char *read_effect(const struct wire *w, struct rule *rule)
{
    struct fault_hit *hit = &rule->hit;
    int effect = w->effect ? name_index(effect_names, EFFECTS, w->effect) : EFFECT_ERROR;
    if (effect < 0)
        return "effect is one of error, latency, cut, duplicate, reorder, lose-delete, late-event, "
               "double-event, kill-worker";
    hit->effect = (enum fault_effect)effect;
    bool takes_delay = effect == EFFECT_LATENCY || effect == EFFECT_LATE_EVENT;
    if (takes_delay && !duration_parse(str_of(w->delay), &hit->delay))
        return "latency and late-event need a delay such as \"250ms\" or \"5s\"";
    int cut = name_index(cut_names, 3, w->at);
    if (effect == EFFECT_CUT && cut < 0)
        return "cut needs \"at\": before, within or after";
    if (cut >= 0)
        hit->cut = (enum fault_cut)cut;
    if (w->status != ABSENT && (w->status < 400 || w->status > 599))
        return "status is an HTTP status from 400 to 599";
    hit->status = w->status != ABSENT ? (int)w->status : 503;
    hit->code = w->code ? str_of(w->code) : S("ServiceUnavailable");
    if (!code_fits(hit->code))
        return "code is an AWS error code: letters, digits and . _ - # :";
    hit->message = w->message ? str_of(w->message) : S("Please try again.");
    return NULL;
}

static struct fault_probe read_match(const struct wire *w)
{
    return (struct fault_probe){
        .service = str_of(w->service),
        .operation = str_of(w->operation),
        .region = str_of(w->region),
        .account = str_of(w->account),
        .bucket = str_of(w->bucket),
        .key = str_of(w->key),
        .queue = str_of(w->queue),
    };
}

/* A rule that holds `json`, or NULL with *message. */
static struct rule *rule_read(struct arena *arena, json_t *json, str *message)
{
    struct rule *rule = xalloc(sizeof *rule);
    struct wire w;
    rule->json = json_incref(json);
    if (!wire_read(json, &w)) {
        *message = misread(arena, json);
        rule_free(rule);
        return NULL;
    }
    const char *wrong = read_error_object(&w);
    if (!wrong)
        wrong = read_when(&w, rule);
    if (!wrong)
        wrong = read_effect(&w, rule);
    if (wrong) {
        *message = str_of(wrong);
        rule_free(rule);
        return NULL;
    }
    rule->match = read_match(&w);
    return rule;
}

static void rules_free(struct rule *rule)
{
    while (rule) {
        struct rule *next = rule->next;
        rule_free(rule);
        rule = next;
    }
}

/* The rules of an array, in order; NULL with *message when one is wrong. */
static struct rule *rules_read(struct arena *arena, json_t *array, str *message)
{
    struct rule *first = NULL, **end = &first;
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        *end = rule_read(arena, item, message);
        if (!*end) {
            *message = arena_printf(arena, "rule %zu: %.*s", i + 1, STR_ARG(*message));
            rules_free(first);
            return NULL;
        }
        end = &(*end)->next;
    }
    if (!first)
        *message = S("no rule given");
    return first;
}

bool fault_rules_add(struct fault_rules *rules, struct arena *arena, str json, str *ids,
                     str *message)
{
    json_error_t why;
    json_t *root = json_loadb(json.p, json.n, 0, &why);
    if (!root) {
        *message = arena_printf(arena, "not JSON: %s at line %d", why.text, why.line);
        return false;
    }
    json_t *array = json_is_array(root) ? json_incref(root) : json_pack("[O]", root);
    struct rule *added = rules_read(arena, array, message);
    json_decref(array);
    json_decref(root);
    if (!added)
        return false;
    struct buf list = buf_in(arena);
    struct rule **end = &rules->first;
    while (*end)
        end = &(*end)->next;
    *end = added;
    for (struct rule *rule = added; rule; rule = rule->next) {
        snprintf(rule->id, sizeof rule->id, "fault-%llu", (unsigned long long)++rules->last_id);
        rule->hit.rule = str_of(rule->id);
        buf_printf(&list, "%s\"%s\"", rule == added ? "[" : ",", rule->id);
    }
    buf_char(&list, ']');
    if (ids)
        *ids = buf_str(&list);
    return true;
}

size_t fault_rules_remove(struct fault_rules *rules, str id)
{
    size_t removed = 0;
    for (struct rule **at = &rules->first; *at;) {
        struct rule *rule = *at;
        if (id.p && !str_eq(id, str_of(rule->id))) {
            at = &rule->next;
            continue;
        }
        *at = rule->next;
        rule_free(rule);
        removed++;
    }
    return removed;
}

static bool is_one_of(const json_t *json, const json_t *array)
{
    size_t i;
    json_t *item;
    json_array_foreach(array, i, item) if (json_equal(json, item)) return true;
    return false;
}

bool fault_rules_remove_same(struct fault_rules *rules, str json)
{
    json_t *root = json_loadb(json.p, json.n, 0, NULL);
    if (!json_is_array(root) && !json_is_object(root)) {
        json_decref(root);
        return false;
    }
    json_t *array = json_is_array(root) ? json_incref(root) : json_pack("[O]", root);
    for (struct rule **at = &rules->first; *at;) {
        struct rule *rule = *at;
        if (!is_one_of(rule->json, array)) {
            at = &rule->next;
            continue;
        }
        *at = rule->next;
        rule_free(rule);
    }
    json_decref(array);
    json_decref(root);
    return true;
}

void fault_rules_swap(struct fault_rules *a, struct fault_rules *b)
{
    struct fault_rules other = *a;
    *a = *b;
    *b = other;
}

void fault_rules_list(const struct fault_rules *rules, struct buf *out)
{
    BUF_LIT(out, "{\"rules\":[");
    for (const struct rule *rule = rules->first; rule; rule = rule->next) {
        char *given = json_dumps(rule->json, JSON_COMPACT | JSON_PRESERVE_ORDER);
        buf_printf(out, "%s{\"id\":\"%s\",\"matched\":%lld,\"fired\":%lld%s%s",
                   rule == rules->first ? "" : ",", rule->id, (long long)rule->matched,
                   (long long)rule->fired, given[1] == '}' ? "" : ",", given + 1);
        free(given);
    }
    BUF_LIT(out, "]}");
}

void fault_rules_given(const struct fault_rules *rules, struct buf *out)
{
    buf_char(out, '[');
    for (const struct rule *rule = rules->first; rule; rule = rule->next) {
        char *given = json_dumps(rule->json, JSON_COMPACT | JSON_PRESERVE_ORDER);
        buf_printf(out, "%s%s", rule == rules->first ? "" : ",", given);
        free(given);
    }
    buf_char(out, ']');
}

static bool probe_matches(const struct fault_probe *pattern, const struct fault_probe *probe)
{
    return glob_matches(pattern->service, probe->service) &&
           glob_matches(pattern->operation, probe->operation) &&
           glob_matches(pattern->region, probe->region) &&
           glob_matches(pattern->account, probe->account) &&
           glob_matches(pattern->bucket, probe->bucket) && glob_matches(pattern->key, probe->key) &&
           glob_matches(pattern->queue, probe->queue);
}

/* Counts a match; does it fire? */
static bool rule_fires(struct rule *rule)
{
    rule->matched++;
    if (rule->nth)
        return rule->matched == rule->nth;
    if (rule->first)
        return rule->matched <= rule->first;
    if (rule->every)
        return rule->matched % rule->every == 0;
    if (rule->probability >= 0)
        return (double)(rng_next(&rule->rng) >> 11) * 0x1p-53 < rule->probability;
    return true;
}

size_t fault_rules_fire(struct fault_rules *rules, unsigned effects,
                        const struct fault_probe *probe, struct fault_hit hits[EFFECTS])
{
    size_t n = 0;
    unsigned seen = 0;
    for (struct rule *rule = rules->first; rule; rule = rule->next) {
        unsigned bit = EFFECT_BIT(rule->hit.effect);
        if (!(effects & bit) || !probe_matches(&rule->match, probe) || !rule_fires(rule))
            continue;
        rule->fired++;
        if (!(seen & bit))
            hits[n++] = rule->hit;
        seen |= bit;
    }
    return n;
}
