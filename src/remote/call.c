/* remote/call.c - the life of one call: credentials, signature, attempt, judgement; again while it
 * is worth it. What is learnt on the way stays: a bucket's region, the difference of the clocks,
 * and that a service wants to be left in peace for a while. */
#include "remote/remote.h"

#include "aws/sigv4.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xml.h"

#include <jansson.h>
#include <stdlib.h>

#define SKEW_WORTH 240000 /* ms of difference that explain a refused signature */
#define CALM 2000         /* ms without new work after a throttled answer */

struct remote_region {
    str bucket, region;
    str origin; /* of a 307 to another host; absent */
    struct remote_region *next;
};

struct remote_call {
    uv_timer_t timer; /* first: its close callback frees the call */
    struct remote *remote;
    struct remote_request request;
    struct http_fetch *fetch;
    bool redirected, relearnt; /* relearnt: clock or credentials were put right once */
    int64_t attempt, cost;
};

void remote_init(struct remote *remote)
{
    remote->region_arena = arena_new();
    if (!remote->settings.max_attempts)
        remote->settings.max_attempts = 3;
}

void remote_free(struct remote *remote)
{
    arena_free(remote->region_arena);
}

static struct remote_region *region_of(struct remote *remote, str bucket)
{
    struct remote_region *at = remote->regions;
    while (at && !str_eq(at->bucket, bucket))
        at = at->next;
    return at;
}

static struct remote_region *region_learn(struct remote *remote, str bucket)
{
    struct remote_region *at = region_of(remote, bucket);
    if (at)
        return at;
    at = ARENA_NEW(remote->region_arena, struct remote_region);
    *at = (struct remote_region){.bucket = arena_copy(remote->region_arena, bucket),
                                 .region = remote->settings.region,
                                 .next = remote->regions};
    remote->regions = at;
    return at;
}

static bool is_s3(const struct remote_call *call)
{
    return str_eq(call->request.service, S("s3"));
}

/* May the bucket be a label of the host? With TLS a dot would miss the wildcard certificate. */
static bool host_label(str bucket, bool tls)
{
    if (bucket.n < 3 || bucket.n > 63)
        return false;
    for (size_t i = 0; i < bucket.n; i++) {
        char c = bucket.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!plain && (c != '.' || tls))
            return false;
    }
    return true;
}

static str aws_origin(struct arena *arena, str service, str region)
{
    const char *suffix = str_starts(region, S("cn-")) ? ".cn" : "";
    return arena_printf(arena, "https://%.*s.%.*s.amazonaws.com%s", STR_ARG(service),
                        STR_ARG(region), suffix);
}

struct address {
    str scheme, host, path, region;
};

static void split_origin(str origin, struct address *out)
{
    ptrdiff_t mark = str_find(origin, S("://"), 0);
    out->scheme = mark < 0 ? S("http") : str_slice(origin, 0, (size_t)mark);
    str rest = mark < 0 ? origin : str_slice(origin, (size_t)mark + 3, origin.n);
    out->host = str_cut(&rest, '/');
}

static struct address s3_address(struct remote_call *call)
{
    const struct remote_settings *settings = &call->remote->settings;
    struct arena *arena = call->request.arena;
    str bucket = call->request.bucket;
    struct remote_region *known = region_of(call->remote, bucket);
    struct address address = {.region = known ? known->region : settings->region};
    str origin = settings->s3_endpoint;
    if (known && known->origin.p) {
        split_origin(known->origin, &address); /* the redirect named the bucket's host */
        address.path =
            arena_join(arena, S("/"), percent_encode(arena, call->request.key, PERCENT_PATH));
        return address;
    }
    bool on_aws = !origin.p;
    split_origin(on_aws ? aws_origin(arena, S("s3"), address.region) : origin, &address);
    bool tls = str_eq(address.scheme, S("https"));
    bool virtual_host =
        settings->addressing == ADDRESS_VIRTUAL || (settings->addressing == ADDRESS_AUTO && on_aws);
    str key = percent_encode(arena, call->request.key, PERCENT_PATH);
    if (virtual_host && host_label(bucket, tls)) {
        address.host = arena_printf(arena, "%.*s.%.*s", STR_ARG(bucket), STR_ARG(address.host));
        address.path = arena_join(arena, S("/"), key);
    } else {
        address.path = arena_printf(arena, "/%.*s/%.*s", STR_ARG(bucket), STR_ARG(key));
    }
    return address;
}

static struct address address_of(struct remote_call *call)
{
    const struct remote_settings *settings = &call->remote->settings;
    struct address address = {.region = settings->region, .path = S("/")};
    if (is_s3(call))
        return s3_address(call);
    str origin = settings->sqs_endpoint.p ? settings->sqs_endpoint : call->request.endpoint;
    if (!origin.p)
        origin = aws_origin(call->request.arena, call->request.service, address.region);
    split_origin(origin, &address);
    return address;
}

static void over(struct remote_call *call, const struct remote_answer *answer)
{
    struct remote_request request = call->request;
    if (remote_ok(answer))
        retry_refund(&call->remote->budget, call->cost);
    call->remote->open--;
    uv_close((uv_handle_t *)&call->timer, (uv_close_cb)free);
    request.done(request.user, answer);
}

static void read_xml_error(struct arena *arena, struct remote_answer *answer)
{
    struct xml *root = xml_parse(arena, answer->http.body);
    const struct xml *code = root ? xml_child(root, S("Code")) : NULL;
    const struct xml *message = root ? xml_child(root, S("Message")) : NULL;
    if (code)
        answer->code = str_trim(code->text);
    if (message)
        answer->message = message->text;
}

static void read_json_error(struct arena *arena, struct remote_answer *answer)
{
    json_t *root = json_loadb(answer->http.body.p, answer->http.body.n, 0, NULL);
    const char *type = json_string_value(json_object_get(root, "__type"));
    const char *message = json_string_value(json_object_get(root, "message"));
    if (!message)
        message = json_string_value(json_object_get(root, "Message"));
    str code = str_of(type);
    ptrdiff_t mark = type ? str_find(code, S("#"), 0) : -1;
    if (mark >= 0)
        code = str_slice(code, (size_t)mark + 1, code.n);
    answer->code = arena_copy(arena, code);
    answer->message = arena_copy(arena, str_of(message));
    json_decref(root);
}

struct status_code {
    int status;
    const char *code, *message;
};

/* HeadObject has no body: the status is all there is. */
static const struct status_code status_codes[] = {
    {400, "BadRequest", "Bad Request"},       {403, "Forbidden", "Forbidden"},
    {404, "NotFound", "Not Found"},           {412, "PreconditionFailed", "Precondition Failed"},
    {503, "SlowDown", "Service Unavailable"},
};

static void name_error(struct remote_call *call, struct remote_answer *answer)
{
    struct arena *arena = call->request.arena;
    if (remote_ok(answer))
        return;
    if (!answer->status) {
        answer->code = S("NoAnswer");
        answer->message = answer->http.error;
        return;
    }
    if (answer->http.body.n && is_s3(call))
        read_xml_error(arena, answer);
    else if (answer->http.body.n)
        read_json_error(arena, answer);
    for (size_t i = 0; !answer->code.p && i < sizeof status_codes / sizeof *status_codes; i++)
        if (status_codes[i].status == answer->status)
            answer->code = str_of(status_codes[i].code),
            answer->message = str_of(status_codes[i].message);
    if (!answer->code.p)
        answer->code = arena_printf(arena, "HTTP%d", answer->status);
    if (!answer->message.p)
        answer->message = S("no text");
}

static str region_in(const struct remote_call *call, const struct remote_answer *answer)
{
    str region = http_fetched_header(&answer->http, S("x-amz-bucket-region"));
    struct xml *root = region.p ? NULL : xml_parse(call->request.arena, answer->http.body);
    const struct xml *element = root ? xml_child(root, S("Region")) : NULL;
    return element ? str_trim(element->text) : region;
}

/* True when the answer says that the bucket is elsewhere, and where; the next attempt goes there.
 */
static bool learn_place(struct remote_call *call, const struct remote_answer *answer)
{
    struct remote *remote = call->remote;
    bool wrong = answer->status == 301 || answer->status == 307 || answer->status == 400;
    if (!is_s3(call) || call->redirected || !wrong)
        return false;
    str region = region_in(call, answer);
    str location = http_fetched_header(&answer->http, S("Location"));
    struct remote_region *at = region_learn(remote, call->request.bucket);
    if (answer->status == 307 && location.p) {
        struct address address;
        split_origin(location, &address);
        at->origin = arena_printf(remote->region_arena, "%.*s://%.*s", STR_ARG(address.scheme),
                                  STR_ARG(address.host));
        return call->redirected = true;
    }
    if (!region.n || str_eq(region, at->region))
        return false;
    at->region = arena_copy(remote->region_arena, region);
    return call->redirected = true;
}

static bool learn_skew(struct remote_call *call, const struct remote_answer *answer)
{
    struct remote *remote = call->remote;
    msec theirs, ours = remote->now(remote->user) + remote->skew;
    if (!date_parse_http(http_fetched_header(&answer->http, S("Date")), &theirs))
        return false;
    msec difference = theirs > ours ? theirs - ours : ours - theirs;
    if (call->relearnt || difference < SKEW_WORTH)
        return false;
    remote->skew += theirs - ours;
    log_warn("clock: ours differs from the service's by %lld s; correcting signatures",
             (long long)(remote->skew / 1000));
    return call->relearnt = true;
}

static void attempt(struct remote_call *call);

static void waited(uv_timer_t *timer)
{
    attempt(timer->data);
}

static void attempt_later(struct remote_call *call, msec delay)
{
    uv_timer_start(&call->timer, waited, (uint64_t)delay, 0);
}

/* Another attempt for a failure that may pass? */
static bool try_again(struct remote_call *call, enum retry_kind kind)
{
    struct remote *remote = call->remote;
    int64_t attempts =
        call->request.attempts ? call->request.attempts : remote->settings.max_attempts;
    if (kind == RETRY_THROTTLED) {
        remote->throttles++;
        remote->calm_until = remote->now(remote->user) + CALM;
    }
    if (call->attempt >= attempts || !retry_spend(&remote->budget, kind, &call->cost))
        return false;
    remote->retries++;
    attempt_later(call, retry_delay(remote->rng, call->attempt));
    return true;
}

static void judge(struct remote_call *call, const struct remote_answer *answer)
{
    if (remote_ok(answer)) {
        over(call, answer);
        return;
    }
    enum retry_kind kind = retry_kind_of(answer->status, answer->code);
    bool at_once = learn_place(call, answer) || (kind == RETRY_SKEWED && learn_skew(call, answer));
    if (kind == RETRY_EXPIRED && !call->relearnt) {
        credentials_expired(call->remote->credentials);
        at_once = call->relearnt = true;
    }
    if (at_once) {
        call->attempt--;
        attempt_later(call, 0);
        return;
    }
    bool passing = kind == RETRY_TRANSIENT || kind == RETRY_THROTTLED;
    if (!passing || !try_again(call, kind))
        over(call, answer);
}

static void fetched(void *user, const struct http_fetched *http)
{
    struct remote_call *call = user;
    struct remote_answer answer = {.status = http->status, .http = *http};
    call->fetch = NULL;
    name_error(call, &answer);
    judge(call, &answer);
}

static bool piece(void *user, str bytes)
{
    struct remote_call *call = user;
    return call->request.piece(call->request.user, bytes);
}

static struct http_request *signed_request(struct remote_call *call, const struct address *address,
                                           const struct credential *credential)
{
    struct arena *arena = call->request.arena;
    struct remote *remote = call->remote;
    struct http_request *request = ARENA_NEW(arena, struct http_request);
    size_t n = call->request.nheaders;
    struct http_header *headers = arena_array(arena, n + 1, sizeof *headers);
    headers[0] = (struct http_header){S("Host"), address->host};
    for (size_t i = 0; i < n; i++)
        headers[i + 1] = call->request.headers[i];
    *request = (struct http_request){
        .arena = arena,
        .method = call->request.method,
        .target = address->path,
        .path = address->path,
        .headers = headers,
        .nheaders = n + 1,
    };
    str body = call->request.body;
    bool open_body = is_s3(call) && str_eq(address->scheme, S("https"));
    struct sign sign = {
        .access_key = credential->access_key,
        .secret = credential->secret,
        .token = credential->token,
        .region = address->region,
        .service = call->request.service,
        .now = remote->now(remote->user) + remote->skew,
        .payload_hash =
            open_body ? S("UNSIGNED-PAYLOAD") : digest_hex(arena, digest_of(DIGEST_SHA256, body)),
    };
    sign_request(arena, request, &sign);
    return request;
}

static void go(void *user, const struct credential *credential, str error)
{
    struct remote_call *call = user;
    struct arena *arena = call->request.arena;
    if (!credential) {
        over(call, &(struct remote_answer){.code = S("NoCredentials"), .message = error});
        return;
    }
    struct address address = address_of(call);
    struct http_request *request = signed_request(call, &address, credential);
    if (call->request.restart)
        call->request.restart(call->request.user);
    struct http_fetch_options options = {
        .arena = arena,
        .method = request->method,
        .url = arena_printf(arena, "%.*s://%.*s%.*s", STR_ARG(address.scheme),
                            STR_ARG(address.host), STR_ARG(address.path)),
        .headers = request->headers,
        .nheaders = request->nheaders,
        .body = call->request.body,
        .timeout = call->request.timeout,
        .body_max = call->request.body_max,
        .piece = call->request.piece ? piece : NULL,
        .done = fetched,
        .user = call,
    };
    call->fetch = http_client_fetch(call->remote->http, &options);
}

static void attempt(struct remote_call *call)
{
    call->attempt++;
    call->remote->calls++;
    credentials_get(call->remote->credentials, go, call);
}

struct remote_call *remote_start(struct remote *remote, const struct remote_request *request)
{
    struct remote_call *call = xalloc(sizeof *call);
    call->remote = remote;
    remote->open++;
    call->request = *request;
    uv_timer_init(remote->loop, &call->timer);
    call->timer.data = call;
    /* From the loop, never from here: `done` must not be called before the caller has the call. */
    attempt_later(call, 0);
    return call;
}

void remote_cancel(struct remote_call *call)
{
    credentials_forget(call->remote->credentials, call);
    if (call->fetch)
        http_fetch_cancel(call->fetch);
    call->remote->open--;
    uv_close((uv_handle_t *)&call->timer, (uv_close_cb)free);
}
