/* aws/route_rest.h - the REST half of routing, apart from route.c: which row of the tables a
 * method, level, query and headers choose. */
#ifndef HEADRACE_AWS_ROUTE_REST_H
#define HEADRACE_AWS_ROUTE_REST_H

#include "aws/route.h"

/* route->service, level and form (the query's parameters) are set; finds route->op or fails as
 * route_begin says. */
err route_rest(struct arena *arena, const struct http_request *request, struct route *route);
/* Whether `name` is a sub-resource that chooses an operation ("acl", "uploads"), not a parameter of
 * one ("prefix"). */
bool route_is_selector(str name);

#endif
