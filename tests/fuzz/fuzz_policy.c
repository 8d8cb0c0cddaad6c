/* Any bytes are a policy or are refused, and one policy always decides one request alike. */
#include "aws/policy.h"

#include "base/buf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct policy_value context[] = {
    {{"aws:SourceIp", 12}, {"127.0.0.1", 9}},
    {{"s3:prefix", 9}, {"home/ann", 8}},
    {{"s3:max-keys", 11}, {"10", 2}},
    {{"aws:CurrentTime", 15}, {"2026-01-01T00:00:00Z", 20}},
    {{"aws:SourceArn", 13}, {"arn:aws:s3:::b", 14}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena *arena = arena_new();
    str json = {(const char *)data, n};
    struct policy *policy;
    struct policy_request request = {.principal = S("arn:aws:iam::111122223333:root"),
                                     .account = S("111122223333"),
                                     .action = S("s3:GetObject"),
                                     .resource = S("arn:aws:s3:::b/k"),
                                     .context = context,
                                     .ncontext = sizeof context / sizeof *context};
    if (!failed(policy_parse(arena, json, &policy))) {
        enum policy_decision first = policy_decide(policy, &request);
        (void)policy_check_bucket(arena, policy, S("b"));
        (void)policy_is_public(policy);
        if (policy_decide(policy, &request) != first)
            abort();
    }
    arena_free(arena);
    return 0;
}
