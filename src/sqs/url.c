/* sqs/url.c - queue URLs. One form is given out; every form that AWS, its SDKs and other local
 * servers ever gave is understood:
 *  - http://HOST/ACCOUNT/NAME: ours;
 *  - http://sqs.REGION.HOST/ACCOUNT/NAME: AWS today;
 *  - http://[REGION.]queue.HOST/ACCOUNT/NAME: AWS long ago; no region: us-east-1;
 *  - http://HOST/queue/REGION/ACCOUNT/NAME: LocalStack's path form;
 *  - http://HOST/queue/NAME, and NAME alone: account and region of the caller.
 * Host and port are not compared: a URL that was good inside a container is good outside. */
#include "sqs/engine.h"

struct address {
    str account, region, name;
};

static bool is_account(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* The last part of a path, removed from it. */
static str last_part(str *path)
{
    while (path->n && path->p[path->n - 1] == '/')
        path->n--;
    size_t at = path->n;
    while (at && path->p[at - 1] != '/')
        at--;
    str part = str_slice(*path, at, path->n);
    *path = str_slice(*path, 0, at);
    return part;
}

static str region_of_host(str host)
{
    str rest = host, first = str_cut(&rest, '.');
    if (str_eq(first, S("sqs")) && rest.p) {
        str region = str_cut(&rest, '.');
        return rest.p && str_find(region, S("-"), 0) > 0 ? region : STR_NONE;
    }
    if (str_eq(first, S("queue")) && rest.p && str_starts(rest, S("amazonaws.")))
        return S("us-east-1");
    if (rest.p && str_find(first, S("-"), 0) > 0 && str_eq(str_cut(&rest, '.'), S("queue")) &&
        rest.p)
        return first;
    return STR_NONE;
}

static void parse(str url, struct address *out)
{
    ptrdiff_t scheme = str_find(url, S("://"), 0);
    str rest = scheme >= 0 ? str_slice(url, (size_t)scheme + 3, url.n) : url;
    str host = scheme >= 0 ? str_cut(&rest, '/') : STR_NONE;
    str path = rest;
    out->name = last_part(&path);
    str account = last_part(&path);
    if (is_account(account))
        out->account = account;
    str region = last_part(&path);
    if (out->account.p && region.n && str_eq(last_part(&path), S("queue")))
        out->region = region;
    else
        out->region = region_of_host(host);
}

err sqs_queue_at(struct sqs *sqs, struct ctx *ctx, str url, int64_t *queue)
{
    struct address at = {0};
    if (!url.n)
        return err_text(ctx->arena, &SQS_MISSING_PARAMETER,
                        "The request must contain the parameter QueueUrl.");
    parse(url, &at);
    if (!at.name.n)
        return err_text(ctx->arena, &SQS_INVALID_ADDRESS,
                        "The address %.*s is not valid for this endpoint.", STR_ARG(url));
    str region = at.region.n ? at.region : ctx->region,
        account = at.account.n ? at.account : ctx->account;
    err e = sqs_queue_find(sqs, account, region, at.name, queue);
    if (!failed(e))
        return OK;
    str elsewhere = sqs_queue_elsewhere(sqs, account, region, at.name);
    if (elsewhere.p)
        log_info("sqs: queue %.*s is asked for in %.*s, but it is in %.*s", STR_ARG(at.name),
                 STR_ARG(region), STR_ARG(elsewhere));
    return e;
}

str sqs_queue_url(struct sqs *sqs, struct ctx *ctx, int64_t id)
{
    const struct queue *queue = queue_by_id(sqs, id);
    str host = ctx->host.n ? ctx->host : S("localhost");
    if (!queue)
        return STR_NONE;
    return arena_printf(ctx->arena, "http://%.*s/%.*s/%.*s", STR_ARG(host), STR_ARG(queue->account),
                        STR_ARG(queue->name));
}
