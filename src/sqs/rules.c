/* sqs/rules.c - see rules.h. */
#include "sqs/rules.h"

#include <string.h>

#include "base/text.h"

static bool char_valid(int32_t c)
{
    return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
}

/* Eight bytes at a time while they are plain ASCII above the control characters. */
static size_t plain_run(str text, size_t at)
{
    while (at + 8 <= text.n) {
        uint64_t eight;
        memcpy(&eight, text.p + at, 8);
        if ((eight | (eight - 0x2020202020202020u)) & 0x8080808080808080u)
            break;
        at += 8;
    }
    return at;
}

bool sqs_text_valid(str text)
{
    size_t at = 0;
    while (at < text.n) {
        at = plain_run(text, at);
        for (size_t end = at + 8; at < text.n && at < end;)
            if (!char_valid(utf8_next(text, &at)))
                return false;
    }
    return true;
}

err sqs_check_token(struct ctx *ctx, const char *parameter, str value)
{
    bool valid = value.n >= 1 && value.n <= 128;
    for (size_t i = 0; valid && i < value.n; i++)
        valid = value.p[i] > 0x20 && value.p[i] < 0x7f;
    if (valid)
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %.*s for parameter %s is invalid. Reason: %s can only include "
                    "alphanumeric and punctuation "
                    "characters. 1 to 128 in length.",
                    STR_ARG(value), parameter, parameter);
}

/* Letters of any script, digits, '_', '-', '.'; what lies outside ASCII is let through but for
 * signs and punctuation (#15). */
static bool name_char(int32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    if (c < 0xc0)
        return c == 0xaa || c == 0xb5 || c == 0xba;
    return c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff);
}

static err check_name(struct ctx *ctx, str name)
{
    if (!name.n)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The request must contain non-empty message (user) attribute names.");
    if (name.n > 256)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Message (user) attribute names must be shorter than 256 Bytes");
    for (size_t at = 0; at < name.n;)
        if (!name_char(utf8_next(name, &at)))
            return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                            "Message (user) attributes name can only contain upper and lower score "
                            "characters, digits, "
                            "periods, hyphens and underscores. ");
    if (str_starts_nocase(name, S("aws.")) || str_starts_nocase(name, S("amazon.")) ||
        name.p[0] == '.' || str_ends(name, S(".")))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
                        "These strings are reserved "
                        "for internal use. Additionally, they cannot start or end with '.'.");
    if (str_find(name, S(".."), 0) >= 0)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Message (user) attribute name must not have successive '.' characters.");
    return OK;
}

static str base_type(str type)
{
    return str_cut(&type, '.');
}

static bool number_valid(str text)
{
    size_t i = 0, digits = 0;
    bool exponent = false;
    if (i < text.n && (text.p[i] == '+' || text.p[i] == '-'))
        i++;
    for (bool point = false; i < text.n; i++) {
        char c = text.p[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (c == '.' && !point && !exponent)
            point = true;
        else if ((c == 'e' || c == 'E') && digits && !exponent) {
            exponent = true;
            digits = 0;
            i += i + 1 < text.n && (text.p[i + 1] == '+' || text.p[i + 1] == '-');
        } else
            return false;
    }
    return digits > 0;
}

static err check_attribute(struct ctx *ctx, const struct sqs_attribute *attribute)
{
    str name = attribute->name, type = base_type(attribute->type);
    bool number = str_eq(type, S("Number")), binary = str_eq(type, S("Binary"));
    TRY(check_name(ctx, name));
    if (!attribute->type.n)
        return err_text(
            ctx->arena, &SQS_INVALID_PARAMETER,
            "The message (user) attribute '%.*s' must contain a non-empty message attribute type.",
            STR_ARG(name));
    if (!number && !binary && !str_eq(type, S("String")))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "The type of message (user) attribute '%.*s' is invalid. You must use only "
                        "the following supported type prefixes: Binary, Number, String.",
                        STR_ARG(name));
    if (attribute->type.n > 256)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Message (user) attribute types must be shorter than 256 Bytes");
    if (!attribute->value.n)
        return err_text(
            ctx->arena, &SQS_INVALID_PARAMETER,
            "Message (user) attribute '%.*s' must contain a non-empty value of type '%.*s'.",
            STR_ARG(name), STR_ARG(type));
    if (!binary && !sqs_text_valid(attribute->value))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
                        "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
    if (number && !number_valid(attribute->value))
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Can't cast the value of message (user) attribute '%.*s' to a number.",
                        STR_ARG(name));
    return OK;
}

/* Only Query can say the same name twice. */
static err check_unique(struct ctx *ctx, const struct sqs_attribute *attributes, size_t at)
{
    str name = attributes[at].name;
    for (size_t i = 0; i < at; i++)
        if (str_eq(attributes[i].name, name))
            return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                            "Message (user) attribute name '%.*s' already exists.", STR_ARG(name));
    return OK;
}

err sqs_check_attributes(struct ctx *ctx, const struct sqs_attribute *attributes, size_t n)
{
    if (n > 10)
        return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                        "Number of message attributes [%zu] exceeds the allowed maximum [10].", n);
    for (size_t i = 0; i < n; i++) {
        TRY(check_attribute(ctx, &attributes[i]));
        TRY(check_unique(ctx, attributes, i));
    }
    return OK;
}

static err check_range(struct ctx *ctx, const char *parameter, int64_t value, int64_t low,
                       int64_t high, const char *reason)
{
    if (value >= low && value <= high)
        return OK;
    return err_text(ctx->arena, &SQS_INVALID_PARAMETER,
                    "Value %lld for parameter %s is invalid. Reason: %s", (long long)value,
                    parameter, reason);
}

err sqs_check_delay(struct ctx *ctx, int64_t seconds)
{
    return check_range(ctx, "DelaySeconds", seconds, 0, 900,
                       "DelaySeconds must be >= 0 and <= 900.");
}

err sqs_check_visibility(struct ctx *ctx, enum sqs_visibility_of whose, int64_t seconds)
{
    static const char *const reasons[] = {
        [SQS_OF_RECEIVE] = "Must be >= 0 and <= 43200, if provided.",
        [SQS_OF_CHANGE] = "Must be between 0 and 43200.",
        [SQS_OF_BATCH] = "VisibilityTimeout must be an integer between 0 and 43200.",
    };
    return check_range(ctx, "VisibilityTimeout", seconds, 0, 43200, reasons[whose]);
}

err sqs_check_wait(struct ctx *ctx, int64_t seconds)
{
    return check_range(ctx, "WaitTimeSeconds", seconds, 0, 20,
                       "Must be >= 0 and <= 20, if provided.");
}

err sqs_check_max(struct ctx *ctx, int64_t messages)
{
    return check_range(ctx, "MaxNumberOfMessages", messages, 1, 10,
                       "Must be between 1 and 10, if provided.");
}
