/* app/safety.h - who may talk to us. The server listens on loopback, but a browser on this machine
 * is a door to it: a hostile page can send requests here, and by DNS rebinding even read the
 * answers. Two rules close the door: the Host must be a name of ours, and a request that a browser
 * marks as coming from a foreign page is refused (S3 requests: unless the bucket's CORS rules allow
 * it). */
#ifndef HEADRACE_APP_SAFETY_H
#define HEADRACE_APP_SAFETY_H

#include "http/message.h"

struct safety {
    str address;        /* bound address, as given */
    const str *allowed; /* --allow-host: names, "*" for any, ".example.com" for a domain and all
                           below it */
    size_t nallowed;
};

/* The host of an authority without port and brackets: "[::1]:4566" -> "::1". */
str safety_host(str authority);
/* Loopback addresses, localhost and *.localhost, the bound address, what --allow-host names. */
bool safety_host_ok(const struct safety *safety, str host);
/* Why the request's Host is refused, in `arena`; absent when it is fine. HTTP/1.0 without Host is
 * fine. */
str safety_check_host(const struct safety *safety, const struct http_request *request);
/* True when a browser sent it from a page that is not ours: a foreign Origin, or Sec-Fetch-Site:
 * cross-site without one (images, links and the like). Pages of hosts named by --allow-host are
 * ours, but "*" trusts no page. */
bool safety_foreign(const struct safety *safety, const struct http_request *request);
/* True when a browser opens the answer as a page (Sec-Fetch-Dest), and bytes of this type can bring
 * scripts with them. SDKs never say so. */
bool safety_active_page(const struct http_request *request, str content_type);

#endif
