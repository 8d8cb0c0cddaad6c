/* s3/notify.c - which queues hear of a change, and what they are told.
 *
 * The names of events, their versions and what each tells about the object are one table. A
 * bucket's rules are parsed from its stored document on first use and hang on the bucket until the
 * document changes. Filters match the raw key; only the record carries it encoded. */
#include "s3/notify.h"

#include "base/digest.h"
#include "base/text.h"
#include "base/xml.h"

#include <stdlib.h>
#include <string.h>

enum tells { SIZE = 1, ETAG = 2, SEQUENCER = 4, RESTORE = 8, RETENTION = 16, CLASS = 32 };

static const struct event_row {
    const char *name, *version;
    int event; /* enum s3_event; -1: never happens here */
    unsigned tells;
} events[] = {
    {"ReducedRedundancyLostObject", "2.1", -1, 0},
    {"ObjectCreated:Put", "2.1", S3_CREATED_PUT, SIZE | ETAG | SEQUENCER},
    {"ObjectCreated:Post", "2.1", S3_CREATED_POST, SIZE | ETAG | SEQUENCER},
    {"ObjectCreated:Copy", "2.1", S3_CREATED_COPY, SIZE | ETAG | SEQUENCER},
    {"ObjectCreated:CompleteMultipartUpload", "2.1", S3_CREATED_MULTIPART, SIZE | ETAG | SEQUENCER},
    {"ObjectRemoved:Delete", "2.1", S3_REMOVED, SEQUENCER},
    {"ObjectRemoved:DeleteMarkerCreated", "2.1", S3_REMOVED_MARKER, ETAG | SEQUENCER},
    {"ObjectRestore:Post", "2.1", S3_RESTORE_POST, SIZE | ETAG | SEQUENCER},
    {"ObjectRestore:Completed", "2.1", S3_RESTORE_COMPLETED, SIZE | ETAG | SEQUENCER | RESTORE},
    {"ObjectRestore:Delete", "2.3", S3_RESTORE_DELETE, SIZE | ETAG | SEQUENCER},
    {"Replication:OperationFailedReplication", "2.2", -1, 0},
    {"Replication:OperationNotTracked", "2.2", -1, 0},
    {"Replication:OperationMissedThreshold", "2.2", -1, 0},
    {"Replication:OperationReplicatedAfterThreshold", "2.2", -1, 0},
    {"LifecycleTransition", "2.3", S3_TRANSITION, SIZE | ETAG | SEQUENCER | CLASS},
    {"IntelligentTiering", "2.3", -1, 0},
    {"ObjectAcl:Put", "2.3", S3_ACL_PUT, ETAG},
    {"LifecycleExpiration:Delete", "2.3", S3_EXPIRED, SEQUENCER},
    {"LifecycleExpiration:DeleteMarkerCreated", "2.3", S3_EXPIRED_MARKER, ETAG | SEQUENCER},
    {"ObjectTagging:Put", "2.3", S3_TAGGING_PUT, ETAG},
    {"ObjectTagging:Delete", "2.3", S3_TAGGING_DELETE, ETAG},
    {"ObjectRetention:Put", "2.5", S3_RETENTION_PUT, SIZE | ETAG | SEQUENCER | RETENTION},
    {"ObjectAnnotation:Put", "2.5", -1, 0},
    {"ObjectAnnotation:Delete", "2.5", -1, 0},
};
enum { NEVENTS = sizeof events / sizeof events[0] };

struct rule {
    str id, arn, prefix, suffix; /* point into the set's arena */
    uint32_t events;
    bool queue;
};

struct s3_rules {
    struct arena *arena; /* holds the set itself too */
    struct rule *rules;
    size_t n;
};

uint32_t s3_event_mask(str name)
{
    if (!str_starts(name, S("s3:")))
        return 0;
    str rest = str_slice(name, 3, name.n);
    bool wild = str_ends(rest, S(":*"));
    str family = str_slice(rest, 0, wild ? rest.n - 1 : rest.n);
    uint32_t mask = 0;
    for (unsigned i = 0; i < NEVENTS; i++)
        if (wild ? str_starts(str_of(events[i].name), family)
                 : str_eq(str_of(events[i].name), family))
            mask |= UINT32_C(1) << i;
    return mask;
}

static unsigned event_index(enum s3_event event)
{
    unsigned i = 0;
    while (events[i].event != (int)event)
        i++;
    return i;
}

/* ---- the working set ---- */

void s3_rules_free(struct s3_rules *rules)
{
    if (rules)
        arena_free(rules->arena);
}

static void take_filter(struct arena *arena, const struct s3_notify_rule *config, struct rule *rule)
{
    const struct s3_event_filter *filter = config->filter;
    const struct s3_key_filter *key = filter ? filter->key : NULL;
    rule->prefix = rule->suffix = S("");
    if (!key)
        return;
    LIST_EACH (const struct s3_filter_rule, item, key->rules) {
        if (str_eq_nocase(item->name, S("prefix")))
            rule->prefix = arena_copy(arena, item->value);
        else
            rule->suffix = arena_copy(arena, item->value);
    }
}

static void take_rules(struct s3_rules *set, list configs, bool queue)
{
    LIST_EACH (const struct s3_notify_rule, config, configs) {
        struct rule *rule = &set->rules[set->n++];
        *rule = (struct rule){.id = arena_copy(set->arena, config->id),
                              .arn = arena_copy(set->arena, config->arn),
                              .queue = queue};
        take_filter(set->arena, config, rule);
        LIST_EACH (const struct scalar_str, event, config->events)
            rule->events |= s3_event_mask(event->value);
    }
}

static struct s3_rules *rules_of(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket)
{
    if (bucket->rules)
        return bucket->rules;
    struct s3_notification config = {0};
    const struct xml *root =
        xml_parse(ctx->arena, s3_config_get(s3, ctx, bucket, S3_CONFIG_NOTIFICATION, S("")));
    if (root)
        shape_from_xml(ctx->arena, &s3_notification_shape, root, false, &config);
    struct arena *arena = arena_new();
    struct s3_rules *set = ARENA_NEW(arena, struct s3_rules);
    set->arena = arena;
    set->rules = arena_array(arena, config.topics.n + config.queues.n + config.functions.n,
                             sizeof set->rules[0]);
    take_rules(set, config.topics, false);
    take_rules(set, config.queues, true);
    take_rules(set, config.functions, false);
    bucket->rules = set;
    return set;
}

/* ---- the record ---- */

/* Identifiers that AWS makes up for an account: upper-case letters and digits, always the same for
 * the same account. */
static void put_identity(struct buf *b, const char *prefix, const char *salt, str account, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    digest hash =
        digest_of(DIGEST_SHA256, arena_printf(b->arena, "%s%.*s", salt, STR_ARG(account)));
    BUF_LIT(b, "\"");
    buf_put(b, str_of(prefix));
    for (size_t i = 0; i < n; i++)
        buf_char(b, alphabet[hash.bytes[i] & 31]);
    BUF_LIT(b, "\"");
}

static bool by_lifecycle(enum s3_event event)
{
    return event == S3_EXPIRED || event == S3_EXPIRED_MARKER || event == S3_TRANSITION ||
           event == S3_RESTORE_DELETE;
}

static void put_user(struct buf *b, struct ctx *ctx, enum s3_event event,
                     const struct s3_bucket *bucket)
{
    BUF_LIT(b, ",\"userIdentity\":{\"principalId\":");
    if (by_lifecycle(event))
        BUF_LIT(b, "\"s3.amazonaws.com\"");
    else if (event == S3_RESTORE_COMPLETED)
        put_identity(b, "AmazonCustomer:A", "owner", bucket->account, 13);
    else if (ctx->anonymous)
        BUF_LIT(b, "\"Anonymous\"");
    else
        put_identity(b, "AWS:AIDA", "user", ctx->account, 17);
    BUF_LIT(b, "},\"requestParameters\":{\"sourceIPAddress\":");
    buf_json(b, by_lifecycle(event) || event == S3_RESTORE_COMPLETED || !ctx->source_ip.p
                    ? S("s3.amazonaws.com")
                    : ctx->source_ip);
    BUF_LIT(b, "},\"responseElements\":{\"x-amz-request-id\":");
    buf_json(b, ctx->request_id.p ? ctx->request_id : S(""));
    BUF_LIT(b, ",\"x-amz-id-2\":");
    buf_json(b, ctx->host_id.p ? ctx->host_id : S(""));
    BUF_LIT(b, "}");
}

/* 18 digits, as AWS writes it. */
static void put_sequencer(struct s3 *s3, struct ctx *ctx, struct buf *b)
{
    buf_printf(b, ",\"sequencer\":\"%018llX\"", (unsigned long long)s3_sequence_next(s3, ctx));
}

static void put_object(struct s3 *s3, struct ctx *ctx, struct buf *b, const struct event_row *row,
                       const struct s3_object *object)
{
    BUF_LIT(b, "\"object\":{\"key\":");
    buf_json(b, percent_encode(b->arena, object->key, PERCENT_FORM));
    if (row->tells & SIZE) {
        BUF_LIT(b, ",\"size\":");
        buf_int(b, object->size);
    }
    if (row->tells & ETAG) {
        BUF_LIT(b, ",\"eTag\":");
        buf_json(b, object->marker ? S("d41d8cd98f00b204e9800998ecf8427e") : object->etag);
    }
    if (object->version.p) {
        BUF_LIT(b, ",\"versionId\":");
        buf_json(b, object->version);
    }
    if (row->tells & SEQUENCER)
        put_sequencer(s3, ctx, b);
    BUF_LIT(b, "}");
}

static void put_restore(struct buf *b, const struct s3_object *object)
{
    BUF_LIT(b, ",\"glacierEventData\":{\"restoreEventData\":{\"lifecycleRestorationExpiryTime\":");
    buf_json(b, date_iso_ms(b->arena, object->restore_until));
    BUF_LIT(b, ",\"lifecycleRestoreStorageClass\":");
    buf_json(b, object->storage_class.p ? object->storage_class : S("STANDARD"));
    BUF_LIT(b, "}}");
}

static void put_class(struct buf *b, const struct s3_object *object)
{
    BUF_LIT(b, ",\"lifecycleEventData\":{\"transitionEventData\":{\"destinationStorageClass\":");
    buf_json(b, object->storage_class);
    BUF_LIT(b, "}}");
}

/* Left out when the retention was taken away. */
static void put_retention(struct buf *b, const struct s3_object *object)
{
    if (!object->lock_mode.p)
        return;
    BUF_LIT(b, ",\"objectRetentionEventData\":{\"mode\":");
    buf_json(b, object->lock_mode);
    BUF_LIT(b, ",\"retainUntilDate\":");
    buf_json(b, date_iso_ms(b->arena, object->lock_until));
    BUF_LIT(b, "}");
}

static str record(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket,
                  const struct event_row *row, str rule_id, const struct s3_object *object)
{
    struct buf b = buf_in(ctx->arena);
    buf_printf(&b,
               "{\"Records\":[{\"eventVersion\":\"%s\",\"eventSource\":\"aws:s3\",\"awsRegion\":",
               row->version);
    buf_json(&b, bucket->region);
    BUF_LIT(&b, ",\"eventTime\":");
    buf_json(&b, date_iso_ms(ctx->arena, ctx->now));
    buf_printf(&b, ",\"eventName\":\"%s\"", row->name);
    put_user(&b, ctx, (enum s3_event)row->event, bucket);
    BUF_LIT(&b, ",\"s3\":{\"s3SchemaVersion\":\"1.0\",\"configurationId\":");
    buf_json(&b, rule_id);
    BUF_LIT(&b, ",\"bucket\":{\"name\":");
    buf_json(&b, bucket->name);
    BUF_LIT(&b, ",\"ownerIdentity\":{\"principalId\":");
    put_identity(&b, "A", "owner", bucket->account, 13);
    buf_printf(&b, "},\"arn\":\"arn:aws:s3:::%.*s\"},", STR_ARG(bucket->name));
    put_object(s3, ctx, &b, row, object);
    BUF_LIT(&b, "}");
    if (row->tells & RESTORE)
        put_restore(&b, object);
    if (row->tells & CLASS)
        put_class(&b, object);
    if (row->tells & RETENTION)
        put_retention(&b, object);
    BUF_LIT(&b, "}]}");
    return buf_str(&b);
}

/* ---- the match ---- */

static const char *missed(const struct rule *rule, unsigned index, str key)
{
    if (!(rule->events >> index & 1))
        return "event";
    if (!str_starts(key, rule->prefix))
        return "prefix";
    return str_ends(key, rule->suffix) ? NULL : "suffix";
}

static bool fits(const char *why, str key, str filter)
{
    return why[0] == 'p' ? str_starts(key, filter) : str_ends(key, filter);
}

/* Two mistakes that are hard to see: filters are compared with the key itself, byte by byte. */
static const char *hint(struct arena *arena, const char *why, str key, str filter)
{
    str part = key.n < filter.n ? key
               : why[0] == 'p'  ? str_slice(key, 0, filter.n)
                                : str_slice(key, key.n - filter.n, key.n);
    bool encoded = str_find(filter, S("%"), 0) >= 0 || str_find(filter, S("+"), 0) >= 0;
    if (str_eq_nocase(part, filter))
        return "it would match but for upper and lower case";
    if (encoded && fits(why, key, percent_decode(arena, filter, true)))
        return "it would match without its percent-encoding: it is compared with the key itself";
    return NULL;
}

static void observe(struct s3 *s3, struct ctx *ctx, const struct s3_bucket *bucket,
                    const struct rule *rule, unsigned index, str key, const char *why)
{
    if (!s3->hooks.observe)
        return;
    struct s3_observation seen = {.bucket = bucket->name,
                                  .key = key,
                                  .event = events[index].name,
                                  .rule = rule->id,
                                  .destination = rule->arn,
                                  .missed = why};
    if (why && why[0] != 'e') {
        seen.filter = why[0] == 'p' ? rule->prefix : rule->suffix;
        seen.hint = hint(ctx->arena, why, key, seen.filter);
    }
    s3->hooks.observe(s3->hooks.user, ctx, &seen);
}

err s3_notify(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, enum s3_event event,
              const struct s3_object *object)
{
    if (!s3_bucket_has(bucket, S3_CONFIG_NOTIFICATION))
        return OK;
    const struct s3_rules *set = rules_of(s3, ctx, bucket);
    unsigned index = event_index(event);
    for (const struct rule *rule = set->rules; rule < set->rules + set->n; rule++) {
        const char *why = missed(rule, index, object->key);
        observe(s3, ctx, bucket, rule, index, object->key, why);
        if (why || !rule->queue || !s3->hooks.deliver)
            continue;
        TRY(s3_sequence_reserve(s3, ctx));
        str body = record(s3, ctx, bucket, &events[index], rule->id, object);
        TRY(s3->hooks.deliver(s3->hooks.user, ctx, rule->arn, bucket->name, body));
    }
    return OK;
}
