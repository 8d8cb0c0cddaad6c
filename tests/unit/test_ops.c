/* test_ops.c - the registry: what is printed is JSON and complete, rows are sound, STS answers who
 * calls. */
#include "api/call.h"
#include "api/ops.h"
#include "aws/codec_query.h"
#include "aws/fault.h"
#include "aws/route_rest.h"

#include "unit.h"

#include <jansson.h>

static struct arena *arena;

static void fresh(void)
{
    if (arena)
        arena_reset(arena);
    else
        arena = arena_new();
}

TEST(the_registry_prints_every_row_as_json)
{
    fresh();
    struct buf b = buf_in(arena);
    api_ops_json(&b);
    json_t *root = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    CHECK(root != NULL);
    size_t printed = 0, rows = 0, i;
    json_t *service;
    json_array_foreach(json_object_get(root, "services"), i, service) printed +=
        json_array_size(json_object_get(service, "operations"));
    for (const struct service *const *s = api_services; *s; s++)
        FOR_EACH_OP(op, *s)
    rows++;
    CHECK_INT(printed, rows);
    json_decref(root);
}

static bool same_text(const char *a, const char *b)
{
    return str_eq(str_of(a), str_of(b));
}

static bool same_route(const struct rest_route *a, const struct rest_route *b)
{
    return a->method && same_text(a->method, b->method) && a->level == b->level &&
           same_text(a->query, b->query) && same_text(a->header, b->header);
}

static void check_against_others(const struct service *service, const struct op *one)
{
    FOR_EACH_OP(op, service)
    {
        CHECK(op == one || !same_text(op->name, one->name));
        CHECK(op == one || !same_route(&op->rest, &one->rest));
    }
}

TEST(no_two_rows_of_a_service_have_one_name_or_one_route)
{
    for (const struct service *const *s = api_services; *s; s++)
        FOR_EACH_OP(op, *s)
    check_against_others(*s, op);
}

static bool names_a_selector(str query)
{
    while (query.p) {
        str pair = str_cut(&query, '&');
        if (route_is_selector(str_cut(&pair, '=')))
            return true;
    }
    return false;
}

/* Else a request with a wrong method would fall through to the operation that has no sub-resource.
 */
TEST(every_route_with_a_query_has_a_known_sub_resource)
{
    FOR_EACH_OP(op, &s3_service)
    CHECK(!op->rest.query || names_a_selector(str_of(op->rest.query)));
}

TEST(every_implemented_row_can_run)
{
    for (const struct service *const *s = api_services; *s; s++)
        FOR_EACH_OP(op, *s)
        {
            CHECK(op->in && op->out);
            CHECK((op->flags & OP_UNIMPLEMENTED) || op->run);
            CHECK((*s)->refuse != NULL);
        }
}

static const struct op *caller_identity(void)
{
    FOR_EACH_OP(op, &sts_service)
    if (!strcmp(op->name, "GetCallerIdentity"))
        return op;
    return NULL;
}

static str identity_of(struct ctx ctx)
{
    fresh();
    struct call call = {.ctx = ctx};
    call.ctx.arena = arena;
    const struct op *op = caller_identity();
    void *out = arena_alloc(arena, op->out->size);
    struct buf b = buf_in(arena);
    err e = op->run(&call, NULL, out);
    if (failed(e))
        return str_of(e.fault->code);
    query_encode(&b, &sts_service, op, out, S("R1"));
    return buf_str(&b);
}

TEST(sts_says_who_calls)
{
    CHECK_STR(identity_of((struct ctx){.account = S("111122223333"),
                                       .principal = S("arn:aws:iam::111122223333:root")}),
              S("<?xml version=\"1.0\"?><GetCallerIdentityResponse "
                "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
                "<Arn>arn:aws:iam::111122223333:root</Arn><UserId>111122223333</"
                "UserId><Account>111122223333</Account></GetCallerIdentityResult>"
                "<ResponseMetadata><RequestId>R1</RequestId></ResponseMetadata></"
                "GetCallerIdentityResponse>"));
    str user = identity_of((struct ctx){.account = S("111122223333"),
                                        .principal = S("arn:aws:iam::111122223333:user/ann")});
    CHECK(str_find(user, S("<UserId>AIDA"), 0) > 0);
    CHECK_STR(identity_of((struct ctx){.account = S("111122223333"), .anonymous = true}),
              S("MissingAuthenticationToken"));
}

UNIT_MAIN
