/* s3/notification.c - the notification configuration of a bucket: what AWS accepts, and what a put
 * sets off.
 *
 * The order of the checks is AWS's: the syntax of every ARN before anything else of any rule, then
 * filters and events, then overlaps between rules, and only then whether destinations exist.
 * Nothing is stored before all has passed, and the test events go out first, because the bucket's
 * working set must not change when a delivery fails. */
#include "s3/notify.h"

#include "base/rng.h"
#include "base/text.h"
#include "base/xml.h"

SHAPE_DEFINE(s3_filter_rule, "FilterRule", S3_FILTER_RULE)
SHAPE_DEFINE(s3_key_filter, "S3KeyFilter", S3_KEY_FILTER)
SHAPE_DEFINE(s3_event_filter, "NotificationConfigurationFilter", S3_EVENT_FILTER)
SHAPE_DEFINE(s3_notify_rule, "QueueConfiguration", S3_NOTIFY_QUEUE)
static const struct field topic_fields[] = {S3_NOTIFY_TOPIC(SHAPE_ROW, s3_notify_rule)};
static const struct field function_fields[] = {S3_NOTIFY_FUNCTION(SHAPE_ROW, s3_notify_rule)};
enum { RULE_FIELDS = sizeof topic_fields / sizeof topic_fields[0] };
const struct shape s3_notify_topic_shape = {"TopicConfiguration", sizeof(struct s3_notify_rule),
                                            topic_fields, RULE_FIELDS};
const struct shape s3_notify_function_shape = {
    "LambdaFunctionConfiguration", sizeof(struct s3_notify_rule), function_fields, RULE_FIELDS};
const struct shape s3_event_bridge_shape = {"EventBridgeConfiguration", 0, NULL, 0};
SHAPE_DEFINE(s3_notification, "NotificationConfiguration", S3_NOTIFICATION)

static const struct kind {
    const char *argument, *service;
    size_t list; /* offset in struct s3_notification */
} kinds[] = {
    {"Topic", "sns", offsetof(struct s3_notification, topics)},
    {"Queue", "sqs", offsetof(struct s3_notification, queues)},
    {"CloudFunction", "lambda", offsetof(struct s3_notification, functions)},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static list rules_of_kind(const struct s3_notification *config, const struct kind *kind)
{
    return *(const list *)((const char *)config + kind->list);
}

/* ---- one rule ---- */

/* arn:partition:service:region:account:resource */
static bool arn_split(str arn, str parts[6])
{
    str rest = arn;
    for (int i = 0; i < 5; i++) {
        if (!rest.p)
            return false;
        parts[i] = str_cut(&rest, ':');
    }
    parts[5] = rest;
    return rest.p && rest.n && str_eq(parts[0], S("arn"));
}

static err check_arn(struct ctx *ctx, const struct s3_bucket *bucket, const struct kind *kind,
                     str arn)
{
    str parts[6];
    if (!arn_split(arn, parts) || !str_eq(parts[2], str_of(kind->service)))
        return s3_argument(ctx->arena, kind->argument, arn, "The ARN could not be parsed");
    if (!str_eq(parts[3], bucket->region))
        return s3_argument(
            ctx->arena, kind->argument, arn,
            "The notification destination service region is not valid for the bucket "
            "location constraint");
    if (str_eq(parts[2], S("sqs")) && str_ends(parts[5], S(".fifo")))
        return s3_argument(ctx->arena, kind->argument, arn, "FIFO SQS queues are not supported.");
    return OK;
}

static const struct s3_key_filter *key_filter(const struct s3_notify_rule *rule)
{
    const struct s3_event_filter *filter = rule->filter;
    return filter ? filter->key : NULL;
}

static err check_filter(struct ctx *ctx, const struct s3_notify_rule *rule)
{
    const struct s3_key_filter *key = key_filter(rule);
    int prefixes = 0, suffixes = 0;
    if (!key)
        return OK;
    LIST_EACH (struct s3_filter_rule, item, key->rules) {
        bool prefix = str_eq_nocase(item->name, S("prefix"));
        if (!prefix && !str_eq_nocase(item->name, S("suffix")))
            return s3_argument(ctx->arena, "FilterRule.Name", item->name,
                               "filter rule name must be either prefix or suffix");
        if ((prefix ? prefixes++ : suffixes++) > 0)
            return s3_argument(ctx->arena, "FilterRule.Name", item->name,
                               prefix ? "Cannot specify more than one prefix rule in a filter."
                                      : "Cannot specify more than one suffix rule in a filter.");
        item->name = prefix ? S("Prefix") : S("Suffix");
    }
    return OK;
}

static err check_events(struct ctx *ctx, const struct s3_notify_rule *rule)
{
    if (!rule->events.n)
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (const struct scalar_str, event, rule->events)
        if (!s3_event_mask(event->value))
            return s3_argument(ctx->arena, "Event", event->value,
                               "A specified event is not supported for notifications.");
    return OK;
}

static err check_rules(struct ctx *ctx, const struct s3_bucket *bucket,
                       const struct s3_notification *config)
{
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        LIST_EACH (const struct s3_notify_rule, rule, rules_of_kind(config, kind))
            TRY(check_arn(ctx, bucket, kind, rule->arn));
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        LIST_EACH (const struct s3_notify_rule, rule, rules_of_kind(config, kind)) {
            TRY(check_filter(ctx, rule));
            TRY(check_events(ctx, rule));
        }
    return OK;
}

/* ---- two rules ---- */

static str filter_value(const struct s3_notify_rule *rule, str name)
{
    const struct s3_key_filter *key = key_filter(rule);
    if (key)
        LIST_EACH (const struct s3_filter_rule, item, key->rules)
            if (str_eq_nocase(item->name, name))
                return item->value;
    return S("");
}

/* The first pair of event names that share an event; false when there is none. */
static bool common_event(const struct s3_notify_rule *a, const struct s3_notify_rule *b, str *of_a,
                         str *of_b)
{
    LIST_EACH (const struct scalar_str, x, a->events)
        LIST_EACH (const struct scalar_str, y, b->events)
            if (s3_event_mask(x->value) & s3_event_mask(y->value)) {
                *of_a = x->value;
                *of_b = y->value;
                return true;
            }
    return false;
}

static bool filters_overlap(const struct s3_notify_rule *a, const struct s3_notify_rule *b)
{
    str pa = filter_value(a, S("prefix")), pb = filter_value(b, S("prefix"));
    str sa = filter_value(a, S("suffix")), sb = filter_value(b, S("suffix"));
    return (str_starts(pa, pb) || str_starts(pb, pa)) && (str_ends(sa, sb) || str_ends(sb, sa));
}

static bool has_filter(const struct s3_notify_rule *rule)
{
    const struct s3_key_filter *key = key_filter(rule);
    return key && key->rules.n;
}

static err check_pair(struct ctx *ctx, const struct s3_notify_rule *a,
                      const struct s3_notify_rule *b)
{
    str of_a, of_b;
    if (!common_event(a, b, &of_a, &of_b) || !filters_overlap(a, b))
        return OK;
    if (has_filter(a) || has_filter(b))
        return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                        "Configuration is ambiguously defined. Cannot have overlapping suffixes in "
                        "two rules if the prefixes are "
                        "overlapping for the same event type.");
    return s3_argument(ctx->arena, "Event",
                       arena_printf(ctx->arena, "%.*s, %.*s", STR_ARG(of_a), STR_ARG(of_b)),
                       "Configurations overlap. Configurations on the same bucket cannot share a "
                       "common event type.");
}

static err check_overlaps(struct ctx *ctx, const struct s3_notification *config)
{
    size_t n = 0;
    const struct s3_notify_rule **all = arena_array(
        ctx->arena, config->topics.n + config->queues.n + config->functions.n, sizeof *all);
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        LIST_EACH (const struct s3_notify_rule, rule, rules_of_kind(config, kind))
            all[n++] = rule;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            if (all[i]->id.p && all[j]->id.p && str_eq(all[i]->id, all[j]->id))
                return s3_argument(ctx->arena, "Id", all[j]->id,
                                   "Same ID used for multiple configurations. IDs must be unique.");
            TRY(check_pair(ctx, all[i], all[j]));
        }
    return OK;
}

/* ---- destinations ---- */

/* Why the destination cannot take events, or NULL; *name is how the fault names it. */
static const char *refusal(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket,
                           const struct kind *kind, str arn, str *name)
{
    *name = arn;
    if (str_eq(str_of(kind->service), S("sns")))
        return "The destination topic does not exist";
    if (str_eq(str_of(kind->service), S("lambda"))) {
        *name = arena_printf(ctx->arena, "%.*s, null", STR_ARG(arn));
        return arena_printf(ctx->arena, "Not authorized to invoke function [%.*s]", STR_ARG(arn)).p;
    }
    enum s3_destination found = s3->hooks.check
                                    ? s3->hooks.check(s3->hooks.user, ctx, arn, bucket->name)
                                    : S3_DESTINATION_MISSING;
    if (found == S3_DESTINATION_MISSING)
        return "The destination queue does not exist";
    if (found == S3_DESTINATION_FORBIDDEN)
        return "Permissions on the destination queue do not allow S3 to publish notifications from "
               "this bucket";
    return NULL;
}

static err check_destinations(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket,
                              const struct s3_notification *config)
{
    err e = err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                     "Unable to validate the following destination configurations");
    int n = 0;
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        LIST_EACH (const struct s3_notify_rule, rule, rules_of_kind(config, kind)) {
            str name;
            const char *why = refusal(s3, ctx, bucket, kind, rule->arn, &name);
            if (!why)
                continue;
            n++;
            e = err_with(ctx->arena, e, arena_printf(ctx->arena, "ArgumentName%d", n).p, name);
            e = err_with(ctx->arena, e, arena_printf(ctx->arena, "ArgumentValue%d", n).p,
                         str_of(why));
        }
    return n ? e : OK;
}

static str test_event(struct ctx *ctx, const struct s3_bucket *bucket)
{
    struct buf b = buf_in(ctx->arena);
    BUF_LIT(&b, "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Time\":");
    buf_json(&b, date_iso_ms(ctx->arena, ctx->now));
    BUF_LIT(&b, ",\"Bucket\":");
    buf_json(&b, bucket->name);
    BUF_LIT(&b, ",\"RequestId\":");
    buf_json(&b, ctx->request_id.p ? ctx->request_id : S(""));
    BUF_LIT(&b, ",\"HostId\":");
    buf_json(&b, ctx->host_id.p ? ctx->host_id : S(""));
    BUF_LIT(&b, "}");
    return buf_str(&b);
}

static bool seen_before(list queues, const struct s3_notify_rule *rule)
{
    for (const struct s3_notify_rule *earlier = queues.at; earlier < rule; earlier++)
        if (str_eq(earlier->arn, rule->arn))
            return true;
    return false;
}

static err send_test_events(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket,
                            list queues)
{
    if (!s3->hooks.deliver)
        return OK;
    LIST_EACH (const struct s3_notify_rule, rule, queues)
        if (!seen_before(queues, rule))
            TRY(s3->hooks.deliver(s3->hooks.user, ctx, rule->arn, bucket->name,
                                  test_event(ctx, bucket)));
    return OK;
}

/* ---- put and get ---- */

static void name_the_nameless(struct ctx *ctx, const struct s3_notification *config)
{
    for (const struct kind *kind = kinds; kind < kinds + KINDS; kind++)
        LIST_EACH (struct s3_notify_rule, rule, rules_of_kind(config, kind))
            if (!rule->id.n)
                rule->id = rng_uuid(ctx->rng, ctx->arena);
}

static err store(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                 const struct s3_notification *config)
{
    s3_rules_free(bucket->rules);
    bucket->rules = NULL;
    if (!config->topics.n && !config->queues.n && !config->functions.n)
        return s3_config_delete(s3, bucket, S3_CONFIG_NOTIFICATION, S(""), NULL);
    struct buf b = buf_in(ctx->arena);
    xml_open(&b, "NotificationConfiguration");
    shape_to_xml(&b, &s3_notification_shape, config);
    xml_close(&b, "NotificationConfiguration");
    return s3_config_put(s3, bucket, S3_CONFIG_NOTIFICATION, S(""), buf_str(&b));
}

err s3_notification_put(struct s3 *s3, struct ctx *ctx, str name,
                        const struct s3_notification *config, bool skip_check)
{
    struct s3_bucket *bucket;
    TRY(s3_bucket_find(s3, ctx, name, &bucket));
    TRY(check_rules(ctx, bucket, config));
    TRY(check_overlaps(ctx, config));
    if (config->event_bridge)
        return err_text(
            ctx->arena, &S3_NOT_IMPLEMENTED,
            "EventBridgeConfiguration is not implemented: there is no EventBridge here");
    if (!skip_check) {
        TRY(check_destinations(s3, ctx, bucket, config));
        TRY(send_test_events(s3, ctx, bucket, config->queues));
    }
    name_the_nameless(ctx, config);
    return store(s3, ctx, bucket, config);
}

static void load(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket,
                 struct s3_notification *out)
{
    const struct xml *root = NULL;
    if (s3_bucket_has(bucket, S3_CONFIG_NOTIFICATION))
        root = xml_parse(ctx->arena, s3_config_get(s3, ctx, bucket, S3_CONFIG_NOTIFICATION, S("")));
    if (root)
        shape_from_xml(ctx->arena, &s3_notification_shape, root, false, out);
}

err s3_notification_get(struct s3 *s3, struct ctx *ctx, str name, struct s3_notification *out)
{
    struct s3_bucket *bucket;
    TRY(s3_bucket_find(s3, ctx, name, &bucket));
    load(s3, ctx, bucket, out);
    return OK;
}

static list add_filter(struct arena *arena, str prefix, str suffix)
{
    list rules = {.at = arena_array(arena, 2, sizeof(struct s3_filter_rule)), .set = true};
    struct s3_filter_rule *items = rules.at;
    if (prefix.n)
        items[rules.n++] = (struct s3_filter_rule){S("Prefix"), prefix};
    if (suffix.n)
        items[rules.n++] = (struct s3_filter_rule){S("Suffix"), suffix};
    return rules;
}

static void fill_rule(struct arena *arena, struct s3_notify_rule *rule, str event, str prefix,
                      str suffix)
{
    struct scalar_str *events = ARENA_NEW(arena, struct scalar_str);
    events->value = event;
    rule->events = (list){.at = events, .n = 1, .set = true};
    if (!prefix.n && !suffix.n)
        return;
    struct s3_event_filter *filter = ARENA_NEW(arena, struct s3_event_filter);
    struct s3_key_filter *key = ARENA_NEW(arena, struct s3_key_filter);
    key->rules = add_filter(arena, prefix, suffix);
    filter->key = key;
    rule->filter = filter;
}

err s3_notify_queue(struct s3 *s3, struct ctx *ctx, str name, str id, str queue_arn, str event,
                    str prefix, str suffix)
{
    struct s3_bucket *bucket;
    struct s3_notification config = {0};
    TRY(s3_bucket_find(s3, ctx, name, &bucket));
    load(s3, ctx, bucket, &config);
    LIST_EACH (const struct s3_notify_rule, old, config.queues)
        if (str_eq(old->id, id))
            return OK;
    struct s3_notify_rule *rules = arena_array(ctx->arena, config.queues.n + 1, sizeof *rules);
    for (size_t i = 0; i < config.queues.n; i++)
        rules[i] = *LIST_AT(config.queues, struct s3_notify_rule, i);
    struct s3_notify_rule *rule = &rules[config.queues.n];
    *rule = (struct s3_notify_rule){.id = id, .arn = queue_arn};
    fill_rule(ctx->arena, rule, event, prefix, suffix);
    config.queues = (list){.at = rules, .n = config.queues.n + 1, .set = true};
    TRY(check_rules(ctx, bucket, &config));
    TRY(check_overlaps(ctx, &config));
    return store(s3, ctx, bucket, &config);
}
