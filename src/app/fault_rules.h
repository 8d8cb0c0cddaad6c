/* app/fault_rules.h - faults on purpose: rules that say which requests go wrong, when, and how. No
 * request, clock or engine is known here: dispatch, the event path and the worker pool describe
 * what is about to happen (a probe) and act on the hits.
 *
 * A rule as JSON (all of `match` optional, texts may hold * and ?):
 *   {"service":"sqs","operation":"ReceiveMessage","region":"*","account":"*","bucket":"*","key":"incoming/?*","queue":"jobs-*",
 *    "nth":3 | "next":2 | "every":10 | "probability":0.2,"seed":7,          when; default: always
 *    "effect":"error","code":"ServiceUnavailable","status":503,"message":"..."
 *    "effect":"latency","delay":"250ms"        "effect":"cut","at":"before|within|after"
 *    "effect":"duplicate" | "reorder" | "lose-delete" | "double-event" | "kill-worker"
 *    "effect":"late-event","delay":"5s"}
 * Without an effect a rule means an error, 503 ServiceUnavailable where it says no more; so do
 * LocalStack's chaos rules
 * ({"service","operation","region","probability","error":{"statusCode","code"}}). */
#ifndef HEADRACE_APP_FAULT_RULES_H
#define HEADRACE_APP_FAULT_RULES_H

#include "base/buf.h"
#include "base/ctx.h"

enum fault_effect {
    EFFECT_ERROR,   /* answer code, status and message instead of running the operation */
    EFFECT_LATENCY, /* wait `delay` before running it */
    EFFECT_CUT, /* close the connection: before running, within the answer's body, or after running
                   unanswered */
    EFFECT_DUPLICATE,    /* SendMessage: the message can be received twice, with one MessageId */
    EFFECT_REORDER,      /* ReceiveMessage: newest first instead of oldest */
    EFFECT_LOSE_DELETE,  /* DeleteMessage: acknowledged, not done */
    EFFECT_LATE_EVENT,   /* S3 event: delivered after `delay` */
    EFFECT_DOUBLE_EVENT, /* S3 event: delivered twice */
    EFFECT_KILL_WORKER,  /* worker: dies in the middle of a job; the message stays hidden until its
                            timeout */
    EFFECTS
};
#define EFFECT_BIT(effect) (1u << (effect))

enum fault_cut { CUT_BEFORE, CUT_WITHIN, CUT_AFTER };

/* What is about to happen; unknown parts are absent and match only rules that leave them open. */
struct fault_probe {
    str service, operation, region, account, bucket, key, queue;
};

/* One rule that fired. Strings live as long as the rule. */
struct fault_hit {
    enum fault_effect effect;
    str rule; /* id */
    str code, message;
    int status;
    msec delay;
    enum fault_cut cut;
};

struct fault_rules;

struct fault_rules *fault_rules_new(void);
void fault_rules_free(struct fault_rules *rules);
bool fault_rules_empty(const struct fault_rules *rules);

/* Adds the rules of a JSON object or array of objects; all or none. False and *message (in arena)
 * names the rule and the member that is wrong. `ids`, when not NULL, gets a JSON array of the new
 * rules' ids. */
bool fault_rules_add(struct fault_rules *rules, struct arena *arena, str json, str *ids,
                     str *message);
/* Removes the rule with this id; absent id: all. The number removed. */
size_t fault_rules_remove(struct fault_rules *rules, str id);
/* Removes the rules that are written like these, a JSON object or array of objects. False, and
 * nothing is removed, when that is no such JSON. */
bool fault_rules_remove_same(struct fault_rules *rules, str json);
/* Exchanges the rules of two sets. */
void fault_rules_swap(struct fault_rules *a, struct fault_rules *b);
/* {"rules":[{"id":...,"effect":...,"matched":N,"fired":N, ...as given}]} */
void fault_rules_list(const struct fault_rules *rules, struct buf *out);
/* An array of the rules as they were given. */
void fault_rules_given(const struct fault_rules *rules, struct buf *out);

/* Counts the probe at every matching rule whose effect is in `effects` (EFFECT_BITs); those that
 * fire are stored in order, at most one per effect. Returns their number. */
size_t fault_rules_fire(struct fault_rules *rules, unsigned effects,
                        const struct fault_probe *probe, struct fault_hit hits[EFFECTS]);

/* The name as in JSON: "lose-delete". */
str fault_effect_name(enum fault_effect effect);
/* `*` is any run of bytes, `?` any one byte; an absent pattern matches everything, an absent text
 * only that and "*". */
bool glob_matches(str pattern, str text);

#endif
