/* api/s3_post.c - PostObject: a browser's form becomes an object. The fields arrive before the file
 * and say everything that the headers of a PutObject would: who signs, what the policy allows, key,
 * metadata, encryption, checksum. So the checks happen when the file begins, and only then is an
 * upload opened; what the file's size must be is checked at the end.
 * (docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html)
 *
 * A form without a policy is anonymous: taken in the modes that take unsigned requests, decided by
 * bucket policy and ACL under --auth enforce. */
#include "api/s3_access.h"
#include "api/s3_common.h"
#include "api/s3_tables.h"
#include "api/s3_upload.h"
#include "aws/codec_rest_xml.h"
#include "aws/fault.h"
#include "aws/formdata.h"
#include "aws/keys.h"
#include "aws/post_policy.h"
#include "aws/sigv4.h"
#include "base/text.h"
#include "base/xml.h"
#include "s3/tags.h"

#include <string.h>

#define POST_MAX_FIELDS 200
#define SSE "x-amz-server-side-encryption"

#define POST(F, T)                                                                                 \
    F(T, STR, bucket, "Bucket", BUCKET, .flags = REQUIRED)                                         \
    F(T, STR, content_type, "Content-Type", HEADER)
SHAPE(post_in, "PostObjectRequest", POST)

/* The form's fields take the places of PutObject's headers, by the same names. */
SHAPE(post_fields, "PostObjectFields", S3_WRITE_IN)
_Static_assert(sizeof(struct post_fields) == sizeof(struct s3_write_in), "one list, one layout");

#define POST_OUT(F, T)                                                                             \
    F(T, STR, location, "Location", BODY)                                                          \
    F(T, STR, bucket, "Bucket", BODY)                                                              \
    F(T, STR, key, "Key", BODY)                                                                    \
    F(T, STR, etag, "ETag", BODY)
SHAPE(post_out, "PostResponse", POST_OUT)

struct post {
    struct upload base;
    struct call *call;
    struct formdata *form;
    struct s3_bucket *bucket;
    struct post_field fields[POST_MAX_FIELDS];
    size_t n;
    str filename;
    struct post_limits limits;
    struct upload *inner; /* of the file; NULL before it begins */
    struct s3_write_in in;
    struct s3_object object;
};

/* The field's value, or absent; names compare without case. */
static str field_of(const struct post *post, const char *name)
{
    for (size_t i = 0; i < post->n; i++)
        if (str_eq_nocase(post->fields[i].name, str_of(name)))
            return post->fields[i].value;
    return STR_NONE;
}

static err must_contain(struct post *post, const char *name)
{
    struct arena *arena = post->call->ctx.arena;
    err e = err_text(arena, &S3_INVALID_ARGUMENT,
                     "Bucket POST must contain a field named '%s'.  If it is specified, please "
                     "check the order of the fields.",
                     name);
    e = err_with(arena, e, "ArgumentName", str_of(name));
    return err_with(arena, e, "ArgumentValue", S(""));
}

/* --- who --- */

struct claim {
    str access_key, signature, day, region;
    bool v4;
};

static err read_claim(struct post *post, struct claim *claim)
{
    str credential = field_of(post, "x-amz-credential");
    claim->v4 = field_of(post, "x-amz-algorithm").p || credential.p;
    claim->signature = field_of(post, claim->v4 ? "x-amz-signature" : "signature");
    claim->access_key = claim->v4 ? str_cut(&credential, '/') : field_of(post, "awsaccesskeyid");
    claim->day = str_cut(&credential, '/');
    claim->region = str_cut(&credential, '/');
    if (!claim->access_key.n)
        return must_contain(post, claim->v4 ? "X-Amz-Credential" : "AWSAccessKeyId");
    if (!claim->signature.n)
        return must_contain(post, claim->v4 ? "X-Amz-Signature" : "Signature");
    return OK;
}

static err check_signature(struct post *post, const struct claim *claim, const struct identity *who,
                           str policy)
{
    struct arena *arena = post->call->ctx.arena;
    str right = claim->v4
                    ? auth_form_signature_v4(arena, who->secret, claim->day, claim->region, policy)
                    : auth_form_signature_v2(arena, who->secret, policy);
    if (secret_equal(right, claim->signature))
        return OK;
    err e = err_with(arena, FAIL(AWS_SIGNATURE_MISMATCH), "AWSAccessKeyId", claim->access_key);
    e = err_with(arena, e, "StringToSign", policy);
    return err_with(arena, e, "SignatureProvided", claim->signature);
}

/* Who posts, as ctx knows it from here on. */
static err identify(struct post *post, str policy)
{
    struct call *call = post->call;
    struct claim claim = {0};
    struct identity who;
    if (!policy.p) {
        call->ctx.anonymous = true;
        return OK;
    }
    TRY(read_claim(post, &claim));
    bool known =
        call->api->keys && keys_find(call->api->keys, call->ctx.arena, claim.access_key, &who);
    if (call->api->verify && !known)
        return err_with(call->ctx.arena, FAIL(AWS_INVALID_ACCESS_KEY), "AWSAccessKeyId",
                        claim.access_key);
    if (call->api->verify)
        TRY(check_signature(post, &claim, &who, policy));
    if (!known && call->api->keys)
        keys_assume(call->api->keys, call->ctx.arena, claim.access_key, &who), known = true;
    if (!known)
        return OK;
    call->ctx.anonymous = false;
    call->ctx.access_key = claim.access_key;
    call->ctx.account = who.account;
    call->ctx.principal = who.arn;
    call->ctx.canonical_id = who.canonical_id;
    call->ctx.display_name = who.display_name;
    return OK;
}

/* --- what --- */

/* ${filename} in the key is what the file is called, without its path. */
static str key_of(struct post *post, str pattern)
{
    struct arena *arena = post->call->ctx.arena;
    ptrdiff_t at = str_find(pattern, S("${filename}"), 0);
    str name = post->filename;
    if (at < 0)
        return pattern;
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '/' || name.p[i - 1] == '\\') {
            name = str_slice(name, i, name.n);
            break;
        }
    str head = arena_join(arena, str_slice(pattern, 0, (size_t)at), name);
    return arena_join(arena, head, str_slice(pattern, (size_t)at + 11, pattern.n));
}

static err refuse(struct post *post, const struct shape_issue *issue)
{
    return issue->wrong ? post->call->service->refuse(post->call, post->call->op, issue) : OK;
}

static err take_field(struct post *post, const struct post_field *field)
{
    struct shape_issue issue = {0};
    for (const struct field *row = post_fields_shape.fields;
         row < post_fields_shape.fields + post_fields_shape.n && !issue.wrong; row++)
        if (row->place == PLACE_HEADER && str_eq_nocase(field->name, str_of(row->wire)))
            issue =
                rest_take_text(post->call->ctx.arena, row, field->value, shape_at(row, &post->in));
    return refuse(post, &issue);
}

static void take_meta(struct post *post)
{
    struct str_pair *pairs = arena_array(post->call->ctx.arena, post->n, sizeof *pairs);
    size_t n = 0;
    for (size_t i = 0; i < post->n; i++)
        if (str_starts_nocase(post->fields[i].name, S("x-amz-meta-")))
            pairs[n++] = (struct str_pair){
                text_lower(post->call->ctx.arena,
                           str_slice(post->fields[i].name, 11, post->fields[i].name.n)),
                post->fields[i].value};
    post->in.metadata = (list){pairs, n, n > 0};
}

/* The `tagging` field is the XML of PutObjectTagging. */
static err take_tagging(struct post *post)
{
    struct ctx *ctx = &post->call->ctx;
    str text = field_of(post, "tagging");
    if (!text.p)
        return OK;
    const struct xml *root = xml_parse(ctx->arena, text);
    const struct xml *set = root ? xml_child(root, S("TagSet")) : NULL;
    struct s3_tag tags[S3_OBJECT_TAGS_MAX + 1];
    size_t n = 0;
    if (!set)
        return FAIL(S3_MALFORMED_XML);
    XML_EACH (tag, set) {
        const struct xml *key = xml_child(tag, S("Key")), *value = xml_child(tag, S("Value"));
        if (!key || !value || n > S3_OBJECT_TAGS_MAX)
            return FAIL(S3_MALFORMED_XML);
        tags[n++] = (struct s3_tag){key->text, value->text};
    }
    TRY(s3_tags_check(ctx, tags, n, false));
    post->object.tags = s3_tags_pack(ctx->arena, tags, n);
    return OK;
}

static err take_object(struct post *post)
{
    post->in.bucket = post->call->bucket;
    post->in.key = key_of(post, field_of(post, "key"));
    for (size_t i = 0; i < post->n; i++)
        TRY(take_field(post, &post->fields[i]));
    str acl = field_of(post, "acl");
    if (acl.p)
        post->in.acl = acl;
    take_meta(post);
    struct shape_issue issue =
        shape_check_head(post->call->ctx.arena, &post_fields_shape, &post->in);
    TRY(refuse(post, &issue));
    TRY(s3_write_take(post->call, &post->in, post->bucket, &post->object));
    return take_tagging(post);
}

/* The policy sees the key as it will be, and the bucket though it is in the address. */
static err check_policy(struct post *post, str policy)
{
    struct arena *arena = post->call->ctx.arena;
    struct post_policy_check check = {.now = post->call->ctx.now};
    struct post_field *fields = arena_array(arena, post->n + 1, sizeof *fields);
    for (size_t i = 0; i < post->n; i++) {
        if (str_eq_nocase(post->fields[i].name, S("bucket")))
            continue;
        fields[check.n] = post->fields[i];
        if (str_eq_nocase(fields[check.n].name, S("key")))
            fields[check.n].value = key_of(post, fields[check.n].value);
        check.n++;
    }
    fields[check.n++] = (struct post_field){S("bucket"), post->call->bucket};
    check.fields = fields;
    str json = base64_decode(arena, policy);
    return post_policy_check(arena, json.p ? json : S(""), &check, &post->limits);
}

/* --- the file --- */

static void inner_drained(void *user)
{
    struct post *post = user;
    post->base.busy = false;
    if (post->base.drained)
        post->base.drained(post->base.user);
}

static err open_inner(struct post *post)
{
    int64_t max = post->limits.max;
    struct s3_upload_claims claims = {.length = -1, .max = max > 0 ? max : max ? 0 : -1};
    struct call *call = post->call;
    for (int kind = 0; kind < DIGEST_KINDS; kind++)
        claims.checksum[kind] = field_of(post, digest_infos[kind].header);
    claims.content_md5 = field_of(post, "Content-MD5");
    call->upload = NULL;
    err e = s3_upload_open(call, &claims, DIGEST_CRC64NVME);
    post->inner = call->upload;
    call->upload = &post->base;
    if (!failed(e)) {
        post->inner->drained = inner_drained;
        post->inner->user = post;
    }
    return e;
}

static err on_field(void *user, str name, str value)
{
    struct post *post = user;
    if (post->n == POST_MAX_FIELDS)
        return FAIL(FORMDATA_TOO_LONG);
    post->fields[post->n++] = (struct post_field){name, value};
    return OK;
}

static err on_file(void *user, str filename, str content_type)
{
    struct post *post = user;
    str policy = field_of(post, "policy");
    (void)content_type; /* AWS takes the object's type from the Content-Type field alone */
    post->filename = filename.p ? filename : S("");
    if (!field_of(post, "key").n)
        return must_contain(post, "key");
    TRY(identify(post, policy));
    if (policy.p)
        TRY(check_policy(post, policy));
    TRY(s3_may(post->call, "s3:PutObject", post->call->bucket, key_of(post, field_of(post, "key")),
               STR_NONE));
    TRY(take_object(post));
    return open_inner(post);
}

static err on_data(void *user, str chunk)
{
    struct post *post = user;
    err e = post->inner->ops->write(post->inner, chunk);
    post->base.busy = post->inner->busy;
    return e;
}

static err post_write(struct upload *upload, str chunk)
{
    return formdata_feed(((struct post *)upload)->form, chunk);
}

static void post_settle(struct upload *upload)
{
    struct post *post = (struct post *)upload;
    if (!post->inner)
        return;
    post->inner->ops->settle(post->inner);
    post->base.busy = post->inner->busy;
}

static void post_drop(struct upload *upload)
{
    struct post *post = (struct post *)upload;
    if (post->inner)
        post->inner->ops->drop(post->inner);
    post->inner = NULL;
}

static const struct upload_ops post_ops = {post_write, post_settle, post_drop};

static err post_begin(struct call *call, const void *input)
{
    const struct post_in *in = input;
    str boundary = formdata_boundary(in->content_type);
    struct post *post = ARENA_NEW(call->ctx.arena, struct post);
    struct formdata_sink sink = {post, on_field, on_file, on_data};
    if (!boundary.p)
        return err_with(call->ctx.arena, FAIL(S3_PRECONDITION_FAILED), "Condition",
                        S("Bucket POST must be of the enclosure-type multipart/form-data"));
    TRY(s3_bucket_of(call, in->bucket, STR_NONE, &post->bucket));
    post->base.ops = &post_ops;
    post->call = call;
    post->limits.max = -1;
    post->form = formdata_new(call->ctx.arena, boundary, &sink);
    call->upload = &post->base;
    return OK;
}

/* --- the answer --- */

static err check_size(struct post *post, int64_t size)
{
    struct arena *arena = post->call->ctx.arena;
    bool small = size < post->limits.min, large = post->limits.max >= 0 && size > post->limits.max;
    if (!small && !large)
        return OK;
    err e = small ? FAIL(S3_ENTITY_TOO_SMALL) : FAIL(S3_ENTITY_TOO_LARGE);
    e = err_with(arena, e, "ProposedSize", arena_printf(arena, "%lld", (long long)size));
    return err_with(
        arena, e, small ? "MinSizeAllowed" : "MaxSizeAllowed",
        arena_printf(arena, "%lld", (long long)(small ? post->limits.min : post->limits.max)));
}

static err store(struct post *post)
{
    struct call *call = post->call;
    struct s3_uploaded uploaded;
    call->upload = post->inner;
    post->inner = NULL;
    TRY(s3_upload_finish(call, &uploaded));
    err e = check_size(post, uploaded.size);
    if (failed(e)) {
        blob_sink_drop(uploaded.body);
        return e;
    }
    post->object.body = uploaded.body;
    post->object.size = uploaded.size;
    post->object.etag = uploaded.etag;
    post->object.checksum_kind = (int64_t)uploaded.algorithm + 1;
    post->object.checksum = uploaded.checksum;
    return s3_object_put(call->api->s3, &call->ctx, post->bucket, NULL, &post->object,
                         S3_CREATED_POST);
}

static str location_of(struct call *call, str key)
{
    struct buf b = buf_in(call->ctx.arena);
    buf_printf(&b, "http://%.*s/", STR_ARG(call->ctx.host));
    if (!str_starts(call->ctx.host, arena_join(call->ctx.arena, call->bucket, S("."))))
        buf_printf(&b, "%.*s/", STR_ARG(call->bucket));
    buf_percent(&b, key, PERCENT_ALL); /* slashes, too */
    return buf_str(&b);
}

/* 303 to success_action_redirect with bucket, key and etag added. */
static void redirect(struct call *call, str to, const struct post_out *out)
{
    struct buf b = buf_in(call->ctx.arena);
    buf_printf(&b, "%.*s%sbucket=", STR_ARG(to), str_find(to, S("?"), 0) < 0 ? "?" : "&");
    buf_percent(&b, out->bucket, PERCENT_ALL);
    BUF_LIT(&b, "&key=");
    buf_percent(&b, out->key, PERCENT_ALL);
    BUF_LIT(&b, "&etag=");
    buf_percent(&b, out->etag, PERCENT_ALL);
    call->reply->status = 303;
    http_reply_set(call->ctx.arena, call->reply, S("Location"), buf_str(&b));
}

static void answer(struct post *post, const struct post_out *out)
{
    struct call *call = post->call;
    struct arena *arena = call->ctx.arena;
    str to = field_of(post, "success_action_redirect"),
        status = field_of(post, "success_action_status");
    if (!to.n)
        to = field_of(post, "redirect");
    call->reply->status = str_eq(status, S("200")) ? 200 : 204;
    http_reply_set(arena, call->reply, S("Location"), out->location);
    if (str_starts(to, S("http://")) || str_starts(to, S("https://"))) {
        redirect(call, to, out);
    } else if (str_eq(status, S("201"))) {
        struct buf b = buf_in(arena);
        BUF_LIT(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>");
        shape_to_xml(&b, &post_out_shape, out);
        BUF_LIT(&b, "</PostResponse>");
        http_reply_bytes(arena, call->reply, 201, S("application/xml"), buf_str(&b));
    }
}

/* What PutObject would tell, the checksum too. */
static void answer_headers(struct post *post, str etag)
{
    struct call *call = post->call;
    struct s3_stored_out stored = {0};
    s3_written_fill(call, post->bucket, &post->object, &stored);
    const struct {
        const char *name;
        str value;
    } headers[] = {{"ETag", etag},
                   {"x-amz-version-id", stored.version_id},
                   {SSE, stored.sse},
                   {SSE "-aws-kms-key-id", stored.sse_key},
                   {SSE "-bucket-key-enabled", stored.sse_bucket_key.set ? S("true") : STR_NONE},
                   {SSE "-customer-algorithm", stored.ssec_algorithm},
                   {SSE "-customer-key-MD5", stored.ssec_md5},
                   {digest_infos[post->object.checksum_kind - 1].header, post->object.checksum},
                   {"x-amz-checksum-type", S("FULL_OBJECT")}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i].value.p)
            http_reply_set(call->ctx.arena, call->reply, str_of(headers[i].name), headers[i].value);
}

static err post_run(struct call *call, const void *input, void *output)
{
    struct post *post = (struct post *)call->upload;
    struct post_out *out = output;
    (void)input;
    err ended = formdata_end(post->form);
    if (ended.fault == &FORMDATA_NO_FILE)
        return err_with(call->ctx.arena,
                        err_with(call->ctx.arena, ended, "ArgumentName", S("file")),
                        "ArgumentValue", S("0"));
    TRY(ended);
    TRY(store(post));
    *out = (struct post_out){location_of(call, post->object.key), call->bucket, post->object.key,
                             s3_quoted(call, post->object.etag)};
    answer_headers(post, out->etag);
    answer(post, out);
    return OK;
}

const struct op s3_post_ops[] = {
    {.name = "PostObject",
     .in = &post_in_shape,
     .out = &post_out_shape,
     .run = post_run,
     .begin = post_begin,
     .flags = OP_UPLOAD | OP_RAW_OUTPUT | OP_ANONYMOUS,
     .rest = {"POST", REST_BUCKET},
     .action = "s3:PutObject"},
    {.name = NULL},
};
