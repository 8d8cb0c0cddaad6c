/* app/safety.c - see safety.h. Virtual-host S3 names (bucket.localhost, bucket.s3.localhost) are
 * below localhost, which browsers and resolvers keep on this machine (RFC 6761). Names that SDKs
 * build for real endpoints (bucket.s3.amazonaws.com) come only from clients that were told to
 * connect here whatever the name; a rebinding page cannot own amazonaws.com, so they pass. */
#include "app/safety.h"

static bool all_of(str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        const char *c = set;
        while (*c && *c != s.p[i])
            c++;
        if (!*c)
            return false;
    }
    return s.n > 0;
}

static bool is_loopback(str host)
{
    return str_eq_nocase(host, S("localhost")) || str_ends_nocase(host, S(".localhost")) ||
           str_eq_nocase(host, S("localhost.")) || str_eq(host, S("::1")) ||
           (str_starts(host, S("127.")) && all_of(host, "0123456789.")) ||
           str_eq_nocase(host, S("ip6-localhost"));
}

static bool under(str host, str domain)
{
    return str_ends_nocase(host, domain) || str_eq_nocase(host, str_slice(domain, 1, domain.n));
}

static bool is_allowed(str host, str rule)
{
    if (str_eq(rule, S("*")))
        return true;
    if (str_starts(rule, S("*.")))
        rule = str_slice(rule, 1, rule.n);
    return str_starts(rule, S(".")) ? under(host, rule) : str_eq_nocase(host, rule);
}

/* "" or ":8080". */
static bool is_port(str text)
{
    return !text.n || (text.p[0] == ':' && all_of(str_slice(text, 1, text.n), "0123456789"));
}

/* What is no host with or without a port is nobody's name, and stays as it is. */
str safety_host(str authority)
{
    if (str_starts(authority, S("["))) {
        ptrdiff_t end = str_find(authority, S("]"), 0);
        bool whole = end >= 0 && is_port(str_slice(authority, (size_t)end + 1, authority.n));
        return whole ? str_slice(authority, 1, (size_t)end) : authority;
    }
    ptrdiff_t colon = str_find(authority, S(":"), 0);
    /* More than one colon without brackets: a bare IPv6 address. */
    if (colon < 0 || str_find(authority, S(":"), (size_t)colon + 1) >= 0)
        return authority;
    if (!is_port(str_slice(authority, (size_t)colon, authority.n)))
        return authority;
    return str_slice(authority, 0, (size_t)colon);
}

bool safety_host_ok(const struct safety *safety, str host)
{
    if (is_loopback(host) || under(host, S(".amazonaws.com")))
        return true;
    if (str_eq_nocase(host, safety->address))
        return true;
    for (size_t i = 0; i < safety->nallowed; i++)
        if (is_allowed(host, safety->allowed[i]))
            return true;
    return false;
}

str safety_check_host(const struct safety *safety, const struct http_request *request)
{
    str authority = http_header(request, S("Host"));
    if (!authority.p || safety_host_ok(safety, safety_host(authority)))
        return STR_NONE;
    return arena_printf(
        request->arena,
        "Host \"%.*s\" is not one of this server's names (protection against DNS rebinding). "
        "Start headrace with --allow-host %.*s to accept it.\n",
        STR_ARG(authority), STR_ARG(safety_host(authority)));
}

static str origin_host(str origin)
{
    ptrdiff_t scheme = str_find(origin, S("://"), 0);
    return scheme < 0 ? STR_NONE : safety_host(str_slice(origin, (size_t)scheme + 3, origin.n));
}

/* A page served from this very authority, or from any page of this machine that we are configured
 * to trust. */
static bool same_authority(str origin, str authority)
{
    ptrdiff_t scheme = str_find(origin, S("://"), 0);
    return scheme >= 0 && str_eq_nocase(str_slice(origin, (size_t)scheme + 3, origin.n), authority);
}

bool safety_foreign(const struct safety *safety, const struct http_request *request)
{
    str origin = http_header(request, S("Origin"));
    /* To a browser every port of this machine is one site: a page of another program here is no
     * page of ours. */
    str site = http_header(request, S("Sec-Fetch-Site"));
    if (!origin.p)
        return str_eq_nocase(site, S("cross-site")) || str_eq_nocase(site, S("same-site"));
    if (same_authority(origin, http_header(request, S("Host"))))
        return false;
    str host = origin_host(origin);
    for (size_t i = 0; host.p && i < safety->nallowed; i++)
        if (!str_eq(safety->allowed[i], S("*")) && is_allowed(host, safety->allowed[i]))
            return false;
    return true;
}

static bool opened_as_page(str destination)
{
    return str_eq_nocase(destination, S("document")) || str_eq_nocase(destination, S("iframe")) ||
           str_eq_nocase(destination, S("frame")) || str_eq_nocase(destination, S("embed")) ||
           str_eq_nocase(destination, S("object"));
}

static bool brings_scripts(str type)
{
    return str_eq_nocase(type, S("text/html")) || str_eq_nocase(type, S("application/xhtml+xml")) ||
           str_eq_nocase(type, S("image/svg+xml")) || str_eq_nocase(type, S("text/xml")) ||
           str_eq_nocase(type, S("application/xml"));
}

bool safety_active_page(const struct http_request *request, str content_type)
{
    str destination = http_header(request, S("Sec-Fetch-Dest"));
    return destination.p && opened_as_page(destination) &&
           brings_scripts(str_trim(str_cut(&content_type, ';')));
}
