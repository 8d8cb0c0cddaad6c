/* app/identity.c - who calls (request.h). Under --auth off every readable access key is believed,
 * and a request without credentials speaks for the default account; under verify and enforce it is
 * nobody, whom only S3's policies and ACLs can let in. */
#include "app/request.h"

#include "aws/fault.h"
#include "base/digest.h"
#include "s3/bucket.h"

#include <string.h>

static bool is_s3(const struct request *request)
{
    return request->route.protocol == PROTOCOL_REST_XML;
}

static void set_caller(struct ctx *ctx, const struct identity *who)
{
    ctx->account = who->account;
    ctx->access_key = who->access_key;
    ctx->principal = who->arn;
    ctx->canonical_id = who->canonical_id;
    ctx->display_name = who->display_name;
}

static void set_region(struct request *request)
{
    struct ctx *ctx = &request->call.ctx;
    ctx->region = request->auth.region.n ? request->auth.region : request->app->options->region;
}

static err identify_nobody(struct request *request)
{
    struct app *app = request->app;
    struct ctx *ctx = &request->call.ctx;
    struct identity owner;
    keys_of_account(app->keys, ctx->arena, app->options->account, &owner);
    ctx->account = owner.account;
    if (app->options->auth == AUTH_OFF) {
        set_caller(ctx, &owner);
        ctx->access_key = STR_NONE;
        return OK;
    }
    ctx->anonymous = true;
    if (request->route.op && (request->route.op->flags & OP_ANONYMOUS))
        return OK;
    if (!is_s3(request))
        return FAIL(AWS_MISSING_TOKEN);
    return app->options->auth == AUTH_ENFORCE ? OK : FAIL(AWS_ACCESS_DENIED);
}

/* The region that an S3 signature must name: the bucket's. Of what no bucket is concerned any real
 * one will do, for all of them are here. Absent: any. */
static str s3_region(const struct request *request)
{
    const struct route *route = &request->route;
    bool makes = route->op && !strcmp(route->op->name, "CreateBucket");
    struct s3_bucket *bucket =
        route->bucket.p && !makes ? s3_bucket_get(request->app->s3, route->bucket) : NULL;
    if (bucket)
        return bucket->region;
    return s3_region_known(request->auth.region) ? STR_NONE : request->app->options->region;
}

static err verify(struct request *request, const struct form *form, str body_sha256,
                  struct auth_chunk_key *chunks)
{
    struct app *app = request->app;
    const struct route *route = &request->route;
    struct auth_check check = {
        .keys = app->keys,
        .real_now = clock_wall(),
        .now = request->call.ctx.now,
        .s3 = is_s3(request),
        .region = is_s3(request) ? s3_region(request) : STR_NONE,
        .service = route->service ? str_of(route->service->name) : STR_NONE,
        .bucket = route->virtual_host ? route->bucket : STR_NONE,
        .body_sha256 = body_sha256,
    };
    return auth_verify(request->http->arena, request->http, form, &request->auth, &check, chunks);
}

/* S3 announces the body's hash in a header, so its signature holds before the body; the others sign
 * the body itself. */
err request_identify(struct request *request, const struct form *form,
                     struct auth_chunk_key *chunks)
{
    struct app *app = request->app;
    struct arena *arena = request->http->arena;
    struct identity who;
    auth_read(arena, request->http, form, &request->auth);
    set_region(request);
    /* A preflight to a presigned URL carries the signature of the request that is to follow: it is
     * not this one's. */
    bool needs_none = request->route.op && request->route.op->flags & OP_ANONYMOUS;
    if (request->auth.scheme == AUTH_NONE || needs_none)
        return identify_nobody(request);
    keys_assume(app->keys, arena, request->auth.access_key, &who);
    set_caller(&request->call.ctx, &who);
    if (app->options->auth != AUTH_OFF && is_s3(request))
        TRY(verify(request, form, STR_NONE, chunks));
    return auth_check_expiry(arena, &request->auth, request->call.ctx.now);
}

err request_check_body(struct request *request)
{
    struct arena *arena = request->http->arena;
    bool signed_body = request->app->options->auth != AUTH_OFF && !is_s3(request) &&
                       request->auth.scheme != AUTH_NONE;
    bool announced = is_s3(request) && request->auth.payload == PAYLOAD_HASH;
    if (!signed_body && !announced)
        return OK;
    str sha256 = digest_hex(arena, digest_of(DIGEST_SHA256, buf_str(&request->body)));
    if (announced)
        return auth_check_body(arena, &request->auth, sha256);
    return verify(request, request->route.form.n ? &request->route.form : NULL, sha256, NULL);
}
