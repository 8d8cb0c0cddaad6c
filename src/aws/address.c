/* aws/address.c - which S3 bucket and key a request names, by its Host and path (route_address in
 * route.h).
 *
 * A bucket is in the host where the labels say so: BUCKET.s3[.REGION].ANYTHING,
 * BUCKET.s3-REGION.amazonaws.com, BUCKET.s3-website[-REGION].ANYTHING, and BUCKET.localhost. Any
 * other host, and every IP address, is path style; so a server that is reached by a container's
 * name or over --allow-host never takes that name for a bucket. Bucket names may contain dots,
 * therefore the last "s3" label counts. */
#include "aws/route.h"

#include "base/text.h"

#include <string.h>

struct labels {
    str at[32];
    size_t n;
};

static str host_name(struct arena *arena, const struct http_request *request)
{
    str host = text_lower(arena, http_header(request, S("host")));
    if (!host.p || (host.n && host.p[0] == '['))
        return S("");
    host = str_cut(&host, ':');
    if (str_ends(host, S(".")))
        host.n--;
    return host;
}

static bool split(str host, struct labels *out)
{
    *out = (struct labels){.n = 0};
    str rest = host;
    while (rest.p) {
        if (out->n == sizeof out->at / sizeof *out->at)
            return false;
        out->at[out->n++] = str_cut(&rest, '.');
    }
    return true;
}

static bool is_ip(str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return true;
}

static bool is_website_label(str label)
{
    return str_eq(label, S("s3-website")) || str_starts(label, S("s3-website-"));
}

static bool is_s3_label(str label, bool amazon)
{
    return str_eq(label, S("s3")) || is_website_label(label) ||
           (amazon && str_starts(label, S("s3-")));
}

/* "sqs.localhost", "us-east-1.queue.localhost", "sts.localhost": endpoints of services, not
 * buckets. */
static bool is_service_host(const struct labels *labels)
{
    static const char *const names[] = {"sqs",    "sts", "queue", "s3",      "s3-control",
                                        "lambda", "iam", "sns",   "dynamodb"};
    str first = labels->at[0], last = labels->at[labels->n - 2];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(first, str_of(names[i])))
            return true;
    return labels->n == 3 && str_eq(last, S("queue"));
}

/* The label before which the bucket ends: 0 when the host holds no bucket. */
static size_t bucket_end(str host, const struct labels *labels)
{
    bool amazon = str_ends(host, S(".amazonaws.com"));
    for (size_t i = labels->n; i-- > 0;)
        if (is_s3_label(labels->at[i], amazon))
            return i;
    bool local = labels->n >= 2 && str_eq(labels->at[labels->n - 1], S("localhost"));
    return local && !is_service_host(labels) ? labels->n - 1 : 0;
}

static void take_host(str host, struct route *route)
{
    struct labels labels;
    if (!host.n || is_ip(host) || !split(host, &labels))
        return;
    size_t end = bucket_end(host, &labels);
    if (!end)
        return;
    const char *stop = labels.at[end - 1].p + labels.at[end - 1].n;
    if (stop == host.p)
        return;
    route->bucket = (str){host.p, (size_t)(stop - host.p)};
    route->virtual_host = true;
    route->website = is_website_label(labels.at[end]);
}

void route_address(struct arena *arena, const struct http_request *request, struct route *route)
{
    route->bucket = route->key = STR_NONE;
    route->virtual_host = route->website = false;
    take_host(host_name(arena, request), route);
    str path = request->path;
    if (path.n && path.p[0] == '/')
        path = str_slice(path, 1, path.n);
    if (!route->virtual_host) {
        str rest = path;
        str bucket = str_cut(&rest, '/');
        route->bucket = path.n ? percent_decode(arena, bucket, false) : STR_NONE;
        path = rest;
    }
    route->key = path.n ? percent_decode(arena, path, false) : STR_NONE;
    route->level = route->key.p ? REST_OBJECT : route->bucket.p ? REST_BUCKET : REST_SERVICE;
}
