/* sqs/attributes.c - see attributes.h. A change is built whole beside the queue and checked, then
 * applied: a bad value in the middle of SetQueueAttributes leaves nothing behind. */
#include "sqs/attributes.h"

#include <stdlib.h>
#include <string.h>

#include "sqs/engine.h"
#include "sqs/policy.h"

#define ATTRIBUTE_ROW(row, name_, kind_, low_, high_, preset_, words_, fifo_)                      \
    [row] = {.name = name_,                                                                        \
             .kind = ATTRIBUTE_##kind_,                                                            \
             .low = low_,                                                                          \
             .high = high_,                                                                        \
             .preset = preset_,                                                                    \
             .words = words_,                                                                      \
             .fifo = fifo_},
const struct attribute_info attribute_infos[SQS_ATTRIBUTE_COUNT] = {SQS_ATTRIBUTES(ATTRIBUTE_ROW)};

enum sqs_attribute_id attribute_by_name(str name)
{
    enum sqs_attribute_id id = 0;
    while (id < SQS_ATTRIBUTE_COUNT && !str_eq(name, str_of(attribute_infos[id].name)))
        id++;
    return id;
}

#define PRESET_NUMBER(row, name, kind, low, high, preset, words, fifo) [row] = preset,
const struct attributes attribute_presets = {.number = {SQS_ATTRIBUTES(PRESET_NUMBER)}};

static str word(const char *words, int64_t at)
{
    str rest = str_of(words), first = str_cut(&rest, '|');
    return at ? rest : first;
}

str attribute_text(struct arena *arena, const struct attributes *attributes,
                   enum sqs_attribute_id id)
{
    int64_t number = attributes->number[id];
    switch (attribute_infos[id].kind) {
    case ATTRIBUTE_INT:
        return arena_printf(arena, "%lld", (long long)number);
    case ATTRIBUTE_BOOL:
        return number ? S("true") : S("false");
    case ATTRIBUTE_CHOICE:
        return word(attribute_infos[id].words, number);
    default:
        return attributes->text[id];
    }
}

static bool bool_of(str text, int64_t *out)
{
    *out = str_eq_nocase(text, S("true"));
    return *out || str_eq_nocase(text, S("false"));
}

static bool number_of(const struct attribute_info *info, str text, int64_t *out)
{
    switch (info->kind) {
    case ATTRIBUTE_INT:
        return str_to_int(text, out) && *out >= info->low && *out <= info->high;
    case ATTRIBUTE_BOOL:
        return bool_of(text, out);
    default:
        *out = str_eq(text, word(info->words, 1));
        return *out || str_eq(text, word(info->words, 0));
    }
}

void attribute_own(struct attributes *attributes, enum sqs_attribute_id id, str text)
{
    char *copy = text.n ? xstrdup(text) : NULL;
    free((char *)(uintptr_t)attributes->text[id].p);
    attributes->text[id] = copy ? (str){copy, text.n} : STR_NONE;
    if (id != SQS_REDRIVE)
        return;
    free((char *)(uintptr_t)attributes->dead_letter.p);
    attributes->dead_letter = STR_NONE;
    if (!copy)
        return;
    struct arena *arena = arena_new();
    str target = STR_NONE;
    (void)redrive_parse(arena, attributes->text[id], &target, &attributes->max_receives);
    attributes->dead_letter = (str){xstrdup(target), target.n};
    arena_free(arena);
}

void attribute_load(struct attributes *attributes, enum sqs_attribute_id id, str text)
{
    const struct attribute_info *info = &attribute_infos[id];
    int64_t number;
    if (info->kind == ATTRIBUTE_TEXT)
        attribute_own(attributes, id, text);
    else if (number_of(info, text, &number))
        attributes->number[id] = number;
}

void attributes_free(struct attributes *attributes)
{
    for (enum sqs_attribute_id i = 0; i < SQS_ATTRIBUTE_COUNT; i++)
        attribute_own(attributes, i, STR_NONE);
}

static err invalid_value(struct ctx *ctx, const struct attribute_info *info)
{
    return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_VALUE, "Invalid value for the parameter %s.",
                    info->name);
}

static err unknown_attribute(struct ctx *ctx, str name)
{
    return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_NAME, "Unknown Attribute %.*s.",
                    STR_ARG(name));
}

static err take_text(struct ctx *ctx, enum sqs_attribute_id id, str text,
                     struct attribute_change *change)
{
    struct attributes *next = &change->next;
    next->text[id] = text.n ? text : STR_NONE;
    if (!text.n)
        return OK;
    if (id == SQS_REDRIVE) {
        TRY(redrive_parse(ctx->arena, text, &next->dead_letter, &next->max_receives));
        change->redrive = text;
        next->text[id] =
            arena_printf(ctx->arena, "{\"deadLetterTargetArn\":\"%.*s\",\"maxReceiveCount\":%lld}",
                         STR_ARG(next->dead_letter), (long long)next->max_receives);
    }
    if (id == SQS_REDRIVE_ALLOW)
        return redrive_allow_check(ctx->arena, text);
    return id == SQS_POLICY ? policy_take(ctx, text, &next->text[id]) : OK;
}

/* What a standard queue may not have, in AWS's two ways of saying so (#59). */
static err refuse_on_standard(struct ctx *ctx, enum sqs_attribute_id id)
{
    const char *name = attribute_infos[id].name;
    if (id == SQS_FIFO || id == SQS_CONTENT_DEDUP)
        return unknown_attribute(ctx, str_of(name));
    return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_NAME,
                    "You can specify the %s only when FifoQueue is set to true.", name);
}

static err take(struct ctx *ctx, bool fifo, const struct sqs_pair *pair, enum sqs_attribute_id id,
                struct attribute_change *change)
{
    const struct attribute_info *info = &attribute_infos[id];
    if (info->fifo && !fifo)
        return refuse_on_standard(ctx, id);
    change->named[id] = change->given[id] = true;
    if (info->kind == ATTRIBUTE_TEXT)
        return take_text(ctx, id, pair->value, change);
    int64_t number;
    if (!number_of(info, pair->value, &number))
        return invalid_value(ctx, info);
    if (id == SQS_FIFO && !number)
        return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_VALUE,
                        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type "
                        "is not supported.");
    change->next.number[id] = number;
    return OK;
}

/* One kind of encryption at a time: the one given last ends the other (#62). */
static err settle_encryption(struct attribute_change *change, struct ctx *ctx)
{
    bool key = change->given[SQS_KMS_KEY] && change->next.text[SQS_KMS_KEY].p;
    bool managed = change->given[SQS_SSE] && change->next.number[SQS_SSE];
    if (key && managed)
        return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_NAME,
                        "You can use one type of server-side encryption (SSE) at one time. You can "
                        "either enable KMS SSE or "
                        "SQS SSE.");
    if (key) {
        change->next.number[SQS_SSE] = 0;
        change->given[SQS_SSE] = true;
    }
    if (managed && change->next.text[SQS_KMS_KEY].p) {
        change->next.text[SQS_KMS_KEY] = STR_NONE;
        change->given[SQS_KMS_KEY] = true;
        change->next.number[SQS_KMS_REUSE] = attribute_infos[SQS_KMS_REUSE].preset;
        change->given[SQS_KMS_REUSE] = true;
    }
    return OK;
}

err attributes_change(struct ctx *ctx, const struct attributes *base, bool fifo, bool lenient,
                      const struct sqs_pair *pairs, size_t n, struct attribute_change *change)
{
    *change = (struct attribute_change){.next = *base};
    for (size_t i = 0; i < n; i++) {
        enum sqs_attribute_id id = attribute_by_name(pairs[i].name);
        bool readable = id < SQS_ATTRIBUTE_COUNT && attribute_infos[id].kind == ATTRIBUTE_READ;
        if (readable && lenient)
            continue;
        if (id == SQS_ATTRIBUTE_COUNT || readable)
            return unknown_attribute(ctx, pairs[i].name);
        TRY(take(ctx, fifo, &pairs[i], id, change));
    }
    if (!lenient && change->next.number[SQS_THROUGHPUT] && !change->next.number[SQS_SCOPE])
        return err_text(ctx->arena, &SQS_INVALID_ATTRIBUTE_VALUE,
                        "Invalid value for the parameter FifoThroughputLimit. Reason: The "
                        "perMessageGroupId value is allowed "
                        "only when the value for DeduplicationScope is messageGroup.");
    return settle_encryption(change, ctx);
}
