/* s3/name.c - which names AWS takes for a general purpose bucket, and which regions exist.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. */
#include "s3/bucket.h"

static bool is_edge(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool characters_ok(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!is_edge(name.p[i]) && name.p[i] != '-' && name.p[i] != '.')
            return false;
        if (name.p[i] == '.' && i + 1 < name.n && name.p[i + 1] == '.')
            return false;
    }
    return is_edge(name.p[0]) && is_edge(name.p[name.n - 1]);
}

static bool is_ipv4(str name)
{
    str rest = name;
    int groups = 0;
    while (rest.p) {
        str group = str_cut(&rest, '.');
        int64_t value;
        if (group.n == 0 || group.n > 3 || !str_to_int(group, &value))
            return false;
        groups++;
    }
    return groups == 4;
}

bool s3_bucket_name_ok(str name)
{
    static const char *const prefixes[] = {"xn--", "sthree-", "amzn-s3-demo-"};
    static const char *const suffixes[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};
    if (name.n < 3 || name.n > 63 || !characters_ok(name) || is_ipv4(name))
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (str_starts(name, str_of(prefixes[i])))
            return false;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (str_ends(name, str_of(suffixes[i])))
            return false;
    return true;
}

bool s3_region_known(str region)
{
    static const char *const regions[] = {
        "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-northeast-1", "ap-northeast-2",
        "ap-northeast-3", "ap-south-1",     "ap-south-2",     "ap-southeast-1", "ap-southeast-2",
        "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
        "ca-central-1",   "ca-west-1",      "cn-north-1",     "cn-northwest-1", "eu-central-1",
        "eu-central-2",   "eu-north-1",     "eu-south-1",     "eu-south-2",     "eu-west-1",
        "eu-west-2",      "eu-west-3",      "il-central-1",   "me-central-1",   "me-south-1",
        "mx-central-1",   "sa-east-1",      "us-east-1",      "us-east-2",      "us-gov-east-1",
        "us-gov-west-1",  "us-west-1",      "us-west-2"};
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++)
        if (str_eq(region, str_of(regions[i])))
            return true;
    return false;
}
