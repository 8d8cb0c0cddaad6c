/* http/client_curl.h - libcurl, opened when the first client is made: it brings thirty libraries
 * along, which an emulator that only serves should pay for neither in its start nor in its memory.
 */
#ifndef HEADRACE_HTTP_CLIENT_CURL_H
#define HEADRACE_HTTP_CLIENT_CURL_H

#include <curl/curl.h>

/* clang-format off */
#define CURL_CALLS(X) \
    X(global_init) X(easy_init) X(easy_setopt) X(easy_getinfo) X(easy_reset) \
    X(easy_cleanup) X(easy_strerror) X(multi_init) X(multi_setopt) X(multi_add_handle) \
    X(multi_remove_handle) X(multi_assign) X(multi_socket_action) X(multi_info_read) X(multi_cleanup) \
    X(slist_append) X(slist_free_all)
/* clang-format on */

struct curl_calls {
#define CURL_CALL_MEMBER(name) __typeof__(curl_##name) *name;
    CURL_CALLS(CURL_CALL_MEMBER)
#undef CURL_CALL_MEMBER
};

/* Fills the calls and sets the library up; ends the process with one line when this machine has no
 * libcurl. */
void curl_calls_open(struct curl_calls *calls);

#endif
