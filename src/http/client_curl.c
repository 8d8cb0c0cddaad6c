/* http/client_curl.c - see client_curl.h. The library stays open until the process ends. In the
 * static build (src/packaging/static.cmake) it is part of the program. */
#include "http/client_curl.h"

#ifdef CURL_STATICLIB

void curl_calls_open(struct curl_calls *calls)
{
#define CURL_CALL_LINK(name) calls->name = curl_##name;
    CURL_CALLS(CURL_CALL_LINK)
#undef CURL_CALL_LINK
    calls->global_init(CURL_GLOBAL_DEFAULT);
}

#else

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void missing(const char *why)
{
    fprintf(stderr, "headrace: this command needs libcurl (Debian, Ubuntu: libcurl4): %s\n", why);
    exit(2);
}

/* ISO C has no conversion between pointers to objects and to functions. */
static void find(void *library, const char *name, void *out)
{
    void *found = dlsym(library, name);
    if (!found)
        missing(dlerror());
    memcpy(out, &found, sizeof found);
}

void curl_calls_open(struct curl_calls *calls)
{
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib"};
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        missing("it is not installed");
#define CURL_CALL_FIND(name) find(library, "curl_" #name, &calls->name);
    CURL_CALLS(CURL_CALL_FIND)
#undef CURL_CALL_FIND
    calls->global_init(CURL_GLOBAL_DEFAULT);
}

#endif
