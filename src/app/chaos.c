/* app/chaos.c - see chaos.h. With no rule set nothing here costs more than a look at an empty list.
 * Latency is real time: a client waits for it even when virtual time stands still. */
#include "app/chaos.h"

#include "app/trace_feed.h"

#include <stdlib.h>

#define BEFORE                                                                                     \
    (EFFECT_BIT(EFFECT_ERROR) | EFFECT_BIT(EFFECT_LATENCY) | EFFECT_BIT(EFFECT_CUT) |              \
     EFFECT_BIT(EFFECT_DUPLICATE) | EFFECT_BIT(EFFECT_REORDER) | EFFECT_BIT(EFFECT_LOSE_DELETE))
#define EVENT (EFFECT_BIT(EFFECT_LATE_EVENT) | EFFECT_BIT(EFFECT_DOUBLE_EVENT))

struct delayed {
    uv_timer_t timer;
    struct request *request; /* NULL: it has gone */
};

static struct fault_probe probe_of(const struct request *request)
{
    const struct call *call = &request->call;
    return (struct fault_probe){
        .service = str_of(call->service->name),
        .operation = str_of(call->op->name),
        .region = call->ctx.region,
        .account = call->ctx.account,
        .bucket = call->bucket,
        .key = call->key,
        .queue = request_queue(request),
    };
}

static err ordered_error(struct request *request, const struct fault_hit *hit)
{
    struct arena *arena = request->http->arena;
    struct fault *row = ARENA_NEW(arena, struct fault);
    const char *code = arena_cstr(arena, hit->code);
    *row = (struct fault){code, code, hit->status, arena_cstr(arena, hit->message), NULL};
    return (err){.fault = row};
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void late(uv_timer_t *timer)
{
    struct delayed *delayed = timer->data;
    struct request *request = delayed->request;
    uv_close((uv_handle_t *)timer, on_closed);
    if (!request)
        return;
    request->delayed = NULL;
    request_run(request);
}

static void delay(struct request *request, msec length)
{
    struct delayed *delayed = request->delayed = xalloc(sizeof *delayed);
    uv_timer_init(request->app->loop, &delayed->timer);
    delayed->timer.data = delayed;
    delayed->request = request;
    uv_timer_start(&delayed->timer, late, (uint64_t)length, 0);
}

void chaos_gone(struct request *request)
{
    struct delayed *delayed = request->delayed;
    if (!delayed)
        return;
    request->delayed = NULL;
    delayed->request = NULL;
    uv_timer_stop(&delayed->timer);
    uv_close((uv_handle_t *)&delayed->timer, on_closed);
}

/* Returns false when the request must not run now. */
static bool strike(struct request *request, const struct fault_hit *hit)
{
    unsigned *chaos = &request->call.ctx.chaos;
    switch (hit->effect) {
    case EFFECT_ERROR:
        request_refuse(request, ordered_error(request, hit));
        return false;
    case EFFECT_LATENCY:
        delay(request, hit->delay);
        return false;
    case EFFECT_CUT:
        request->cut = (int)hit->cut;
        request->cuts = true;
        if (hit->cut != CUT_BEFORE)
            return true;
        request->stage = STAGE_ANSWERED;
        request->app->outlet->cut(request->http);
        return false;
    case EFFECT_DUPLICATE:
        *chaos |= CHAOS_DUPLICATE;
        return true;
    case EFFECT_REORDER:
        *chaos |= CHAOS_REORDER;
        return true;
    case EFFECT_LOSE_DELETE:
        *chaos |= CHAOS_LOSE_DELETE;
        return true;
    default:
        return true;
    }
}

/* An error or a cut leaves nothing to delay; so they come last. */
bool chaos_before(struct request *request)
{
    struct fault_hit hits[EFFECTS];
    bool run = true;
    if (request->probed || fault_rules_empty(request->app->faults))
        return true;
    request->probed = true;
    struct fault_probe probe = probe_of(request);
    size_t n = fault_rules_fire(request->app->faults, BEFORE, &probe, hits);
    for (size_t i = 0; i < n; i++)
        trace_feed_fault(request, &hits[i]);
    for (size_t i = 0; i < n && run; i++)
        run = strike(request, &hits[i]);
    return run;
}

bool chaos_reply(struct request *request, struct http_reply *reply)
{
    if (!request->cuts)
        return true;
    if (request->cut == CUT_WITHIN) {
        int64_t length = reply->kind == HTTP_BODY_BYTES ? (int64_t)reply->bytes.n : reply->length;
        reply->cut_after = length / 2;
        return true;
    }
    request->app->outlet->cut(request->http);
    return false;
}

int chaos_event(struct app *app, const struct ctx *ctx, str queue, msec *delay_by)
{
    struct fault_hit hits[EFFECTS];
    int times = 1;
    *delay_by = 0;
    if (fault_rules_empty(app->faults))
        return times;
    struct fault_probe probe = {.service = S("s3"),
                                .operation = S("Event"),
                                .region = ctx->region,
                                .account = ctx->account,
                                .queue = queue};
    size_t n = fault_rules_fire(app->faults, EVENT, &probe, hits);
    for (size_t i = 0; i < n; i++) {
        trace_feed_event_fault(app, ctx, &hits[i], queue);
        if (hits[i].effect == EFFECT_DOUBLE_EVENT)
            times = 2;
        else
            *delay_by = hits[i].delay;
    }
    return times;
}
