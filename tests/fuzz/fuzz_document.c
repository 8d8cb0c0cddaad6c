/* A configuration document that is taken is given back as one that is taken again and given back
 * the same; and what acts on documents - CORS, lifecycle, events, tags - survives any that is
 * taken. The first line names the subresource ("cors"), the document follows. */
#include "emulator.h"

#include "s3/bucket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static str request(struct arena *arena, const char *method, str what, str body)
{
    return arena_printf(arena, "%s /bucket?%.*s\nHost: localhost\n\n%.*s", method, STR_ARG(what),
                        STR_ARG(body));
}

static str get(struct arena *arena, str what)
{
    struct fate fate;
    fuzz_ask(&fate, request(arena, "GET", what, S("")));
    str body = fate.status == 200 ? arena_copy(arena, fate.body) : STR_NONE;
    fuzz_end(fuzz_emulator(), &fate);
    return body;
}

/* Kinds whose reading gives something else than was put: an ACL's names, versioning's MFA, a
 * policy's own text, and those that are refused by name. */
static bool comes_back(str what)
{
    static const char *const kinds[] = {
        "cors",       "lifecycle",         "tagging",        "website",
        "encryption", "notification",      "object-lock",    "ownershipControls",
        "logging",    "publicAccessBlock", "requestPayment", "accelerate",
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(what, str_of(kinds[i])))
            return true;
    return false;
}

static void check_again(struct arena *arena, str what)
{
    str first = get(arena, what);
    if (!first.p)
        return;
    if (fuzz_status(request(arena, "PUT", what, first)) / 100 != 2)
        abort();
    str second = get(arena, what);
    if (!str_eq(first, second))
        abort();
}

static void act(void)
{
    fuzz_status(S("PUT /bucket/a/b.txt\nHost: localhost\nx-amz-tagging: k=v\n\nhello"));
    fuzz_status(S("OPTIONS /bucket/a\nHost: localhost\nOrigin: http://a.test\n"
                  "Access-Control-Request-Method: PUT\nAccess-Control-Request-Headers: x-a, b\n"));
    fuzz_status(S("GET /a/\nHost: bucket.s3-website-us-east-1.amazonaws.com\n"));
    fuzz_status(S("GET /bucket/a/b.txt\nHost: localhost\nOrigin: http://a.test\n"));
    fuzz_status(S("POST /_headrace/clock\nHost: localhost\n\n{\"advance\":\"40d\"}"));
    fuzz_status(S("HEAD /bucket/a/b.txt\nHost: localhost\n"));
    fuzz_status(S("DELETE /bucket/a/b.txt\nHost: localhost\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct app *app = fuzz_emulator();
    struct arena *arena = arena_new();
    str document = {(const char *)data, n}, what = str_cut(&document, '\n');
    if (fuzz_status(S("POST /\nHost: localhost\n"
                      "Content-Type: application/x-www-form-urlencoded\n\n"
                      "Action=CreateQueue&QueueName=queue")) != 200 ||
        fuzz_status(S("PUT /bucket\nHost: localhost\nx-amz-bucket-object-lock-enabled: true\n")) !=
            200)
        abort();
    if (what.n && document.p && fuzz_status(request(arena, "PUT", what, document)) / 100 == 2) {
        if (comes_back(what))
            check_again(arena, what);
        act();
    }
    arena_free(arena);
    clock_real(&app->clock);
    fuzz_empty(app);
    return 0;
}
