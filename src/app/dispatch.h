/* app/dispatch.h - from an HTTP request to an operation: safety, our own endpoints, routing,
 * identity, body. It talks to the outside only through app->outlet, so that a fuzzer runs all of it
 * without a socket. Arguments and results as in http/server.h, http_app. */
#ifndef HEADRACE_APP_DISPATCH_H
#define HEADRACE_APP_DISPATCH_H

#include "app/app.h"

void dispatch_begin(struct app *app, struct http_request *http);
void dispatch_body(struct app *app, struct http_request *http, str chunk);
void dispatch_end(struct app *app, struct http_request *http);
bool dispatch_hangup(struct app *app, struct http_request *http);
void dispatch_gone(struct app *app, struct http_request *http, bool completed);

#endif
