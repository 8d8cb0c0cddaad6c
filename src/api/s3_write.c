/* api/s3_write.c - from the headers that describe an object to be written to its row, with AWS's
 * checks. */
#include "api/s3_acl.h"
#include "api/s3_common.h"
#include "api/s3_meta.h"
#include "base/digest.h"
#include "base/text.h"
#include "s3/document.h"
#include "s3/lock.h"
#include "s3/tags.h"

#define META_MAX 2048 /* bytes of user metadata, names and values */

/* An entry can be sent as a header. What a browser's form or a presigned URL brings need not be. */
static bool sendable(const struct str_pair *pair)
{
    for (size_t i = 0; i < pair->key.n; i++)
        if ((uint8_t)pair->key.p[i] <= ' ' || pair->key.p[i] == 0x7f || pair->key.p[i] == ':')
            return false;
    for (size_t i = 0; i < pair->value.n; i++)
        if ((uint8_t)pair->value.p[i] < ' ' || pair->value.p[i] == 0x7f)
            return false;
    return true;
}

/* Kept as one text, "name:value\n" each; with S3_META_UNSENDABLE before it, and percent-encoded,
 * when no header can carry it. */
static void put_meta(struct buf *b, const struct str_pair *pair)
{
    bool plain = sendable(pair);
    str text = plain ? s3_meta_decode(b->arena, pair->value) : STR_NONE;
    if (plain) {
        buf_put(b, pair->key);
    } else {
        buf_char(b, S3_META_UNSENDABLE);
        buf_percent(b, pair->key, PERCENT_ALL);
    }
    buf_char(b, ':');
    if (plain)
        buf_put(b, str_find(text, S("\n"), 0) < 0 ? text : pair->value);
    else
        buf_percent(b, pair->value, PERCENT_ALL);
    buf_char(b, '\n');
}

static err take_meta(struct call *call, const list *metadata, str *out)
{
    struct buf b = buf_in(call->ctx.arena);
    size_t size = 0;
    LIST_EACH (struct str_pair, pair, *metadata) {
        size += pair->key.n + pair->value.n;
        put_meta(&b, pair);
    }
    if (size > META_MAX) {
        err e = err_with(call->ctx.arena, FAIL(S3_METADATA_TOO_LARGE), "Size",
                         arena_printf(call->ctx.arena, "%zu", size));
        return err_with(call->ctx.arena, e, "MaxSizeAllowed", S("2048"));
    }
    *out = b.n ? buf_str(&b) : STR_NONE;
    return OK;
}

/* aws-chunked is how the body travelled, not what it is. */
static str without_chunked(struct arena *arena, str encoding)
{
    if (str_find(encoding, S("aws-chunked"), 0) < 0)
        return encoding;
    struct buf b = buf_in(arena);
    str rest = encoding;
    while (rest.p) {
        str item = str_trim(str_cut(&rest, ','));
        if (!item.n || str_eq_nocase(item, S("aws-chunked")))
            continue;
        if (b.n)
            buf_char(&b, ',');
        buf_put(&b, item);
    }
    return b.n ? buf_str(&b) : STR_NONE;
}

/* AWS answers with the ARN of a key that it was given by id. What has not the form of an id is a
 * name of the client's own making, and comes back as it is. */
static str kms_arn(struct call *call, const struct s3_bucket *bucket, str key)
{
    bool alias = str_starts(key, S("alias/"));
    if (key.p && !alias && !str_starts(key, S("mrk-")) &&
        (key.n != 36 || key.p[8] != '-' || key.p[13] != '-'))
        return key;
    /* Without a key it is the account's own for S3, which AWS makes on first use. */
    if (!key.p)
        key = S("a5a5a5a5-0000-4000-8000-000000000053");
    return arena_printf(call->ctx.arena, "arn:aws:kms:%.*s:%.*s:%s%.*s", STR_ARG(bucket->region),
                        STR_ARG(bucket->account), alias ? "" : "key/", STR_ARG(key));
}

/* A key's ARN says where the key is; only one of the bucket's own region can be used. */
static err check_kms_region(struct call *call, const struct s3_bucket *bucket, str key)
{
    str rest = key, region = STR_NONE;
    for (int i = 0; i < 4 && rest.p; i++)
        region = str_cut(&rest, ':');
    if (!str_starts(key, S("arn:")) || !rest.p || str_eq(region, bucket->region))
        return OK;
    return err_text(call->ctx.arena, &S3_KMS_NOT_FOUND, "Invalid arn %.*s", STR_ARG(region));
}

static err refuse_blocked(const struct s3_sse_rule *rule, const struct s3_object *object)
{
    const struct s3_sse_blocked *blocked = rule ? rule->blocked : NULL;
    if (blocked && object->ssec_md5.p)
        LIST_EACH (const struct scalar_str, type, blocked->types)
            if (str_eq(type->value, S("SSE-C")))
                return FAIL(S3_ACCESS_DENIED);
    return OK;
}

/* What the request leaves open comes from the bucket's default: algorithm, key, and bucket key. */
static err settle_encryption(struct call *call, const struct s3_write_in *in,
                             struct s3_bucket *bucket, struct s3_object *object)
{
    struct s3_encryption config = {0};
    const struct s3_sse_rule *rule = NULL;
    if (s3_document_load(call->api->s3, &call->ctx, bucket, S3_CONFIG_ENCRYPTION, S(""), &config) &&
        config.rules.n)
        rule = config.rules.at;
    const struct s3_sse_default *apply = rule ? rule->apply : NULL;
    TRY(refuse_blocked(rule, object));
    str algorithm = in->sse.p || !apply ? in->sse : apply->algorithm;
    if (object->ssec_md5.p || !algorithm.p || str_eq(algorithm, S("AES256")))
        return OK;
    str key = in->sse_key.n ? in->sse_key : apply ? apply->key : STR_NONE;
    TRY(check_kms_region(call, bucket, key));
    object->sse = algorithm;
    object->sse_key = kms_arn(call, bucket, key);
    bool by_bucket = in->sse_bucket_key.set || !rule ? in->sse_bucket_key.v : rule->bucket_key.v;
    object->sse_bucket_key = by_bucket && str_eq(algorithm, S("aws:kms")); /* never of DSSE-KMS */
    return OK;
}

static err take_encryption(struct call *call, const struct s3_write_in *in,
                           struct s3_bucket *bucket, struct s3_object *object)
{
    TRY(s3_ssec_take(call, in->ssec_algorithm, in->ssec_key, in->ssec_md5, &object->ssec_md5));
    if (object->ssec_md5.p && in->sse.p)
        return s3_argument_invalid(
            call,
            "Server Side Encryption with Customer provided key is incompatible with the encryption "
            "method specified",
            "x-amz-server-side-encryption", in->sse);
    bool kms = in->sse.p && !str_eq(in->sse, S("AES256"));
    if (in->sse_key.n && !kms)
        return s3_argument_invalid(
            call,
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms",
            "x-amz-server-side-encryption", in->sse);
    return settle_encryption(call, in, bucket, object);
}

/* A date and a mode come together: the fault names the one that is not there. */
static err check_lock_pair(struct call *call, const struct s3_write_in *in)
{
    if (!in->lock_mode.p == !in->lock_until.set)
        return OK;
    return s3_argument_invalid(
        call,
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        in->lock_mode.p ? "x-amz-object-lock-retain-until-date" : "x-amz-object-lock-mode",
        STR_NONE);
}

static err check_lock(struct call *call, const struct s3_write_in *in)
{
    TRY(check_lock_pair(call, in));
    if (in->lock_mode.p && !str_eq(in->lock_mode, S("GOVERNANCE")) &&
        !str_eq(in->lock_mode, S("COMPLIANCE")))
        return s3_argument_invalid(call, "Unknown wormMode directive.", "x-amz-object-lock-mode",
                                   in->lock_mode);
    if (in->lock_until.set && in->lock_until.v <= call->ctx.now)
        return s3_argument_invalid(call, "The retain until date must be in the future!",
                                   "x-amz-object-lock-retain-until-date",
                                   date_iso_ms(call->ctx.arena, in->lock_until.v));
    if (in->lock_hold.p && !str_eq(in->lock_hold, S("ON")) && !str_eq(in->lock_hold, S("OFF")))
        return s3_argument_invalid(call, "Legal Hold must be either of 'ON' or 'OFF'",
                                   "x-amz-object-lock-legal-hold", in->lock_hold);
    return OK;
}

static err take_lock(struct call *call, const struct s3_write_in *in, struct s3_bucket *bucket,
                     struct s3_object *object)
{
    s3_lock_default(call->api->s3, &call->ctx, bucket, object);
    if (!in->lock_mode.p && !in->lock_until.set && !in->lock_hold.p)
        return OK;
    TRY(check_lock(call, in));
    if (!bucket->object_lock) /* AWS writes it in other words where an object is written */
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "Bucket is missing ObjectLockConfiguration");
    if (in->lock_mode.p) {
        object->lock_mode = in->lock_mode;
        object->lock_until = in->lock_until.v;
    }
    object->legal_hold = str_eq(in->lock_hold, S("ON"));
    object->legal_hold_set = in->lock_hold.p != NULL;
    return OK;
}

static err take_redirect(str location, str *out)
{
    *out = location;
    if (!location.p || str_starts(location, S("/")) || str_starts(location, S("http://")) ||
        str_starts(location, S("https://")))
        return OK;
    return FAIL(S3_INVALID_REDIRECT);
}

err s3_write_take(struct call *call, const struct s3_write_in *in, struct s3_bucket *bucket,
                  struct s3_object *object)
{
    TRY(s3_key_check(&call->ctx, in->key));
    object->key = in->key;
    object->content_type = in->content_type.n ? in->content_type : STR_NONE;
    object->cache_control = in->cache_control;
    object->content_disposition = in->content_disposition;
    object->content_encoding = without_chunked(call->ctx.arena, in->content_encoding);
    object->content_language = in->content_language;
    object->expires = in->expires;
    TRY(take_redirect(in->website_redirect, &object->website_redirect));
    if (!str_eq(in->storage_class, S("STANDARD")))
        object->storage_class = in->storage_class;
    TRY(take_meta(call, &in->metadata, &object->meta));
    TRY(take_encryption(call, in, bucket, object));
    struct s3_acl_claims claims = {in->acl,  in->grant_full_control, in->grant_read,
                                   STR_NONE, in->grant_read_acp,     in->grant_write_acp};
    TRY(s3_acl_of_write(call, &claims, bucket, object));
    if (in->tagging.p)
        TRY(s3_tags_from_header(&call->ctx, in->tagging, &object->tags));
    return take_lock(call, in, bucket, object);
}

#define SSEC_TEXT                                                                                  \
    "Requests specifying Server Side Encryption with Customer provided keys must provide "

/* AWS names the header of the other encryption here, and gives no value. */
static err ssec_invalid(struct call *call, const char *text)
{
    return s3_argument_invalid(call, text, "x-amz-server-side-encryption", STR_NONE);
}

err s3_ssec_take(struct call *call, str algorithm, str key, str md5, str *ssec_md5)
{
    *ssec_md5 = STR_NONE;
    if (!algorithm.p && !key.p && !md5.p)
        return OK;
    if (!algorithm.p)
        return ssec_invalid(call, SSEC_TEXT "a valid encryption algorithm.");
    if (!key.n)
        return ssec_invalid(call, SSEC_TEXT "an appropriate secret key.");
    if (!str_eq(algorithm, S("AES256"))) {
        err e = err_with(call->ctx.arena, FAIL(S3_INVALID_ENCRYPTION), "ArgumentName",
                         S("x-amz-server-side-encryption"));
        return err_with(call->ctx.arena, e, "ArgumentValue", algorithm);
    }
    if (!md5.n)
        return ssec_invalid(call, SSEC_TEXT "the client calculated MD5 of the secret key.");
    str raw = base64_decode(call->ctx.arena, key);
    if (raw.n != 32)
        return ssec_invalid(call, "The secret key was invalid for the specified algorithm.");
    if (!secret_equal(digest_base64(call->ctx.arena, digest_of(DIGEST_MD5, raw)), md5))
        return ssec_invalid(call, "The calculated MD5 hash of the key did not match the hash that "
                                  "was provided.");
    *ssec_md5 = md5;
    return OK;
}

err s3_ssec_check(struct call *call, str algorithm, str key, str md5,
                  const struct s3_object *object)
{
    if (!object->ssec_md5.p && !algorithm.p && !key.p && !md5.p)
        return OK;
    if (!object->ssec_md5.p)
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "The encryption parameters are not applicable to this object.");
    if (!algorithm.p && !key.p && !md5.p)
        return err_text(call->ctx.arena, &S3_INVALID_REQUEST,
                        "The object was stored using a form of Server Side Encryption. The correct "
                        "parameters must be provided "
                        "to retrieve the object.");
    str given;
    TRY(s3_ssec_take(call, algorithm, key, md5, &given));
    if (secret_equal(given, object->ssec_md5))
        return OK;
    /* Only who reads the object is told more. */
    str name = str_of(call->op->name);
    if (!str_eq(name, S("GetObject")) && !str_eq(name, S("HeadObject")))
        return FAIL(S3_ACCESS_DENIED);
    return err_text(call->ctx.arena, &S3_ACCESS_DENIED, SSEC_TEXT "the correct secret key.");
}
