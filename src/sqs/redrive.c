/* sqs/redrive.c - RedrivePolicy (on the queue whose messages fail) and RedriveAllowPolicy (on the
 * queue that takes them). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sqs/engine.h"

static err refuse(struct arena *arena, str text, const char *reason)
{
    return err_text(arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter RedrivePolicy is invalid. Reason: %s", STR_ARG(text),
                    reason);
}

/* maxReceiveCount comes as a number or as its text (#52). */
static bool count_of(struct arena *arena, const json_t *value, int64_t *out, str *shown)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        *shown = arena_printf(arena, "%lld", (long long)*out);
    } else if (json_is_string(value)) {
        *shown = arena_copy(arena, str_of(json_string_value(value)));
        if (!str_to_int(*shown, out))
            return false;
    } else {
        char *dumped = json_dumps(value, JSON_ENCODE_ANY);
        *shown = arena_copy(arena, str_of(dumped));
        free(dumped);
        return false;
    }
    return *out >= 1 && *out <= 1000;
}

static err parse(struct arena *arena, str text, const json_t *policy, str *target,
                 int64_t *max_receives)
{
    const json_t *count = json_object_get(policy, "maxReceiveCount");
    const json_t *arn = json_object_get(policy, "deadLetterTargetArn");
    str shown = STR_NONE;
    if (!json_is_object(policy))
        return err_text(arena, &SQS_INVALID_PARAMETER,
                        "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is "
                        "not a valid JSON map.");
    if (!count)
        return refuse(arena, text,
                      "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
    if (!json_is_string(arn))
        return refuse(arena, text,
                      "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
    if (json_object_size(policy) > 2)
        return refuse(
            arena, text,
            "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].");
    if (!count_of(arena, count, max_receives, &shown))
        return err_text(arena, &SQS_INVALID_PARAMETER,
                        "Value %.*s for parameter RedrivePolicy is invalid. Reason: Invalid value "
                        "for maxReceiveCount: %.*s, "
                        "valid values are from 1 to 1000 both inclusive.",
                        STR_ARG(text), STR_ARG(shown));
    *target = arena_copy(arena, str_of(json_string_value(arn)));
    return OK;
}

err redrive_parse(struct arena *arena, str text, str *target, int64_t *max_receives)
{
    json_t *policy = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    err e = parse(arena, text, policy, target, max_receives);
    json_decref(policy);
    return e;
}

#define CANNOT_CREATE "Amazon SQS can't create the redrive allow policy"

static err refuse_allow(struct arena *arena, str text, const char *reason)
{
    return err_text(arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter RedriveAllowPolicy is invalid. Reason: " CANNOT_CREATE
                    ". %s",
                    STR_ARG(text), reason);
}

static bool strings_only(const json_t *array)
{
    size_t i;
    const json_t *item;
    json_array_foreach(array, i, item) if (!json_is_string(item)) return false;
    return true;
}

static bool allow_formed(const json_t *policy)
{
    const char *permission = json_string_value(json_object_get(policy, "redrivePermission"));
    const json_t *sources = json_object_get(policy, "sourceQueueArns");
    size_t known = 1 + (sources != NULL);
    return permission && json_object_size(policy) == known &&
           (!sources || (json_is_array(sources) && strings_only(sources))) &&
           (!strcmp(permission, "allowAll") || !strcmp(permission, "denyAll") ||
            !strcmp(permission, "byQueue"));
}

static err allow_check(struct arena *arena, str text, const json_t *policy)
{
    if (!allow_formed(policy))
        return err_text(arena, &SQS_INVALID_PARAMETER,
                        "Invalid value for the parameter RedriveAllowPolicy. Reason: " CANNOT_CREATE
                        ", as it\xe2\x80\x99s in an unsupported format.");
    bool by_queue =
        !strcmp(json_string_value(json_object_get(policy, "redrivePermission")), "byQueue");
    const json_t *sources = json_object_get(policy, "sourceQueueArns");
    if (sources && !by_queue)
        return refuse_allow(
            arena, text,
            "To specify one or more source queue ARNs, you must set redrivePermission to byQueue.");
    if (by_queue && json_array_size(sources) == 0)
        return refuse_allow(arena, text,
                            "When you specify the byQueue permission type, you must also specify "
                            "one or more sourceQueueArns "
                            "values.");
    if (json_array_size(sources) > 10)
        return refuse_allow(arena, text,
                            "The maximum number of source queue ARNs you can specify is 10.");
    return OK;
}

err redrive_allow_check(struct arena *arena, str text)
{
    json_t *policy = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    err e = allow_check(arena, text, policy);
    json_decref(policy);
    return e;
}

static bool permits(const json_t *policy, str source_arn)
{
    const char *permission = json_string_value(json_object_get(policy, "redrivePermission"));
    size_t i;
    const json_t *item;
    if (!permission || !strcmp(permission, "denyAll"))
        return false;
    if (!strcmp(permission, "allowAll"))
        return true;
    json_array_foreach(json_object_get(policy, "sourceQueueArns"), i, item)
    {
        if (str_eq(source_arn, str_of(json_string_value(item))))
            return true;
    }
    return false;
}

bool redrive_allow_permits(str text, str source_arn)
{
    if (!text.n)
        return true;
    json_t *policy = json_loadb(text.p, text.n, 0, NULL);
    bool allowed = permits(policy, source_arn);
    json_decref(policy);
    return allowed;
}
