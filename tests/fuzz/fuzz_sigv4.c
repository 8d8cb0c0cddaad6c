/* Credentials of any form are read and refused without harm; and a request of any form that we sign
 * is one that we accept. */
#include "aws/sigv4.h"

#include "request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW 1767225600000LL

static void check(struct arena *arena, struct http_request *request, struct keys *keys, bool s3)
{
    struct auth auth;
    struct auth_chunk_key chunks;
    struct form form;
    struct auth_check options = {.keys = keys,
                                 .real_now = NOW,
                                 .now = NOW,
                                 .s3 = s3,
                                 .service = s3 ? S("s3") : S("sqs"),
                                 .region = S("us-east-1"),
                                 .body_sha256 = S("0000")};
    if (!form_parse(arena, request->query, STR_NONE, &form))
        return;
    auth_read(arena, request, s3 ? NULL : &form, &auth);
    auth_body_chunked(request, &auth);
    (void)auth_check_expiry(arena, &auth, NOW);
    (void)auth_verify(arena, request, s3 ? NULL : &form, &auth, &options, &chunks);
}

/* `authorization` and what goes with it would be set twice otherwise. */
static void sign_and_verify(struct arena *arena, struct http_request *request, struct keys *keys)
{
    struct auth auth;
    struct sign sign = {.access_key = S("test"),
                        .secret = S("test"),
                        .region = S("us-east-1"),
                        .service = S("s3"),
                        .now = NOW,
                        .payload_hash = S("UNSIGNED-PAYLOAD")};
    struct auth_check options = {
        .keys = keys, .real_now = NOW, .now = NOW, .s3 = true, .service = S("s3")};
    request->query = STR_NONE;
    request->nheaders = 0;
    request->headers[request->nheaders++] = (struct http_header){S("Host"), S("localhost:4566")};
    sign_request(arena, request, &sign);
    auth_read(arena, request, NULL, &auth);
    if (failed(auth_verify(arena, request, NULL, &auth, &options, NULL)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    struct keys *keys = keys_new(S("000000000000"));
    struct http_request request;
    fuzz_request(arena, (str){(const char *)data, n}, &request);
    check(arena, &request, keys, true);
    check(arena, &request, keys, false);
    sign_and_verify(arena, &request, keys);
    keys_free(keys);
    arena_free(arena);
    return 0;
}
