/* app/lint_state.c - see lint_state.h. Walks all buckets and queues; nothing here runs but when
 * somebody asks. */
#include "app/lint_state.h"

#include "api/sqs_access.h"
#include "app/turn.h"
#include "aws/policy.h"
#include "base/log.h"
#include "base/xml.h"
#include "s3/acl.h"
#include "s3/config.h"
#include "s3/notify.h"
#include "s3/reset.h"
#include "sqs/queue.h"

/* What a check of one bucket works with. */
struct looking {
    struct app *app;
    struct ctx ctx;
    struct lint_report *report;
    struct s3_bucket *bucket;
    str subject; /* s3://BUCKET */
};

static str config(struct looking *at, enum s3_config kind)
{
    return s3_bucket_has(at->bucket, kind)
               ? s3_config_get(at->app->s3, &at->ctx, at->bucket, kind, S(""))
               : STR_NONE;
}

/* ---- buckets ---- */

static void check_destination(struct looking *at, const struct s3_notify_rule *rule)
{
    int64_t queue;
    str source = arena_join(at->ctx.arena, S("arn:aws:s3:::"), at->bucket->name);
    if (failed(sqs_queue_by_arn(at->app->sqs, rule->arn, &queue)))
        return; /* deleted since: the trace says so for each event */
    if (sqs_service_may_send(at->app->sqs, &at->ctx, queue, S("s3.amazonaws.com"), source,
                             at->bucket->account))
        return;
    lint_report_add(
        at->report, LINT_EVENT_NOT_PERMITTED, rule->arn,
        arena_printf(
            at->ctx.arena,
            "it takes events of %.*s, and its policy does not let s3.amazonaws.com send them",
            STR_ARG(at->subject)),
        1);
}

static void check_notification(struct looking *at)
{
    struct s3_notification wanted = {0};
    if (!s3_bucket_has(at->bucket, S3_CONFIG_NOTIFICATION) ||
        failed(s3_notification_get(at->app->s3, &at->ctx, at->bucket->name, &wanted)))
        return;
    LIST_EACH (const struct s3_notify_rule, rule, wanted.queues)
        check_destination(at, rule);
}

static bool blocks(struct looking *at, str member)
{
    str text = config(at, S3_CONFIG_PUBLIC_ACCESS_BLOCK);
    struct xml *root = text.p ? xml_parse(at->ctx.arena, text) : NULL;
    const struct xml *node = root ? xml_child(root, member) : NULL;
    return node && str_eq(node->text, S("true"));
}

static void check_policy(struct looking *at)
{
    struct policy *policy;
    str text = config(at, S3_CONFIG_POLICY);
    if (!text.p || failed(policy_parse(at->ctx.arena, text, &policy)) ||
        !policy_is_public(policy) || blocks(at, S("RestrictPublicBuckets")))
        return;
    lint_report_add(at->report, LINT_PUBLIC_BUCKET, at->subject, S("its policy allows everyone"),
                    1);
}

static void check_acl(struct looking *at)
{
    str text = config(at, S3_CONFIG_ACL);
    struct s3_acl acl = s3_acl_load(at->ctx.arena, text, STR_NONE);
    bool more = text.p && acl.n > 1;
    if (text.p && s3_acl_is_public(&acl) && !blocks(at, S("IgnorePublicAcls")))
        lint_report_add(at->report, LINT_PUBLIC_BUCKET, at->subject,
                        S("its ACL grants something to everyone"), 1);
    if (more && !s3_bucket_has(at->bucket, S3_CONFIG_OWNERSHIP))
        lint_report_add(at->report, LINT_ACL_DISABLED, at->subject,
                        S("it has an ACL, and its ownership was never set"), 1);
}

static void check_buckets(struct app *app, struct lint_report *report)
{
    struct s3_bucket **buckets;
    size_t n = s3_buckets_all(app->s3, report->arena, STR_NONE, &buckets);
    for (size_t i = 0; i < n; i++) {
        struct looking at = {app, app_ctx(app, report->arena, clock_now(&app->clock)), report,
                             buckets[i], arena_join(report->arena, S("s3://"), buckets[i]->name)};
        at.ctx.account = buckets[i]->account;
        at.ctx.region = buckets[i]->region;
        check_notification(&at);
        check_policy(&at);
        check_acl(&at);
    }
}

/* ---- queues ---- */

static void check_queue(struct app *app, struct lint_report *report, int64_t id,
                        const struct sqs_queue_facts *facts)
{
    struct sqs_queue_facts target;
    int64_t to;
    struct lint_queue_state queue = {
        .name = {facts->account, facts->region, facts->name},
        .redrive = facts->dead_letter.n > 0,
        .dead_letter = sqs_queue_is_dead_letter(app->sqs, id),
        .fifo = facts->fifo,
        .retention = facts->retention,
    };
    if (queue.redrive && !failed(sqs_queue_by_arn(app->sqs, facts->dead_letter, &to)) &&
        sqs_queue_facts(app->sqs, to, &target)) {
        queue.target = target.arn;
        queue.target_retention = target.retention;
    }
    lint_report_queue(report, app->lint, &queue);
}

struct lint_report lint_report_of(struct app *app, struct arena *arena)
{
    struct lint_report report = {.arena = arena};
    struct sqs_queue_facts facts;
    lint_report_observed(&report, app->lint);
    check_buckets(app, &report);
    for (int64_t id = 0; (id = sqs_queue_next(app->sqs, id));)
        if (sqs_queue_facts(app->sqs, id, &facts))
            check_queue(app, &report, id, &facts);
    return report;
}

void lint_at_exit(struct app *app)
{
    if (app->options->lint != LINT_WARN && app->options->lint != LINT_FAIL)
        return;
    struct arena *arena = arena_new();
    struct lint_report report = lint_report_of(app, arena);
    struct buf b = buf_in(arena);
    size_t n = lint_report_count(&report);
    lint_report_text(&report, &b);
    if (n)
        log_text((str){b.p, b.n - 1});
    if (app->lint_found)
        *app->lint_found = n;
    arena_free(arena);
}
