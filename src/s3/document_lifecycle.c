/* s3/document_lifecycle.c - what AWS refuses in a lifecycle configuration.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html and
 * lifecycle-transition-general-considerations.html, recordings, and answers that clients reported:
 * hashicorp/terraform-provider-aws #23228, #23299, #41521, noobaa/noobaa-core #8426, #9969,
 * aws-cloudformation/cfn-lint #3554. */
#include "base/digest.h"
#include "base/rng.h"
#include "base/text.h"
#include "s3/document_check.h"
#include "s3/engine.h"
#include "s3/lifecycle.h"

#include <inttypes.h>

#define DAY INT64_C(86400000)
#define RULES_MAX 1000
#define PREFIX_MAX 1024                     /* bytes */
#define SIZE_MAX_OF_FILTER 1099511627776000 /* bytes */

static err argument(struct ctx *ctx, const char *text)
{
    return err_text(ctx->arena, &S3_INVALID_ARGUMENT, "%s", text);
}

static err request(struct ctx *ctx, const char *text)
{
    return err_text(ctx->arena, &S3_INVALID_REQUEST, "%s", text);
}

/* How texts name a rule: prefix 'a' for the first version, else filter '(prefix=a and ...)'. */
static const char *scope(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    struct s3_lifecycle_limits limits = s3_lifecycle_limits(rule);
    struct buf b = buf_in(ctx->arena);
    if (!rule->filter)
        return arena_printf(ctx->arena, "prefix '%.*s'", STR_ARG(rule->prefix)).p;
    if (limits.prefix.p)
        buf_printf(&b, " and prefix=%.*s", STR_ARG(limits.prefix));
    LIST_EACH (const struct s3_tag, tag, limits.tags)
        buf_printf(&b, " and tag={key=%.*s, value=%.*s}", STR_ARG(tag->key), STR_ARG(tag->value));
    if (limits.greater.set)
        buf_printf(&b, " and objectsizegreaterthan=%" PRId64, limits.greater.v);
    if (limits.less.set)
        buf_printf(&b, " and objectsizelessthan=%" PRId64, limits.less.v);
    str all = buf_str(&b);
    str text = all.n ? str_slice(all, 5, all.n) : S("prefix=");
    return arena_printf(ctx->arena, "filter '(%.*s)'", STR_ARG(text)).p;
}

static err positive(struct ctx *ctx, opt_int days, const char *text)
{
    return days.set && days.v <= 0 ? argument(ctx, text) : OK;
}

static err check_date(struct ctx *ctx, opt_int date)
{
    if (!date.set || date.v % DAY == 0)
        return OK;
    err e = argument(ctx, "'Date' must be at midnight GMT");
    e = err_with(ctx->arena, e, "ArgumentName", S("Date"));
    return err_with(ctx->arena, e, "ArgumentValue", date_pacific(ctx->arena, date.v));
}

/* ---- filters ---- */

static err check_tags(struct ctx *ctx, list tags)
{
    LIST_EACH (const struct s3_tag, tag, tags) {
        if (!tag->key.n || utf8_count(tag->key) > 128)
            return request(ctx, "A Tag's Key must be a length between 1 and 128.");
        if (utf8_count(tag->value) > 256)
            return request(ctx, "A Tag's Value must be a length between 0 and 256.");
        LIST_EACH (const struct s3_tag, other, tags)
            if (other < tag && str_eq(other->key, tag->key))
                return request(ctx, "Duplicate Tag Keys are not allowed.");
    }
    return OK;
}

static err check_sizes(struct ctx *ctx, opt_int greater, opt_int less)
{
    if (greater.set && (greater.v < 0 || greater.v > SIZE_MAX_OF_FILTER))
        return request(ctx, "'ObjectSizeGreaterThan' should be between 0 and 1099511627776000.");
    if (less.set && (less.v < 1 || less.v > SIZE_MAX_OF_FILTER))
        return request(ctx, "'ObjectSizeLessThan' should be between 1 and 1099511627776000.");
    if (greater.set && less.set && less.v <= greater.v)
        return request(ctx, "'ObjectSizeLessThan' has to be a value greater than "
                            "'ObjectSizeGreaterThan'.");
    return OK;
}

static bool well_formed(const struct s3_lifecycle_rule *rule)
{
    const struct s3_lifecycle_filter *filter = rule->filter;
    if (!filter || rule->prefix.p)
        return !filter && rule->prefix.p;
    const struct s3_lifecycle_and *all = filter->and;
    int members = (filter->prefix.p != NULL) + (filter->tag != NULL) + filter->greater.set +
                  filter->less.set + (all != NULL);
    if (all && (all->prefix.p != NULL) + (int)all->tags.n + all->greater.set + all->less.set < 2)
        return false;
    return members <= 1;
}

static err check_filter(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    struct s3_lifecycle_limits limits = s3_lifecycle_limits(rule);
    if (!well_formed(rule))
        return FAIL(S3_MALFORMED_XML);
    if (limits.prefix.n > PREFIX_MAX)
        return request(ctx, "The maximum size of a prefix is 1024");
    TRY(check_tags(ctx, limits.tags));
    return check_sizes(ctx, limits.greater, limits.less);
}

/* Actions that cannot look into objects. */
static err check_blind(struct ctx *ctx, const struct s3_lifecycle_rule *rule, const char *action)
{
    struct s3_lifecycle_limits limits = s3_lifecycle_limits(rule);
    const char *what = limits.tags.n                           ? "Tags"
                       : limits.greater.set || limits.less.set ? "Object Size"
                                                               : NULL;
    return what ? err_text(ctx->arena, &S3_INVALID_REQUEST, "%s cannot be specified with %s.",
                           action, what)
                : OK;
}

/* ---- actions on current versions ---- */

static err check_expiration(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_expiration *expiration = rule->expiration;
    if (!expiration)
        return OK;
    if (expiration->date.set + expiration->days.set + expiration->marker.set != 1)
        return FAIL(S3_MALFORMED_XML);
    if (expiration->marker.set)
        return check_blind(ctx, rule, "ExpiredObjectDeleteMarker");
    TRY(positive(ctx, expiration->days, "'Days' for Expiration action must be a positive integer"));
    return check_date(ctx, expiration->date);
}

static bool infrequent(str storage_class)
{
    return str_eq(storage_class, S("STANDARD_IA")) || str_eq(storage_class, S("ONEZONE_IA"));
}

/* Current or noncurrent: the two kinds of transitions, as they are compared with each other. */
struct move {
    int64_t when; /* days, or a date in milliseconds */
    bool dated;
    str storage_class;
};

struct moves {
    const char *action, *field; /* as texts name them; the field of a date is Date */
    const char *expiration;
    struct move *at;
    size_t n;
};

/* Days that objects stay in a class before they go on to a colder one. */
static int64_t stay(str storage_class)
{
    if (infrequent(storage_class))
        return 30;
    return str_starts(storage_class, S("GLACIER")) ? 90 : 0;
}

static err check_order(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                       const struct moves *moves, const struct move *warm, const struct move *cold)
{
    const char *of = scope(ctx, rule), *field = warm->dated ? "Date" : moves->field;
    int64_t days = (cold->when - warm->when) / (warm->dated ? DAY : 1);
    if (cold->when <= warm->when)
        return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                        "'%s' in the '%s' action for StorageClass '%.*s' for %s must be greater "
                        "than '%s' in the '%s' action for StorageClass '%.*s' for %s",
                        field, moves->action, STR_ARG(cold->storage_class), of, field,
                        moves->action, STR_ARG(warm->storage_class), of);
    if (days < stay(warm->storage_class)) /* '%s' is AWS's own slip: the scope for the field */
        return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                        "'%s' in the '%s' action for StorageClass '%.*s' for %s must be %" PRId64
                        " days more than '%s' in the '%s' action for StorageClass '%.*s'",
                        field, moves->action, STR_ARG(cold->storage_class), of,
                        stay(warm->storage_class), of, moves->action, STR_ARG(warm->storage_class));
    return OK;
}

static err check_two(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                     const struct moves *moves, const struct move *a, const struct move *b)
{
    if (a->dated != b->dated)
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule "
                        "for %s",
                        scope(ctx, rule));
    if (str_eq(a->storage_class, b->storage_class))
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "'StorageClass' must be different for '%s' actions in same 'Rule' with %s",
                        moves->action, scope(ctx, rule));
    bool colder = s3_lifecycle_rank(b->storage_class) > s3_lifecycle_rank(a->storage_class);
    return check_order(ctx, rule, moves, colder ? a : b, colder ? b : a);
}

static err check_moves(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                       const struct moves *moves)
{
    for (size_t i = 0; i < moves->n; i++) {
        const struct move *move = &moves->at[i];
        if (!move->dated && move->when < 0)
            return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                            "'%s' in %s action must be nonnegative", moves->field, moves->action);
        if (!move->dated && infrequent(move->storage_class) && move->when < 30)
            return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                            "'%s' in %s action must be greater than or equal to 30 for "
                            "storageClass '%.*s'",
                            moves->field, moves->action, STR_ARG(move->storage_class));
        for (size_t j = 0; j < i; j++)
            TRY(check_two(ctx, rule, moves, &moves->at[j], move));
    }
    return OK;
}

/* An expiration of the same kind of versions, at `end`, is to come after every move. */
static err check_end(struct ctx *ctx, const struct s3_lifecycle_rule *rule,
                     const struct moves *moves, int64_t end, bool dated)
{
    for (const struct move *move = moves->at; move < moves->at + moves->n; move++) {
        const char *of = scope(ctx, rule), *field = dated ? "Date" : moves->field;
        if (move->dated != dated)
            return err_text(ctx->arena, &S3_INVALID_REQUEST,
                            "Found mixed 'Date' and 'Days' based Expiration and Transition actions "
                            "in lifecycle rule for %s",
                            of);
        if (end <= move->when)
            return err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                            "'%s' in the %s action for %s must be greater than '%s' in the %s "
                            "action",
                            field, moves->expiration, of, field, moves->action);
    }
    return OK;
}

static err check_current(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_expiration *expiration = rule->expiration;
    struct moves moves = {.action = "Transition", .field = "Days", .expiration = "Expiration"};
    moves.at = arena_array(ctx->arena, rule->transitions.n + 1, sizeof *moves.at);
    LIST_EACH (const struct s3_transition, transition, rule->transitions) {
        if (transition->date.set == transition->days.set)
            return FAIL(S3_MALFORMED_XML);
        TRY(check_date(ctx, transition->date));
        bool dated = transition->date.set;
        moves.at[moves.n++] = (struct move){dated ? transition->date.v : transition->days.v, dated,
                                            transition->storage_class};
    }
    TRY(check_moves(ctx, rule, &moves));
    if (!expiration || expiration->marker.set)
        return OK;
    bool dated = expiration->date.set;
    return check_end(ctx, rule, &moves, dated ? expiration->date.v : expiration->days.v, dated);
}

/* ---- noncurrent versions and uploads ---- */

static err check_keep(struct ctx *ctx, const struct s3_lifecycle_rule *rule, opt_int keep,
                      const char *action)
{
    if (!keep.set)
        return OK;
    if (!rule->filter)
        return request(ctx, "NewerNoncurrentVersions element can only be used in Lifecycle V2.");
    return keep.v > 0 ? OK
                      : err_text(ctx->arena, &S3_INVALID_ARGUMENT,
                                 "'NewerNoncurrentVersions' for %s action must be a positive "
                                 "integer",
                                 action);
}

static err check_old(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_old_expiration *expiration = rule->old_expiration;
    struct moves moves = {.action = "NoncurrentVersionTransition",
                          .field = "NoncurrentDays",
                          .expiration = "NoncurrentVersionExpiration"};
    if (expiration && !expiration->days.set)
        return FAIL(S3_MALFORMED_XML);
    if (expiration) {
        TRY(positive(
            ctx, expiration->days,
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer"));
        TRY(check_keep(ctx, rule, expiration->keep, moves.expiration));
    }
    moves.at = arena_array(ctx->arena, rule->old_transitions.n + 1, sizeof *moves.at);
    LIST_EACH (const struct s3_old_transition, transition, rule->old_transitions) {
        if (!transition->days.set)
            return FAIL(S3_MALFORMED_XML);
        TRY(check_keep(ctx, rule, transition->keep, moves.action));
        moves.at[moves.n++] =
            (struct move){.when = transition->days.v, .storage_class = transition->storage_class};
    }
    TRY(check_moves(ctx, rule, &moves));
    return expiration ? check_end(ctx, rule, &moves, expiration->days.v, false) : OK;
}

static err check_abort(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    const struct s3_abort_uploads *abort = rule->abort;
    if (!abort)
        return OK;
    if (!abort->days.set)
        return FAIL(S3_MALFORMED_XML);
    TRY(check_blind(ctx, rule, "AbortIncompleteMultipartUpload"));
    return positive(ctx, abort->days,
                    "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a "
                    "positive integer");
}

static err check_rule(struct ctx *ctx, const struct s3_lifecycle_rule *rule)
{
    if (rule->id.n > 255)
        return argument(ctx, "ID length should not exceed allowed limit of 255");
    TRY(check_filter(ctx, rule));
    if (!rule->expiration && !rule->transitions.n && !rule->old_transitions.n &&
        !rule->old_expiration && !rule->abort)
        return request(ctx, "At least one action needs to be specified in a rule");
    TRY(check_expiration(ctx, rule));
    TRY(check_current(ctx, rule));
    TRY(check_old(ctx, rule));
    return check_abort(ctx, rule);
}

/* ---- two rules ---- */

/* An action that both rules have; NULL: none. */
static const char *common_action(const struct s3_lifecycle_rule *a,
                                 const struct s3_lifecycle_rule *b)
{
    if (a->expiration && b->expiration)
        return "Expiration";
    if (a->transitions.n && b->transitions.n)
        return "Transition";
    if (a->old_expiration && b->old_expiration)
        return "NoncurrentVersionExpiration";
    if (a->old_transitions.n && b->old_transitions.n)
        return "NoncurrentVersionTransition";
    return a->abort && b->abort ? "AbortIncompleteMultipartUpload" : NULL;
}

/* Filters may overlap, prefixes of the first version may not; and a configuration is of one
 * version. */
static err check_pair(struct ctx *ctx, const struct s3_lifecycle_rule *a,
                      const struct s3_lifecycle_rule *b)
{
    if (b->id.n && str_eq(a->id, b->id))
        return argument(ctx, "Rule ID must be unique. Found same ID for more than one rule");
    if (b->filter && !a->filter)
        return request(ctx, "Filter element can only be used in Lifecycle V2.");
    if (a->filter && !b->filter)
        return request(ctx, "Base level prefix cannot be used in Lifecycle V2, prefixes are only "
                            "supported in the Filter.");
    const char *action = a->filter ? NULL : common_action(a, b);
    if (action && (str_starts(a->prefix, b->prefix) || str_starts(b->prefix, a->prefix)))
        return err_text(ctx->arena, &S3_INVALID_REQUEST,
                        "Found overlapping prefixes '%.*s' and '%.*s' for same action type '%s'",
                        STR_ARG(a->prefix), STR_ARG(b->prefix), action);
    return OK;
}

err s3_check_lifecycle(struct s3 *s3, struct ctx *ctx, struct s3_bucket *bucket, void *document)
{
    (void)s3, (void)bucket;
    const struct s3_lifecycle *config = document;
    if (!config->rules.n || config->rules.n > RULES_MAX)
        return FAIL(S3_MALFORMED_XML);
    LIST_EACH (struct s3_lifecycle_rule, rule, config->rules) {
        TRY(check_rule(ctx, rule));
        LIST_EACH (const struct s3_lifecycle_rule, other, config->rules)
            if (other < rule)
                TRY(check_pair(ctx, other, rule));
        if (!rule->id.n) /* AWS's are of this form */
            rule->id = base64_encode(ctx->arena, rng_uuid(ctx->rng, ctx->arena));
    }
    return OK;
}
